"""What is refused, by the server where it knows CEL, and by the operator where it does not: with the same sentence."""

from typing import Any

import pytest

from tests.integration.harness import COLLECTIONS, Lab, lab, operator, until
from tests.kubelab.client import ApiError
from tests.kubelab.controlplane import ControlPlane
from tests.unit.api.cases import Case, accepted, manifests, refused

pytestmark = pytest.mark.kube

INVALID = 422
MOST = 70  # of the rules are those that an old server does not see
OF_THE_NAME = "the manifest"  # the path of what is wrong with metadata; the operator's own check of it is of the spec


def _here(manifest: dict[str, Any], namespace: str, name: str | None = None) -> dict[str, Any]:
    metadata = {**manifest["metadata"], "namespace": namespace}
    metadata.pop("ownerReferences", None)  # whose owner is not there is collected as garbage
    return {**manifest, "metadata": metadata | ({"name": name} if name else {})}


async def _sentence(here: Lab, method: str, path: str, body: dict[str, Any]) -> str:
    """Why the server refuses, or nothing."""
    try:
        await here.request(method, f"{path}?dryRun=All", body)
    except ApiError as error:
        if error.status != INVALID:
            raise
        return error.body.replace('\\"', '"')
    return ""


async def _start(here: Lab, kind: str, start: str, name: str) -> dict[str, Any]:
    made: dict[str, Any] = await here.request("POST", here.path(kind), _here(manifests()[start], here.namespace, name))
    return made


async def test_the_server_refuses_with_the_operators_sentence(cluster: ControlPlane, namespace: str) -> None:
    if not cluster.supports_cel:
        pytest.skip("this API server knows no CEL: the operator refuses, see the next tests")
    wrong = []
    async with lab(cluster, namespace) as here:
        for number, case in enumerate(refused()):
            body, method, path = _here(case.manifest(), namespace), "POST", here.path(case.kind)
            if case.update:
                made = await _start(here, case.kind, case.start, f"case-{number}")
                body = {**made, "spec": body["spec"]}
                method, path = "PUT", here.path(case.kind, f"case-{number}")
            said = await _sentence(here, method, path, body)
            if not said or (case.rule and case.message not in said):
                wrong.append((case.name, said))
    assert wrong == []


async def test_the_server_accepts_what_is_valid(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here:
        for manifest in (*manifests().values(), *(case.manifest() for case in accepted())):
            body = _here(manifest, namespace)
            assert await _sentence(here, "POST", here.path(body["kind"]), body) == ""


async def test_an_old_server_refuses_at_least_what_is_malformed(cluster: ControlPlane, namespace: str) -> None:
    async with lab(cluster, namespace) as here:
        malformed = [case for case in refused() if not case.rule]
        for case in malformed:
            assert await _sentence(here, "POST", here.path(case.kind), _here(case.manifest(), namespace)), case.name


async def _all_told(here: Lab, cases: dict[str, Case]) -> None:
    left = dict(cases)

    async def look() -> bool:
        for kind in COLLECTIONS:
            for name, item in (await here.items(kind)).items():
                conditions = item.get("status", {}).get("conditions", ())
                ready = next((one for one in conditions if one["type"] == "Ready"), {"reason": "", "message": ""})
                case = left.get(name)
                if case and ready["reason"] == "InvalidSpec" and case.said in ready["message"]:
                    del left[name]
        return not left

    try:
        await until(look, "every object says what is wrong with it")
    finally:
        assert [case.name for case in left.values()] == []


async def test_the_operator_refuses_what_an_old_server_let_through(cluster: ControlPlane, namespace: str) -> None:
    if cluster.supports_cel:
        pytest.skip("this API server refuses all of it itself")
    cases = {f"case-{n}": case for n, case in enumerate(refused()) if case.rule and case.path != OF_THE_NAME}
    async with lab(cluster, namespace) as here, operator(cluster, namespace):
        for name, case in list(cases.items()):
            if case.update:
                await _start(here, case.kind, case.start, name)
            elif not await _let_through(here, case, name):
                del cases[name]
        assert len(cases) > MOST
        for name, case in cases.items():
            if case.update:
                await _change(here, case, name)
        await _all_told(here, cases)


async def _let_through(here: Lab, case: Case, name: str) -> bool:
    try:
        await here.request("POST", here.path(case.kind), _here(case.manifest(), here.namespace, name))
    except ApiError as error:
        if error.status != INVALID:
            raise
        return False  # malformed even to an old server
    return True


async def _change(here: Lab, case: Case, name: str) -> None:
    """Change what is fixed, after the operator first saw it: it is fixed from then on."""

    async def look() -> dict[str, Any]:
        found = await here.get(case.kind, name) or {}
        return found if found.get("status") else {}

    found = await until(look, f"{case.name} is seen")
    await here.request("PUT", here.path(case.kind, name), {**found, "spec": case.manifest()["spec"]})
