"""How the command line shows objects, plans and reasons: tables for people, JSON and YAML for machines."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML

from rackwright.api.kinds import KINDS
from rackwright.core.chassis.reconciler import Preview
from rackwright.core.report import judge, view_of
from rackwright.core.resource import API_VERSION, Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Decision, HoldReason, Problem, Step

ALIKE = 3  # steps of one kind that a plan for people shows
RISK_STYLE = {Risk.SAFE: "green", Risk.DISRUPTIVE: "yellow", Risk.DESTRUCTIVE: "red"}
READY_STYLE = {"True": "green", "False": "red", "Unknown": "yellow"}


def console() -> Console:
    """Colour only on a terminal; as wide as it is, and never narrower than a table needs when piped."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def data(value: Any, output: str) -> None:
    """Print data as JSON or YAML."""
    if output == "json":
        print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
    else:
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.dump(orjson.loads(orjson.dumps(value)), sys.stdout)


def manifest(resource: Resource) -> dict[str, Any]:
    """An object as `kubectl get -o json` would print it."""
    metadata: dict[str, Any] = {
        "name": resource.ref.name,
        "namespace": resource.ref.namespace,
        "uid": resource.uid,
        "generation": resource.generation,
        "creationTimestamp": resource.created,
        "labels": dict(resource.labels),
        "annotations": dict(resource.annotations),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": resource.ref.kind,
        "metadata": metadata,
        "spec": resource.spec,
        "status": resource.status,
    }


def condition(resource: Resource, kind: str) -> Mapping[str, Any]:
    """One condition of an object, or one that says it has none yet."""
    none = {"status": "Unknown", "reason": "NotReconciled", "message": "Not looked at yet."}
    return next((item for item in resource.status.get("conditions", ()) if item["type"] == kind), none)


def objects(resources: Iterable[Resource]) -> None:
    """The table of `get`: the same columns as `kubectl get rack`."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("NAME", "READY", "REASON", "SUMMARY", "DRIFT", "PLAN", "AGE"):
        table.add_column(name, no_wrap=True)
    for item in resources:
        ready = condition(item, "Ready")
        plan = (item.status.get("plan") or {}).get("digest", "")
        table.add_row(
            str(item.ref),
            Text(ready["status"], READY_STYLE[ready["status"]]),
            ready["reason"],
            item.status.get("summary", ""),
            str(item.status.get("driftCount", "")),
            plan.removeprefix("sha256:")[:12],
            age(item.created),
        )
    console().print(table)


def age(created: str) -> str:
    """How long ago, as kubectl says it."""
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size * 2:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def plan(look: Preview) -> None:
    """A plan for people: the current stage with its exact commands, later ones as intent, and what stands in the way."""
    out, inputs, outcome = console(), look.inputs, look.outcome
    out.print(Text(str(inputs.rack.ref), "bold"))
    decision = outcome.decision
    if outcome.error is not None or decision is None:
        out.print(Text(f"  {outcome.error}", "red"))
        return
    for problem in look.problems:
        out.print(Text(f"  {problem.owner}: {problem.message}", "red"))
    for owner, changes in decision.verdict.changes.items():
        for change in changes:
            out.print(Text(f"  {owner}: {change.clause}, which has to be approved before it is touched.", "yellow"))
    if not decision.stages:
        out.print("  Nothing can be done now." if decision.blocked else "  Nothing to do.")
    else:
        _current(out, decision, look.commands)
        _later(out, decision)
    if decision.blocked:
        out.print(f"  {len(decision.blocked)} actions wait for what nobody will bring about by itself.")
    if decision.undeclared:
        shown = ", ".join(decision.undeclared[:4])
        more = f" and {len(decision.undeclared) - 4} more" if len(decision.undeclared) > 4 else ""
        out.print(Text(f"  Undeclared, and left alone: {shown}{more}.", "dim"))


def _current(out: Console, decision: Decision, commands: Mapping[Step, tuple[str, ...]]) -> None:
    out.print(f"  Stage 1 of {len(decision.stages)}")
    for held in decision.verdict.held:  # first: a person has to read these
        _step(out, held.step, commands, "!")
        out.print(Text(f"        held: {held.message}", "yellow"))
    for _, group in groupby(decision.verdict.allowed, key=lambda step: step.name):
        steps = list(group)
        for step in steps[:ALIKE]:
            _step(out, step, commands, "+")
        if len(steps) > ALIKE:
            out.print(Text(f"      … and {len(steps) - ALIKE} more {steps[0].name} (-o yaml shows all)", "dim"))


def _step(out: Console, step: Step, commands: Mapping[Step, tuple[str, ...]], mark: str) -> None:
    out.print(
        Text(f"    {mark} "),
        Text(f"{step.risk.word:<12}", RISK_STYLE[step.risk]),
        Text(f"{step.name} {step.target}: {step.reason}"),
        sep="",
    )
    lines = commands.get(step, ())
    for line in lines[:6]:
        out.print(Text(f"        {line}", "cyan"))
    if len(lines) > 6:
        out.print(Text(f"        … {len(lines) - 6} more lines", "dim"))


def _later(out: Console, decision: Decision) -> None:
    for number, stage in enumerate(decision.stages[1:], start=2):
        names = [step.name for step in stage]
        counts = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
        out.print(Text(f"  Stage {number}: {counts}", "dim"))


def plan_data(look: Preview) -> dict[str, Any]:
    """A plan for machines."""
    inputs, outcome, commands, decision = look.inputs, look.outcome, look.commands, look.outcome.decision
    if outcome.error is not None or decision is None:
        return {"chassis": inputs.rack.ref.name, "error": str(outcome.error)}
    held = {item.step: {"reason": item.reason, "message": item.message} for item in decision.verdict.held}
    current = (*decision.verdict.allowed, *held)
    stages = [[_step_data(step, commands, held.get(step)) for step in current]] if current else []
    stages += [[_step_data(step, {}, None) for step in stage] for stage in decision.stages[1:]]
    return {
        "chassis": inputs.rack.ref.name,
        "stages": stages,
        "blocked": [_step_data(step, {}, None) for step in decision.blocked],
        "approvals": {str(owner): digest for owner, digest in decision.verdict.digests.items()},
        "problems": [
            {"object": str(problem.owner), "reason": problem.reason, "message": problem.message}
            for problem in look.problems
        ],
        "undeclared": list(decision.undeclared),
    }


def _step_data(step: Step, commands: Mapping[Step, Sequence[str]], held: Mapping[str, str] | None) -> dict[str, Any]:
    item: dict[str, Any] = {
        "action": step.name,
        "target": step.target,
        "risk": step.risk.word,
        "objects": [str(owner) for owner in step.owners],
        "reason": step.reason,
    }
    if step in commands:
        item["commands"] = list(commands[step])
    if held is not None:
        item["held"] = dict(held)
    return item


def drift_rows(decision: Decision) -> list[dict[str, str]]:
    """What is not as declared, one row a part, with the object that declares it and what becomes of it."""
    return [
        {
            "object": str(decision.parts[difference.part][0]),
            "path": str(difference.part),
            "wanted": difference.wanted,
            "found": difference.found,
        }
        for difference in decision.differences
    ]


def drift(rows: Sequence[Mapping[str, str]], problems: Sequence[Problem]) -> None:
    """The table of `drift`, after what could not be compared at all."""
    for problem in problems:
        console().print(Text(f"{problem.owner}: {problem.message}", "red"))
    if not rows and not problems:
        console().print("Everything is as declared.")
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("object", "path", "wanted", "found"):
        table.add_column(name.upper(), no_wrap=name != "found")
    for row in rows:
        table.add_row(*(row[name] for name in ("object", "path", "wanted", "found")))
    console().print(table)


def why(resource: Resource, look: Preview | None) -> None:
    """What one object waits for, as of now where the device answered, else as of its status."""
    out = console()
    ready = condition(resource, "Ready")
    message, reason, status = ready["message"], ready["reason"], ready["status"]
    if look is not None:
        verdict = judge(view_of(resource.ref, look.outcome.decision, look.inputs.left_out, look.outcome.error, True))
        message, reason, status = verdict.message, verdict.reason, verdict.ready
    out.print(Text(f"{resource.ref}: "), Text(reason, READY_STYLE[status]), sep="")
    if message:
        out.print(f"  {message}")
    blocked = resource.status.get("blockedOn")
    if blocked:
        out.print(f"  It waits for {blocked['kind']}/{blocked['name']} since {blocked['since']}.")
    for item in resource.status.get("drift", ())[:5]:
        out.print(f"  {item['path']}: wanted {item['wanted']}, found {item['found']}, since {item['since']}")
    for stage in (resource.status.get("plan") or {}).get("stages", ())[:1]:
        for step in stage["steps"][:5]:
            out.print(f"  next: {step['action']} {step['target']} ({step['risk']})")


def asking(ref: Ref, decision: Decision, digest: str) -> None:
    """What a person is asked to consent to."""
    out = console()
    out.print(Text(f"{ref} waits for consent to {digest}", "bold"))
    for change in decision.verdict.changes.get(ref, ()):
        out.print(f"  {change.clause}: to let it be used as declared")
    for held in decision.verdict.held:
        if held.reason is HoldReason.APPROVAL_REQUIRED and held.step.owners[0] == ref:
            _step(out, held.step, {}, "!")
            serials = [item for item in held.step.evidence if item]
            shown = ", ".join(serials[:8]) + (f" and {len(serials) - 8} more" if len(serials) > 8 else "")
            out.print(Text(f"        touches {shown}", "dim"))


def wiping(ref: Ref, wipe: Mapping[str, Any]) -> None:
    """What the deletion of an object would destroy, for which consent is asked before it."""
    out = console()
    out.print(Text(f"To delete {ref} would destroy this; the digest of it is {wipe['digest']}", "bold"))
    for pool in wipe["pools"]:
        disks = ", ".join(f"{disk['name']} (serial {disk['serial']})" for disk in pool["disks"])
        out.print(f"  pool {pool['pool']}" + (f" on {disks}" if disks else ", which itself stays"))
        out.print(Text(f"        volumes {', '.join(pool['volumes'])}", "dim"))
    for sentence in wipe.get("kept", ()):
        out.print(Text(f"  {sentence}", "yellow"))


def parse_name(text: str) -> tuple[str, str]:
    """`KIND/NAME`, with any of the kind's names, as kind and name. ValueError says what is wrong."""
    kind, slash, name = text.partition("/")
    known = {alias: full for full, item in KINDS.items() for alias in (full, item.plural, item.short)}
    found = {alias.lower(): full for alias, full in known.items()}.get(kind.lower())
    if found is None or not slash or not name:
        raise click.UsageError(f"{text!r} names no object. Write KIND/NAME, such as StoragePool/root or cn/storage-0.")
    return found, name
