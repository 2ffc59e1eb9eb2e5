"""Every action takes effect where it should and nowhere else; done again it changes nothing; the plan of it is pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import pytest

from rackwright_drivers.contract.chassis import Action, ChassisDriver, ChassisState, Outcome
from rackwright_drivers.contract.network import CreateVlan, Network, Nic, Port, PortVlans, SetPort, Uplink
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
    Metadata,
    Pool,
    PoolId,
    SetManagementMode,
    Slot,
    VDisk,
    Volume,
    VolumeId,
)
from rackwright_drivers.contract.unknown import known
from tests.conformance.chassis.rigs import RIGS, Rig, comparable

POOL = PoolId(2, "rootpool-1")
MODE = SetManagementMode(2, ManagementMode.VOLUME)
CLEAR = ClearMetadata(2, ("JBOD2/6", "JBOD2/7"))
MAKE = CreatePool(POOL, ("JBOD2/6",))
FILL = CreateVolumes(POOL, "rootvol", tuple(range(11)), EqualShare(11))


def volume(number: int) -> VolumeId:
    return VolumeId(2, "rootpool-1", f"rootvol-{number}")


def plain(untagged: int | None, *tagged: int) -> PortVlans:
    return PortVlans(untagged, frozenset(tagged))


def move(server: str, index: int, before: PortVlans, after: PortVlans) -> SetPort:
    return SetPort(Nic(server, index), before, after)


Expect = Callable[[ChassisState], ChassisState]


@dataclass(frozen=True)
class Case:
    """An action, what must be done before it, and the state that it makes of the one before."""

    action: Action
    after: Expect
    setup: Sequence[Action] = ()


def mode(state: ChassisState) -> ChassisState:
    slots = dict(known(state.slots, "slots"))
    return replace(state, slots=slots | {2: Slot(2, ManagementMode.VOLUME)})


def metadata(what: Metadata, *names: str) -> Expect:
    def expect(state: ChassisState) -> ChassisState:
        disks = dict(known(state.disks, "disks"))
        return replace(state, disks=disks | {name: replace(disks[name], metadata=what) for name in names})

    return expect


def pool(state: ChassisState) -> ChassisState:
    made = metadata(Metadata.POOL, "JBOD2/6")(state)
    pools = dict(known(state.pools, "pools"))
    return replace(made, pools=pools | {POOL: Pool(POOL, ("JBOD2/6",), 2794, 2794)})


def volumes(numbers: Sequence[int], size: int) -> Expect:
    def expect(state: ChassisState) -> ChassisState:
        pools = dict(known(state.pools, "pools"))
        left = pools[POOL].free_gib - size * len(numbers)
        made = {volume(number): Volume(volume(number), size) for number in numbers}
        return replace(
            state,
            volumes=dict(known(state.volumes, "volumes")) | made,
            pools=pools | {POOL: replace(pools[POOL], free_gib=left)},
        )

    return expect


def without(*numbers: int) -> Expect:
    def expect(state: ChassisState) -> ChassisState:
        gone = {volume(number) for number in numbers}
        left = {name: found for name, found in known(state.volumes, "volumes").items() if name not in gone}
        pools = dict(known(state.pools, "pools"))
        free = pools[POOL].free_gib + 254 * len(numbers)
        return replace(state, volumes=left, pools=pools | {POOL: replace(pools[POOL], free_gib=free)})

    return expect


def no_pool(state: ChassisState) -> ChassisState:
    pools = {name: found for name, found in known(state.pools, "pools").items() if name != POOL}
    return replace(metadata(Metadata.FOREIGN, "JBOD2/6")(state), pools=pools)


def attached(vdisk: VDisk, what: VolumeId) -> Expect:
    return lambda state: replace(state, attachments=dict(known(state.attachments, "attachments")) | {vdisk: what})


def detached(*vdisks: VDisk) -> Expect:
    def expect(state: ChassisState) -> ChassisState:
        kept = {vdisk: what for vdisk, what in known(state.attachments, "attachments").items() if vdisk not in vdisks}
        return replace(state, attachments=kept)

    return expect


def vlan(state: ChassisState) -> ChassisState:
    network = known(state.network, "network")
    return replace(state, network=replace(network, vlans=network.vlans | {150}))


def at(port: Port, vlans: PortVlans) -> Expect:
    def expect(state: ChassisState) -> ChassisState:
        network = known(state.network, "network")
        return replace(state, network=replace(network, ports={**network.ports, port: vlans}))

    return expect


def power(server: str, now: Power) -> Expect:
    def expect(state: ChassisState) -> ChassisState:
        servers = dict(known(state.servers, "servers"))
        return replace(state, servers=servers | {server: replace(servers[server], power=now)})

    return expect


BUILT = (MODE, CLEAR, MAKE, FILL)
VLAN = (CreateVlan(150),)
CASES = [
    Case(MODE, mode),
    Case(CLEAR, metadata(Metadata.NONE, "JBOD2/6", "JBOD2/7"), [MODE]),
    Case(MAKE, pool, [MODE, CLEAR]),
    Case(FILL, volumes(range(11), 254), [MODE, CLEAR, MAKE]),
    Case(CreateVolumes(POOL, "rootvol", (3, 5), 100), volumes((3, 5), 100), [MODE, CLEAR, MAKE]),
    Case(DeleteVolumes(POOL, "rootvol", tuple(range(11))), without(*range(11)), [MODE, CLEAR, MAKE, FILL]),
    Case(DeleteVolumes(POOL, "rootvol", (3, 5)), without(3, 5), [MODE, CLEAR, MAKE, FILL]),
    Case(DeleteVolumes(POOL, "rootvol", (0,)), without(0), [MODE, CLEAR, MAKE, FILL]),
    Case(DeletePool(POOL), no_pool, [MODE, CLEAR, MAKE]),
    Case(Attach(VDisk("0/0", 3), volume(4)), attached(VDisk("0/0", 3), volume(4)), BUILT),
    Case(Detach(("0/0",), 3), detached(VDisk("0/0", 3)), [*BUILT, Attach(VDisk("0/0", 3), volume(4))]),
    Case(
        Detach(("0/0", "1/0", "2/0"), 0),
        detached(VDisk("0/0", 0), VDisk("1/0", 0)),
        [*BUILT, Attach(VDisk("0/0", 0), volume(4)), Attach(VDisk("1/0", 0), volume(5))],
    ),
    Case(CreateVlan(150), vlan),
    Case(move("0/0", 1, plain(0), plain(100)), at(Nic("0/0", 1), plain(100))),
    Case(move("32/0", 0, plain(100), plain(0)), at(Nic("32/0", 0), plain(0))),
    Case(move("32/0", 0, plain(100), plain(150)), at(Nic("32/0", 0), plain(150)), VLAN),
    Case(move("32/0", 0, plain(100), plain(None)), at(Nic("32/0", 0), plain(None))),
    Case(move("0/0", 1, plain(0), plain(None)), at(Nic("0/0", 1), plain(None))),
    Case(
        move("0/0", 1, plain(None), plain(100)),
        at(Nic("0/0", 1), plain(100)),
        [move("0/0", 1, plain(0), plain(None))],
    ),
    Case(move("0/0", 1, plain(0), plain(100, 150)), at(Nic("0/0", 1), plain(100, 150)), VLAN),
    Case(
        move("0/0", 1, plain(100, 150), plain(150)),
        at(Nic("0/0", 1), plain(150)),
        [*VLAN, move("0/0", 1, plain(0), plain(100, 150))],
    ),
    Case(SetPort(Uplink("te 0/1"), plain(0), plain(100)), at(Uplink("te 0/1"), plain(100))),
    Case(SetPower("0/0", Power.ON), power("0/0", Power.ON)),
    Case(SetPower("32/0", Power.OFF), power("32/0", Power.OFF)),
]


async def do(driver: ChassisDriver, *actions: Action) -> None:
    """All of it, in batches, or fail."""
    for start in range(0, len(actions), driver.max_batch):
        for result in await driver.execute(actions[start : start + driver.max_batch]):
            assert result.outcome is Outcome.DONE, result


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.action}"[:70])
async def test_an_action_does_what_it_says_and_nothing_else(driver: ChassisDriver, case: Case) -> None:
    await do(driver, *case.setup)
    before = comparable(await driver.observe())
    commands = driver.commands(case.action)
    (result,) = await driver.execute([case.action])
    assert (result.action, result.outcome, result.error) == (case.action, Outcome.DONE, None)
    assert comparable(await driver.observe()) == comparable(case.after(before))
    assert driver.commands(case.action) == commands


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.action}"[:70])
async def test_done_again_it_changes_nothing(driver: ChassisDriver, case: Case) -> None:
    await do(driver, *case.setup, case.action)
    before = await driver.observe()
    (result,) = await driver.execute([case.action])
    assert result.outcome is not Outcome.NOT_SENT
    assert (result.error is None) == (result.outcome is Outcome.DONE)
    assert await driver.observe() == before


async def test_a_ranged_attach_takes_any_free_volumes_of_its_prefix(driver: ChassisDriver) -> None:
    await do(driver, *BUILT, AttachRange(("0/0", "1/0", "2/0"), (0, 4), "rootvol"))
    found = known((await driver.observe()).attachments, "attachments")
    ours = {vdisk: what for vdisk, what in found.items() if vdisk.server != "32/0"}
    assert set(ours) == {VDisk(server, number) for server in ("0/0", "1/0", "2/0") for number in (0, 4)}
    assert set(ours.values()) < {volume(number) for number in range(11)}
    assert len(set(ours.values())) == 6


async def test_what_is_found_is_what_the_chassis_has(driver: ChassisDriver, rig: Rig) -> None:
    state = await driver.observe()
    assert known(state.identity, "identity").serial == "SM15K00042"
    assert set(known(state.servers, "servers")) == {"0/0", "1/0", "2/0", "32/0"}
    assert {server.power for server in known(state.servers, "servers").values()} == {Power.OFF, Power.ON}
    assert {server.id: server.macs for server in known(state.servers, "servers").values()} == rig.model.servers.macs
    assert len(known(state.disks, "disks")) == 68
    assert known(state.attachments, "attachments") == {VDisk("32/0", 0): VolumeId(7, "RAIDPOOL", "RAIDVOL-0")}
    network = known(state.network, "network")
    assert isinstance(network, Network)
    assert network.default_vlan == 0
    assert network.vlans == {0, 100}
    assert {port for port, vlans in network.ports.items() if vlans.untagged == 100} == {Nic("32/0", 0)}
    assert len([port for port in network.ports if isinstance(port, Nic)]) == 32


@pytest.mark.parametrize(
    ("setup", "refused", "word"),
    [
        ([Attach(VDisk("0/0", 3), volume(4))], DeleteVolumes(POOL, "rootvol", tuple(range(11))), "is assigned"),
        ([Attach(VDisk("0/0", 3), volume(4))], DeleteVolumes(POOL, "rootvol", (4,)), "is assigned"),
        ([], DeletePool(POOL), "has volumes"),
        ([], DeletePool(PoolId(2, "rootpool-9")), "does not exist"),
        ([], DeleteVolumes(POOL, "rootvol", (11,)), "does not exist"),
    ],
)
async def test_what_is_used_or_missing_is_not_deleted(
    driver: ChassisDriver, setup: Sequence[Action], refused: Action, word: str
) -> None:
    await do(driver, *BUILT, *setup)
    before = await driver.observe()
    (result,) = await driver.execute([refused])
    assert result.outcome in (Outcome.FAILED, Outcome.UNCLEAR)
    assert word in str(result.error)
    assert await driver.observe() == before


async def test_observing_changes_nothing(driver: ChassisDriver, rig: Rig) -> None:
    before = rig.model.saved()
    assert await driver.observe() == await driver.observe()
    assert rig.model.saved() == before


def test_every_action_of_the_contract_is_tried(driver: ChassisDriver) -> None:
    tried = {type(case.action) for case in CASES} | {AttachRange}
    assert driver.actions == frozenset(get_args(Action)) == tried


async def test_the_same_actions_give_the_same_state_on_every_driver() -> None:
    """The whole build of a small rack, looked at after every batch."""
    build: list[Sequence[Action]] = [
        [MODE],
        [CLEAR],
        [MAKE, CreatePool(PoolId(2, "rootpool-2"), ("JBOD2/7",))],
        [FILL, CreateVolumes(PoolId(2, "rootpool-2"), "rootvol", tuple(range(11)), EqualShare(11)), *VLAN],
        [AttachRange(("0/0", "1/0", "2/0"), (0,), "rootvol"), Attach(VDisk("0/0", 1), VolumeId(7, "RAIDPOOL", "none"))],
        [move(server, 0, plain(0), plain(100)) for server in ("0/0", "1/0", "2/0")],
        [move(server, index, plain(0), plain(None)) for server in ("0/0", "1/0") for index in (1, 2, 3)],
        [SetPort(Uplink("te 0/1"), plain(0), plain(150, 100)), SetPower("0/0", Power.ON), SetPower("32/0", Power.OFF)],
        [Detach(("0/0", "1/0"), 0), move("0/0", 0, plain(100), plain(150)), Detach(("2/0",), 0)],
        [DeleteVolumes(PoolId(2, "rootpool-2"), "rootvol", tuple(range(11)))],
        [DeletePool(PoolId(2, "rootpool-2"))],
        [ClearMetadata(2, ("JBOD2/7",))],
    ]
    seen = [await _states(make, build) for make in RIGS]
    assert seen[0] == seen[1]
    assert len(seen[0]) == len(build)


async def _states(name: str, build: Sequence[Sequence[Action]]) -> list[tuple[list[Outcome], ChassisState]]:
    async with RIGS[name]("small") as rig:
        driver = rig.connect()
        states = []
        for batch in build:
            results = await driver.execute(batch)
            states.append(([result.outcome for result in results], comparable(await driver.observe())))
        await driver.aclose()
        return states
