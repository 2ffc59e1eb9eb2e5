"""A rack in memory: objects in a store, a simulated chassis under them, and the pass between the two, step by step.

The pass is the operator's own code from observation to report; only the driver is replaced by the model of the device, so
that every single action can be looked at before and after it took effect.
"""

import asyncio
import copy
import json
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args

from hypothesis import HealthCheck, Phase, settings
from ruamel.yaml import YAML

from rackwright.api.validate import InvalidSpec
from rackwright.core.chassis.decide import decide
from rackwright.core.chassis.departures import Departures
from rackwright.core.chassis.inputs import Inputs, Specs, gather, rules_of
from rackwright.core.chassis.rack import ChassisObject
from rackwright.core.chassis.stamping import Stamper
from rackwright.core.chassis.writer import Writer
from rackwright.core.loop import Pass
from rackwright.core.resource import (
    API_VERSION,
    CHASSIS,
    COMPUTE_NODE,
    NODE_SET_LABEL,
    RELEASE,
    STORAGE_POOL,
    Ref,
    Resource,
)
from rackwright.core.step import Decision, Problem, Step
from rackwright.core.store import EventType, SecretMissingError, StoreConflictError
from rackwright_drivers.contract.chassis import Action, ChassisState
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Attached, VDisk, VolumeId
from rackwright_sim import actions, reading
from rackwright_sim.model import ChassisModel
from rackwright_sim.startfile import Start

T = TypeVar("T")
GOLDEN = Path(__file__).parents[3] / "deploy" / "examples" / "golden-rack"
EVERYTHING: frozenset[type[Action]] = frozenset(get_args(Action))
LONGER = os.environ.get("PROPERTY_EXAMPLES")  # search for so many; with PROPERTY_RANDOM set, for other ones each time
PROPERTY = settings(
    max_examples=int(LONGER or 15),
    deadline=None,
    derandomize="PROPERTY_RANDOM" not in os.environ,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # to make a failing example smaller, add Phase.shrink: it takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, outside of an event loop."""
    return asyncio.run(coroutine)


@cache
def _golden() -> tuple[dict[str, Any], ...]:
    yaml = YAML(typ="safe", pure=True)
    return tuple(
        document
        for name in ("chassis", "storage-pools")
        for document in yaml.load_all((GOLDEN / f"{name}.yaml").read_text("utf-8"))
    )


def golden(*names: str) -> list[dict[str, Any]]:
    """Manifests of the golden rack by name, in that order; a copy to be changed at will."""
    by_name = {(document["metadata"]["name"]): document for document in _golden()}
    return [copy.deepcopy(by_name[name]) for name in names]


class MemoryStore:
    """The Store over a dictionary. It counts what is written."""

    def __init__(self, manifests: Iterable[Mapping[str, Any]] = ()) -> None:
        self.objects: dict[Ref, Resource] = {}
        self.events: list[tuple[Ref, str, str]] = []
        self.secrets: dict[tuple[str, str], dict[str, bytes]] = {}
        self.writes = 0
        self._uids = 0
        for manifest in manifests:
            self.put(manifest)

    def put(self, manifest: Mapping[str, Any]) -> Resource:
        """A person applies a manifest."""
        manifest = copy.deepcopy(dict(manifest))
        metadata = manifest["metadata"]
        ref = Ref(manifest["kind"], metadata.get("namespace", "default"), metadata["name"])
        known = self.objects.get(ref)
        annotations = metadata.get("annotations", {})
        labels = metadata.get("labels", {})
        if known is not None:
            generation = known.generation + (known.spec != manifest["spec"])
            made = replace(known, spec=manifest["spec"], generation=generation, annotations=annotations, labels=labels)
        else:
            self._uids += 1
            made = Resource(
                ref=ref,
                uid=f"uid-{self._uids}",
                generation=1,
                created=f"2026-01-01T00:{self._uids // 60:02}:{self._uids % 60:02}Z",
                spec=manifest["spec"],
                labels=labels,
                annotations=annotations,
                owner_uid=next((owner["uid"] for owner in metadata.get("ownerReferences", ())), None),
            )
        self.objects[ref] = made
        return made

    def change(self, ref: Ref, edit: Callable[[dict[str, Any]], None]) -> None:
        """A person edits the spec of an object."""
        known = self.objects[ref]
        spec = copy.deepcopy(dict(known.spec))
        edit(spec)
        self.objects[ref] = replace(known, spec=spec, generation=known.generation + (spec != known.spec))

    def remove(self, ref: Ref) -> None:
        """A person deletes an object, and a cluster what it owned; what has a finalizer lives on until it has none."""
        known = self.objects[ref]
        if known.finalizers:
            self.objects[ref] = replace(known, deleting=True)
            return
        del self.objects[ref]
        for item in list(self.objects.values()):
            if item.owner_uid == known.uid and item.ref in self.objects:
                self.remove(item.ref)

    def lose_status(self, ref: Ref) -> None:
        """As after a restore without statuses."""
        self.objects[ref] = replace(self.objects[ref], status={})

    def annotate(self, ref: Ref, **annotations: str) -> None:
        """A person sets annotations under rackwright.dev."""
        found = {f"rackwright.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.objects[ref] = replace(self.objects[ref], annotations=found)

    def get(self, ref: Ref) -> Resource | None:
        return self.objects.get(ref)

    def list(self, kind: str) -> Iterable[Resource]:
        return [item for item in self.objects.values() if item.ref.kind == kind]

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        found = self.secrets.get((namespace, name))
        if found is None:
            raise SecretMissingError(f"there is no Secret {name} in namespace {namespace}. Create it.")
        return found

    async def write_status(self, ref: Ref, status: Mapping[str, Any]) -> Resource | None:
        known = self.objects.get(ref)
        if known is None:
            return None
        self.writes += 1
        self.objects[ref] = replace(known, status=copy.deepcopy(dict(status)))
        return self.objects[ref]

    async def create(self, manifest: Mapping[str, Any]) -> Resource:
        metadata = manifest["metadata"]
        if Ref(manifest["kind"], metadata["namespace"], metadata["name"]) in self.objects:
            raise StoreConflictError(f"{metadata['name']} exists already")
        self.writes += 1
        return self.put(manifest)

    async def replace_spec(self, ref: Ref, manifest: Mapping[str, Any]) -> Resource | None:
        if ref not in self.objects:
            return None
        self.writes += 1
        return self.put(manifest)

    async def delete(self, ref: Ref, uid: str) -> None:
        known = self.objects.get(ref)
        if known is not None and known.uid == uid:
            self.writes += 1
            self.remove(ref)

    async def set_finalizer(self, ref: Ref, *, wanted: bool) -> Resource | None:
        known = self.objects.get(ref)
        if known is None or (RELEASE in known.finalizers) == wanted or (wanted and known.deleting):
            return known
        self.writes += 1
        others = tuple(name for name in known.finalizers if name != RELEASE)
        self.objects[ref] = replace(known, finalizers=(*others, RELEASE) if wanted else others)
        if known.deleting and not others:
            self.remove(ref)
        return self.objects.get(ref)

    async def event(self, ref: Ref, kind: EventType, reason: str, message: str) -> None:
        self.events.append((ref, reason, message))


def observed(model: ChassisModel) -> ChassisState:
    """What the device shows."""
    return ChassisState(
        identity=reading.identity(model),
        servers=reading.servers(model),
        slots=reading.slots(model),
        disks=reading.disks(model),
        pools=reading.pools(model),
        volumes=reading.volumes(model),
        attachments=reading.attachments(model),
        network=reading.network(model),
    )


@dataclass(repr=False)
class Bench:
    """One chassis, its objects, and the operator's pass over them, one round at a time."""

    model: ChassisModel
    store: MemoryStore
    actions: frozenset[type[Action]] = EVERYTHING
    commands: list[str] = field(default_factory=list)
    applied: list[Action] = field(default_factory=list)
    seconds: int = 0
    before_action: Callable[["Bench", Step], None] = lambda _bench, _step: None
    after_action: Callable[["Bench", Step], None] = lambda _bench, _step: None

    def __post_init__(self) -> None:
        self.start = self.model.saved().model_dump_json(exclude_defaults=True)
        self.restart()

    def __repr__(self) -> str:
        objects = [f"{ref} {json.dumps(item.spec)} {item.status}" for ref, item in self.store.objects.items()]
        return "\n".join([self.start, *objects])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))  # what Hypothesis shows of an example that fails

    @classmethod
    def of(cls, start: str | Start, manifests: Iterable[Mapping[str, Any]]) -> "Bench":
        """A chassis as it starts, and these manifests."""
        model = ChassisModel(start) if isinstance(start, Start) else ChassisModel.load(start)
        return cls(model, MemoryStore(manifests))

    def restart(self) -> None:
        """The operator is started anew: what is not in the store or on the device is forgotten."""
        self.specs = Specs()
        self.stamper = Stamper(self.store)
        self.departures = Departures(self.store)
        self.writer = Writer(self.store, self.now)

    def now(self) -> str:
        """The time, which passes by `seconds` alone."""
        return f"2026-02-01T{self.seconds // 3600:02}:{self.seconds // 60 % 60:02}:{self.seconds % 60:02}Z"

    @property
    def chassis(self) -> Resource:
        """The one Chassis."""
        return next(iter(self.store.list(CHASSIS)))

    def resource(self, kind: str, name: str) -> Resource:
        """An object by kind and name."""
        return next(item for item in self.store.list(kind) if item.ref.name == name)

    def node(self, server: str) -> Resource:
        """The node of a card."""
        return next(item for item in self.store.list(COMPUTE_NODE) if item.spec["server"] == server)

    def inputs(self, state: ChassisState) -> Inputs:
        """Objects as they are after stamping, with finalizers by their policies."""
        spec = self.specs.of(self.chassis)
        assert not isinstance(spec, InvalidSpec), spec
        problems = finish(self._stamp(ChassisObject(self.chassis, spec), state))
        found = gather(self.store, self.specs, ChassisObject(self.chassis, spec))
        return Inputs(found.rack, (*found.left_out, *problems), found.resources)

    async def _stamp(self, chassis: ChassisObject, state: ChassisState) -> tuple[Problem, ...]:
        problems: tuple[Problem, ...] = ()
        if chassis.resource.leaving:
            await self.stamper.withdraw(chassis.resource)
        elif not chassis.resource.deleting:
            problems = await self.stamper.stamp(chassis, state)
        await self.departures.prepare(chassis.resource.ref)
        return problems

    def look(self, state: ChassisState | None = None) -> tuple[ChassisState, Inputs, Decision]:
        """Observe (or take this for the observation), plan and guard."""
        state = observed(self.model) if state is None else state
        inputs = self.inputs(state)
        return state, inputs, decide(inputs.rack, state, rules_of(inputs.rack, self.actions))

    def decide(self) -> Decision:
        """What one look comes to."""
        return self.look()[2]

    def report(self, state: ChassisState | None = None) -> Decision:
        """Look, let go of what is being deleted and has nothing left to do, and write what it came to."""
        state, inputs, decision = self.look(state)
        if not decision.verdict.allowed:
            finish(self.departures.finish(inputs, Pass(state, decision)))
        finish(self.writer.report(inputs, Pass(state, decision), {}))
        return decision

    def approve(self, decision: Decision) -> bool:
        """A person approves everything that asks; False where nothing does."""
        for owner, digest in decision.verdict.digests.items():
            node = self.store.objects[owner]
            where = self.chassis.ref if owner.kind == COMPUTE_NODE and node.owner_uid else owner
            self.store.change(where, lambda spec, digest=digest: _add_approval(spec, digest))  # type: ignore[misc]
        return bool(decision.verdict.digests)

    def round(self, order: Callable[[Sequence[Step]], Sequence[Step]] = tuple, stop_after: int | None = None) -> bool:
        """One round of the loop, all allowed actions on the model; False where nothing was allowed."""
        state, inputs, decision = self.look()
        finish(self.writer.report(inputs, Pass(state, decision), {}))
        allowed = decision.verdict.allowed
        if not allowed and not decision.verdict.granted:
            return False
        finish(self.writer.use_consent(inputs, state, decision))
        for done, step in enumerate(order(allowed)):
            if done == stop_after:
                return True
            self.act(step)
        return True

    def act(self, step: Step) -> None:
        """One action on the device, by its own rules: what it refuses is an error of the plan."""
        self.before_action(self, step)
        self.commands.extend(actions.texts(step.action, self.model.switch.default_vlan))
        actions.apply(self.model, step.action)
        self.applied.append(step.action)
        self.after_action(self, step)

    def settle(self, order: Callable[[Sequence[Step]], Sequence[Step]] = tuple, rounds: int = 120) -> Decision:
        """Rounds, with every consent given, until nothing is left that may be done."""
        for _ in range(rounds):
            if self.round(order) or self.approve(self.decide()):
                continue
            before, last = len(self.store.objects), self.report()
            if not list(self.store.list(CHASSIS)):
                return last
            if len(self.store.objects) < before:
                continue  # what is gone may have set something free
            if not self.decide().verdict.allowed:  # what was just written may have set something free
                return last
        raise AssertionError(f"no end after {rounds} rounds: {self.decide().verdict}")


def _add_approval(spec: dict[str, Any], digest: str) -> None:
    approvals = spec.setdefault("approvals", [])
    if {"plan": digest} not in approvals:
        spec["approvals"] = [*approvals, {"plan": digest}][-16:]


def holders(attachments: Mapping[VDisk, Attached | None], volume: Attached) -> set[str]:
    """The servers that have a volume."""
    return {vdisk.server for vdisk, found in attachments.items() if found == volume}


def shared(model: ChassisModel) -> dict[Attached, set[str]]:
    """What is attached to more than one server, and to which."""
    truth = dict(model.storage.attachments.items())
    found = {what: holders(truth, what) for what in truth.values()}
    return {what: servers for what, servers in found.items() if len(servers) > 1}


def running(model: ChassisModel) -> set[str]:
    """Servers that run."""
    return {server for server, power in model.servers.power.items() if power is Power.ON}


def on(model: ChassisModel, server: str) -> dict[int, str]:
    """What a server has on its vdisks."""
    return {
        vdisk.number: str(what) if isinstance(what, VolumeId) else what.name
        for vdisk, what in model.storage.attachments.items()
        if vdisk.server == server
    }


def condition(resource: Resource, kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    found = next(item for item in resource.status["conditions"] if item["type"] == kind)
    return found["status"], found["reason"]


def manifest(kind: str, name: str, spec: Mapping[str, Any], namespace: str = "rack") -> dict[str, Any]:
    """An object as a person writes it."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def small_chassis(**changes: Any) -> dict[str, Any]:
    """A Chassis for the start file `small` (cards 0, 1, 2 and the protected 32), with what the test is about changed."""
    spec = {
        "hardware": {"type": "External", "external": {"driver": "Simulator", "parameters": {"model": "bench"}}},
        "credentialsRef": {"name": "sm15k-01"},
        "protectedServers": ["32/0"],
        "storageSlots": [{"slot": 2, "managementMode": "Volume"}],
        "nodeSets": [
            {"name": "compute", "remaining": {"namePrefix": "compute"}, "template": {"powerState": "Running"}}
        ],
        "policy": {"mode": "Enforce", "destructive": "Allow"},
    }
    return manifest(CHASSIS, "sm15k-01", {**spec, **changes})


def assign(name: str, *vdisks: int, **changes: Any) -> dict[str, Any]:
    """An entry of spec.assign for all nodes."""
    selector = {"matchLabels": {NODE_SET_LABEL: "compute"}}
    return {"name": name, "nodeSelector": selector, "vdisks": list(vdisks), **changes}


def pool(name: str, *assigns: Mapping[str, Any], **backend: Any) -> dict[str, Any]:
    """A StoragePool of the chassis; `backend` replaces what would be one disk with four volumes."""
    made = {
        "disks": {"names": ["JBOD2/6"]},
        "pools": {"prefix": f"{name}pool"},
        "volumes": {"prefix": f"{name}vol", "perPool": 4, "size": "EqualShare"},
    }
    chassis = backend if "existingPool" in backend else {**made, **backend}
    spec = {
        "chassisRef": {"name": "sm15k-01"},
        "backend": {"type": "Chassis", "chassis": chassis},
        "assign": [dict(item) for item in assigns] or [assign("root", 0)],
    }
    return manifest(STORAGE_POOL, name, spec)
