"""The client against a server that misbehaves: what is repeated, what is not, and what an answer means."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientTimeout, web

from rackwright.core.store import StoreConflictError, StoreUnavailableError
from rackwright.kube import client as client_module
from rackwright.kube.access import Access
from rackwright.kube.client import ATTEMPTS, ApiClient, RefusedError, WatchExpiredError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _status(code: int, message: str, **headers: str) -> web.Response:
    return web.json_response({"kind": "Status", "message": message}, status=code, headers=headers)


class Script:
    """Answers with the next of its answers, and with the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[Any] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.path_qs, orjson.loads(body) if body else None))
        self.headers.append(request.headers)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "cut":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(answer, web.Response):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return web.json_response(answer)


@asynccontextmanager
async def _client(handler: Handler, **options: Any) -> AsyncIterator[ApiClient]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        access = Access(f"http://127.0.0.1:{runner.addresses[0][1]}", None, **options)
        async with ApiClient(access, jitter=lambda: 0.0, timeout=ClientTimeout(total=2)) as client:
            yield client
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BACKOFF_FIRST_SECONDS", 0.0)


@pytest.mark.parametrize("fault", [503, 500, 502, 504, 429, "cut"])
async def test_what_may_be_repeated_is(fault: Any) -> None:
    script = Script("cut" if fault == "cut" else _status(fault, "busy"), {"found": True})
    async with _client(script) as client:
        assert await client.get("/a") == {"found": True}
        assert await client.patch("/a", {"x": None}) == {"found": True}
    assert [request[0] for request in script.requests] == ["GET", "GET", "PATCH"]


@pytest.mark.parametrize(("fault", "times"), [(503, 1), ("cut", 1), (429, 2)])
async def test_a_creation_whose_fate_is_unknown_is_not_repeated(fault: Any, times: int) -> None:
    script = Script("cut" if fault == "cut" else _status(fault, "busy"), {"made": True})
    async with _client(script) as client:
        if times == 1:
            with pytest.raises(StoreUnavailableError):
                await client.create("/a", {})
        else:
            assert await client.create("/a", {}) == {"made": True}
    assert len(script.requests) == times


async def test_it_gives_up_in_the_end_and_says_why() -> None:
    script = Script(_status(503, "etcd is away"))
    async with _client(script) as client:
        with pytest.raises(StoreUnavailableError, match="the API server said 503: etcd is away"):
            await client.get("/a")
    assert len(script.requests) == ATTEMPTS


async def test_nobody_there(unused_tcp_port: int) -> None:
    async with ApiClient(Access(f"http://127.0.0.1:{unused_tcp_port}", None), jitter=lambda: 0.0) as client:
        with pytest.raises(StoreUnavailableError, match=rf"127\.0\.0\.1:{unused_tcp_port} does not answer"):
            await client.create("/a", {})
    assert client.requests["POST"] == ATTEMPTS  # it never left: to try again is safe


async def test_retry_after_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    script = Script(
        _status(429, "", **{"Retry-After": "7"}),
        _status(503, "", **{"Retry-After": "86400"}),
        _status(503, "", **{"Retry-After": "Wed"}),
        {},
    )
    async with _client(script) as client:
        await client.get("/a")
        assert waited == [7.0, 30.0, 0.0]


async def test_what_an_answer_means() -> None:
    script = Script(_status(404, ""), _status(404, ""), _status(409, "changed"), _status(422, "spec.a: wrong"))
    async with _client(script) as client:
        assert await client.get("/a") is None
        assert await client.patch("/a", {}) is None
        with pytest.raises(StoreConflictError, match="changed"):
            await client.replace("/a", {})
        with pytest.raises(RefusedError, match=r"the API server refused POST /a: spec\.a: wrong") as refused:
            await client.create("/a", {})
    assert refused.value.status == 422


async def test_of_a_body_that_is_no_status_nothing_is_told() -> None:
    script = Script(web.json_response({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}}, status=403))
    async with _client(script) as client:
        with pytest.raises(RefusedError) as refused:
            await client.get("/a")
    assert "aHVudGVyMg" not in str(refused.value)


async def test_deletion_names_the_uid() -> None:
    script = Script({})
    async with _client(script) as client:
        await client.delete("/a", "uid-1")
    (request,) = script.requests
    assert request[2]["preconditions"] == {"uid": "uid-1"}


async def test_merge_patch_by_its_content_type() -> None:
    script = Script({})
    async with _client(script) as client:
        await client.patch("/a", {"x": None})
    assert script.headers[0]["Content-Type"] == "application/merge-patch+json"
    assert script.requests[0][2] == {"x": None}


async def test_lists_come_in_pages() -> None:
    first = {"metadata": {"resourceVersion": "9", "continue": "next one"}, "items": [{"a": 1}]}
    script = Script(first, {"metadata": {"resourceVersion": "9"}, "items": None})
    async with _client(script) as client:
        assert [page async for page in client.pages("/as")] == [([{"a": 1}], "9"), ([], "9")]
    assert [request[1] for request in script.requests] == ["/as?limit=500", "/as?limit=500&continue=next+one"]


async def test_a_collection_that_is_not_served_is_no_empty_one() -> None:
    async with _client(Script(_status(404, ""))) as client:
        with pytest.raises(StoreUnavailableError, match="does not serve /as"):
            _ = [page async for page in client.pages("/as")]


async def test_a_refused_token_is_asked_for_once_more() -> None:
    tokens = iter(["Bearer old", "Bearer new"])
    script = Script(_status(401, "expired"), {})
    async with _client(script, _authorization=lambda: next(tokens)) as client:
        await client.get("/a")
        await client.get("/a")
    assert [headers["Authorization"] for headers in script.headers] == ["Bearer old", "Bearer new", "Bearer new"]


async def test_a_token_that_stays_refused_is_an_error() -> None:
    script = Script(_status(401, "who are you"))
    async with _client(script, _authorization=lambda: "Bearer wrong") as client:
        with pytest.raises(RefusedError, match="who are you"):
            await client.get("/a")
    assert len(script.requests) == 2


async def test_a_token_is_read_anew_now_and_then() -> None:
    tokens = iter(["Bearer first", "Bearer second"])
    time = [0.0]
    script = Script({})
    async with _client(script, _authorization=lambda: next(tokens), _clock=lambda: time[0]) as client:
        for seconds in (0.0, 29.0, 2.0):
            time[0] += seconds
            await client.get("/a")
    assert [headers["Authorization"] for headers in script.headers] == ["Bearer first", "Bearer first", "Bearer second"]


def _watching(*chunks: bytes) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    return answer


async def test_a_watch_gives_events_of_any_length_however_they_are_cut() -> None:
    large = {"type": "ADDED", "object": {"spec": "x" * 300_000}}
    small = {"type": "MODIFIED", "object": {"spec": "y"}}
    text = orjson.dumps(large) + b"\n" + orjson.dumps(small) + b"\n"
    chunks = [text[index : index + 70_000] for index in range(0, len(text), 70_000)]
    async with _client(_watching(*chunks)) as client:
        assert [event async for event in client.watch("/as", "1")] == [large, small]


async def test_a_version_too_old_to_watch_from() -> None:
    error = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
    async with _client(_watching(orjson.dumps(error) + b"\n")) as client:
        with pytest.raises(WatchExpiredError):
            _ = [event async for event in client.watch("/as", "1")]
    async with _client(Script(_status(410, "gone"))) as client:
        with pytest.raises(WatchExpiredError):
            _ = [event async for event in client.watch("/as", "1")]


async def test_a_watch_that_is_refused() -> None:
    async with _client(Script(_status(403, "no right to it"))) as client:
        with pytest.raises(StoreUnavailableError, match="no right to it"):
            _ = [event async for event in client.watch("/as", "1")]


async def test_outside_of_its_block_it_is_of_no_use() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await ApiClient(Access("http://x.invalid", None)).get("/a")
