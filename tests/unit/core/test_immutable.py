"""What cannot change is refused by the operator itself, also where the API server let it through and after a restart."""

from typing import Any

from rackwright.api.validate import InvalidSpec
from rackwright.core.chassis.inputs import Specs, fixed_of
from rackwright.core.resource import Ref, Resource

POOL: dict[str, Any] = {
    "chassisRef": {"name": "sm15k-01"},
    "backend": {
        "type": "Chassis",
        "chassis": {
            "disks": {"names": ["JBOD2/6"]},
            "pools": {"prefix": "rootpool"},
            "volumes": {"prefix": "rootvol", "perPool": 11, "size": "EqualShare"},
        },
    },
}


def pool(spec: dict[str, Any], generation: int, status: dict[str, Any]) -> Resource:
    return Resource(Ref("StoragePool", "rack", "root"), "uid-1", generation, "2026-01-01T00:00:00Z", spec, status)


def renamed() -> dict[str, Any]:
    chassis = POOL["backend"]["chassis"]
    return {
        **POOL,
        "backend": {"type": "Chassis", "chassis": {**chassis, "volumes": {**chassis["volumes"], "prefix": "new"}}},
    }


def test_what_was_accepted_is_remembered_and_a_change_of_it_refused() -> None:
    accepted = fixed_of(pool(POOL, 1, {}))
    found = Specs().of(pool(renamed(), 2, accepted))
    assert isinstance(found, InvalidSpec)
    assert "spec.backend.chassis.volumes: prefix cannot be changed" in str(found)
    assert fixed_of(pool(renamed(), 2, accepted)) == accepted, "a refused change must not replace what was accepted"


def test_what_may_change_may_and_what_was_never_accepted_binds_nobody() -> None:
    accepted = fixed_of(pool(POOL, 1, {}))
    chassis = POOL["backend"]["chassis"]
    grown = {**POOL, "backend": {"type": "Chassis", "chassis": {**chassis, "disks": {"names": ["JBOD2/6", "JBOD2/7"]}}}}
    assert not isinstance(Specs().of(pool(grown, 2, accepted)), InvalidSpec)
    assert not isinstance(Specs().of(pool(renamed(), 2, {})), InvalidSpec)


def test_a_parsed_spec_is_kept_until_generation_or_memory_change() -> None:
    specs = Specs()
    first = specs.of(pool(POOL, 1, {}))
    assert specs.of(pool(POOL, 1, {"summary": "1/1"})) is first
    assert specs.of(pool(POOL, 2, {})) is not first
