"""Sets the stage and clears it away: folder, processes, signals; between them the story, with or without a live view."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from rackwright.cli.demo.breaking import break_all
from rackwright.cli.demo.build import build, rest
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.facts import shortfalls
from rackwright.cli.demo.faults import PROMISED
from rackwright.cli.demo.kube_side import KubeSide
from rackwright.cli.demo.live import fits, show
from rackwright.cli.demo.local_side import LocalSide
from rackwright.cli.demo.manifests import EXAMPLES, Examples
from rackwright.cli.demo.processes import RACKWRIGHT, Child, start
from rackwright.cli.demo.recording import Recorder
from rackwright.cli.demo.report import Report
from rackwright.cli.demo.scene import Scene
from rackwright.cli.demo.side import Side
from rackwright.cli.demo.simulator import Simulator
from rackwright.cli.demo.tell import BAD, COMMAND, GOOD, STEP, Teller, printing

SSH_OPTIONS = "-o NoHostAuthenticationForLocalhost=yes"  # its key is new every time
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """How to run: without a person; for a recording; through an API server; in a folder that stays; on which chassis."""

    headless: bool = False
    record: bool = False
    kube: bool = False
    keep: Path | None = None
    start: str | Path = "as-found"
    examples: Path = EXAMPLES


class Stage:
    """One run of the demo. `report` is there from the beginning; `finished` says that the story came to its end."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._live = not options.headless and fits(console)
        self.recorder = Recorder()
        self._tell = Teller((lambda _: None) if self._live else printing(console))
        self._login = self._password = ""
        self.report = Report()
        self.finished = False

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Sentences about all that is not as promised."""
        return self.report.shortcomings(PROMISED)

    async def run(self) -> int:
        """Play to the end, or to a signal: its number, or 0. Everything that was started is ended by then."""
        loop = asyncio.get_running_loop()
        stopped: asyncio.Future[int] = loop.create_future()
        for number in ENDS:
            loop.add_signal_handler(number, _resolve, stopped, number)
        playing = loop.create_task(self._play(stopped))
        ends: set[asyncio.Future[Any]] = {playing, stopped}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing
        for number in ENDS:
            loop.remove_signal_handler(number)
        return stopped.result() if stopped.done() else 0

    async def _play(self, stopped: asyncio.Future[int]) -> None:
        async with AsyncExitStack() as stack:
            try:
                scene = await self._set(stack)
            except DemoError as error:
                self._fail(error)
                return
            self.report = scene.report
            if self._live:
                await stack.enter_async_context(_beside(show(scene, self._console)))
            if self._options.record:
                await stack.enter_async_context(_beside(self.recorder.run(scene)))
            await self._story(scene)
            if self._options.record:
                await self.recorder.last(scene)
            self.finished = True
            if not self._options.headless:
                self._invite(scene)
                await stopped

    async def _set(self, stack: AsyncExitStack) -> Scene:
        work = self._folder(stack)
        examples = Examples.read(self._options.examples)
        chassis = await self._chassis(stack, work, examples)
        control = (await chassis.announced(r"^Control:\s+(http://\S+)/counters"))[1]
        simulator = await stack.enter_async_context(Simulator(control))
        key = (await chassis.announced(r"^Host key:\s+(.+)$"))[1]
        port = int((await chassis.announced(r"^SSH:\s+ssh -p (\d+) "))[1])
        username, self._password = examples.credentials
        self._login = f"ssh -p {port} {SSH_OPTIONS} {username}@127.0.0.1"
        side: Side = (KubeSide if self._options.kube else LocalSide)(work, self._tell)
        stack.push_async_callback(side.aclose)
        self._tell.say(f"A simulated chassis, as found, listens on port {port}. The operator starts.", STEP)
        await side.open()
        found = await simulator.state()
        return Scene(
            simulator, side, self._tell, examples.rack(port, key), found, patient=self._live or self._options.record
        )

    def _folder(self, stack: AsyncExitStack) -> Path:
        keep = self._options.keep
        if keep is None:
            work = Path(tempfile.mkdtemp(prefix="rackwright-"))
            stack.callback(shutil.rmtree, work, ignore_errors=True)
            return work
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise DemoError(f"--keep {keep} is not empty. Name a folder that is, or one that is not there yet.")
        return keep.resolve()

    async def _chassis(self, stack: AsyncExitStack, work: Path, examples: Examples) -> Child:
        username, password = examples.credentials
        options = {
            "--start": self._options.start,
            "--port": 0,
            "--control-port": 0,
            "--state": work / "chassis.json",
            "--host-key": work / "chassis.key",
            "--username": username,
            "--password": password,
        }
        words = [str(word) for option in options.items() for word in option]
        child = await start("The simulated chassis", [*RACKWRIGHT, "sim", "seamicro", *words], work / "chassis.log")
        stack.push_async_callback(child.stop)
        return child

    async def _story(self, scene: Scene) -> None:
        try:
            await build(scene)
            await rest(scene)
            await break_all(scene)
            wrong = shortfalls(scene.asked, scene.found, await scene.simulator.state(), await scene.simulator.lines())
            scene.report.broken += [f"after all faults: {sentence}" for sentence in wrong]
            if not wrong:
                scene.tell.say("After all that, the chassis' own tables show the whole rack as it is declared.", GOOD)
        except DemoError as error:
            self._fail(error)
            self._tell.output(f"the operator's log ends with:\n{scene.side.log_tail()}")

    def _fail(self, error: DemoError) -> None:
        self.report.broken.append(error.message)
        self._tell.say(error.message, BAD)

    def _invite(self, scene: Scene) -> None:
        """Everything stays up: say how to look around."""
        for sentence in self.shortcomings:
            self._tell.say(f"Not as promised: {sentence}", BAD)
        if not self.shortcomings:
            self._tell.say(f"All is as promised. Look around; the chassis' password is {self._password}.", GOOD)
        for hint in (*scene.side.hints(), self._login):
            self._tell.say(hint, COMMAND)


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Something that goes on meanwhile, and ends with us. If it fails, that is seen at the end and not before."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, DemoError):
            await task


def _resolve(future: asyncio.Future[int], number: int) -> None:
    if not future.done():
        future.set_result(number)
