"""One burst of a driver: which lines stand for which action, and what their replies say became of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rackwright_drivers.chassis.seamicro import dialect
from rackwright_drivers.chassis.seamicro.render import EXEC, Path, render, route
from rackwright_drivers.contract.chassis import Action, ActionResult, Outcome
from rackwright_drivers.contract.errors import DriverError, UnsafeError
from rackwright_drivers.transports.shell import Command, Reply
from rackwright_drivers.transports.ssh_cli import Burst


@dataclass(frozen=True, slots=True)
class Passage:
    """The lines of one action within a script: from `start` the way there, from `change` to `end` what changes."""

    action: Action
    parts: bool
    start: int
    change: int
    end: int


@dataclass(frozen=True, slots=True)
class Script:
    """Lines that go in one write, beginning and ending in exec mode."""

    commands: tuple[Command, ...]
    passages: tuple[Passage, ...]


def scripts(actions: Sequence[Action]) -> list[Script]:
    """The fewest bursts for these actions in their order: what must go alone has its own."""
    groups: list[list[Action]] = []
    joinable = False
    for action in actions:
        alone = render(action).alone
        if alone or not joinable:
            groups.append([])
        groups[-1].append(action)
        joinable = not alone
    return [_script(group) for group in groups]


def judge(script: Script, burst: Burst) -> list[ActionResult]:
    """What became of each action, by its own replies."""
    if not burst.sent:
        return [ActionResult(passage.action, Outcome.NOT_SENT, burst.error) for passage in script.passages]
    return [_judge(passage, burst) for passage in script.passages]


def _script(actions: Sequence[Action]) -> Script:
    commands: list[Command] = []
    passages = []
    here: Path = EXEC
    for action in actions:
        rendered = render(action)
        start = len(commands)
        way = route(here, rendered.path)
        commands += [replace(command, action=action) for command in (*way, *rendered.lines)]
        passages.append(Passage(action, rendered.parts, start, start + len(way), len(commands)))
        here = rendered.path
    commands += [replace(command, action=actions[-1]) for command in route(here, EXEC)]
    return Script(tuple(commands), tuple(passages))


def _judge(passage: Passage, burst: Burst) -> ActionResult:
    replies = burst.replies[passage.start : passage.end]
    changes = burst.replies[passage.change : passage.end]
    if len(changes) < passage.end - passage.change:
        return ActionResult(passage.action, Outcome.UNCLEAR, burst.error)
    error = _first_error(replies)
    if error is None:
        return ActionResult(passage.action, Outcome.DONE)
    taken = [reply for reply in changes if not reply.refused]
    if any(reply.astray for reply in taken):
        error = UnsafeError(f"The device took `{taken[0].command.line}`, but its prompt shows another place: {error}")
    refused = all(_left_all(reply, passage.parts) for reply in changes)
    return ActionResult(passage.action, Outcome.FAILED if refused else Outcome.UNCLEAR, error)


def _first_error(replies: Sequence[Reply]) -> DriverError | None:
    for reply in replies:
        if reply.complaint is not None:
            return dialect.SHELL.error_of(reply.command.line, reply.complaint)
    return None


def _left_all(reply: Reply, parts: bool) -> bool:
    """Whether this reply proves that nothing happened: a clear refusal, and one of syntax where a part could happen."""
    if reply.declined is not None:
        return True
    if not reply.refused or not dialect.REFUSAL.match(reply.output):
        return False
    if parts:
        return dialect.NOT_UNDERSTOOD.search(reply.output) is not None
    return dialect.DOUBTFUL.search(reply.output) is None
