"""However the demo ends, nothing of it stays behind: no process, no folder."""

import asyncio
import io
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from rackwright.cli.demo import processes
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.stage import Options, Stage
from tests.integration.demo.small import write_examples

SECONDS = 60.0
ECHO = "import sys, time; print('Serving on 7', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid: int) -> bool:
    """Whether it is there and not just waiting to be reaped by whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(probe: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            if probe():
                return
            await asyncio.sleep(0.05)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def demo(folder: Path) -> tuple[asyncio.subprocess.Process, list[int]]:
    """The demo as a process, and its two children, once both are there."""
    process = await asyncio.create_subprocess_exec(
        *processes.RACKWRIGHT,
        "demo",
        "--headless",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    await until(lambda: process.returncode is not None or len(children(process.pid)) == 2)
    return process, children(process.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_it_and_clears_everything_away(tmp_path: Path, number: signal.Signals) -> None:
    process, started = await demo(tmp_path)
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), SECONDS) == 128 + number
    assert not any(map(runs, started))
    assert names(tmp_path) == []


async def test_its_processes_do_not_outlive_it_even_when_it_is_killed(tmp_path: Path) -> None:
    process, started = await demo(tmp_path)
    process.kill()
    await process.wait()
    await until(lambda: not any(map(runs, started)))


async def test_an_operator_that_ends_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rackwright.cli.demo.local_side.RACKWRIGHT", (sys.executable, "-c", "raise SystemExit('no')"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    out = io.StringIO()
    options = Options(headless=True, start="small", examples=write_examples(tmp_path / "examples"))
    stage = Stage(options, Console(file=out, width=120))
    assert await stage.run() == 0
    assert stage.report.as_json()["converged"] is False
    assert any("The operator ended with 1" in sentence for sentence in stage.shortcomings)
    assert names(tmp_path / "temporary") == []


async def test_a_folder_to_keep_has_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    stage = Stage(Options(headless=True, keep=tmp_path), Console(file=io.StringIO()))
    await stage.run()
    assert (
        stage.shortcomings[0] == f"--keep {tmp_path} is not empty. Name a folder that is, or one that is not there yet."
    )
    assert names(tmp_path) == ["mine"]


async def test_a_child_is_waited_for_and_ended(tmp_path: Path) -> None:
    child = await processes.start("It", [sys.executable, "-c", ECHO], tmp_path / "log")
    try:
        assert (await child.announced(r"^Serving on (\d+)"))[1] == "7"
        child.check()
    finally:
        await child.stop()
    with pytest.raises(DemoError, match=r"It ended with -15. Its log ends with:\nServing on 7"):
        child.check()
    await child.stop()


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    child = await processes.start("It", [sys.executable, "-c", STUBBORN], tmp_path / "log")
    try:
        await child.announced("^up")
    finally:
        await child.stop()
    assert child.process.returncode == -signal.SIGKILL


async def test_a_child_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "START_SECONDS", 0.2)
    child = await processes.start("It", [sys.executable, "-c", STUBBORN], tmp_path / "log")
    try:
        with pytest.raises(DemoError, match="It did not start within"):
            await child.announced("^never")
    finally:
        child.process.kill()
        await child.process.wait()


async def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    assert await processes.run([sys.executable, "-c", "print('good'); raise SystemExit(2)"], codes=(0, 2)) == "good\n"
    with pytest.raises(DemoError, match="ended with 3: it broke"):
        await processes.run([sys.executable, "-c", "import sys; print('it broke', file=sys.stderr); sys.exit(3)"])
