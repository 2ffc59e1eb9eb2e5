"""From manifests to a rack, through kubectl and a real API server."""

import re

import pytest

from tests.integration import rack
from tests.integration.harness import Lab, granted, lab, operator
from tests.kubelab.controlplane import ControlPlane
from tests.unit.api.cases import manifests

pytestmark = pytest.mark.kube


async def _approve_what_is_held(here: Lab, kind: str, name: str) -> str:
    """As a person would: read the plan's digest in the status, and patch it into the spec."""
    await here.becomes(kind, name, "AwaitingApproval")
    held = await here.get(kind, name)
    assert held is not None
    digest: str = held["status"]["plan"]["digest"]
    (stage, *_) = held["status"]["plan"]["stages"]
    assert [step for step in stage["steps"] if step["risk"] == "Destructive" and digest in step["held"]]
    await here.kubectl(
        "patch",
        f"{kind}.rackwright.dev",
        name,
        "--type=merge",
        "-p",
        f'{{"spec": {{"approvals": [{{"plan": "{digest}"}}]}}}}',
    )
    return digest


async def test_a_rack_is_built_by_apply_approve_and_wait(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace) as running:
        await here.apply(rack.chassis(namespace, here.sim), rack.pool(namespace))
        first = await _approve_what_is_held(here, "Chassis", "rack")
        second = await _approve_what_is_held(here, "StoragePool", "root")
        assert first != second

        said = await here.kubectl("wait", "--for=condition=ChassisReady", "computenode", "--all", "--timeout=30s")
        assert sorted(said.split("\n")[:3]) == [
            f"computenode.rackwright.dev/{name} condition met" for name in rack.NODES
        ]
        await here.converged()

        output, _ = await here.sim.operate("show storage assign brief")
        assert len(re.findall(r"rootvol-\d", output)) == len(rack.NODES)
        for kind, name, digest in (("Chassis", "rack", first), ("StoragePool", "root", second)):
            done = await here.get(kind, name)
            assert done is not None
            assert [used["plan"] for used in done["status"]["approvalsUsed"]] == [digest]
            assert done["status"]["consentsUsed"] == 1
            assert "consent" not in done["status"]
        # Nothing that the status could not say would get through the server's schema: it is whole.
        node = await here.get("ComputeNode", "node-0")
        assert node is not None
        (assigned,) = node["status"]["assignments"]
        assert assigned["volume"].startswith("2/rootpool-1/rootvol-")
        assert node["metadata"]["ownerReferences"][0]["kind"] == "Chassis"
        assert "finalizers" not in node["metadata"]
        assert not any("annotations" in item["metadata"] for item in (await here.items("ComputeNode")).values())
        assert running.journal
        assert all(line["object"] for line in running.journal)


async def test_kubectl_shows_a_rack_at_a_glance(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        await here.converged()
        shown = await here.kubectl("get", "rack")
        lines = [line.split() for line in shown.splitlines() if line]
        assert ["chassis.rackwright.dev/rack", "True", "InSync", "2/2", "0"] in [line[:5] for line in lines]
        assert ["storagepool.rackwright.dev/root", "Chassis", "True", "InSync"] in [line[:4] for line in lines]
        assert ["computenode.rackwright.dev/node-2", "2/0", "Unknown", "HostNotReconciled"] in [
            line[:4] for line in lines
        ]
        described = await here.kubectl("describe", "chs", "rack")
        assert re.search(r"Normal +InSync .*All is as declared", described)


async def test_the_password_is_nowhere_but_in_the_secret(
    cluster: ControlPlane, namespace: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace) as running:
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        await here.converged()
        written = await here.kubectl("get", "rack,events", "-o", "json")
    printed = capfd.readouterr()
    for text in (written, printed.out, printed.err, b"".join(running.lines).decode()):
        assert rack.CREDENTIALS["password"] not in text


async def test_what_this_version_does_not_act_on_says_so(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        (control,) = (item for item in manifests().values() if item["kind"] == "ControllerCluster")
        control["metadata"]["namespace"] = namespace
        await here.apply(control)
        told = await here.becomes("ControllerCluster", control["metadata"]["name"], "NotReconciled")
        assert "does not act on it yet" in told["message"]
        await here.apply(rack.pool(namespace))
        found = await here.becomes("StoragePool", "root", "ReferenceNotFound")
        assert "there is no Chassis of that name" in found["message"]
        await here.apply(rack.chassis(namespace, here.sim))
        await here.becomes("StoragePool", "root", "Waiting")  # as soon as the Chassis is there


async def test_an_operator_for_all_namespaces(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here, operator(cluster, namespace, everywhere=True):
        await here.apply(rack.chassis(namespace, here.sim, policy=granted()), rack.pool(namespace))
        await here.converged()
