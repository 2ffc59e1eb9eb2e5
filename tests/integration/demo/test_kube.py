"""The whole demo on three servers through a real API server, with kubectl and the operator's own rights only."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from rackwright.cli.demo.faults import PROMISED
from rackwright.cli.demo.report import Count
from rackwright.cli.demo.stage import Options, Stage
from tests.integration.demo.small import SERVERS, write_examples
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """A control plane of its own: the demo wants to be the only one in it."""
    with ControlPlane() as plane:
        monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
        monkeypatch.setenv("PATH", f"{plane.assets.kubectl.parent}{os.pathsep}{os.environ['PATH']}")
        yield plane


def staged(folder: Path, out: io.StringIO) -> Stage:
    options = Options(headless=True, kube=True, start="small", examples=write_examples(folder))
    return Stage(options, Console(file=out, width=120))


async def test_three_servers_build_themselves_and_heal_through_an_api_server(
    plane: ControlPlane, tmp_path: Path
) -> None:
    out = io.StringIO()
    stage = staged(tmp_path / "examples", out)
    assert await stage.run() == 0
    assert stage.shortcomings == (), out.getvalue()
    assert stage.report.objects["ComputeNode"] == Count(len(SERVERS), len(SERVERS))
    assert [fault.name for fault in stage.report.faults] == list(PROMISED)
    said = out.getvalue()
    assert "storage clear-metadata disk JBOD2/6-7 slot 2" in said
    assert "kubectl get rack -n rack" in said
    assert said.count("condition met") == len(SERVERS)
    consents = plane.kubectl("get", "chs,spool", "-n", "rack", "-o", "jsonpath={.items[*].status.consentsUsed}")
    of_chassis, *of_pools = consents.stdout.split()
    assert of_chassis in ("1", "2"), "slots and uplinks together; uplinks alone where their VLAN came later"
    assert of_pools == ["1", "1"]

    # What it left is somebody's: it does not begin again on top of it.
    again = staged(tmp_path / "again", io.StringIO())
    await again.run()
    assert again.shortcomings[0].startswith("The cluster of $KUBECONFIG has a namespace rack already.")


async def test_without_a_cluster_it_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    stage = staged(tmp_path / "examples", io.StringIO())
    await stage.run()
    assert stage.shortcomings[0] == "--kube needs KUBECONFIG. `make demo-kube` brings an API server of its own."
