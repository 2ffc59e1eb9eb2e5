"""The whole demo on three servers: real processes, a real SSH session, every fault. `.ci/run` does it on all 64."""

import io
from pathlib import Path

from rich.console import Console

from rackwright.cli.demo.faults import PROMISED
from rackwright.cli.demo.report import Count, SecondPass
from rackwright.cli.demo.stage import Options, Stage
from tests.integration.demo.small import SERVERS, write_examples


async def test_three_servers_build_themselves_and_heal(tmp_path: Path) -> None:
    out = io.StringIO()
    keep = tmp_path / "kept"
    options = Options(headless=True, keep=keep, start="small", examples=write_examples(tmp_path / "examples"))
    stage = Stage(options, Console(file=out, width=120))
    assert await stage.run() == 0
    report, said = stage.report, out.getvalue()
    assert stage.finished
    assert report.shortcomings(PROMISED) == (), said
    assert report.objects["ComputeNode"] == Count(len(SERVERS), len(SERVERS))
    assert report.second_pass == SecondPass(0, 0, 0)
    assert [fault.name for fault in report.faults] == list(PROMISED)
    assert all(fault.found_seconds <= fault.seconds for fault in report.faults)
    assert report.device_commands > report.round_trips > 0
    assert "storage clear-metadata disk JBOD2/6-7 slot 2" in said  # what a person was shown before they approved it
    assert "rackwright approve StoragePool/root --yes" in said
    assert "2/0 vdisk 5: wanted nothing" not in said
    assert "0/0 vdisk 5: wanted nothing, as 2/rootpool" in said  # why it is held, with whose volume it is
    assert (keep / "rack" / ".rackwright" / "journal.jsonl").exists()
