"""Who may in, and who it is: wrong Secrets, passwords and host keys, through the true driver to a chassis on the wire."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh
import pytest

from rackwright.core.assembly import Assembly, assemble
from rackwright.core.journal import Journal
from rackwright.core.leadership import Always
from rackwright.core.resource import CHASSIS, STORAGE_POOL, Ref
from rackwright_sim.commands import Kind
from rackwright_sim.server import SimServer
from tests.integration import rack
from tests.unit.core.kit import MemoryStore, condition
from tests.unit.input.plant import sentence_faults

NAMESPACE = "rack"
KEY = Ref(CHASSIS, NAMESPACE, "rack")
POOL = Ref(STORAGE_POOL, NAMESPACE, "root")
SECRET = {name: value.encode() for name, value in rack.CREDENTIALS.items()}
Spoil = Callable[["Wired"], None]


@dataclass
class Wired:
    """An operator, and a chassis that it reaches over SSH."""

    sim: SimServer
    store: MemoryStore
    assembly: Assembly
    journal: list[bytes]

    def secret(self, **data: bytes) -> None:
        """The Secret becomes this."""
        self.store.secrets[NAMESPACE, "chassis"] = data

    def cli(self, **changes: Any) -> None:
        """A person edits spec.hardware.seaMicro.cli."""
        self.store.change(KEY, lambda spec: spec["hardware"]["seaMicro"]["cli"].update(changes))

    async def look(self) -> tuple[str, str]:
        """The operator looks; reason and sentence of the Chassis."""
        self.assembly.engine.look_at_all()
        await self.assembly.engine.settle()
        ready = next(item for item in self.store.objects[KEY].status["conditions"] if item["type"] == "Ready")
        return ready["reason"], ready["message"]

    @property
    def refused(self) -> int:
        """Passwords that the chassis refused, as it counted."""
        return self.sim.counters.authentications_failed

    @property
    def said(self) -> str:
        """All that was ever said and written."""
        statuses = [str(item.status) for item in self.store.objects.values()]
        return "\n".join([*statuses, str(self.store.events), *(line.decode() for line in self.journal)])


@asynccontextmanager
async def wired() -> AsyncIterator[Wired]:
    async with rack.simulator() as sim:
        chassis = rack.chassis(NAMESPACE, sim, policy={**rack.POLICY, "destructive": "Allow"})
        store, journal = MemoryStore([chassis, rack.pool(NAMESPACE)]), list[bytes]()
        made = Wired(sim, store, assemble(store, Journal(journal.append), Always()), journal)
        made.secret(**SECRET)
        try:
            yield made
        finally:
            await made.assembly.endpoints.aclose()


def _other_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()


def _no_secret(it: Wired) -> None:
    it.store.secrets.clear()


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


SPOILT: Mapping[str, tuple[Spoil, str, tuple[str, ...]]] = {
    "no Secret": (_no_secret, "DeviceError", ("spec.credentialsRef", "Secret chassis in namespace rack", "Create it")),
    "a Secret without the password": (
        lambda it: it.secret(username=b"admin"),
        "DeviceError",
        ("spec.credentialsRef", "Secret chassis", "no key password", "Add it"),
    ),
    "a Secret with nothing in it": (
        lambda it: it.secret(username=b"admin", password=b"\n"),
        "DeviceError",
        ("spec.credentialsRef", "Secret chassis", "nothing in password", "Fill it in"),
    ),
    "a wrong password": (
        lambda it: it.secret(username=b"admin", password=b"Tr0ub4dor"),
        "CredentialsRefused",
        ("127.0.0.1", "refused the username and password", "correct the Secret"),
    ),
    "username and password the wrong way round": (
        lambda it: it.secret(username=b"Tr0ub4dor", password=b"admin"),
        "CredentialsRefused",
        ("refused the username and password", "correct the Secret"),
    ),
    "a host key that is not the pinned one": (
        lambda it: it.cli(hostKeys=[_other_key()]),
        "DeviceError",
        (
            "The host key of 127.0.0.1",
            "SHA256:",
            "and not the pinned SHA256:",
            "console",
            "pin the new key in hostKeys",
        ),
    ),
    "no host key": (lambda it: it.cli(hostKeys=[]), "DeviceError", ("hostKeys pins no host key", "ssh-keyscan")),
    "a host key that cannot be read": (
        lambda it: it.cli(hostKeys=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAnonsense"]),
        "DeviceError",
        ("hostKeys[0]", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAnons", "not an OpenSSH public key", "ssh-keyscan"),
    ),
    "an algorithm that nobody knows": (
        lambda it: it.cli(legacyAlgorithms=["rot13-cbc"]),
        "DeviceError",
        ("legacyAlgorithms", "rot13-cbc", "take the names"),
    ),
    "a port that nobody listens on": (
        lambda it: it.cli(port=_closed_port()),
        "DeviceUnavailable",
        ("No SSH session with 127.0.0.1:", "look whether the device is up", "cli.port"),
    ),
    "a host that has no address": (
        lambda it: it.cli(host="nothing.invalid"),
        "DeviceUnavailable",
        ("No SSH session with nothing.invalid", "look whether the device is up", "cli.host"),
    ),
}


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for the address of a name that has none."""
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "nothing.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("name", SPOILT)
async def test_a_way_in_that_is_wrong_is_one_sentence_and_nothing_is_done(name: str) -> None:
    spoil, reason, words = SPOILT[name]
    async with wired() as it:
        spec, secrets = dict(it.store.objects[KEY].spec), dict(it.store.secrets)
        spoil(it)
        for _ in range(3):
            found, sentence = await it.look()
            assert found == reason
        assert [word for word in words if word not in sentence] == []
        assert [fault for fault in sentence_faults(sentence) if fault != "it names no field"] == []
        assert [event[1:] for event in it.store.events if event[0] == KEY] == [(reason, sentence)], "once"
        assert condition(it.store.objects[POOL], "Ready")[1] == reason
        assert it.sim.counters.commands[Kind.CONFIGURATION] == 0
        assert it.refused == (1 if reason == "CredentialsRefused" else 0), "a password is tried once, or never"
        it.store.change(KEY, lambda now: now.update(spec))
        it.store.secrets = secrets
        assert await it.look() == ("InSync", "")
        assert condition(it.store.objects[POOL], "Ready") == ("True", "InSync")
        assert it.refused == (1 if reason == "CredentialsRefused" else 0)
        for secret in ("Tr0ub4dor", rack.CREDENTIALS["password"]):
            assert secret not in it.said


async def test_a_wrong_password_is_tried_once_a_change_of_the_secret() -> None:
    async with wired() as it:
        for number in range(1, 4):
            it.secret(username=b"admin", password=f"guess-{number}".encode())
            for _ in range(3):
                assert (await it.look())[0] == "CredentialsRefused"
            assert it.refused == number
        it.secret(**SECRET)
        assert (await it.look())[0] == "InSync"
        assert it.refused == 3


async def test_a_changed_host_key_of_a_rack_that_runs_is_shown_with_both_and_gets_no_password() -> None:
    """The device was replaced, or somebody stands between."""
    async with wired() as it:
        assert (await it.look())[0] == "InSync"
        connections, device = it.sim.counters.connections, it.sim.model.saved()
        wrong = _other_key()
        it.cli(hostKeys=[wrong])
        reason, sentence = await it.look()
        pinned, shown = (asyncssh.import_public_key(key).get_fingerprint() for key in (wrong, it.sim.host_key))
        assert reason == "DeviceError"
        assert f"is {shown} and not the pinned {pinned}" in sentence
        assert it.refused == 0
        assert it.sim.counters.connections == connections + 1, "it was connected to, and nobody logged in"
        assert it.sim.model.saved() == device


async def test_the_rest_block_is_not_used_and_its_secret_is_not_asked_for() -> None:
    async with wired() as it:
        rest = {"url": "https://127.0.0.1:1/v2.0", "caBundleRef": {"name": "nobody", "key": "ca.crt"}}
        it.store.change(KEY, lambda spec: spec["hardware"]["seaMicro"].update(rest=rest))
        assert (await it.look())[0] == "InSync"
