"""The alerts, by the real promtool: they parse, fire when they should and only then, and use metrics that exist."""

import copy
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from ruamel.yaml import YAML

import rackwright.core.metrics  # noqa: F401  (registers what the operator exports)
from tests.deploy.conftest import Build, one
from tests.kubelab.assets import find_tool

_HERE = Path(__file__).parent
_METRIC = re.compile(r"\brackwright_\w+")
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture(scope="module")
def groups(build: Build) -> dict[str, Any]:
    spec: dict[str, Any] = one(build("monitoring"), "PrometheusRule")["spec"]
    return spec


@pytest.fixture(scope="module")
def folder(groups: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules as Prometheus itself reads them: whole, and with no annotation but the summary for the tests' sake."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules.yaml").write_text(json.dumps(groups))  # JSON is YAML
    short = copy.deepcopy(groups)
    for rule in short["groups"][0]["rules"]:
        rule["annotations"] = {"summary": rule["annotations"]["summary"]}
    (folder / "alerts.yaml").write_text(json.dumps(short))
    shutil.copy(_HERE / "alerts.test.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def rules(groups: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in groups["groups"] for rule in group["rules"]]


def _promtool(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([find_tool("promtool"), *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_right_in_form(folder: Path, rules: list[dict[str, Any]]) -> None:
    assert f"SUCCESS: {len(rules)} rules found" in _promtool("check", "rules", "rules.yaml", cwd=folder)


def test_the_alerts_fire_when_they_should_and_only_then(folder: Path) -> None:
    assert "SUCCESS" in _promtool("test", "rules", "alerts.test.yaml", cwd=folder)


def test_every_alert_is_tested_firing_and_quiet(rules: list[dict[str, Any]]) -> None:
    tests = YAML(typ="safe").load(_HERE / "alerts.test.yaml")["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    firing = {case["alertname"] for case in cases if case.get("exp_alerts")}
    quiet = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert firing == quiet == {rule["alert"] for rule in rules}


def test_every_metric_that_an_alert_uses_is_exported(rules: list[dict[str, Any]]) -> None:
    exported = set()
    for metric in REGISTRY.collect():
        exported |= {metric.name + suffix for suffix in _SUFFIXES.get(metric.type, ("",))}
    used = {name for rule in rules for name in _METRIC.findall(rule["expr"])}
    assert used <= exported
    assert len(used) >= 7


def test_every_alert_tells_a_person_what_to_do(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert rule["annotations"]["runbook"].startswith("1. ")
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert "for" in rule, "one bad scrape is no reason to wake anybody"
