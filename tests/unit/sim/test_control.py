"""The control endpoint: counting, looking, breaking and operating from another process."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from rackwright_drivers.contract.errors import PermanentError
from rackwright_sim import store
from rackwright_sim.model import ChassisModel
from rackwright_sim.server import SimServer
from rackwright_sim.startfile import Start
from tests.unit.sim.support import login


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    async with SimServer(start="small") as server:
        yield server


async def call(sim: SimServer, method: str, path: str, data: str | None = None) -> tuple[int, object]:
    async with aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{sim.control_port}{path}"
        async with client.request(method, url, data=data) as response:
            return response.status, await response.json()


async def test_counters_and_log_are_of_the_ssh_face(sim: SimServer) -> None:
    async with login(sim) as connection:
        await connection.run("show clock;conf t;switch system-vlan 9")
    await sim.operate("conf t", "switch system-vlan 10")
    assert await call(sim, "GET", "/counters") == (
        200,
        {
            "commands": {"show": 1, "navigation": 1, "configuration": 1, "answer": 0, "invalid": 0},
            "configuration": {"switch system-vlan": 1},
            "round_trips": 1,
            "connections": 1,
            "connections_refused": 0,
            "authentications_failed": 0,
        },
    )
    _, log = await call(sim, "GET", "/log")
    assert isinstance(log, list)
    assert [(entry["session"], entry["text"], entry["kind"]) for entry in log] == [
        ("ssh-1", "show clock", "show"),
        ("ssh-1", "conf t", "navigation"),
        ("ssh-1", "switch system-vlan 9", "configuration"),
        ("control", "conf t", "navigation"),
        ("control", "switch system-vlan 10", "configuration"),
    ]


async def test_state_is_a_start_file(sim: SimServer) -> None:
    _, state = await call(sim, "GET", "/state")
    assert Start.model_validate(state) == sim.model.saved()


async def test_operating_as_somebody_else(sim: SimServer) -> None:
    status, answer = await call(sim, "POST", "/cli", '{"commands": ["conf t", "storage unassign 32/0 0", "bad"]}')
    assert status == 200
    assert answer == {
        "output": "Enter configuration commands, one per line.  End with CNTL/Z.\n% Invalid input detected\n",
        "transcript": "sm15k-01# conf t\nEnter configuration commands, one per line.  End with CNTL/Z.\n"
        "sm15k-01(config)# storage unassign 32/0 0\nsm15k-01(config)# bad\n% Invalid input detected\n",
    }
    assert not list(sim.model.storage.attachments)


async def test_faults_are_replaced_and_do_not_touch_the_control_face(sim: SimServer) -> None:
    await call(sim, "POST", "/faults", '[{"kind": "error", "times": null}]')
    assert "SM15000" in (await sim.operate("show chassis"))[0]
    async with login(sim) as connection:
        assert (await connection.run("show chassis")).stdout == "% Internal error\r\n"
        await call(sim, "POST", "/faults", "[]")
        assert "SM15000" in str((await connection.run("show chassis")).stdout)


@pytest.mark.parametrize(
    ("path", "data", "sentence"),
    [
        ("/cli", "{", "the body is not JSON"),
        ("/cli", "[]", "not of the form"),
        ("/cli", '{"commands": [1]}', "not of the form"),
        ("/faults", '[{"kind": "explode"}]', "0.kind"),
    ],
)
async def test_wrong_requests_say_what_is_wrong(sim: SimServer, path: str, data: str, sentence: str) -> None:
    status, answer = await call(sim, "POST", path, data)
    assert status == 400
    assert isinstance(answer, dict)
    assert sentence in answer["error"]


async def test_a_taken_control_port_leaves_nothing_open(sim: SimServer) -> None:
    other = SimServer(start="small", control_port=sim.control_port)
    with pytest.raises(OSError, match="in use"):
        async with other:
            pass
    assert other._acceptor is None


def test_every_change_is_on_disk_before_the_next(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    model = store.open_model("small", state)
    for vlan in (150, 200):
        model.switch.create_vlan(vlan)
        assert ChassisModel.load(state).saved() == model.saved()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_state_that_cannot_be_written_or_read_says_so(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(PermanentError, match="cannot be written"):
        store.open_model("small", blocker / "state.json")
    blocker.write_text("{}")
    with pytest.raises(PermanentError, match="about: Field required"):
        store.open_model("small", blocker)


async def test_each_of_several_chassis_has_a_serial_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    async with SimServer(start="small", serial="SM15K00007", state=tmp_path / "state.json") as sim:
        assert "SM15K00007" in (await sim.operate("show chassis | nomore"))[0]
        await sim.operate("conf t", "switch system-vlan 9")
    assert store.open_model("small", tmp_path / "state.json").about.serial == "SM15K00007"
