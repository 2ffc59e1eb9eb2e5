"""Opening an SSH connection to a device: pinned host keys, algorithms, the password once, and what went wrong.

Every transport over SSH opens its connections here, so that none of them can trust an unknown key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncssh
from asyncssh import encryption, kex, mac, public_key

from rackwright_drivers.contract.chassis import Credentials
from rackwright_drivers.contract.errors import (
    CredentialsRefusedError,
    DriverError,
    PermanentError,
    TransientError,
)

_KEEPALIVE_SECONDS = 15
_WEAK = ("sha1", "md5", "ssh-rsa", "ssh-dss", "cbc", "arcfour", "-96")
_NO_MORE_AUTH_METHODS = 14
_ILLEGAL_USER_NAME = 15


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a device listens and how it proves who it is: OpenSSH public key lines, at least one.

    `legacy_algorithms` are SSH algorithm names that are off unless named: `diffie-hellman-group1-sha1`, `ssh-rsa`.
    """

    host: str
    port: int
    host_keys: tuple[str, ...]
    legacy_algorithms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Algorithms:
    kex: list[str]
    encryption: list[str]
    mac: list[str]
    host_key: list[str]


class Opener:
    """Opens connections to one endpoint. Never offers credentials again that were refused once."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        """PermanentError where no host key is pinned, or a pin or the name of an algorithm makes no sense."""
        self._endpoint = endpoint
        self._credentials = credentials
        self._pins = _pins(endpoint)
        self._algorithms = _algorithms(endpoint, self._pins)
        self._refused: CredentialsRefusedError | None = None

    async def open(self) -> asyncssh.SSHClientConnection:
        """A connection that is logged in. Raises TransientError, PermanentError, CredentialsRefusedError."""
        if self._refused is not None:
            raise CredentialsRefusedError(str(self._refused))
        seen = _HostKeySeen()
        try:
            return await self._connect(seen)
        except (OSError, ValueError, asyncssh.Error) as error:
            told = self._told(error, seen)
            if isinstance(told, CredentialsRefusedError):
                self._refused = told
            raise told from error

    async def _connect(self, seen: "_HostKeySeen") -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            self._endpoint.host,
            self._endpoint.port,
            client_factory=lambda: seen,
            config=[],
            known_hosts=(self._pins, [], []),
            username=self._credentials.username,
            password=self._credentials.password,
            preferred_auth=["password", "keyboard-interactive"],
            client_keys=None,
            agent_path=None,
            gss_host=None,
            kex_algs=self._algorithms.kex,
            encryption_algs=self._algorithms.encryption,
            mac_algs=self._algorithms.mac,
            server_host_key_algs=self._algorithms.host_key,
            keepalive_interval=_KEEPALIVE_SECONDS,
        )

    def _told(self, error: Exception, seen: "_HostKeySeen") -> DriverError:
        """The same failure in the words and the kind of the contract."""
        where = self._endpoint
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            pinned = ", ".join(key.get_fingerprint() for key in self._pins)
            return PermanentError(
                f"The host key of {where} is {seen.fingerprint} and not the pinned {pinned}: if the device was "
                "replaced, check its fingerprint at its console and pin the new key in hostKeys."
            )
        if isinstance(error, asyncssh.KeyExchangeFailed):
            return PermanentError(
                f"{where} offers no SSH algorithm that is switched on ({error.reason}): name those it needs in "
                "legacyAlgorithms, or update its firmware."
            )
        if isinstance(error, asyncssh.DisconnectError) and error.code in (_NO_MORE_AUTH_METHODS, _ILLEGAL_USER_NAME):
            return CredentialsRefusedError(
                f"{where} refused the username and password of the Secret: they are not tried again; correct the Secret."
            )
        if isinstance(error, ValueError):
            return PermanentError(f"{where} is no address to connect to: {error}.")
        return TransientError(
            f"No SSH session with {where}: {str(error).rstrip('.')}. It is tried again; look whether the device is up and "
            "its cli.host and cli.port are right."
        )


class _HostKeySeen(asyncssh.SSHClient):
    """Remembers the key that the device showed and no pin matches, so that the message can name it."""

    fingerprint = "of an unknown kind"

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called only for a key that is not pinned."""
        self.fingerprint = key.get_fingerprint()
        return False


def _pins(endpoint: Endpoint) -> list[asyncssh.SSHKey]:
    if not endpoint.host_keys:
        raise PermanentError(
            f"hostKeys pins no host key for {endpoint.host}: get it with `ssh-keyscan -p {endpoint.port} "
            f"{endpoint.host}`, compare its fingerprint with the one at the device's console, and put the key there."
        )
    return [_pin(index, line) for index, line in enumerate(endpoint.host_keys)]


def _pin(index: int, line: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(line)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise PermanentError(
            f"hostKeys[{index}] is {line[:40]!r} and not an OpenSSH public key such as `ssh-ed25519 AAAA…` ({error}): put "
            "there what ssh-keyscan prints after the host."
        ) from error


def _algorithms(endpoint: Endpoint, pins: Iterable[asyncssh.SSHKey]) -> _Algorithms:
    """What is offered: all that is sound, and of the rest what is named. The kinds of the pinned keys come first."""
    named = set(endpoint.legacy_algorithms)
    families = (
        (kex.get_kex_algs(), kex.get_default_kex_algs()),
        (encryption.get_encryption_algs(), encryption.get_default_encryption_algs()),
        (mac.get_mac_algs(), mac.get_default_mac_algs()),
        (public_key.get_public_key_algs(), public_key.get_default_public_key_algs()),
    )
    unknown = named - {name.decode() for known, _ in families for name in known}
    if unknown:
        raise PermanentError(
            f"legacyAlgorithms names {', '.join(sorted(unknown))}, which no SSH library here knows: take the names "
            f"that `ssh -vv {endpoint.host}` prints as the peer's."
        )
    kexes, ciphers, macs, host_keys = (_offered(known, default, named) for known, default in families)
    pinned = [name.decode() for key in pins for name in key.sig_algorithms if name.decode() in host_keys]
    return _Algorithms(kexes, ciphers, macs, list(dict.fromkeys(pinned + host_keys)))


def _offered(known: Sequence[bytes], default: Sequence[bytes], named: set[str]) -> list[str]:
    sound = [name.decode() for name in default if not any(weak in name.decode() for weak in _WEAK)]
    return sound + [name.decode() for name in known if name.decode() in named and name.decode() not in sound]
