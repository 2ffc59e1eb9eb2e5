"""The command line of the simulated chassis as a state machine: a line in, a step out. No input or output of its own.

A step that asks is answered by the next line; a step that acts has not acted yet when it is returned, so that the face
that runs it can let a fault strike before or after.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rackwright_drivers.contract.network import Port, Uplink
from rackwright_sim.commands import Command, Kind, Mode, find
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Refusal

INVALID = "Invalid input detected"
_WORD = re.compile(r'"[^"]*"|\S+')
_PIPE = re.compile(r"(?<!\\)\|")
_FILTERS = {"include": True, "i": True, "exclude": False, "e": False}


@dataclass(frozen=True, slots=True)
class Step:
    """What a line means. `act` makes it so and gives what is printed, or raises Refusal; None where it is not yet time.

    `command` is the whole command also where the line was only the last answer to its questions; `name` are the words
    that it begins with, where it is one that the chassis knows.
    """

    command: str
    kind: Kind
    name: str = ""
    output: str = ""
    act: Callable[[], str] | None = None


@dataclass(slots=True)
class _Asking:
    command: str
    questions: list[str]
    act: Callable[[], str]


class CliSession:
    """One login. `mode`, `server` and `port` are where it stands; `prompt` is what it shows next."""

    def __init__(self, model: ChassisModel, *, user_mode: bool = False) -> None:
        self.model = model
        self.mode = Mode.USER if user_mode else Mode.EXEC
        self.server = ""
        self.port: Port = Uplink("")
        self.closed = False
        self._asking: _Asking | None = None

    @property
    def asking(self) -> bool:
        """Whether the next line is an answer."""
        return self._asking is not None

    @property
    def prompt(self) -> str:
        """The prompt, or the question that waits for its answer."""
        if self._asking is not None:
            return self._asking.questions[0]
        inside = {
            Mode.USER: ">",
            Mode.EXEC: "#",
            Mode.CONFIG: "(config)#",
            Mode.SERVER: f"(config-id-{self.server})#",
            Mode.NIC: f"(config-nic-{getattr(self.port, 'index', '')})#",
            Mode.UPLINK: f"(config-if-{getattr(self.port, 'port', '').replace(' ', '-')})#",
        }
        return f"{self.model.about.hostname}{inside[self.mode]} "

    def take(self, line: str) -> Step | None:
        """One command or answer; None for an empty line."""
        if self._asking is not None:
            return self._answer(self._asking, line.strip())
        words = _WORD.findall(_PIPE.split(line)[0])
        if not words:
            return None
        command = line.strip()
        found = find(words, self.mode)
        filtered = _filters(line)
        if found is None or filtered is None:
            return Step(command, Kind.INVALID, act=_invalid)
        return self._begin(command, *found, filtered)

    def interrupt(self) -> None:
        """Give up a question that waits."""
        self._asking = None

    def _begin(self, text: str, command: Command, args: dict[str, str], filtered: Callable[[str], str]) -> Step:
        def act() -> str:
            return filtered(command.run(self, args))

        if command.questions and "no-confirm" not in args:
            self._asking = _Asking(text, list(command.questions), act)
            return Step(text, command.kind, command.name, command.preamble)
        return Step(text, command.kind, command.name, act=act)

    def _answer(self, asking: _Asking, answer: str) -> Step:
        if answer.lower() != "yes":
            self._asking = None
            return Step(asking.command, Kind.ANSWER, output="Operation cancelled.\n")
        asking.questions.pop(0)
        if asking.questions:
            return Step(asking.command, Kind.ANSWER)
        self._asking = None
        return Step(asking.command, Kind.ANSWER, act=asking.act)


def split(line: str) -> list[str]:
    """The commands of a line that joins several by `;`."""
    return [part for part in line.split(";") if part.strip()] or [""]


def paged(line: str) -> bool:
    """Whether the pager may stop the output of this line."""
    return all(part.strip() != "nomore" for part in _PIPE.split(line)[1:])


def _invalid() -> str:
    raise Refusal(INVALID)


def _filters(line: str) -> Callable[[str], str] | None:
    """What `| include RE | exclude RE | nomore` makes of an output; None where they are not well formed."""
    keep: list[tuple[bool, re.Pattern[str]]] = []
    for part in _PIPE.split(line)[1:]:
        word, _, expression = part.strip().partition(" ")
        if word == "nomore" and not expression:
            continue
        if word not in _FILTERS or not expression:
            return None
        try:
            keep.append((_FILTERS[word], re.compile(expression.strip().replace(r"\|", "|"))))
        except re.error:
            return None

    def filtered(output: str) -> str:
        lines = output.splitlines(keepends=True)
        return "".join(line for line in lines if all(bool(pattern.search(line)) is wanted for wanted, pattern in keep))

    return filtered
