"""A chassis as the loop's target: its endpoint below, its objects above."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from rackwright.core.chassis.decide import decide
from rackwright.core.chassis.inputs import Inputs, rules_of
from rackwright.core.chassis.returns import Recall
from rackwright.core.endpoints import Endpoint
from rackwright.core.step import Decision, Step
from rackwright_drivers.contract.chassis import ActionResult, ChassisState


@dataclass
class ChassisTarget:
    """One pass over one chassis. `refresh` gives the objects as they are after an observation (stamping may change them)."""

    endpoint: Endpoint
    inputs: Inputs
    refresh: Callable[[ChassisState], Awaitable[Inputs]]
    consent: Callable[[ChassisState, Decision], Awaitable[None]]
    report: Callable[[ChassisState, Decision], Awaitable[None]]
    recall: Recall
    state: ChassisState | None = None
    looked_at: float = 0.0  # when the last look began, by the event loop

    async def observe(self) -> ChassisState:
        """Read the chassis, then take the objects as they are now: a person may have changed them meanwhile."""
        context = self.endpoint.context
        context.object, context.purpose, context.why = str(self.inputs.rack.ref), "observe", "a look at the device"
        self.looked_at = asyncio.get_running_loop().time()
        self.state = state = await self.endpoint.driver.observe()
        self.inputs = await self.refresh(state)
        return state

    def decide(self, state: ChassisState) -> Decision:
        """Plan and guard. What keeps coming back is counted first, and held where it came back too often."""
        rack, rules = self.inputs.rack, rules_of(self.inputs.rack, self.endpoint.driver.actions)
        decision = decide(rack, state, rules)
        self.recall.notice(rack, decision)
        stubborn = self.recall.stubborn(rack, decision)
        return decide(rack, state, replace(rules, stubborn=stubborn)) if stubborn else decision

    async def settle(self) -> bool:
        """A process that was killed may have left commands behind that the chassis does not show yet."""
        quiet_from = self.endpoint.quiet_from
        if self.looked_at >= quiet_from:
            return False
        await asyncio.sleep(quiet_from - asyncio.get_running_loop().time())
        return True

    async def record_consent(self, decision: Decision) -> None:
        """Durably, before the first command that needed it."""
        if decision.verdict.granted:
            assert self.state is not None  # the loop observes before it decides
            await self.consent(self.state, decision)

    async def execute(self, steps: Sequence[Step]) -> tuple[ActionResult, ...]:
        """Send one batch; the journal learns for whom and why."""
        context = self.endpoint.context
        owners = list(dict.fromkeys(str(owner) for step in steps for owner in step.owners[:1]))
        shown = ", ".join(owners[:3]) + (f" and {len(owners) - 3} more" if len(owners) > 3 else "")
        context.object, context.purpose, context.why = shown, "apply", steps[0].reason
        return await self.endpoint.execute([step.action for step in steps])

    @property
    def max_batch(self) -> int:
        """As the driver says."""
        return self.endpoint.driver.max_batch

    async def progress(self, decision: Decision) -> None:
        """Let people see how far it is."""
        assert self.state is not None  # the loop observes before it decides
        await self.report(self.state, decision)
