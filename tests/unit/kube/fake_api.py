"""An API server in memory, as far as the store and the Lease use one: versions, uids, generations, merge patches, conflicts."""

import copy
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import count
from typing import Any

from rackwright.core.resource import API_VERSION
from rackwright.core.stamp import merge_patch
from rackwright.core.store import StoreConflictError
from rackwright.kube.access import Access
from rackwright.kube.client import ApiClient

Body = dict[str, Any]
CHASSIS = f"/apis/{API_VERSION}/namespaces/lab/chassis/rack"
NODES = f"/apis/{API_VERSION}/namespaces/lab/computenodes"


class FakeApi(ApiClient):
    """Takes the place of the client. `before_reply` runs after a write took effect and before the writer hears of it."""

    def __init__(self) -> None:
        super().__init__(Access("http://nowhere.invalid", None))
        self.objects: dict[str, Body] = {}
        self.written: list[tuple[str, str, Any]] = []
        self.problem: Exception | None = None
        self.before_reply: Callable[[], None] = lambda: None
        self._versions = count(1)
        self._uids = count(1)

    def put(self, path: str, *, spec: Body | None = None, status: Body | None = None, **metadata: Any) -> Body:
        """As a person would create an object."""
        _, _, _, _, _, namespace, _, name = path.split("/")
        fixed = {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"}
        made = {
            "metadata": {**fixed, "uid": f"uid-{next(self._uids)}", "generation": 1, **metadata},
            "spec": spec or {},
            **({"status": status} if status else {}),
        }
        return self._store(path, made)

    def edit(self, path: str, spec: Body) -> Body:
        """As a person would change a spec."""
        body = copy.deepcopy(self.objects[path])
        body["spec"] = spec
        body["metadata"]["generation"] += 1
        return self._store(path, body)

    def remove(self, path: str) -> Body:
        """As a person would delete an object; what a watch brings of it."""
        body = self.objects.pop(path)
        body["metadata"]["resourceVersion"] = str(next(self._versions))
        return body

    def _store(self, path: str, body: Body) -> Body:
        body["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[path] = body
        return copy.deepcopy(body)

    def _write(self, method: str, path: str, body: Any) -> None:
        self.written.append((method, path, copy.deepcopy(body)))
        if self.problem is not None:
            raise self.problem

    async def get(self, path: str) -> Body | None:
        if self.problem is not None:
            raise self.problem
        return copy.deepcopy(self.objects.get(path))

    async def pages(self, path: str) -> AsyncIterator[tuple[list[Body], str]]:
        kind = path.rpartition("/")[2]
        found = [copy.deepcopy(body) for key, body in self.objects.items() if key.split("/")[-2] == kind]
        version = str(next(self._versions))
        yield found[:1], version
        yield found[1:], version

    async def create(self, path: str, body: Mapping[str, Any]) -> Body:
        self._write("POST", path, body)
        full = f"{path}/{body['metadata']['name']}"
        if full in self.objects:
            raise StoreConflictError(f"{full} exists")
        made = copy.deepcopy(dict(body))
        made["metadata"] |= {"uid": f"uid-{next(self._uids)}", "generation": 1}
        made["metadata"].setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        reply = self._store(full, made)
        self.before_reply()
        return reply

    async def patch(self, path: str, body: Mapping[str, Any]) -> Body | None:
        self._write("PATCH", path, body)
        return self._change(
            path, lambda known: merge_patch(known, body), body.get("metadata", {}).get("resourceVersion")
        )

    async def replace(self, path: str, body: Mapping[str, Any]) -> Body | None:
        self._write("PUT", path, body)
        return self._change(path, lambda _: copy.deepcopy(dict(body)), body.get("metadata", {}).get("resourceVersion"))

    def _change(self, path: str, change: Callable[[Body], Any], version: str | None) -> Body | None:
        path, is_status = path.removesuffix("/status"), path.endswith("/status")
        known = self.objects.get(path)
        if known is None:
            return None
        if version not in (None, known["metadata"]["resourceVersion"]):
            raise StoreConflictError(f"{path} is of another version")
        changed = change(known)
        changed["metadata"]["generation"] = known["metadata"].get("generation", 1) + (
            not is_status and changed.get("spec") != known.get("spec")
        )
        reply = self._store(path, changed)
        self.before_reply()
        return reply

    async def delete(self, path: str, uid: str) -> None:
        self._write("DELETE", path, uid)
        known = self.objects.get(path)
        if known is not None and known["metadata"]["uid"] != uid:
            raise StoreConflictError(f"{path} is another")
        self.objects.pop(path, None)
