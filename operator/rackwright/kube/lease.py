"""Who may act: one `coordination.k8s.io` Lease, and the fence that goes by it.

Time is counted by CLOCK_BOOTTIME of this machine and never compared with another's: somebody else's Lease has run out when
it was seen unchanged for its whole duration. A device command is let through only if it ends before our own runs out.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from rackwright.core.leadership import NotPermittedError
from rackwright.core.store import StoreConflictError, StoreUnavailableError
from rackwright_drivers.contract.errors import PermanentError

log = structlog.get_logger(__name__)

Body = dict[str, Any]


class LeaseApi(Protocol):
    """What is needed of the API client."""

    async def get(self, path: str) -> Body | None:
        """One object, or None."""

    async def create(self, path: str, body: Body) -> Body:
        """StoreConflictError where it exists."""

    async def replace(self, path: str, body: Body) -> Body | None:
        """StoreConflictError where it is of another version; None where it is gone."""


def boottime() -> float:
    """Seconds since boot, time asleep included: a machine that was suspended must not think its Lease still good."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long the Lease holds without renewal, how often it is renewed, and how long one try may take."""

    duration: float = 120.0
    renew: float = 5.0
    attempt: float = 10.0


class Lease:
    """The Leadership of a process in a cluster. `changed` is told when it begins and ends, `wrote` every version it wrote."""

    def __init__(
        self,
        client: LeaseApi,
        namespace: str,
        name: str,
        identity: str,
        *,
        timing: Timing | None = None,
        changed: Callable[[bool], None] = lambda _: None,
        wrote: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = boottime,
    ) -> None:
        self._client = client
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._collection}/{name}"
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._timing = timing or Timing()
        self._changed = changed
        self._wrote = wrote
        self._clock = clock
        self._mine: Body | None = None  # as last written; None while we do not hold it
        self._until = float("-inf")
        self._took_over = float("-inf")  # when we took it from one who had not given it back
        self._seen: tuple[str, float] = ("", 0.0)  # another's version, and since when we see it unchanged
        self._resigned = False
        self._last_holder = ""

    @property
    def held(self) -> bool:
        """Whether it is ours and has not run out."""
        return self._mine is not None and self._clock() < self._until

    def permit(self, needed_seconds: float) -> None:
        """See `Leadership`: nothing is let through that could outlast the Lease, or meet the last command of another."""
        now, renew = self._clock(), self._timing.renew
        if self._resigned:
            raise NotPermittedError("this operator is stopping", renew)
        if not self.held:
            raise NotPermittedError(f"the Lease {self._name} is not held by this operator", renew)
        if needed_seconds > self._timing.duration - 2 * renew:
            raise PermanentError(
                f"spec.limits.commandTimeoutSeconds is {needed_seconds:g}, longer than the Lease of "
                f"{self._timing.duration:g} seconds can cover. Lower it, or run the operator with a longer --lease-seconds."
            )
        wait = self._took_over + needed_seconds - now
        if wait > 0:
            raise NotPermittedError("the operator before this one may still have a command under way", wait)
        if now + needed_seconds > self._until:
            raise NotPermittedError(f"the Lease {self._name} could not be renewed lately", renew)

    async def run(self) -> None:
        """Acquire it, keep it, and try again when it is lost, until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(self._timing.renew * (0.9 + random.random() / 5))  # noqa: S311  not a secret

    async def tick(self) -> None:
        """One try to acquire or renew. Raises nothing that an API server could cause."""
        if self._mine is None and self._resigned:
            return
        try:
            async with asyncio.timeout(self._timing.attempt):
                await (self._acquire() if self._mine is None else self._renew(self._mine))
        except (StoreUnavailableError, TimeoutError) as error:
            log.warning("the Lease cannot be read or written", lease=self._name, error=str(error) or "timed out")
        if self._mine is not None and self._clock() >= self._until:
            self._lose("it ran out before it could be renewed")

    def resign(self) -> None:
        """Act no more; what is under way ends. The Lease is still ours, so that nobody else acts meanwhile."""
        self._resigned = True

    async def release(self) -> None:
        """Give it back, so that another may take it at once. To be called when nothing is under way any more."""
        self._resigned = True
        mine, self._mine = self._mine, None
        if mine is None:
            return  # it is not ours
        try:
            found = await self._client.get(self._path)  # a renewal may have been cut short, with its version unknown
            if found is None or _holder(found) != self._identity:
                return
            empty = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
            await self._client.replace(self._path, {**found, "spec": {**found["spec"], **empty}})
            log.info("the Lease is given back", lease=self._name)
        except (StoreUnavailableError, StoreConflictError) as error:
            log.warning("the Lease could not be given back", lease=self._name, error=str(error))

    async def _renew(self, mine: Body) -> None:
        began = self._clock()
        try:
            reply = await self._client.replace(self._path, self._claim(mine, mine["spec"]))
        except StoreConflictError:
            found = await self._client.get(self._path)
            if found is None or _holder(found) != self._identity:
                self._lose(f"{_holder(found) or 'nobody'} has it")
            else:
                self._mine = found  # somebody annotated it, or a reply got lost: it is renewed at the next turn
            return
        if reply is None:
            self._lose("somebody deleted it")
        else:
            self._keep(reply, began)

    async def _acquire(self) -> None:
        found = await self._client.get(self._path)
        began = self._clock()
        holder = _holder(found)
        if found is not None and holder not in ("", self._identity) and not self._ran_out(found, began):
            if holder != self._last_holder:
                log.info("another operator holds the Lease; this one stands by", lease=self._name, holder=holder)
            self._last_holder = holder
            return
        try:
            reply = await self._take(found)
        except StoreConflictError:
            return  # another was faster
        if reply is not None:
            self._took_over = began if holder else float("-inf")
            self._keep(reply, began)
            log.info("the Lease is held", lease=self._name, identity=self._identity, before=holder or "nobody")
            self._changed(True)

    async def _take(self, found: Body | None) -> Body | None:
        if found is None:
            metadata = {"name": self._name, "namespace": self._namespace}
            spec = {"acquireTime": _now(), "leaseTransitions": 0}
            empty = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
            return await self._client.create(self._collection, self._claim(empty, spec))
        before = found.get("spec") or {}
        taken = {"acquireTime": _now(), "leaseTransitions": (before.get("leaseTransitions") or 0) + 1}
        return await self._client.replace(self._path, self._claim(found, {**before, **taken}))

    def _claim(self, body: Body, spec: Body) -> Body:
        ours = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._timing.duration),
            "renewTime": _now(),
        }
        return {**body, "spec": {**spec, **ours}}

    def _keep(self, reply: Body, began: float) -> None:
        """It holds from when we began to ask: how long the answer took is not ours to spend."""
        self._mine = reply
        self._until = began + self._timing.duration
        self._wrote(reply["metadata"]["resourceVersion"])

    def _lose(self, why: str) -> None:
        self._mine, self._until, self._seen = None, float("-inf"), ("", 0.0)
        log.error("the Lease is lost; nothing more is done until it is back", lease=self._name, why=why)
        self._changed(False)

    def _ran_out(self, found: Body, now: float) -> bool:
        version = found["metadata"]["resourceVersion"]
        if self._seen[0] != version:
            self._seen = (version, now)
        duration = (found.get("spec") or {}).get("leaseDurationSeconds") or self._timing.duration
        return bool(now - self._seen[1] >= duration)


def _holder(found: Body | None) -> str:
    return str(((found or {}).get("spec") or {}).get("holderIdentity") or "")


def _now() -> str:
    """As MicroTime: what people see; nothing is decided by it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
