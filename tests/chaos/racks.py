"""The racks of the chaos tests as manifests, over a simulated chassis."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rackwright_sim.server import SimServer
from tests.unit.core.kit import golden

_MANIFESTS = Path(__file__).parent / "manifests"
LIMITS = {"commandsPerSecond": 50, "settleSeconds": 2, "commandTimeoutSeconds": 20}


def _reached(chassis: dict[str, Any], sim: SimServer) -> None:
    cli = {"host": "127.0.0.1", "port": sim.port, "hostKeys": [sim.host_key]}
    chassis["spec"]["hardware"] = {"type": "SeaMicro", "seaMicro": {"cli": cli}}
    chassis["spec"]["limits"] = dict(LIMITS)


def small(sim: SimServer) -> list[dict[str, Any]]:
    """Four cards, one of them protected, with every kind of thing that can be declared."""
    documents = list(YAML(typ="safe").load_all((_MANIFESTS / "small.yaml").read_text("utf-8")))
    _reached(documents[0], sim)
    return documents


def whole(sim: SimServer, pools: Sequence[str] = ("root", "capacity", "journal")) -> list[dict[str, Any]]:
    """The golden rack: 64 cards and its pools."""
    documents = golden("sm15k-01", *pools)
    _reached(documents[0], sim)
    return documents
