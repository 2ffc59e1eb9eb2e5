"""The journal: every device command, one JSON line, to standard output and to a bounded file.

A line says when, for which object, why, what, with what result and how long it took. The format is the same in a cluster
and on a folder of manifests. What changes a device is written down before it is sent too, all of a batch in one line: else
nobody could tell what was on its way when a process was killed.
"""

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import orjson

OUTPUT_LIMIT = 500  # characters of a reply that a line keeps; tables are read, not journalled


@dataclass(frozen=True, slots=True)
class Entry:
    """One device command, or the pass that a run of reads was for."""

    endpoint: str
    object: str
    purpose: str  # observe; send: about to be sent; apply: what became of it
    why: str
    command: str
    result: str  # ok, or the sentence of the error
    seconds: float
    output: str = ""


class Journal:
    """Appends entries to its sinks."""

    def __init__(
        self, *sinks: Callable[[bytes], None], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sinks = sinks
        self._now = now

    def write(self, entry: Entry) -> None:
        """One line to every sink."""
        line: dict[str, Any] = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "journal": entry.purpose,
            "endpoint": entry.endpoint,
            "object": entry.object,
            "why": entry.why,
            "command": entry.command,
            "result": entry.result,
            "seconds": round(entry.seconds, 4),
        }
        if entry.output:
            line["output"] = entry.output[:OUTPUT_LIMIT]
        data = orjson.dumps(line) + b"\n"
        for sink in self._sinks:
            sink(data)


def stream_sink(stream: TextIO = sys.stdout) -> Callable[[bytes], None]:
    """A sink that writes to a text stream and flushes, so that a crash loses nothing."""

    def write(data: bytes) -> None:
        stream.write(data.decode())
        stream.flush()

    return write


class FileSink:
    """A file that never grows beyond twice its bound: when full it becomes `NAME.1` and a new one begins.

    A line that a crash or a full disk cut short stays as it is, on a line of its own.
    """

    def __init__(self, path: Path, bound_bytes: int = 16 * 1024 * 1024) -> None:
        self._path = path
        self._bound = bound_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)
        self._torn = False
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")

    def __call__(self, data: bytes) -> None:
        """Append one line. OSError where it does not go in whole."""
        if self._file.tell() + len(data) > self._bound:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("ab", buffering=0)
            self._torn = False
        line = b"\n" + data if self._torn else data
        written = self._file.write(line)  # a disk that is nearly full takes a part and says nothing
        if written != len(line):
            self._torn = self._torn or written > 0
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._torn = False

    def close(self) -> None:
        """Close the file."""
        self._file.close()
