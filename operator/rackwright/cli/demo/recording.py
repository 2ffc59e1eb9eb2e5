"""A recording of the demo: moments of a run as rich records them, in one SVG that goes from one to the next by itself."""

import asyncio
import io
import re
from collections.abc import Callable, Sequence

from rich.console import Console

from rackwright.cli.demo.board import FILLED
from rackwright.cli.demo.live import Drift, frame
from rackwright.cli.demo.scene import Scene
from rackwright.cli.demo.view import COLUMNS, ROWS, Frame
from rackwright.core.resource import CHASSIS, STORAGE_POOL

SAMPLE_SECONDS = 0.25
SHOWN_SECONDS = 4  # how long each moment stays
TITLE = "make demo"
_PARTS = "{styles}\0{backgrounds}\0<g class='{unique_id}-matrix'>{matrix}</g>\0{chrome}\0{width}\0{height}"
_PICTURE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}">
<style>
text {{ font: 20px ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; white-space: pre }}
.moment {{ visibility: hidden; animation: moment {cycle}s step-end infinite }}
.moment.still {{ visibility: visible }}
@keyframes moment {{ 0% {{ visibility: visible }} {share}% {{ visibility: hidden }} 100% {{ visibility: hidden }} }}
@media (prefers-reduced-motion: reduce) {{ .moment {{ animation: none }} }}
{styles}
</style>
{chrome}
<g transform="translate(9, 41)">
{moments}
</g>
</svg>
"""


class Recorder:
    """Takes frames of a run until it is cancelled."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    async def run(self, scene: Scene) -> None:
        """One frame after the other."""
        drift = Drift()
        while True:
            self.frames.append(await frame(scene, drift))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def last(self, scene: Scene) -> None:
        """The frame in which it ends: what drifted a moment ago no longer counts."""
        self.frames.append(await frame(scene, Drift()))


def moments(frames: Sequence[Frame]) -> list[Frame]:
    """What a person should have seen, in the order of time; what did not happen is left out.

    The Chassis asks for all that it will, pools ask, the build, rest, a drift, a node that is held, the end.
    """
    rest = next((number for number, shown in enumerate(frames) if _at_rest(shown)), len(frames))
    building, after = frames[:rest], frames[rest:]
    chosen = [
        _first(building[::-1], lambda shown: _asks(shown, CHASSIS)),
        _first(building, lambda shown: _asks(shown, STORAGE_POOL)),
        max(building, key=_half_built, default=None),
        _first(after, _at_rest),
        _first(after, lambda shown: bool(shown.drifted)),
        _first(after, lambda shown: bool(shown.board.held)),
        frames[-1] if frames else None,
    ]
    distinct = {id(shown): shown for shown in chosen if shown is not None}
    return sorted(distinct.values(), key=lambda shown: shown.seconds)


def _first(frames: Sequence[Frame], holds: Callable[[Frame], bool]) -> Frame | None:
    return next((shown for shown in frames if holds(shown)), None)


def _asks(shown: Frame, kind: str) -> bool:
    return any(item.asking for item in shown.objects if item.ref.kind == kind)


def _at_rest(shown: Frame) -> bool:
    ours = [item for item in shown.objects if not item.not_reconciled]
    nodes = sum(item.server is not None for item in ours)
    return nodes == len(shown.asked.servers) and all(item.ready for item in ours)


def _half_built(shown: Frame) -> int:
    """The more servers run and the more still wait, the higher."""
    marks = list(shown.board.marks().values())
    filled, running = marks.count(FILLED), len(shown.picture.running)
    return len(marks) * min(filled, running) + filled


def picture(shown: Sequence[Frame]) -> str:
    """The frames as one SVG. Where nothing moves, the one in the middle is to be seen."""
    parts = [_exported(one, f"m{number}") for number, one in enumerate(shown)]
    groups = []
    for number, (_, backgrounds, text, *_) in enumerate(parts):
        delay = (number - len(parts)) * SHOWN_SECONDS  # in the past: each is on its way from the beginning
        still = " still" if number == len(parts) // 2 else ""
        groups.append(f'<g class="moment{still}" style="animation-delay: {delay}s">{backgrounds}{text}</g>')
    *_, chrome, width, height = parts[0]
    return _PICTURE.format(
        title="A recording of the demo: a rack of 64 servers builds and heals itself",
        width=width,
        height=height,
        cycle=len(parts) * SHOWN_SECONDS,
        share=f"{100 / len(parts):.3f}",
        styles="\n".join(styles for styles, *_ in parts),
        chrome=chrome,
        moments="\n".join(groups),
    )


def _exported(shown: Frame, name: str) -> list[str]:
    """Styles, backgrounds, text, window, width and height of one frame, as rich's own recording gives them."""
    console = Console(
        record=True, file=io.StringIO(), width=COLUMNS, height=ROWS, force_terminal=True, color_system="truecolor"
    )
    console.print(shown, end="")
    svg = console.export_svg(title=TITLE, code_format=_PARTS, unique_id=name)
    return re.sub(r' clip-path="url\([^)]*\)"', "", svg).split("\0")  # no line is longer than the terminal is wide
