"""The finalizer of objects whose deletion lets go of something: put on before we act for them, taken off when that is done.

With deletionPolicy Retain an object has none, so that nothing can hang; to set Retain on one that is being deleted is how
a person lets it go.
"""

from collections.abc import Coroutine, Iterator
from typing import Any

from rackwright.core import metrics
from rackwright.core.chassis.inputs import Inputs, chassis_of
from rackwright.core.chassis.release import NO_CONSENT, ends_as_retain, finished
from rackwright.core.loop import Pass
from rackwright.core.resource import COMPUTE_NODE, RELEASE, STORAGE_POOL, Ref, Resource
from rackwright.core.store import EventType, Store
from rackwright.core.together import together
from rackwright_drivers.contract.chassis import ChassisState

RELEASED = "What was ours of it on the device is let go of."


class Departures:
    """Writes our finalizer, and nothing else."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prepare(self, key: Ref) -> None:
        """Bring the finalizers of a Chassis and of all that refers to it to their policies."""
        chassis = self._store.get(key)
        items = (*self._referring(key), *((chassis,) if chassis is not None else ()))
        due = [made for item in items if (made := self._due(item, chassis)) is not None]
        if due:
            await together(due)

    async def let_go(self, item: Resource) -> None:
        """Of an object whose Chassis is not there: let it go where its deletion touches nothing."""
        made = self._due(item, None) if item.deleting else None
        if made is not None:
            await made

    def _due(self, item: Resource, chassis: Resource | None) -> Coroutine[Any, Any, object] | None:
        """What has to be written: the finalizer of what lives by its policy; of what is being deleted, that it may go."""
        has = RELEASE in item.finalizers
        if not item.deleting:
            return self._store.set_finalizer(item.ref, wanted=not item.retained) if has == item.retained else None
        sentence = ends_as_retain(item, chassis) if has else None
        if sentence is None:
            return None
        kind = EventType.WARNING if sentence == NO_CONSENT else EventType.NORMAL
        return self._let_go(item, kind, "Retained", sentence)

    async def _let_go(self, item: Resource, kind: EventType, reason: str, sentence: str) -> None:
        await self._store.event(item.ref, kind, reason, sentence)
        if await self._store.set_finalizer(item.ref, wanted=False) is None:
            metrics.forget(*item.ref)

    def _referring(self, key: Ref) -> Iterator[Resource]:
        """What a Chassis waits for: all that refers to it, but for what goes by itself."""
        for kind in (COMPUTE_NODE, STORAGE_POOL):
            for item in tuple(self._store.list(kind)):
                if chassis_of(item) == key and (not item.deleting or RELEASE in item.finalizers):
                    yield item

    def any_leaving(self, key: Ref) -> bool:
        """Whether anything of a chassis still has to be let go of."""
        own = self._store.get(key)
        return (own is not None and own.leaving) or any(item.leaving for item in self._referring(key))

    async def finish(self, inputs: Inputs, outcome: Pass[ChassisState]) -> None:
        """Let go of what has nothing left to do, by the last look of a pass; and of a Chassis that nothing refers to."""
        if outcome.error is None and outcome.decision is not None:
            for ref in finished(inputs.resources, inputs.left_out, outcome.decision):
                item = self._store.get(ref)
                if item is not None and item.leaving and ref != inputs.rack.ref:
                    await self._let_go(item, EventType.NORMAL, "Released", RELEASED)
        await self.finish_chassis(inputs.rack.ref)

    async def finish_chassis(self, key: Ref) -> None:
        """A Chassis goes when nothing refers to it any more; for that no device is asked."""
        own = self._store.get(key)
        if own is not None and own.leaving and next(self._referring(key), None) is None:
            await self._let_go(own, EventType.NORMAL, "Released", "Nothing refers to it any more.")
