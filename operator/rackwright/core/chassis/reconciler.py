"""Reconciles a Chassis with everything on it: pools, volumes, VLANs, power and the ComputeNodes it stamps.

One pass looks at the device once and serves all objects of the chassis, so that what many of them want goes out in the
device's bulk forms, and a look at a rack at rest costs one round trip.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from rackwright.api.validate import InvalidSpec
from rackwright.core import metrics
from rackwright.core.chassis.departures import Departures
from rackwright.core.chassis.inputs import Inputs, Specs, chassis_of, gather
from rackwright.core.chassis.rack import ChassisObject, Rack
from rackwright.core.chassis.release import finished
from rackwright.core.chassis.returns import Recall
from rackwright.core.chassis.serials import Serials
from rackwright.core.chassis.stamping import Stamper
from rackwright.core.chassis.target import ChassisTarget
from rackwright.core.chassis.writer import Writer
from rackwright.core.endpoints import Endpoint, Endpoints
from rackwright.core.leadership import NotPermittedError
from rackwright.core.loop import Pass, run
from rackwright.core.reconcile import Next
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from rackwright.core.step import Decision, Problem, Step
from rackwright.core.store import SecretMissingError, Store
from rackwright.core.workqueue import Priority
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.errors import CredentialsRefusedError, DriverError, PermanentError, TransientError

log = structlog.get_logger(__name__)

SECONDS_UNTIL_CORRECTED = 60.0  # between looks while only a person can change things
SECONDS_BETWEEN_REPORTS = 2.0  # while a build is under way; its end is always reported
Watcher = Callable[[Rack, Decision], None]  # told once a round what is about to be done
AWAY = (TransientError, CredentialsRefusedError)


@dataclass
class Look:
    """What one pass has to hand."""

    chassis: ChassisObject
    endpoint: Endpoint
    inputs: Inputs
    reported: float = float("-inf")


@dataclass(frozen=True)
class Preview:
    """What a look without hands came to, with the exact commands of the current stage."""

    inputs: Inputs
    outcome: Pass[ChassisState]
    commands: Mapping[Step, tuple[str, ...]]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps objects from being planned in full."""
        decision = self.outcome.decision
        return (*self.inputs.left_out, *(decision.problems if decision is not None else ()))


class ChassisReconciler:
    """The reconciler of Chassis keys."""

    def __init__(
        self,
        store: Store,
        endpoints: Endpoints,
        specs: Specs,
        now: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        watcher: Watcher | None = None,
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._specs = specs
        self._stamper = Stamper(store)
        self._departures = Departures(store)
        self._writer = Writer(store, now)
        self._clock = clock
        self._watcher = watcher
        self._now = now
        self._serials = Serials()
        self._recalls: dict[Ref, Recall] = {}
        self._failures: dict[Ref, int] = {}
        self._addresses: dict[Ref, str] = {}

    async def reconcile(self, key: Ref) -> Next:
        """One pass: everything that may be done now is done, and every object's status says where it is."""
        started = self._clock()
        chassis = await self._chassis(key)
        if chassis is None:
            return Next(None)
        outcome = await self._pass(chassis)
        if isinstance(outcome.error, NotPermittedError):
            log.info("not permitted to act", object=str(key), reason=str(outcome.error))
            return Next(outcome.error.seconds, Priority.DEGRADED)
        self._count(key, outcome)
        metrics.reconciled(key.kind, _word(outcome), self._clock() - started)
        return self._next(chassis, outcome)

    async def look(self, key: Ref) -> Preview:
        """Observe, plan and guard, and change nothing at all: neither device nor store."""
        resource = self._store.get(key)
        if resource is None:
            raise LookupError(f"there is no {key}")
        spec = self._specs.of(resource)
        if isinstance(spec, InvalidSpec):
            raise spec
        chassis = ChassisObject(resource, spec)
        inputs = gather(self._store, self._specs, chassis)
        result: Pass[ChassisState] = Pass()
        try:
            endpoint = await self._endpoint(chassis)
            async with endpoint.lock:
                target = self._target(Look(chassis, endpoint, inputs), stamp=False)
                result.state = await target.observe()
                result.decision = target.decide(result.state)
                return Preview(target.inputs, result, self._commands(endpoint, result.decision))
        except DriverError as error:
            result.error = error
        return Preview(inputs, result, {})

    async def _chassis(self, key: Ref) -> ChassisObject | None:
        resource = self._store.get(key)
        if resource is None:
            await self._orphans(key)
            return None
        await self._departures.prepare(key)
        if resource.leaving:
            await self._stamper.withdraw(resource)
            await self._departures.finish_chassis(key)
        resource = self._store.get(key)
        if resource is None or (resource.deleting and not self._departures.any_leaving(key)):
            return None
        spec = self._specs.of(resource)
        if isinstance(spec, InvalidSpec):
            await self._writer.refuse(resource, Problem(key, "InvalidSpec", str(spec)))
            await self._refuse_all(
                key, "ChassisInvalid", f"spec.chassisRef names {key.name}, whose own spec cannot be used. Correct that."
            )
            return None
        return ChassisObject(resource, spec)

    async def _orphans(self, key: Ref) -> None:
        """Objects that name a Chassis which is not there say so. What hangs on the device stays as it is."""
        await self._departures.prepare(key)
        self._specs.forget(key)
        self._serials.forget(key)
        self._recalls.pop(key, None)
        self._stamper.forget(key)
        self._failures.pop(key, None)
        metrics.forget(*key)
        await self._at(key, None)
        await self._refuse_all(
            key,
            "ReferenceNotFound",
            f"spec.chassisRef names {key.name}, and there is no Chassis of that name in {key.namespace}. "
            "Create it, or delete this object and make one that names another.",
        )

    async def _refuse_all(self, key: Ref, reason: str, sentence: str) -> None:
        """Everything that refers to a Chassis says why it is not looked after; its own mistakes come first."""
        for kind in (STORAGE_POOL, COMPUTE_NODE):
            for item in list(self._store.list(kind)):
                if chassis_of(item) == key and not item.gone:
                    spec = self._specs.of(item)
                    invalid = Problem(item.ref, "InvalidSpec", str(spec)) if isinstance(spec, InvalidSpec) else None
                    await self._writer.refuse(item, invalid or Problem(item.ref, reason, sentence, key))

    async def _at(self, key: Ref, address: str | None) -> None:
        """Note where a chassis is reached now; the session to where it was before ends, unless others go there."""
        before = self._addresses.pop(key, None)
        if address is not None:
            self._addresses[key] = address
        if before is not None and before not in self._addresses.values():
            await self._endpoints.drop(before)

    async def _pass(self, chassis: ChassisObject) -> Pass[ChassisState]:
        inputs = gather(self._store, self._specs, chassis)
        try:
            endpoint = await self._endpoint(chassis)
        except DriverError as error:
            outcome: Pass[ChassisState] = Pass(error=error)
            await self._writer.report(inputs, outcome, {})
            return outcome
        async with endpoint.lock:
            look = Look(chassis, endpoint, inputs)
            target = self._target(look, stamp=True)
            outcome = await run(target)
            if _lets_go(target.inputs, outcome) and await target.settle():
                outcome = await run(target)  # what another process did just before this one began shows only now
            if isinstance(outcome.error, NotPermittedError):
                return outcome  # whoever may act reports
            metrics.REACHABLE.labels(endpoint.address).set(not isinstance(outcome.error, AWAY))
            if outcome.decision is not None:
                target.recall.settle(target.inputs.rack, outcome.decision)
            commands = self._commands(endpoint, outcome.decision)
            await self._departures.finish(target.inputs, outcome)
            await self._writer.report(target.inputs, outcome, commands, target.recall)
        return outcome

    async def _endpoint(self, chassis: ChassisObject) -> Endpoint:
        name = chassis.spec.credentials_ref.name
        try:
            secret = await self._store.secret(chassis.resource.ref.namespace, name)
        except SecretMissingError as error:
            raise PermanentError(f"spec.credentialsRef: {error}") from error
        endpoint = await self._endpoints.of(chassis.spec, secret)
        await self._at(chassis.resource.ref, endpoint.address)
        return endpoint

    def _target(self, look: Look, *, stamp: bool) -> ChassisTarget:
        key = look.chassis.resource.ref
        recall = self._recalls.setdefault(key, Recall(self._now)) if stamp else Recall(self._now)

        async def refresh(state: ChassisState) -> Inputs:
            chassis = self._newest(look.chassis)
            contests = self._serials.check(chassis.resource, state, self._store.list(CHASSIS))
            problems: tuple[Problem, ...] = ()
            if stamp:
                # The nodes of a Chassis that is being deleted are removed with it: to stamp them anew would never end.
                problems = () if chassis.resource.deleting else await self._stamper.stamp(chassis, state)
                await self._departures.prepare(key)
                found = gather(self._store, self._specs, self._newest(chassis))
            elif chassis.resource.deleting:
                found = gather(self._store, self._specs, chassis)
            else:
                found, problems = self._stamper.preview(gather(self._store, self._specs, chassis), state, self._specs)
            look.inputs = replace(found, left_out=(*found.left_out, *problems), contests=(*found.contests, *contests))
            return look.inputs

        async def consent(state: ChassisState, decision: Decision) -> None:
            await self._writer.use_consent(look.inputs, state, decision)

        async def report(state: ChassisState, decision: Decision) -> None:
            if self._watcher is not None:
                self._watcher(look.inputs.rack, decision)
            if self._clock() - look.reported >= SECONDS_BETWEEN_REPORTS:
                look.reported = self._clock()
                commands = self._commands(look.endpoint, decision)
                await self._writer.report(look.inputs, Pass(state, decision), commands, recall)

        return ChassisTarget(look.endpoint, look.inputs, refresh, consent, report, recall)

    def _newest(self, chassis: ChassisObject) -> ChassisObject:
        """The Chassis as it is now; as it was, where it vanished or became invalid in the middle of a pass."""
        resource = self._store.get(chassis.resource.ref)
        if resource is None or resource.uid != chassis.resource.uid:
            return chassis
        spec = self._specs.of(resource)
        return chassis if isinstance(spec, InvalidSpec) else ChassisObject(resource, spec)

    @staticmethod
    def _commands(endpoint: Endpoint, decision: Decision | None) -> Mapping[Step, tuple[str, ...]]:
        """The exact device commands of the current stage, for the status."""
        if decision is None:
            return {}
        steps = (*decision.verdict.allowed, *(item.step for item in decision.verdict.held))
        return {
            step: endpoint.driver.commands(step.action)
            for step in steps
            if type(step.action) in endpoint.driver.actions
        }

    def _count(self, key: Ref, outcome: Pass[ChassisState]) -> None:
        failures = self._failures.get(key, 0) + 1 if outcome.error is not None else 0
        self._failures[key] = failures
        metrics.FAILURES.labels(*key).set(failures)
        if outcome.error is not None:
            log.warning("pass failed", object=str(key), error=str(outcome.error), failures=failures)

    def _next(self, chassis: ChassisObject, outcome: Pass[ChassisState]) -> Next:
        resync = self._resync(chassis)
        if outcome.error is None:
            return Next(resync)
        if isinstance(outcome.error, PermanentError):
            # Soon, for a Secret that was corrected: the driver itself does not try refused credentials a second time.
            return Next(min(resync, SECONDS_UNTIL_CORRECTED))
        return Next(resync, Priority.DEGRADED, failed=True)

    def _resync(self, chassis: ChassisObject) -> float:
        """As often as the one that asks for the most: one look serves all that is on a chassis."""
        specs = (
            self._specs.of(item)
            for kind in (STORAGE_POOL, COMPUTE_NODE)
            for item in self._store.list(kind)
            if chassis_of(item) == chassis.resource.ref
        )
        own = (spec.policy for spec in specs if not isinstance(spec, InvalidSpec) and spec.policy is not None)
        asked = [policy.resync_seconds for policy in own if policy.resync_seconds is not None]
        return float(min([chassis.spec.policy.resync_seconds, *asked]))


def _lets_go(inputs: Inputs, outcome: Pass[ChassisState]) -> bool:
    """Whether this pass ends with something let go of."""
    decision = outcome.decision
    return (
        outcome.error is None and decision is not None and bool(finished(inputs.resources, inputs.left_out, decision))
    )


def _word(outcome: Pass[ChassisState]) -> str:
    if outcome.error is not None or outcome.decision is None:
        return "Failed"
    if outcome.decision.verdict.held:
        return "Held"
    if outcome.decision.differences or outcome.decision.problems:
        return "Blocked"
    return "Applied" if outcome.applied else "InSync"
