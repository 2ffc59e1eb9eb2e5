"""Nothing outlives its maker, whichever way that ends."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.kubelab.console import KubelabError
from tests.kubelab.lifetime import Lifetime
from tests.kubelab.process import run, spawn, stop
from tests.unit.kubelab.processes import ROOT, gone, mentioning

_MAKER = """
import sys
from pathlib import Path
from tests.kubelab.lifetime import Lifetime
from tests.kubelab.process import spawn

folder = Path(sys.argv[1])
outer, inner = Lifetime(), Lifetime()
outer.open()
outer.on_close((folder / "outer").touch)
inner.open()
inner.on_close((folder / "inner").touch)
sleeper = [sys.executable, "-c", "import time; time.sleep(60)", str(folder)]
spawn(sleeper, folder / "log")
print("ready", flush=True)
sys.stdin.readline()
"""


def _maker(folder: Path) -> subprocess.Popen[str]:
    maker = subprocess.Popen(
        [sys.executable, "-c", _MAKER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert maker.stdout is not None
    assert maker.stdout.readline() == "ready\n"
    assert len(mentioning(str(folder))) == 2
    return maker


@pytest.mark.parametrize(
    ("end", "cleans_up"),
    [(signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGKILL, False)],
    ids=["terminated", "interrupted", "killed"],
)
def test_children_die_with_us_and_clean_up_is_done_where_there_is_time(
    tmp_path: Path, end: signal.Signals, cleans_up: bool
) -> None:
    with _maker(tmp_path) as maker:
        maker.send_signal(end)
        maker.communicate()
    assert maker.returncode == -end
    assert gone(str(tmp_path))
    assert (tmp_path / "inner").exists() is (tmp_path / "outer").exists() is cleans_up


def test_clean_up_is_done_at_the_interpreter_s_end(tmp_path: Path) -> None:
    with _maker(tmp_path) as maker:
        maker.communicate("\n")
    assert maker.returncode == 0
    assert gone(str(tmp_path))
    assert (tmp_path / "outer").exists()


def test_steps_are_done_once_last_first_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    done: list[str] = []
    lifetime = Lifetime()
    lifetime.open()
    lifetime.on_close(lambda: done.append("first"))
    lifetime.on_close(lambda: done.append("last"))
    assert signal.getsignal(signal.SIGTERM) is not before
    lifetime.close()
    lifetime.close()
    assert done == ["last", "first"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_stopping_takes_the_whole_session_of_a_child(tmp_path: Path) -> None:
    forks = f"import os, time; os.fork(); open({str(tmp_path / 'ready')!r}, 'a').write('x'); time.sleep(60)"
    child = spawn([sys.executable, "-c", forks, str(tmp_path)], tmp_path / "log")
    while not (tmp_path / "ready").exists() or (tmp_path / "ready").read_text() != "xx":
        os.sched_yield()
    stop(child)
    stop(child)
    assert gone(str(tmp_path))


def test_a_command_that_fails_is_told_with_the_end_of_its_output(tmp_path: Path) -> None:
    with pytest.raises(KubelabError, match="ended with 3; its output ends with:\nthe reason"):
        run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], tmp_path / "log")


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KubelabError, match="no-such-command is not installed"):
        run(["no-such-command"], tmp_path / "log")


def test_only_the_main_thread_may_start_children(tmp_path: Path) -> None:
    refused: list[KubelabError] = []

    def start() -> None:
        try:
            spawn(["true"], tmp_path / "log")
        except KubelabError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refused[0])
