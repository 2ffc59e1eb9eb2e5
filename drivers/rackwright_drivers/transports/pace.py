"""Spacing of what is sent to a management plane: a token bucket that every transport shares with its own tests."""

import asyncio
from collections.abc import Awaitable, Callable


class Pace:
    """A token bucket: `rate` tokens a second, at most one second's worth (and never less than one) saved up.

    A batch larger than the bucket waits for a full one and then leaves it in debt, so that it can go in one piece and
    the mean rate still holds.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = lambda: asyncio.get_running_loop().time(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`rate` is in tokens a second and above 0; the clock is the event loop's. `clock` and `sleep` are for tests."""
        self._rate = rate
        self._capacity = max(1.0, rate)
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._capacity
        self._filled_at: float | None = None

    async def take(self, tokens: int) -> None:
        """Wait until this many may be used, and use them."""
        self._refill()
        missing = min(float(tokens), self._capacity) - self._tokens
        if missing > 0:
            await self._sleep(missing / self._rate)
            self._refill()
        self._tokens -= tokens

    def _refill(self) -> None:
        now = self._clock()
        idle = 0.0 if self._filled_at is None else now - self._filled_at
        self._tokens = min(self._capacity, self._tokens + idle * self._rate)
        self._filled_at = now
