"""A small asynchronous client of the Kubernetes API: JSON in, JSON out, and the few errors that callers can do something about.

What may be repeated is repeated, with backoff and jitter; what may not (a POST whose fate is unknown) is not.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from rackwright.core.store import StoreConflictError, StoreUnavailableError
from rackwright.kube.access import Access

CONNECTIONS = 16
PAGE = 500
ATTEMPTS = 5
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MOST_SECONDS = 5.0
RETRY_AFTER_MOST_SECONDS = 30.0
TIMEOUT = aiohttp.ClientTimeout(total=20.0, sock_connect=5.0)
# A watch lasts so long; the server's timer ends it first. Silence for longer than a bookmark's interval is a dead connection.
WATCH_SECONDS = 290
WATCH_TIMEOUT = aiohttp.ClientTimeout(total=WATCH_SECONDS + 20.0, sock_connect=5.0, sock_read=75.0)
_BUSY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_MERGE = "application/merge-patch+json"
_JSON = "application/json"
Body = dict[str, Any]


class RefusedError(StoreUnavailableError):
    """The API server answered, and said no: no right to it, or not valid. `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UntrustedServerError(StoreUnavailableError):
    """Whoever answers cannot prove to be the API server: nothing was sent."""


class WatchExpiredError(Exception):
    """The version to watch from is too old: list again."""


class ApiClient:
    """One API server, as one user. Use it as an async context manager, in one event loop."""

    def __init__(
        self,
        access: Access,
        *,
        jitter: Callable[[], float] = random.random,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._access = access
        self._jitter = jitter
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self.requests: Counter[str] = Counter()  # by method, as sent

    async def __aenter__(self) -> "ApiClient":
        self._session = self._access.session(CONNECTIONS)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str) -> Body | None:
        """One object, or None where there is none."""
        return await self._request("GET", path)

    async def pages(self, path: str) -> AsyncIterator[tuple[list[Body], str]]:
        """All objects of a collection, page by page, each with the version that the whole list is of."""
        token = ""
        while True:
            page = await self._request(
                "GET", path, params={"limit": str(PAGE)} | ({"continue": token} if token else {})
            )
            if page is None:
                raise RefusedError(HTTPStatus.NOT_FOUND, f"the API server does not serve {path}. Install the CRDs.")
            token = page["metadata"].get("continue") or ""
            yield page.get("items") or [], page["metadata"]["resourceVersion"]
            if not token:
                return

    async def version(self, path: str) -> str:
        """The version of a collection as it is now: what to watch from."""
        page = await self._request("GET", path, params={"limit": "1"})
        return "" if page is None else str(page["metadata"]["resourceVersion"])

    async def create(self, path: str, body: Mapping[str, Any]) -> Body:
        """The object as made. StoreConflictError where one of that name exists."""
        made = await self._request("POST", path, body)
        if made is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"the API server has no {path}: is the namespace gone?")
        return made

    async def patch(self, path: str, body: Mapping[str, Any]) -> Body | None:
        """A JSON merge patch. None where the object is gone; StoreConflictError where it is not of the version named."""
        return await self._request("PATCH", path, body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Body | None:
        """Put a whole object. None and StoreConflictError as for `patch`."""
        return await self._request("PUT", path, body)

    async def delete(self, path: str, uid: str) -> None:
        """Delete exactly the object with this uid; nothing happens where it is gone. StoreConflictError: another is there."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        await self._request("DELETE", path, {**options, "propagationPolicy": "Background"})

    async def watch(self, path: str, version: str, selector: str = "") -> AsyncIterator[Body]:
        """Events from a version on, `{"type", "object"}`, until the server or the wire ends it.

        WatchExpiredError where the version is too old. What is not there any more is StoreUnavailableError.
        """
        params = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        params |= {"allowWatchBookmarks": "true"} | ({"fieldSelector": selector} if selector else {})
        try:
            async with self._open("GET", path, None, params, WATCH_TIMEOUT) as response:
                if response.status == HTTPStatus.GONE:
                    raise WatchExpiredError
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise RefusedError(response.status, await _said(response))
                async for line in _lines(response.content):
                    event: Body = orjson.loads(line)
                    if event["type"] == "ERROR":
                        raise WatchExpiredError
                    yield event
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoreUnavailableError(_unreachable(self._access.server, error)) from error

    async def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> Body | None:
        data = None if body is None else orjson.dumps(body)
        problem = ""
        for attempt in range(ATTEMPTS):
            wait: float | None = None
            try:
                async with self._open(method, path, data, params, self._timeout) as response:
                    if response.status not in _BUSY:
                        return await _answer(response)
                    problem = f"the API server said {response.status}: {await _said(response)}"
                    wait = _retry_after(response)
                    if method == "POST" and response.status != HTTPStatus.TOO_MANY_REQUESTS:
                        break
            except aiohttp.ClientConnectorCertificateError as error:
                raise UntrustedServerError(_untrusted(self._access.server, error)) from error
            except (aiohttp.ClientError, TimeoutError) as error:
                problem = _unreachable(self._access.server, error)
                if method == "POST" and not isinstance(error, aiohttp.ClientConnectorError):
                    break
            if attempt + 1 < ATTEMPTS:
                await asyncio.sleep(self._backoff(attempt) if wait is None else wait)
        raise StoreUnavailableError(problem)

    def _open(
        self,
        method: str,
        path: str,
        data: bytes | None,
        params: Mapping[str, str] | None,
        timeout: aiohttp.ClientTimeout,
    ) -> Any:
        if self._session is None:
            raise RuntimeError("the client is used outside of its `async with` block")
        self.requests[method] += 1
        headers = {"Content-Type": _MERGE if method == "PATCH" else _JSON} if data is not None else None
        url = self._access.server.rstrip("/") + path
        return self._session.request(method, url, data=data, params=params, headers=headers, timeout=timeout)

    def _backoff(self, attempt: int) -> float:
        most: float = min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2**attempt)
        return most * (0.5 + self._jitter())


async def _answer(response: aiohttp.ClientResponse) -> Body | None:
    if response.status < HTTPStatus.BAD_REQUEST:
        found: Body = orjson.loads(await response.read())
        return found
    if response.status == HTTPStatus.NOT_FOUND:
        return None
    said = await _said(response)
    if response.status == HTTPStatus.CONFLICT:
        raise StoreConflictError(said)
    raise RefusedError(response.status, f"the API server refused {response.method} {response.url.path}: {said}")


async def _said(response: aiohttp.ClientResponse) -> str:
    """The message of a Status, and nothing of any other body: it might hold what nobody should read in a log."""
    try:
        body = orjson.loads(await response.read())
    except ValueError:
        return response.reason or ""
    is_status = isinstance(body, dict) and body.get("kind") == "Status"
    return str(body.get("message") or response.reason) if is_status else response.reason or ""


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    try:
        return min(RETRY_AFTER_MOST_SECONDS, max(0.0, float(response.headers["Retry-After"])))
    except (KeyError, ValueError):
        return None


def _unreachable(server: str, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return f"{server} does not answer: {reason}"


def _untrusted(server: str, error: aiohttp.ClientConnectorCertificateError) -> str:
    reason = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
    return (
        f"The certificate of {server} is not to be trusted: {reason}. Renew it at the server, or correct "
        "certificate-authority and server of the kubeconfig."
    )


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length: an object may be larger than aiohttp's line buffer."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line
