"""Any table that the chassis could print parses to itself, and what is damaged is refused and never shorter or other."""

import re
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright_drivers.chassis.seamicro import parse
from rackwright_drivers.chassis.seamicro.tables import Column, Layout, TableError, parse_table
from rackwright_drivers.chassis.seamicro.vlans import parse_network
from rackwright_drivers.contract.network import Network, Nic, Port, PortVlans, Uplink
from rackwright_drivers.contract.power import Power, Server
from rackwright_drivers.contract.storage import (
    Attached,
    Disk,
    Media,
    Metadata,
    Pool,
    PoolId,
    RawDisk,
    VDisk,
    Volume,
    VolumeId,
)

NAMES = st.text("abcxyzABC0189_.-", min_size=1, max_size=20).map(lambda text: f"n{text}")
SLOTS = st.integers(0, 7)
SIZES = st.integers(1, 9999)
SERVERS = st.integers(0, 63).map(lambda card: f"{card}/0")
VOLUMES = st.builds(VolumeId, SLOTS, NAMES, NAMES)
DISK_NAMES = st.builds(lambda jbod, slot, bay: f"{jbod}{slot}/{bay}", st.sampled_from(["", "JBOD"]), SLOTS, SLOTS)


@st.composite
def tables(draw: st.DrawFn, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> str:
    """These cells as a table: columns in any order, with other columns of one word between, any gap, aligned."""
    others = draw(st.lists(st.sampled_from(["lun", "host", "uptime"]), unique=True, max_size=2))
    order = draw(st.permutations([*columns, *others]))
    gap = " " * draw(st.integers(1, 4))
    cells = [[row.get(column, "x1") for column in order] for row in rows]
    widths = [max(len(line[place]) for line in [list(order), *cells]) for place in range(len(order))]
    lines = [gap.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [order, *cells]]
    trail = draw(st.sampled_from(["", "  "]))
    return "".join(f"{line.rstrip()}{trail}\n" for line in lines) + f"* {len(rows)} entries\n"


def assignment_cells(found: Mapping[VDisk, Attached]) -> list[dict[str, str]]:
    def cell(what: Attached) -> str:
        return what.name if isinstance(what, RawDisk) else f"{what.name[:1]}({what})"

    return [
        {
            "server": vdisk.server,
            "vdisk": str(vdisk.number),
            "type": "disk" if isinstance(what, RawDisk) else "volume",
            "id": cell(what),
        }
        for vdisk, what in found.items()
    ]


@given(
    st.data(),
    st.dictionaries(
        st.builds(VDisk, SERVERS, st.integers(0, 31)), VOLUMES | st.builds(RawDisk, DISK_NAMES), max_size=8
    ),
)
def test_assignments_survive(data: st.DataObject, found: dict[VDisk, Attached]) -> None:
    text = data.draw(tables(assignment_cells(found), ["server", "vdisk", "type", "id"]))
    assert parse.parse_assignments(text) == found


@given(st.data(), st.dictionaries(VOLUMES, SIZES, max_size=8))
def test_volumes_survive(data: st.DataObject, sizes: dict[VolumeId, int]) -> None:
    rows = [
        {
            "slot": str(volume.slot),
            "pool name": volume.pool,
            "volume name": volume.name,
            "prov. size": f"{size}GB",
            "actual size": f"{size}.00GB",
        }
        for volume, size in sizes.items()
    ]
    columns = ["slot", "pool name", "volume name", "prov. size", "actual size"]
    text = data.draw(tables(rows, columns))
    assert parse.parse_volumes(text) == {volume: Volume(volume, size) for volume, size in sizes.items()}


@given(
    st.data(),
    st.dictionaries(
        st.builds(PoolId, SLOTS, NAMES),
        st.tuples(st.lists(DISK_NAMES, min_size=1, max_size=4), SIZES, SIZES),
        max_size=6,
    ),
)
def test_pools_survive(data: st.DataObject, found: dict[PoolId, tuple[list[str], int, int]]) -> None:
    rows = [
        {
            "slot": str(pool.slot),
            "pool name": pool.name,
            "disks": ",".join(disks),
            "size": f"{size}GB",
            "free size": f"{free}.50GB",
        }
        for pool, (disks, size, free) in found.items()
    ]
    text = data.draw(tables(rows, ["slot", "pool name", "disks", "size", "free size"]))
    assert parse.parse_pools(text) == {
        pool: Pool(pool, tuple(disks), size, free) for pool, (disks, size, free) in found.items()
    }


@given(
    st.data(),
    st.dictionaries(
        DISK_NAMES,
        st.tuples(SLOTS, SIZES, st.sampled_from(Media), NAMES, st.sampled_from(Metadata), st.booleans()),
        max_size=6,
    ),
)
def test_disks_survive(data: st.DataObject, found: dict[str, tuple[int, int, Media, str, Metadata, bool]]) -> None:
    rows = [
        {
            "slot": str(slot),
            "disk": name,
            "type": media.value,
            "size": f"{size}GB",
            "serial": serial,
            "metadata": metadata.value.lower(),
            "state": "online" if healthy else "failed",
        }
        for name, (slot, size, media, serial, metadata, healthy) in found.items()
    ]
    text = data.draw(tables(rows, ["slot", "disk", "type", "size", "serial", "metadata", "state"]))
    assert parse.parse_disks(text) == {name: Disk(name, *values) for name, values in found.items()}


@given(st.data(), st.sets(st.integers(0, 63), max_size=4), st.integers(1, 8), st.booleans())
def test_servers_survive(data: st.DataObject, cards: set[int], nics: int, dotted: bool) -> None:
    expected, rows = {}, []
    for card in cards:
        macs = tuple(f"00:22:99:ec:{card:02x}:{nic:02x}" for nic in range(nics))
        power = data.draw(st.sampled_from(Power))
        expected[f"{card}/0"] = Server(f"{card}/0", macs, power)
        for nic, mac in enumerate(macs):
            digits = mac.replace(":", "")
            shown = f"{digits[:4]}.{digits[4:8]}.{digits[8:]}" if dotted else mac
            status = ("up" if power is Power.ON else "down") if nic == 0 else "-"
            rows.append({"server": f"{card}/0", "nic": str(nic), "mac": shown, "status": status})
    text = data.draw(tables(data.draw(st.permutations(rows)), ["server", "nic", "mac", "status"]))
    assert parse.parse_servers(text) == expected


CARDS = {f"{card}/0": Server(f"{card}/0", ("02:00:00:00:00:00",) * 3, Power.ON) for card in range(6)}
ALL_PORTS: list[Port] = [Uplink("te 0/1"), Uplink("te 7/1")]
ALL_PORTS += [Nic(server, index) for server in CARDS for index in range(3)]
PORTS = st.sampled_from(ALL_PORTS)
VLANS = st.integers(1, 4094)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    vlans = draw(st.sets(VLANS, max_size=5))
    members = st.builds(
        PortVlans,
        st.sampled_from([None, 0, *vlans]),
        st.frozensets(st.sampled_from([0, *vlans])).map(lambda t: t - {0}),
    )
    chosen = draw(st.dictionaries(PORTS, members, max_size=12))
    ports: dict[Port, PortVlans] = {Nic(server, index): PortVlans(0) for server in CARDS for index in range(3)}
    for port, found in chosen.items():
        at = PortVlans(found.untagged, found.tagged - {found.untagged or 0})
        if isinstance(port, Nic) or at != PortVlans(0):
            ports[port] = at
    return Network(0, frozenset({0, *vlans}), ports)


def page(network: Network, width: int) -> str:
    """`show vlan` of this network, members wrapped after `width` of them."""
    user = sorted(network.vlans - {0})
    lines = ["Default Vlan                    : 0", f"Number of User Configured Vlans : {len(user)}"]
    lines += [
        "Number of Default Vlans         : 1",
        "Flags : T = Tagged",
        "      : I = Incomplete",
        "Vlan  Port Members",
    ]
    for vlan in [0, *user]:
        members = []
        for port, at in network.ports.items():
            name = f"srv {port.server}/{port.index}" if isinstance(port, Nic) else str(port)
            flag = "D" if vlan == 0 and at.untagged is None else ""
            if vlan and (vlan == at.untagged or vlan in at.tagged):
                flag = "U" if vlan == at.untagged else "T"
            if flag:
                members.append(f"{name} ({flag} )")
        if members or vlan:
            wrapped = [", ".join(members[at : at + width]) for at in range(0, len(members), width)]
            lines.append(f"{vlan:<6}" + ",\n      ".join(wrapped))
    return "".join(f"{line}\n" for line in lines)


@given(networks(), st.integers(1, 6))
def test_vlans_survive(network: Network, width: int) -> None:
    assert parse_network(page(network, width), CARDS) == network


@given(networks(), st.integers(1, 6), st.data())
def test_a_page_of_vlans_with_a_line_lost_or_cut_is_refused_or_the_same(
    network: Network, width: int, data: st.DataObject
) -> None:
    lines = page(network, width).splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    first = next(n for n, line in enumerate(lines) if line.startswith("Vlan"))
    wraps = place > first and lines[place].startswith(" ") and lines[place].rstrip().endswith(",")
    damaged = "".join(lines[:place] + lines[place + 1 :])
    if wraps:  # a line in the middle of a list: nothing in this page counts members, so nothing can miss it
        damaged = "".join(lines[:place])
    whole = "".join(lines)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for text in (damaged, whole[:cut]):
        # The page does not count the row of the default VLAN: nothing can miss it where it stands alone.
        if len(network.vlans) > 1 and (text != damaged or not lines[place].startswith("0 ")):
            expect_same_or_refused(lambda page: parse_network(page, CARDS), text, network)


@given(st.data(), st.dictionaries(VOLUMES, SIZES, min_size=1, max_size=8))
def test_a_table_damaged_anywhere_is_refused_or_the_same(data: st.DataObject, sizes: dict[VolumeId, int]) -> None:
    rows = [
        {"slot": str(v.slot), "pool name": v.pool, "volume name": v.name, "prov. size": f"{size}GB"}
        for v, size in sizes.items()
    ]
    text = data.draw(tables(rows, ["slot", "pool name", "volume name", "prov. size"]))
    expected = {volume: Volume(volume, size) for volume, size in sizes.items()}
    lines = text.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(text) - 1))
    for damaged in (
        text[:at],
        text[at:],
        "".join(lines[:place] + lines[place + 1 :]),
        "".join([*lines[: place + 1], *lines[place:]]),
        "".join([*lines[:place], "%LINK-3: te 0/1 is up\n", *lines[place:]]),
        text[:at] + "\n" + text[at:],
    ):
        expect_same_or_refused(parse.parse_volumes, damaged, expected)


@given(st.text(max_size=300))
def test_nonsense_is_refused_by_every_parser(text: str) -> None:
    parsers: list[Callable[[str], object]] = [
        parse.parse_assignments,
        parse.parse_disks,
        parse.parse_pools,
        parse.parse_servers,
        parse.parse_slots,
        parse.parse_volumes,
        parse.parse_lacp,
        parse.parse_identity,
        lambda page: parse_network(page, CARDS),
    ]
    for parser in parsers:
        with pytest.raises(TableError):
            parser(text)


def expect_same_or_refused(parser: Callable[[str], object], text: str, expected: object) -> None:
    try:
        found = parser(text)
    except TableError:
        return
    assert found == expected


LAYOUT = Layout(
    "The table", (Column("slot", re.compile(r"\d+")), Column("free size", re.compile(r"\d+GB"))), ("two words",)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slot size\n2 3GB\n* 1 entries\n", "lacks the column free size"),
        ("slot slot free size\n2 2 3GB\n* 1 entries\n", "column slot twice"),
        ("slot free size\n2 3GB\n* 2 entries\n", "shows 1 rows and says that it has 2"),
        ("slot free size\n2 3GB\n", "does not end with its number"),
        ("slot free size\n2 3GB\n* 1 entries", "cut off in the middle of a line"),
        ("slot free size\n2 lots\n* 1 entries\n", "does not fit its columns: '2 lots'"),
        ("slot  free size  x\n2       3GB      a b\n* 1 entries\n", "does not fit"),
    ],
)
def test_a_table_that_cannot_be_told_says_why(text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        parse_table(text, LAYOUT)


def test_a_row_that_reads_differently_by_word_and_by_place_is_refused() -> None:
    text = "slot  extra  free size\n2     7GB    9GB\n* 1 entries\n"
    assert [row["free size"][0] for row in parse_table(text, LAYOUT)] == ["9GB"]
    layout = Layout("The table", (Column("a", re.compile(r"\d+")), Column("b", re.compile(r"[\d ]*"))))
    with pytest.raises(TableError, match="two ways"):
        parse_table("a  b  c\n1     2 3\n* 1 entries\n", layout)


def test_rules_legends_and_blank_lines_do_not_count() -> None:
    text = "A = Assigned\n\nSLOT  two words  Free Size\n----  ---------  ---------\n2     a b        3GB\n\n* 1 entry\n"
    assert [row["slot"][0] for row in parse_table(text, LAYOUT)] == ["2"]
