"""What people get wrong, each on a rack that is as declared: one sentence, the device untouched, everybody else at work."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from tests.unit.api.cases import documents, edited
from tests.unit.core.virtual import virtually
from tests.unit.input.plant import (
    CHASSIS_REF,
    NAMESPACE,
    OTHER,
    OWN,
    ROOT,
    Plant,
    built,
    sentence_faults,
    valid_status,
)

INVALID_FOR = {"ChassisInvalid"}  # what objects say whose Chassis is the one that is wrong


@dataclass(frozen=True)
class Mistake:
    """One entry of bad.yaml, which says what the fields mean."""

    name: str
    object: str
    edits: Mapping[str, Any]
    reason: str
    words: Sequence[str]
    also: Sequence[str] = ()

    @property
    def ref(self) -> Ref:
        kind, _, name = self.object.partition("/")
        return Ref(kind, NAMESPACE, name)

    def manifest(self, plant: Plant) -> dict[str, Any]:
        return edited(plant.wanted[self.ref] if self.ref in plant.wanted else _new(plant, self.ref), self.edits)

    def concerns(self, ref: Ref, chassis: str) -> bool:
        """Whether another object depends on what is wrong, and may say so."""
        if chassis != CHASSIS_REF.name:
            return False
        invalid = self.ref == CHASSIS_REF and self.reason == "InvalidSpec"
        return invalid or "everything" in self.also or ("nodes" in self.also and ref.kind == COMPUTE_NODE)


MISTAKES = [Mistake(**item) for item in documents(Path(__file__).parent / "bad.yaml")[0]]


def _new(plant: Plant, ref: Ref) -> dict[str, Any]:
    """An object beside those of the rack, right until it is edited."""
    found = copy.deepcopy(plant.wanted[ROOT if ref.kind == STORAGE_POOL else OWN])
    found["metadata"] = {"name": ref.name, "namespace": NAMESPACE}
    if ref.kind == STORAGE_POOL:
        found["spec"].pop("approvals")
        found["spec"]["backend"]["chassis"] = {
            "disks": {"names": ["JBOD5/0"]},
            "pools": {"prefix": "newpool"},
            "volumes": {"prefix": "newvol", "perPool": 2, "size": "EqualShare"},
        }
        selector = {"matchLabels": {"rackwright.dev/node-set": "compute"}}
        found["spec"]["assign"] = [{"name": "new", "nodeSelector": selector, "vdisks": [20]}]
    return found


def _chassis(plant: Plant, ref: Ref) -> str:
    reference = plant.store.objects[ref].spec.get("chassisRef")
    return ref.name if ref.kind == CHASSIS else reference["name"] if reference else ""


def _others_are_well(plant: Plant, mistake: Mistake) -> None:
    assert {
        ref: said
        for ref, said in plant.troubled([mistake.ref]).items()
        if not mistake.concerns(ref, _chassis(plant, ref))
    } == {}


async def _others_go_on(plant: Plant, mistake: Mistake) -> None:
    """A person adds a VLAN: to the very rack, where its Chassis can be used, else to another."""
    broken = mistake.ref == CHASSIS_REF and mistake.reason in ("InvalidSpec", "DeviceError")
    ref, device = (OTHER, plant.other) if broken or mistake.ref == CHASSIS_REF else (CHASSIS_REF, plant.device)
    plant.put(edited(plant.wanted[ref], {f"spec.vlans[{len(plant.wanted[ref]['spec']['vlans'])}]": {"id": 999}}))
    before = plant.changes
    await plant.look()
    assert 999 in device.model.switch.vlans
    assert plant.changes == before + 1, "and nothing else was sent"
    _others_are_well(plant, mistake)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_a_mistake_is_one_sentence_and_harms_nothing(mistake: Mistake) -> None:
    snapshot = built()

    async def main() -> None:
        plant = Plant.of(snapshot)
        device = plant.device.model.saved()
        remembered = {ref: item.status.get("assignments") for ref, item in plant.store.objects.items()}
        plant.put(mistake.manifest(plant))
        await plant.look()
        ready, reason, sentence = plant.ready(mistake.ref)
        assert (ready, reason) == ("False", mistake.reason)
        assert [word for word in mistake.words if word not in sentence] == []
        assert sentence_faults(sentence) == []
        await plant.look()
        assert plant.events(mistake.ref) == [(reason, sentence)], "once, however often it is looked at"
        assert plant.device.model.saved() == device
        _others_are_well(plant, mistake)
        await _others_go_on(plant, mistake)
        for ref, before in remembered.items():
            assert plant.store.objects[ref].status.get("assignments") == before, (
                "which volume is whose is not forgotten"
            )
        for item in plant.store.objects.values():
            valid_status(item)
        await _corrected(plant, mistake)
        await plant.close()

    virtually(main())


async def _corrected(plant: Plant, mistake: Mistake) -> None:
    if mistake.ref in plant.wanted:
        plant.restore(mistake.ref)
    else:
        gone = plant.store.objects.pop(mistake.ref)
        plant.engine.notify(gone, deleted=True)
    before = plant.changes
    await plant.look()
    assert plant.troubled() == {}
    assert plant.changes == before, "it is as it was"


def test_the_table_has_all_that_an_api_server_may_let_through() -> None:
    """Both halves are there: what the operator refuses by itself, and what only the device can tell."""
    reasons = [mistake.reason for mistake in MISTAKES]
    assert reasons.count("InvalidSpec") >= 20
    assert len(set(reasons)) >= 12
    assert {mistake.ref.kind for mistake in MISTAKES} == {"Chassis", "StoragePool", "ComputeNode", "ControllerCluster"}


def test_a_second_mistake_is_told_too() -> None:
    """The reason stays InvalidSpec, and the person who looks at events wants to know what is wrong now."""
    snapshot = built()

    async def main() -> None:
        plant = Plant.of(snapshot)
        for vlan in (5000, 6000):
            plant.put(edited(plant.wanted[CHASSIS_REF], {"spec.vlans[0].id": vlan}))
            await plant.look()
        told = [sentence for reason, sentence in plant.events(CHASSIS_REF) if reason == "InvalidSpec"]
        assert [word for sentence in told for word in ("5000", "6000") if word in sentence] == ["5000", "6000"]

    virtually(main())
