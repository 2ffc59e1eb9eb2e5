"""`make drills`: which are run, what the report says of them, and what is said of those that cannot be run here."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
DRILLS = """
import time
import pytest

def test_goes_well(): pass
def test_does_not(): assert False
def test_cannot_be_run(): pytest.skip("no such kernel here")
"""
SLOW = "import time\ndef test_quick(): pass\ndef test_slow(): open('begun', 'w').close(); time.sleep(600)\n"


def _drill(folder: Path, text: str) -> list[str]:
    group = folder / "tests" / "drills" / "some"
    group.mkdir(parents=True)
    (group / "test_some.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.drills.report",
        "--drills-report",
        str(folder / "report.json"),
    ]
    return [sys.executable, "-m", "pytest", *options, "tests/drills/some"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _outcomes(folder: Path) -> dict[str, str]:
    drills = json.loads((folder / "report.json").read_text())["drills"]
    assert all(drill["group"] == "some" and drill["seconds"] >= 0 for drill in drills)
    return {drill["name"]: drill["outcome"] for drill in drills}


def test_the_report_says_what_became_of_each(tmp_path: Path) -> None:
    """One that this machine cannot run is in one counted line instead."""
    command = _drill(tmp_path, DRILLS)
    run = subprocess.run(command, cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert _outcomes(tmp_path) == {"test_some.py::test_goes_well": "passed", "test_some.py::test_does_not": "failed"}
    assert "not run here: 1 drills (no such kernel here)" in run.stdout


def test_an_interrupted_run_leaves_its_report(tmp_path: Path) -> None:
    run = subprocess.Popen(_drill(tmp_path, SLOW), cwd=tmp_path, env=_environment(), stdout=subprocess.DEVNULL)
    try:
        while not (tmp_path / "begun").exists():
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        assert run.wait() != 0
    finally:
        run.kill()
    assert _outcomes(tmp_path) == {"test_some.py::test_quick": "passed"}


def test_a_group_that_is_not_there_is_refused_with_those_that_are() -> None:
    command = [sys.executable, "-m", "tests.drills", "--only", "weather"]
    run = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert run.stderr.startswith("There is no group of drills 'weather'. Give ONLY one of: chaos")
