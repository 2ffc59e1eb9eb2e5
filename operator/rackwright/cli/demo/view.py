"""The live view: one frame as text for a terminal of 80 columns or more. Pure; every state has a letter, colour only helps."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from rackwright.cli.demo.asked import ROOT_VDISK, Asked
from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.journal import Sent
from rackwright.cli.demo.report import Object, count
from rackwright.cli.demo.tell import Line
from rackwright.core.resource import COMPUTE_NODE
from rackwright_drivers.contract.storage import PoolId, VolumeId

CARDS, ACROSS = 64, 8
BAR = 22
GRID_WIDTH = 22
JOURNAL_ROWS = 3
TIME_WIDTH = 8
FIXED_ROWS = 1 + (ACROSS + 3) + 1 + 1 + JOURNAL_ROWS  # all but the story
OFF, RUNNING, PROTECTED, DRIFTED, ABSENT = ".", "o", "P", "!", " "
STYLES = {OFF: "dim", RUNNING: "green", PROTECTED: "bold blue", DRIFTED: "bold reverse red", ABSENT: ""}
READY_STYLES = {"True": "green", "False": "yellow"}


@dataclass(frozen=True)
class Frame:
    """What one frame shows. `drifted` are servers; `lines` are the story so far, `journal` its latest entries."""

    seconds: float
    asked: Asked
    picture: Picture
    objects: Sequence[Object]
    drifted: frozenset[str]
    lines: Sequence[Line]
    journal: Sequence[Sent]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich wants it: exactly as high and wide as there is room."""
        width, height = options.max_width, options.height or console.height
        minutes, seconds = divmod(int(self.seconds), 60)
        yield _titled(f"Rackwright: one simulated chassis of {CARDS} servers, {minutes}:{seconds:02d}")
        body = Table.grid(padding=(0, 2))
        body.add_column(width=GRID_WIDTH)
        body.add_column(ratio=1)
        body.add_row(Text("\n").join(self._grid()), Text("\n").join(self._state()))
        yield body
        yield _titled("what happens")
        yield from self._story(console, width, max(3, height - FIXED_ROWS))
        yield _titled("what the operator sends to the chassis")
        yield from self._journal(width)

    def marks(self) -> Mapping[str, str]:
        """The letter of every server."""
        marks = {}
        for card in range(CARDS):
            server = f"{card}/0"
            if server in self.asked.protected:
                marks[server] = PROTECTED
            elif server not in self.asked.servers:
                marks[server] = ABSENT
            elif server in self.drifted:
                marks[server] = DRIFTED
            else:
                marks[server] = RUNNING if server in self.picture.running else OFF
        return marks

    def _grid(self) -> Iterator[Text]:
        marks = self.marks()
        yield Text("card " + " ".join(str(number) for number in range(ACROSS)), "dim")
        for first in range(0, CARDS, ACROSS):
            row = Text().append(f"{first:>3}+ ", "dim")
            for card in range(first, first + ACROSS):
                mark = marks[f"{card}/0"]
                row.append(mark, STYLES[mark])
                row.append(" ")
            yield row
        yield Text(f"{OFF} off        {RUNNING} running", "dim")
        yield Text(f"{PROTECTED} protected  {DRIFTED} drifted", "dim")

    def _state(self) -> Iterator[Text]:
        for item in self.objects:
            if item.ref.kind != COMPUTE_NODE:
                ready = item.condition("Ready")
                line = Text(f"{item.ref!s:<18}")
                line.append(f"{ready.get('reason', 'new'):<18}", READY_STYLES.get(ready.get("status", ""), "dim"))
                yield line.append(str(item.status.get("summary", "")), "dim")
        nodes = count(self.objects)[COMPUTE_NODE]
        yield Text(f"{'ComputeNodes':<18}").append(
            f"ChassisReady {nodes.ready}/{nodes.total}",
            "green" if nodes.total and nodes.ready == nodes.total else "yellow",
        )
        yield Text(f"{'NICs':<20}").append_text(_bar(self.picture.ports_right(self.asked), len(self.asked.ports)))
        for pool, disk in self.asked.pools.items():
            yield self._pool(pool, disk)

    def _pool(self, pool: PoolId, disk: str) -> Text:
        line = Text(f"{pool.name:<11}{disk:<9}")
        if pool not in self.picture.pools:
            return line.append("not made yet", "dim")
        used = sum(
            vdisk == ROOT_VDISK and VolumeId.parse(volume).pool_id == pool
            for (_, vdisk), volume in self.picture.attachments.items()
            if volume.count("/") == 2
        )
        return line.append_text(_bar(used, self.asked.per_pool))

    def _story(self, console: Console, width: int, rows: int) -> Iterable[Text]:
        shown: list[Text] = []
        for line in self.lines:
            time = f"{line.seconds:{TIME_WIDTH - 2}.1f}  "
            for text in Text(line.text, line.style).wrap(console, width - TIME_WIDTH):
                shown.append(Text().append(time, "dim").append_text(text))
                time = " " * TIME_WIDTH
        shown = shown[-rows:]
        return [*shown, *[Text("")] * (rows - len(shown))]

    def _journal(self, width: int) -> Iterable[Text]:
        rows = [Text("")] * (JOURNAL_ROWS - len(self.journal))
        for entry in self.journal[-JOURNAL_ROWS:]:
            line = Text().append(f"{entry.time:<{TIME_WIDTH}}  ", "dim").append(entry.command)
            line.append(f"  {entry.why}", "dim")
            line.truncate(width, overflow="ellipsis")
            rows.append(line)
        return rows


def _bar(done: int, total: int) -> Text:
    full = BAR * done // max(1, total)
    bar = Text().append("#" * full, "cyan").append("-" * (BAR - full), "dim")
    return bar.append(f" {done}/{total}", "dim")


def _titled(title: str) -> Rule:
    return Rule(Text(title, "bold"), align="left", style="dim")
