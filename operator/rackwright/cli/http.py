"""The daemon's HTTP face: /metrics for Prometheus, /healthz and /readyz for the kubelet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]  # what is wrong, or None


async def _metrics(_: web.Request) -> web.Response:
    """Off the loop: many series take a while to print."""
    text = await asyncio.to_thread(generate_latest)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answering(check: Check) -> Callable[[web.Request], object]:
    async def answer(_: web.Request) -> web.Response:
        wrong = check()
        status = HTTPStatus.OK if wrong is None else HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(status=status, text=f"{wrong or 'ok'}\n")

    return answer


@asynccontextmanager
async def serve(host: str, port: int, *, healthy: Check, ready: Check) -> AsyncIterator[int]:
    """Serve within the block; yields the port, which the system chooses where 0 is asked for."""
    app = web.Application()
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/healthz", _answering(healthy))  # type: ignore[arg-type]
    app.router.add_get("/readyz", _answering(ready))  # type: ignore[arg-type]
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
