"""An event loop on a virtual clock: whoever waits for time waits for none of ours, and what would wait for ever fails.

With a `grace` (in real seconds) sockets of this machine work too: while they are in use they are given that long to bring
something before the clock is put forward. What would run in a thread runs in the loop, so that no clock runs ahead of it.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
CONVERSATION = 3  # after so many polls that brought nothing nobody is talking, and none is waited for


class _Skipping(selectors.DefaultSelector):
    """Where a loop would sleep, its clock is put forward instead."""

    loop: "VirtualLoop"
    _quiet = 0  # polls in a row that brought nothing

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout != 0 and self.loop.grace and self._quiet < CONVERSATION:
            events = super().select(self.loop.grace)
        if timeout != 0:
            self._quiet = 0 if events else self._quiet + 1
        if not events and timeout is None:
            raise AssertionError("everybody waits for what will never happen")
        if not events and timeout is not None and timeout > 0:
            self.loop.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """`now` is its time in seconds, from 0."""

    def __init__(self, grace: float = 0.0) -> None:
        self.now = 0.0
        self.grace = grace
        selector = _Skipping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def run_in_executor(  # type: ignore[override]  # the same for everybody who calls it
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def virtually(main: Coroutine[Any, Any, T], grace: float = 0.0) -> T:
    """The result of a coroutine, on a clock that waits for nobody."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(grace)) as runner:
        return runner.run(main)


def now() -> float:
    """The virtual time."""
    return asyncio.get_running_loop().time()
