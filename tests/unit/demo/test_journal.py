"""The end of a journal, and what of it is worth a line."""

from pathlib import Path

import orjson

from rackwright.cli.demo.journal import BLOCK_BYTES, Sent, gist, latest


def entry(command: str, purpose: str = "apply", second: int = 0) -> dict[str, object]:
    return {
        "time": f"2026-01-01T10:00:{second:02d}.000+00:00",
        "journal": purpose,
        "object": "ComputeNode/a",
        "why": "wanted power On, found power Off",
        "command": command,
    }


def test_only_entries_are_read_from_a_file_that_has_logs_too(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [orjson.dumps(entry(f"c{n}")) for n in range(5)]
    path.write_bytes(b"plain text\n" + b'{"event": "a log line"}\n' + b"\n".join(lines) + b'\n{"journal": "app')
    assert [item["command"] for item in latest(path, 3)] == ["c2", "c3", "c4"]
    assert latest(tmp_path / "none", 3) == ()


def test_of_a_long_file_only_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(orjson.dumps(entry(f"c{n}")) + b"\n" for n in range(BLOCK_BYTES // 50)))
    found = latest(path, BLOCK_BYTES)
    assert 0 < len(found) < BLOCK_BYTES // 50
    assert found[-1]["command"] == f"c{BLOCK_BYTES // 50 - 1}"


def test_the_gist_leaves_out_steps_between_modes_and_folds_reads_into_looks() -> None:
    entries = [
        entry("show chassis | nomore", "observe", 1),
        entry("show vlan | nomore", "observe", 1),
        entry("configure terminal", second=3),
        entry("server id 2/0", second=3),
        entry("nic 0", second=3),
        entry("untagged-vlan 100", second=4),
        entry("end", second=4),
        entry("show chassis | nomore", "observe", 5),
        entry("show chassis | nomore", "observe", 10),
        entry("show vlan | nomore", "observe", 10),
    ]
    why = "ComputeNode/a: wanted power On, found power Off"
    assert gist(entries) == (
        Sent("10:00:01", "a look at the chassis", "ComputeNode/a: 2 commands"),
        Sent("10:00:04", "untagged-vlan 100", why),
        Sent("10:00:05", "a look at the chassis", "ComputeNode/a: 1 commands"),
        Sent("10:00:10", "a look at the chassis", "ComputeNode/a: 2 commands"),
    )
