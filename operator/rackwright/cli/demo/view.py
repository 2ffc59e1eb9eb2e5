"""The live view: one frame as text for a terminal of 80 columns or more. Pure; every state has a letter, colour only helps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from rackwright.cli.demo.asked import Asked
from rackwright.cli.demo.board import NARROW, WIDE, Board, bar
from rackwright.cli.demo.facts import Picture
from rackwright.cli.demo.faults import HEALED, PROMISED
from rackwright.cli.demo.journal import Sent
from rackwright.cli.demo.report import FaultResult, Object, count
from rackwright.cli.demo.tell import Line
from rackwright.cli.demo.work import Work, short
from rackwright.core.resource import CHASSIS, COMPUTE_NODE

COLUMNS, ROWS = 80, 24  # what a frame needs
WIDE_COLUMNS = 124  # from here on every card shows its number
GAP = 2
NAME, REASON, SUMMARY = 15, 17, 8
TIME = 8
JOURNAL_ROWS, JOURNAL_SHARE = 3, 4  # at least so many; of the rows beyond those that are needed, one in so many
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
    faults: Sequence[FaultResult] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich wants it: exactly as high and wide as there is room, and never a line that wraps."""
        width, height = options.max_width, options.height or console.height
        body = list(self._body(width, height))
        room = max(0, height - len(body) - 2)
        journal = min(room // 2, JOURNAL_ROWS + max(0, height - ROWS) // JOURNAL_SHARE)
        shown = [*body, _titled(f"what happens: {self._faults()}", width)]
        shown += self._story(console, width, room - journal)
        shown += [_titled("what the operator sends to the chassis", width), *self._journal(journal)]
        for line in shown[:height]:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
            yield line

    @property
    def board(self) -> Board:
        """The cards."""
        held = frozenset(item.server for item in self.objects if item.server and item.asking)
        return Board(self.asked, self.picture, self.drifted, held)

    def _body(self, width: int, height: int) -> Iterator[Text]:
        """The rack on the left, objects and work on the right."""
        nodes = count(self.objects)[COMPUTE_NODE]
        name = next((item.ref.name for item in self.objects if item.ref.kind == CHASSIS), "nothing declared yet")
        minutes, seconds = divmod(int(self.seconds), 60)
        title = f"Rackwright on a simulated SM15000: {name}, {nodes.ready} of {nodes.total} nodes as declared"
        yield _titled(f"{title}, {minutes}:{seconds:02d}", width)
        board, wide = self.board, width >= WIDE_COLUMNS
        left = [*board.grid(wide), *board.pools()]
        at = WIDE if wide else NARROW
        state = [*self._objects(), _titled("plan", width - at - GAP)]
        right = [*state, *islice(Work.of(self.objects).lines(), max(0, max(len(left), height // 2) - len(state)))]
        for one, other in zip_longest(left, right):
            yield _beside(one, other, at, width)
        yield board.legend()

    def _objects(self) -> Iterator[Text]:
        for item in self.objects:
            if item.ref.kind != COMPUTE_NODE:
                ready = item.condition("Ready")
                style = "dim" if item.not_reconciled else READY_STYLES.get(ready.get("status", ""), "dim")
                line = Text(f"{short(item.ref):<{NAME}}").append(f"{ready.get('reason', 'new'):<{REASON}}", style)
                yield line.append(f"{item.status.get('summary', ''):>{SUMMARY}}", "dim")
        nodes = count(self.objects)[COMPUTE_NODE]
        done = bool(nodes.total) and nodes.ready == nodes.total
        line = Text(f"{f'{nodes.total} nodes':<{NAME}}").append(
            f"{'ChassisReady':<{REASON}}", "green" if done else "yellow"
        )
        yield line.append(f"{f'{nodes.ready}/{nodes.total}':>{SUMMARY}}", "dim")
        ports = len(self.asked.ports) + len(self.asked.uplinks)
        yield Text(f"{'NICs, uplinks':<{NAME}}").append_text(bar(self.picture.ports_right(self.asked), ports, REASON))

    def _faults(self) -> str:
        healed = sum(fault.outcome == HEALED for fault in self.faults)
        if not self.faults:
            return f"{len(PROMISED)} faults to come"
        last = self.faults[-1]
        return (
            f"{healed} of {len(PROMISED)} faults healed, {len(self.faults) - healed} held; "
            f"{last.name} {last.outcome} in {last.seconds:.1f} s"
        )

    def _story(self, console: Console, width: int, rows: int) -> list[Text]:
        shown: list[Text] = []
        for line in self.lines:
            time = f"{line.seconds:{TIME - 2}.1f}  "
            for text in Text(line.text, line.style).wrap(console, width - TIME):
                shown.append(Text().append(time, "dim").append_text(text))
                time = " " * TIME
        shown = shown[len(shown) - min(rows, len(shown)) :]
        return [*shown, *(Text() for _ in range(rows - len(shown)))]

    def _journal(self, rows: int) -> Iterator[Text]:
        shown = self.journal[len(self.journal) - min(rows, len(self.journal)) :]
        yield from (Text() for _ in range(rows - len(shown)))
        for entry in shown:
            line = Text().append(f"{entry.time:<{TIME}}  ", "dim").append(entry.command)
            yield line.append(f"  {entry.why}", "dim")


def _beside(left: Text | None, right: Text | None, at: int, width: int) -> Text:
    line = left.copy() if left is not None else Text()
    line.truncate(at, overflow="ellipsis", pad=True)
    other = right.copy() if right is not None else Text()
    other.truncate(max(0, width - at - GAP), overflow="ellipsis")
    return line.append(" " * GAP).append_text(other)


def _titled(title: str, width: int) -> Text:
    text = Text().append(title, "bold").append(" ")
    return text.append("─" * max(0, width - text.cell_len), "dim")
