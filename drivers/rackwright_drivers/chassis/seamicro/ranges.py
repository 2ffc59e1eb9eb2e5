"""The range grammars of the command line: servers `0/0-31/0,33/0`, numbers `4,6-22`, disks `JBOD2/6-81`. Pure."""

import re
from collections.abc import Iterable, Iterator

_SERVER = re.compile(r"(\d+)/(\d+)")
_DISK = re.compile(r"(?P<head>(?:JBOD)?\d+/)(?P<first>\d+)(?:-(?P<last>\d+))?")
_NUMBERS = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?")
_MOST = 10_000


def compact_numbers(numbers: Iterable[int]) -> str:
    """`4,6-22` from those numbers, in ascending order and each once."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in _runs(numbers))


def expand_numbers(text: str) -> tuple[int, ...]:
    """The numbers of `4,6-22`. ValueError where it is not of that form."""
    return tuple(number for part in text.split(",") for number in _span(_match(_NUMBERS, part)))


def compact_servers(servers: Iterable[str]) -> str:
    """`0/0-31/0,33/0` from those server ids, in ascending order and each once. ValueError for any other id."""
    by_cpu: dict[int, list[int]] = {}
    for server in servers:
        card, cpu = (int(number) for number in _match(_SERVER, server).groups())
        by_cpu.setdefault(cpu, []).append(card)
    spans = sorted((a, cpu, b) for cpu, cards in by_cpu.items() for a, b in _runs(cards))
    return ",".join(f"{a}/{cpu}" if a == b else f"{a}/{cpu}-{b}/{cpu}" for a, cpu, b in spans)


def expand_servers(text: str) -> tuple[str, ...]:
    """The server ids of `0/0-31/0,33/0`. ValueError where it is not of that form, or a range changes the CPU."""
    servers: list[str] = []
    for part in text.split(","):
        ends = [_match(_SERVER, end) for end in part.split("-")]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or first[2] != last[2]:
            raise ValueError(f"{part!r} is no range of servers")
        servers.extend(f"{card}/{first[2]}" for card in _counted(int(first[1]), int(last[1]), part))
    return tuple(servers)


def expand_disks(text: str) -> tuple[str, ...]:
    """The disk names of `JBOD2/6-81` or `7/0,7/1`. ValueError where it is not of that form."""
    found = [_match(_DISK, part) for part in text.split(",")]
    return tuple(f"{disk['head']}{number}" for disk in found for number in _span(disk))


def disk_span(disks: Iterable[str]) -> str:
    """`JBOD2/6-81`: from the lowest to the highest of these disks. ValueError where they are not of one enclosure."""
    found = [_match(_DISK, disk) for disk in disks]
    heads = {disk["head"] for disk in found}
    if len(heads) != 1 or any(disk["last"] for disk in found):
        raise ValueError(f"the disks {', '.join(disk[0] for disk in found)} are not of one enclosure")
    numbers = [int(disk["first"]) for disk in found]
    return heads.pop() + (str(min(numbers)) if min(numbers) == max(numbers) else f"{min(numbers)}-{max(numbers)}")


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form {pattern.pattern}")
    return found


def _span(found: re.Match[str]) -> range:
    return _counted(int(found["first"]), int(found["last"] or found["first"]), found[0])


def _counted(first: int, last: int, text: str) -> range:
    if not first <= last < first + _MOST:
        raise ValueError(f"{text!r} runs backwards or too far")
    return range(first, last + 1)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    start = previous = None
    for number in sorted(set(numbers)):
        if start is None or previous is None:
            start = number
        elif number != previous + 1:
            yield start, previous
            start = number
        previous = number
    if start is not None and previous is not None:
        yield start, previous
