"""Keeps the live view up to date: looks at the chassis and at the objects twice a second, as any onlooker could."""

import asyncio
from collections.abc import Mapping

from rich.console import Console
from rich.live import Live

from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.journal import gist
from rackwright.cli.demo.report import Object
from rackwright.cli.demo.scene import Scene
from rackwright.cli.demo.view import COLUMNS, ROWS, Frame
from rackwright.core.resource import Ref

FRAME_SECONDS = 0.5
JOURNAL_ENTRIES = 40
SHOWN_SECONDS = 2.0  # how long a drift stays marked that came and went between two frames


class Drift:
    """Which servers to mark as drifted: those that were as declared once, and are not now or were not a moment ago."""

    def __init__(self) -> None:
        self._known: dict[Ref, tuple[object, ...]] = {}
        self._until: dict[str, float] = {}

    def look(self, objects: Mapping[Ref, Object], now: float) -> frozenset[str]:
        """The servers, `now` in seconds of any clock that goes on."""
        for ref, item in objects.items():
            known = self._known.get(ref)
            if item.server is None or (known is None and not item.ready):
                continue
            if known is not None and (known != item.drift_mark or not item.ready):
                self._until[item.server] = now + SHOWN_SECONDS
            self._known[ref] = item.drift_mark
        return frozenset(server for server, until in self._until.items() if until > now)


def fits(console: Console) -> bool:
    """Whether a terminal can show it: one that moves its cursor and is large enough. Elsewhere lines are printed."""
    return console.is_terminal and not console.is_dumb_terminal and console.width >= COLUMNS and console.height >= ROWS


async def show(scene: Scene, console: Console) -> None:
    """Show it until cancelled."""
    drift = Drift()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(await frame(scene, drift), refresh=True)
            await asyncio.sleep(FRAME_SECONDS)


async def frame(scene: Scene, drift: Drift) -> Frame:
    """The rack and the story as they are now."""
    objects = await scene.side.objects()
    return Frame(
        seconds=scene.tell.seconds,
        asked=scene.asked,
        picture=Picture.of(await scene.simulator.state()),
        objects=sorted(objects.values(), key=lambda item: item.ref),
        drifted=drift.look(objects, scene.tell.seconds),
        lines=tuple(scene.tell.lines),
        journal=gist(scene.side.journal(JOURNAL_ENTRIES)),
        faults=tuple(scene.report.faults),
    )
