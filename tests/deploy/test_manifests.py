"""deploy/ as kustomize builds it: whole, consistent in itself, and as locked down as it says."""

import tomllib
from typing import Any

import pytest

from tests.deploy.conftest import ROOT, Build, Manifest, one

_BUILT = ("base", "overlays/secrets-by-namespace", "monitoring")
_LABEL = ("app.kubernetes.io/name", "rackwright")


@pytest.fixture(scope="module")
def base(build: Build) -> list[Manifest]:
    return build("base")


@pytest.fixture(scope="module")
def pod(base: list[Manifest]) -> dict[str, Any]:
    template: dict[str, Any] = one(base, "Deployment")["spec"]["template"]
    return template


def test_everything_that_can_be_built_is_tested() -> None:
    folders = {
        path.parent.relative_to(ROOT / "deploy").as_posix() for path in ROOT.glob("deploy/**/kustomization.yaml")
    }
    assert {folder for folder in folders if not folder.startswith("examples")} == set(_BUILT)


@pytest.mark.parametrize("folder", _BUILT)
def test_all_that_is_ours_is_labelled_and_in_the_operator_s_namespace(build: Build, folder: str) -> None:
    for manifest in build(folder):
        if manifest["kind"] != "CustomResourceDefinition":
            assert _LABEL in manifest["metadata"]["labels"].items(), manifest["metadata"]["name"]
            assert manifest["metadata"].get("namespace", "rackwright-system") in {"rackwright-system", "rack"}


def test_the_base_brings_every_crd_that_is_checked_in(base: list[Manifest]) -> None:
    brought = {each["metadata"]["name"] for each in base if each["kind"] == "CustomResourceDefinition"}
    checked_in = {".".join(reversed(path.stem.split("_"))) for path in ROOT.glob("crds/rackwright.dev_*.yaml")}
    assert brought == checked_in
    assert len(brought) == 4


def test_the_image_is_of_the_version_that_is_packaged(pod: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert pod["spec"]["containers"][0]["image"] == f"rackwright:{version}"


def test_the_pod_satisfies_the_restricted_standard(base: list[Manifest], pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    whole, own = pod["spec"]["securityContext"], container["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert whole["runAsUser"] > 0
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert {next(iter(set(volume) - {"name"})) for volume in pod["spec"]["volumes"]} == {"emptyDir"}
    namespace = one(base, "Namespace", "rackwright-system")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_two_never_run_at_once_and_what_is_needed_is_asked_for(base: list[Manifest], pod: dict[str, Any]) -> None:
    spec = one(base, "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    (container,) = pod["spec"]["containers"]
    assert container["args"] == ["run"]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


def test_probes_and_monitoring_reach_the_port_that_is_open(
    base: list[Manifest], pod: dict[str, Any], build: Build
) -> None:
    (container,) = pod["spec"]["containers"]
    (port,) = container["ports"]
    assert (port["name"], port["containerPort"]) == ("metrics", 8080)
    paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, path in paths.items():
        assert container[probe]["httpGet"] == {"path": path, "port": port["name"]}
    service = one(base, "Service", "rackwright-metrics")
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    (service_port,) = service["spec"]["ports"]
    assert service_port["targetPort"] == port["name"]
    monitor = one(build("monitoring"), "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] == service_port["name"]
    assert endpoint["honorLabels"] is True, "else the labels namespace and endpoint are those of the scraped pod"


def test_credentials_can_be_granted_by_namespace_only(build: Build) -> None:
    built = build("overlays/secrets-by-namespace")
    cluster_wide = {each["metadata"]["name"] for each in built if each["kind"] == "ClusterRoleBinding"}
    assert cluster_wide == {"rackwright"}
    assert one(built, "RoleBinding", "rackwright-secrets")["metadata"]["namespace"] == "rack"
