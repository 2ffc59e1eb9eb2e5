"""`rackwright sim`: simulated hardware for anyone who wants to try things out."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rackwright_sim.server import SimServer


@click.group()
def sim() -> None:
    """Simulated hardware, to try things out on."""


@sim.command()
@click.option("--start", default="as-found", show_default=True, help="as-found, crowded, small, or a file of yours.")
@click.option("--serial", help="Serial number of the chassis, where you have several: each needs its own.")
@click.option("--state", type=click.Path(path_type=Path), help="File in which the chassis keeps its state.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address of the SSH face.")
@click.option("--port", default=2022, show_default=True, help="Port of the SSH face; 0 chooses one.")
@click.option("--control-port", default=0, show_default=True, help="Loopback port of the control face; 0 chooses one.")
@click.option("--username", default="admin", show_default=True)
@click.option("--password", default="admin", show_default=True)
@click.option("--host-key", type=click.Path(path_type=Path), help="File that keeps the host key across restarts.")
@click.option("--settle-seconds", default=0.0, show_default=True, help="How long reads show the old state.")
@click.option("--faults", type=click.Path(path_type=Path, exists=True), help="YAML file of faults.")
def seamicro(
    start: str,
    serial: str | None,
    state: Path | None,
    listen: str,
    port: int,
    control_port: int,
    username: str,
    password: str,
    host_key: Path | None,
    settle_seconds: float,
    faults: Path | None,
) -> None:
    """A SeaMicro SM15000 with its command line over SSH.

    Example: rackwright sim seamicro --port 2022, then: ssh -p 2022 admin@127.0.0.1
    """
    from rackwright_sim import (
        server,  # its libraries take a while to import, which the other commands need not wait for
    )

    def announce(running: "SimServer") -> None:
        click.echo(f"SSH:      ssh -p {running.port} {username}@{listen}   (password: {password})")
        click.echo(f"Host key: {running.host_key}")
        click.echo(f"Control:  http://127.0.0.1:{running.control_port}/counters")

    asyncio.run(
        server.run(
            announce=announce,
            start=start,
            state=state,
            host=listen,
            port=port,
            control_port=control_port,
            username=username,
            password=password,
            host_key_path=host_key,
            settle_seconds=settle_seconds,
            faults_file=faults,
            serial=serial,
        )
    )
