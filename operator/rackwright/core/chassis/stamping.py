"""Brings the ComputeNodes of a Chassis to what its node sets stamp: created, kept in step, and deleted as objects only.

Deleting the object of a node touches nothing on the device. A card that the chassis does not show keeps its node: mass
absence is a fault of the enclosure, and what a node remembers must survive it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rackwright.core.chassis.inputs import Inputs, Specs, chassis_of
from rackwright.core.chassis.rack import ChassisObject, NodeObject
from rackwright.core.resource import COMPUTE_NODE, Ref, Resource
from rackwright.core.stamp import Stamped, stamp
from rackwright.core.step import Problem
from rackwright.core.store import Store, StoreConflictError
from rackwright.core.together import together
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.unknown import Unknown


class Stamper:
    """Stamps nodes, and remembers what it worked out while neither Chassis nor cards change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Ref, tuple[tuple[str, int, frozenset[str]], Stamped]] = {}

    async def stamp(self, chassis: ChassisObject, state: ChassisState) -> tuple[Problem, ...]:
        """Create, update and delete node objects; the sentences about those that could not be made."""
        if isinstance(state.servers, Unknown):
            return ()
        stamped = self._stamped(chassis, frozenset(state.servers))
        ours = self._ours(chassis.resource)
        problems = [Problem(chassis.resource.ref, "InvalidNodeSet", sentence) for sentence in stamped.problems]
        wanted = {_ref(manifest): manifest for manifest in stamped.nodes}
        past = {str(node.spec.get("server")): node.status.get("assignments") for node in ours.values()}
        brought = await together(self._bring(ref, manifest, ours.get(ref), past) for ref, manifest in wanted.items())
        problems += [_not_ours(chassis, ref) for ref, is_ours in zip(wanted, brought, strict=True) if not is_ours]
        for ref, node in ours.items():
            gone = ref not in wanted and ref.name not in stamped.unmade
            if gone and not node.deleting and node.spec.get("server") in state.servers:
                await self._store.delete(ref, node.uid)
        return tuple(problems)

    async def withdraw(self, chassis: Resource) -> None:
        """Delete all node objects of a Chassis that is being deleted itself: it goes after them."""
        for ref, node in self._ours(chassis).items():
            if not node.deleting:
                await self._store.delete(ref, node.uid)

    def preview(self, inputs: Inputs, state: ChassisState, specs: Specs) -> tuple[Inputs, tuple[Problem, ...]]:
        """The inputs as stamping would leave them, with nothing written."""
        if isinstance(state.servers, Unknown):
            return inputs, ()
        chassis = inputs.rack.chassis
        stamped = self._stamped(chassis, frozenset(state.servers))
        problems = [Problem(chassis.resource.ref, "InvalidNodeSet", sentence) for sentence in stamped.problems]
        nodes = {node.ref: node for node in inputs.rack.nodes}
        resources = dict(inputs.resources)
        for manifest in stamped.nodes:
            ref = _ref(manifest)
            known = self._store.get(ref)
            if known is not None and known.owner_uid != chassis.resource.uid:
                problems.append(_not_ours(chassis, ref))
                continue
            if known is not None and known.deleting:
                continue
            resource = _as_stamped(ref, manifest, known, chassis)
            resources[ref] = resource
            nodes[ref] = NodeObject(resource, specs.of(resource))
        rack = replace(inputs.rack, nodes=tuple(nodes[ref] for ref in sorted(nodes)))
        return replace(inputs, rack=rack, resources=resources), tuple(problems)

    def forget(self, chassis: Ref) -> None:
        """The Chassis is gone."""
        self._known.pop(chassis, None)

    def _stamped(self, chassis: ChassisObject, servers: frozenset[str]) -> Stamped:
        resource = chassis.resource
        mark = (resource.uid, resource.generation, servers)
        known = self._known.get(resource.ref)
        if known is None or known[0] != mark:
            known = (mark, stamp(resource.ref, resource.uid, chassis.spec, servers))
            self._known[resource.ref] = known
        return known[1]

    def _ours(self, chassis: Resource) -> dict[Ref, Resource]:
        nodes: Iterable[Resource] = self._store.list(COMPUTE_NODE)
        return {node.ref: node for node in nodes if node.owner_uid == chassis.uid and chassis_of(node) == chassis.ref}

    async def _bring(
        self, ref: Ref, manifest: Mapping[str, Any], ours: Resource | None, past: Mapping[str, Any]
    ) -> bool:
        """Create or update one; False where an object of that name is somebody else's.

        `past` has which volumes each server had under its node before: data belongs to the server and not to the name.
        """
        if ours is not None and ours.deleting:
            return True  # it is let go of first
        try:
            if ours is None and self._store.get(ref) is not None:
                return False
            moved = ours is not None and ours.spec.get("server") != manifest["spec"]["server"]
            if ours is not None and moved:  # the server of a node cannot change: another card is another node
                await self._store.delete(ref, ours.uid)
                if ours.finalizers:
                    return True
            if ours is None or moved:
                await self._store.create(manifest)
                if remembered := past.get(manifest["spec"]["server"]):
                    await self._store.write_status(ref, {"assignments": remembered})
                return True
        except StoreConflictError:
            return False
        labels = manifest["metadata"]["labels"]
        same_labels = all(ours.labels.get(key) == value for key, value in labels.items())
        if ours.spec != manifest["spec"] or not same_labels:
            await self._store.replace_spec(ref, manifest)
        return True


def _ref(manifest: Mapping[str, Any]) -> Ref:
    metadata = manifest["metadata"]
    return Ref(COMPUTE_NODE, metadata["namespace"], metadata["name"])


def _not_ours(chassis: ChassisObject, ref: Ref) -> Problem:
    sentence = (
        f"spec.nodeSets would stamp {ref}, which exists and is not this Chassis'. Rename the member or delete it."
    )
    return Problem(chassis.resource.ref, "Conflict", sentence, ref)


def _as_stamped(ref: Ref, manifest: Mapping[str, Any], known: Resource | None, chassis: ChassisObject) -> Resource:
    metadata = manifest["metadata"]
    if known is None or known.spec.get("server") != manifest["spec"]["server"]:
        return Resource(
            ref=ref,
            uid=f"preview-{ref.name}",
            generation=1,
            created=chassis.resource.created,
            spec=manifest["spec"],
            labels=metadata["labels"],
            owner_uid=chassis.resource.uid,
        )
    changed = known.spec != manifest["spec"]
    generation = known.generation + 1 if changed else known.generation
    return replace(known, spec=manifest["spec"], labels={**known.labels, **metadata["labels"]}, generation=generation)
