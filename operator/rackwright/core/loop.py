"""The loop, written once for every kind: observe, plan, guard, apply, verify, until nothing more may be done.

What is looped over is a `Target`: one management endpoint and the objects on it. The loop never repeats an action
without an observation between, never acts on an old observation, and re-reads just before anything destructive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from rackwright.core.risk import Risk, hinges_on_power
from rackwright.core.step import Decision, Step
from rackwright_drivers.contract.chassis import ActionResult, Outcome
from rackwright_drivers.contract.errors import DriverError, TransientError

StateT = TypeVar("StateT")

MOST_ROUNDS = 200  # a plan of a whole rack takes about ten; one server a round takes one a server
PATIENCE = 3  # observations that may show no effect of what the device accepted, before it is an error


class Target(Protocol[StateT]):
    """One endpoint: what the loop asks of it."""

    async def observe(self) -> StateT:
        """Read everything, change nothing."""

    def decide(self, state: StateT) -> Decision:
        """Plan and guard, purely."""

    async def settle(self) -> bool:
        """Wait until what another process did just before this one began shows; False where that is long past."""

    async def record_consent(self, decision: Decision) -> None:
        """Note durably which consent is being used, before anything that needed it is done."""

    async def execute(self, steps: Sequence[Step]) -> tuple[ActionResult, ...]:
        """Do these in order, one round trip where the device can."""

    @property
    def max_batch(self) -> int:
        """How many steps one call of `execute` may hold."""

    async def progress(self, decision: Decision) -> None:
        """Called once a round, so that a person can watch."""


@dataclass
class Pass(Generic[StateT]):
    """What one run of the loop came to. `error` is why it stopped early, if it did; everything before it is here too."""

    state: StateT | None = None
    decision: Decision | None = None
    applied: tuple[tuple[Step, ActionResult], ...] = ()
    error: DriverError | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was sent that may have changed the device."""
        return any(result.outcome in (Outcome.DONE, Outcome.UNCLEAR) for _, result in self.applied)


async def run(target: Target[StateT]) -> Pass[StateT]:
    """Bring a target as far as policy and facts allow. Never raises a DriverError: it is in the result."""
    result: Pass[StateT] = Pass()
    futile = 0
    try:
        for _ in range(MOST_ROUNDS):
            before = result.decision
            result.state = await target.observe()
            result.decision = target.decide(result.state)
            await target.progress(result.decision)
            allowed = result.decision.verdict.allowed
            if not allowed and not result.decision.verdict.granted:
                return result
            if await target.settle():
                result.decision = before  # it was looked at too early to act on
                continue
            if not allowed:  # what was consented to is no action: the next look goes by it
                await target.record_consent(result.decision)
                continue
            futile = futile + 1 if before is not None and before.verdict.allowed == allowed else 0
            if futile >= PATIENCE:
                raise TransientError(_futile(allowed))
            await target.record_consent(result.decision)
            await _apply(target, result, allowed)
        raise TransientError(f"not done after {MOST_ROUNDS} rounds; it goes on at the next look")
    except DriverError as error:
        result.error = error
    return result


def _futile(steps: Sequence[Step]) -> str:
    step = steps[0]
    return (
        f"{step.target}: the device accepted {step.name} {PATIENCE} times and still shows the old state ({step.reason}). "
        "Look at the device, or raise spec.limits.settleSeconds if it is slow to show changes."
    )


async def _apply(target: Target[StateT], result: Pass[StateT], allowed: Sequence[Step]) -> None:
    """One stage: safe steps in batches, a destructive one alone; and only if a fresh look still calls for it."""
    pending = list(allowed)
    acted = False
    while pending:
        batch = _batch(pending, target.max_batch)
        del pending[: len(batch)]
        if _wants_fresh_look(batch, acted) and not await _still_due(target, batch):
            return  # the facts changed under us: back to a full round
        acted = True
        results = await target.execute(batch)
        result.applied = (*result.applied, *zip(batch, results, strict=True))
        failed = next((item for item in results if item.outcome is not Outcome.DONE), None)
        if failed is not None:
            raise failed.error or TransientError(f"{failed.action}: {failed.outcome}")


def _batch(pending: Sequence[Step], most: int) -> list[Step]:
    """The next steps of one kind that may go together."""
    batch = [pending[0]]
    if batch[0].risk is Risk.DESTRUCTIVE:
        return batch
    for step in pending[1:most]:
        if step.risk is Risk.DESTRUCTIVE or step.name != batch[0].name:
            break
        batch.append(step)
    return batch


def _wants_fresh_look(batch: Sequence[Step], acted: bool) -> bool:
    """Consent was written down, or other actions took their time, since the last look."""
    return batch[0].risk is Risk.DESTRUCTIVE or (acted and any(hinges_on_power(step.action) for step in batch))


async def _still_due(target: Target[StateT], batch: Sequence[Step]) -> bool:
    """Look again, just before: are these very steps, on these very serials, still planned and allowed?"""
    allowed = target.decide(await target.observe()).verdict.allowed
    return all(step in allowed for step in batch)
