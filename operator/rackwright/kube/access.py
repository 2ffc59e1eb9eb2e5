"""How to reach an API server, and as whom: from a kubeconfig or from inside a pod, by the `kubernetes` library's loader.

That library blocks, so everything of it runs in a thread: loading, and the refresh of tokens (a rotated file, an exec plugin).
"""

import asyncio
import socket
import ssl
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import aiohttp
from cryptography.x509 import load_pem_x509_certificate
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config

from rackwright import __version__

TOKEN_SECONDS = (
    30.0  # how long a token is used before it is asked for again; a file is read, a plugin keeps its own cache
)
CLOSING_SECONDS = 0.01  # between looks at whether connections are closed
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TOKEN_KEYS = ("BearerToken", "authorization")  # newer and older releases of the library


class AccessError(Exception):
    """No way to an API server can be found; the message says what to do."""


@dataclass
class Access:
    """The address of an API server and what opens its door. `repr` shows no secret."""

    server: str
    tls: ssl.SSLContext | None
    proxy: str | None = None
    _authorization: Callable[[], str | None] = field(default=lambda: None, repr=False)
    _clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _token: str | None = field(default=None, repr=False)
    _read_at: float = field(default=float("-inf"), repr=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _sockets: "weakref.WeakSet[socket.socket]" = field(default_factory=weakref.WeakSet, repr=False)

    @classmethod
    async def load(cls, kubeconfig: Path | None = None, context: str | None = None) -> Self:
        """From the kubeconfig that is named, else from the pod, else from the usual kubeconfig. AccessError says why not."""
        return await asyncio.to_thread(cls._load, kubeconfig, context)

    @classmethod
    def _load(cls, kubeconfig: Path | None, context: str | None) -> Self:
        found = kubernetes_client.Configuration()
        try:
            _configure(found, kubeconfig, context)
            tls = _tls(found) if found.host.startswith("https:") else None
        except (kubernetes_config.ConfigException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise AccessError(
                f"There is no way to a cluster: {reason}. Name one with --kubeconfig and --context."
            ) from error
        return cls(found.host, tls, found.proxy, lambda: _authorization(found))

    async def authorization(self, *, renew: bool = False) -> str | None:
        """The value of the Authorization header, or None where a client certificate is all. `renew` after a refusal."""
        async with self._reading:
            if renew or self._clock() - self._read_at >= TOKEN_SECONDS:
                self._token = await asyncio.to_thread(self._authorization)
                self._read_at = self._clock()
        return self._token

    def session(self, connections: int) -> aiohttp.ClientSession:
        """A session with at most so many connections, which authorises every request, once more after a refusal."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=self.tls or True, socket_factory=self._socket),
            headers={"User-Agent": f"rackwright/{__version__}"},
            middlewares=(self._authorise,),
            proxy=self.proxy,
        )

    async def closed(self, seconds: float) -> None:
        """Wait, for so long at most, until the connections of closed sessions are: aiohttp itself does not look back."""
        for _ in range(int(seconds / CLOSING_SECONDS)):
            if all(item.fileno() == -1 for item in self._sockets):
                return
            await asyncio.sleep(CLOSING_SECONDS)

    def _socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        made = socket.socket(*address[:3])
        self._sockets.add(made)
        return made

    async def _authorise(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        value = await self.authorization()
        if value is None:
            return await handler(request)
        request.headers["Authorization"] = value
        response = await handler(request)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        response.release()
        request.headers["Authorization"] = await self.authorization(renew=True) or value
        return await handler(request)


def own_namespace() -> str | None:
    """The namespace of the pod that this process runs in."""
    try:
        return NAMESPACE_FILE.read_text("utf-8").strip() or None
    except OSError:
        return None


def _configure(found: Any, kubeconfig: Path | None, context: str | None) -> None:
    if kubeconfig is None and context is None:
        try:
            kubernetes_config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
        except kubernetes_config.ConfigException:
            pass  # not in a pod
        else:
            return
    path = str(kubeconfig) if kubeconfig is not None else None
    kubernetes_config.load_kube_config(  # type: ignore[no-untyped-call]
        config_file=path, context=context, client_configuration=found
    )


def _tls(found: Any) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if found.cert_file:
        tls.load_cert_chain(found.cert_file, found.key_file)
        _check_validity(Path(found.cert_file))
    if not found.verify_ssl:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def _check_validity(path: Path) -> None:
    """A server only says Unauthorized to a certificate that is out of date; here it can be told why."""
    certificate = load_pem_x509_certificate(path.read_bytes())
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    now = datetime.now(UTC)
    if now > ends:
        raise AccessError(
            f"The client certificate of the kubeconfig expired at {ends:%Y-%m-%dT%H:%M:%SZ}. Get a new one."
        )
    if now < begins:
        raise AccessError(
            f"The client certificate of the kubeconfig is valid only from {begins:%Y-%m-%dT%H:%M:%SZ} on. Look at the clock."
        )


def _authorization(found: Any) -> str | None:
    """Asks the library, whose hooks refresh what is old."""
    for key in _TOKEN_KEYS:
        value = found.get_api_key_with_prefix(key)
        if value:
            return str(value)
    if found.username and found.password:
        return str(found.get_basic_auth_token())
    return None
