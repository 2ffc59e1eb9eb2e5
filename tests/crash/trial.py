"""One trial: the operator's life is cut short, another one begins, and everything that must hold is looked at."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rackwright_sim.faults import Moment
from tests.crash.operator_process import KILLED, Operator
from tests.crash.proof import Witness, effects, repeated, unmet
from tests.crash.rack import DONE, Rack

OWNERS = ("Chassis/sm15k-01", "StoragePool/root")  # of what is destructive in the build: one plan each


@dataclass
class Reaper:
    """Kills an operator at a line that reaches the chassis; what it had sent beyond that line is lost.

    `fatal` is the number of the line, or how it begins; `moment` is `before` its effect, or `after` it with no reply sent.
    With `haunt` the chassis does not notice the death for a while: what was sent is taken up when `haunt` is set.
    """

    operator: Operator
    fatal: int | str
    moment: Moment
    haunt: asyncio.Event | None = None
    at_death: Callable[[], None] = lambda: None
    lines: int = 0
    done: bool = False

    async def __call__(self, line: str, moment: Moment) -> None:
        """As the simulator's watcher."""
        if self.done:
            return
        self.lines += moment == "before"
        hit = line.startswith(self.fatal) if isinstance(self.fatal, str) else self.lines == self.fatal
        if hit and moment == self.moment:
            self.done = True
            self.at_death()
            self.operator.kill()
            await self._linger()

    async def _linger(self) -> None:
        if self.haunt is None:
            await asyncio.Event().wait()  # until the chassis sees that the connection is gone, and gives the session up
            return
        while not self.haunt.is_set():
            with suppress(asyncio.CancelledError):  # the chassis sees it, and works off what it has got all the same
                await self.haunt.wait()


async def life(rack: Rack, fatal: int | str, moment: Moment, **more: Any) -> int:
    """A life that ends at a line, or before it by itself; its exit status. `more` is the Reaper's."""
    operator = rack.operator("apply")
    rack.server.faults.watcher = Reaper(operator, fatal, moment, **more)
    status = await operator.ended()
    rack.server.faults.watcher = None
    return status


async def life_until(rack: Rack, fatal: int | str, moment: Moment, **more: Any) -> None:
    """A life that ends at a line and nowhere else."""
    status = await life(rack, fatal, moment, **more)
    assert status == KILLED, f"it ended by itself with status {status} before {fatal}\n{rack.output}"


def whole(rack: Rack) -> None:
    """State files and journal can be read, whatever moment it was."""
    rack.records()
    rack.journal()


async def converges(rack: Rack, witness: Witness, consents: int) -> None:
    """The next life, undisturbed, brings the build to its end, and over all lives nothing went wrong."""
    whole(rack)
    assert await rack.apply() == DONE, rack.output
    log = list(rack.server.log)
    sent = "\n".join(f"{entry.session} {entry.text} {entry.outcome} {entry.detail}" for entry in log)
    assert unmet(rack.server.model) == [], sent
    assert witness.offences == [], sent
    assert repeated(log) == [], sent
    done = effects(log)
    assert len(done) == len(set(done)), sent
    whole(rack)
    used = {str(ref): record["status"].get("consentsUsed", 0) for ref, record in rack.records().items()}
    assert {owner: used[owner] for owner in OWNERS} == dict.fromkeys(OWNERS, consents), rack.output
    assert rack.awaiting() == []
