"""Every action as the exact lines a person would type, and ways between places that no refusal can turn astray."""

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright_drivers.chassis.seamicro import dialect
from rackwright_drivers.chassis.seamicro.render import CONFIG, EXEC, render, route, typed
from rackwright_drivers.chassis.seamicro.script import Script, scripts
from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.network import CreateVlan, Nic, PortVlans, SetPort, Uplink
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    EqualShare,
    ManagementMode,
    PoolId,
    SetManagementMode,
    VDisk,
    VolumeId,
)

ROOT = PoolId(2, "rootpool-1")
ALL_BUT_32 = tuple(f"{card}/0" for card in range(64) if card != 32)
JBOD2 = tuple(f"JBOD2/{number}" for number in (6, 7, 9, 81))


def vlans(untagged: int | None, *tagged: int) -> PortVlans:
    return PortVlans(untagged, frozenset(tagged))


def nic(server: str, index: int, before: PortVlans, after: PortVlans) -> SetPort:
    return SetPort(Nic(server, index), before, after)


@pytest.mark.parametrize(
    ("action", "lines"),
    [
        (SetManagementMode(2, ManagementMode.VOLUME), ["storage set mgmt-mode volume slot 2 no-confirm"]),
        (SetManagementMode(5, ManagementMode.DISK), ["storage set mgmt-mode disk slot 5 no-confirm"]),
        (ClearMetadata(2, JBOD2), ["storage clear-metadata disk JBOD2/6-81 slot 2"]),
        (ClearMetadata(7, ("7/3",)), ["storage clear-metadata disk 7/3 slot 7"]),
        (CreatePool(ROOT, ("JBOD2/6",)), ["storage create pool 2/rootpool-1 disk JBOD2/6"]),
        (CreatePool(PoolId(7, "R"), ("7/0", "7/1")), ["storage create pool 7/R disk 7/0,7/1"]),
        (
            CreateVolumes(ROOT, "rootvol", tuple(range(11)), EqualShare(11)),
            ["storage create volume-prefix 2/rootpool-1/rootvol size max#11 count 11"],
        ),
        (
            CreateVolumes(PoolId(7, "R"), "Journal", (0, 1, 2), 500),
            ["storage create volume-prefix 7/R/Journal size 500 count 3"],
        ),
        (
            CreateVolumes(PoolId(2, "jbodpool-7"), "jbodvol", (7,), EqualShare(1)),
            ["storage create volume 2/jbodpool-7/jbodvol-7 size max"],
        ),
        (
            CreateVolumes(ROOT, "rootvol", (3, 5), 254),
            [
                "storage create volume 2/rootpool-1/rootvol-3 size 254",
                "storage create volume 2/rootpool-1/rootvol-5 size 254",
            ],
        ),
        (
            CreateVolumes(ROOT, "rootvol", (1, 2), EqualShare(2)),
            [
                "storage create volume 2/rootpool-1/rootvol-1 size max#2",
                "storage create volume 2/rootpool-1/rootvol-2 size max",
            ],
        ),
        (
            DeleteVolumes(ROOT, "rootvol", tuple(range(11))),
            ["storage delete volume-prefix 2/rootpool-1/rootvol count 11"],
        ),
        (DeleteVolumes(ROOT, "rootvol", (0,)), ["storage delete volume 2/rootpool-1/rootvol-0"]),
        (
            DeleteVolumes(ROOT, "rootvol", (1, 2)),
            ["storage delete volume 2/rootpool-1/rootvol-1", "storage delete volume 2/rootpool-1/rootvol-2"],
        ),
        (DeletePool(ROOT), ["storage delete pool 2/rootpool-1"]),
        (
            Attach(VDisk("12/0", 1), VolumeId(7, "RAIDPOOL", "Journal-0")),
            ["configure terminal", "storage assign 12/0 1 volume 7/RAIDPOOL/Journal-0", "end"],
        ),
        (
            AttachRange(ALL_BUT_32, (0,), "rootvol"),
            ["configure terminal", "storage assign-range 0/0-31/0,33/0-63/0 0 volume rootvol uuid", "end"],
        ),
        (
            AttachRange(("34/0", "12/0", "29/0"), (4, *range(6, 23)), "jbodvol"),
            ["configure terminal", "storage assign-range 12/0,29/0,34/0 4,6-22 volume jbodvol uuid", "end"],
        ),
        (Detach(("12/0",), 1), ["configure terminal", "storage unassign 12/0 1", "end"]),
        (
            Detach(("0/0", "1/0", "2/0", "3/0"), 0),
            ["configure terminal", "storage unassign-range 0/0-3/0 0", "end"],
        ),
        (CreateVlan(150), ["configure terminal", "switch system-vlan 150", "end"]),
        (
            nic("12/0", 1, vlans(0), vlans(150)),
            ["configure terminal", "server id 12/0", "nic 1", "untagged-vlan 150", "end"],
        ),
        (
            SetPort(Uplink("te 0/1"), vlans(0), vlans(200)),
            ["configure terminal", "interface te 0/1", "untagged-vlan 200", "end"],
        ),
        (SetPower("0/0", Power.ON), ["power-on server 0/0 no-confirm"]),
        (SetPower("0/0", Power.OFF), ["power-off server 0/0 force no-confirm"]),
    ],
)
def test_an_action_is_typed_so(action: Action, lines: list[str]) -> None:
    assert list(typed(action)) == lines


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (vlans(0), vlans(100), ["untagged-vlan 100"]),
        (vlans(100), vlans(0), ["no untagged-vlan 100"]),
        (vlans(100), vlans(150), ["no untagged-vlan 100", "untagged-vlan 150"]),
        (vlans(0), vlans(None), ["no untagged-vlan 0"]),
        (vlans(100), vlans(None), ["no untagged-vlan 100", "no untagged-vlan 0"]),
        (vlans(None), vlans(100), ["untagged-vlan 100"]),
        (vlans(None), vlans(0), ["untagged-vlan 0"]),
        (vlans(100), vlans(100, 150), ["tagged-vlan 150"]),
        (
            vlans(100, 150),
            vlans(150, 100),
            ["no tagged-vlan 150", "no untagged-vlan 100", "untagged-vlan 150", "tagged-vlan 100"],
        ),
        (vlans(None, 150, 160), vlans(None, 160, 170), ["no tagged-vlan 150", "tagged-vlan 170"]),
    ],
)
def test_a_port_is_moved_by_lines_the_device_takes(before: PortVlans, after: PortVlans, lines: list[str]) -> None:
    assert [command.line for command in render(nic("0/0", 0, before, after)).lines] == lines


def lines_of(*actions: Action) -> list[list[str]]:
    return [[command.line for command in script.commands] for script in scripts(actions)]


def test_neighbours_share_the_way_there() -> None:
    attach = [Attach(VDisk(f"{card}/0", 0), VolumeId(2, "p", f"v-{card}")) for card in range(3)]
    (burst,) = lines_of(*attach, CreateVlan(150))
    assert [line for line in burst if not line.startswith("storage")] == [
        "configure terminal",
        "switch system-vlan 150",
        "end",
    ]


def test_a_sibling_nic_is_entered_from_its_server_and_another_server_from_the_top() -> None:
    move = (vlans(0), vlans(100))
    (burst,) = lines_of(nic("0/0", 0, *move), nic("0/0", 1, *move), nic("1/0", 0, *move), SetPower("0/0", Power.ON))
    assert burst == [
        *("configure terminal", "server id 0/0", "nic 0", "untagged-vlan 100"),
        *("exit", "nic 1", "untagged-vlan 100"),
        *("end", "configure terminal", "server id 1/0", "nic 0", "untagged-vlan 100"),
        *("end", "power-on server 0/0 no-confirm"),
    ]


def test_what_destroys_goes_alone() -> None:
    mode, clear = SetManagementMode(2, ManagementMode.VOLUME), ClearMetadata(2, JBOD2)
    power = SetPower("0/0", Power.ON)
    assert [len(script.passages) for script in scripts([power, mode, clear, power, power])] == [1, 1, 1, 2]


def test_every_line_says_for_which_action_it_is() -> None:
    actions: list[Action] = [CreateVlan(150), SetPower("0/0", Power.ON)]
    (script,) = scripts(actions)
    assert [command.action for command in script.commands] == [actions[0], actions[0], actions[1], actions[1]]


PORTS = st.builds(Nic, st.sampled_from(["0/0", "1/0"]), st.integers(0, 2)) | st.sampled_from(
    [Uplink("te 0/1"), Uplink("te 7/1")]
)


class Shell:
    """The rules of the modes, as the page has them, with a set of lines that the device refuses by their place."""

    def __init__(self, refused: frozenset[int]) -> None:
        self.refused = refused
        self.path: tuple[str, ...] = ()
        self.hits: list[tuple[tuple[str, ...], str]] = []
        self.closed = False

    def take(self, place: int, line: str) -> None:
        inside = bool(self.path)
        if self.closed:
            return
        if line == "end":
            self.path = ()
        elif line == "exit":
            self.closed = not inside
            self.path = self.path[:-1]
        elif place in self.refused:
            return
        elif line == "configure terminal":
            self.path = ("config",)
        elif inside and line.startswith(("server id", "interface")):
            self.path = ("config", line)
        elif len(self.path) > 1 and self.path[1].startswith("server") and line.startswith("nic"):
            self.path = (*self.path[:2], line)
        elif len(self.path) == 3 or (len(self.path) == 2 and self.path[1].startswith("interface")):
            self.hits.append((self.path, line))


def wanted(script: Script) -> set[tuple[tuple[str, ...], str]]:
    pairs = set()
    for passage in script.passages:
        rendered = render(passage.action)
        path = tuple(command.line for command in rendered.path)
        pairs |= {(("config", *path[1:]), command.line) for command in rendered.lines}
    return pairs


@given(st.lists(PORTS, min_size=1, max_size=5, unique=True), st.data())
def test_whatever_is_refused_no_line_hits_another_port(ports: list[Nic | Uplink], data: st.DataObject) -> None:
    actions = [SetPort(port, vlans(0), vlans(100 + place)) for place, port in enumerate(ports)]
    (script,) = scripts(actions)
    shell = Shell(frozenset(data.draw(st.sets(st.integers(0, len(script.commands) - 1)))))
    for place, command in enumerate(script.commands):
        shell.take(place, command.line)
    assert set(shell.hits) <= wanted(script)
    assert shell.path == ()


def test_no_set_of_refusals_at_all_hits_another_port() -> None:
    """The same, every set of refusals of a short burst that has each kind of way."""
    move = vlans(0)
    actions = [
        nic("0/0", 0, move, vlans(100)),
        nic("0/0", 1, move, vlans(101)),
        nic("1/0", 0, move, vlans(102)),
        SetPort(Uplink("te 0/1"), move, vlans(103)),
    ]
    (script,) = scripts(actions)
    places = range(len(script.commands))
    for refused in chain.from_iterable(combinations(places, size) for size in range(5)):
        shell = Shell(frozenset(refused))
        for place, command in enumerate(script.commands):
            shell.take(place, command.line)
        assert set(shell.hits) <= wanted(script), refused


def test_routes_know_the_mode_they_lead_to() -> None:
    path = render(nic("12/0", 3, vlans(0), vlans(100))).path
    assert [command.leads_to for command in path] == ["config", "config-id-12/0", "config-nic-3"]
    uplink = render(SetPort(Uplink("te 0/1"), vlans(0), vlans(100))).path
    assert uplink[-1].leads_to == "config-if-te-0/1"
    assert route(EXEC, EXEC) == ()
    assert route(CONFIG, EXEC) == (dialect.END,)
    assert route(CONFIG, path) == path[1:]
    assert route(uplink, render(SetPort(Uplink("te 7/1"), vlans(0), vlans(1))).path)[0] == dialect.END
