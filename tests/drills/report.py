"""A pytest plugin: what became of each drill as JSON, written after every one, so that an interrupted run leaves it too."""

import json
from pathlib import Path
from typing import Any

import pytest

_OPTION = "--drills-report"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to."""
    parser.addoption(_OPTION, type=Path, help="write what became of the drills there, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that hears of all tests writes."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(config.getoption(_OPTION)), "drills-report")


class Report:
    """Collects and writes. A drill that this machine cannot run is in no report, and counted in one line."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._drills: dict[str, dict[str, Any]] = {}
        self._unable: dict[str, str] = {}
        self._ended: set[str] = set()
        self._write()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Set-up, call and tear-down of one drill: it passed where all of them did."""
        if report.skipped:
            self._unable[report.nodeid] = _reason(report)
            return
        group = report.nodeid.split("/")[2]
        name = report.nodeid.partition(f"/{group}/")[2]
        made: dict[str, Any] = {"group": group, "name": name, "outcome": "passed", "seconds": 0.0}
        drill = self._drills.setdefault(report.nodeid, made)
        drill["seconds"] = round(drill["seconds"] + report.duration, 2)
        if report.failed:
            drill["outcome"] = "failed"
        if report.when == "teardown":
            self._ended.add(report.nodeid)
            self._write()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was not run, in one line."""
        if self._unable:
            reasons = "; ".join(sorted(set(self._unable.values())))
            terminalreporter.write_line(f"not run here: {len(self._unable)} drills ({reasons})")

    def _write(self) -> None:
        if self._path is not None:
            drills = [drill for nodeid, drill in self._drills.items() if nodeid in self._ended - self._unable.keys()]
            temporary = self._path.with_name(f"{self._path.name}.tmp")
            temporary.write_text(json.dumps({"drills": drills}, indent=1) + "\n", "utf-8")
            temporary.replace(self._path)


def _reason(report: pytest.TestReport) -> str:
    """The words of the skip."""
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")
