"""Whole passes over objects that are being deleted: devices that are away, Chassis that are gone, and who goes when."""

import asyncio
from typing import Any

import pytest

from rackwright.core.reconcile import Next
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from rackwright_sim.faults import Fault, FaultKind
from tests.unit.core.kit import on, pool
from tests.unit.core.test_reconciler import KEY, at, message, ready, rig
from tests.unit.core.test_release import released
from tests.unit.core.virtual import virtually

ROOT = Ref(STORAGE_POOL, "rack", "root")


def away(bay: Any) -> None:
    for chassis in bay.chassis.values():
        chassis.faults.add(Fault(kind=FaultKind.REFUSE, times=1000))
        chassis.faults.add(Fault(kind=FaultKind.DROP, match=".", times=1000))


def test_with_the_device_away_it_waits_and_says_how_to_let_go() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), released(pool("root")))
        await made.chassis.reconcile(KEY)
        assert on(bay.chassis["http://a"].model, "1/0")
        away(bay)
        store.remove(ROOT)
        await made.chassis.reconcile(KEY)
        assert ready(store, STORAGE_POOL, "root") == ("False", "DeviceUnavailable")
        assert "deletionPolicy: Retain" in message(store, ROOT)
        store.change(ROOT, lambda spec: spec.update(deletionPolicy="Retain"))
        await made.chassis.reconcile(KEY)
        assert ROOT not in store.objects
        assert on(bay.chassis["http://a"].model, "1/0")

    virtually(main())


def test_a_chassis_that_nothing_refers_to_goes_without_its_device() -> None:
    async def main() -> None:
        bay, store, made = rig(released(at("http://a")))
        await made.chassis.reconcile(KEY)
        looks = bay.made[0].looks
        away(bay)
        store.remove(KEY)
        assert await made.chassis.reconcile(KEY) == Next(None)
        assert store.objects == {}
        assert bay.made[0].looks == looks

    virtually(main())


def test_a_chassis_waits_for_its_nodes_that_wait_for_the_device() -> None:
    async def main() -> None:
        template = {"powerState": "Running", "deletionPolicy": "Release"}
        sets = [{"name": "compute", "remaining": {"namePrefix": "compute"}, "template": template}]
        bay, store, made = rig(released(at("http://a", nodeSets=sets)), pool("root"))
        await made.chassis.reconcile(KEY)
        store.remove(ROOT)
        away(bay)
        store.remove(KEY)
        await made.chassis.reconcile(KEY)
        assert {item.leaving for item in store.list(COMPUTE_NODE)} == {True}
        assert ready(store, CHASSIS, "sm15k-01") == ("False", "DeviceUnavailable")
        store.change(KEY, lambda spec: spec.update(deletionPolicy="Retain"))
        await made.chassis.reconcile(KEY)
        assert store.objects == {}, "with a Chassis that touches nothing its nodes touch nothing"
        assert on(bay.chassis["http://a"].model, "1/0")

    virtually(main())


@pytest.mark.parametrize("policy", ["Release", "Wipe"])
def test_without_its_chassis_it_waits_and_says_so(policy: str) -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), released(pool("root"), policy))
        await made.chassis.reconcile(KEY)
        if policy == "Wipe":
            digest = store.objects[ROOT].status["wipe"]["digest"]
            store.change(ROOT, lambda spec: spec.update(approvals=[{"plan": digest}]))
        store.remove(KEY)
        store.remove(ROOT)
        await made.chassis.reconcile(KEY)
        for item in (ROOT, ROOT):
            made.engine.notify(store.objects[item])
            await made.engine.settle()
            assert ready(store, STORAGE_POOL, "root") == ("False", "ReferenceNotFound")
            assert "deletionPolicy: Retain" in message(store, ROOT)
        store.change(ROOT, lambda spec: spec.update(deletionPolicy="Retain"))
        made.engine.notify(store.objects[ROOT])
        await made.engine.settle()
        assert ROOT not in store.objects
        assert on(bay.chassis["http://a"].model, "1/0")

    virtually(main())


def test_a_chassis_whose_spec_is_refused_keeps_nobody_from_being_let_go() -> None:
    async def main() -> None:
        _, store, made = rig(released(at("http://a")), released(pool("root")))
        await made.chassis.reconcile(KEY)
        store.change(KEY, lambda spec: spec.update(nonsense=1))
        store.remove(ROOT)
        store.remove(KEY)
        await made.chassis.reconcile(KEY)
        assert ready(store, CHASSIS, "sm15k-01") == ("False", "InvalidSpec")
        assert "deletionPolicy: Retain" in message(store, KEY)
        assert ready(store, STORAGE_POOL, "root") == ("False", "ChassisInvalid")
        for ref in (ROOT, KEY):
            store.change(ref, lambda spec: spec.update(deletionPolicy="Retain"))
        await made.chassis.reconcile(KEY)
        assert store.objects == {}

    virtually(main())


def test_a_look_without_hands_puts_no_finalizer_on_and_takes_none_off() -> None:
    async def main() -> None:
        _, store, made = rig(released(at("http://a")), released(pool("root")))
        await made.chassis.look(KEY)
        assert {item.finalizers for item in store.objects.values()} == {()}
        await made.chassis.reconcile(KEY)
        store.remove(ROOT)
        writes = store.writes
        preview = await made.chassis.look(KEY)
        assert preview.outcome.decision is not None
        assert {step.name for step in preview.outcome.decision.stages[0]} == {"Detach"}
        assert store.writes == writes
        assert store.objects[ROOT].leaving

    virtually(main())


def test_what_was_attached_just_before_by_another_process_is_let_go_of_too() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), released(pool("root")))
        await made.chassis.reconcile(KEY)
        model = bay.chassis["http://a"].model
        had = dict(model.storage.attachments.items())
        store.remove(ROOT)
        for vdisk in had:
            if vdisk.server != "32/0":
                model.storage.unassign(vdisk)
        endpoint = made.endpoints.known()[0]
        endpoint.quiet_from = asyncio.get_running_loop().time() + 30

        async def late() -> None:
            await asyncio.sleep(20)
            for vdisk, what in had.items():
                if vdisk.server != "32/0":
                    model.storage.assign(vdisk, what)

        command = asyncio.create_task(late())
        await made.chassis.reconcile(KEY)
        await command
        assert ROOT not in store.objects
        assert on(model, "1/0") == {}

    virtually(main())
