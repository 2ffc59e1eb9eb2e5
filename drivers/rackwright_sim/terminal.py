"""The line discipline of a login: echo, editing keys, history. Fed with text it gives lines; it writes by a callback.

Lines sent ahead wait unread, and each is echoed only when it is read, after the prompt: as the chassis does.
"""

import asyncio
import re
from collections.abc import Callable

_PLAIN = re.compile(r"[^\x00-\x1f\x7f]+")
_ESCAPE = re.compile(r"\x1b[\[O]([0-9;]*)([A-Za-z~])")
_HISTORY = 200


class Interrupted(Exception):
    """Ctrl-C: the line is given up."""


class Terminal:
    """Reads edited lines from what `feed` brings. One reader at a time."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._pending = ""
        self._more = asyncio.Event()
        self._ended = False
        self._history: list[str] = []
        self._place = 0
        self._line = ""
        self._cursor = 0

    def feed(self, text: str) -> None:
        """More input."""
        self._pending += text
        self._more.set()

    def end(self) -> None:
        """No more input will come."""
        self._ended = True
        self._more.set()

    async def read_key(self) -> str | None:
        """One character, not echoed; None at the end."""
        if not await self._input():
            return None
        key, self._pending = self._pending[0], self._pending[1:]
        return key

    async def read_line(self, *, remember: bool = True) -> str | None:
        """The next line, echoed as it is read; None at the end or at Ctrl-D. Raises Interrupted at Ctrl-C."""
        self._line, self._cursor, self._place = "", 0, len(self._history)
        while True:
            await self._input()
            if plain := _PLAIN.match(self._pending):
                self._pending = self._pending[plain.end() :]
                self._insert(plain[0])
                continue
            key = await self.read_key()
            if key is None or (key == "\x04" and not self._line):
                return None
            if key in "\r\n":
                return self._finish(key, remember)
            if key == "\x03":
                self._write("^C\r\n")
                raise Interrupted
            if key == "\x1a":  # CNTL/Z ends configuration
                self._write("^Z\r\n")
                return "end"
            await self._edit(key)

    async def _input(self) -> bool:
        """Wait for input; False where none will come."""
        while not self._pending and not self._ended:
            self._more.clear()
            await self._more.wait()
        return bool(self._pending)

    def _finish(self, key: str, remember: bool) -> str:
        if key == "\r" and self._pending.startswith("\n"):
            self._pending = self._pending[1:]
        self._write("\r\n")
        if remember and self._line.strip():
            self._history = [*self._history[-_HISTORY:], self._line]
        return self._line

    async def _edit(self, key: str) -> None:
        line, at = self._line, self._cursor
        if key in "\x08\x7f" and at:
            self._redraw(line[: at - 1] + line[at:], at - 1)
        elif key == "\x04":
            self._redraw(line[:at] + line[at + 1 :], at)
        elif key == "\x15":
            self._redraw(line[at:], 0)
        elif key == "\x0b":
            self._redraw(line[:at], at)
        elif key == "\x17":
            kept = line[:at].rstrip().rpartition(" ")
            self._redraw(kept[0] + kept[1] + line[at:], len(kept[0] + kept[1]))
        elif key in _MOVES:
            self._move(_MOVES[key])
        elif key == "\x1b":
            await self._escape()

    async def _escape(self) -> None:
        """An escape sequence; it may come in pieces."""
        sequence = "\x1b"
        while len(sequence) < 8 and not _ESCAPE.fullmatch(sequence):
            key = await self.read_key()
            if key is None:
                return
            sequence += key
            if len(sequence) == 2 and key not in "[O":
                return
        if match := _ESCAPE.fullmatch(sequence):
            if match[2] == "~" and match[1] == "3":
                self._redraw(self._line[: self._cursor] + self._line[self._cursor + 1 :], self._cursor)
            else:
                self._move(match[2])

    def _move(self, to: str) -> None:
        if to in "AB":
            self._recall(-1 if to == "A" else 1)
            return
        places = {"D": self._cursor - 1, "C": self._cursor + 1, "H": 0, "F": len(self._line)}
        self._redraw(self._line, min(max(places.get(to, self._cursor), 0), len(self._line)))

    def _recall(self, step: int) -> None:
        self._place = min(max(self._place + step, 0), len(self._history))
        line = self._history[self._place] if self._place < len(self._history) else ""
        self._redraw(line, len(line))

    def _insert(self, text: str) -> None:
        if self._cursor == len(self._line):
            self._line += text
            self._cursor += len(text)
            self._write(text)
        else:
            self._redraw(self._line[: self._cursor] + text + self._line[self._cursor :], self._cursor + len(text))

    def _redraw(self, line: str, cursor: int) -> None:
        """Show another line in place of this one, with the cursor there; by backspaces, which every terminal knows."""
        blank = max(len(self._line) - len(line), 0)
        back = len(line) + blank - cursor
        self._write("\b" * self._cursor + line + " " * blank + "\b" * back)
        self._line, self._cursor = line, cursor


_MOVES = {"\x01": "H", "\x05": "F", "\x02": "D", "\x06": "C", "\x10": "A", "\x0e": "B"}
