"""The golden rack from as found to finished, through a real API server: 63 nodes on one chassis."""

import re
import time
from typing import Any

import pytest

from tests.integration.harness import Lab, operator, until
from tests.integration.rack import simulator
from tests.kubelab.controlplane import ControlPlane
from tests.unit.api.cases import manifests

pytestmark = pytest.mark.kube

NODES, DATA, JOURNALS = 63, 54, 12  # servers, data volumes, paths to journals
POOLS = ("root", "capacity", "journal")
SECONDS = 60


def _golden(here: Lab) -> list[dict[str, Any]]:
    """The Chassis and its pools, quick and with nothing to be asked."""
    every = manifests()
    chassis, pools = every["Chassis/sm15k-01"], [every[f"StoragePool/{name}"] for name in POOLS]
    for item in (chassis, *pools):
        item["metadata"]["namespace"] = here.namespace
    spec = chassis["spec"]
    spec["hardware"]["seaMicro"] = {
        "cli": {"host": "127.0.0.1", "port": here.sim.port, "hostKeys": [here.sim.host_key]}
    }
    spec["limits"] = {"commandsPerSecond": 1000, "settleSeconds": 0, "commandTimeoutSeconds": 10}
    spec["policy"] |= {"destructive": "Allow", "maxDisrupted": 64, "resyncSeconds": 3600}
    return [chassis, *pools]


async def test_the_golden_rack(cluster: ControlPlane, namespace: str, record_property: Any) -> None:
    async with simulator("as-found") as sim, operator(cluster, namespace) as running:
        here = Lab(cluster, namespace, sim)
        credentials = {"username": "admin", "password": "correct-horse"}
        secret = {"metadata": {"name": "sm15k-01"}, "stringData": credentials}
        await here.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)
        began, cpu = time.monotonic(), time.process_time()
        await here.apply(*_golden(here))

        async def all_stamped() -> bool:
            return len(await here.items("ComputeNode")) == NODES

        await until(all_stamped, "all nodes are stamped", SECONDS)
        waited = await here.kubectl(
            "wait", "--for=condition=ChassisReady", "computenode", "--all", f"--timeout={SECONDS}s"
        )
        record_property("seconds", round(time.monotonic() - began, 1))
        record_property("cpu_seconds_of_operator_and_simulator", round(time.process_time() - cpu, 1))
        record_property("requests", dict(running.access.requests))
        assert waited.count("condition met") == NODES

        output, _ = await sim.operate("show storage assign brief")
        assert len(re.findall(r"rootvol-\d+", output)) == NODES
        assert not re.search(r"^32/0.*rootvol", output, re.MULTILINE)
        assigns = [line for line in running.journal if line["command"].startswith("storage assign ")]
        assert len(assigns) <= NODES + DATA + JOURNALS
        for name in POOLS:
            await here.becomes("StoragePool", name, "InSync")
        await here.becomes("Chassis", "sm15k-01", "InSync")
        await running.daemon.events.flush()
        before, changes = await here.snapshot(), here.changes
        looked = here.looks  # before the request: the look may be over before its answer is here
        await here.patch("Chassis", "sm15k-01", {"metadata": {"annotations": {"rackwright.dev/reconcile-at": "now"}}})
        await here.seen_again(1, since=looked)
        after = await here.snapshot()
        assert {key for key in after if after[key] != before.get(key)} <= {here.path("Chassis", "sm15k-01")}
        assert here.changes == changes

        await _adopted(here)
        assert here.changes == changes


async def _adopted(here: Lab) -> None:
    """All objects are deleted, and applied again onto a chassis that is the golden rack already: nothing is planned."""
    for kind in ("chassis.rackwright.dev", "storagepool", "computenode"):
        await here.kubectl("delete", kind, "--all", f"--timeout={SECONDS}s")
    assert not await here.items("ComputeNode")
    await here.apply(*_golden(here))

    async def all_ready() -> bool:
        return len(await here.items("ComputeNode")) == NODES

    await until(all_ready, "all nodes are stamped again", SECONDS)
    waited = await here.kubectl("wait", "--for=condition=ChassisReady", "computenode", "--all", f"--timeout={SECONDS}s")
    assert waited.count("condition met") == NODES
    for name in POOLS:
        await here.becomes("StoragePool", name, "InSync")
    await here.becomes("Chassis", "sm15k-01", "InSync")
    plans = [item for kind in ("Chassis", "StoragePool", "ComputeNode") for item in (await here.items(kind)).values()]
    assert not [item["metadata"]["name"] for item in plans if "plan" in item["status"]]
