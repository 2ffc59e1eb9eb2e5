"""A rack to measure on: the golden rack's Chassis and root pool over a simulated SM15000, reached over real SSH."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from rackwright.cli.session import Session, session
from rackwright_sim.server import SimServer

EXAMPLES = Path(__file__).parent.parent / "deploy/examples/golden-rack"
PASSWORD = "measured"


@asynccontextmanager
async def built_rack() -> AsyncIterator[tuple[Session, SimServer]]:
    """The rack, built, with a session over it. Destructive steps are allowed: nobody is there to consent."""
    with TemporaryDirectory() as folder:
        async with SimServer(password=PASSWORD) as chassis:
            _write(Path(folder), chassis)
            async with session(Path(folder), None, writing=True) as run:
                for resource in run.resources():
                    run.assembly.engine.notify(resource)
                await run.assembly.engine.settle()
                yield run, chassis


def _write(folder: Path, chassis: SimServer) -> None:
    documents = [_load("chassis.yaml")[0], _load("storage-pools.yaml")[0]]
    spec: dict[str, Any] = documents[0]["spec"]
    cli = {"host": "127.0.0.1", "port": chassis.port, "hostKeys": [chassis.host_key]}
    spec["hardware"] = {"type": "SeaMicro", "seaMicro": {"cli": cli}}
    spec["limits"] = {"commandsPerSecond": 1000, "settleSeconds": 0}
    spec["policy"] |= {"destructive": "Allow"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": spec["credentialsRef"]["name"], "namespace": "rack"},
        "stringData": {"username": "admin", "password": PASSWORD},
    }
    with (folder / "rack.yaml").open("w") as file:
        YAML().dump_all([*documents, secret], file)


def _load(name: str) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(EXAMPLES / name))
