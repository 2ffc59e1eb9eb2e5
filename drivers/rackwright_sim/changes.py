"""What every part of the model shares: telling listeners of a change, and a command cut short half way (a fault)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rackwright_sim.refusals import Interrupted

T = TypeVar("T")


class Changes:
    """Listeners are called after every command that may have changed something, also one that ended half way."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[], None]] = []
        self._budget: int | None = None

    @contextmanager
    def change(self) -> Iterator[None]:
        """Around the part of a command that takes effect."""
        try:
            yield
        finally:
            for listener in self.listeners:
                listener()

    def units(self, items: Sequence[T]) -> Iterator[T]:
        """The parts of a command one by one; raises Interrupted where a fault cuts it short."""
        for done, item in enumerate(items):
            if self._budget is not None and done >= self._budget:
                raise Interrupted(done, len(items))
            yield item

    @contextmanager
    def cut_after(self, units: int) -> Iterator[None]:
        """Within it, a command of many parts does only the first `units` of them and raises Interrupted."""
        self._budget = units
        try:
            yield
        finally:
            self._budget = None
