"""Faults as knobs: what goes wrong, at which command, how often. Deterministic: they count matches and nothing else.

Both faces consult them: the wire face for every command that is about to act, the in-process face for every action and
read, by the text of the commands that it would be.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rackwright_drivers.contract.errors import PermanentError


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"  # `seconds` pass before the command acts
    REFUSE = "refuse"  # a connection is closed before it begins; `match` plays no part
    DROP = "drop"  # the connection is lost `when` the command has not yet, or has, taken effect; no reply
    ERROR = "error"  # the reply is `text`, `when` it has not yet, or has, taken effect
    HALF = "half"  # the first `units` parts of a ranged command take effect, `then` an error or a drop
    HANG = "hang"  # no reply for ever, `when` it has not yet, or has, taken effect
    LOSE_ROWS = "lose-rows"  # the last `rows` rows of a table are lost, its trailer stays
    CUT_OUTPUT = "cut-output"  # the output stops in the middle


class Fault(BaseModel):
    """One knob. It strikes at the `nth` command that `match` (a regular expression) finds, and `times` in a row.

    `times` None is for ever.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    match: str = ""
    nth: Annotated[int, Field(ge=1)] = 1
    times: Annotated[int, Field(ge=1)] | None = 1
    when: Literal["before", "after"] = "before"
    then: Literal["error", "drop"] = "error"
    seconds: Annotated[float, Field(ge=0)] = 0.0
    text: str = "% Internal error"
    units: Annotated[int, Field(ge=0)] = 1
    rows: Annotated[int, Field(ge=1)] = 1

    @field_validator("match")
    @classmethod
    def _is_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"match '{value}' is not a regular expression: {error}") from error
        return value


Moment = Literal["before", "after"]
Watcher = Callable[[str, Moment], Awaitable[None]]


class Faults:
    """The knobs that are set, with what each has seen so far.

    `watcher` is awaited for every line on the wire, `before` it is taken and `after` it had its effect and was logged
    but not yet answered: for what only the peer of a session can do to it, such as ending the client's process.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.watcher: Watcher | None = None
        self._seen: list[tuple[Fault, list[str]]] = []
        self.replace(faults)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Set these and no others; all count from now."""
        self._seen = [(fault, []) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Set one more; it counts from now."""
        self._seen.append((fault, []))

    async def watch(self, line: str, moment: Moment) -> None:
        """Tell the watcher, where there is one, and wait for it."""
        if self.watcher is not None:
            await self.watcher(line, moment)

    def strike(self, command: str) -> tuple[Fault, ...]:
        """The faults that hit this command, in the order they were set."""
        return self._strike(command, connecting=False)

    def strike_connection(self) -> bool:
        """Whether this connection is refused."""
        return bool(self._strike("", connecting=True))

    def _strike(self, text: str, *, connecting: bool) -> tuple[Fault, ...]:
        struck = []
        for fault, seen in self._seen:
            if (fault.kind is FaultKind.REFUSE) is not connecting or not (connecting or re.search(fault.match, text)):
                continue
            seen.append(text)
            if fault.nth <= len(seen) and (fault.times is None or len(seen) < fault.nth + fault.times):
                struck.append(fault)
        return tuple(struck)


def first(faults: Sequence[Fault], *kinds: FaultKind, when: str | None = None) -> Fault | None:
    """The first of these kinds, at this time where it matters."""
    return next((fault for fault in faults if fault.kind in kinds and when in (None, fault.when)), None)


def garble(output: str, faults: Sequence[Fault]) -> str:
    """What is left of an output after the faults that lose rows or cut it."""
    for fault in faults:
        if fault.kind is FaultKind.CUT_OUTPUT:
            output = output[: len(output) // 2] + "\n"
        elif fault.kind is FaultKind.LOSE_ROWS:
            lines = output.splitlines(keepends=True)
            end = len(lines) - 1 if lines and lines[-1].startswith("* ") else len(lines)
            output = "".join([*lines[: max(end - fault.rows, 0)], *lines[end:]])
    return output


def parse(value: object, source: str = "faults") -> tuple[Fault, ...]:
    """Faults from plain data (a list of mappings). PermanentError says which is wrong and why."""
    try:
        return TypeAdapter(tuple[Fault, ...]).validate_python(value)
    except ValidationError as error:
        first_error = error.errors()[0]
        where = ".".join(str(part) for part in first_error["loc"]) or "the list"
        raise PermanentError(f"{source}: {where}: {first_error['msg']}") from error


def load(path: str | Path) -> tuple[Fault, ...]:
    """Faults from a YAML file that is a list of them."""
    try:
        value = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise PermanentError(f"faults file {path} cannot be read: {error}") from error
    return parse([] if value is None else value, f"faults file {path}")
