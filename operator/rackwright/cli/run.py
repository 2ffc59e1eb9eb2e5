"""`rackwright run`: the operator in a cluster."""

import asyncio
import socket
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import click

from rackwright.core.journal import FileSink, Journal, stream_sink

DEFAULT_NAMESPACE = "rackwright-system"


@click.command()
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Not given: the pod's own account, else $KUBECONFIG or ~/.kube/config.",
)
@click.option("--context", help="Context of the kubeconfig. Not given: its current one.")
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Look after this namespace only; may be repeated.")
@click.option("--metrics-port", default=8080, show_default=True, help="Port of /metrics, /healthz and /readyz; 0: any.")
@click.option("--metrics-host", default="0.0.0.0", show_default=True, help="Address that these are served on.")  # noqa: S104
@click.option("--log-format", type=click.Choice(["json", "console"]), default="json", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@click.option(
    "--lease-namespace", help=f"Where the Lease is. Not given: the pod's namespace, else {DEFAULT_NAMESPACE}."
)
@click.option("--lease-name", default="rackwright", show_default=True, help="Operators of one name take turns.")
@click.option(
    "--lease-seconds",
    default=120.0,
    show_default=True,
    type=click.FloatRange(15, 3600),
    help="How long the Lease holds without renewal. A chassis' commandTimeoutSeconds has to be shorter.",
)
@click.option(
    "--identity",
    envvar="RACKWRIGHT_IDENTITY",
    help="Name of this process; two that run at one time must not share it. Not given: host name and something random.",
)
@click.option("--journal", type=click.Path(path_type=Path), help="Also keep the journal in this file, of bounded size.")
def run(
    kubeconfig: Path | None,
    context: str | None,
    namespaces: tuple[str, ...],
    metrics_port: int,
    metrics_host: str,
    log_format: str,
    log_level: str,
    lease_namespace: str | None,
    lease_name: str,
    lease_seconds: float,
    identity: str | None,
    journal: Path | None,
) -> None:
    """Run the operator: keep the racks of a cluster the way their manifests say.

    Logs go to standard error, the journal of device commands to standard output. SIGTERM lets the work under way end.

    Example: rackwright run --kubeconfig ~/.kube/config -n rack --log-format console
    """
    # The libraries of Kubernetes take a second to import, which the other commands need not wait for.
    from rackwright.cli import daemon, logs
    from rackwright.kube.access import AccessError, own_namespace
    from rackwright.kube.lease import Timing

    logs.configure(log_format, log_level)
    options = daemon.Options(
        lease_namespace=lease_namespace or own_namespace() or DEFAULT_NAMESPACE,
        identity=identity or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}",
        namespaces=namespaces,
        lease_name=lease_name,
        timing=Timing(duration=lease_seconds),
        host=metrics_host,
        port=metrics_port,
    )
    sink = FileSink(journal) if journal is not None else None
    sinks: list[Callable[[bytes], None]] = [stream_sink(sys.stdout), *([sink] if sink is not None else [])]
    try:
        asyncio.run(daemon.run(kubeconfig, context, Journal(*sinks), options))
    except AccessError as error:
        raise click.ClickException(str(error)) from error
    finally:
        if sink is not None:
            sink.close()
