"""What only a driver over a wire can get wrong: the place of a line, round trips, sessions, logins, questions."""

from collections.abc import AsyncIterator, Sequence

import pytest

from rackwright_drivers.contract.chassis import Action, ChassisDriver, Outcome
from rackwright_drivers.contract.network import CreateVlan, Nic, Port, PortVlans, SetPort, Uplink
from rackwright_drivers.contract.storage import Attach, VDisk
from rackwright_drivers.contract.unknown import known
from rackwright_sim.commands import Kind
from rackwright_sim.faults import Fault, FaultKind
from tests.conformance.chassis.rigs import Rig, wire
from tests.conformance.chassis.test_actions import BUILT, CLEAR, MODE, do, plain, volume


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Only the wire."""
    async with wire("small") as made:
        yield made


async def ports(driver: ChassisDriver) -> dict[Port, PortVlans]:
    return dict(known((await driver.observe()).network, "network").ports)


PORTS: Sequence[Port] = [
    *(Nic("0/0", index) for index in (0, 1, 2)),
    *(Nic("1/0", index) for index in (0, 1)),
    Uplink("te 0/1"),
    Nic("2/0", 5),
]
NAVIGATION = [
    "configure terminal",
    "server id 0/0",
    "server id 1/0",
    "server id 2/0",
    "nic 0",
    "nic 1",
    "interface te 0/1",
]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("refused", NAVIGATION)
async def test_refused_navigation_never_lets_a_line_hit_another_port(
    rig: Rig, driver: ChassisDriver, refused: str, nth: int
) -> None:
    """Each port gets a tagged VLAN of its own, which any port would take: a line in the wrong place shows."""
    await do(driver, *(CreateVlan(200 + place) for place in range(len(PORTS))))
    before = await ports(driver)
    actions = [SetPort(port, plain(0), plain(0, 200 + place)) for place, port in enumerate(PORTS)]
    rig.faults.add(Fault(kind=FaultKind.ERROR, match=f"^{refused}$", nth=nth, text="% Not now"))
    results = await driver.execute(actions)
    after = await ports(driver)
    for action, result in zip(actions, results, strict=True):
        got = after.get(action.port, plain(0))
        assert got in (action.after, before.get(action.port, plain(0)))
        if result.outcome is Outcome.DONE:
            assert got == action.after
        if result.outcome is Outcome.FAILED:
            assert got == before.get(action.port, plain(0))
    untouched = set(before) - set(PORTS)
    assert {port: after[port] for port in untouched} == {port: before[port] for port in untouched}
    await do(driver, *(SetPort(a.port, plain(0), a.after) for a in actions if after.get(a.port, plain(0)) == plain(0)))
    assert {port: found for port, found in (await ports(driver)).items() if port in PORTS} == {
        action.port: action.after for action in actions
    }


async def test_a_server_that_is_not_there_takes_nothing_with_it(rig: Rig, driver: ChassisDriver) -> None:
    before = await ports(driver)
    results = await driver.execute(
        [
            SetPort(Nic("0/0", 0), plain(0), plain(100)),
            SetPort(Nic("9/0", 0), plain(0), plain(None)),
            SetPort(Nic("1/0", 0), plain(0), plain(100)),
        ]
    )
    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.FAILED, Outcome.DONE]
    changed = {Nic("0/0", 0): plain(100), Nic("1/0", 0): plain(100)}
    assert await ports(driver) == before | changed


async def test_a_look_is_one_round_trip_and_so_is_a_batch(rig: Rig, driver: ChassisDriver) -> None:
    await do(driver, *BUILT)
    trips = rig.counters.round_trips
    await driver.observe()
    assert rig.counters.round_trips == trips + 1
    actions: list[Action] = [Attach(VDisk("0/0", place), volume(place)) for place in range(10)]
    assert len(actions) <= driver.max_batch
    await do(driver, *actions, CreateVlan(150), SetPort(Nic("0/0", 0), plain(0), plain(100)))
    assert rig.counters.round_trips == trips + 2
    assert rig.counters.connections == 1


async def test_questions_cost_a_round_trip_each_and_nothing_else_does(rig: Rig, driver: ChassisDriver) -> None:
    await do(driver, MODE)
    trips, answers = rig.counters.round_trips, rig.counters.commands[Kind.ANSWER]
    await do(driver, CLEAR)
    assert rig.counters.commands[Kind.ANSWER] - answers == 2
    assert rig.counters.round_trips - trips == 3


async def test_a_lost_session_is_made_anew_once(rig: Rig, driver: ChassisDriver) -> None:
    await driver.observe()
    rig.faults.add(Fault(kind=FaultKind.DROP, match="show vlan"))
    with pytest.raises(Exception, match="lost"):
        await driver.observe()
    await driver.observe()
    assert rig.counters.connections == 2


async def test_a_login_at_the_user_prompt_works_the_same() -> None:
    async with wire("small", user_mode=True) as rig:
        driver = rig.connect()
        assert len(known((await driver.observe()).servers, "servers")) == 4
        await driver.aclose()


async def test_a_whole_rack_is_seen_in_one_round_trip() -> None:
    async with wire("as-found") as rig:
        driver = rig.connect()
        state = await driver.observe()
        assert len(known(state.servers, "servers")) == 64
        assert len(known(state.network, "network").ports) >= 512
        assert rig.counters.round_trips == 1
        await driver.aclose()
