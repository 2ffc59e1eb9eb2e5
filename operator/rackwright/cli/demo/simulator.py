"""The simulated chassis as the demo uses it: its counters and tables for the truth, its command line to break things."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from rackwright.cli.demo.errors import DemoError
from rackwright_sim.startfile import Start

WRITES = ("configuration", "answer")  # classes of commands that change something, or say yes to it


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in over SSH, counted by the chassis."""

    commands: Mapping[str, int]
    round_trips: int
    by_words: Mapping[str, int]  # those that configure

    @property
    def total(self) -> int:
        """Commands of every class."""
        return sum(self.commands.values())

    @property
    def configuration(self) -> int:
        """Commands that change the chassis."""
        return self.commands["configuration"]

    @property
    def writes(self) -> int:
        """Commands that change the chassis, with the answers to their questions."""
        return sum(self.commands[name] for name in WRITES)


class Simulator:
    """A client of the control face; an async context manager."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Simulator":
        self._session = aiohttp.ClientSession(self._base, timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def _get(self, path: str) -> Any:
        assert self._session is not None
        try:
            async with self._session.get(path) as response:
                return orjson.loads(await response.read())
        except aiohttp.ClientError as error:
            raise DemoError(f"The simulated chassis does not answer: {error}. Its log says why.") from error

    async def counts(self) -> Counts:
        """The counters."""
        data = await self._get("/counters")
        return Counts(data["commands"], data["round_trips"], data["configuration"])

    async def state(self) -> Start:
        """All tables."""
        return Start.model_validate(await self._get("/state"))

    async def lines(self) -> tuple[str, ...]:
        """Every line that came in over SSH, oldest first."""
        return tuple(entry["text"] for entry in await self._get("/log"))

    async def type(self, *lines: str) -> str:
        """Type lines at the chassis' own command line, as another operator; the transcript. DemoError where one is refused."""
        assert self._session is not None
        async with self._session.post("/cli", data=orjson.dumps({"commands": lines})) as response:
            answer = orjson.loads(await response.read())
        transcript = str(answer.get("transcript", answer.get("error", "")))
        refused = next((line for line in transcript.splitlines() if line.startswith("% ")), None)
        if refused or response.status != 200:
            raise DemoError(f"The simulated chassis refused {lines[-1]!r}: {refused or transcript}")
        return transcript
