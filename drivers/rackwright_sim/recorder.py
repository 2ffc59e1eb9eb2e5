"""What the device saw: counters and a log of commands, kept by the simulator so that nobody has to trust a client."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from rackwright_sim.commands import Kind

LOG_ENTRIES = 20_000


@dataclass(slots=True)
class Counters:
    """`commands` by class; `configuration` those typed that configure, by their words: answers are no commands of their own.

    `round_trips` are bursts of complete lines that came in after output had gone out.
    """

    commands: Counter[Kind] = field(default_factory=Counter)
    configuration: Counter[str] = field(default_factory=Counter)
    round_trips: int = 0
    connections: int = 0
    connections_refused: int = 0
    authentications_failed: int = 0

    def as_json(self) -> dict[str, object]:
        """Plain data, every class named."""
        return {
            "commands": {kind.value: self.commands[kind] for kind in Kind},
            "configuration": dict(sorted(self.configuration.items())),
            "round_trips": self.round_trips,
            "connections": self.connections,
            "connections_refused": self.connections_refused,
            "authentications_failed": self.authentications_failed,
        }


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line that came in: when (seconds since the epoch), in which session, and what became of it.

    `outcome` is `done`, `refused` (`detail` is what was printed), `asked`, or `fault` (`detail` names it). Lines of the
    same `round_trip` came in one burst.
    """

    time: float
    session: str
    text: str
    kind: Kind
    outcome: str
    detail: str = ""
    round_trip: int = 0


class Recorder:
    """Counters and log of one chassis. The log keeps the latest `LOG_ENTRIES`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.counters = Counters()
        self.log: deque[LogEntry] = deque(maxlen=LOG_ENTRIES)

    def count(self, kind: Kind, name: str) -> None:
        """Count one line of the client under observation; `name` is that of its command."""
        self.counters.commands[kind] += 1
        if kind is Kind.CONFIGURATION:
            self.counters.configuration[name] += 1

    def note(self, session: str, text: str, kind: Kind, outcome: str, detail: str = "") -> None:
        """Log one line."""
        self.log.append(LogEntry(self._clock(), session, text, kind, outcome, detail, self.counters.round_trips))
