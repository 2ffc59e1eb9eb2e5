"""Commands over a folder of manifests: plan, apply, drift, get, why, approve. No cluster is needed.

Exit status: 0 all is as declared, 2 something differs or waits, 1 an error.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from rackwright.cli import show
from rackwright.cli.progress import Progress
from rackwright.cli.session import FolderError, Session, open_store, quiet_logs, session
from rackwright.core.chassis.inputs import chassis_of
from rackwright.core.chassis.reconciler import Preview
from rackwright.core.resource import COMPUTE_NODE, Ref, Resource
from rackwright.local.approve import add_approval

F = TypeVar("F", bound=Callable[..., Any])

DIFFERS = 2
RETRY_SECONDS = 2.0


def _folder(function: F) -> F:
    """The options of every command over a folder."""
    function = click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where statuses and journal are kept. Not given: .rackwright beside the manifests.",
    )(function)
    return click.option(
        "-f",
        "--filename",
        "folder",
        type=click.Path(path_type=Path, exists=True),
        required=True,
        help="The folder (or file) of manifests.",
    )(function)


def _output(*formats: str) -> Callable[[F], F]:
    def wrap(function: F) -> F:
        choice = click.Choice(["table", *formats])
        return click.option("-o", "--output", type=choice, default="table", show_default=True)(function)

    return wrap


_namespace = click.option("-n", "--namespace", default=None, help="Namespace. Not given: the only one of that name.")


@click.command()
@_folder
@_output("json", "yaml")
def plan(folder: Path, state: Path | None, output: str) -> None:
    """Show what would be done, command by command, and do nothing.

    Example: rackwright plan -f deploy/examples/golden-rack
    """
    quiet_logs()
    looks = asyncio.run(_look(folder, state))
    if output == "table":
        for look in looks:
            show.plan(look)
    else:
        show.data([show.plan_data(look) for look in looks], output)
    raise click.exceptions.Exit(_exit_code(looks))


async def _look(folder: Path, state: Path | None) -> list[Preview]:
    async with session(folder, state, writing=False) as run:
        return [await run.assembly.chassis.look(key) for key in run.chassis()]


def _exit_code(looks: Sequence[Preview]) -> int:
    if any(look.outcome.error is not None for look in looks):
        return 1
    return DIFFERS if any(_differs(look) for look in looks) else 0


def _differs(look: Preview) -> bool:
    decision = look.outcome.decision
    if decision is None:
        return True
    return bool(decision.differences or decision.problems or decision.verdict.changes or look.inputs.left_out)


@click.command()
@_folder
@click.option("--timeout", default=3600.0, show_default=True, help="Seconds to go on trying a device that is away.")
def apply(folder: Path, state: Path | None, timeout: float) -> None:
    """Bring the rack to the manifests, as far as consent and facts allow.

    Exit status 2 means that something waits, for consent say: `rackwright why` and `rackwright get` tell.
    """
    quiet_logs()
    raise click.exceptions.Exit(asyncio.run(_apply(folder, state, timeout)))


async def _apply(folder: Path, state: Path | None, patience: float) -> int:
    progress = Progress(show.console())
    async with session(folder, state, writing=True, watcher=progress.stage, on_event=progress.event) as run:
        deadline = asyncio.get_running_loop().time() + patience
        for resource in run.resources():
            run.assembly.engine.notify(resource)
        while True:
            await run.assembly.engine.settle()
            away = _passing(run)
            if not away or asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(RETRY_SECONDS)
            run.assembly.engine.retry(away)
        show.objects(_summarised(run))
        return _result(run)


def _passing(run: Session) -> set[Ref]:
    """Chassis whose trouble may pass by itself. A conflict with another object never does, and is Stalled."""
    reasons = {"DeviceUnavailable", "Conflict"}
    moving = (item for item in run.resources() if item.ref in run.chassis() and not _is_true(item, "Stalled"))
    return {item.ref for item in moving if show.condition(item, "Ready")["reason"] in reasons}


def _summarised(run: Session) -> list[Resource]:
    """All objects, but of nodes only those that are not yet as declared on the chassis side."""
    return [item for item in run.resources() if item.ref.kind != COMPUTE_NODE or not _in_sync(item)]


def _in_sync(item: Resource) -> bool:
    return _is_true(item, "ChassisReady" if item.ref.kind == COMPUTE_NODE else "Ready")


def _is_true(item: Resource, kind: str) -> bool:
    return bool(show.condition(item, kind)["status"] == "True")


def _result(run: Session) -> int:
    """What this version only checks and stores is not waited for: it says so, and nothing will come of it."""
    waiting = [
        item
        for item in run.resources()
        if not _in_sync(item) and show.condition(item, "Ready")["reason"] != "NotReconciled"
    ]
    failed = {"DeviceUnavailable", "DeviceError", "CredentialsRefused", "Unsafe", "InvalidSpec"}
    if any(show.condition(item, "Ready")["reason"] in failed for item in waiting):
        return 1
    return DIFFERS if waiting else 0


@click.command()
@_folder
@_output("json", "yaml")
def drift(folder: Path, state: Path | None, output: str) -> None:
    """Show what is not as declared, and change nothing."""
    quiet_logs()
    looks = asyncio.run(_look(folder, state))
    failed = next((look.outcome.error for look in looks if look.outcome.error is not None), None)
    if failed is not None:
        raise failed
    rows = [row for look in looks if look.outcome.decision for row in show.drift_rows(look.outcome.decision)]
    if output != "table":
        show.data(rows, output)
    else:
        show.drift(rows, [problem for look in looks for problem in look.problems])
    raise click.exceptions.Exit(_exit_code(looks))


@click.command()
@_folder
@_output("json", "yaml")
@_namespace
@click.argument("objects", nargs=-1, metavar="[KIND/NAME]...")
def get(folder: Path, state: Path | None, output: str, namespace: str | None, objects: tuple[str, ...]) -> None:
    """Show objects and how they are, from their statuses: no device is asked.

    Example: rackwright get -f rack chs/sm15k-01 -o yaml
    """
    store = open_store(folder, state)
    everything = list(Session.all_of(store))
    chosen = [_find(everything, name, namespace) for name in objects] or everything
    if output == "table":
        show.objects(chosen)
    else:
        show.data([show.manifest(item) for item in chosen], output)


def _find(resources: Sequence[Resource], name: str, namespace: str | None) -> Resource:
    kind, wanted = show.parse_name(name)
    found = [
        item
        for item in resources
        if item.ref.kind == kind and item.ref.name == wanted and namespace in (None, item.ref.namespace)
    ]
    if not found:
        raise FolderError(f"There is no {kind}/{wanted}. `rackwright get` lists what there is.")
    if len(found) > 1:
        raise FolderError(f"{kind}/{wanted} is in several namespaces. Name one with -n.")
    return found[0]


@click.command()
@_folder
@_namespace
@click.argument("name", metavar="KIND/NAME")
def why(folder: Path, state: Path | None, namespace: str | None, name: str) -> None:
    """Say what one object waits for, and what a person can do about it.

    The device is asked how it is now; where it does not answer, the last status speaks.
    """
    quiet_logs()
    show.why(*asyncio.run(_why(folder, state, namespace, name)))


async def _why(folder: Path, state: Path | None, namespace: str | None, name: str) -> tuple[Resource, Preview | None]:
    async with session(folder, state, writing=False) as run:
        resource = _find(list(run.resources()), name, namespace)
        key = chassis_of(resource)
        if key is None or run.store.get(key) is None:
            return resource, None
        return resource, await run.assembly.chassis.look(key)


@click.command()
@_folder
@_namespace
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.argument("name", metavar="KIND/NAME")
def approve(folder: Path, state: Path | None, namespace: str | None, yes: bool, name: str) -> None:
    """Show what of an object waits for consent, ask, and write the consent into its manifest.

    The digest covers exactly what is shown: these actions, on these serials, of this object, once. Where nothing waits,
    and the object's deletionPolicy is Wipe, it is what its deletion would destroy.
    """
    quiet_logs()
    resource, look = asyncio.run(_why(folder, state, namespace, name))
    if look is None or look.outcome.decision is None:
        raise (look and look.outcome.error) or FolderError(f"Nothing is planned for {resource.ref}.")
    digest = look.outcome.decision.verdict.digests.get(resource.ref)
    wipe = resource.status.get("wipe")
    if digest is not None:
        show.asking(resource.ref, look.outcome.decision, digest)
    elif wipe is not None and not _is_approved(resource, wipe["digest"]):
        digest = wipe["digest"]
        show.wiping(resource.ref, wipe)
    else:
        raise FolderError(f"Nothing of {resource.ref} waits for consent.")
    if not yes:
        click.confirm("Approve?", abort=True)
    where = look.inputs.rack.ref if resource.ref.kind == COMPUTE_NODE and resource.owner_uid else resource.ref
    manifest = open_store(folder, state).folder.manifests.get(where)
    if manifest is None:
        raise FolderError(
            f'{where} is being deleted and has no file any more. Put its file back with {{plan: "{digest}"}} in '
            "spec.approvals, run `rackwright apply`, and remove it again."
        )
    path = manifest.path
    add_approval(path, where, digest)
    click.echo(f"Approved {digest} in {path}.")


def _is_approved(resource: Resource, digest: str) -> bool:
    return {"plan": digest} in (resource.spec.get("approvals") or ())
