"""What holds for every rack: plans end, plans are carried out without a refusal, and nothing of somebody else's is touched."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rackwright.core.guard import servers_of
from rackwright.core.risk import Risk
from rackwright.core.step import PartKind, Step
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    Detach,
    Metadata,
)
from tests.unit.core.kit import PROPERTY, Bench, holders, running, shared
from tests.unit.core.racks import benches


class Watch:
    """Looks at every single action, before and after it took effect."""

    def __init__(self, bench: Bench) -> None:
        self.protected = frozenset(bench.chassis.spec["protectedServers"])
        self.shared = shared(bench.model)
        self.attached = dict(bench.model.storage.attachments.items())
        self.clean = {d.name for d in bench.model.storage.disks.values() if d.metadata is Metadata.NONE}
        self.steps: list[Step] = []
        bench.before_action, bench.after_action = self.before, self.after

    def before(self, bench: Bench, step: Step) -> None:
        self.attached = dict(bench.model.storage.attachments.items())
        self.clean = {d.name for d in bench.model.storage.disks.values() if d.metadata is Metadata.NONE}
        assert not servers_of(step.action) & self.protected
        if isinstance(step.action, Detach) and step.risk is not Risk.DESTRUCTIVE:
            assert not set(step.action.servers) & running(bench.model), (
                "only what is off may be detached from without consent"
            )
        if isinstance(step.action, SetPower) and step.action.power is Power.ON:
            of_it = [what for vdisk, what in self.attached.items() if vdisk.server == step.action.server]
            for what in of_it:
                assert holders(self.attached, what) == {step.action.server}, f"{step.action} while others have {what}"

    def after(self, bench: Bench, step: Step) -> None:
        self.steps.append(step)
        now = dict(bench.model.storage.attachments.items())
        changed = {vdisk for vdisk in {*now, *self.attached} if now.get(vdisk) != self.attached.get(vdisk)}
        expected = {part.key for part in step.solves if part.kind in (PartKind.ATTACHMENT, PartKind.FREE)}
        assert changed <= expected, "a range reached further than what was planned"
        if isinstance(step.action, Attach | AttachRange | Detach):
            assert changed == expected
        newly = {
            what: servers
            for what, servers in shared(bench.model).items()
            if not servers <= self.shared.get(what, set())
        }
        assert not newly, f"{step.action} gave {newly} two owners"
        cleared = {d.name for d in bench.model.storage.disks.values() if d.metadata is Metadata.NONE} - self.clean
        assert cleared <= (set(step.action.disks) if isinstance(step.action, ClearMetadata) else set())


@PROPERTY
@given(benches(), st.randoms(use_true_random=False))
def test_a_plan_is_carried_out_without_refusal_in_any_order_of_a_stage_and_ends(
    bench: Bench, chance: random.Random
) -> None:
    Watch(bench)

    def shuffled(steps: Sequence[Step]) -> Sequence[Step]:
        return chance.sample(list(steps), len(steps))

    last = bench.settle(shuffled)
    assert last.verdict.allowed == ()
    again = bench.decide()
    assert (again.differences, again.stages, again.problems) == (last.differences, last.stages, last.problems)
