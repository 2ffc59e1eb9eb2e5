"""The operator as one process: store, engine, Lease, watches and HTTP face, started in order and stopped in order.

Stopping: take no more work, let the batch under way come to its end, give the Lease back, then let everything go.
"""

import asyncio
import signal
import weakref
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from rackwright.cli import http
from rackwright.core import metrics
from rackwright.core.assembly import assemble
from rackwright.core.engine import Engine
from rackwright.core.journal import Journal
from rackwright.core.store import StoreUnavailableError
from rackwright.handlers.watch import watch
from rackwright.kube.access import Access, AccessError
from rackwright.kube.client import ApiClient, UntrustedServerError
from rackwright.kube.events import EventPoster
from rackwright.kube.heartbeat import Heartbeat
from rackwright.kube.heartbeat import listen as listen_to_lease
from rackwright.kube.lease import Lease, Timing
from rackwright.kube.store import KubeStore

log = structlog.get_logger(__name__)

SYNC_SECONDS = 600.0  # how often the cache is compared with the server
RELISTED_SECONDS = 2.0  # for a listing to come to its end
FIRST_TRY_SECONDS = 2.0  # between tries to reach a server that is not there yet
FLUSH_SECONDS = 5.0
FAREWELL_SECONDS = 2.0
LAG_MOST_SECONDS = 20.0
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """What a person chooses."""

    lease_namespace: str
    identity: str
    namespaces: Sequence[str] = ()
    lease_name: str = "rackwright"
    timing: Timing = field(default_factory=Timing)
    host: str = "0.0.0.0"  # noqa: S104  a pod's probes and scrapes come from outside of it
    port: int = 8080
    drain_seconds: float = 75.0


class Daemon:
    """One operator. `run` returns when it was told to stop, and raises what kept it from going on."""

    def __init__(self, access: Access, journal: Journal, options: Options) -> None:
        self._access = access
        self._journal = journal
        self._options = options
        self._stop = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._working: asyncio.Task[None] | None = None
        self._dismissed: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._lag = 0.0
        self.client = ApiClient(access)
        self.heartbeat = Heartbeat()
        self.events = EventPoster(self.client, options.identity)
        self.store = KubeStore(self.client, self.events, options.namespaces)
        self.lease = Lease(
            self.client,
            options.lease_namespace,
            options.lease_name,
            options.identity,
            timing=options.timing,
            changed=self._leads,
            wrote=self.heartbeat.wrote,
        )
        self.assembly = assemble(self.store, journal, self.lease)
        self.store.listen(lambda resource, deleted: self.engine.notify(resource, deleted=deleted))
        self.port = options.port

    @property
    def engine(self) -> Engine:
        """The engine, which works while the Lease is held."""
        return self.assembly.engine

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stop.set()

    async def run(self) -> None:
        """Work until `stop`. Raises when a part of it dies for good: a new process is better than half a one."""
        async with AsyncExitStack() as stack:
            serving = http.serve(self._options.host, self._options.port, healthy=self._unhealthy, ready=self._unready)
            self.port = await stack.enter_async_context(serving)
            stack.push_async_callback(self._access.closed, FAREWELL_SECONDS)
            await stack.enter_async_context(self.client)
            stack.push_async_callback(self._end_tasks)
            self._spawn(self._measure())
            self._on_signals()
            if await self._first_sync():
                await self._work()

    async def _work(self) -> None:
        self._supervise(await watch(self.store.saw, self._access, self._options.namespaces))
        self._on_signals()  # kopf has taken them
        lease = self._options
        for part in (
            self.events.run(),
            self._sync_for_ever(),
            listen_to_lease(self.client, self.heartbeat, lease.lease_namespace, lease.lease_name),
        ):
            self._spawn(part)
        renewing = self._spawn(self.lease.run())
        log.info("the operator runs", identity=self._options.identity, server=self._access.server, port=self.port)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            ends: set[asyncio.Future[Any]] = {stopping, self._failed}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._drain(renewing)
        if self._failed.done():
            self._failed.result()

    async def _drain(self, renewing: asyncio.Task[Any]) -> None:
        log.info("the operator stops; what is under way may end", seconds=self._options.drain_seconds)
        self.lease.resign()
        await self.engine.drain(self._options.drain_seconds)
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})
        renewing.cancel()
        await asyncio.wait({renewing})
        await self.lease.release()
        metrics.LEADER.set(0)
        await self.assembly.endpoints.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self.events.flush()

    def _leads(self, leading: bool) -> None:
        """The Lease came or went: work, or stop at once. A pass that is cut short has the fence before its next command."""
        metrics.LEADER.set(leading)
        before = self._working
        if not leading:
            if before is not None:
                self._dismissed.add(before)
                before.cancel()
            return
        self._working = self._spawn(self._run_engine(before))

    async def _run_engine(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self.engine.look_at_all()
        await self.engine.run()

    async def _first_sync(self) -> bool:
        """Fill the cache, however long the server or its CRDs take to come; False where it was told to stop meanwhile.

        AccessError where who answers is not the API server: only a person can change that.
        """
        said = ""
        while not self._stop.is_set():
            try:
                await self.store.check_served()
                await self.store.sync()
                return True
            except UntrustedServerError as error:
                raise AccessError(str(error)) from error
            except StoreUnavailableError as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("waiting for the API server", error=said)
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_TRY_SECONDS):
                    await self._stop.wait()
        return False

    async def _sync_for_ever(self) -> None:
        """Now and then, and soon after a watch had to begin anew."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SYNC_SECONDS):
                    await self.store.relisted.wait()
            await asyncio.sleep(RELISTED_SECONDS)
            self.store.relisted.clear()
            try:
                await self.store.sync()
            except StoreUnavailableError as error:
                log.warning("the cache could not be compared with the server", error=str(error))

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(TICK_SECONDS)
            self._lag = max(0.0, loop.time() - before - TICK_SECONDS)
            metrics.HEARTBEAT.set(self.heartbeat.age if self.lease.held else 0.0)
            metrics.QUEUE.set(len(self.engine.queue))

    def _unhealthy(self) -> str | None:
        if self._failed.done():
            return "a part of the operator died"
        if self.heartbeat.late:
            return "what is written does not come back by the watch"
        return f"the event loop is {self._lag:.1f} s late" if self._lag > LAG_MOST_SECONDS else None

    def _unready(self) -> str | None:
        return self._unhealthy() or (None if self.store.synced else "the objects are not listed yet")

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._supervise([task])
        return task

    def _supervise(self, tasks: Collection[asyncio.Task[Any]]) -> None:
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """No part ends by itself: the engine when the Lease is lost, all when it was told to stop, and else something broke."""
        self._tasks.discard(task)
        cut_short = task.cancelled()
        if self._stop.is_set() or self._failed.done() or (cut_short and task in self._dismissed):
            return
        error = RuntimeError(f"{task.get_name()} ended") if cut_short else task.exception()
        log.error("a part of the operator died", part=task.get_name(), error=str(error))
        self._failed.set_exception(error or RuntimeError(f"{task.get_name()} ended"))

    async def _end_tasks(self) -> None:
        tasks = set(self._tasks)
        for task in tasks:
            task.remove_done_callback(self._ended)
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._failed.done():
            self._failed.exception()  # looked at: it was raised, or the stop was faster
        self._failed.cancel()

    def _on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            with suppress(RuntimeError, ValueError):  # not in the main thread: then somebody else has the signals
                loop.add_signal_handler(name, self.stop)


async def run(kubeconfig: Path | None, context: str | None, journal: Journal, options: Options) -> None:
    """Find the cluster and run one operator in it. AccessError where there is none."""
    await Daemon(await Access.load(kubeconfig, context), journal, options).run()
