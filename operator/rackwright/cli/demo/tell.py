"""What the demo tells a person while it goes on, one line at a time; `--headless` prints it, the live view shows it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.text import Text

KEPT = 200

STEP, GOOD, BAD, COMMAND, OUTPUT = "bold", "green", "red", "cyan", "dim"


@dataclass(frozen=True)
class Line:
    """One line: seconds since the demo began, what is said, and the style that says what kind of line it is."""

    seconds: float
    text: str
    style: str = ""


class Listener(Protocol):
    """Told every line."""

    def __call__(self, line: Line, /) -> None:
        """Show it."""


class Teller:
    """Keeps the latest lines and hands them on."""

    def __init__(self, listener: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self._listener = listener
        self._clock = clock
        self._start = clock()
        self.lines: deque[Line] = deque(maxlen=KEPT)

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return self._clock() - self._start

    def say(self, text: str, style: str = "") -> None:
        """One sentence."""
        line = Line(self.seconds, text, style)
        self.lines.append(line)
        self._listener(line)

    def command(self, text: str) -> None:
        """A command line that is about to be run."""
        self.say(f"$ {text}", COMMAND)

    def output(self, text: str, most: int | None = None) -> None:
        """What a command printed; of more lines than `most`, the first and the last."""
        lines = [line for line in text.splitlines() if line.strip()]
        if most is not None and len(lines) > most:
            half = most // 2
            lines = [*lines[:half], f"… {len(lines) - 2 * half} more lines", *lines[-half:]]
        for line in lines:
            self.say(f"  {line}", OUTPUT)


def printing(console: Console) -> Listener:
    """Prints every line as it comes."""

    def show(line: Line) -> None:
        console.print(Text(f"{line.seconds:6.1f}  "), Text(line.text, line.style), sep="", soft_wrap=True)

    return show
