"""`rackwright`: the entry point and what all commands share. Each command is in the module of its subject."""

import sys

import click

from rackwright import __version__
from rackwright.api.validate import InvalidSpec
from rackwright.cli import folder, local_run, sim
from rackwright.cli.demo.command import demo
from rackwright.cli.run import run
from rackwright.cli.session import FolderError
from rackwright.core.store import StoreUnavailableError
from rackwright.local.state import StateLockedError
from rackwright_drivers.contract.errors import DriverError

EXIT_ERROR = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="rackwright")
def cli() -> None:
    """Keeps racks the way their manifests say."""


for command in (
    folder.plan,
    folder.apply,
    folder.drift,
    folder.get,
    folder.why,
    folder.approve,
    local_run.watch,
    run,
    sim.sim,
    demo,
):
    cli.add_command(command)


def main() -> None:
    """Run a command; what a person can put right is one sentence on standard error and exit status 1."""
    try:
        # Outside its standalone mode click gives the status of `ctx.exit()` back instead of raising it.
        sys.exit(cli.main(standalone_mode=False))
    except click.Abort:
        sys.exit(EXIT_ERROR)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_ERROR)
    except (
        FolderError,
        StateLockedError,
        StoreUnavailableError,
        InvalidSpec,
        DriverError,
        LookupError,
        OSError,
    ) as error:
        click.echo(f"rackwright: {error}", err=True)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
