"""The grammar of ranges in commands and start files: numbers, servers, disks and sizes. Pure."""

import re
from collections.abc import Collection, Iterable

from rackwright_sim.fabric import CARDS, card_of
from rackwright_sim.refusals import Refusal

VDISKS = 64
_SPAN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_SERVERS = re.compile(r"(\d{1,2})/0(?:-(\d{1,2})/0)?")
_DISKS = re.compile(r"(JBOD)?(\d)/([\d,-]+)")
_SIZE = re.compile(r"max(?:#(\d{1,4}))?|(\d{1,7})")


def numbers(text: str) -> tuple[int, ...]:
    """`4,6-8` is (4, 6, 7, 8): ascending, each once. ValueError where it is not of that form."""
    found: set[int] = set()
    for part in text.split(","):
        match = _SPAN.fullmatch(part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"'{text}' is not a list of numbers such as 4,6-22")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(found))


def spans(values: Iterable[int]) -> str:
    """The shortest text that `numbers` reads back as these values."""
    runs: list[list[int]] = []
    for value in sorted(set(values)):
        if runs and runs[-1][-1] == value - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def servers(text: str, present: Collection[str]) -> tuple[str, ...]:
    """Servers of a range such as `0/0-31/0,33/0` or `all`, in the order named; a span passes over empty bays."""
    if text == "all":
        return tuple(sorted(present, key=card_of))
    found: dict[str, None] = {}
    for part in text.split(","):
        match = _SERVERS.fullmatch(part)
        if match is None or int(match[2] or match[1]) >= CARDS:
            raise Refusal(f"Invalid server '{part}'")
        span = [f"{card}/0" for card in range(int(match[1]), int(match[2] or match[1]) + 1)]
        there = [server for server in span if server in present]
        if not there:
            raise Refusal(f"No server '{part}'")
        found.update(dict.fromkeys(there))
    return tuple(found)


def server_spans(ids: Iterable[str]) -> str:
    """The range text of some servers: `0/0-3/0,7/0`."""
    parts = spans(card_of(server) for server in ids).split(",")
    return ",".join("-".join(f"{card}/0" for card in part.split("-")) for part in parts)


def vdisks(text: str) -> tuple[int, ...]:
    """Vdisk numbers of a command."""
    try:
        return numbers(text)
    except ValueError:
        raise Refusal(f"Invalid vdisk '{text}'") from None


def disk_numbers(text: str, slot: int) -> tuple[int, ...]:
    """Numbers of `JBOD2/6-81` or `7/0-3`, which must name this slot."""
    match = _DISKS.fullmatch(text)
    if match is None or int(match[2]) != slot:
        raise Refusal(f"Invalid disk '{text}' in slot {slot}")
    try:
        return numbers(match[3])
    except ValueError:
        raise Refusal(f"Invalid disk '{text}' in slot {slot}") from None


def size(text: str, free_gib: int) -> int:
    """GiB of a size word in a pool with so much free: `254`, `max`, `max#11` (the largest of 11 equal parts)."""
    match = _SIZE.fullmatch(text)
    if match is None or match[1] == "0":
        raise Refusal(f"Invalid size '{text}'")
    return int(match[2]) if match[2] else free_gib // int(match[1] or 1)
