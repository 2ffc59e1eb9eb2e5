"""What a chassis comes to, as plain values: volumes of one pool that nobody tells apart count as the same."""

import re
from collections import Counter
from collections.abc import Mapping

from rackwright_drivers.contract.storage import Attached, VolumeId
from rackwright_sim.model import ChassisModel

_NUMBER = re.compile(r"-\d+$")


def likeness(model: ChassisModel) -> Mapping[str, object]:
    """Two builds of the same manifests are alike in all of this."""
    storage, servers = model.storage, model.servers
    return {
        "slots": {number: slot.mode for number, slot in storage.slots.items()},
        "disks": {name: disk.metadata for name, disk in storage.disks.items()},
        "pools": {str(name): pool.disks for name, pool in storage.pools.items()},
        "volumes": dict(storage.volumes),
        "attachments": {vdisk: _kind(what) for vdisk, what in sorted(storage.attachments.items())},
        "holders": Counter(Counter(storage.attachments.values()).values()),
        "vlans": set(model.switch.vlans),
        "ports": dict(model.switch.ports),
        "power": dict(servers.power.items()),
        "descriptions": dict(servers.descriptions),
    }


def differences(found: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """In sentences; empty where they are alike."""
    return [f"{name}: {found[name]} and not {wanted[name]}" for name in wanted if found[name] != wanted[name]]


def _kind(what: Attached) -> object:
    if isinstance(what, VolumeId):
        return VolumeId(what.slot, _NUMBER.sub("", what.pool), _NUMBER.sub("", what.name))
    return what
