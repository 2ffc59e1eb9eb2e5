"""Objects that this version accepts and does not act on: they say so in a condition, and nothing else happens."""

from collections.abc import Callable

from rackwright.api.validate import InvalidSpec
from rackwright.core.chassis.departures import Departures
from rackwright.core.chassis.inputs import Specs, chassis_of
from rackwright.core.chassis.writer import Writer
from rackwright.core.reconcile import Next
from rackwright.core.resource import CONTROLLER_CLUSTER, Ref
from rackwright.core.step import Problem
from rackwright.core.store import Store


class NotYetReconciler:
    """Answers for ControllerClusters, for StoragePools of backends to come, and for what names no Chassis that exists."""

    def __init__(self, store: Store, specs: Specs, now: Callable[[], str]) -> None:
        self._store = store
        self._specs = specs
        self._writer = Writer(store, now)
        self._departures = Departures(store)

    async def reconcile(self, key: Ref) -> Next:
        """Write the one condition."""
        resource = self._store.get(key)
        if resource is None:
            self._specs.forget(key)
            return Next(None)
        await self._departures.let_go(resource)
        resource = self._store.get(key)
        if resource is None or resource.gone:
            return Next(None)
        spec = self._specs.of(resource)
        if isinstance(spec, InvalidSpec):
            problem = Problem(key, "InvalidSpec", str(spec))
        else:
            chassis = chassis_of(resource)
            if chassis is not None and self._store.get(chassis) is not None:
                return Next(None)  # it came in the meantime, and answers for this
            problem = self._reason(key, chassis)
        await self._writer.refuse(resource, problem)
        return Next(None)

    @staticmethod
    def _reason(key: Ref, chassis: Ref | None) -> Problem:
        if key.kind == CONTROLLER_CLUSTER:
            sentence = "This version checks a ControllerCluster and does not act on it yet."
            return Problem(key, "NotReconciled", sentence)
        if chassis is None:
            sentence = "This version checks this backend and does not act on it yet; it acts on backend.type Chassis."
            return Problem(key, "NotReconciled", sentence)
        sentence = (
            f"spec.chassisRef names {chassis.name}, and there is no Chassis of that name in {chassis.namespace}. "
            "Create it, or delete this object and make one that names another."
        )
        return Problem(key, "ReferenceNotFound", sentence, chassis)
