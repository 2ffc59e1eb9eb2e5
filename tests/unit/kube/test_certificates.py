"""Certificates that do not hold on the way to the API server: one sentence, exit status 1, and nothing is sent."""

import asyncio
import datetime
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rackwright.cli import daemon
from rackwright.core.journal import Journal
from rackwright.kube.access import Access, AccessError

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and the certificates that it gives out."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path, name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = _builder(subject, subject, key, -DAY, DAY).add_extension(x509.BasicConstraints(True, 0), critical=True)
        certificate = made.sign(key, hashes.SHA256())
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(folder, name, key, certificate)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.crt"

    def give(self, name: str, begins: timedelta = -DAY, ends: timedelta = DAY) -> tuple[Path, Path]:
        """Certificate and key for 127.0.0.1, valid from and to so long after now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = _builder(subject, self.certificate.subject, key, begins, ends).add_extension(names, critical=False)
        certificate, private = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, private

    def kubeconfig(self, port: int, client: tuple[Path, Path] | None = None) -> Path:
        """Of a cluster on loopback that this authority vouches for."""
        user = {"client-certificate": str(client[0]), "client-key": str(client[1])} if client else {"token": "t0ken"}
        cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(self.path)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "one",
        }
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return path


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: timedelta, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path, "right")


@asynccontextmanager
async def serving(certificate: tuple[Path, Path]) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that shows this certificate: its port, and the requests that came through."""
    requests: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(request.path)
        return web.json_response({"kind": "Status", "message": "not found"}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    listening = socket.create_server(("127.0.0.1", 0))
    try:
        await web.SockSite(runner, listening, ssl_context=tls).start()
        yield listening.getsockname()[1], requests
    finally:
        await runner.cleanup()


async def _run(kubeconfig: Path) -> None:
    options = daemon.Options(lease_namespace="n", identity="one", host="127.0.0.1", port=0)
    await daemon.run(kubeconfig, None, Journal(), options)


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [(-3 * DAY, -2 * DAY, "expired at 20"), (DAY, 2 * DAY, "is valid only from 20")],
    ids=["expired", "not yet valid"],
)
async def test_a_client_certificate_out_of_date_is_said_before_anybody_is_asked(
    authority: Authority, begins: timedelta, ends: timedelta, said: str
) -> None:
    async with serving(authority.give("server")) as (port, requests):
        config = authority.kubeconfig(port, authority.give("client", begins, ends))
        with pytest.raises(AccessError, match=rf"^The client certificate of the kubeconfig {said}.*\.$"):
            await _run(config)
        assert requests == []


async def test_a_client_certificate_that_holds_is_taken(authority: Authority) -> None:
    access = await Access.load(authority.kubeconfig(1, authority.give("client")))
    assert access.tls is not None


@pytest.mark.parametrize(
    ("whose", "ends", "said"),
    [
        ("right", -DAY / 2, "certificate has expired"),
        ("wrong", DAY, "unable to get local issuer certificate"),
    ],
    ids=["expired", "another authority"],
)
async def test_a_server_that_is_not_to_be_trusted_is_sent_nothing(
    authority: Authority, tmp_path: Path, whose: str, ends: timedelta, said: str
) -> None:
    issuer = authority if whose == "right" else Authority.make(tmp_path, "wrong")
    async with serving(issuer.give("server", -DAY, ends)) as (port, requests):
        sentence = (
            rf"^The certificate of https://127.0.0.1:{port} is not to be trusted: {said}. Renew it at the server, "
        )
        with pytest.raises(AccessError, match=sentence):
            await _run(authority.kubeconfig(port))
        assert requests == []


async def test_the_command_line_says_it_in_one_line_and_ends_with_1(authority: Authority) -> None:
    async with serving(authority.give("server", -DAY, -DAY / 2)) as (port, requests):
        config = authority.kubeconfig(port)
        command = [
            sys.executable,
            "-m",
            "rackwright.cli.main",
            "run",
            "--kubeconfig",
            str(config),
            "--metrics-port",
            "0",
        ]
        ended = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=120, env=dict(os.environ)
        )
        assert ended.returncode == 1
        [line] = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
        assert line.startswith(f"Error: The certificate of https://127.0.0.1:{port} is not to be trusted")
        assert "Traceback" not in ended.stderr
        assert ended.stdout == ""
        assert requests == []
