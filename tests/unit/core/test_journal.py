"""The journal: one JSON line a command, bounded, nothing lost on the way."""

import io
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from rackwright.core.journal import OUTPUT_LIMIT, Entry, FileSink, Journal, stream_sink

WHEN = datetime(2026, 2, 1, 12, 30, 0, 123456, UTC)


def entry(command: str = "show vlan", **changes: object) -> Entry:
    made: dict[str, object] = {
        "endpoint": "sm:22",
        "object": "Chassis/sm",
        "purpose": "observe",
        "why": "a look",
        "command": command,
        "result": "ok",
        "seconds": 0.123456,
    }
    return Entry(**{**made, **changes})  # type: ignore[arg-type]


def lines(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_says_when_for_whom_why_what_with_what_result_and_how_long(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "deep" / "journal.jsonl")
    stream = io.StringIO()
    Journal(sink, stream_sink(stream), now=lambda: WHEN).write(entry("storage assign 0/0 0", output="%" * 900))
    sink.close()
    found = lines(tmp_path / "deep" / "journal.jsonl")
    assert found == [
        {
            "time": "2026-02-01T12:30:00.123+00:00",
            "journal": "observe",
            "endpoint": "sm:22",
            "object": "Chassis/sm",
            "why": "a look",
            "command": "storage assign 0/0 0",
            "result": "ok",
            "seconds": 0.1235,
            "output": "%" * OUTPUT_LIMIT,
        }
    ]
    assert orjson.loads(stream.getvalue()) == found[0]


def test_line_breaks_and_odd_characters_stay_within_a_line(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "journal.jsonl")
    Journal(sink).write(entry("two\nlines", result="€ \x00 …"))
    sink.close()
    assert [item["command"] for item in lines(tmp_path / "journal.jsonl")] == ["two\nlines"]


def test_the_file_is_bounded_and_the_one_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    sink = FileSink(path, bound_bytes=1000)
    journal = Journal(sink)
    for number in range(40):
        journal.write(entry(f"command {number}"))
    sink.close()
    kept = lines(path.with_name("journal.jsonl.1")) + lines(path)
    assert [item["command"] for item in kept] == [f"command {n}" for n in range(40 - len(kept), 40)], "no gap between"
    assert path.stat().st_size <= 1000
    assert path.with_name("journal.jsonl.1").stat().st_size <= 1000
    assert sorted(item.name for item in tmp_path.iterdir()) == ["journal.jsonl", "journal.jsonl.1"]


def test_a_disk_that_takes_half_a_line_is_told_and_the_next_line_is_whole(tmp_path: Path) -> None:
    """A nearly full disk takes what fits and reports success."""
    path = tmp_path / "journal.jsonl"
    sink = FileSink(path)
    disk = sink._file

    class Nearly:
        def tell(self) -> int:
            return disk.tell()

        def write(self, data: bytes) -> int:
            return disk.write(data[:20]) or 0

    sink._file = Nearly()  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(OSError, match="No space left on device"):
            Journal(sink).write(entry("lost"))
    sink._file = disk
    Journal(sink).write(entry("kept"))
    sink.close()
    *_, last = path.read_bytes().splitlines()
    assert orjson.loads(last)["command"] == "kept"


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for number in range(6):
        sink = FileSink(path, bound_bytes=700)
        Journal(sink).write(entry(f"command {number}"))
        sink.close()
    kept = lines(path.with_name("journal.jsonl.1")) + lines(path)
    assert [item["command"] for item in kept] == [f"command {number}" for number in range(6)]
