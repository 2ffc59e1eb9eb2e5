"""Whole passes over the driver contract: endpoints, journal, refusals, and what is written when nothing can be done."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from rackwright.core.assembly import Assembly, assemble
from rackwright.core.journal import Journal
from rackwright.core.leadership import Always, NotPermittedError
from rackwright.core.others import NotYetReconciler
from rackwright.core.reconcile import Next
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, CONTROLLER_CLUSTER, STORAGE_POOL, Ref
from rackwright.core.workqueue import Priority
from rackwright_drivers.contract.chassis import Action, ActionResult, ChassisDriver, ChassisState, DriverContext
from rackwright_drivers.contract.errors import TransientError
from rackwright_sim.driver import SimChassis, Simulated
from rackwright_sim.faults import Fault, FaultKind
from rackwright_sim.model import ChassisModel
from tests.unit.core.kit import EVERYTHING, MemoryStore, condition, manifest, pool, running, small_chassis
from tests.unit.core.virtual import now, virtually

KEY = Ref(CHASSIS, "rack", "sm15k-01")
ALLOW = {"mode": "Enforce", "destructive": "Allow", "resyncSeconds": 60}


@dataclass
class Bay:
    """Simulated chassis by address, and every driver that was made for one."""

    chassis: dict[str, Simulated] = field(default_factory=dict)
    made: list["Noted"] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def connect(self, parameters: Mapping[str, object], context: DriverContext) -> ChassisDriver:
        address = str(parameters["url"])
        driver = Noted(SimChassis(self.chassis[address], context), address)
        self.made.append(driver)
        return driver


class Noted:
    """A driver that notes whether it is in use, and by how many."""

    max_batch = SimChassis.max_batch
    actions: frozenset[type[Action]] = EVERYTHING

    def __init__(self, inner: SimChassis, address: str) -> None:
        self.inner, self.address = inner, address
        self.looks = self.closed = self.inside = 0
        self.gate: asyncio.Event | None = None

    def commands(self, action: Action) -> tuple[str, ...]:
        return self.inner.commands(action)

    async def observe(self) -> ChassisState:
        self.looks += 1
        self.inside += 1
        assert self.inside == 1, "one session, one user"
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(1)
        try:
            return await self.inner.observe()
        finally:
            self.inside -= 1

    async def execute(self, actions: Sequence[Action]) -> tuple[ActionResult, ...]:
        assert self.inside == 0
        return await self.inner.execute(actions)

    async def aclose(self) -> None:
        assert self.inside == 0, "closed under whoever uses it"
        self.closed += 1
        await self.inner.aclose()


def at(address: str, name: str = "sm15k-01", **changes: Any) -> dict[str, Any]:
    hardware = {"type": "External", "external": {"driver": "Bay", "parameters": {"url": address}}}
    limits = {"commandsPerSecond": 1000, "settleSeconds": 0}
    made = small_chassis(hardware=hardware, limits=limits, **{"policy": ALLOW, **changes})
    return {**made, "metadata": {"name": name, "namespace": "rack"}}


def rig(*manifests: Mapping[str, Any], start: str = "small") -> tuple[Bay, MemoryStore, Assembly]:
    """Call it inside a running event loop."""
    bay = Bay({address: Simulated(ChassisModel.load(start)) for address in ("http://a", "http://b")})
    store = MemoryStore(manifests)
    store.secrets["rack", "sm15k-01"] = {"username": b"admin", "password": b"hunter2"}
    journal = Journal(lambda line: bay.lines.append(orjson.loads(line)))
    made = assemble(store, journal, Always(), drivers={"Bay": bay.connect}, now=lambda: "2026-02-01T00:00:00Z")
    return bay, store, made


def ready(store: MemoryStore, kind: str, name: str) -> tuple[str, str]:
    return condition(store.objects[Ref(kind, "rack", name)], "Ready")


def message(store: MemoryStore, ref: Ref) -> str:
    return str(next(item["message"] for item in store.objects[ref].status["conditions"] if item["type"] == "Ready"))


def test_one_pass_builds_a_rack_and_the_next_does_nothing() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        assert await made.chassis.reconcile(KEY) == Next(60.0)
        assert ready(store, CHASSIS, "sm15k-01") == ready(store, STORAGE_POOL, "root") == ("True", "InSync")
        assert running(bay.chassis["http://a"].model) == {"0/0", "1/0", "2/0", "32/0"}
        writes, looks, sent = store.writes, bay.made[0].looks, len(bay.lines)
        assert await made.chassis.reconcile(KEY) == Next(60.0)
        assert (store.writes, bay.made[0].looks) == (writes, looks + 1)
        assert {line["journal"] for line in bay.lines[sent:]} == {"observe"}
        assert len(bay.made) == 1, "one session for ever"
        await made.endpoints.aclose()
        assert bay.made[0].closed == 1

    virtually(main())


def test_the_journal_has_every_command_for_whom_and_why_and_no_secret() -> None:
    async def main() -> None:
        bay, _, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        changes = [line for line in bay.lines if line["journal"] == "apply"]
        assert len(changes) == bay.chassis["http://a"].recorder.counters.as_json()["commands"]["configuration"]  # type: ignore[index]
        pools = [line for line in changes if line["command"].startswith("storage create pool")]
        assert [(line["object"], line["why"]) for line in pools] == [
            ("StoragePool/root", "wanted disks JBOD2/6, found no pool")
        ]
        assert {line["endpoint"] for line in bay.lines} == {changes[0]["endpoint"]}
        assert all(line["why"] and line["object"] for line in bay.lines)
        assert "hunter2" not in str(bay.lines)

    virtually(main())


def test_a_preview_shows_the_plan_and_changes_nothing_at_all() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        before = bay.chassis["http://a"].model.saved()
        look = await made.chassis.look(KEY)
        assert look.outcome.decision is not None
        assert [len(stage) for stage in look.outcome.decision.stages] == [1, 1, 1, 1, 3, 3], (
            "with nodes not yet stamped"
        )
        assert list(look.commands.values()) == [("storage set mgmt-mode volume slot 2 no-confirm",)]
        assert (store.writes, len(store.objects)) == (0, 2)
        assert bay.chassis["http://a"].model.saved() == before

    virtually(main())


def test_a_chassis_that_cannot_be_used_says_so_and_so_does_all_that_is_on_it() -> None:
    async def main() -> None:
        _, store, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        node = Ref(COMPUTE_NODE, "rack", "compute-0")
        remembered = store.objects[node].status["assignments"]
        store.change(KEY, lambda spec: spec.update(vlans="many"))
        assert await made.chassis.reconcile(KEY) == Next(None)
        assert ready(store, CHASSIS, "sm15k-01") == ("False", "InvalidSpec")
        assert ready(store, STORAGE_POOL, "root") == ("False", "ChassisInvalid")
        assert condition(store.objects[node], "ChassisReady") == ("False", "ChassisInvalid")
        assert store.objects[node].status["blockedOn"]["name"] == "sm15k-01"
        assert store.objects[node].status["assignments"] == remembered
        store.change(KEY, lambda spec: spec.pop("vlans"))
        await made.chassis.reconcile(KEY)
        assert ready(store, STORAGE_POOL, "root") == ("True", "InSync")
        assert condition(store.objects[node], "ChassisReady") == ("True", "InSync")
        assert "blockedOn" not in store.objects[node].status

    virtually(main())


def test_a_chassis_that_goes_leaves_its_device_as_it_is_and_ends_the_session() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        before = bay.chassis["http://a"].model.saved()
        address = made.endpoints.known()[0].address
        assert REGISTRY.get_sample_value("rackwright_device_reachable", {"endpoint": address}) == 1.0
        del store.objects[KEY]
        assert await made.chassis.reconcile(KEY) == Next(None)
        assert ready(store, STORAGE_POOL, "root") == ("False", "ReferenceNotFound")
        assert store.objects[Ref(COMPUTE_NODE, "rack", "compute-0")].status["assignments"]
        assert bay.chassis["http://a"].model.saved() == before
        assert (made.endpoints.known(), bay.made[0].closed) == ((), 1)
        assert REGISTRY.get_sample_value("rackwright_device_reachable", {"endpoint": address}) is None, (
            "no alert for ever"
        )
        labels = {"endpoint": address, "purpose": "read", "result": "ok"}
        assert REGISTRY.get_sample_value("rackwright_device_commands_total", labels) is None

    virtually(main())


def test_of_what_is_gone_nothing_is_kept() -> None:
    async def main() -> None:
        _, store, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        root = Ref(STORAGE_POOL, "rack", "root")
        assert {root, KEY} <= set(made.chassis._specs._known)
        made.engine.notify(store.objects.pop(root), deleted=True)
        made.engine.notify(store.objects.pop(KEY), deleted=True)
        await made.chassis.reconcile(KEY)
        assert not {root, KEY} & set(made.chassis._specs._known)
        assert KEY not in made.chassis._stamper._known

    virtually(main())


def test_a_chassis_that_is_being_deleted_is_not_touched() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        store.objects[KEY] = replace(store.objects[KEY], deleting=True)
        assert await made.chassis.reconcile(KEY) == Next(None)
        assert (store.writes, bay.made) == (0, [])

    virtually(main())


@pytest.mark.parametrize(
    ("secrets", "changes", "said"),
    [
        ({}, {}, "spec.credentialsRef: there is no Secret sm15k-01 in namespace rack"),
        ({"username": b"admin"}, {}, "has no key password. Add it."),
        (
            {"username": b"a", "password": b"b"},
            {"hardware": {"type": "External", "external": {"driver": "Nobody"}}},
            "asks for the driver Nobody, which is not installed; installed are: Bay.",
        ),
    ],
)
def test_what_leads_nowhere_is_named(secrets: dict[str, bytes], changes: dict[str, Any], said: str) -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        store.change(KEY, lambda spec: spec.update(changes))
        store.secrets = {("rack", "sm15k-01"): secrets} if secrets else {}
        assert await made.chassis.reconcile(KEY) == Next(60.0), "tried again by and by, not over and over"
        assert ready(store, CHASSIS, "sm15k-01") == ready(store, STORAGE_POOL, "root") == ("False", "DeviceError")
        assert said in message(store, KEY)
        assert bay.made == []

    virtually(main())


def test_a_device_that_is_away_is_tried_again_with_backoff() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        summary = store.objects[KEY].status["summary"]
        bay.chassis["http://a"].faults.add(Fault(kind=FaultKind.DROP, match="show", times=1))
        assert await made.chassis.reconcile(KEY) == Next(60.0, Priority.DEGRADED, failed=True)
        assert ready(store, CHASSIS, "sm15k-01") == ("False", "DeviceUnavailable")
        assert condition(store.objects[KEY], "Reachable") == ("False", "DeviceUnavailable")
        assert store.objects[KEY].status["summary"] == summary
        assert await made.chassis.reconcile(KEY) == Next(60.0)
        assert ready(store, CHASSIS, "sm15k-01") == ("True", "InSync")

    virtually(main())


def test_who_may_not_act_says_nothing() -> None:
    class Nobody:
        def permit(self, needed_seconds: float) -> None:
            raise NotPermittedError(f"{needed_seconds} s are not left", 7.0)

    async def main() -> None:
        bay, store, _ = rig(at("http://a"), pool("root"))
        journal = Journal()
        made = assemble(store, journal, Nobody(), drivers={"Bay": bay.connect}, now=lambda: "2026-02-01T00:00:00Z")
        assert await made.chassis.reconcile(KEY) == Next(7.0, Priority.DEGRADED)
        assert bay.chassis["http://a"].recorder.counters.as_json()["commands"]["configuration"] == 0  # type: ignore[index]

    virtually(main())


def test_a_chassis_is_looked_at_as_often_as_anything_on_it_asks_for() -> None:
    async def main() -> None:
        _, store, made = rig(at("http://a"), pool("root"))
        root = Ref(STORAGE_POOL, "rack", "root")
        assert await made.chassis.reconcile(KEY) == Next(60.0)
        store.change(root, lambda spec: spec.update(policy={"resyncSeconds": 20}))
        assert await made.chassis.reconcile(KEY) == Next(20.0)
        store.change(root, lambda spec: spec.update(policy={"resyncSeconds": 600}))
        assert await made.chassis.reconcile(KEY) == Next(60.0)
        store.change(root, lambda spec: spec.update(policy={"resyncSeconds": "often"}))
        assert await made.chassis.reconcile(KEY) == Next(60.0)

    virtually(main())


def test_new_credentials_make_a_new_session_and_end_the_old_one() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        store.secrets["rack", "sm15k-01"] = {"username": b"admin", "password": b"changed"}
        await made.chassis.reconcile(KEY)
        assert [driver.closed for driver in bay.made] == [1, 0]
        assert len(made.endpoints.known()) == 1

    virtually(main())


def test_a_pass_ends_at_the_endpoint_where_it_began() -> None:
    """The address changes in the middle: what was taken is given back, and the old session does not stay."""

    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        bay.made[0].gate = asyncio.Event()
        first = asyncio.create_task(made.chassis.reconcile(KEY))
        await asyncio.sleep(1)
        store.put(at("http://b"))
        bay.made[0].gate.set()
        await first
        assert all(not endpoint.lock.locked() for endpoint in made.endpoints.known())
        await made.chassis.reconcile(KEY)
        assert [(driver.address, driver.closed) for driver in bay.made] == [("http://a", 1), ("http://b", 0)]
        assert [endpoint.lock.locked() for endpoint in made.endpoints.known()] == [False]
        assert running(bay.chassis["http://b"].model) == {"0/0", "1/0", "2/0", "32/0"}
        store.put(at("http://a"))
        await made.chassis.reconcile(KEY)
        assert bay.made[-1].address == "http://a"
        assert bay.made[-1].looks > 0

    virtually(main())


def test_two_objects_that_lead_to_one_device_take_turns() -> None:
    async def main() -> None:
        other = at("http://a", "twin", nodeSets=[], storageSlots=[])
        bay, _, made = rig(at("http://a"), other, pool("root"))
        await asyncio.gather(made.chassis.reconcile(KEY), made.chassis.reconcile(KEY._replace(name="twin")))
        assert len(bay.made) == 1
        assert bay.made[0].looks > 2

    virtually(main())


def test_dropping_an_endpoint_waits_for_whoever_uses_it() -> None:
    async def main() -> None:
        bay, _, made = rig(at("http://a"), pool("root"))
        await made.chassis.reconcile(KEY)
        endpoint = made.endpoints.known()[0]
        async with endpoint.lock:
            dropping = asyncio.create_task(made.endpoints.drop(endpoint.address))
            await asyncio.sleep(5)
            assert bay.made[0].closed == 0
        await dropping
        assert bay.made[0].closed == 1
        assert now() > 5

    virtually(main())


def test_after_a_half_done_command_the_rest_is_done_and_nothing_twice() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        chassis = bay.chassis["http://a"]
        chassis.faults.add(Fault(kind=FaultKind.HALF, match="assign-range", units=2, then="drop"))
        assert (await made.chassis.reconcile(KEY)).failed
        assert ready(store, STORAGE_POOL, "root") == ("False", "DeviceUnavailable")
        assert sum(1 for vdisk in chassis.model.storage.attachments if vdisk.number == 0) == 3
        assert await made.chassis.reconcile(KEY) == Next(60.0)
        assigns = [
            entry.text for entry in chassis.recorder.log if "assign " in entry.text or "assign-range" in entry.text
        ]
        assert len([text for text in assigns if "show" not in text]) == 2, "a range, and the one that was missing"
        assert ready(store, STORAGE_POOL, "root") == ("True", "InSync")

    virtually(main())


def test_what_others_will_do_says_so_and_what_a_chassis_answers_for_is_left_to_it() -> None:
    async def main() -> None:
        cluster = manifest(CONTROLLER_CLUSTER, "main", {})
        _, store, made = rig(pool("root"), cluster)
        others = NotYetReconciler(store, made.chassis._specs, lambda: "2026-02-01T00:00:00Z")
        root = Ref(STORAGE_POOL, "rack", "root")
        assert await others.reconcile(root) == Next(None)
        assert ready(store, STORAGE_POOL, "root") == ("False", "ReferenceNotFound")
        await others.reconcile(Ref(CONTROLLER_CLUSTER, "rack", "main"))
        assert ready(store, CONTROLLER_CLUSTER, "main") == ("False", "InvalidSpec")
        store.put(at("http://a"))
        await made.chassis.reconcile(KEY)
        writes = store.writes
        assert await others.reconcile(root) == Next(None)
        assert store.writes == writes
        assert ready(store, STORAGE_POOL, "root") == ("True", "InSync")
        assert await others.reconcile(root._replace(name="gone")) == Next(None)

    virtually(main())


def test_a_transient_error_is_what_a_dropped_look_is() -> None:
    async def main() -> None:
        bay, _, made = rig(at("http://a"))
        bay.chassis["http://a"].faults.add(Fault(kind=FaultKind.DROP, match="show", times=1))
        look = await made.chassis.look(KEY)
        assert isinstance(look.outcome.error, TransientError)
        assert look.problems == ()

    virtually(main())


def test_two_objects_of_one_chassis_the_first_keeps_it_by_serial_and_both_are_told() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), pool("root"))
        bay.chassis["http://b"] = bay.chassis["http://a"]  # one chassis, reached by two addresses
        await made.chassis.reconcile(KEY)
        store.put(at("http://b", "twin", protectedServers=[]))
        twin = KEY._replace(name="twin")
        before, nodes = bay.chassis["http://a"].model.saved(), len(list(store.list(COMPUTE_NODE)))
        await made.chassis.reconcile(twin)
        await made.chassis.reconcile(KEY)
        assert bay.chassis["http://a"].model.saved() == before
        assert len(list(store.list(COMPUTE_NODE))) == nodes, "nothing is stamped either"
        assert ready(store, CHASSIS, "twin") == ("False", "Conflict")
        assert condition(store.objects[twin], "Stalled")[0] == "True"
        assert "which Chassis/sm15k-01 has already" in message(store, twin)
        assert ready(store, CHASSIS, "sm15k-01") == ("True", "InSync")
        assert contested(store, KEY).startswith("Chassis/twin wants the chassis with serial ")
        assert [reason for ref, reason, _ in store.events if ref == KEY][-1] == "Contested"
        told = contested(store, KEY)
        bay.chassis["http://a"].faults.add(Fault(kind=FaultKind.REFUSE))
        await made.chassis.reconcile(KEY)
        assert contested(store, KEY) == told, "a device that is away ends no conflict"
        del store.objects[twin]
        await made.chassis.reconcile(twin)
        await made.chassis.reconcile(KEY)
        assert contested(store, KEY) == ""

    virtually(main())


def test_of_two_new_objects_of_one_chassis_the_older_has_it_whichever_is_looked_at_first() -> None:
    async def main() -> None:
        bay, store, made = rig(at("http://a"), at("http://b", "twin"))
        bay.chassis["http://b"] = bay.chassis["http://a"]
        twin = KEY._replace(name="twin")
        await asyncio.gather(made.chassis.reconcile(KEY), made.chassis.reconcile(twin))
        await asyncio.gather(made.chassis.reconcile(KEY), made.chassis.reconcile(twin))
        assert ready(store, CHASSIS, "sm15k-01") == ("True", "InSync")
        assert ready(store, CHASSIS, "twin") == ("False", "Conflict")

    virtually(main())


def contested(store: MemoryStore, ref: Ref) -> str:
    conditions = store.objects[ref].status["conditions"]
    return next((str(item["message"]) for item in conditions if item["type"] == "Contested"), "")


def test_two_pools_and_one_disk_both_are_told_and_the_older_keeps_it() -> None:
    async def main() -> None:
        disks = {"names": ["JBOD2/6"]}
        _, store, made = rig(at("http://a"), pool("root"), pool("other", disks=disks))
        await made.chassis.reconcile(KEY)
        root, other = Ref(STORAGE_POOL, "rack", "root"), Ref(STORAGE_POOL, "rack", "other")
        assert ready(store, STORAGE_POOL, "root") == ("True", "InSync")
        assert contested(store, root).startswith("StoragePool/other wants disk JBOD2/6 too, and ")
        assert ready(store, STORAGE_POOL, "other") == ("False", "Conflict")
        assert "JBOD2/6, which StoragePool/root has already" in message(store, other)
        assert contested(store, other) == ""

    virtually(main())


def test_two_nodes_and_one_card_both_are_told_and_the_older_keeps_it() -> None:
    async def main() -> None:
        mine = manifest(COMPUTE_NODE, "mine", {"chassisRef": {"name": "sm15k-01"}, "server": "1/0"})
        _, store, made = rig(mine, at("http://a"))
        await made.chassis.reconcile(KEY)
        await made.chassis.reconcile(KEY)
        assert ready(store, COMPUTE_NODE, "compute-1") == ("False", "Conflict")
        assert contested(store, Ref(COMPUTE_NODE, "rack", "mine")).startswith(
            "ComputeNode/compute-1 wants server 1/0 too."
        )

    virtually(main())
