"""Where a cluster and its credentials are found, and what is said when there is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from rackwright.kube.access import Access, AccessError


def _kubeconfig(folder: Path, user: dict[str, Any], server: str = "http://127.0.0.1:1") -> Path:
    path = folder / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "one",
    }
    path.write_text(json.dumps(config))
    return path


async def test_token_of_a_kubeconfig(tmp_path: Path) -> None:
    access = await Access.load(_kubeconfig(tmp_path, {"token": "t0ken"}))
    assert access.server == "http://127.0.0.1:1"
    assert await access.authorization() == "Bearer t0ken"
    assert "t0ken" not in repr(access)


async def test_a_plugin_gives_the_token(tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "exec"},
    }
    command = {"apiVersion": credential["apiVersion"], "command": "echo", "args": [json.dumps(credential)]}
    access = await Access.load(_kubeconfig(tmp_path, {"exec": {**command, "interactiveMode": "Never"}}))
    assert await access.authorization() == "Bearer exec"


async def test_a_password(tmp_path: Path) -> None:
    access = await Access.load(_kubeconfig(tmp_path, {"username": "a", "password": "b"}))
    value = await access.authorization()
    assert value is None or value.startswith("Basic ")


async def test_nothing_but_a_certificate_is_no_header(tmp_path: Path) -> None:
    assert await (await Access.load(_kubeconfig(tmp_path, {}))).authorization() is None


async def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"There is no way to a cluster: .*--kubeconfig and --context"):
        await Access.load(_kubeconfig(tmp_path, {}), "other")


async def test_no_kubeconfig_and_no_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(AccessError, match="There is no way to a cluster"):
        await Access.load(tmp_path / "absent")
