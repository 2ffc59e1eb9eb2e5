"""The whole operator in this process, against a real API server and a simulated chassis over SSH."""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import orjson

from rackwright.cli.daemon import Daemon, Options
from rackwright.core.journal import Journal
from rackwright.kube.access import Access
from rackwright.kube.lease import Timing
from rackwright_sim.commands import Kind
from rackwright_sim.server import SimServer
from tests.integration import rack
from tests.kubelab.access import OPERATOR
from tests.kubelab.client import ApiError
from tests.kubelab.controlplane import ControlPlane

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.05
HOME = "rackwright-system"
TIMING = Timing(duration=30.0, renew=0.5, attempt=5.0)
COLLECTIONS = {
    "Chassis": "chassis",
    "StoragePool": "storagepools",
    "ControllerCluster": "controllerclusters",
    "ComputeNode": "computenodes",
}
CHANGES = (Kind.CONFIGURATION, Kind.ANSWER)


async def until(look: Callable[[], Awaitable[T]], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see. AssertionError says what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(POLL_SECONDS)


class Counted(Access):
    """Access that counts every request that goes through it, kopf's included, by method."""

    requests: Counter[str]

    async def _authorise(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        is_lease = "/leases" in request.url.path
        self.requests[f"{request.method} lease" if is_lease else request.method] += 1
        return await super()._authorise(request, handler)


class Lab:
    """One namespace of the cluster, and the chassis that its objects are about."""

    def __init__(self, plane: ControlPlane, namespace: str, sim: SimServer) -> None:
        self.plane = plane
        self.namespace = namespace
        self.sim = sim

    async def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Its output; KubelabError when it fails."""
        inside = (*arguments, f"--namespace={self.namespace}")
        return (await asyncio.to_thread(self.plane.kubectl, *inside, stdin=stdin)).stdout

    async def apply(self, *objects: dict[str, Any]) -> None:
        """As a person with a folder of manifests. Servers of old cannot validate the CRDs' newer fields."""
        everything = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        await self.kubectl("apply", "--validate=false", "-f", "-", stdin=json.dumps(everything))

    def path(self, kind: str, name: str = "") -> str:
        """Of a kind of ours, or of one object."""
        base = f"/apis/{rack.API}/namespaces/{self.namespace}/{COLLECTIONS[kind]}"
        return f"{base}/{name}" if name else base

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """As the administrator."""
        return await asyncio.to_thread(self.plane.admin.request, method, path, body)

    async def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object, or None."""
        try:
            found: dict[str, Any] = await self.request("GET", self.path(kind, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    async def items(self, kind: str) -> dict[str, dict[str, Any]]:
        """All objects of a kind, by name."""
        found = await self.request("GET", self.path(kind))
        return {item["metadata"]["name"]: item for item in found["items"]}

    async def patch(self, kind: str, name: str, body: Any) -> None:
        """A merge patch."""
        await self.request("PATCH", self.path(kind, name), body)

    async def reason(self, kind: str, name: str, condition: str = "Ready") -> str:
        """Why an object is Ready or not; empty where it says nothing yet."""
        return str((await self.condition(kind, name, condition)).get("reason", ""))

    async def condition(self, kind: str, name: str, condition: str = "Ready") -> dict[str, Any]:
        """One condition of an object, or nothing."""
        found = await self.get(kind, name) or {}
        conditions = found.get("status", {}).get("conditions", ())
        return next((item for item in conditions if item["type"] == condition), {})

    async def becomes(self, kind: str, name: str, reason: str, condition: str = "Ready") -> dict[str, Any]:
        """Wait for a reason; the whole condition."""

        async def look() -> bool:
            return await self.reason(kind, name, condition) == reason

        await until(look, f"{kind} {name}: {condition} {reason}")
        return await self.condition(kind, name, condition)

    async def converged(self, nodes: int = len(rack.NODES)) -> None:
        """Wait until all is as declared."""

        async def look() -> bool:
            found = await self.items("ComputeNode")
            ready = [node for node in found.values() if _is_ready(node)]
            return len(ready) == nodes == len(found) and await self.reason("Chassis", "rack") == "InSync"

        await until(look, "the rack is as declared")

    async def snapshot(self) -> dict[str, str]:
        """The version of everything that is to be left alone at rest."""
        paths = [self.path(kind) for kind in COLLECTIONS]
        paths += [f"/api/v1/namespaces/{self.namespace}/{kind}" for kind in ("events", "secrets", "configmaps")]
        found: dict[str, str] = {}
        for path in paths:
            for item in (await self.request("GET", path))["items"]:
                metadata = item["metadata"]
                found[f"{path}/{metadata['name']}"] = metadata["resourceVersion"]
        return found

    @property
    def changes(self) -> int:
        """Commands that changed the chassis, as the chassis counted them."""
        return sum(self.sim.counters.commands[kind] for kind in CHANGES)

    @property
    def looks(self) -> int:
        """How often the chassis was asked anything, as it counted."""
        return self.sim.counters.round_trips

    async def by_hand(self, *lines: str) -> None:
        """As somebody else at the chassis' own console."""
        output, transcript = await self.sim.operate(*lines)
        assert "%" not in output, transcript

    async def seen_again(self, times: int = 2, since: int | None = None) -> None:
        """Wait until the device was looked at so many times more, from now or from an earlier number of looks."""
        before = self.looks if since is None else since

        async def look() -> bool:
            return self.looks >= before + times

        await until(look, "another look at the device")


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(item["type"] == "ChassisReady" and item["status"] == "True" for item in conditions)


class Operator:
    """A running operator, what it journalled, and what it asked of the API server."""

    def __init__(self, daemon: Daemon, task: asyncio.Task[None], lines: list[bytes], access: Counted) -> None:
        self.daemon = daemon
        self.task = task
        self.lines = lines
        self.access = access

    @property
    def journal(self) -> list[dict[str, Any]]:
        """All lines."""
        return [orjson.loads(line) for line in self.lines]

    async def stop(self) -> None:
        """As by SIGTERM; raises what it died of."""
        self.daemon.stop()
        await self.task

    async def kill(self) -> None:
        """As by SIGKILL: no farewell, and its Lease stays behind."""

        async def nothing(*_: Any) -> None:
            pass

        self.daemon.lease.release = nothing  # type: ignore[method-assign]
        self.task.cancel()
        await asyncio.wait({self.task})


@asynccontextmanager
async def operator(
    plane: ControlPlane, namespace: str, *, identity: str = "one", timing: Timing = TIMING, everywhere: bool = False
) -> AsyncIterator[Operator]:
    """An operator for one namespace with the rights of deploy/, and a Lease of the namespace's name."""
    access = await Counted.load(plane.kubeconfig, OPERATOR)
    access.requests = Counter()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    lines: list[bytes] = []
    options = Options(
        lease_namespace=HOME,
        lease_name=namespace,
        identity=identity,
        namespaces=() if everywhere else (namespace,),
        timing=timing,
        host="127.0.0.1",
        port=0,
    )
    daemon = Daemon(access, Journal(lines.append), options)
    running = Operator(daemon, asyncio.create_task(daemon.run()), lines, access)
    try:
        yield running
    finally:
        if not running.task.done():
            await running.stop()
        for number, handler in handlers.items():  # kopf and the operator take them, as in a process of their own
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, handler)
        if not running.task.cancelled():
            running.task.result()


@asynccontextmanager
async def lab(plane: ControlPlane, namespace: str, start: str = "small") -> AsyncIterator[Lab]:
    """A simulated chassis, and the Secret that opens it."""
    async with rack.simulator(start) as sim:
        found = Lab(plane, namespace, sim)
        await found.apply(rack.secret(namespace))
        yield found


def granted() -> dict[str, Any]:
    """A policy under which nothing waits for consent."""
    return {**rack.POLICY, "destructive": "Allow"}
