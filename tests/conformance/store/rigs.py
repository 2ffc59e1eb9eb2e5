"""One folder, one namespace or one dictionary for each store under test, and the person who works on it."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import orjson
import pytest

from rackwright.api.validate import parse_spec
from rackwright.core.resource import API_VERSION, CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref, Resource
from rackwright.core.store import Store
from rackwright.kube.access import Access
from rackwright.kube.client import ApiClient
from rackwright.kube.events import EventPoster
from rackwright.kube.objects import path_of
from rackwright.kube.store import KubeStore
from rackwright.local.state import StateFolder
from rackwright.local.store import LocalStore
from tests.kubelab.access import OPERATOR
from tests.kubelab.client import ApiError
from tests.kubelab.controlplane import ControlPlane
from tests.unit.core.kit import MemoryStore

PATIENCE_SECONDS = 30.0
COLLECTED_SECONDS = 120.0  # a garbage collector asks only every half minute which kinds there are


class Rig(Protocol):
    """A store, and what a person does beside it. After `see` the store knows what the person did."""

    @property
    def store(self) -> Store:
        """The store under test."""

    @property
    def namespace(self) -> str:
        """Where the test's objects are."""

    async def apply(self, manifest: Mapping[str, Any]) -> None:
        """Create or change an object."""

    async def remove(self, ref: Ref) -> None:
        """Delete an object."""

    async def secret(self, name: str, data: Mapping[str, bytes]) -> None:
        """Create a Secret."""

    async def see(self) -> None:
        """Let the store see it."""

    async def restart(self) -> None:
        """Another process opens the same."""


class LocalRig:
    """A folder of manifests, a file an object."""

    namespace = "lab"

    def __init__(self, root: Path) -> None:
        self._files, self._state = root / "rack", StateFolder(root / "state").lock()
        self._files.mkdir()
        self.store = LocalStore(self._files, self._state, writable=True)

    def _path(self, ref: Ref) -> Path:
        return self._files / f"{ref.kind}-{ref.name}.json"

    async def apply(self, manifest: Mapping[str, Any]) -> None:
        self._path(ref_of(manifest)).write_bytes(orjson.dumps(dict(manifest)))

    async def remove(self, ref: Ref) -> None:
        self._path(ref).unlink()

    async def secret(self, name: str, data: Mapping[str, bytes]) -> None:
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        metadata = {"name": name, "namespace": self.namespace}
        made = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}
        (self._files / f"secret-{name}.json").write_bytes(orjson.dumps(made))

    async def see(self) -> None:
        self.store.reload()

    async def restart(self) -> None:
        self._state.unlock()
        self._state.lock()
        self.store = LocalStore(self._files, self._state, writable=True)

    def close(self) -> None:
        """Let the folder go."""
        self._state.unlock()


class MemoryRig:
    """The store that unit tests put in the place of the others: it has to behave like them."""

    namespace = "lab"

    def __init__(self) -> None:
        self.store = MemoryStore()

    async def apply(self, manifest: Mapping[str, Any]) -> None:
        self.store.put(manifest)

    async def remove(self, ref: Ref) -> None:
        self.store.remove(ref)

    async def secret(self, name: str, data: Mapping[str, bytes]) -> None:
        self.store.secrets[self.namespace, name] = dict(data)

    async def see(self) -> None:
        pass

    async def restart(self) -> None:
        pass


@dataclass
class KubeRig:
    """A namespace of a real API server; the store has the rights that deploy/ gives the operator, and no others."""

    plane: ControlPlane
    namespace: str
    client: ApiClient
    store: KubeStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = KubeStore(self.client, EventPoster(self.client, "conformance"), (self.namespace,))

    async def _request(self, method: str, path: str, body: object = None) -> Any:
        return await asyncio.to_thread(self.plane.admin.request, method, path, body)

    async def apply(self, manifest: Mapping[str, Any]) -> None:
        path = path_of(ref_of(manifest))
        try:
            known = await self._request("GET", path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            await self._request("POST", path.rpartition("/")[0], dict(manifest))
            return
        version = {"resourceVersion": known["metadata"]["resourceVersion"]}
        await self._request("PUT", path, {**manifest, "metadata": {**manifest["metadata"], **version}})

    async def remove(self, ref: Ref) -> None:
        uid = self.store.get(ref)
        owns = uid is not None and any(item.owner_uid == uid.uid for item in self.store.list(COMPUTE_NODE))
        if owns and not self.plane.collects_garbage:
            pytest.skip("this control plane does not collect garbage: what a Chassis owned would stay")
        await self._request("DELETE", path_of(ref))
        if uid is not None and ref.kind == CHASSIS and not uid.finalizers:
            await self._collected(uid.uid)

    async def _collected(self, owner: str) -> None:
        """The server removes what an object owned by and by, or marks it where a finalizer keeps it."""
        deadline = time.monotonic() + COLLECTED_SECONDS
        while any(item.owner_uid == owner and not item.deleting for item in self.store.list(COMPUTE_NODE)):
            assert time.monotonic() < deadline, "what it owned is still there"
            await asyncio.sleep(0.1)
            await self.store.sync()

    async def secret(self, name: str, data: Mapping[str, bytes]) -> None:
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        await self._request("POST", path, {"metadata": {"name": name}, "data": encoded})

    async def see(self) -> None:
        await self.store.sync()

    async def restart(self) -> None:
        self.__post_init__()
        await self.store.sync()


def ref_of(manifest: Mapping[str, Any]) -> Ref:
    """Which object a manifest is about."""
    return Ref(manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])


def chassis(namespace: str, name: str = "sm", **spec: Any) -> dict[str, Any]:
    """A Chassis that every API server takes."""
    hardware = {"type": "External", "external": {"driver": "Simulator"}}
    return _object(CHASSIS, namespace, name, {"hardware": hardware, "credentialsRef": {"name": "sm"}, **spec})


def pool(namespace: str, name: str = "root") -> dict[str, Any]:
    """A StoragePool that every API server takes."""
    volumes = {"prefix": "v", "count": 1, "size": "1Gi"}
    backend = {"type": "Chassis", "chassis": {"existingPool": "7/P", "volumes": volumes}}
    return _object(STORAGE_POOL, namespace, name, {"chassisRef": {"name": "sm"}, "backend": backend})


def node(owner: Resource, name: str = "compute-1", **changes: Any) -> dict[str, Any]:
    """A ComputeNode as a Chassis stamps it, with its defaults filled in: an API server returns just that."""
    spec = parse_spec(COMPUTE_NODE, {"chassisRef": {"name": "sm"}, "server": "1/0", **changes}).manifest()
    made = _object(COMPUTE_NODE, owner.ref.namespace, name, spec)
    reference = {
        "apiVersion": API_VERSION,
        "kind": CHASSIS,
        "name": owner.ref.name,
        "uid": owner.uid,
        "controller": True,
    }
    made["metadata"] |= {"labels": {"rackwright.dev/node-set": "compute"}, "ownerReferences": [reference]}
    return made


def _object(kind: str, namespace: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}


@asynccontextmanager
async def local(root: Path) -> AsyncIterator[Rig]:
    """A store over files."""
    made = LocalRig(root)
    try:
        yield made
    finally:
        made.close()


@asynccontextmanager
async def memory(_root: Path) -> AsyncIterator[Rig]:
    """A store over a dictionary."""
    yield MemoryRig()


@asynccontextmanager
async def kube(plane: ControlPlane, namespace: str) -> AsyncIterator[Rig]:
    """A store over an API server."""
    access = await Access.load(plane.kubeconfig, OPERATOR)
    async with ApiClient(access) as client:
        made = KubeRig(plane, namespace, client)
        await made.store.sync()
        yield made
    await access.closed(2.0)


RIGS: dict[str, Callable[[Path], Any]] = {"local": local, "memory": memory}
