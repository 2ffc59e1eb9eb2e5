"""The knobs: when they strike, what they do to a command and to what is printed."""

from pathlib import Path

import pytest

from rackwright_drivers.contract.errors import PermanentError
from rackwright_sim.console import Console, Reply
from rackwright_sim.faults import Fault, FaultKind, Faults, garble, load, parse
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Recorder

TABLE = "head\na\nb\nc\n* 3 entries\n"
UNASSIGN = "storage unassign 32/0 0"


def strikes(fault: Fault, commands: str) -> str:
    faults = Faults([fault])
    return "".join("x" if faults.strike(command) else "." for command in commands)


def test_a_fault_strikes_at_the_nth_match_and_so_many_times() -> None:
    error = FaultKind.ERROR
    assert strikes(Fault(kind=error, match="a", nth=2, times=2), "abaaaba") == "..xx..."
    assert strikes(Fault(kind=error, match="^[ab]$", nth=3, times=None), "abcab") == "...xx"
    assert strikes(Fault(kind=error), "abc") == "x.."


def test_refused_connections_and_commands_count_apart() -> None:
    faults = Faults([Fault(kind=FaultKind.REFUSE, nth=2, times=1), Fault(kind=FaultKind.ERROR)])
    assert not faults.strike_connection()
    assert [fault.kind for fault in faults.strike("a")] == [FaultKind.ERROR]
    assert faults.strike_connection()
    assert not faults.strike_connection()


def test_replacing_and_adding_start_the_count_anew() -> None:
    faults = Faults([Fault(kind=FaultKind.ERROR, nth=2)])
    faults.strike("a")
    faults.replace([Fault(kind=FaultKind.ERROR, nth=2)])
    assert not faults.strike("a")
    faults.add(Fault(kind=FaultKind.DROP))
    assert [fault.kind for fault in faults.strike("a")] == [FaultKind.ERROR, FaultKind.DROP]


def test_truncated_output() -> None:
    assert garble(TABLE, [Fault(kind=FaultKind.LOSE_ROWS, rows=2)]) == "head\na\n* 3 entries\n"
    assert garble("head\na\nb\n", [Fault(kind=FaultKind.LOSE_ROWS)]) == "head\na\n"
    cut = garble(TABLE, [Fault(kind=FaultKind.CUT_OUTPUT)])
    assert TABLE.startswith(cut.removesuffix("\n"))
    assert "entries" not in cut


async def test_a_watcher_sees_every_line_before_its_effect_and_after_it() -> None:
    model, faults = ChassisModel.load("small"), Faults()
    seen: list[tuple[str, str, int]] = []

    async def watcher(line: str, moment: str) -> None:
        seen.append((line, moment, len(model.storage.attachments.items())))

    faults.watcher = watcher
    console = Console(model, Recorder(), faults, name="test")
    for line in ("configure terminal", "  ", UNASSIGN, "nonsense"):
        await console.run(f"{line} ")
    assert seen == [
        ("configure terminal", "before", 1),
        ("configure terminal", "after", 1),
        (UNASSIGN, "before", 1),
        (UNASSIGN, "after", 0),
        ("nonsense", "before", 0),
        ("nonsense", "after", 0),
    ]


async def run(fault: Fault, *lines: str, model: ChassisModel | None = None) -> tuple[Reply, ChassisModel, Recorder]:
    """The reply to the last line."""
    model = model or ChassisModel.load("small")
    recorder = Recorder()
    console = Console(model, recorder, Faults([fault]), name="test")
    reply = Reply()
    for line in lines:
        reply = await console.run(line)
    return reply, model, recorder


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (FaultKind.DROP, Reply(drop=True)),
        (FaultKind.HANG, Reply(hang=True)),
        (FaultKind.ERROR, Reply("% Internal error\n")),
    ],
)
@pytest.mark.parametrize(("when", "left"), [("before", 1), ("after", 0)])
async def test_instead_of_a_reply_before_or_after_the_effect(
    kind: FaultKind, reply: Reply, when: str, left: int
) -> None:
    fault = Fault.model_validate({"kind": kind, "match": "unassign", "when": when})
    got, model, recorder = await run(fault, "conf t", UNASSIGN)
    assert got == reply
    assert len(list(model.storage.attachments)) == left
    assert recorder.log[-1].outcome == "fault"
    assert recorder.log[-1].detail == f"{kind} {when} effect"


async def test_a_command_with_questions_is_struck_when_it_would_act() -> None:
    lines = ("storage clear-metadata disk JBOD2/6-7 slot 2", "yes", "yes")
    fault = Fault(kind=FaultKind.DROP, match="clear-metadata", when="after")
    _, model, recorder = await run(fault, *lines)
    assert model.storage.disks["JBOD2/6"].metadata == "None"
    assert [entry.outcome for entry in recorder.log] == ["asked", "asked", "fault"]


@pytest.mark.parametrize(("then", "reply"), [("error", Reply("% Internal error\n")), ("drop", Reply(drop=True))])
async def test_a_command_that_half_happens(then: str, reply: Reply) -> None:
    fault = Fault.model_validate({"kind": "half", "match": "volume-prefix", "units": 4, "then": then})
    line = "storage create volume-prefix 7/RAIDPOOL/v size 10 count 9"
    got, model, _ = await run(fault, line)
    assert got == reply
    assert sorted(volume.name for volume in model.storage.volumes) == ["RAIDVOL-0", "v-0", "v-1", "v-2", "v-3"]


async def test_a_half_of_something_whole_happens_and_is_denied() -> None:
    got, model, _ = await run(Fault(kind=FaultKind.HALF, match="unassign", text="% Oops"), "conf t", UNASSIGN)
    assert got == Reply("% Oops\n")
    assert not list(model.storage.attachments)


async def test_lost_rows_leave_the_trailer() -> None:
    got, _, recorder = await run(Fault(kind=FaultKind.LOSE_ROWS, match="disk brief", rows=3), "show storage disk brief")
    lines = got.text.splitlines()
    assert len(lines) == 1 + 65 + 1
    assert lines[-1] == "* 68 entries"
    assert recorder.log[-1].detail == "output truncated"


async def test_latency_passes_before_the_command_acts() -> None:
    got, _, _ = await run(Fault(kind=FaultKind.LATENCY, seconds=0.001), "show chassis")
    assert got.text.startswith("Chassis Type")


def test_faults_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(
        "- {kind: latency, seconds: 0.05, times: null}\n- {kind: drop, match: ^storage, nth: 3, when: after}\n"
    )
    assert load(path) == (
        Fault(kind=FaultKind.LATENCY, seconds=0.05, times=None),
        Fault(kind=FaultKind.DROP, match="^storage", nth=3, when="after"),
    )
    path.write_text("")
    assert load(path) == ()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([{"kind": "explode"}], "0.kind: Input should be 'latency'"),
        ([{"kind": "drop", "match": "("}], "not a regular expression"),
        ([{"kind": "drop", "nth": 0}], "0.nth: Input should be greater"),
        ("drop", "the list: Input should be a valid tuple"),
    ],
)
def test_wrong_faults_say_what_and_where(value: object, sentence: str) -> None:
    with pytest.raises(PermanentError) as error:
        parse(value)
    assert sentence in str(error.value)


def test_a_missing_faults_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"gone\.yaml cannot be read"):
        load(tmp_path / "gone.yaml")
