"""The small rack of the tests: four simulated cards, one of them protected, and the manifests that say how it should be."""

import copy
from itertools import count
from typing import Any

from rackwright_sim.server import SimServer

API = "rackwright.dev/v1alpha1"
NODES = ("node-0", "node-1", "node-2")
CREDENTIALS = {"username": "admin", "password": "correct-horse"}
POLICY = {"mode": "Enforce", "resyncSeconds": 1, "maxDisrupted": 10}
NODE_SET: dict[str, Any] = {
    "name": "all",
    "remaining": {"namePrefix": "node"},
    "template": {
        "powerState": "Running",
        "nicGroups": [{"name": "management", "indexes": [0], "untagged": 100}],
    },
}


_serials = count(1)


def simulator(start: str = "small") -> SimServer:
    """A chassis to be entered with `async with`, itself by a serial number that no other has."""
    username, password = CREDENTIALS["username"], CREDENTIALS["password"]
    return SimServer(start=start, username=username, password=password, serial=f"SM15K{next(_serials):05}")


def secret(namespace: str, **other: str) -> dict[str, Any]:
    """The credentials of the chassis."""
    metadata = {"name": "chassis", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {**CREDENTIALS, **other}}


def chassis(namespace: str, sim: SimServer, **spec: Any) -> dict[str, Any]:
    """The Chassis over a simulator: quick, and with consent for nothing."""
    cli = {"host": "127.0.0.1", "port": sim.port, "hostKeys": [sim.host_key]}
    body = {
        "hardware": {"type": "SeaMicro", "seaMicro": {"cli": cli}},
        "credentialsRef": {"name": "chassis"},
        "limits": {"commandsPerSecond": 500, "settleSeconds": 0, "commandTimeoutSeconds": 10},
        "protectedServers": ["32/0"],
        "vlans": [{"id": 100, "name": "management"}],
        "storageSlots": [{"slot": 2, "managementMode": "Volume"}],
        "nodeSets": [copy.deepcopy(NODE_SET)],
        "policy": {**POLICY},
    }
    metadata = {"name": "rack", "namespace": namespace}
    return {"apiVersion": API, "kind": "Chassis", "metadata": metadata, "spec": {**body, **spec}}


def pool(namespace: str, **spec: Any) -> dict[str, Any]:
    """Root volumes on one disk, one for each node."""
    layout = {
        "disks": {"names": ["JBOD2/6"]},
        "pools": {"perDisk": True, "prefix": "rootpool", "firstNumber": 1},
        "volumes": {"prefix": "rootvol", "perPool": 4, "size": "EqualShare"},
    }
    body = {
        "chassisRef": {"name": "rack"},
        "backend": {"type": "Chassis", "chassis": layout},
        "assign": [
            {
                "name": "root",
                "nodeSelector": {"matchLabels": {"rackwright.dev/node-set": "all"}},
                "vdisks": [0],
                "attach": "OnePerVolume",
            }
        ],
    }
    metadata = {"name": "root", "namespace": namespace}
    return {"apiVersion": API, "kind": "StoragePool", "metadata": metadata, "spec": {**body, **spec}}
