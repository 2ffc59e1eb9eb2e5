"""The contract straight over the model: what it observes, what it does, what it tells when something goes wrong."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rackwright_drivers.contract.chassis import Action, CommandRecord, Credentials, Identity, Outcome
from rackwright_drivers.contract.errors import (
    ConflictError,
    CredentialsRefusedError,
    PermanentError,
    TransientError,
)
from rackwright_drivers.contract.network import CreateVlan, Network, Nic, PortVlans, SetPort, Uplink
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
from rackwright_drivers.contract.unknown import Unknown, known
from rackwright_sim.commands import Kind
from rackwright_sim.driver import SimChassis, Simulated, connect, registered
from rackwright_sim.faults import Fault, FaultKind, Faults
from rackwright_sim.model import ChassisModel
from tests.unit.sim.support import Typist, context

RAIDVOL = VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
POOL = PoolId(2, "rootpool-1")
DEFAULT, ISOLATED = PortVlans(0), PortVlans(None)
BUILD: list[Action] = [
    SetManagementMode(2, ManagementMode.VOLUME),
    ClearMetadata(2, ("JBOD2/6", "JBOD2/7")),
    CreatePool(POOL, ("JBOD2/6",)),
    CreateVolumes(POOL, "rootvol", tuple(range(11)), EqualShare(11)),
    CreateVolumes(PoolId(7, "RAIDPOOL"), "Journal", (3, 5), 500),
    CreatePool(PoolId(2, "rootpool-2"), ("JBOD2/7",)),
    CreateVolumes(PoolId(2, "rootpool-2"), "rootvol", (0, 1, 2, 7), 10),
    DeleteVolumes(PoolId(2, "rootpool-2"), "rootvol", (7,)),
    DeleteVolumes(PoolId(2, "rootpool-2"), "rootvol", (0, 1, 2)),
    DeletePool(PoolId(2, "rootpool-2")),
    Attach(VDisk("0/0", 1), VolumeId(7, "RAIDPOOL", "Journal-3")),
    AttachRange(("0/0", "1/0", "2/0"), (0, 4), "rootvol"),
    Detach(("0/0", "1/0"), 4),
    Detach(("2/0",), 4),
    CreateVlan(150),
    SetPort(Nic("0/0", 0), DEFAULT, PortVlans(100, frozenset({150}))),
    SetPort(Nic("0/0", 0), PortVlans(100, frozenset({150})), PortVlans(150)),
    SetPort(Nic("0/0", 1), DEFAULT, ISOLATED),
    SetPort(Nic("0/0", 2), DEFAULT, ISOLATED),
    SetPort(Nic("0/0", 2), ISOLATED, PortVlans(100)),
    SetPort(Nic("0/0", 2), PortVlans(100), ISOLATED),
    SetPort(Nic("0/0", 2), ISOLATED, DEFAULT),
    SetPort(Uplink("te 0/1"), DEFAULT, PortVlans(0, frozenset({100}))),
    SetPower("0/0", Power.ON),
    SetPower("32/0", Power.OFF),
]


def faulty(*faults: Fault, start: str = "small") -> tuple[SimChassis, Simulated]:
    chassis = Simulated(ChassisModel.load(start), Faults(faults))
    return SimChassis(chassis, context()), chassis


async def outcomes(driver: SimChassis, actions: Sequence[Action]) -> list[Outcome]:
    return [result.outcome for result in await driver.execute(actions)]


async def test_it_observes_what_the_chassis_shows() -> None:
    driver, _ = faulty(start="as-found")
    state = await driver.observe()
    assert state.identity == Identity("SM15K00042", "SM15000")
    servers = known(state.servers, "servers")
    assert len(servers) == 64
    assert servers["12/0"].macs[3] == "00:22:99:ec:05:03"
    assert [server for server, card in servers.items() if card.power is Power.ON] == ["32/0"]
    assert state.attachments == {VDisk("32/0", 0): RAIDVOL}
    assert known(state.pools, "pools")[PoolId(7, "RAIDPOOL")].free_gib == 3080
    assert known(state.slots, "slots")[2].mode is ManagementMode.DISK
    assert len(known(state.disks, "disks")) == 68
    network = state.network
    assert isinstance(network, Network)
    assert network.vlans == {0, 100}
    assert network.ports[Nic("32/0", 0)] == PortVlans(100)


async def test_all_kinds_of_action_are_done() -> None:
    driver, _ = faulty()
    assert {type(action) for action in BUILD} == driver.actions
    assert await outcomes(driver, BUILD) == [Outcome.DONE] * len(BUILD)
    state = await driver.observe()
    assert known(state.volumes, "volumes")[VolumeId(2, "rootpool-1", "rootvol-10")].size_gib == 254
    attached = known(state.attachments, "attachments")
    assert {(v.server, v.number) for v in attached} == {("32/0", 0), ("0/0", 1), ("0/0", 0), ("1/0", 0), ("2/0", 0)}
    ports = known(state.network, "network").ports
    assert ports[Nic("0/0", 0)] == PortVlans(150)
    assert ports[Nic("0/0", 1)] == ISOLATED
    assert ports[Nic("0/0", 2)] == DEFAULT
    assert ports[Uplink("te 0/1")] == PortVlans(0, frozenset({100}))
    assert {s for s, card in known(state.servers, "servers").items() if card.power is Power.ON} == {"0/0"}


async def test_its_commands_typed_by_a_person_do_the_same() -> None:
    driver, chassis = faulty()
    await driver.execute(BUILD)
    typist = Typist(ChassisModel.load("small"))
    configuring = ("storage assign", "storage unassign", "switch", "server id", "interface")
    for action in BUILD:
        commands = driver.commands(action)
        if commands[0].startswith(configuring):
            await typist("conf t")
        for command in commands:
            assert "%" not in await typist(command, *(("yes", "yes") if "clear-metadata" in command else ()))
        await typist("end")
    assert typist.model.saved() == chassis.model.saved()


async def test_a_refusal_is_a_failure_and_stops_the_rest() -> None:
    driver, chassis = faulty()
    taken = Attach(VDisk("32/0", 0), RAIDVOL)
    results = await driver.execute([CreateVlan(7), taken, CreateVlan(8)])
    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.FAILED, Outcome.NOT_SENT]
    assert isinstance(results[1].error, PermanentError)
    assert "'storage assign 32/0 0 volume 7/RAIDPOOL/RAIDVOL-0'" in str(results[1].error)
    assert chassis.model.switch.vlans == {0, 100, 7}


@pytest.mark.parametrize(
    "action",
    [
        ClearMetadata(2, ("JBOD2/6", "JBOD2/16")),
        CreateVolumes(POOL, "v", (0,), 1),
        SetPower("9/0", Power.ON),
        SetPort(Nic("9/0", 0), DEFAULT, ISOLATED),
        Detach(("0/0",), 0),
        CreateVlan(5000),
    ],
)
async def test_what_the_device_refuses_changes_nothing(action: Action) -> None:
    driver, chassis = faulty()
    before = chassis.model.saved()
    assert await outcomes(driver, [action]) == [Outcome.FAILED]
    assert chassis.model.saved() == before


async def test_what_was_refused_half_way_is_unclear() -> None:
    driver, _ = faulty()
    volumes = CreateVolumes(PoolId(7, "RAIDPOOL"), "v", (0,), 1)
    assert await outcomes(driver, [volumes, AttachRange(("0/0", "1/0"), (0,), "v")]) == [Outcome.DONE, Outcome.UNCLEAR]
    wrong = SetPort(Nic("32/0", 0), PortVlans(100), PortVlans(999))
    assert await outcomes(driver, [wrong]) == [Outcome.UNCLEAR]


@pytest.mark.parametrize(
    ("knobs", "outcome", "happened"),
    [
        ({"kind": "error"}, Outcome.FAILED, 0),
        ({"kind": "error", "when": "after"}, Outcome.UNCLEAR, 3),
        ({"kind": "drop"}, Outcome.UNCLEAR, 0),
        ({"kind": "drop", "when": "after"}, Outcome.UNCLEAR, 3),
        ({"kind": "hang", "when": "after"}, Outcome.UNCLEAR, 3),
        ({"kind": "half", "units": 2}, Outcome.UNCLEAR, 2),
        ({"kind": "half", "units": 1, "then": "drop"}, Outcome.UNCLEAR, 1),
        ({"kind": "latency", "seconds": 0.001}, Outcome.DONE, 3),
    ],
)
async def test_faults_strike_actions(knobs: dict[str, object], outcome: Outcome, happened: int) -> None:
    driver, chassis = faulty(Fault.model_validate({"match": "volume-prefix", **knobs}))
    action = CreateVolumes(PoolId(7, "RAIDPOOL"), "v", (0, 1, 2), 1)
    results = await driver.execute([action, CreateVlan(7)])
    assert results[0].outcome is outcome
    assert results[1].outcome is (Outcome.DONE if outcome is Outcome.DONE else Outcome.NOT_SENT)
    assert len(chassis.model.storage.volumes) == 1 + happened
    assert await outcomes(driver, [CreateVlan(8)]) == [Outcome.DONE]
    lost = knobs["kind"] in ("drop", "hang") or knobs.get("then") == "drop"
    assert chassis.recorder.counters.connections == (2 if lost else 1)


@pytest.mark.parametrize("kind", [FaultKind.LOSE_ROWS, FaultKind.CUT_OUTPUT, FaultKind.ERROR])
async def test_a_garbled_part_is_unknown_and_the_others_are_whole(kind: FaultKind) -> None:
    driver, _ = faulty(Fault(kind=kind, match="disk brief"))
    state = await driver.observe()
    assert isinstance(state.disks, Unknown)
    assert "show storage disk brief" in state.disks.reason
    assert not isinstance(state.pools, Unknown)
    assert not isinstance((await driver.observe()).disks, Unknown)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.HANG])
async def test_no_answer_to_a_read_is_transient(kind: FaultKind) -> None:
    driver, chassis = faulty(Fault(kind=kind, match="show vlan"))
    with pytest.raises(TransientError, match="gave no answer to 'show vlan'"):
        await driver.observe()
    await driver.observe()
    assert chassis.recorder.counters.connections == 2


async def test_refused_connections_and_credentials() -> None:
    driver, chassis = faulty(Fault(kind=FaultKind.REFUSE, times=2))
    with pytest.raises(TransientError, match="refused the connection"):
        await driver.observe()
    assert await outcomes(driver, [CreateVlan(7)]) == [Outcome.NOT_SENT]
    chassis.credentials = Credentials("admin", "other")
    with pytest.raises(CredentialsRefusedError) as error:
        await driver.observe()
    assert "other" not in str(error.value)
    chassis.credentials = Credentials("admin", "admin")
    await driver.observe()


async def test_nothing_is_sent_without_permission_and_everything_is_recorded() -> None:
    records: list[CommandRecord] = []

    def permit() -> None:
        if len(records) == 9:
            raise ConflictError("the lease is gone")

    chassis = Simulated(ChassisModel.load("small"))
    driver = SimChassis(chassis, replace(context(records), permit=permit))
    await driver.observe()
    results = await driver.execute([CreateVlan(7), CreateVlan(8)])
    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.NOT_SENT]
    assert isinstance(results[1].error, ConflictError)
    assert 8 not in chassis.model.switch.vlans
    assert [(record.command, record.action) for record in records][-2:] == [
        ("show vlan", None),
        ("switch system-vlan 7", CreateVlan(7)),
    ]
    counted = chassis.recorder.counters
    assert (counted.commands[Kind.SHOW], counted.commands[Kind.CONFIGURATION], counted.round_trips) == (8, 1, 2)


async def test_parameters_name_a_chassis(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    parameters = {"start": "small", "state": str(state)}
    await connect(parameters, context()).execute([CreateVlan(7)])
    again = await connect(parameters, context()).observe()
    assert 7 in known(again.network, "network").vlans
    assert ChassisModel.load(state).switch.vlans == {0, 7, 100}
    chassis = Simulated(ChassisModel.load("small"))
    with registered("mine", chassis):
        await connect({"model": "mine"}, context()).execute([CreateVlan(9)])
        with pytest.raises(ValueError, match="registered already"), registered("mine", chassis):
            pass
    assert 9 in chassis.model.switch.vlans


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"start": "as-lost"}, "name a data file"),
        ({"begin": "small"}, "Parameter 'begin' of the simulator: Extra inputs"),
        ({"model": "gone"}, "names no registered chassis"),
        ({"model": "gone", "start": "small"}, "stands alone"),
        ({"faults": "/gone.yaml"}, "cannot be read"),
    ],
)
def test_wrong_parameters_say_what_is_wrong(parameters: dict[str, object], sentence: str) -> None:
    with pytest.raises(PermanentError, match=sentence):
        connect(parameters, context())
