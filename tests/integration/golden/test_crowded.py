"""The golden rack on a chassis whose RAID pool is still full of old root volumes: they stay, and only the journals wait."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.integration.golden import expected, tables
from tests.integration.golden.site import Site, condition, site

OLD = {("7", "RAIDPOOL", f"RAIDVOL-{number}") for number in range(1, 64)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Applied once, with nothing to be asked."""
    with site(tmp_path_factory.mktemp("crowded"), "crowded", destructive="Allow") as here:
        done = here.rackwright("apply")
        assert done.returncode == 2, done.stdout + done.stderr
        yield here


def test_old_volumes_stay_and_are_told(built: Site) -> None:
    found = tables.volumes(built.show("storage volume brief"))
    assert {volume: found[volume] for volume in OLD} == dict.fromkeys(OLD, ("48GB", "48.00GB", "US"))
    undeclared = built.statuses()["Chassis/sm15k-01"]["undeclared"]
    assert undeclared["count"] == 63 + 2  # and the bootstrap server's volume, and that it is on it
    assert all("RAIDVOL" in item for item in undeclared["items"])


def test_the_journals_say_that_there_is_no_room_and_what_takes_it(built: Site) -> None:
    ready = condition(built.statuses()["StoragePool/journal"], "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "NoCapacity")
    assert "7/RAIDPOOL" in ready["message"]
    assert "RAIDVOL-" in ready["message"]
    assert "nobody declared" in ready["message"]
    assert not expected.JOURNALS & tables.volumes(built.show("storage volume brief")).keys()


def test_everything_else_is_built(built: Site) -> None:
    pools = tables.pools(built.show("storage pool brief"))
    assert {pool: cells for pool, cells in pools.items() if pool[1] != "RAIDPOOL"} == {
        pool: cells for pool, cells in expected.POOLS.items() if pool[1] != "RAIDPOOL"
    }
    found = tables.assigned(built.show("storage assign brief"))
    assert len(found) == 64 + 54
    assert {volume for volume in found.values() if volume[1].startswith("jbod")} == expected.DATA_VOLUMES
    listed = {port: vlan for port, vlan in expected.PORTS.items() if vlan != expected.LISTED_NOWHERE}
    assert tables.vlans(built.show("vlan")) == listed
    statuses = built.statuses()
    for name in ("Chassis/sm15k-01", "StoragePool/root", "StoragePool/capacity"):
        assert condition(statuses[name], "Ready")["reason"] == "InSync"


def test_a_server_without_its_journal_stays_off_and_all_others_run(built: Site) -> None:
    status = {server: cells[1] for server, cells in tables.summary(built.show("server summary all")).items()}
    assert Counter(status.values()) == {"up": 61, "down": 3}
    assert {server for server, word in status.items() if word == "down"} == set(expected.STORAGE)
