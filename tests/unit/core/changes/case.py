"""One change by a person: what is edited, and what must follow. And the rendering of outcomes that tables compare with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rackwright.core.step import Decision, Step
from tests.unit.core.changes.fields import Edit

FEW = 3  # so many of a kind are listed by name; more are counted


@dataclass(frozen=True)
class Case:
    """A change and what must follow: a `plan`, being `refused`, or `nothing` on the device with the reason why that is right.

    `plan` has the stages as `stages_of` renders them, `held` why the guard holds something of the first one before anybody
    approved anything. `refused` are words of the sentence with which the object is refused. `ends` are the objects that
    are not InSync afterwards, and `says` words of what one of them says. `accepts` are changed cards that a person has to
    accept before anything touches them. `more` is how many things are reported as undeclared in addition, `nodes` which
    ComputeNodes came and went. `stays` says why nothing carries out the plan, `refusal` what the device says to it. `to` is
    another object than the table's, and `also` are edits of others. `long` is a plan of too many rounds for the golden rack.
    """

    name: str
    edits: Edit | tuple[Edit, ...]
    plan: Sequence[Sequence[str]] = ()
    held: str = ""
    refused: str = ""
    nothing: str = ""
    accepts: Sequence[str] = ()
    ends: Sequence[str] = ()
    says: str = ""
    more: int = 0
    nodes: Sequence[str] = ()
    stays: str = ""
    refusal: str = ""
    to: str = ""
    also: Mapping[str, Edit] = field(default_factory=dict)
    long: bool = False

    def __post_init__(self) -> None:
        assert [bool(self.plan), bool(self.refused), bool(self.nothing)].count(True) == 1, self.name
        assert bool(self.says) == bool(self.ends), self.name

    @property
    def all_edits(self) -> tuple[Edit, ...]:
        """The edits, in order."""
        return self.edits if isinstance(self.edits, tuple) else (self.edits,)


def stages_of(decision: Decision) -> list[list[str]]:
    """The planned stages as `SetPort 0/0 nic 1: Safe`, and as `63 SetPort: Safe` where they are more than a few."""
    return [_lines(stage) for stage in decision.stages]


def _lines(steps: Sequence[Step]) -> list[str]:
    return few((f"{step.name}: {step.risk.word}", f"{step.name} {step.target}: {step.risk.word}") for step in steps)


def few(items: Iterable[tuple[str, str]]) -> list[str]:
    """Of pairs of a group and a line: the lines, or the group with a number where it has more than a few."""
    pairs = list(items)
    many = Counter(group for group, _ in pairs)
    return list(dict.fromkeys(line if many[group] <= FEW else f"{many[group]} {group}" for group, line in pairs))


def held_of(decision: Decision) -> str:
    """Why the guard holds something of the current stage; empty where it holds nothing."""
    return ", ".join(sorted({str(item.reason) for item in decision.verdict.held}))
