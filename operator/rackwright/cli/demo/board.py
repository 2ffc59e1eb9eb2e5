"""The rack as a board: a mark for each of its 64 cards, and how full its pools are. Pure; colour only helps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.text import Text

from rackwright.cli.demo.asked import Asked, Assigned
from rackwright.cli.demo.facts import Picture
from rackwright_drivers.contract.storage import PoolId

CARDS, ACROSS = 64, 16
NAME, DISKS, BAR = 11, 9, 11
NARROW, WIDE = 38, 65  # columns, without and with the number of each card
OFF, FILLED, COMPUTE, PROTECTED, DRIFTED, HELD, ABSENT = ".", "+", "o", "P", "!", "?", " "
STYLES = {
    OFF: "dim",
    FILLED: "yellow",
    COMPUTE: "green",
    PROTECTED: "bold blue",
    DRIFTED: "bold reverse red",
    HELD: "bold reverse yellow",
    ABSENT: "",
}
ROLE_STYLE = "bold cyan"


@dataclass(frozen=True)
class Board:
    """The cards as they are; `drifted` and `held` are servers."""

    asked: Asked
    picture: Picture
    drifted: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()

    def marks(self) -> Mapping[str, str]:
        """The mark of every card."""
        return {server: self._mark(server) for server in (f"{card}/0" for card in range(CARDS))}

    def _mark(self, server: str) -> str:
        if server in self.asked.protected:
            return PROTECTED
        if server not in self.asked.servers:
            return ABSENT
        if server in self.held:
            return HELD
        if server in self.drifted:
            return DRIFTED
        if server in self.picture.running:
            return self.roles().get(server, COMPUTE)
        return FILLED if self.picture.volumes_of(server) else OFF

    def roles(self) -> Mapping[str, str]:
        """The letters of the servers that are not of the largest set: the first of their set's name."""
        return {
            server: name[0].upper()
            for name, servers in self.asked.sets.items()
            for server in servers
            if name != self._largest()
        }

    def _largest(self) -> str:
        """The set that needs no letter of its own."""
        return max(self.asked.sets, key=lambda name: len(self.asked.sets[name]))

    def grid(self, wide: bool) -> Iterator[Text]:
        """The cards in rows, after a heading; each with its number where there is room."""
        marks = self.marks()
        yield _row("" if wide else "card", [("" if wide else str(column % 10), "dim") for column in range(ACROSS)])
        for first in range(0, CARDS, ACROSS):
            cells = []
            for card in range(first, first + ACROSS):
                mark = marks[f"{card}/0"]
                cells.append((f"{card:>2}{mark}" if wide else mark, STYLES.get(mark, ROLE_STYLE)))
            yield _row("" if wide else f"{first:>3}+", cells)

    def legend(self) -> Text:
        """What the marks mean."""
        words = {OFF: "off", FILLED: "disks", COMPUTE: self._largest()}
        words |= {name[0].upper(): name for name in self.asked.sets if name != self._largest()}
        words |= {PROTECTED: "protected", DRIFTED: "drift", HELD: "held"}
        return Text("  ").join(
            Text().append(mark, STYLES.get(mark, ROLE_STYLE)).append(f" {word}", "dim") for mark, word in words.items()
        )

    def pools(self) -> Iterator[Text]:
        """How much of each pool is in use: a line a pool with several volumes, one for all whole disks, one a journal."""
        for item in self.asked.assigned:
            many = sorted(pool for pool in item.pools if len(self.asked.of_pool(pool)) > 1 and not item.all_paths)
            for pool in many:
                yield self._line(pool.name, self._disk(pool), self._used(item, pool), len(self.asked.of_pool(pool)))
            if not many:
                prefix = min(item.volumes).prefix
                total = len(item.servers) * len(item.vdisks)
                yield self._line(prefix, f"{len(item.volumes)} vols", self._used(item, None), total)

    def _disk(self, pool: PoolId) -> str:
        return self.asked.pools.get(pool, "")

    def _used(self, item: Assigned, pool: PoolId | None) -> int:
        """Volumes that some server has; of those on several vdisks at once, the vdisks."""
        volumes = {str(volume) for volume in item.volumes if pool in (None, volume.pool_id)}
        used = [volume for volume in self.picture.attachments.values() if volume in volumes]
        return len(used) if item.all_paths else len(set(used))

    def _line(self, name: str, disks: str, used: int, total: int) -> Text:
        line = Text(f"{name:<{NAME}}{disks:<{DISKS}}")
        return line.append_text(bar(used, total, BAR))


def _row(label: str, cells: list[tuple[str, str]]) -> Text:
    row = Text().append(f"{label:<5}" if label else "", "dim")
    for place, (cell, style) in enumerate(cells):
        row.append(" " * (place == ACROSS // 2)).append(cell, style).append(" ")
    return row


def bar(done: int, total: int, width: int) -> Text:
    """So much of so much."""
    full = width * done // max(1, total)
    text = Text().append("#" * full, "cyan").append("-" * (width - full), "dim")
    return text.append(f" {done}/{total}", "dim")
