"""Looking at the machine's processes, by what is on their command lines."""

import time
from pathlib import Path

ROOT = Path(__file__).parents[3]  # of the project: there `tests.kubelab` can be imported
_PATIENCE_SECONDS = 10.0


def mentioning(text: str) -> list[str]:
    """The command lines of living processes that hold this text."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if text in command:
            found.append(command)
    return found


def gone(text: str) -> bool:
    """Whether none is left, soon: the kernel ends orphans in its own time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while mentioning(text) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not mentioning(text)
