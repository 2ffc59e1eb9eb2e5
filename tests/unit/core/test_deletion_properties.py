"""Any objects of any rack deleted with any policy: what is not theirs stays, what was not approved stays, and it ends."""

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.core.guard import servers_of
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from rackwright.core.risk import Risk
from rackwright.core.step import Step
from rackwright_drivers.contract.storage import (
    ClearMetadata,
    DeletePool,
    DeleteVolumes,
    Detach,
    PoolId,
    SetManagementMode,
    VDisk,
    VolumeId,
)
from tests.unit.core.kit import LONGER, PROPERTY, Bench, finish, running
from tests.unit.core.racks import benches

FEWER = PROPERTY if LONGER else settings(PROPERTY, max_examples=25)
POLICIES = st.sampled_from(["Retain", "Release", "Release", "Wipe"])


class Witness:
    """Looks at every action of a rack whose objects are being deleted."""

    def __init__(self, bench: Bench) -> None:
        self.protected = frozenset(bench.chassis.spec["protectedServers"])
        self.prefixes = {prefix(item.spec) for item in bench.store.list(STORAGE_POOL)}
        self.approved: dict[Ref, Any] = {}
        self.unconsented: list[Step] = []
        bench.before_action = self.before

    def before(self, bench: Bench, step: Step) -> None:
        assert not servers_of(step.action) & self.protected
        match step.action:
            case Detach(servers=servers, vdisk=number):
                for server in servers:
                    found = bench.model.storage.attachments.shown().get(VDisk(server, number))
                    assert isinstance(found, VolumeId), "a raw disk is nobody's of ours"
                    assert found.name.rpartition("-")[0] in self.prefixes, f"{found} is somebody else's"
                if step.risk is not Risk.DESTRUCTIVE:
                    assert not set(servers) & running(bench.model)
            case DeleteVolumes(pool, name, numbers):
                names = {f"{name}-{number}" for number in numbers}
                assert names <= set(self._of(step, pool)["volumes"])
            case DeletePool(pool):
                serials = {disk["serial"] for disk in self._of(step, pool)["disks"]}
                assert {
                    bench.model.storage.disks[disk].serial for disk in bench.model.storage.pools[pool].disks
                } == serials
            case ClearMetadata(disks=disks) if any(bench.store.objects[owner].deleting for owner in step.owners):
                approved = [disk for item in self.approved[step.owners[0]] for disk in item["disks"]]
                assert set(disks) <= {disk["name"] for disk in approved}
            case _:
                return

    def _of(self, step: Step, pool: PoolId) -> Any:
        """What of this pool was approved."""
        (owner,) = step.owners
        return next(item for item in self.approved[owner] if item["pool"] == str(pool))


def _set(spec: dict[str, Any], **fields: Any) -> None:
    spec.update(fields)


def _set_template(policy: str, spec: dict[str, Any]) -> None:
    for item in spec["nodeSets"]:
        item["template"]["deletionPolicy"] = policy


def prefix(spec: Any) -> str:
    found: str = spec["backend"]["chassis"]["volumes"]["prefix"]
    return found


@st.composite
def deletions(draw: st.DrawFn) -> tuple[Bench, Witness]:
    """A rack, settled or not, with policies, some wipes approved, and some objects deleted."""
    bench = draw(benches())
    if draw(st.booleans()):
        bench.settle()
    template = draw(POLICIES)
    bench.store.change(bench.chassis.ref, partial(_set, deletionPolicy=draw(st.sampled_from(["Retain", "Release"]))))
    bench.store.change(bench.chassis.ref, partial(_set_template, template))
    for item in list(bench.store.list(STORAGE_POOL)):
        bench.store.change(item.ref, partial(_set, deletionPolicy=draw(POLICIES)))
    bench.report()
    witness = Witness(bench)
    allowed = bench.chassis.spec["policy"]["destructive"]
    for item in list(bench.store.list(STORAGE_POOL)):
        wipe = item.status.get("wipe")
        if wipe and draw(st.booleans()):
            bench.store.change(item.ref, partial(_set, approvals=[{"plan": wipe["digest"]}]))
            if allowed != "Never":
                witness.approved[item.ref] = wipe["pools"]
        elif wipe and allowed == "Allow":
            witness.approved[item.ref] = wipe["pools"]
    chosen = [item.ref for item in bench.store.list(STORAGE_POOL) if draw(st.booleans())]
    chosen += [item.ref for item in bench.store.list(COMPUTE_NODE) if draw(st.integers(0, 3)) == 0]
    for ref in chosen:
        if ref in bench.store.objects:
            bench.store.remove(ref)
    if draw(st.integers(0, 2)) == 0 and bench.chassis.finalizers:
        bench.store.remove(bench.chassis.ref)
    return bench, witness


@FEWER
@given(deletions())
def test_what_is_not_theirs_or_not_approved_stays_and_retain_ends_all(found: tuple[Bench, Witness]) -> None:
    bench, witness = found
    key = bench.chassis.ref
    before = dict(bench.model.storage.volumes)
    bench.settle(rounds=300)
    turned = {
        action.slot for action in bench.applied if isinstance(action, SetManagementMode)
    }  # with consent of its own
    gone = {str(name) for name in before if name not in bench.model.storage.volumes and name.slot not in turned}
    approved = {
        f"{item['pool']}/{name}" for pools in witness.approved.values() for item in pools for name in item["volumes"]
    }
    assert gone <= approved
    for item in list(bench.store.objects.values()):
        if item.deleting:
            assert item.leaving, f"{item.ref} should be gone"
            told = next(found for found in item.status["conditions"] if found["type"] == "Ready")
            assert told["status"] == "False"
            assert "deletionPolicy: Retain" in told["message"]
            bench.store.change(item.ref, lambda spec: spec.update(deletionPolicy="Retain"))
    for _ in range(2):  # stamped nodes go after their Chassis
        finish(bench.departures.prepare(key))
    left = [item.ref for item in bench.store.objects.values() if item.deleting]
    assert left == []


@FEWER
@given(deletions())
def test_without_consent_nothing_is_destroyed_and_nothing_that_runs_loses_anything(
    found: tuple[Bench, Witness],
) -> None:
    bench, witness = found
    risky: list[Step] = []
    before_action = bench.before_action

    def look(bench: Bench, step: Step) -> None:
        before_action(bench, step)
        if step.risk is Risk.DESTRUCTIVE and step.owners[0] not in witness.approved:
            risky.append(step)

    bench.before_action = look
    for _ in range(200):
        if not list(bench.store.list(CHASSIS)) or not bench.round():
            break
    else:
        raise AssertionError("no end")
    assert not risky or bench.chassis.spec["policy"]["destructive"] == "Allow"
