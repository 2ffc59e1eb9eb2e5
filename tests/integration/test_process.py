"""`rackwright run` as people start it: a process with the rights of deploy/, its logs, its HTTP face and its end."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rackwright_sim.faults import Fault, FaultKind
from tests.integration import rack
from tests.integration.harness import HOME, Lab, granted, lab, operator, until
from tests.kubelab.access import OPERATOR
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube

RACKWRIGHT = Path(sys.executable).with_name("rackwright")


class Running:
    """The process, and what it wrote."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder

    def logs(self) -> list[dict[str, Any]]:
        """Standard error; every line of it is JSON."""
        return [json.loads(line) for line in (self.folder / "stderr").read_text().splitlines()]

    def journal(self, name: str = "stdout") -> list[dict[str, Any]]:
        """Standard output, or the journal's file."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    async def port(self) -> int:
        """Of its HTTP face, as it logs it."""

        async def look() -> int:
            return next((line["port"] for line in self.logs() if line["event"] == "the operator runs"), 0)

        return await until(look, "the operator runs")

    async def ask(self, path: str) -> tuple[int, str]:
        """Status and text."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{await self.port()}{path}") as said,
        ):
            return said.status, await said.text()

    async def end(self, how: signal.Signals) -> int:
        """Its exit status."""
        self.process.send_signal(how)
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def _running(plane: ControlPlane, namespace: str, folder: Path, *options: str) -> AsyncIterator[Running]:
    chosen = ("--context", OPERATOR, "-n", namespace, "--lease-name", namespace, "--lease-namespace", HOME)
    faces = ("--metrics-port", "0", "--metrics-host", "127.0.0.1", "--journal", str(folder / "journal"))
    with (folder / "stdout").open("ab") as out, (folder / "stderr").open("ab") as err:
        process = await asyncio.create_subprocess_exec(
            str(RACKWRIGHT), "run", "--kubeconfig", str(plane.kubeconfig), *chosen, *faces, *options,
            stdout=out, stderr=err, env={**os.environ, "PYTHONWARNINGS": "error::ResourceWarning"},
        )  # fmt: skip
    try:
        yield Running(process, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_process_from_start_to_end(cluster: ControlPlane, namespace: str, tmp_path: Path) -> None:
    async with (
        lab(cluster, namespace) as here,
        _running(cluster, namespace, tmp_path, "--log-level", "debug") as process,
    ):
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        await here.converged()
        assert await process.ask("/healthz") == (200, "ok\n")
        assert await process.ask("/readyz") == (200, "ok\n")
        status, metrics = await process.ask("/metrics")
        assert status == 200
        for sample in (
            "rackwright_leader 1.0",
            f'rackwright_device_reachable{{endpoint="127.0.0.1:{here.sim.port}"}} 1.0',
            f'rackwright_drift{{kind="Chassis",name="rack",namespace="{namespace}"}} 0.0',
            f'rackwright_reconcile_failures{{kind="Chassis",name="rack",namespace="{namespace}"}} 0.0',
            "rackwright_heartbeat_age_seconds",
            "rackwright_queue_length 0.0",
        ):
            assert sample in metrics
        assert await process.end(signal.SIGTERM) == 0

        lines = process.journal()
        assert [line for line in lines if line["journal"] == "apply"]
        assert process.journal("journal") == lines
        logs = process.logs()
        assert {"time", "level", "logger", "event"} <= set(logs[0])
        assert logs[-1]["event"] == "the Lease is given back"
        assert not [line for line in logs if line["level"] in ("error", "critical", "warning")]
        for name in ("stdout", "stderr", "journal"):
            assert rack.CREDENTIALS["password"] not in (tmp_path / name).read_text()


async def test_a_killed_process_leaves_a_rack_that_the_next_one_finishes(
    cluster: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """The next one has the same name, as in a pod whose container is started anew: it need not wait for the Lease."""
    async with lab(cluster, namespace) as here:
        here.sim.faults.replace([Fault(kind=FaultKind.HANG, match="^storage create pool", when="after")])
        await here.apply(_quick(here), rack.pool(namespace))
        async with _running(cluster, namespace, tmp_path, "--identity", "pod") as process:

            async def hangs() -> bool:
                return any(entry.text.startswith("storage create pool") for entry in here.sim.log)

            await until(hangs, "the command has begun")
            assert await process.end(signal.SIGKILL) == -signal.SIGKILL
        async with _running(cluster, namespace, tmp_path, "--identity", "pod") as process:
            await here.converged()
            assert await process.end(signal.SIGTERM) == 0
        made = [entry for entry in here.sim.log if entry.text.startswith("storage create pool")]
        assert len(made) == 1  # it was there: the next one looked, and did not make it again


def _quick(here: Lab) -> dict[str, Any]:
    limits = {"commandsPerSecond": 500, "settleSeconds": 0, "commandTimeoutSeconds": 2}
    return rack.chassis(here.namespace, here.sim, policy=granted(), limits=limits)


async def test_without_a_cluster_it_says_so(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("{}")
    process = await asyncio.create_subprocess_exec(
        str(RACKWRIGHT), "run", "--kubeconfig", str(config), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"There is no way to a cluster" in said
    assert b"Traceback" not in said


async def test_a_part_that_dies_ends_the_whole(cluster: ControlPlane, namespace: str) -> None:
    """Half an operator is worse than none: the process ends, gives its Lease back, and Kubernetes starts a new one."""
    async with lab(cluster, namespace) as here:
        async with operator(cluster, namespace) as running:

            async def leads() -> bool:
                return running.daemon.lease.held

            await until(leads, "the Lease is held")
            (watching,) = (task for task in asyncio.all_tasks() if task.get_name() == "multidimensional multitasker")
            watching.cancel()
            with pytest.raises(RuntimeError, match="multidimensional multitasker ended"):
                await running.task
            running.task = asyncio.create_task(asyncio.sleep(0))  # what it died of was looked at
        lease = await here.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/{namespace}")
        assert not lease["spec"].get("holderIdentity")
