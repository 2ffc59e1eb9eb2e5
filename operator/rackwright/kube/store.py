"""The Store over the Kubernetes API: read from a cache that watches feed, written by merge patch.

The cache only ever moves forward: an object is replaced by a newer version of itself or by a newer object of its name, and
one that is gone does not come back with a reply that was on its way.
"""

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog

from rackwright.api.kinds import KINDS as API_KINDS
from rackwright.core.resource import API_VERSION, KINDS, RELEASE, Ref, Resource
from rackwright.core.store import EventType, SecretMissingError, StoreConflictError, StoreUnavailableError
from rackwright.kube.client import ApiClient, RefusedError
from rackwright.kube.events import EventPoster
from rackwright.kube.objects import Body, collection, merge_diff, newer, path_of, resource_of

log = structlog.get_logger(__name__)

ATTEMPTS = 4  # at writing what others write at the same time
GRAVES = 4096  # objects known to be gone: as many as could have a reply on its way

Listener = Callable[[Resource, bool], None]


class KubeStore:
    """Objects of our kinds, in some namespaces or in all (`namespaces` empty)."""

    def __init__(self, client: ApiClient, events: EventPoster, namespaces: Sequence[str] = ()) -> None:
        self._client = client
        self._events = events
        self._namespaces: Sequence[str | None] = tuple(namespaces) or (None,)
        self._objects: dict[str, dict[Ref, Resource]] = {kind: {} for kind in KINDS}
        self._graves: dict[str, None] = {}
        self._listener: Listener = lambda _resource, _deleted: None
        self.synced = False
        self.relisted = asyncio.Event()

    def listen(self, listener: Listener) -> None:
        """Tell this one, from now on, of every change of the cache: the object, and whether it is gone."""
        self._listener = listener

    def get(self, ref: Ref) -> Resource | None:
        """The newest known version, or None."""
        return self._objects[ref.kind].get(ref)

    def list(self, kind: str) -> Iterable[Resource]:
        """All known objects of a kind, as they are right now."""
        return tuple(self._objects[kind].values())

    def saw(self, kind: str, event: str | None, body: Body) -> None:
        """A watch brought this: ADDED, MODIFIED, DELETED, or None for what was there already."""
        resource = resource_of(kind, body)
        if event is None:
            self.relisted.set()  # a listing does not say what has gone since the last one
        if event == "DELETED":
            self._bury(resource)
        else:
            self._take(resource)

    def _take(self, found: Resource) -> Resource:
        """Into the cache, if it is news there; what the cache has after that, or what was found where that is gone."""
        objects = self._objects[found.ref.kind]
        known = objects.get(found.ref)
        if found.uid in self._graves or (known is not None and not newer(found.version, known.version)):
            return known if known is not None and known.uid == found.uid else found
        if known is not None and known.uid != found.uid:
            self._bury(known)
        objects[found.ref] = found
        self._listener(found, False)
        return found

    def _bury(self, gone: Resource) -> None:
        """Out of the cache, unless another of that name is there; a reply that is late finds the grave."""
        self._graves[gone.uid] = None
        if len(self._graves) > GRAVES:
            del self._graves[next(iter(self._graves))]
        known = self._objects[gone.ref.kind].get(gone.ref)
        if known is not None and known.uid == gone.uid:
            del self._objects[gone.ref.kind][gone.ref]
            self._listener(known, True)

    async def check_served(self) -> None:
        """StoreUnavailableError unless the server's discovery has all kinds: watches are started by what it has."""
        found = await self._client.get(f"/apis/{API_VERSION}") or {}
        served = {item["name"] for item in found.get("resources") or ()}
        missing = [name for name in (API_KINDS[kind].plural for kind in KINDS) if name not in served]
        if missing:
            raise StoreUnavailableError(f"the API server does not serve {', '.join(missing)}. Install the CRDs.")

    async def sync(self) -> int:
        """Compare the cache with the server, and make good what watches missed; how many objects that was.

        The first time it fills the cache. Watches cannot tell what went while they were away: this can.
        """
        missed = 0
        for kind in KINDS:
            for namespace in self._namespaces:
                missed += await self._sync(kind, namespace)
        if self.synced and missed:
            log.warning("the watches had missed changes", objects=missed)
        self.synced = True
        return missed

    async def _sync(self, kind: str, namespace: str | None) -> int:
        there: set[str] = set()
        as_of, missed = "0", 0
        async for items, version in self._client.pages(collection(kind, namespace)):
            as_of = version
            for body in items:
                found = resource_of(kind, body)
                there.add(found.uid)
                known = self.get(found.ref)
                if known is None or newer(found.version, known.version):
                    missed += 1
                    self._take(found)
        for known in self.list(kind):
            mine = namespace in (None, known.ref.namespace)
            if mine and known.uid not in there and not newer(known.version, as_of):
                missed += 1
                self._bury(known)
        return missed

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The data of a Secret, read now. SecretMissingError where it is not there, or may not be read."""
        try:
            found = await self._client.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except RefusedError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            raise SecretMissingError(
                f"the operator may not read Secret {name} in namespace {namespace}. "
                "Bind the ClusterRole rackwright-secrets to it there."
            ) from error
        if found is None:
            raise SecretMissingError(f"there is no Secret {name} in namespace {namespace}. Create it.")
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

    async def write_status(self, ref: Ref, status: Mapping[str, Any]) -> Resource | None:
        """Make the status this, sending what is different; the object after that, or None where it is gone.

        Safe against what others do meanwhile: the patch names the version that it was worked out from.
        """
        return await self._bring(ref, "/status", lambda known: _wrapped("status", merge_diff(known.status, status)))

    async def replace_spec(self, ref: Ref, manifest: Mapping[str, Any]) -> Resource | None:
        """Bring spec, labels and owner of a stamped object to the manifest's; None where it is gone."""
        metadata = manifest["metadata"]

        def patch(known: Resource) -> dict[str, Any]:
            labels = {key: value for key, value in metadata["labels"].items() if known.labels.get(key) != value}
            owner = metadata["ownerReferences"]
            other = {"ownerReferences": owner} if known.owner_uid != owner[0]["uid"] else {}
            changed = _wrapped("labels", labels) | other
            return _wrapped("spec", merge_diff(known.spec, manifest["spec"])) | _wrapped("metadata", changed)

        return await self._bring(ref, "", patch)

    async def set_finalizer(self, ref: Ref, *, wanted: bool) -> Resource | None:
        """Our finalizer on or off; None where the object is gone, or went with it. The list is patched as a whole."""

        def patch(known: Resource) -> dict[str, Any]:
            if (RELEASE in known.finalizers) == wanted or (wanted and known.deleting):
                return {}
            others = [name for name in known.finalizers if name != RELEASE]
            return {"metadata": {"finalizers": [*others, RELEASE] if wanted else others}}

        after = await self._bring(ref, "", patch)
        if after is not None and not wanted and after.deleting and set(after.finalizers) <= {RELEASE}:
            self._bury(after)  # gone with its last finalizer: the reply is still of the version before
            return None
        return after

    async def _bring(self, ref: Ref, subresource: str, patch: Callable[[Resource], dict[str, Any]]) -> Resource | None:
        known = first = self.get(ref)
        for _ in range(ATTEMPTS):
            if known is None or first is None or known.uid != first.uid:
                return None
            change = patch(known)
            if not change:
                return known
            change["metadata"] = {**change.get("metadata", {}), "resourceVersion": known.version}
            try:
                reply = await self._client.patch(path_of(ref) + subresource, change)
            except StoreConflictError:
                known = await self._read(ref)
                continue
            return None if reply is None else self._take(resource_of(ref.kind, reply))
        raise StoreUnavailableError(f"{ref} changed {ATTEMPTS} times while it was being written")

    async def _read(self, ref: Ref) -> Resource | None:
        found = await self._client.get(path_of(ref))
        return None if found is None else self._take(resource_of(ref.kind, found))

    async def create(self, manifest: Mapping[str, Any]) -> Resource:
        """Create a stamped object. StoreConflictError where one of that name exists; the cache knows it after that."""
        metadata = manifest["metadata"]
        ref = Ref(manifest["kind"], metadata["namespace"], metadata["name"])
        try:
            made = await self._client.create(collection(ref.kind, ref.namespace), manifest)
        except StoreConflictError:
            await self._read(ref)
            raise
        return self._take(resource_of(ref.kind, made))

    async def delete(self, ref: Ref, uid: str) -> None:
        """Delete exactly this stamped object; nothing happens where it is gone, or another has its name."""
        try:
            await self._client.delete(path_of(ref), uid)
        except StoreConflictError:
            await self._read(ref)

    async def event(self, ref: Ref, kind: EventType, reason: str, message: str) -> None:
        """Post it in the background."""
        about = self.get(ref)
        if about is not None:
            self._events.post(about, kind, reason, message)


def _wrapped(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """`{key: value}`, or nothing where there is no value."""
    return {key: dict(value)} if value else {}
