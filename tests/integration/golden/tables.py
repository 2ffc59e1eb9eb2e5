"""Reads the tables that the simulated chassis prints: nothing of the driver's parsers, so that both cannot be wrong alike."""

import re
from collections.abc import Iterator
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
VolumeKey = tuple[str, str, str]
_COUNT = re.compile(r"\* (\d+) entries")
_VOLUME = re.compile(r"\w+\((\d)/([\w-]+)/([\w-]+)\)")
_MEMBER = re.compile(r"((?:srv|te) [\d/]+) (\(..\))")


def rows(printed: str, header: str) -> list[list[str]]:
    """The cells of all rows under the line that begins with `header`; their number is that of the trailer."""
    lines = iter(printed.splitlines())
    for line in lines:
        if line.startswith(header):
            break
    found: list[list[str]] = []
    for line in lines:
        if trailer := _COUNT.fullmatch(line):
            assert int(trailer[1]) == len(found), f"the trailer says {trailer[1]} and there are {len(found)} rows"
            return found
        found.append(re.split(r" {2,}", line))
    raise AssertionError(f"no table under {header!r}: {printed[:200]}")


def pools(printed: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """`show storage pool brief`: slot and name, and all the rest."""
    return _unique(((slot, name), tuple(cells)) for slot, name, *cells in rows(printed, "slot"))


def volumes(printed: str) -> dict[VolumeKey, tuple[str, ...]]:
    """`show storage volume brief`: slot, pool and name, and sizes and attributes."""
    return _unique(((slot, pool, name), tuple(cells)) for slot, pool, name, *cells in rows(printed, "slot"))


def assigned(printed: str) -> dict[tuple[str, int], VolumeKey]:
    """`show storage assign brief`: the volume on each vdisk of each server; all are active, and none is a raw disk."""

    def entries() -> Iterator[tuple[tuple[str, int], VolumeKey]]:
        for cells in rows(printed, "server"):
            server, vdisk, kind, what, *state = " ".join(cells).split()
            match = _VOLUME.fullmatch(what)
            assert match is not None, what
            assert (kind, state) == ("volume", ["active", "RW"])
            yield (server, int(vdisk)), (match[1], match[2], match[3])

    return _unique(entries())


def vlans(printed: str) -> dict[str, str]:
    """`show vlan`: for each port that a row names its VLAN with the flags, `100 (U )`."""

    def entries() -> Iterator[tuple[str, str]]:
        number = ""
        for line in printed.partition("Port Members\n")[2].splitlines():
            number = line[:6].strip() or number
            yield from ((port, f"{number} {flags}") for port, flags in _MEMBER.findall(line))

    return _unique(entries())


def summary(printed: str) -> dict[str, tuple[str, str]]:
    """`show server summary all`: number of vdisks and status of each server, from the row of its first NIC."""
    return _unique(
        (server, (vdisks, status)) for server, nic, _, vdisks, status, *_ in rows(printed, "Server") if nic == "0"
    )


def bonds(printed: str) -> dict[str, set[tuple[str, str, str]]]:
    """`show lacp info server`: for each bond its slaves with state and VLAN."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for line in printed.splitlines()[2:]:
        bond, slave, state, _, _, vlan, _ = line.split()
        found.setdefault(bond, set()).add((slave, state, vlan))
    return found


def _unique(entries: Iterator[tuple[K, V]]) -> dict[K, V]:
    """A row that is there twice is an error of its own."""
    found: dict[K, V] = {}
    for key, value in entries:
        assert key not in found, f"{key} is there twice"
        found[key] = value
    return found
