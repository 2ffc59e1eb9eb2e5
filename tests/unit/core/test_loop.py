"""The loop over scripted targets: it acts on what it has just seen, never twice on the same sight, and it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from rackwright.core.loop import MOST_ROUNDS, PATIENCE, Pass, run
from rackwright.core.resource import CHASSIS, Ref
from rackwright.core.risk import Risk
from rackwright.core.step import Decision, Grant, Step, Verdict
from rackwright_drivers.contract.chassis import Action, ActionResult, Outcome
from rackwright_drivers.contract.errors import ConflictError, DriverError, PermanentError, TransientError
from rackwright_drivers.contract.network import CreateVlan
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import Attach, ClearMetadata, Detach, VDisk, VolumeId
from tests.unit.core.kit import finish

OWNER = Ref(CHASSIS, "rack", "sm")
Answer = Outcome | tuple[Outcome, DriverError]


def step(action: Action, risk: Risk = Risk.SAFE) -> Step:
    return Step(action, (OWNER,), str(action), "because", risk, frozenset())


def vlan(number: int) -> Step:
    return step(CreateVlan(number))


def power(server: str) -> Step:
    return step(SetPower(server, Power.ON))


def clear(disk: str) -> Step:
    return step(ClearMetadata(2, (disk,)), Risk.DESTRUCTIVE)


def decision(allowed: Sequence[Step], granted: bool = False) -> Decision:
    grants = {OWNER: Grant("sha256:1", ())} if granted else {}
    return Decision({}, (), (tuple(allowed),) if allowed else (), (), Verdict(tuple(allowed), (), {}, grants), (), ())


@dataclass
class Device:
    """What is to be done is what is not done yet; `answers` are outcomes in the order of the actions, else all are done.

    `log` is everything that happened: `look`, `consent`, and each action as it was sent.
    """

    todo: list[Step]
    max_batch: int = 16
    answers: list[Answer] = field(default_factory=list)
    blind: bool = False
    early: int = 0
    granted: bool = False
    on_look: Callable[["Device"], None] = lambda _device: None
    log: list[str] = field(default_factory=list)
    sent: list[tuple[int, Action]] = field(default_factory=list)  # each with the number of looks before it

    async def observe(self) -> tuple[Step, ...]:
        self.log.append("look")
        self.on_look(self)
        return tuple(self.todo)

    def decide(self, state: tuple[Step, ...]) -> Decision:
        return decision(state, self.granted)

    async def record_consent(self, decision: Decision) -> None:
        if decision.verdict.granted:
            self.log.append("consent")
            self.granted = False

    async def execute(self, steps: Sequence[Step]) -> tuple[ActionResult, ...]:
        assert len(steps) <= self.max_batch
        self.log.append(" + ".join(item.name for item in steps))
        self.sent.extend((self.log.count("look"), item.action) for item in steps)
        results: list[ActionResult] = []
        for item in steps:
            if results and results[-1].outcome is not Outcome.DONE:
                results.append(ActionResult(item.action, Outcome.NOT_SENT, TransientError("one before it failed")))
                continue
            answer = self.answers.pop(0) if self.answers else Outcome.DONE
            outcome, error = answer if isinstance(answer, tuple) else (answer, None)
            results.append(ActionResult(item.action, outcome, error))
            if outcome is Outcome.DONE and not self.blind:
                self.todo.remove(item)
        return tuple(results)

    async def progress(self, decision: Decision) -> None:
        assert decision.verdict is not None

    async def settle(self) -> bool:
        self.early -= 1
        return self.early >= 0

    @property
    def writes(self) -> list[str]:
        return [entry for entry in self.log if entry not in ("look", "consent")]


def loop(device: Device) -> Pass[tuple[Step, ...]]:
    return finish(run(device))


def test_at_rest_it_looks_once_and_does_nothing() -> None:
    device = Device([])
    result = loop(device)
    assert device.log == ["look"]
    assert (result.applied, result.error, result.changed) == ((), None, False)


def test_it_looks_acts_and_looks_again() -> None:
    device = Device([vlan(1), vlan(2)])
    result = loop(device)
    assert device.log == ["look", "CreateVlan + CreateVlan", "look"]
    assert [item.outcome for _, item in result.applied] == [Outcome.DONE] * 2
    assert result.changed
    assert result.decision is not None
    assert result.decision.stages == ()


def test_batches_hold_one_kind_and_no_more_than_the_driver_takes() -> None:
    device = Device([*(vlan(number) for number in range(5)), power("0/0"), power("1/0")], max_batch=3)
    loop(device)
    assert device.writes == ["CreateVlan + CreateVlan + CreateVlan", "CreateVlan + CreateVlan", "SetPower + SetPower"]


def test_what_could_destroy_goes_alone_and_only_after_one_more_look_each() -> None:
    device = Device([clear("a"), clear("b"), vlan(1)], granted=True)
    loop(device)
    assert device.log == [
        "look",
        "consent",
        "look",
        "ClearMetadata",
        "look",
        "ClearMetadata",
        "CreateVlan",
        "look",
    ]


def test_consent_is_written_down_before_anything_is_sent() -> None:
    device = Device([vlan(1), clear("a")], granted=True)
    loop(device)
    assert device.log.index("consent") < device.log.index("CreateVlan")


def test_what_is_no_longer_called_for_just_before_is_not_done() -> None:
    """Somebody wrote something on the disk, or took the consent back, between the look and the command."""

    def changed(device: Device) -> None:
        if device.log.count("look") == 2:
            device.todo.clear()

    device = Device([clear("a")], on_look=changed)
    result = loop(device)
    assert device.writes == []
    assert result.error is None


def test_a_detach_that_was_safe_is_looked_at_again_when_time_has_passed() -> None:
    """A server that was off may have been switched on while the stage was under way."""

    def switched_on(device: Device) -> None:
        if device.writes and any(isinstance(item.action, Detach) for item in device.todo):
            device.todo = [item for item in device.todo if not isinstance(item.action, Detach)]

    device = Device([vlan(1), step(Detach(("0/0",), 0)), step(Attach(VDisk("1/0", 0), VolumeId(2, "p", "v")))])
    device.on_look = switched_on
    loop(device)
    assert device.writes == ["CreateVlan", "Attach"]
    first = Device([step(Detach(("0/0",), 0))])
    loop(first)
    assert first.log == ["look", "Detach", "look"], "with nothing in between the first look is fresh enough"


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (Outcome.FAILED, PermanentError("refused")),
        (Outcome.UNCLEAR, TransientError("no answer")),
        (Outcome.NOT_SENT, ConflictError("no longer ours")),
    ],
)
def test_a_failure_ends_the_pass_and_nothing_more_is_sent(outcome: Outcome, error: DriverError) -> None:
    device = Device([*(vlan(number) for number in range(4)), power("0/0")], 2, [Outcome.DONE] * 2 + [(outcome, error)])
    result = loop(device)
    assert device.writes == ["CreateVlan + CreateVlan"] * 2
    assert result.error is error
    assert [item.outcome for _, item in result.applied] == [Outcome.DONE] * 2 + [outcome, Outcome.NOT_SENT]
    assert result.changed


def test_a_failure_without_a_reason_is_an_error_all_the_same() -> None:
    result = loop(Device([vlan(1)], answers=[Outcome.UNCLEAR]))
    assert isinstance(result.error, TransientError)
    assert "Unclear" in str(result.error)


def test_what_is_unclear_is_looked_at_before_it_is_tried_again() -> None:
    device = Device([vlan(1)], answers=[(Outcome.UNCLEAR, TransientError("no answer"))])
    loop(device)
    device.todo.clear()  # it had happened
    second = loop(device)
    assert device.log == ["look", "CreateVlan", "look"]
    assert second.error is None
    again = Device([vlan(1)], answers=[(Outcome.UNCLEAR, TransientError("no answer"))])
    loop(again)
    loop(again)  # it had not
    assert again.log == ["look", "CreateVlan", "look", "CreateVlan", "look"]


def test_a_look_that_fails_is_the_result_and_not_an_exception() -> None:
    def away(_device: Device) -> None:
        raise TransientError("no route")

    result = loop(Device([vlan(1)], on_look=away))
    assert isinstance(result.error, TransientError)
    assert (result.state, result.decision, result.applied) == (None, None, ())


def test_what_has_no_effect_is_given_up() -> None:
    device = Device([vlan(1)], blind=True)
    result = loop(device)
    assert device.log == ["look", "CreateVlan"] * PATIENCE + ["look"]
    assert isinstance(result.error, TransientError)
    assert "still shows the old state (because)" in str(result.error)


def test_what_never_ends_is_ended() -> None:
    def another(device: Device) -> None:
        device.todo = [vlan(device.log.count("look"))]

    device = Device([], on_look=another)
    result = loop(device)
    assert len(device.writes) == MOST_ROUNDS
    assert "not done after" in str(result.error)


def test_nothing_is_done_on_a_look_that_came_too_early() -> None:
    device = Device([vlan(1)], early=1)
    loop(device)
    assert device.log == ["look", "look", "CreateVlan", "look"]


def test_no_action_is_ever_sent_twice_without_a_look_between() -> None:
    devices = [
        Device([vlan(n) for n in range(7)], 3, [Outcome.DONE, (Outcome.UNCLEAR, TransientError("?"))]),
        Device([clear("a"), clear("b"), vlan(1)], blind=True),
        Device([vlan(1), power("0/0")], 1, blind=True),
    ]
    for device in devices:
        for _ in range(3):
            loop(device)
        assert len(device.sent) > len({action for _, action in device.sent}), "it was tried more than once"
        assert len(set(device.sent)) == len(device.sent)
