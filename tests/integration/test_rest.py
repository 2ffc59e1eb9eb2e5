"""At rest nothing is written: not to the device, not to the API, by nobody in the process."""

from collections import Counter

import pytest

from tests.integration import rack
from tests.integration.harness import granted, lab, operator
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube

LOOKS = 4


async def test_nothing_is_written_at_rest(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace) as running:
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        await here.converged()
        await here.seen_again()
        await running.daemon.events.flush()

        objects, changes, requests = await here.snapshot(), here.changes, Counter(running.access.requests)
        await here.seen_again(LOOKS)
        assert await here.snapshot() == objects
        assert here.changes == changes
        made = running.access.requests - requests
        # The one thing that is read anew for every look is the Secret; the one thing that is written is the Lease.
        assert set(made) <= {"GET", "PUT lease"}
        assert made["GET"] <= LOOKS + 2


async def test_a_restart_adopts_what_is_there(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here:
        async with operator(cluster, namespace) as running:
            await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
            await here.converged()
            await here.seen_again()
            await running.daemon.events.flush()
        objects, changes = await here.snapshot(), here.changes
        async with operator(cluster, namespace, identity="two") as running:
            await here.seen_again(LOOKS)
            assert await here.snapshot() == objects
            assert here.changes == changes
            assert set(running.access.requests) <= {"GET", "GET lease", "PUT lease"}


async def test_only_what_changed_is_looked_at_again(cluster: ControlPlane, namespace: str) -> None:
    """What we write comes back by the watch, and is no reason to look at the device."""
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        slow = {**granted(), "resyncSeconds": 3600}
        await here.apply(rack.chassis(namespace, here.sim, policy=slow), rack.pool(namespace))
        await here.converged()
        before = here.looks
        await here.kubectl("label", "computenode", "node-0", "rack-position=top")  # labels select nodes: that is news
        await here.seen_again(1, since=before)
        before = here.looks
        await here.kubectl("annotate", "chassis.rackwright.dev", "rack", "note=nothing to do with it")
        await here.kubectl("annotate", "chassis.rackwright.dev", "rack", "rackwright.dev/reconcile-at=now")
        await here.seen_again(1, since=before)
        await here.patch("Chassis", "rack", {"metadata": {"annotations": {"rackwright.dev/reconcile-at": "later"}}})
        await here.seen_again(2, since=before)
        assert here.looks == before + 2
