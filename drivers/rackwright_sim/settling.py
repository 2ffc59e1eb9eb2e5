"""Values that a read shows only after a settling time, as the chassis does for power and assignments."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Settling(Generic[K, V]):
    """A mapping whose truth changes at once and whose shown values follow `seconds` later by `clock`.

    Rules go by the truth (this object), reads by `shown()`.
    """

    def __init__(self, values: Mapping[K, V], seconds: float, clock: Callable[[], float]) -> None:
        self._values = dict(values)
        self._pending: dict[K, tuple[V | None, float]] = {}
        self._seconds = seconds
        self._clock = clock

    def __getitem__(self, key: K) -> V:
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def values(self) -> list[V]:
        """The true values."""
        return list(self._values.values())

    def items(self) -> list[tuple[K, V]]:
        """The true pairs."""
        return list(self._values.items())

    def put(self, key: K, value: V) -> None:
        """Set one value; a value that is already so is no change."""
        if self._values.get(key) != value:
            self._remember(key)
            self._values[key] = value

    def drop(self, key: K) -> None:
        """Take one value away; KeyError where there is none."""
        self._remember(key)
        del self._values[key]

    def shown(self) -> dict[K, V]:
        """What a read shows now: the old value of whatever has not settled yet."""
        now = self._clock()
        self._pending = {key: (old, until) for key, (old, until) in self._pending.items() if until > now}
        shown = dict(self._values)
        for key, (old, _) in self._pending.items():
            if old is None:
                shown.pop(key, None)
            else:
                shown[key] = old
        return shown

    def _remember(self, key: K) -> None:
        if self._seconds <= 0:
            return
        now = self._clock()
        old, until = self._pending.get(key, (None, now))
        # A value that changes again before it settled goes on showing what was shown before the first change.
        self._pending[key] = (old if until > now else self._values.get(key), now + self._seconds)
