"""The command `rackwright demo`: runs it, writes the report, and says how it ended."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.text import Text

from rackwright.cli.demo.tell import BAD, GOOD
from rackwright.cli.session import quiet_logs

INTERRUPTED = 128  # and the number of the signal


@click.command()
@click.option("--headless", is_flag=True, help="Without a person: ends when all was shown; 0 if all was as promised.")
@click.option("--kube", is_flag=True, help="Through the API server of $KUBECONFIG: see `make demo-kube`.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file as JSON."
)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Work in this folder, and leave it.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Without a person, and draw moments of the run into this file as SVG.",
)
def demo(headless: bool, kube: bool, report: Path | None, keep: Path | None, record: Path | None) -> None:
    """A simulated rack of 64 servers that builds itself, and heals what is broken behind its back.

    The figures of --report are counted by the simulated chassis: `device_commands` are those of every class, and they,
    `round_trips` and `seconds` are those until the rack had converged; `configuration` are those that configure, by their
    words, beside what a person needs, `by_hand`.
    """
    from rackwright.cli.demo.recording import moments, picture
    from rackwright.cli.demo.stage import Options, Stage  # this imports the simulator, which other commands do without

    quiet_logs()
    console = Console(highlight=False)
    headless = headless or record is not None
    stage = Stage(Options(headless=headless, record=record is not None, kube=kube, keep=keep), console)
    signum = asyncio.run(stage.run())
    if signum and (headless or not stage.finished):
        raise click.exceptions.Exit(INTERRUPTED + signum)
    if report is not None:
        report.write_bytes(orjson.dumps(stage.report.as_json(), option=orjson.OPT_INDENT_2) + b"\n")
    if record is not None and stage.recorder.frames:
        record.write_text(picture(moments(stage.recorder.frames)), "utf-8")
    raise click.exceptions.Exit(_verdict(console, stage.shortcomings))


def _verdict(console: Console, wrong: Sequence[str]) -> int:
    if not wrong:
        console.print(Text("All is as promised.", GOOD))
        return 0
    console.print(Text("Not as promised:", BAD))
    for sentence in wrong:
        console.print(Text(f"  {sentence}"))
    return 1
