"""The SSH face by a real client: logins, shells, bursts, questions, exec requests, faults on the wire, counters."""

import asyncio
from pathlib import Path

import asyncssh
import pytest

from rackwright_sim.commands import Kind
from rackwright_sim.faults import Fault, FaultKind
from rackwright_sim.server import SimServer, run
from tests.unit.sim.support import login, options, shell

BURST = [
    "storage set mgmt-mode volume slot 2 no-confirm",
    "storage clear-metadata disk JBOD2/6-81 slot 2",
    "yes",
    "yes",
    "storage create pool 2/rootpool-1 disk JBOD2/6",
    "show storage slot brief | nomore",
]


async def test_a_wrong_password_or_user_is_refused_and_counted() -> None:
    async with SimServer(start="small", password="s3cret") as sim:
        with pytest.raises(asyncssh.PermissionDenied):
            async with login(sim, "wrong"):
                pass
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect("127.0.0.1", sim.port, options=options(sim, "s3cret"), username="root")
        assert sim.counters.authentications_failed == 2
        async with login(sim, "s3cret"):
            pass
        assert sim.counters.connections == 3
        assert "s3cret" not in repr(sim._device)


@pytest.mark.parametrize("term_type", [None, "vt100"])
async def test_lines_sent_ahead_are_echoed_and_answered_in_order(term_type: str | None) -> None:
    async with SimServer(start="small") as sim, shell(sim, term_type) as session:
        assert await session.until_prompt() == "sm15k-01# "
        session.type("".join(f"{line}\n" for line in BURST))
        seen = await session.until_prompt(len(BURST))
        assert seen == (
            "storage set mgmt-mode volume slot 2 no-confirm\r\n"
            "sm15k-01# storage clear-metadata disk JBOD2/6-81 slot 2\r\n"
            "All data on the specified disk(s) will be lost with this operation\r\n"
            "Are you sure you want to proceed (yes/no): yes\r\n"
            "Please enter 'yes' again if you really want to proceed (yes/no): yes\r\n"
            "sm15k-01# storage create pool 2/rootpool-1 disk JBOD2/6\r\n"
            "Pool 2/rootpool-1 created successfully.\r\n"
            "sm15k-01# show storage slot brief | nomore\r\n"
            "slot  type  mgmt-mode  disks  state\r\n"
            "2     JBOD  volume     30     online\r\n"
            "5     JBOD  disk       30     online\r\n"
            "7     RAID  volume     8      online\r\n"
            "* 3 entries\r\n"
            "sm15k-01# "
        )


async def test_counters_are_exact() -> None:
    async with SimServer(start="small") as sim, shell(sim) as session:
        await session.until_prompt()
        session.type("".join(f"{line}\n" for line in BURST))
        await session.until_prompt(len(BURST))
        for line in ("conf t", "switch system-vlan 150", "exit", "nonsense"):
            await session.ask(line)
        assert sim.counters.round_trips == 5
        assert {kind: sim.counters.commands[kind] for kind in Kind} == {
            Kind.SHOW: 1,
            Kind.NAVIGATION: 2,
            Kind.CONFIGURATION: 4,
            Kind.ANSWER: 2,
            Kind.INVALID: 1,
        }
        assert sum(sim.counters.configuration.values()) == 4
        assert sim.counters.configuration["switch system-vlan"] == 1
        assert sim.counters.connections == 1
        assert [entry.round_trip for entry in sim.log] == [1] * len(BURST) + [2, 3, 4, 5]
        assert [entry.text for entry in sim.log] == [*BURST, "conf t", "switch system-vlan 150", "exit", "nonsense"]
        assert {entry.session for entry in sim.log} == {"ssh-1"}


async def test_a_line_in_pieces_is_one_round_trip() -> None:
    async with SimServer(start="small") as sim, shell(sim, "vt100") as session:
        await session.until_prompt()
        for piece in ("show ", "clo", "ck", "\r"):
            session.type(piece)
            seen = "" if piece == "\r" else await session.read()
            assert seen == piece.strip("\r")
        assert "UTC" in await session.until_prompt()
        assert sim.counters.round_trips == 1


async def test_lines_sent_before_any_answer_are_one_round_trip() -> None:
    fault = Fault(kind=FaultKind.LATENCY, match="clock", seconds=0.05)
    async with SimServer(start="small", faults=[fault]) as sim, shell(sim) as session:
        await session.until_prompt()
        session.type("show clock\n")
        assert await session.read() == "show clock\r\n"
        session.type("show chassis\n")
        await session.until_prompt(2)
        assert sim.counters.round_trips == 1


async def test_two_sessions_share_the_chassis_and_not_the_mode() -> None:
    async with SimServer(start="small") as sim, shell(sim) as one, shell(sim) as two:
        await one.until_prompt()
        await two.until_prompt()
        assert "(config)# " in await one.ask("conf t")
        assert (await two.ask("show clock")).endswith("sm15k-01# ")
        await one.ask("storage unassign 32/0 0")
        assert "* 0 entries" in await two.ask("show storage assign brief")


async def test_exit_ctrl_d_and_the_end_of_input_close_the_session() -> None:
    async with SimServer(start="small") as sim:
        for ending in ("exit\n", "\x04"):
            async with shell(sim, "vt100") as session:
                await session.until_prompt()
                session.type(ending)
                await session.rest()
        async with shell(sim) as session:
            await session.until_prompt()
            session.type("show chassis\n")
            session.end()
            assert "SM15K00042" in await session.rest()


async def test_ctrl_c_gives_up_a_question() -> None:
    async with SimServer(start="small") as sim, shell(sim, "vt100") as session:
        await session.until_prompt()
        assert "(yes/no): " in await session.ask("storage clear-metadata disk JBOD2/6 slot 2")
        session.type("\x03")
        assert await session.until_prompt() == "^C\r\nsm15k-01# "
        assert sim.model.storage.disks["JBOD2/6"].metadata == "Foreign"


async def test_joined_commands_in_an_exec_request_keep_their_mode() -> None:
    async with SimServer(start="small", user_mode=True) as sim, login(sim) as connection:
        done = await connection.run("en;conf t;server id 0/0;nic 0;untagged-vlan 100;end;show vlan | include ^100")
        assert done.stdout == (
            "Enter configuration commands, one per line.  End with CNTL/Z.\r\n100   srv 0/0/0 (U ), srv 32/0/0 (U )\r\n"
        )
        assert done.exit_status == 0
        assert sim.counters.round_trips == 1


async def test_questions_of_an_exec_request_are_answered_from_the_input() -> None:
    async with SimServer(start="small") as sim, login(sim) as connection:
        line = "storage clear-metadata disk JBOD2/6 slot 2"
        await connection.run(line, input="yes\nyes\n")
        assert sim.model.storage.disks["JBOD2/6"].metadata == "None"
        await connection.run("storage clear-metadata disk JBOD2/7 slot 2", input="yes\n")
        assert sim.model.storage.disks["JBOD2/7"].metadata == "Foreign"


async def test_user_mode() -> None:
    async with SimServer(start="small", user_mode=True) as sim, shell(sim) as session:
        assert await session.until_prompt() == "sm15k-01> "
        assert (await session.ask("enable")).endswith("sm15k-01# ")


async def test_sessions_beyond_the_limit_are_refused_until_one_ends() -> None:
    async with SimServer(start="small", max_sessions=1) as sim:
        async with login(sim):
            with pytest.raises((asyncssh.Error, OSError)):
                async with login(sim):
                    pass
        async with login(sim) as again:
            assert "SM15000" in str((await again.run("show chassis")).stdout)
        assert sim.counters.connections_refused == 1
        assert sim.counters.connections == 2


async def test_refused_connections() -> None:
    async with SimServer(start="small", faults=[Fault(kind=FaultKind.REFUSE, times=2)]) as sim:
        for _ in range(2):
            with pytest.raises((asyncssh.Error, OSError)):
                async with login(sim):
                    pass
        async with login(sim):
            assert sim.counters.connections_refused == 2


@pytest.mark.parametrize(("when", "left"), [("before", 1), ("after", 0)])
async def test_a_dropped_connection(when: str, left: int) -> None:
    fault = Fault.model_validate({"kind": "drop", "match": "unassign", "when": when})
    async with SimServer(start="small", faults=[fault]) as sim:
        async with shell(sim) as session:
            await session.until_prompt()
            session.type("conf t\nstorage unassign 32/0 0\nshow clock\n")
            with pytest.raises((EOFError, asyncssh.Error, OSError)):
                await session.until_prompt(4)
        assert len(list(sim.model.storage.attachments)) == left
        assert [entry.text for entry in sim.log] == ["conf t", "storage unassign 32/0 0"]
        async with login(sim):
            assert sim.counters.connections == 2


async def test_a_hang_gives_no_reply_and_nothing_after_it() -> None:
    async with SimServer(start="small", faults=[Fault(kind=FaultKind.HANG, match="show vlan")]) as sim:
        async with shell(sim) as session:
            await session.until_prompt()
            session.type("show vlan\nshow clock\n")
            assert await session.read() == "show vlan\r\n"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.read(), 0.05)
        async with login(sim) as connection:
            assert "SM15000" in str((await connection.run("show chassis")).stdout)


async def test_truncated_tables_on_the_wire() -> None:
    faults = [Fault(kind=FaultKind.LOSE_ROWS, match="disk"), Fault(kind=FaultKind.CUT_OUTPUT, match="slot")]
    async with SimServer(start="small", faults=faults) as sim, shell(sim) as session:
        await session.until_prompt()
        lost = (await session.ask("show storage disk brief")).splitlines()
        assert len(lost) == 1 + 1 + 67 + 1 + 1
        assert lost[-2] == "* 68 entries"
        assert "entries" not in await session.ask("show storage slot brief")
        assert "* 68 entries" in await session.ask("show storage disk brief")


async def test_the_pager_stops_on_a_terminal_with_a_height_unless_told_not_to() -> None:
    async with SimServer(start="small") as sim, shell(sim, "vt100", (80, 24)) as session:
        await session.until_prompt()
        session.type("show storage disk brief\n")
        seen = ""
        while not seen.endswith("--More--"):
            seen += await session.read()
        assert seen.count("JBOD2/") == 22
        session.type("q")
        assert (await session.until_prompt()).endswith("sm15k-01# ")
        assert "* 68 entries" in await session.ask("show storage disk brief | nomore")


async def test_the_host_key_stays_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "host"
    async with SimServer(start="small", host_key_path=path) as one:
        first = one.host_key
    assert path.stat().st_mode & 0o777 == 0o600
    async with SimServer(start="small", host_key_path=path) as two, login(two):
        assert two.host_key == first
    assert first.startswith("ssh-ed25519 AAAA")
    assert SimServer(start="small").host_key != first


async def test_state_survives_a_restart_in_the_middle_of_a_session(tmp_path: Path) -> None:
    state = tmp_path / "sim" / "state.json"
    async with SimServer(start="small", state=state) as sim, shell(sim) as session:
        await session.until_prompt()
        session.type("".join(f"{line}\n" for line in BURST))
        await session.until_prompt(len(BURST))
        before = sim.model.saved()
        await sim.aclose()
        with pytest.raises((EOFError, asyncssh.Error, OSError)):
            await session.ask("show clock")
    async with SimServer(start="as-found", state=state) as again:
        assert again.model.saved() == before
        assert len(again.model.servers.macs) == 4


async def test_run_announces_and_serves_until_it_is_stopped(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {kind: error, match: show clock, text: '% Busy'}\n")
    stop, ready = asyncio.Event(), asyncio.Queue[SimServer]()
    task = asyncio.create_task(run(start="small", faults_file=faults, announce=ready.put_nowait, stop=stop))
    sim = await ready.get()
    async with login(sim) as connection:
        assert (await connection.run("show clock;show chassis | include Type")).stdout == (
            "% Busy\r\nChassis Type  : SM15000\r\n"
        )
    stop.set()
    await task
    with pytest.raises(OSError, match="Connect"):
        await asyncio.open_connection("127.0.0.1", sim.port)
