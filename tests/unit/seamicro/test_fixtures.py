"""Every captured page under tests/fixtures/seamicro parses to what stands beside it: a bug report is a new folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rackwright_drivers.chassis.seamicro import parse
from rackwright_drivers.chassis.seamicro.tables import TableError
from rackwright_drivers.chassis.seamicro.vlans import parse_network
from rackwright_drivers.contract.network import PortVlans
from rackwright_drivers.contract.power import Server
from rackwright_drivers.contract.storage import RawDisk
from rackwright_drivers.contract.unknown import Unknown

FIXTURES = Path(__file__).parents[2] / "fixtures" / "seamicro"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/output.txt"))
CARDS = {
    f"{card}/0": Server(
        f"{card}/0", tuple(f"02:00:00:00:{card:02x}:{nic:02x}" for nic in range(8)), Unknown("not read")
    )
    for card in range(64)
}


def assignments(text: str) -> object:
    found = parse.parse_assignments(text)
    return {str(vdisk): f"raw {what.name}" if isinstance(what, RawDisk) else str(what) for vdisk, what in found.items()}


def volumes(text: str) -> object:
    return {str(volume.id): volume.size_gib for volume in parse.parse_volumes(text).values()}


def pools(text: str) -> object:
    return {
        str(pool.id): {"disks": list(pool.disks), "size": pool.size_gib, "free": pool.free_gib}
        for pool in parse.parse_pools(text).values()
    }


def disks(text: str) -> object:
    return {
        disk.name: [disk.slot, disk.size_gib, disk.media.value, disk.serial, disk.metadata.value, disk.healthy]
        for disk in parse.parse_disks(text).values()
    }


def slots(text: str) -> object:
    return {str(slot.number): slot.mode.value for slot in parse.parse_slots(text).values()}


def servers(text: str) -> object:
    return {
        server.id: {
            "macs": list(server.macs),
            "power": None if isinstance(server.power, Unknown) else server.power.value,
        }
        for server in parse.parse_servers(text).values()
    }


def chassis(text: str) -> object:
    identity = parse.parse_identity(text)
    return {"serial": identity.serial, "model": identity.model}


def lacp(text: str) -> object:
    return [[slave.bond, slave.nic, slave.state, slave.vlan] for slave in parse.parse_lacp(text)]


def vlans(text: str) -> object:
    network = parse_network(text, CARDS)
    listed = {port: vlans for port, vlans in network.ports.items() if vlans != PortVlans(network.default_vlan)}
    return {
        "default": network.default_vlan,
        "vlans": sorted(network.vlans),
        "ports": {str(port): [vlans.untagged, sorted(vlans.tagged)] for port, vlans in listed.items()},
    }


PARSERS: dict[str, Callable[[str], object]] = {
    "show_storage_assign_brief": assignments,
    "show_storage_volume_brief": volumes,
    "show_storage_pool_brief": pools,
    "show_storage_disk_brief": disks,
    "show_storage_slot_brief": slots,
    "show_server_summary_all": servers,
    "show_chassis": chassis,
    "show_lacp_info_server": lacp,
    "show_vlan": vlans,
}


def test_every_command_has_pages() -> None:
    assert {case.parent.name for case in CASES} == set(PARSERS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_captured_page_parses_to_what_is_expected(case: Path) -> None:
    text = (case / "output.txt").read_text(encoding="utf-8")
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    parser = PARSERS[case.parent.name]
    if isinstance(expected, dict) and "unknown" in expected:
        with pytest.raises(TableError) as refused:
            parser(text)
        assert expected["unknown"] in str(refused.value)
    else:
        assert parser(text) == expected


WHOLE = [
    case
    for case in CASES
    if case.parent.name != "show_lacp_info_server" and '"unknown"' not in (case / "expected.json").read_text("utf-8")
]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_page_cut_off_anywhere_is_never_a_shorter_page(case: Path) -> None:
    """The cut may only fall behind everything that counts, else the page is refused. LACP pages have no count."""
    text = (case / "output.txt").read_text(encoding="utf-8")
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    step = max(1, len(text) // 400)
    for end in [*range(0, len(text), step), *range(max(0, len(text) - 40), len(text))]:
        try:
            shown = PARSERS[case.parent.name](text[:end])
        except TableError:
            continue
        assert shown == expected
