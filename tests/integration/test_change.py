"""What others do behind the operator's back, or to its objects, and what it makes of it."""

import pytest

from rackwright_sim.faults import Fault, FaultKind
from tests.integration import rack
from tests.integration.harness import Lab, granted, lab, operator, until
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube


async def _built(here: Lab) -> None:
    await here.apply(rack.chassis(here.namespace, here.sim, policy=granted()), rack.pool(here.namespace))
    await here.converged()


async def test_drift_is_found_and_healed(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace) as running:
        await _built(here)
        await here.by_hand("configure terminal", "storage unassign 1/0 0")
        before = here.changes

        async def healed() -> bool:
            return here.changes > before

        await until(healed, "the volume is given back")
        await here.converged()
        (again,) = [line for line in running.journal if line["journal"] == "apply" and "1/0" in line["command"]][-1:]
        assert again["object"] in ("StoragePool/root", "ComputeNode/node-1")


async def test_a_paused_chassis_is_only_looked_at(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await _built(here)
        await here.kubectl("annotate", "chassis.rackwright.dev", "rack", "rackwright.dev/paused=true")
        await here.seen_again()
        await here.by_hand("configure terminal", "server id 0/0", "nic 0", "no untagged-vlan 100")
        before = here.changes
        await here.becomes("ComputeNode", "node-0", "Paused", "ChassisReady")
        assert here.changes == before
        await here.kubectl("annotate", "chassis.rackwright.dev", "rack", "rackwright.dev/paused-")
        await here.converged()
        assert here.changes > before


async def test_deleted_nodes_are_stamped_anew(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await _built(here)
        before, changes = await here.items("ComputeNode"), here.changes
        await here.kubectl("delete", "computenode", "node-0", "node-2", "--timeout=10s")
        await here.converged()
        after = await here.items("ComputeNode")
        assert {name for name in after if after[name]["metadata"]["uid"] != before[name]["metadata"]["uid"]} == {
            "node-0",
            "node-2",
        }
        assert here.changes == changes


async def test_a_spec_of_a_stamped_node_that_somebody_edits_is_put_back(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await _built(here)
        await here.patch(
            "ComputeNode", "node-1", {"spec": {"powerState": "Stopped"}, "metadata": {"labels": {"own": "x"}}}
        )

        async def put_back() -> bool:
            node = await here.get("ComputeNode", "node-1")
            return node is not None and node["spec"]["powerState"] == "Running" and node["metadata"]["generation"] == 3

        await until(put_back, "the node is as stamped")
        node = await here.get("ComputeNode", "node-1")
        assert node is not None
        assert node["metadata"]["labels"]["own"] == "x"


async def test_a_deleted_pool_leaves_its_volumes(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await _built(here)
        changes = here.changes
        await here.kubectl("delete", "storagepool", "root", "--timeout=10s")

        async def told() -> bool:
            found = await here.get("Chassis", "rack")
            return found is not None and found["status"]["undeclared"]["count"] > 0

        await until(told, "the volumes are undeclared now")
        await here.seen_again()
        assert here.changes == changes


@pytest.mark.parametrize("cascade", ["background", "foreground"])
async def test_a_deleted_chassis_leaves_the_device_and_takes_its_nodes_along(
    cluster: ControlPlane, namespace: str, cascade: str
) -> None:
    if cascade == "foreground" and not cluster.collects_garbage:
        pytest.skip("this control plane does not collect garbage: nothing would end a foreground deletion")
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await _built(here)
        changes = here.changes
        await here.kubectl("delete", "chassis.rackwright.dev", "rack", f"--cascade={cascade}", "--timeout=60s")
        assert await here.get("Chassis", "rack") is None
        await here.becomes("StoragePool", "root", "ReferenceNotFound")
        if cluster.collects_garbage:

            async def gone() -> bool:
                return not await here.items("ComputeNode")

            await until(gone, "the nodes are gone", 60)
        else:
            await here.becomes("ComputeNode", "node-0", "ReferenceNotFound", "ChassisReady")
        assert here.changes == changes


async def test_a_namespace_that_ends_takes_all_along_and_nothing_hangs(cluster: ControlPlane, namespace: str) -> None:
    ends = f"{namespace}-ends"
    cluster.admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": ends}})
    async with lab(cluster, ends) as here, operator(cluster, ends) as running:
        await _built(here)
        changes = here.changes
        await here.kubectl("delete", "namespace", ends, "--timeout=60s")
        await here.request("POST", "/api/v1/namespaces", {"metadata": {"name": ends}})
        assert not running.task.done()
        assert here.changes == changes
        await here.apply(rack.secret(ends))
        await _built(here)  # the very same manifests in a new namespace: adopted
        assert here.changes == changes


async def test_everything_deleted_and_applied_again_changes_nothing(cluster: ControlPlane, namespace: str) -> None:
    """A restore: the same manifests, new uids, no status. The device has what they say, and so nothing is planned."""
    async with lab(cluster, namespace) as here:
        async with operator(cluster, namespace):
            await _built(here)
        changes = here.changes
        for kind in ("computenode", "storagepool", "chassis.rackwright.dev"):
            await here.kubectl("delete", kind, "--all", "--timeout=10s")
        shown, _ = await here.sim.operate("show storage assign brief")
        careful = rack.chassis(namespace, here.sim, policy={**rack.POLICY, "destructive": "Never"})
        await here.apply(careful, rack.pool(namespace))
        async with operator(cluster, namespace, identity="two") as running:
            await here.converged()
            assert not [line for line in running.journal if line["journal"] == "apply"]
        assert here.changes == changes
        assert (await here.sim.operate("show storage assign brief"))[0] == shown


async def test_a_wrong_password_is_tried_once_and_the_right_one_at_once(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await here.apply(rack.secret(namespace, password="wrong"))
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        refused = await here.becomes("Chassis", "rack", "CredentialsRefused")
        assert "wrong" not in refused["message"]
        assert (await here.condition("Chassis", "rack", "Reachable"))["status"] == "False"
        before = await here.snapshot()
        await here.kubectl("annotate", "chassis.rackwright.dev", "rack", "rackwright.dev/reconcile-at=now")
        await here.kubectl(
            "annotate", "chassis.rackwright.dev", "rack", "rackwright.dev/reconcile-at=again", "--overwrite"
        )
        assert here.sim.counters.authentications_failed == 1
        await here.apply(rack.secret(namespace))
        await here.converged()
        assert here.sim.counters.authentications_failed == 1
        assert set(before) <= set(await here.snapshot())


async def test_a_missing_secret_says_so_and_is_read_when_it_comes(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await here.kubectl("delete", "secret", "chassis")
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        told = await here.becomes("Chassis", "rack", "DeviceError")
        assert f"there is no Secret chassis in namespace {namespace}. Create it." in told["message"]
        await here.apply(rack.secret(namespace))
        await here.converged()


async def test_second_bug_an_endpoint_that_changes_in_the_middle_of_a_pass(
    cluster: ControlPlane, namespace: str
) -> None:
    """The pass under way ends with the endpoint it began with, and the next has the new one: no lock is left behind."""
    async with lab(cluster, namespace) as here, rack.simulator() as other, operator(cluster, namespace):
        here.sim.faults.replace([Fault(kind=FaultKind.LATENCY, match="show server summary", times=None, seconds=0.5)])
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        await here.seen_again(1)
        for sim in (other, here.sim, other):
            cli = {"port": sim.port, "hostKeys": [sim.host_key]}
            await here.patch("Chassis", "rack", {"spec": {"hardware": {"seaMicro": {"cli": cli}}}})
        moved = Lab(cluster, namespace, other)

        async def built() -> bool:
            return moved.changes > 0

        await until(built, "the other chassis is built")
        await moved.converged()
        left = here.looks
        await moved.seen_again(3)
        assert here.looks == left  # nobody asks the one that was left
