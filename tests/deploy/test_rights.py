"""The operator's rights, asked of a real API server that has deploy/base applied: all that it needs, and nothing else."""

from typing import Any

import pytest

from tests.deploy.conftest import ROOT
from tests.kubelab.access import OPERATOR_USER
from tests.kubelab.client import ApiError
from tests.kubelab.controlplane import ControlPlane

pytestmark = pytest.mark.kube

_KINDS = ("chassis", "storagepools", "controllerclusters", "computenodes")
_LOOK = {"get", "list", "watch"}
Rights = dict[tuple[str, str], set[str]]

_EVERYWHERE: Rights = {
    **{("rackwright.dev", kind): set(_LOOK) for kind in _KINDS},
    **{("rackwright.dev", f"{kind}/status"): {"patch"} for kind in _KINDS},
    **{("rackwright.dev", kind): _LOOK | {"patch"} for kind in ("chassis", "storagepools")},
    ("rackwright.dev", "computenodes"): _LOOK | {"create", "patch", "delete"},
    ("", "events"): {"create", "patch"},
    ("", "secrets"): {"get"},
}
_AT_HOME: Rights = {("coordination.k8s.io", "leases"): _LOOK | {"create", "update", "patch"}}
# What Kubernetes gives everybody: asking what one may do.
_ANYBODY = {"authorization.k8s.io", "authentication.k8s.io"}


def _rights_in(cluster: ControlPlane, namespace: str) -> Rights:
    try:
        review: Any = cluster.operator.request(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectRulesReview",
                "spec": {"namespace": namespace},
            },
        )
    except ApiError as error:
        if error.status == 404:
            pytest.skip("this API server cannot list anybody's rights; a genuine one can")
        raise
    rights: Rights = {}
    for rule in review["status"]["resourceRules"]:
        assert "resourceNames" not in rule
        for group in set(rule["apiGroups"]) - _ANYBODY:
            for resource in rule["resources"]:
                rights.setdefault((group, resource), set()).update(rule["verbs"])
    return rights


def test_in_a_namespace_with_racks_it_may_do_this_and_nothing_else(cluster: ControlPlane, namespace: str) -> None:
    assert _rights_in(cluster, namespace) == _EVERYWHERE


def test_at_home_it_may_keep_leases_too(cluster: ControlPlane) -> None:
    assert _rights_in(cluster, "rackwright-system") == _EVERYWHERE | _AT_HOME


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("list", "chassis"),
        ("patch", "chassis.rackwright.dev/status"),
        ("patch", "chassis"),
        ("patch", "storagepools"),
        ("create", "computenodes"),
        ("delete", "computenodes"),
        ("get", "secrets"),
        ("create", "events"),
    ],
)
def test_what_it_needs_is_allowed(cluster: ControlPlane, namespace: str, verb: str, resource: str) -> None:
    assert _can_i(cluster, namespace, verb, resource) == "yes"


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("delete", "chassis"),
        ("update", "chassis"),
        ("patch", "controllerclusters"),
        ("update", "chassis.rackwright.dev/status"),
        ("create", "storagepools"),
        ("delete", "storagepools"),
        ("deletecollection", "computenodes"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("create", "secrets"),
        ("create", "pods"),
        ("create", "leases"),
        ("list", "customresourcedefinitions"),
        ("delete", "customresourcedefinitions"),
        ("list", "namespaces"),
        ("impersonate", "serviceaccounts"),
        ("create", "clusterrolebindings"),
    ],
)
def test_what_it_does_not_need_is_refused(cluster: ControlPlane, namespace: str, verb: str, resource: str) -> None:
    assert _can_i(cluster, namespace, verb, resource) == "no"


def _can_i(cluster: ControlPlane, namespace: str, verb: str, resource: str) -> str:
    resource, _, subresource = resource.partition("/")
    arguments = [f"--subresource={subresource}"] if subresource else []
    asked = cluster.kubectl(
        "auth", "can-i", verb, resource, *arguments, f"--as={OPERATOR_USER}", f"--namespace={namespace}", check=False
    )
    return asked.stdout.split()[0]  # newer clients add the reason


def test_it_writes_a_status_and_a_finalizer_and_makes_and_removes_nothing_of_a_person(
    cluster: ControlPlane, namespace: str
) -> None:
    pools = f"/apis/rackwright.dev/v1alpha1/namespaces/{namespace}/chassis"
    cluster.admin.request("POST", pools, _chassis())
    cluster.operator.request("PATCH", f"{pools}/sm15k-01/status", {"status": {"summary": "0/1"}})
    assert cluster.operator.request("GET", f"{pools}/sm15k-01")["status"]["summary"] == "0/1"
    for finalizers in (["rackwright.dev/release"], []):
        patch = {"metadata": {"finalizers": finalizers}}
        assert (cluster.operator.request("PATCH", f"{pools}/sm15k-01", patch))["metadata"].get("finalizers", []) == (
            finalizers
        )
    for method, path, body in (
        ("DELETE", f"{pools}/sm15k-01", None),
        ("POST", pools, _chassis()),
    ):
        with pytest.raises(ApiError) as refused:
            cluster.operator.request(method, path, body)
        assert refused.value.status == 403


def test_it_reads_a_secret_by_name_and_cannot_look_around(cluster: ControlPlane, namespace: str) -> None:
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    cluster.admin.request("POST", secrets, {"metadata": {"name": "sm15k-01"}, "stringData": {"password": "x"}})
    assert cluster.operator.request("GET", f"{secrets}/sm15k-01")["data"] == {"password": "eA=="}
    with pytest.raises(ApiError) as refused:
        cluster.operator.request("GET", secrets)
    assert refused.value.status == 403


def test_it_keeps_a_lease_at_home_and_nowhere_else(cluster: ControlPlane, namespace: str) -> None:
    def leases(where: str) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{where}/leases"

    lease = {"metadata": {"name": "rights"}, "spec": {"holderIdentity": "a"}}
    cluster.operator.request("POST", leases("rackwright-system"), lease)
    cluster.operator.request("PATCH", f"{leases('rackwright-system')}/rights", {"spec": {"holderIdentity": "b"}})
    with pytest.raises(ApiError) as refused:
        cluster.operator.request("POST", leases(namespace), lease)
    assert refused.value.status == 403
    cluster.admin.request("DELETE", f"{leases('rackwright-system')}/rights")


def test_a_second_apply_changes_nothing(cluster: ControlPlane) -> None:
    again = cluster.kubectl("apply", "--validate=false", "-k", str(ROOT / "deploy/base")).stdout.splitlines()
    assert len(again) == 14
    assert [line for line in again if not line.endswith("unchanged") and "customresourcedefinition" not in line] == []


def _chassis() -> dict[str, Any]:
    return {
        "apiVersion": "rackwright.dev/v1alpha1",
        "kind": "Chassis",
        "metadata": {"name": "sm15k-01"},
        "spec": {
            "hardware": {
                "type": "SeaMicro",
                "seaMicro": {"cli": {"host": "sm15k-01.rack.internal", "hostKeys": ["ssh-ed25519 AAAA"]}},
            },
            "credentialsRef": {"name": "sm15k-01"},
        },
    }
