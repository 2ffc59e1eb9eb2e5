"""A whole world in one process on a virtual clock: a chassis over SSH, the operator with its true driver, and people.

Whoever waits costs no time: latency, time-outs, back-offs and an hour away pass at once. Nothing of the operator is replaced
but the store, which is in memory, and can be taken away.
"""

import asyncio
import errno
import os
import random
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from rackwright.core.assembly import Assembly, assemble
from rackwright.core.journal import Journal
from rackwright.core.leadership import Always, Leadership
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, KINDS, Ref, Resource
from rackwright.core.store import EventType, StoreUnavailableError
from rackwright_drivers.chassis.seamicro.driver import SeaMicro
from rackwright_drivers.contract.power import Power
from rackwright_sim.faults import Moment
from rackwright_sim.server import SimServer
from rackwright_sim.startfile import Start
from tests.chaos.judge import Judge
from tests.unit.core.kit import MemoryStore
from tests.unit.core.virtual import now, virtually

T = TypeVar("T")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
GRACE_SECONDS = 0.001  # real: what this machine may take to carry a packet to itself
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
CREDENTIALS = {"username": b"admin", "password": b"admin"}
SIM_SETTLES = 1.0  # half of what the manifests say
Hook = Callable[[str, Moment], Awaitable[None]]


def in_a_world(main: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine on a virtual clock that knows sockets."""
    return virtually(main, GRACE_SECONDS)


class WorldStore(MemoryStore):
    """Objects in memory, watched as an API server's are. While it is `away` nobody can write, nor read a Secret."""

    def __init__(self) -> None:
        super().__init__()
        self.watchers: list[Callable[[Resource, bool], None]] = []
        self.away: Callable[[str], bool] = lambda operation: False
        self.after_write: Callable[[Ref], None] = lambda ref: None

    def put(self, manifest: Mapping[str, Any]) -> Resource:
        made = super().put(manifest)
        self._tell(made.ref)
        return made

    def change(self, ref: Ref, edit: Callable[[dict[str, Any]], None]) -> None:
        super().change(ref, edit)
        self._tell(ref)

    def annotate(self, ref: Ref, **annotations: str) -> None:
        super().annotate(ref, **annotations)
        self._tell(ref)

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        self._reach("secret")
        return await super().secret(namespace, name)

    async def write_status(self, ref: Ref, status: Mapping[str, Any]) -> Resource | None:
        self._reach("status")
        written = await super().write_status(ref, status)
        self.after_write(ref)
        return written

    async def create(self, manifest: Mapping[str, Any]) -> Resource:
        self._reach("create")
        return await super().create(manifest)

    async def replace_spec(self, ref: Ref, manifest: Mapping[str, Any]) -> Resource | None:
        self._reach("replace")
        return await super().replace_spec(ref, manifest)

    async def delete(self, ref: Ref, uid: str) -> None:
        self._reach("delete")
        gone = self.objects.get(ref)
        await super().delete(ref, uid)
        if gone is not None and ref not in self.objects:
            self._tell(ref, gone)

    def _reach(self, operation: str) -> None:
        if self.away(operation):
            raise StoreUnavailableError("the API server does not answer")

    def _tell(self, ref: Ref, gone: Resource | None = None) -> None:
        """A watch brings it a moment later."""
        for watcher in list(self.watchers):
            asyncio.get_running_loop().call_soon(watcher, gone or self.objects[ref], gone is not None)


class _View:
    """The store as one process sees it: when that is dead, nothing that it began comes to an end."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        self.alive = True

    def get(self, ref: Ref) -> Resource | None:
        return self._store.get(ref)

    def list(self, kind: str) -> Any:
        return self._store.list(kind)

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        await self._pass()
        return await self._store.secret(namespace, name)

    async def write_status(self, ref: Ref, status: Mapping[str, Any]) -> Resource | None:
        await self._pass()
        return await self._store.write_status(ref, status)

    async def create(self, manifest: Mapping[str, Any]) -> Resource:
        await self._pass()
        return await self._store.create(manifest)

    async def replace_spec(self, ref: Ref, manifest: Mapping[str, Any]) -> Resource | None:
        await self._pass()
        return await self._store.replace_spec(ref, manifest)

    async def delete(self, ref: Ref, uid: str) -> None:
        await self._pass()
        await self._store.delete(ref, uid)

    async def set_finalizer(self, ref: Ref, *, wanted: bool) -> Resource | None:
        await self._pass()
        return await self._store.set_finalizer(ref, wanted=wanted)

    async def event(self, ref: Ref, kind: EventType, reason: str, message: str) -> None:
        if self.alive:
            await self._store.event(ref, kind, reason, message)

    async def _pass(self) -> None:
        await asyncio.sleep(0)
        if not self.alive:
            await asyncio.Event().wait()


class Operator:
    """One process of the operator. `kill` is SIGKILL: no farewell, and what was on its way is lost."""

    def __init__(self, world: "World", leadership: Leadership) -> None:
        self.lines: list[bytes] = []
        self.journal_is_full = False
        self._store = world.store
        self._view = _View(world.store)
        journal = Journal(self._note, now=world.moment)
        self.assembly: Assembly = assemble(self._view, journal, leadership, now=world.wall, jitter=world.chance.random)
        world.store.watchers.append(self._notify)
        self.task = asyncio.create_task(self.assembly.engine.run())
        for kind in KINDS:
            for item in world.store.list(kind):
                self.assembly.engine.notify(item)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._view.alive

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Its journal's lines."""
        return [orjson.loads(line) for line in self.lines]

    def kill(self) -> None:
        """Now, wherever it is."""
        self._view.alive = False
        self._store.watchers.remove(self._notify)
        for endpoint in self.assembly.endpoints.known():
            assert isinstance(endpoint.driver, SeaMicro)
            session = endpoint.driver._cli._session
            if session is not None:
                session.abort()
        self.task.cancel()

    def dismiss(self) -> None:
        """It leads no longer: its engine ends where it is, and the process lives on."""
        self.task.cancel()

    async def stop(self) -> None:
        """In an orderly way."""
        if self.alive:
            self._store.watchers.remove(self._notify)
            await self.assembly.engine.drain(600)
            await self.assembly.endpoints.aclose()
            self._view.alive = False
        await asyncio.wait({self.task})
        if not self.task.cancelled():
            self.task.result()

    def _note(self, line: bytes) -> None:
        if self.journal_is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.alive:
            self.lines.append(line)

    def _notify(self, resource: Resource, deleted: bool) -> None:
        self.assembly.engine.notify(resource, deleted=deleted)


@dataclass(frozen=True)
class Snapshot:
    """A chassis as it is and all objects about it, as a backup has them."""

    chassis: Start
    objects: Mapping[Ref, Resource]


@dataclass
class World:
    """One chassis, one store, the operators of it, and a person."""

    sim: SimServer
    store: WorldStore
    judge: Judge
    chance: random.Random
    operators: list[Operator] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    clock_off: timedelta = timedelta()
    plot: list[str] = field(default_factory=list)

    def moment(self) -> datetime:
        """The wall clock."""
        return EPOCH + timedelta(seconds=now()) + self.clock_off

    def wall(self) -> str:
        """As the API writes it."""
        return self.moment().strftime("%Y-%m-%dT%H:%M:%SZ")

    def jump(self, hours: float) -> None:
        """Somebody sets the wall clock."""
        self.say(f"the wall clock jumps by {hours:g} hours")
        self.clock_off += timedelta(hours=hours)

    def say(self, what: str) -> None:
        """Note what happens, for whoever has to understand a failure."""
        self.plot.append(f"{now():9.1f} {what}")

    @property
    def chassis(self) -> Resource:
        """The one Chassis."""
        return next(iter(self.store.list(CHASSIS)))

    def start(self, leadership: Leadership | None = None) -> Operator:
        """An operator begins."""
        made = Operator(self, leadership or Always())
        self.operators.append(made)
        return made

    async def hear(self, line: str, moment: Moment) -> None:
        """As the simulator's watcher."""
        self.judge(line, moment)
        for hook in list(self.hooks):
            await hook(line, moment)

    async def by_hand(self, *lines: str) -> None:
        """A person at the console of the chassis."""
        self.say(f"by hand: {'; '.join(lines)}")
        with self.judge.person_at_console():
            output, transcript = await self.sim.operate(*lines)
        assert "%" not in output, transcript

    def approve(self) -> int:
        """A person reads all plans that ask for consent, and gives it; how many."""
        asking = [item for kind in KINDS for item in self.store.list(kind) if _asks(item)]
        for item in asking:
            self._consent(item)
        return len(asking)

    def _consent(self, item: Resource) -> None:
        asked = next(c["message"] for c in item.status["conditions"] if c["type"] == "AwaitingApproval")
        digest = _DIGEST.findall(asked)[0]
        stages = item.status.get("plan", {}).get("stages") or [{"steps": [], "stepCount": 0}]
        stage = stages[0]
        assert stage["stepCount"] == len(stage["steps"]), "the plan shows less than all that it would do"
        stamped = item.ref.kind == COMPUTE_NODE and item.owner_uid is not None
        owner = self.chassis.ref if stamped else item.ref
        approvals = self.store.objects[owner].spec.get("approvals", [])
        if {"plan": digest} in approvals:
            return
        for step in stage["steps"]:
            if digest in step.get("held", ""):
                self.judge.approved(step["commands"])
        self.say(f"approved {item.ref} {digest[:15]}")
        self.store.change(owner, lambda spec: spec.update(approvals=[*approvals, {"plan": digest}][-16:]))

    def content(self) -> bool:
        """Whether every object says that all is as declared."""
        return all(_content(item) for kind in KINDS for item in self.store.list(kind))

    async def until(self, what: Callable[[], bool], within: float) -> float:
        """Wait for it; the seconds it took."""
        began = now()
        while not what():
            assert now() - began <= within, f"not within {within:g} seconds{self.story()}"
            await asyncio.sleep(1)
        return now() - began

    def power(self, server: str) -> Power:
        """As it really is."""
        return self.sim.model.servers.power[server]

    def condition(self, kind: str, ref: Ref | None = None) -> Mapping[str, Any]:
        """Of the Chassis, or of another object."""
        conditions = self.store.objects[ref or self.chassis.ref].status.get("conditions", ())
        return next((item for item in conditions if item["type"] == kind), {})

    async def rests(self, within: float = 7200.0, *, approving: bool = True) -> None:
        """Wait until all is as declared, and a look after that still says so. AssertionError tells what is not."""
        deadline = now() + within
        calm = 0
        while calm < 2:
            assert now() < deadline, self.story()
            if approving and self.approve():
                calm = 0
            calm = calm + 1 if self.content() else 0
            await asyncio.sleep(self.resync * 1.2 if calm == 1 else 5)

    @property
    def resync(self) -> float:
        """Seconds between two looks at rest."""
        return float(self.chassis.spec["policy"].get("resyncSeconds", 60))

    def snapshot(self) -> Snapshot:
        """Keep it all."""
        return Snapshot(self.sim.model.saved(), dict(self.store.objects))

    def restore(self, backup: Snapshot) -> None:
        """Objects as they were; the Chassis leads to where the chassis is reached now."""
        hardware = self.chassis.spec["hardware"]
        self.store.objects = dict(backup.objects)
        made = self.chassis
        self.store.objects[made.ref] = replace(made, spec={**made.spec, "hardware": hardware})

    def story(self) -> str:
        """How it came to this."""
        says = [
            f"{item.ref}: {condition['reason']}: {condition.get('message')}"
            for kind in KINDS
            for item in self.store.list(kind)
            for condition in item.status.get("conditions", ())
            if condition["type"] == "Ready" and not _content(item)
        ]
        log = [f"{entry.session} {entry.text} {entry.outcome} {entry.detail}" for entry in list(self.sim.log)[-60:]]
        return "\n".join(["", *self.plot, *says[:8], *log, *self.judge.offences])


def _asks(item: Resource) -> bool:
    return _truth(item, "AwaitingApproval") == "True"


def _content(item: Resource) -> bool:
    kind = "ChassisReady" if item.ref.kind == COMPUTE_NODE else "Ready"
    status = item.status
    return _truth(item, kind) == "True" and not status.get("driftCount") and "plan" not in status


def _truth(item: Resource, kind: str) -> str:
    found = (c["status"] for c in item.status.get("conditions", ()) if c["type"] == kind)
    return str(next(found, "Unknown"))


def _written(start: Start, path: Path) -> Path:
    path.write_text(start.model_dump_json(exclude_defaults=True), "utf-8")
    return path


@asynccontextmanager
async def _simulator(start: str | Path | Start) -> AsyncIterator[SimServer]:
    clock = asyncio.get_running_loop().time
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        if isinstance(start, Start):
            start = _written(start, Path(file.name))
        async with SimServer(start=start, settle_seconds=SIM_SETTLES, clock=clock) as sim:
            yield sim


@asynccontextmanager
async def world(
    manifests: Callable[[SimServer], list[dict[str, Any]]],
    start: str | Path | Start,
    *,
    seed: int = 0,
    asks: bool = True,
) -> AsyncIterator[World]:
    """A chassis as it starts, and manifests for it. No operator runs yet; those that do in the end are stopped."""
    async with _simulator(start) as sim:
        store = WorldStore()
        for manifest in manifests(sim):
            store.put(manifest)
        made = next(iter(store.list(CHASSIS)))
        store.secrets[made.ref.namespace, made.spec["credentialsRef"]["name"]] = dict(CREDENTIALS)
        spec = made.spec
        judge = Judge(sim, spec["protectedServers"], spec["policy"].get("maxDisrupted", 1), asks=asks)
        found = World(sim, store, judge, random.Random(seed))
        sim.faults.watcher = found.hear
        try:
            yield found
        finally:
            sim.faults.replace([])
            found.hooks.clear()
            store.away = lambda operation: False
            for operator in found.operators:
                if operator.alive:
                    operator.kill()
                await asyncio.wait({operator.task})
