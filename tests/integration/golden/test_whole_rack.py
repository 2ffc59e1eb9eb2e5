"""The whole golden rack, brought up from as found by the real command line, and compared line by line with what it should be.

It is built once for all of these tests. What they look at is what the simulated chassis prints, counts and logs.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from rackwright.cli.demo.asked import asked, by_hand
from rackwright.cli.demo.manifests import documents
from rackwright.core.resource import KINDS
from rackwright_sim.commands import Kind
from rackwright_sim.recorder import LogEntry
from rackwright_sim.startfile import load
from tests.crash.proof import effects
from tests.integration.golden import expected, tables
from tests.integration.golden.site import Site, build, condition, planned, site

README = Path(__file__).parents[3] / "README.md"
DESTRUCTIVE = ("storage set mgmt-mode", "storage clear-metadata", "storage unassign", "interface te")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("golden")


@pytest.fixture(scope="module")
def rack(folder: Path) -> Iterator[Site]:
    with site(folder, "as-found") as here:
        yield here


@pytest.fixture(scope="module")
def rounds(rack: Site) -> list[list[str]]:
    """Who asked for consent in which round; after it the rack is built."""
    return build(rack)


@pytest.fixture
def built(rack: Site, rounds: list[list[str]]) -> Site:
    return rack


@pytest.fixture
def log(built: Site) -> list[LogEntry]:
    """All that came in over SSH."""
    return [entry for entry in built.sim.log if entry.session != "control"]


def test_what_could_lose_data_or_the_way_to_the_rack_was_asked_for_and_nothing_else(rounds: list[list[str]]) -> None:
    assert rounds == [["Chassis/sm15k-01"], ["StoragePool/capacity", "StoragePool/root"]]


def test_every_pool_is_on_its_disk_and_full(built: Site) -> None:
    assert tables.pools(built.show("storage pool brief")) == expected.POOLS


def test_every_volume_is_there_in_its_size_and_no_other(built: Site) -> None:
    found = tables.volumes(built.show("storage volume brief"))
    assert {volume: cells[:2] for volume, cells in found.items()} == expected.SIZES
    attributes = {volume: cells[2] for volume, cells in found.items()}
    free = {volume for volume, attribute in attributes.items() if attribute.startswith("U")}
    assert len(free) == 3
    assert free <= expected.ROOT_VOLUMES
    assert all(attribute.endswith("S" if volume[0] == "7" else "L") for volume, attribute in attributes.items())


def test_every_vdisk_has_a_volume_of_its_kind(built: Site) -> None:
    found = tables.assigned(built.show("storage assign brief"))
    want = {(server, 0): expected.ROOT_VOLUMES for server in expected.OURS}
    want[expected.PROTECTED, 0] = {expected.OLD_VOLUME}
    for server in expected.STORAGE:
        want |= {(server, vdisk): expected.DATA_VOLUMES for vdisk in expected.DATA_VDISKS}
        want |= {(server, vdisk): expected.JOURNALS for vdisk in expected.JOURNAL_VDISKS}
    assert found.keys() == want.keys()
    assert {place: volume for place, volume in found.items() if volume not in want[place]} == {}


def test_no_volume_is_on_two_servers_and_only_journals_are_on_several_vdisks(built: Site) -> None:
    places: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    for place, volume in tables.assigned(built.show("storage assign brief")).items():
        places.setdefault(volume, []).append(place)
    journals = {volume: places.pop(volume) for volume in expected.JOURNALS}
    assert {volume: at for volume, at in places.items() if len(at) > 1} == {}
    assert places.keys() >= expected.DATA_VOLUMES
    assert sorted(sorted(at) for at in journals.values()) == [
        [(server, vdisk) for vdisk in expected.JOURNAL_VDISKS] for server in expected.STORAGE
    ]


def test_role_cards_have_a_disk_each_and_pools_serve_ten_or_eleven(built: Site) -> None:
    found = tables.assigned(built.show("storage assign brief"))
    pool_of = {server: found[server, 0][1] for server in expected.OURS}
    assert {pool_of[server] for server in expected.ROLES} == {f"rootpool-{number}" for number in range(1, 7)}
    assert sorted(Counter(pool_of.values()).values()) == [10, 10, 10, 11, 11, 11]


def test_every_port_is_in_its_vlan(built: Site) -> None:
    printed = built.show("vlan")
    assert "Number of User Configured Vlans : 3\n" in printed
    listed = {port: vlan for port, vlan in expected.PORTS.items() if vlan != expected.LISTED_NOWHERE}
    assert len(expected.PORTS) == 64 * 8 + 2
    assert Counter(vlan for port, vlan in listed.items() if port.startswith("srv")) == {
        "100 (U )": 64,
        "150 (U )": 9,
        "200 (U )": 12,
        expected.DROPPED: 417,
    }
    assert tables.vlans(printed) == listed


def test_every_server_runs_with_its_vdisks(built: Site) -> None:
    assert tables.summary(built.show("server summary all")) == expected.SUMMARY


def test_both_boxes_are_in_volume_mode_and_every_disk_is_in_a_pool(built: Site) -> None:
    slots = {row[0]: row[2] for row in tables.rows(built.show("storage slot brief"), "slot")}
    assert slots == {"2": "volume", "5": "volume", "7": "volume"}
    disks = {row[1]: (row[5], row[6]) for row in tables.rows(built.show("storage disk brief"), "slot")}
    assert len(disks) == 30 + 30 + 8
    assert set(disks.values()) == {("pool", "online")}


@pytest.mark.parametrize("server", expected.STORAGE)
def test_bonds_of_a_storage_server_come_up_once_its_host_bundles(built: Site, server: str) -> None:
    """The host's side is not kept as yet, so the test plays the host: the chassis then shows what the VLANs make of it."""

    async def host() -> None:
        built.sim.model.servers.bundle(server, [(1, 2, 3), (4, 5, 6, 7)])

    built.of_sim(host())
    found = tables.bonds(built.show(f"lacp info server {server}"))
    assert sorted(found.values(), key=len) == [
        {(str(nic), "bundled", "150") for nic in (1, 2, 3)},
        {(str(nic), "bundled", "200") for nic in (4, 5, 6, 7)},
    ]


def test_the_bootstrap_server_and_its_pool_were_named_in_no_command(built: Site, log: list[LogEntry]) -> None:
    changes = [entry.text for entry in log if entry.kind in (Kind.CONFIGURATION, Kind.NAVIGATION)]
    assert [line for line in changes if re.search(r"(?<!\d)32/0(?!\d)", line)] == []
    of_pool = {" ".join(line.split()[:3]) for line in changes if "RAIDPOOL" in line}
    assert of_pool == {
        "storage create volume-prefix",
        "storage assign 12/0",
        "storage assign 29/0",
        "storage assign 34/0",
    }
    assert not any("RAIDVOL" in line for line in changes)


def test_no_command_was_sent_twice_and_none_was_refused(log: list[LogEntry]) -> None:
    assert [entry for entry in log if entry.outcome not in ("done", "asked")] == []
    sent = effects(log)
    assert [line for line, times in Counter(sent).items() if times > 1] == []
    assert len(sent) == sum(entry.kind is Kind.CONFIGURATION for entry in log) > 800


def test_a_command_that_could_destroy_went_alone(log: list[LogEntry]) -> None:
    bursts = [list(burst) for _, burst in groupby(log, key=lambda entry: (entry.session, entry.round_trip))]
    dangerous = [burst for burst in bursts if any(entry.text.startswith(DESTRUCTIVE) for entry in burst)]
    commands = [[entry.text for entry in burst if entry.kind is Kind.CONFIGURATION] for burst in dangerous]
    assert sorted(commands) == [
        ["storage clear-metadata disk JBOD2/12-81 slot 2"],
        ["storage clear-metadata disk JBOD2/6-11 slot 2"],
        ["storage clear-metadata disk JBOD5/0-75 slot 5"],
        ["storage set mgmt-mode volume slot 2 no-confirm"],
        ["storage set mgmt-mode volume slot 5 no-confirm"],
        ["untagged-vlan 200"],
        ["untagged-vlan 200"],
    ]
    assert max(sum(entry.kind is Kind.CONFIGURATION for entry in burst) for burst in bursts) > 10, "others go together"


def test_the_commands_are_as_many_as_the_readme_says_beside_a_persons(built: Site) -> None:
    told = re.findall(r"^\| `([a-z -]+)` \| (\d+) \| (\d+) \|", README.read_text("utf-8"), re.MULTILINE)
    ours = [
        item
        for item in documents(*(p.read_text("utf-8") for p in built.folder.glob("*.yaml")))
        if item["kind"] in KINDS
    ]
    person, operator = by_hand(asked(ours, load("as-found")), load("as-found")), built.sim.counters.configuration
    assert {name: (int(hand), int(sent)) for name, hand, sent in told} == {
        name: (person.get(name, 0), operator[name]) for name in person.keys() | operator.keys()
    }
    sums = re.search(r"^\| in all \| (\d+) \| (\d+) \|", README.read_text("utf-8"), re.MULTILINE)
    assert sums is not None
    assert [int(number) for number in sums.groups()] == [sum(person.values()), sum(operator.values())]


def test_all_say_that_they_are_as_declared_or_that_nobody_acts_on_them_yet(built: Site) -> None:
    statuses = built.statuses()
    ready = {name: condition(status, "Ready") for name, status in statuses.items()}
    reasons = Counter(item["reason"] for item in ready.values())
    assert reasons == {"InSync": 4, "NotReconciled": 2, "HostNotReconciled": 63}
    assert {name for name, item in ready.items() if item["reason"] == "NotReconciled"} == {
        "StoragePool/array",
        "ControllerCluster/control",
    }
    assert {status["undeclared"]["count"] for status in statuses.values() if "undeclared" in status} == {2}


def test_onto_a_chassis_that_is_the_golden_rack_already_nothing_is_planned(built: Site) -> None:
    before, sent = built.sim.model.saved(), len(effects(built.sim.log))
    anew = built.copied("anew")
    code, look = planned(built, anew)
    assert (code, look["stages"], look["blocked"], look["problems"]) == (0, [], [], [])
    assert built.rackwright("apply", folder=anew).returncode == 0
    statuses = built.statuses(anew)
    assert not any("plan" in status for status in statuses.values())
    assert condition(statuses["Chassis/sm15k-01"], "Ready")["reason"] == "InSync"
    remembered = {
        (str(record.spec["server"]), item["vdisk"]): item["volume"]
        for record in built.records(anew)
        for item in record.status.get("assignments", ())
    }
    found = tables.assigned(built.show("storage assign brief"))
    assert remembered == {place: "/".join(volume) for place, volume in found.items() if place[0] != expected.PROTECTED}
    assert (built.sim.model.saved(), len(effects(built.sim.log))) == (before, sent)
