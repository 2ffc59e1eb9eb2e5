"""The demo's own verdict: nothing to say about the finished rack, and one sentence about each thing that is not so."""

from collections.abc import Callable
from typing import Any

import pytest

from rackwright.cli.demo.facts import Picture, asked, shortfalls
from rackwright_sim.startfile import Start, load
from tests.unit.demo.finished import FOUND, ROLES, chassis, finished, wanted

State = dict[str, Any]


def verdict(state: State, lines: tuple[str, ...] = ()) -> tuple[str, ...]:
    return shortfalls(wanted(), FOUND, chassis(state), lines)


def port(state: State, server: str, nic: int) -> dict[str, Any]:
    found: dict[str, Any] = next(
        item for item in state["switch"]["ports"] if (item["server"], item["nic"]) == (server, nic)
    )
    return found


def root(state: State, server: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        item for item in state["attachments"] if (item["server"], item["vdisk"]) == (server, 0)
    )
    return found


def test_the_manifests_ask_for_what_the_published_rack_has() -> None:
    want = wanted()
    assert len(want.servers) == 63
    assert want.protected == {"32/0"}
    assert want.roles == set(ROLES)
    assert [want.ports["12/0", nic] for nic in range(8)] == [100, 150, 150, 150, 200, 200, 200, 200]
    assert [want.ports["0/0", nic] for nic in range(3)] == [100, 0, None]
    assert sorted(want.pools.values()) == sorted(f"JBOD2/{number}" for number in range(6, 12))
    assert want.per_pool == 11


def test_nothing_is_wrong_with_the_finished_rack() -> None:
    assert verdict(finished()) == ()


def test_the_chassis_as_found_falls_short_of_everything() -> None:
    wrong = shortfalls(wanted(), FOUND, FOUND, ())
    assert sum("should have a root volume" in sentence for sentence in wrong) == 63
    assert sum("is off and should run" in sentence for sentence in wrong) == 63
    # All NICs are in the default VLAN, which is right for one of each controller.
    assert sum(" nic " in sentence for sentence in wrong) == 63 * 8 - 3
    assert any(sentence.startswith("the pools made are none") for sentence in wrong)


def _server_off(state: State) -> None:
    state["cards"]["running"].remove("20/0")


def _nic_moved(state: State) -> None:
    port(state, "21/0", 0)["untagged"] = 200


def _nic_tagged(state: State) -> None:
    port(state, "21/0", 0)["tagged"] = [150]


def _nic_bridged(state: State) -> None:
    state["switch"]["ports"].remove(port(state, "21/0", 7))


def _root_gone(state: State) -> None:
    state["attachments"].remove(root(state, "40/0"))


def _root_elsewhere(state: State) -> None:
    root(state, "40/0")["volume"] = "7/RAIDPOOL/RAIDVOL-0"


def _second_disk(state: State) -> None:
    state["attachments"].append({"server": "40/0", "vdisk": 5, "volume": "2/rootpool-6/rootvol-10"})


def _shared(state: State) -> None:
    root(state, "40/0")["volume"] = root(state, "41/0")["volume"]


def _roles_together(state: State) -> None:
    first, other = root(state, "0/0"), root(state, "3/0")
    first["volume"], other["volume"] = other["volume"], first["volume"]


def _lopsided(state: State) -> None:
    """A server goes from a pool of ten to the free volume of another."""
    at = next(item for item in reversed(state["attachments"]) if item["volume"].startswith("2/rootpool-5/"))
    at["volume"] = "2/rootpool-6/rootvol-10"


def _too_few_volumes(state: State) -> None:
    state["volumes"][-1]["numbers"] = "0-9"


def _another_size(state: State) -> None:
    state["volumes"][-1]["size_gib"] = 200


def _pool_on_another_disk(state: State) -> None:
    state["pools"][-1]["disks"] = ["JBOD2/12"]


def _protected_off(state: State) -> None:
    state["cards"]["running"].remove("32/0")


def _protected_moved(state: State) -> None:
    port(state, "32/0", 0)["untagged"] = 150


def _old_volume_gone(state: State) -> None:
    state["volumes"][0]["name"] = "RAIDVOL-1"
    state["attachments"][0]["volume"] = "7/RAIDPOOL/RAIDVOL-1"


def _uplink(state: State) -> None:
    state["switch"]["ports"].append({"uplink": "te 0/1", "untagged": 200})


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_server_off, "20/0 is off and should run"),
        (_nic_moved, "21/0 nic 0 is in VLAN 200 and should be in VLAN 100, untagged only"),
        (_nic_tagged, "21/0 nic 0 is in VLAN 100, tagged in 150 and should be in VLAN 100, untagged only"),
        (_nic_bridged, "21/0 nic 7 is in VLAN 0 and should be in no VLAN (isolated), untagged only"),
        (_root_gone, "40/0 vdisk 0 has nothing and should have a root volume"),
        (_root_elsewhere, "40/0 vdisk 0 has 7/RAIDPOOL/RAIDVOL-0 and should have a root volume"),
        (_second_disk, "40/0 vdisk 5 has 2/rootpool-6/rootvol-10 and should be empty"),
        (_shared, "is attached 2 times and should be once"),
        (_roles_together, "2 of the servers 0/0, 1/0, 11/0, 12/0, 29/0, 34/0 are on disk JBOD2/7 and at most one"),
        (_lopsided, "2/rootpool-5 serves 9 servers and should serve 10 or 11"),
        (_too_few_volumes, "2/rootpool-6 holds 10 volumes and should hold 11"),
        (_another_size, "root volumes are of 2 sizes"),
        (_pool_on_another_disk, "the pools made are"),
        (_protected_off, "32/0 is protected and was changed"),
        (_protected_moved, "32/0 is protected and was changed"),
        (_old_volume_gone, "7/RAIDPOOL/RAIDVOL-0 was there before and should be as it was"),
        (_uplink, "the uplinks changed, and no manifest says so"),
    ],
)
def test_whatever_is_not_as_asked_for_is_said(spoil: Callable[[State], None], sentence: str) -> None:
    state = finished()
    spoil(state)
    assert any(sentence in found for found in verdict(state)), verdict(state)


def test_a_command_that_names_the_protected_server_is_told_even_if_nothing_changed() -> None:
    assert verdict(finished(), ("power-on server 132/0", "power-on server 32/00")) == ()
    (wrong,) = verdict(finished(), ("power-on server 0/0", "power-on server 32/0 no-confirm"))
    assert wrong == "32/0 is protected and was named in 'power-on server 32/0 no-confirm'"


def test_a_picture_does_not_depend_on_the_order_of_tables() -> None:
    state = finished()
    before = Picture.of(chassis(state))
    for table in (state["attachments"], state["switch"]["ports"], state["cards"]["running"], state["volumes"]):
        table.reverse()
    assert Picture.of(chassis(state)) == before
    _nic_moved(state)
    assert Picture.of(chassis(state)) != before


def test_a_raw_disk_is_no_root_volume() -> None:
    state = finished()
    root(state, "40/0").update(volume=None, disk="JBOD2/30")
    assert "40/0 vdisk 0 has disk JBOD2/30 and should have a root volume" in verdict(state)


def test_ports_that_are_not_there_are_missed() -> None:
    small: Start = load("small")
    manifests = wanted()
    assert any(
        sentence == "3/0 nic 0 is not there and should be in VLAN 100, untagged only"
        for sentence in shortfalls(manifests, small, small, ())
    )


def test_a_set_of_all_remaining_servers_is_asked_for_by_what_the_chassis_has() -> None:
    chassis_spec = {
        "spec": {
            "protectedServers": ["32/0"],
            "nodeSets": [{"remaining": {}, "template": {"nicGroups": [{"indexes": [0, 1], "untagged": 7}]}}],
        }
    }
    backend = {
        "disks": {"names": ["JBOD2/6"]},
        "pools": {"prefix": "p", "firstNumber": 3},
        "volumes": {"prefix": "v", "perPool": 4},
    }
    want = asked(chassis_spec, {"spec": {"backend": {"chassis": backend}}}, load("small"))
    assert want.servers == {"0/0", "1/0", "2/0"}
    assert [want.ports["2/0", nic] for nic in range(3)] == [7, 7, None]
    assert {str(pool): disk for pool, disk in want.pools.items()} == {"2/p-3": "JBOD2/6"}
