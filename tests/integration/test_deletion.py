"""Objects deleted by kubectl, on a real API server: finalizers, consent before and after, and how a person lets go."""

import json
from typing import Any

import pytest

from rackwright.core.resource import RELEASE
from tests.integration import rack
from tests.integration.harness import Lab, granted, lab, operator, until
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube

CAREFUL = {"destructive": "RequireApproval"}
OURS = "rootpool-1"


async def built(here: Lab, policy: str) -> None:
    """The small rack, as declared, with this deletionPolicy on its pool, which from now on asks for consent."""
    own = rack.pool(here.namespace, deletionPolicy=policy)
    await here.apply(rack.chassis(here.namespace, here.sim, policy=granted()), own)
    await here.converged()
    await here.becomes("StoragePool", "root", "InSync")
    await here.patch("StoragePool", "root", {"spec": {"policy": CAREFUL}})
    assert (await here.get("StoragePool", "root") or {})["metadata"]["finalizers"] == [RELEASE]


async def delete(here: Lab) -> None:
    await here.kubectl("delete", "storagepool", "root", "--wait=false")


async def gone(here: Lab) -> None:
    async def look() -> bool:
        return await here.get("StoragePool", "root") is None

    await until(look, "the pool is gone")


async def approve(here: Lab, digest: str) -> None:
    await here.patch("StoragePool", "root", {"spec": {"approvals": [{"plan": digest}]}})


async def wipe_of(here: Lab) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        found: dict[str, Any] = (await here.get("StoragePool", "root") or {}).get("status", {}).get("wipe", {})
        return found

    return await until(look, "what a wipe would destroy is shown")


async def attached(here: Lab) -> int:
    """How many of our volumes are attached."""
    shown, _ = await here.sim.operate("show storage assign brief")
    return shown.count(OURS)


async def test_release_detaches_by_consent_and_keeps_the_data(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await built(here, "Release")
        volumes, _ = await here.sim.operate("show storage volume brief")
        await delete(here)
        told = await here.becomes("StoragePool", "root", "AwaitingApproval")
        assert "deletionPolicy: Retain" in told["message"]
        assert await attached(here) == 3
        plan = (await here.get("StoragePool", "root") or {})["status"]["plan"]
        assert {step["action"] for step in plan["stages"][0]["steps"]} == {"Detach"}
        await approve(here, plan["digest"])
        await gone(here)
        assert await attached(here) == 0
        after, _ = await here.sim.operate("show storage volume brief")
        assert [line.split()[:3] for line in after.splitlines()] == [line.split()[:3] for line in volumes.splitlines()]


async def test_a_wipe_is_carried_out_only_with_consent_from_before(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await built(here, "Wipe")
        before = here.changes
        await delete(here)
        await gone(here)
        assert await attached(here) == 3
        assert here.changes == before, "without consent it ended as Retain"
        await built(here, "Wipe")
        wipe = await wipe_of(here)
        assert [(item["pool"], len(item["volumes"])) for item in wipe["pools"]] == [("2/rootpool-1", 4)]
        await approve(here, wipe["digest"])
        assert here.changes == before, "nothing is done before the deletion"
        await delete(here)
        await here.becomes("StoragePool", "root", "AwaitingApproval")
        plan = (await here.get("StoragePool", "root") or {})["status"]["plan"]["digest"]
        both = [{"plan": wipe["digest"]}, {"plan": plan}]
        await here.patch("StoragePool", "root", {"spec": {"approvals": both}})
        await gone(here)
        for what in ("volume", "pool", "assign"):
            shown, _ = await here.sim.operate(f"show storage {what} brief")
            assert OURS not in shown
        disks, _ = await here.sim.operate("show storage disk brief")
        assert next(line for line in disks.splitlines() if line.split()[1:2] == ["JBOD2/6"]).split()[-2] == "none"
        assert "RAIDVOL-0" in (await here.sim.operate("show storage volume brief"))[0]


async def test_with_the_device_away_it_waits_and_says_so_until_retain_lets_it_go(
    cluster: ControlPlane, namespace: str
) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await built(here, "Release")
        before = here.changes
        cli = rack.chassis(namespace, here.sim)["spec"]["hardware"]
        cli["seaMicro"]["cli"]["port"] = 1  # nobody listens there
        await here.patch("Chassis", "rack", {"spec": {"hardware": cli}})
        await delete(here)
        told = await here.becomes("StoragePool", "root", "DeviceUnavailable")
        assert "deletionPolicy: Retain" in told["message"]
        body = json.dumps({"spec": {"deletionPolicy": "Retain"}})
        await here.kubectl("patch", "storagepool", "root", "--type=merge", "-p", body)
        await gone(here)
        assert await attached(here) == 3
        assert here.changes == before
