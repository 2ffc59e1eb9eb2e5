"""Every way in which a build is cut short by SIGKILL, as data: at every line that reaches the chassis, before its effect and
after it, and at every write of the state folder: half written, whole but not yet in place, and in place.

A line that only reads, or moves between modes, has no effect: killed before it or after it with no reply sent, operator
and chassis know and are the same. It is tried once. Without consent on record (`Allow`) there is nothing to go by but the
chassis: there the lines that have an effect are tried.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from tests.crash import dialogue
from tests.crash.operator_process import KILLED, Renames
from tests.crash.proof import Witness
from tests.crash.rack import Rack
from tests.crash.trial import converges, life_until

_NAVIGATION = ("configure ", "server id ", "nic ", "interface ", "end", "exit")
_POSITIONS = ("torn", "before", "after")
_FIRST_WRITES = (1, 2)


@dataclass(frozen=True)
class Kill:
    """At the `number`th line or write, at this moment; in a rack with its consent written down, or with none needed."""

    at: str  # line, write, or first-write: of a folder that nobody kept before
    number: int
    moment: str
    what: str
    approved: bool = True

    def __str__(self) -> str:
        word = re.sub(r"[^A-Za-z0-9./-]+", "_", self.what)
        return f"{'approved' if self.approved else 'allowed'}-{self.at}-{self.number:03d}-{self.moment}-{word}"

    @property
    def changes(self) -> bool:
        """Whether it is at something that has an effect."""
        return self.at != "line" or not self.what.startswith(("show ", *_NAVIGATION))

    @property
    def words(self) -> tuple[str, ...]:
        """The first two words of a line that has an effect."""
        return tuple(self.what.split()[:2]) if self.at == "line" and self.changes else ()


def kills() -> tuple[Kill, ...]:
    """All of them."""
    return tuple(_kills())


def share(nth: int) -> tuple[Kill, ...]:
    """Every so manieth, and the first of each kind: of the first two words of a line that has an effect, and of moment."""
    chosen: list[Kill] = []
    for place, kill in enumerate(kills()):
        known = {item.words for item in chosen}, {(item.at, item.moment) for item in chosen}
        if place % nth == 0 or kill.words not in known[0] or (kill.at, kill.moment) not in known[1]:
            chosen.append(kill)
    return tuple(chosen)


def _kills() -> Iterator[Kill]:
    lines = [Kill("line", number, "before", line) for number, line in enumerate(dialogue.lines(), 1)]
    yield from lines
    for kill in lines:
        if kill.changes:
            yield Kill("line", kill.number, "after", kill.what)
            yield Kill("line", kill.number, "before", kill.what, approved=False)
            yield Kill("line", kill.number, "after", kill.what, approved=False)
    for position in _POSITIONS:
        for number, name in enumerate(dialogue.writes(), 1):
            yield Kill("write", number, position, name)
        for number in _FIRST_WRITES:
            yield Kill("first-write", number, position, "identity", approved=False)


async def trial(kill: Kill, rack: Rack) -> None:
    """The operator dies there, and the next one brings the build to its end with nothing lost and nothing done twice.

    What was consented to and not done is done without being asked for again; what was done is not, and its consent ends.
    """
    if kill.at == "first-write":
        shutil.rmtree(rack.state)
    witness = Witness(rack.server.model)
    if kill.at == "line":
        await life_until(rack, kill.number, "before" if kill.moment == "before" else "after")
    else:
        fate = Renames(rack.folder / "diary.txt", kill.number, kill.moment)
        assert await rack.operator("apply", renames=fate).ended() == KILLED, rack.output
    await converges(rack, witness, consents=1 if kill.approved else 0)
