"""What every part of the demo works with: the chassis, the person's side, who is told, and how to wait for something."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rackwright.cli.demo.asked import Asked, asked
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.manifests import documents
from rackwright.cli.demo.report import Object, Report
from rackwright.cli.demo.side import Side
from rackwright.cli.demo.simulator import Simulator
from rackwright.cli.demo.tell import Teller
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, CONTROLLER_CLUSTER, KINDS, STORAGE_POOL, Ref
from rackwright_sim.startfile import Start

T = TypeVar("T")

POLL_SECONDS = 0.1
READING_SECONDS = 4.0


@dataclass
class Scene:
    """One run. `files` are the manifests by name; `found` is the chassis before anybody touched it.

    `declared` are the objects of the manifests, and `others` those of them that this version does not act on yet.
    """

    simulator: Simulator
    side: Side
    tell: Teller
    files: dict[str, str]
    found: Start
    patient: bool = False  # somebody watches: say less at once, and leave time to read it
    report: Report = field(default_factory=Report)
    chassis: Mapping[str, Any] = field(init=False)
    asked: Asked = field(init=False)
    declared: frozenset[Ref] = field(init=False)
    others: frozenset[Ref] = field(init=False)

    def __post_init__(self) -> None:
        ours = [item for item in documents(*self.files.values()) if item["kind"] in KINDS]
        self.chassis = next(item for item in ours if item["kind"] == CHASSIS)
        self.asked = asked(ours, self.found)
        self.declared = frozenset(map(_ref, ours))
        self.others = frozenset(_ref(item) for item in ours if _is_other(item))

    @property
    def resync(self) -> float:
        """The most seconds between two looks of the operator at a rack at rest; it spreads them by a tenth."""
        return 1.1 * float(self.chassis["spec"]["policy"]["resyncSeconds"])

    async def node(self, server: str) -> Ref:
        """The ComputeNode of a server."""
        return next(ref for ref, item in (await self.side.objects()).items() if item.server == server)

    async def object(self, ref: Ref) -> Object:
        """One object as it is stored; one without status where it is not there."""
        return (await self.side.objects()).get(ref, Object(ref, {}))

    async def show_held(self, refs: Sequence[Ref]) -> None:
        """What is held of these objects: every command of the plan, or its gist where somebody watches."""
        if self.patient:
            for ref in refs:
                await self.side.show_why(ref)
            await asyncio.sleep(READING_SECONDS)
        else:
            await self.side.show_plan(refs)

    async def at_rest(self) -> bool:
        """Whether everything declared is there and ready, or says that this version does not act on it."""
        objects = await self.side.objects()
        nodes = sum(ref.kind == COMPUTE_NODE for ref in objects)
        if nodes != len(self.asked.servers) or self.declared - objects.keys():
            return False
        return all(item.not_reconciled if ref in self.others else item.ready for ref, item in objects.items())

    async def until(self, what: str, probe: Callable[[], Awaitable[T | None]], seconds: float) -> T:
        """Wait for a probe to give something true. DemoError where that takes too long, or a process has ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            self.side.check()
            if value := await probe():
                return value
            if loop.time() >= deadline:
                raise DemoError(f"{what}: that did not happen within {seconds:.0f} s.")
            await asyncio.sleep(POLL_SECONDS)


def _ref(document: Mapping[str, Any]) -> Ref:
    return Ref(document["kind"], document["metadata"]["namespace"], document["metadata"]["name"])


def _is_other(document: Mapping[str, Any]) -> bool:
    """Whether this version accepts it and does not act on it: by what its documentation says."""
    kind, spec = document["kind"], document["spec"]
    return kind == CONTROLLER_CLUSTER or bool(kind == STORAGE_POOL and spec["backend"]["type"] != "Chassis")
