"""Several operators, one API server that goes away, and who may act when."""

import asyncio

import pytest

from rackwright.kube.lease import Timing
from rackwright_sim.faults import Fault, FaultKind
from tests.integration import rack
from tests.integration.harness import HOME, Lab, Operator, granted, lab, operator, until
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube

SHORT = Timing(duration=4.0, renew=0.3, attempt=2.0)


async def _leads(running: Operator) -> None:
    async def look() -> bool:
        return running.daemon.lease.held

    await until(look, "the Lease is held")


def _quick(here: Lab) -> dict[str, object]:
    """Command time-outs that even a short Lease covers."""
    limits = {"commandsPerSecond": 500, "settleSeconds": 0, "commandTimeoutSeconds": 1}
    return rack.chassis(here.namespace, here.sim, policy=granted(), limits=limits)


async def test_of_two_operators_one_acts_and_the_other_follows(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace, identity="one") as one:
        await _leads(one)
        async with operator(cluster, namespace, identity="two") as two:
            await here.apply(_quick(here), rack.pool(namespace))
            await here.converged()
            assert one.journal
            assert not two.journal
            assert not {"PATCH", "POST", "DELETE"} & set(two.access.requests)
            await one.stop()
            await _leads(two)  # it was given back: nobody waits for it to run out
            await here.seen_again()
            assert not [line for line in two.journal if line["journal"] == "apply"]
            await here.by_hand("configure terminal", "storage unassign 1/0 0")
            before = here.changes

            async def healed() -> bool:
                return here.changes > before

            await until(healed, "the second operator heals")
            await here.converged()


async def test_a_killed_operator_is_followed_when_its_lease_ran_out(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace, identity="one", timing=SHORT) as one:
        await here.apply(_quick(here), rack.pool(namespace))
        await here.becomes("Chassis", "rack", "InSync")
        await one.kill()
        lease = await here.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/{namespace}")
        assert lease["spec"]["holderIdentity"] == "one"
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with operator(cluster, namespace, identity="two", timing=SHORT) as two:
            await _leads(two)
            assert loop.time() - began >= SHORT.duration
            await here.converged()


async def test_a_lease_that_is_taken_away_stops_everything_at_once(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace, timing=SHORT) as running:
        await here.apply(_quick(here), rack.pool(namespace))
        await here.converged()
        path = f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/{namespace}"
        await here.request("PATCH", path, {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 3}})

        async def lost() -> bool:
            return not running.daemon.lease.held

        await until(lost, "the operator notices")
        sent = here.looks
        await here.by_hand("configure terminal", "storage unassign 1/0 0")
        await asyncio.sleep(1.5)  # longer than a resync: not even a look
        assert here.looks == sent
        assert not running.task.done()
        await _leads(running)  # the thief never renews
        await here.converged()


async def test_stopping_lets_the_batch_under_way_end(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here:
        here.sim.faults.replace([Fault(kind=FaultKind.LATENCY, match="^storage clear-metadata", seconds=1.0)])
        async with operator(cluster, namespace) as running:
            await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))

            async def under_way() -> bool:
                return any("clear-metadata" in entry.text for entry in here.sim.log)

            await until(under_way, "the device is busy")
            await running.stop()
        sent = [line for line in running.journal if line["journal"] == "apply"]
        assert "clear-metadata" in sent[-1]["command"]
        assert sent[-1]["result"] == "ok"
        lease = await here.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/{namespace}")
        assert not lease["spec"].get("holderIdentity")
        assert (await here.reason("Chassis", "rack")) != "Conflict"
        async with operator(cluster, namespace, identity="two"):
            await here.converged()


async def test_an_api_server_that_crashes_and_comes_back(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace, timing=SHORT) as running:
        await here.apply(_quick(here), rack.pool(namespace))
        await here.converged()
        cluster.crash_api_server()

        async def stopped() -> bool:
            return not running.daemon.lease.held

        await until(stopped, "nothing is done without a Lease")
        await here.by_hand("configure terminal", "storage unassign 1/0 0")
        before, sent = here.changes, here.looks
        cluster.start_api_server()
        assert (here.changes, here.looks) == (before, sent)

        async def ready() -> bool:
            return await asyncio.to_thread(lambda: cluster.is_ready)

        await until(ready, "the API server is back", 60)

        async def healed() -> bool:
            return here.changes > before

        await until(healed, "the operator goes on", 60)
        await here.converged()
        await here.kubectl("delete", "computenode", "node-0", "--timeout=10s")  # the watches are back, too
        await here.converged()
        assert not running.task.done()
