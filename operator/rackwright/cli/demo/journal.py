"""The end of the operator's journal, whichever file it is in."""

from collections.abc import Mapping
from pathlib import Path

import orjson

BLOCK_BYTES = 64 * 1024


def latest(path: Path, lines: int) -> tuple[Mapping[str, object], ...]:
    """The last entries in a file of JSON lines; whatever else is in it is passed over. Reads its end only."""
    if not path.exists():
        return ()
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - BLOCK_BYTES))
        block = file.read()
    entries = (entry for line in block.splitlines() if (entry := _entry(line)) is not None)
    return tuple(entries)[-lines:]


def _entry(line: bytes) -> Mapping[str, object] | None:
    if not line.startswith(b"{"):
        return None
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None  # cut by the block, or being written right now
    return entry if isinstance(entry, dict) and "journal" in entry else None
