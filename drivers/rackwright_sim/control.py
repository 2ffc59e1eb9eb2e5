"""The control face: a small JSON endpoint on loopback, so that another process can count, look, break and operate.

GET  /counters   what came in over SSH, counted by the simulator
GET  /state      the whole chassis, as a start file
GET  /log        every line that came in
POST /faults     a list of faults: these and no others are set from now on
POST /cli        {"commands": [lines]}: as another operator at the chassis; gives {"output", "transcript"}
"""

import socket
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Protocol

import orjson
from aiohttp import web

from rackwright_drivers.contract.errors import PermanentError
from rackwright_sim.faults import Faults, parse
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Counters, LogEntry

LOOPBACK = "127.0.0.1"


class Simulator(Protocol):
    """What the endpoint shows and works on."""

    model: ChassisModel
    faults: Faults

    @property
    def counters(self) -> Counters: ...

    @property
    def log(self) -> deque[LogEntry]: ...

    async def operate(self, *lines: str) -> tuple[str, str]: ...


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(simulator: Simulator, port: int) -> tuple[web.AppRunner, int]:
    """Serve on loopback; gives what to clean up and the port. OSError where the port is taken."""
    sock = socket.create_server((LOOPBACK, port))
    runner = web.AppRunner(application(simulator), access_log=None)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner, sock.getsockname()[1]


def application(simulator: Simulator) -> web.Application:
    """The endpoint as an aiohttp application."""

    async def counters(request: web.Request) -> web.Response:
        return _json(simulator.counters.as_json())

    async def state(request: web.Request) -> web.Response:
        return _json(simulator.model.saved().model_dump(mode="json"))

    async def log(request: web.Request) -> web.Response:
        return _json([asdict(entry) for entry in simulator.log])

    async def faults(request: web.Request) -> web.Response:
        simulator.faults.replace(parse(await _body(request)))
        return _json({"faults": "set"})

    async def cli(request: web.Request) -> web.Response:
        body = await _body(request)
        lines = body.get("commands") if isinstance(body, dict) else None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise PermanentError('the body is not of the form {"commands": [lines]}')
        output, transcript = await simulator.operate(*lines)
        return _json({"output": output, "transcript": transcript})

    app = web.Application(middlewares=[_refusals])
    app.add_routes([web.get("/counters", counters), web.get("/state", state), web.get("/log", log)])
    app.add_routes([web.post("/faults", faults), web.post("/cli", cli)])
    return app


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except PermanentError as error:
        return _json({"error": str(error)}, status=400)


async def _body(request: web.Request) -> object:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise PermanentError(f"the body is not JSON: {error}") from error


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json", status=status)
