"""Tables as the chassis prints them, read by their headers and checked against their own count. Pure.

A row is read word by word where it has as many words as the table has columns, else by where its cells begin. Either
way every cell that is needed must look as it should, and where both ways work they must agree: a table is whole or an
error.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TRAILER = re.compile(r"\* (\d+) entr(?:y|ies)")
_RULE = re.compile(r"[-=\s]+")
_WORD = re.compile(r"\S+")


class TableError(ValueError):
    """What was printed is not the whole table; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Column:
    """A header, in lower case, and what its cells look like (fullmatch)."""

    header: str
    cell: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that are needed, and headers of more than one word that may stand beside them.

    A table that is not `counted` has no trailer: nothing proves that it is whole.
    """

    name: str
    columns: tuple[Column, ...]
    others: tuple[str, ...] = ()
    counted: bool = True


Row = dict[str, re.Match[str]]


@dataclass(frozen=True, slots=True)
class _Header:
    """A header cell with the place where it begins."""

    name: str
    start: int


def parse_table(text: str, layout: Layout) -> list[Row]:
    """The rows, each a match per needed header. TableError unless all of the table is there and makes sense."""
    if text and not text.endswith("\n"):
        raise TableError(f"{layout.name} is cut off in the middle of a line")
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    count = _count(lines, layout) if layout.counted else None
    body = lines[:-1] if layout.counted else lines
    if count == 0 and not body:
        return []
    place, headers = _header_line(body, layout)
    rows = [_row(line, headers, layout) for line in body[place + 1 :] if not _RULE.fullmatch(line)]
    if count is not None and len(rows) != count:
        raise TableError(f"{layout.name} shows {len(rows)} rows and says that it has {count}")
    return rows


def _count(lines: Sequence[str], layout: Layout) -> int:
    found = _TRAILER.fullmatch(lines[-1].strip()) if lines else None
    if found is None:
        raise TableError(f"{layout.name} does not end with its number of entries: it is cut off or was refused")
    return int(found[1])


def _header_line(lines: Sequence[str], layout: Layout) -> tuple[int, list[_Header]]:
    needed = {column.header for column in layout.columns}
    best: set[str] = set()
    for place, line in enumerate(lines):
        headers = list(_headers(line, layout))
        names = [header.name for header in headers]
        if needed <= set(names):
            twice = {name for name in needed if names.count(name) > 1}
            if twice:
                raise TableError(f"{layout.name} has the column {', '.join(sorted(twice))} twice")
            return place, headers
        best = max(best, needed & set(names), key=len)
    raise TableError(f"{layout.name} lacks the column {', '.join(sorted(needed - best))}")


def _headers(line: str, layout: Layout) -> Iterator[_Header]:
    """The header cells of a line: known headers of several words as one, any other word by itself."""
    phrases = [column.header for column in layout.columns] + list(layout.others)
    words = list(_WORD.finditer(line.lower()))
    place = 0
    while place < len(words):
        rest = " ".join(word[0] for word in words[place:])
        name = max(
            (phrase for phrase in phrases if f"{rest} ".startswith(f"{phrase} ")), key=len, default=words[place][0]
        )
        yield _Header(name, words[place].start())
        place += len(name.split())


def _row(line: str, headers: Sequence[_Header], layout: Layout) -> Row:
    by_word = _checked(_by_word(line, headers), layout)
    by_place = _checked(_by_place(line, headers), layout)
    if by_word is None and by_place is None:
        raise TableError(f"{layout.name} has a row that does not fit its columns: {line.strip()[:100]!r}")
    if by_word is not None and by_place is not None and _texts(by_word) != _texts(by_place):
        raise TableError(f"{layout.name} has a row that can be read in two ways: {line.strip()[:100]!r}")
    return by_word or by_place or {}


def _by_word(line: str, headers: Sequence[_Header]) -> dict[str, str] | None:
    words = line.split()
    if len(words) != len(headers):
        return None
    return {header.name: word for header, word in zip(headers, words, strict=True)}


def _by_place(line: str, headers: Sequence[_Header]) -> dict[str, str] | None:
    """Cells by where they begin: under their header, or one blank after a word of the same cell."""
    starts = {header.start: header.name for header in headers}
    cells: dict[str, str] = {}
    name, end = "", -1
    for word in _WORD.finditer(line):
        if word.start() in starts:
            name = starts[word.start()]
            cells[name] = word[0]
        elif name and word.start() == end + 1:
            cells[name] += f" {word[0]}"
        else:
            return None
        end = word.end()
    return cells


def _checked(cells: dict[str, str] | None, layout: Layout) -> Row | None:
    if cells is None:
        return None
    row: Row = {}
    for column in layout.columns:
        found = column.cell.fullmatch(cells.get(column.header, ""))
        if found is None:
            return None
        row[column.header] = found
    return row


def _texts(row: Row) -> dict[str, str]:
    return {header: cell[0] for header, cell in row.items()}
