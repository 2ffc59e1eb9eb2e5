"""etcd and kube-apiserver on loopback, with RBAC, and the controllers that end namespaces and collect garbage.

    with ControlPlane() as plane:
        plane.kubectl("get", "namespaces")

Nothing of it outlives the block: no process, no file.
"""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.kubelab import servers
from tests.kubelab.access import ADMIN, Tokens, write_kubeconfig
from tests.kubelab.assets import Assets, find_assets
from tests.kubelab.client import ApiClient, ApiError
from tests.kubelab.console import KubelabError
from tests.kubelab.lifetime import Lifetime
from tests.kubelab.pki import ServerKeys, make_server_keys
from tests.kubelab.process import Process, spawn, stop, tail

_DEADLINE_SECONDS = 90.0
_POLL_SECONDS = 0.05
_ATTEMPTS = 3
_NOT_RUNNING = "the control plane is not running: use it within its `with` block"
_PORT_TAKEN = "address already in use"


class Version(NamedTuple):
    """Of Kubernetes; compares as a tuple."""

    major: int
    minor: int
    patch: int


class ControlPlane:
    """A control plane while its `with` block lasts; the block must be entered in the main thread.

    `folder` is where its data, logs and kubeconfig go: absent or empty before, removed after; by default a temporary
    one. The kubeconfig has the contexts `admin` (all rights) and `operator` (whatever RBAC gives the ServiceAccount
    rackwright-system/rackwright).
    """

    def __init__(self, assets: Assets | None = None, folder: Path | None = None) -> None:
        self.assets = assets or find_assets()
        self._wanted_folder = folder
        self._folder = Path()
        self._url = ""
        self._keys: ServerKeys | None = None
        self._version: Version | None = None
        self._api_server: Process | None = None
        self._api_argv: servers.Argv = []
        self._tokens = Tokens()
        self._lifetime = Lifetime()

    @property
    def version(self) -> Version:
        """What the running server says of itself."""
        if self._version is None:
            raise KubelabError(_NOT_RUNNING)
        return self._version

    @property
    def supports_cel(self) -> bool:
        """Whether the server enforces the CEL rules of CRDs, with no feature gate opened."""
        return self.version >= (1, 25)

    @property
    def collects_garbage(self) -> bool:
        """Whether owned objects go with their owner; kinds of a new CRD are noticed within half a minute."""
        return self.assets.kube_controller_manager is not None

    @property
    def kubeconfig(self) -> Path:
        """Self-contained: the authority and the tokens are in it."""
        return self._folder / "kubeconfig"

    @property
    def admin(self) -> ApiClient:
        """May do everything."""
        return self._client(self._tokens.admin)

    @property
    def operator(self) -> ApiClient:
        """May do what RBAC gives the operator's ServiceAccount."""
        return self._client(self._tokens.operator)

    def kubectl(
        self, *arguments: str, context: str = ADMIN, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end; with `check`, KubelabError with what it said when it fails."""
        argv = [str(self.assets.kubectl), f"--kubeconfig={self.kubeconfig}", f"--context={context}", *arguments]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise KubelabError(f"kubectl {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def __enter__(self) -> Self:
        self._lifetime.open()
        try:
            self._prepare()
            for _ in range(_ATTEMPTS):
                if self._start():
                    self._version = _version(self.admin)
                    return self
            raise KubelabError(f"other processes took the ports of {_ATTEMPTS} control planes in a row: try again")
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def crash_api_server(self) -> None:
        """Kill it, as a failing machine would; what it had stored stays."""
        api = self._running_api_server()
        api.popen.kill()
        api.popen.wait()

    def start_api_server(self) -> None:
        """Start it again after a crash, at the same address; returns at once, and `is_ready` says when it serves."""
        if self._running_api_server().poll() is None:
            raise KubelabError("the API server runs: crash it first")
        self._api_server = self._spawn(self._api_argv)

    @property
    def is_ready(self) -> bool:
        """Whether the API server serves."""
        return _is_ready(self.admin)

    def _running_api_server(self) -> Process:
        if self._api_server is None:
            raise KubelabError(_NOT_RUNNING)
        return self._api_server

    def stop(self) -> None:
        """End all processes and remove all files. Safe to call twice."""
        self._lifetime.close()

    def _client(self, token: str) -> ApiClient:
        if self._keys is None:
            raise KubelabError(_NOT_RUNNING)
        return ApiClient(self._url, self._keys.ca, token)

    def _prepare(self) -> None:
        self._folder = _empty_folder(self._wanted_folder)
        self._lifetime.on_close(self._forget)
        self._keys = make_server_keys(self._folder / "pki", service_address=servers.SERVICE_ADDRESS)
        self._tokens.write(self._folder / "tokens.csv")

    def _forget(self) -> None:
        self._keys = self._version = self._api_server = None
        shutil.rmtree(self._folder)

    def _start(self) -> bool:
        """False when somebody took a port between our choosing it and a server's binding it."""
        assert self._keys is not None
        etcd_port, peer_port, port = _free_ports(3)
        self._url = f"https://127.0.0.1:{port}"
        write_kubeconfig(self.kubeconfig, url=self._url, ca=self._keys.ca, tokens=self._tokens)
        data = Path(tempfile.mkdtemp(prefix="etcd-", dir=self._folder))
        tokens = self._folder / "tokens.csv"
        api = servers.kube_apiserver(self.assets.kube_apiserver, self._keys, tokens, etcd_port=etcd_port, port=port)
        pair = (
            self._spawn(servers.etcd(self.assets.etcd, data, client_port=etcd_port, peer_port=peer_port)),
            self._spawn(api),
        )
        self._api_server, self._api_argv = pair[1], api
        if not self._wait_until_ready(pair):
            for process in pair:
                stop(process)
            return False
        if self.assets.kube_controller_manager is not None:
            self._spawn(servers.kube_controller_manager(self.assets.kube_controller_manager, self.kubeconfig))
        return True

    def _spawn(self, argv: servers.Argv) -> Process:
        log = self._folder / f"{Path(argv[0]).name}.log"
        log.unlink(missing_ok=True)
        process = spawn(argv, log, cwd=self._folder)
        self._lifetime.on_close(lambda: stop(process))
        return process

    def _wait_until_ready(self, pair: tuple[Process, Process]) -> bool:
        """False when a port was taken; KubelabError for anything else that keeps a server from getting ready."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not _is_ready(self.admin):
            for process in pair:
                if process.poll() is not None:
                    if _PORT_TAKEN in tail(process.log):
                        return False
                    raise _failure(process, f"ended with {process.poll()} while it started")
            if time.monotonic() > deadline:
                raise _failure(pair[-1], f"was not ready after {_DEADLINE_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        return True


def _is_ready(client: ApiClient) -> bool:
    try:
        ready: bool = client.request("GET", "/readyz") == "ok"
        if ready:
            client.request("GET", "/api/v1/namespaces/default")  # made by a loop that readyz does not wait for
    except (OSError, ApiError):
        return False
    return ready


def _version(client: ApiClient) -> Version:
    said = client.request("GET", "/version")
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", said["gitVersion"])
    if found is None:
        raise KubelabError(f"the API server calls itself {said['gitVersion']!r}, which is no version: replace it")
    return Version(*map(int, found.groups()))


def _failure(process: Process, what: str) -> KubelabError:
    return KubelabError(f"{process.name} {what}; its log ends with:\n{tail(process.log)}")


def _empty_folder(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="rackwright-kube-"))
    folder = wanted.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise KubelabError(f"{folder} is not empty: name a folder that is empty or absent")
    return folder


def _free_ports(count: int) -> list[int]:
    """Different ports that are free now; all are held until the last is known."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
