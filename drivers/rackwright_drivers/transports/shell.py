"""What a device shell prints, cut into one reply a line sent: pure, so that every way to fall out of step is testable.

The engine (`ssh_cli`) writes lines and feeds what comes back to a `ReplyReader`; a vendor describes its shell by a
`ShellDialect` and each line by a `Command`.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rackwright_drivers.contract.chassis import Action
from rackwright_drivers.contract.errors import DriverError, PermanentError

SILENT = re.compile("")
ANYTHING = re.compile(".*", re.DOTALL)

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\r\x00\x07]")
_HALF_CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*)?$")
_CURLY_QUOTES = str.maketrans("‘’“”", "''\"\"")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt taken apart: `host`, the `mode` between parentheses (empty at the top) and the level mark."""

    host: str
    mode: str
    level: str


@dataclass(frozen=True, slots=True)
class ShellDialect:
    """How one vendor's shell behaves, as data.

    `prompt` has a place for the `{host}` and the groups `mode` and `level`; `question` matches the mark of anything the
    shell asks, `(yes/no):`; `decline` is the answer that changes nothing. Where a login lands at `user_level`, `enable`
    leads on.
    `refusals` are tried in order on what a refused line printed; the first match decides the kind of error.
    """

    prompt: str
    question: re.Pattern[str]
    decline: str
    user_level: str
    enable: str
    refusals: tuple[tuple[re.Pattern[str], type[DriverError]], ...]

    def prompt_of(self, host: str | None) -> re.Pattern[str]:
        """The pattern of this host's prompts, or of any host's where it is not known yet."""
        name = re.escape(host) if host is not None else r"[A-Za-z0-9][\w.-]*"
        return re.compile(self.prompt.format(host=f"(?P<host>{name})"))

    def asks(self, text: str) -> bool:
        """Whether this ends in a question that waits for its answer."""
        return any(not text[found.end() :].strip() for found in self.question.finditer(text))

    def error_of(self, line: str, complaint: str) -> DriverError:
        """The error for a line with this complaint."""
        kind = next((kind for pattern, kind in self.refusals if pattern.search(complaint)), PermanentError)
        return kind(f"`{line}` did not go as it should: {complaint}")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a command is known to ask, to the letter, and its answer."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Command:
    """One line to type. `expect` must match all that it prints; `leads_to` is the mode it ends in (None: any)."""

    line: str
    expect: re.Pattern[str] = SILENT
    leads_to: str | None = None
    questions: tuple[Question, ...] = ()
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What one line brought: `output` without echo, prompt and questions, ending in a newline where the device did.

    `asked` holds each question with the answer it got; `declined` is the one that was not known and got a no.
    """

    command: Command
    output: str
    prompt: Prompt
    asked: tuple[str, ...] = ()
    declined: str | None = None

    @property
    def transcript(self) -> str:
        """All that was printed, with the answers given."""
        return "".join(f"{exchange}\n" for exchange in self.asked) + self.output

    @property
    def refused(self) -> bool:
        """Whether the device did not take the line: it printed something else than expected, or was told no."""
        return self.declined is not None or not self.command.expect.fullmatch(self.output.strip())

    @property
    def astray(self) -> bool:
        """Whether the shell stands in another mode afterwards than it should."""
        return self.command.leads_to is not None and self.command.leads_to != self.prompt.mode

    @property
    def complaint(self) -> str | None:
        """Why this is not the expected reply, or None where it is."""
        if self.declined is not None:
            return f"it asked what nobody expected and was told no: {' '.join(self.declined.split())}"
        if self.refused:
            return " ".join(self.output.split()) or "it printed nothing where it should confirm"
        if self.astray:
            return f"it left the shell in mode `{self.prompt.mode}` and not in `{self.command.leads_to}`"
        return None


class OutOfStepError(Exception):
    """What was printed cannot be told apart into replies: the session is of no more use."""


def readable(text: str) -> str:
    """Without carriage returns, bells and terminal control sequences."""
    return _CONTROL.sub("", text)


@dataclass(slots=True)
class ReplyReader:
    """Takes what the shell prints after `commands` were sent in one piece, and cuts it into `replies`.

    `echoes` says whether this shell repeats what is typed (None: found out from the first reply). Where it does, every
    reply must hold the echo of its own line: that proves that a reply belongs to its line. Text typed ahead may be
    echoed early.
    """

    dialect: ShellDialect
    host: str
    commands: Sequence[Command]
    echoes: bool | None = None
    replies: list[Reply] = field(default_factory=list)
    _text: str = ""
    _held: str = ""
    _after_prompt: bool = False
    _asked: list[str] = field(default_factory=list)
    _declined: str | None = None
    _unechoed: deque[str] = field(default_factory=deque)
    _prompt: re.Pattern[str] = SILENT

    def __post_init__(self) -> None:
        """Nothing is echoed yet."""
        self._unechoed = deque(command.line for command in self.commands)
        self._prompt = self.dialect.prompt_of(self.host)

    @property
    def done(self) -> bool:
        """Whether every line has its reply."""
        return len(self.replies) == len(self.commands)

    def feed(self, chunk: str) -> None:
        """Take more text. Raises OutOfStepError, and then the last replies are as good as not there."""
        start = max(0, len(self._text) - len(self.host) - 64)
        self._text += self._printed(chunk)
        while not self.done and (found := self._prompt.search(self._text, start)):
            body, self._text = self._text[: found.start()], self._text[found.end() :]
            self._after_prompt = True
            self._skip_blank()
            start = 0
            self._finish(body, found)
        if self.done and self._text.strip():
            self.replies.pop()
            raise OutOfStepError(f"the device went on after its prompt: {self._text.strip()[:80]!r}")

    @property
    def question(self) -> str | None:
        """What the shell asks and waits for, if it does.

        A question within a burst has eaten the next line: OutOfStepError.
        """
        if self.done or not self.dialect.asks(self._text):
            return None
        if len(self.commands) > 1:
            raise OutOfStepError(f"the device asked in the middle of a burst: {self._text.strip()[-80:]!r}")
        self._text = self._without_echo(self._text)
        return "\n".join(part.strip() for part in self._text.strip().splitlines()).translate(_CURLY_QUOTES)

    def answer(self, question: str) -> str:
        """What to type: the known answer where this is the known question, to the letter; else a no."""
        known = self.commands[0].questions
        expected = known[len(self._asked)] if len(self._asked) < len(known) else None
        if self._declined is None and expected is not None and expected.text == question:
            text = expected.answer
        else:
            text = self.dialect.decline
            self._declined = self._declined or question
        self._asked.append(f"{question} {text}")
        self._text = ""
        self._unechoed = deque([text])
        return text

    def _printed(self, chunk: str) -> str:
        text = self._held + chunk
        half = _HALF_CONTROL.search(text)
        self._held = text[half.start() :] if half else ""
        text = readable(text[: half.start()] if half else text)
        if self._after_prompt and text and not self._text:
            self._after_prompt = False
            text = text.removeprefix(" ")
        return text

    def _skip_blank(self) -> None:
        if self._text:
            self._after_prompt = False
            self._text = self._text.removeprefix(" ")

    def _finish(self, body: str, found: re.Match[str]) -> None:
        command = self.commands[len(self.replies)]
        output = self._without_echo(body)
        if len(self.commands) > 1 and self.dialect.question.search(output):
            raise OutOfStepError(f"`{command.line}` asked in the middle of a burst: {output.strip()[-80:]!r}")
        if not self._asked:
            self._check_echo(command)
        prompt = Prompt(found["host"], found["mode"] or "", found["level"])
        self.replies.append(Reply(command, output, prompt, tuple(self._asked), self._declined))

    def _check_echo(self, command: Command) -> None:
        echoed = len(self.commands) - len(self._unechoed) > len(self.replies)
        if self.echoes is None:
            self.echoes = echoed
        if self.echoes and not echoed:
            raise OutOfStepError(f"the reply to `{command.line}` does not begin with its echo")

    def _without_echo(self, body: str) -> str:
        kept = []
        for line in body.splitlines(keepends=True):
            if self._unechoed and line.split() == self._unechoed[0].split():
                self._unechoed.popleft()
            else:
                kept.append(line)
        text = "".join(kept)
        return text if text.strip() else ""
