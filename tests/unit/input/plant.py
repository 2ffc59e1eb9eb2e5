"""A small rack that is as declared, and the whole operator over it in this process: engine, reconcilers, driver, device.

The manifests are the golden rack's, all kinds of them, with fewer servers and disks.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import orjson

from rackwright.api.kinds import KINDS
from rackwright.core.assembly import assemble
from rackwright.core.chassis.rack import ChassisObject, NodeObject, PoolObject, Rack
from rackwright.core.journal import Journal
from rackwright.core.leadership import Always
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, CONTROLLER_CLUSTER, STORAGE_POOL, Ref, Resource
from rackwright.core.risk import Risk
from rackwright.core.step import Decision, Step
from rackwright_drivers.contract.chassis import ChassisDriver, Credentials, DriverContext
from rackwright_sim.commands import Kind
from rackwright_sim.driver import SimChassis, Simulated
from rackwright_sim.driver import connect as simulator
from rackwright_sim.model import ChassisModel
from rackwright_sim.startfile import Start, load
from tests.unit.api.cases import manifests as examples
from tests.unit.core.kit import MemoryStore
from tests.unit.core.virtual import virtually

NAMESPACE = "rack"
CHASSIS_REF = Ref(CHASSIS, NAMESPACE, "sm15k-01")
ROOT, CAPACITY, JOURNAL, ARRAY = (
    Ref(STORAGE_POOL, NAMESPACE, name) for name in ("root", "capacity", "journal", "array")
)
OTHER = Ref(CHASSIS, NAMESPACE, "sm15k-02")
CLUSTER = Ref(CONTROLLER_CLUSTER, NAMESPACE, "control")
OWN = Ref(COMPUTE_NODE, NAMESPACE, "own")
PROTECTED = "32/0"
SECRET = {"username": b"admin", "password": b"correct-horse"}
MEMBERS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "controller": [("0/0", "controller-0", {"management": "10.10.0.11/24"})],
    "storage": [
        ("1/0", "storage-0", {"management": "10.10.0.21/24", "bond0": "10.15.0.11/24", "bond1": "10.20.0.11/24"})
    ],
    "compute": [("2/0", "compute-2", {})],
}
CALM = {"InSync", "HostNotReconciled", "NotReconciled"}


def start() -> Start:
    """The small chassis with one card more, for a node that no set stamps."""
    small = load("small")
    return small.model_copy(update={"cards": small.cards.model_copy(update={"present": "0-3,32"})})


def manifests() -> dict[Ref, dict[str, Any]]:
    """What a person applied, by object."""
    golden = examples()
    chassis = golden["Chassis/sm15k-01"]
    spec = chassis["spec"]
    spec["hardware"] = {"type": "External", "external": {"driver": "Simulator", "parameters": {"model": "plant"}}}
    spec["limits"] = {"commandsPerSecond": 1000, "settleSeconds": 0}
    spec["policy"]["maxDisrupted"] = 10
    for node_set in spec["nodeSets"]:
        node_set.pop("remaining", None)
        node_set["members"] = [
            {"server": server, "name": name, "addresses": addresses}
            for server, name, addresses in MEMBERS[node_set["name"]]
        ]
        node_set["overrides"] = [{**item, "server": "1/0"} for item in node_set.get("overrides", ())]
    root, capacity = golden["StoragePool/root"], golden["StoragePool/capacity"]
    root["spec"]["backend"]["chassis"]["disks"]["names"] = ["JBOD2/6", "JBOD2/7"]
    root["spec"]["backend"]["chassis"]["volumes"]["perPool"] = 3
    capacity["spec"]["backend"]["chassis"]["disks"]["count"] = 3
    capacity["spec"]["assign"][0]["vdisks"] = [4, 6, 7]
    node = golden["ComputeNode/storage-0"]
    node["metadata"] = {"name": "own", "namespace": NAMESPACE, "labels": {"rackwright.dev/node-set": "compute"}}
    node["spec"]["server"] = "3/0"
    found = (*(golden[f"StoragePool/{name}"] for name in ("journal", "array")), golden["ControllerCluster/control"])
    everything = (chassis, root, capacity, node, *found, _other(chassis))
    return {Ref(item["kind"], NAMESPACE, item["metadata"]["name"]): item for item in everything}


def _other(chassis: Mapping[str, Any]) -> dict[str, Any]:
    """Another rack beside it, which nobody is to notice a mistake in the first on."""
    found = copy.deepcopy(dict(chassis))
    found["metadata"] = {"name": OTHER.name, "namespace": NAMESPACE}
    found["spec"] |= {"uplinks": [], "storageSlots": [], "nodeSets": []}
    found["spec"]["hardware"]["external"]["parameters"] = {"model": "other"}
    return found


def _rack(number: int) -> Simulated:
    about = start().about.model_copy(update={"serial": f"SM15K0000{number}"})
    return _open(start().model_copy(update={"about": about}))


def _open(saved: Start) -> Simulated:
    return Simulated(ChassisModel(saved), credentials=Credentials("admin", "correct-horse"))


@dataclass(frozen=True)
class Snapshot:
    """A plant as it was, to begin from any number of times."""

    devices: tuple[Start, Start]
    objects: Mapping[Ref, Resource]
    wanted: Mapping[Ref, dict[str, Any]]


@dataclass(frozen=True)
class Done:
    """What the loop let through in one round, with the rack as it was declared then."""

    rack: Rack
    step: Step


@dataclass
class Plant:
    """Use it inside a running event loop."""

    device: Simulated
    other: Simulated
    store: MemoryStore
    applied: list[Done] = field(default_factory=list)
    journal: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wanted = manifests()
        self.assembly = assemble(
            self.store,
            Journal(self.journal.append),
            Always(),
            drivers={"Simulator": self._connect},
            now=lambda: "2026-02-01T00:00:00Z",
            watcher=self._watch,
        )
        self.engine = self.assembly.engine

    @classmethod
    async def build(cls) -> "Plant":
        """The racks, built, with every consent given."""
        found = cls(_rack(1), _rack(2), MemoryStore())
        found.store.secrets[NAMESPACE, "sm15k-01"] = dict(SECRET)
        for manifest in found.wanted.values():
            found.put(manifest)
        await found.look()
        while found._approve():
            await found.look()
        for ref, manifest in found.wanted.items():
            manifest["spec"] = copy.deepcopy(dict(found.store.objects[ref].spec))
        return found

    def snapshot(self) -> Snapshot:
        """Devices, objects and statuses as they are now."""
        devices = self.device.model.saved(), self.other.model.saved()
        return Snapshot(devices, dict(self.store.objects), copy.deepcopy(self.wanted))

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Plant":
        """As it was then; the operator is started anew."""
        first, second = (_open(saved) for saved in snapshot.devices)
        store = MemoryStore()
        store.objects = dict(snapshot.objects)
        store.secrets[NAMESPACE, "sm15k-01"] = dict(SECRET)
        store._uids = len(store.objects)  # what is made from now on is younger
        found = cls(first, second, store)
        found.wanted = copy.deepcopy(dict(snapshot.wanted))
        for item in snapshot.objects.values():
            found.engine.notify(item)
        return found

    def _connect(self, parameters: Mapping[str, object], context: DriverContext) -> ChassisDriver:
        for model, device in (("plant", self.device), ("other", self.other)):
            if parameters == {"model": model}:
                return SimChassis(device, context)
        return simulator({**parameters, "model": parameters.get("model")}, context)  # which opens no file: it refuses

    def _watch(self, rack: Rack, decision: Decision) -> None:
        self.applied += [Done(rack, step) for step in decision.verdict.allowed]

    def _approve(self) -> bool:
        asked = False
        for item in list(self.store.objects.values()):
            held = next((c for c in item.status.get("conditions", ()) if c["type"] == "AwaitingApproval"), None)
            if held is None or held["status"] != "True" or (item.owner_uid and item.ref.kind == COMPUTE_NODE):
                continue
            approvals = {"plan": item.status["plan"]["digest"]}
            asked = True
            self.store.change(item.ref, lambda spec, entry=approvals: _approve(spec, entry))  # type: ignore[misc]
            self.engine.notify(self.store.objects[item.ref])
        return asked

    def put(self, manifest: Mapping[str, Any]) -> None:
        """A person applies a manifest, and the watch brings it."""
        self.engine.notify(self.store.put(manifest))

    def spec(self, ref: Ref, spec: Any) -> None:
        """The spec of an object becomes this, whoever did it; its labels and owner stay."""
        known = self.store.objects[ref]
        self.store.objects[ref] = replace(known, spec=spec, generation=known.generation + 1)
        self.engine.notify(self.store.objects[ref])

    def restore(self, ref: Ref) -> None:
        """The person corrects it."""
        self.put(self.wanted[ref])

    async def look(self) -> None:
        """Work until nothing is due; and once more at the device, as the periodic look would."""
        await self.engine.settle()
        self.engine.look_at_all()
        await self.engine.settle()

    @property
    def changes(self) -> int:
        """Configuration commands, as the devices counted them."""
        return sum(device.recorder.counters.commands[Kind.CONFIGURATION] for device in (self.device, self.other))

    def ready(self, ref: Ref) -> tuple[str, str, str]:
        """Status, reason and sentence of a condition: of a node, what its chassis side is."""
        kind = "ChassisReady" if ref.kind == COMPUTE_NODE else "Ready"
        found = next(item for item in self.store.objects[ref].status["conditions"] if item["type"] == kind)
        return found["status"], found["reason"], found["message"]

    def troubled(self, but: Sequence[Ref] = ()) -> dict[Ref, tuple[str, str, str]]:
        """Objects that say that something is wrong, without these."""
        return {ref: said for ref in self.store.objects if ref not in but and (said := self.ready(ref))[1] not in CALM}

    def events(self, ref: Ref) -> list[tuple[str, str]]:
        """What people were told about an object: reason and sentence."""
        return [(reason, message) for about, reason, message in self.store.events if about == ref]

    @property
    def text(self) -> str:
        """Everything that this operator ever says: statuses, events, journal."""
        statuses = [orjson.dumps(item.status).decode() for item in self.store.objects.values()]
        return "\n".join(
            [*statuses, *(event[2] for event in self.store.events), *(line.decode() for line in self.journal)]
        )

    async def close(self) -> None:
        """End it."""
        await self.assembly.endpoints.aclose()


def _approve(spec: dict[str, Any], entry: Mapping[str, str]) -> None:
    spec["approvals"] = [*spec.get("approvals", ()), dict(entry)]


NOISE = ("<class", "Traceback", "pydantic", "input_value", "correct-horse", "Error(", "object at 0x")


def sentence_faults(sentence: str) -> list[str]:
    """What is wrong with a sentence that a person is to act on."""
    found = [f"it holds {noise}" for noise in NOISE if noise in sentence]
    if not sentence.isprintable():
        found.append("it is not one printable line")
    if not sentence.endswith("."):
        found.append("it has no full stop")
    if len(sentence) >= 1024:
        found.append(f"it has {len(sentence)} characters")
    if "spec" not in sentence:
        found.append("it names no field")
    return found


def without_consent(done: Sequence[Done]) -> list[str]:
    """Destructive steps that neither a policy nor an approval let through."""
    return [
        f"{item.step.name} {item.step.target}"
        for item in done
        if item.step.risk is Risk.DESTRUCTIVE and not _consented(item)
    ]


def _consented(done: Done) -> bool:
    objects: dict[Ref, ChassisObject | PoolObject | NodeObject] = {done.rack.ref: done.rack.chassis}
    objects |= {pool.ref: pool for pool in done.rack.pools} | {node.ref: node for node in done.rack.nodes}
    allow = done.rack.chassis.spec.policy.destructive
    owner = objects[done.step.owners[0]]
    own = getattr(owner.spec.policy, "destructive", None)
    granted = (owner.resource.status.get("consent") or {}).get("steps", ())
    return (own or allow) == "Allow" or done.step.digest in granted


def valid_status(resource: Resource) -> None:
    """Raises where a status is not what the API server would take."""
    KINDS[resource.ref.kind].status.model_validate_json(orjson.dumps(resource.status))


@cache
def built() -> Snapshot:
    """The racks as they are before anybody makes a mistake."""

    async def main() -> Snapshot:
        plant = await Plant.build()
        assert plant.troubled() == {}
        return plant.snapshot()

    return virtually(main())
