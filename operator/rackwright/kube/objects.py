"""Between the JSON of the API and the core's values. Pure."""

from collections.abc import Mapping
from typing import Any

from rackwright.api.kinds import KINDS as API_KINDS
from rackwright.core.resource import API_VERSION, Ref, Resource

Body = Mapping[str, Any]
_MISSING = object()


def collection(kind: str, namespace: str | None) -> str:
    """The path of a kind's objects, in one namespace or in all."""
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{API_VERSION}{where}/{API_KINDS[kind].plural}"


def path_of(ref: Ref) -> str:
    """The path of one object."""
    return f"{collection(ref.kind, ref.namespace)}/{ref.name}"


def resource_of(kind: str, body: Body) -> Resource:
    """An object of our kinds as the core sees it. What servers add for themselves (managedFields) is left behind."""
    metadata = body["metadata"]
    owners = metadata.get("ownerReferences") or ()
    return Resource(
        ref=Ref(kind, metadata["namespace"], metadata["name"]),
        uid=metadata["uid"],
        generation=metadata.get("generation", 1),
        created=metadata["creationTimestamp"],
        spec=body.get("spec") or {},
        status=body.get("status") or {},
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        owner_uid=next((str(owner["uid"]) for owner in owners if owner.get("controller")), None),
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers") or ()),
        version=metadata["resourceVersion"],
    )


def newer(version: str, than: str) -> bool:
    """Whether one resourceVersion is newer than another of the same kind: they are numbers that only grow."""
    return int(version) > int(than)


def merge_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes new of old: null for what goes, whole lists, nothing for what stays."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        known = old.get(key, _MISSING)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            inner = merge_diff(known, value)
            if inner:
                patch[key] = inner
        elif known != value:
            patch[key] = value
    return patch
