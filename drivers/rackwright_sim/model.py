"""The simulated chassis: one model with the device's rules and quirks, pure and synchronous; both faces stand on it."""

import time
from collections.abc import Callable
from pathlib import Path

from rackwright_sim.changes import Changes
from rackwright_sim.servers import Servers
from rackwright_sim.startfile import Start, load
from rackwright_sim.storage import Storage
from rackwright_sim.switch import Switch


class ChassisModel:
    """The hardware: `servers`, `storage`, `switch` and who it is (`about`).

    Its methods are the device's commands and raise Refusal with what the device prints. For `settle_seconds` after a
    change, reads of power and of assignments (`shown()`) go on giving the old value; `clock` gives seconds.
    """

    def __init__(
        self, start: Start, *, settle_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = start
        self.settle_seconds = settle_seconds
        self.changes = Changes()
        self.about = start.about
        self.servers = Servers(start.cards, self.changes, settle_seconds, clock)
        self.storage = Storage(start, self.changes, settle_seconds, clock)
        self.switch = Switch(start.switch, start.cards.servers, self.changes)

    @classmethod
    def load(
        cls,
        start: str | Path = "as-found",
        *,
        settle_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> "ChassisModel":
        """From a data file by name (`as-found`, `crowded`, `small`) or a path; PermanentError says what is wrong."""
        return cls(load(start), settle_seconds=settle_seconds, clock=clock)

    def saved(self) -> Start:
        """All of its state, as a start file that makes this chassis again."""
        changed = {
            "about": self.about,
            "cards": self.servers.saved(),
            "switch": self.switch.saved(),
            **self.storage.saved(),
        }
        return self._start.model_copy(update=changed)
