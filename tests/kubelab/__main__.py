"""The command line of the lab: see the package's docstring."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import click

from tests.kubelab.assets import find_assets, find_tool
from tests.kubelab.console import KubelabError
from tests.kubelab.controlplane import ControlPlane
from tests.kubelab.lifetime import Lifetime
from tests.kubelab.process import die_with_parent

_GRACE_SECONDS = 10.0


@click.group(help="Real Kubernetes API servers on loopback.")
def commands() -> None:
    """See the package's docstring."""


@commands.command(help="Make all binaries that are missing (minutes the first time), and say where they are.")
def fetch() -> None:
    """One path a line, on standard output."""
    assets = find_assets()
    paths = [assets.kube_apiserver, assets.kube_controller_manager, assets.etcd, assets.kubectl, find_tool("promtool")]
    for path in paths:
        if path is not None:
            click.echo(path)


@commands.command(help="Keep a control plane up, with its kubeconfig in FOLDER, until Ctrl-C or SIGTERM.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def up(folder: Path) -> None:
    """FOLDER must be empty or absent; it is removed at the end."""
    started = time.monotonic()
    with suppress(KeyboardInterrupt), ControlPlane(folder=folder) as plane:
        version = ".".join(map(str, plane.version))
        click.echo(f"Kubernetes {version} is ready after {time.monotonic() - started:.1f} s; Ctrl-C ends it.")
        click.echo(f"export KUBECONFIG={plane.kubeconfig}")
        while True:
            signal.pause()


@commands.command(
    help="Run COMMAND with KUBECONFIG set, against a fresh control plane; end with its exit code.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...]) -> None:
    """kubectl is on the command's PATH even where the machine has none."""
    with ControlPlane() as plane:
        env = dict(os.environ, KUBECONFIG=str(plane.kubeconfig))
        env["PATH"] = f"{env.get('PATH', '')}{os.pathsep}{plane.assets.kubectl.parent}"
        code = _call(command, env)
    sys.exit(code)


def _call(command: tuple[str, ...], env: dict[str, str]) -> int:
    """Like `subprocess.call`, but the command always ends before the control plane does."""
    child = subprocess.Popen(command, env=env, preexec_fn=die_with_parent(signal.SIGTERM))
    lifetime = Lifetime()
    lifetime.open()
    lifetime.on_close(lambda: _end(child))
    try:
        return child.wait()
    except KeyboardInterrupt:  # a terminal sent it to the command too, which may have things to put away
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
        return 128 + signal.SIGINT
    finally:
        lifetime.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
        child.kill()
        child.wait()


def main() -> None:
    """Every failure that is not a bug is one sentence."""
    try:
        commands()
    except KubelabError as error:
        sys.exit(f"kubelab: {error}")


if __name__ == "__main__":
    main()
