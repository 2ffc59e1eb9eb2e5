"""Control planes: how they fail, on servers that only pretend; and one real one, of which nothing remains."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kubelab.access import OPERATOR_USER, Tokens
from tests.kubelab.assets import Assets
from tests.kubelab.client import ApiError
from tests.kubelab.console import KubelabError
from tests.kubelab.controlplane import ControlPlane
from tests.unit.kubelab.conftest import FakeExecutable
from tests.unit.kubelab.processes import ROOT, gone, mentioning

_SLEEP = "import time; time.sleep(60)"


def _start(tmp_path: Path, fake_executable: FakeExecutable, apiserver: str) -> None:
    assets = Assets(
        kube_apiserver=fake_executable("kube-apiserver", apiserver),
        etcd=fake_executable("etcd", _SLEEP),
        kubectl=fake_executable("kubectl", ""),
        kube_controller_manager=None,
    )
    with ControlPlane(assets, tmp_path / "plane"):
        pytest.fail("it cannot have started")


def test_a_server_that_ends_at_once_is_told_with_its_log_and_nothing_remains(
    tmp_path: Path, fake_executable: FakeExecutable
) -> None:
    with pytest.raises(KubelabError, match=r"kube-apiserver ended with 7 while it started.*\nno such flag"):
        _start(tmp_path, fake_executable, "print('no such flag'); raise SystemExit(7)")
    assert not (tmp_path / "plane").exists()
    assert gone(str(tmp_path / "plane"))


def test_a_taken_port_is_tried_again_with_others(tmp_path: Path, fake_executable: FakeExecutable) -> None:
    record = tmp_path / "ports"
    program = f"""
import sys
port = next(word for word in sys.argv if word.startswith("--secure-port="))
print(port, file=open({str(record)!r}, "a"))
print("listen tcp 127.0.0.1: bind: address already in use")
raise SystemExit(1)"""
    with pytest.raises(KubelabError, match="took the ports of 3 control planes"):
        _start(tmp_path, fake_executable, program)
    assert len(set(record.read_text().split())) == 3
    assert gone(str(tmp_path / "plane"))


def test_a_folder_that_holds_something_is_refused_and_left_alone(
    tmp_path: Path, fake_executable: FakeExecutable
) -> None:
    (tmp_path / "plane").mkdir()
    (tmp_path / "plane/precious").touch()
    with pytest.raises(KubelabError, match="plane is not empty"):
        _start(tmp_path, fake_executable, _SLEEP)
    assert (tmp_path / "plane/precious").exists()


def test_tokens_do_not_show_themselves(tmp_path: Path) -> None:
    tokens = Tokens()
    tokens.write(tmp_path / "tokens.csv")
    assert tokens.admin not in repr(tokens)
    assert (tmp_path / "tokens.csv").stat().st_mode & 0o777 == 0o600
    assert tokens.admin in (tmp_path / "tokens.csv").read_text()


@pytest.mark.kube
def test_a_control_plane_serves_admits_by_rbac_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "plane"
    with ControlPlane(folder=folder) as plane:
        assert plane.version >= (1, 20)
        plane.admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": "smoke"}})
        assert "smoke" in plane.kubectl("get", "namespaces", "-o", "name").stdout
        with pytest.raises(ApiError, match=OPERATOR_USER) as refused:
            plane.operator.request("GET", "/api/v1/secrets")
        assert refused.value.status == 403
        assert plane.kubectl("get", "secrets", context="operator", check=False).returncode == 1
        assert len(mentioning(str(folder))) == (3 if plane.collects_garbage else 2)
    assert gone(str(folder))
    assert not folder.exists()
    with pytest.raises(KubelabError, match="not running"):
        plane.version  # noqa: B018


@pytest.mark.kube
@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_nothing_remains_of_an_interrupted_lab(tmp_path: Path, end: signal.Signals, code: int) -> None:
    folder = tmp_path / "plane"
    command = [sys.executable, "-m", "tests.kubelab", "up", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as lab:
        assert lab.stdout is not None
        assert "is ready" in lab.stdout.readline()
        assert (folder / "kubeconfig").exists()
        lab.send_signal(end)
        lab.communicate()
    assert lab.returncode == code
    assert gone(str(folder))
    assert not folder.exists()


@pytest.mark.kube
def test_run_hands_on_the_kubeconfig_and_the_exit_code() -> None:
    script = 'test -n "$(kubectl get namespace default -o name)" && exit 7'
    done = subprocess.run(
        [sys.executable, "-m", "tests.kubelab", "run", "--", "sh", "-c", script], check=False, cwd=ROOT
    )
    assert done.returncode == 7
