"""Consent in a file: one entry more, and every other byte as it was."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rackwright.core.resource import CHASSIS, STORAGE_POOL, Ref
from rackwright.local.approve import add_approval
from tests.unit.core.kit import GOLDEN

DIGEST = f"sha256:{'ab' * 32}"
OTHER = f"sha256:{'cd' * 32}"
SM = Ref(CHASSIS, "default", "sm")
HEAD = "kind: Chassis\nmetadata: {name: sm}  # ours\n"
ENTRY = f'{{plan: "{DIGEST}"}}'

#        before, and what is to be there after
FILES: list[tuple[str, str, str]] = [
    (
        "no approvals",
        f"{HEAD}spec:\n  # first\n  policy: {{mode: Plan}}   # last\nstatus: {{}}\n",
        f"{HEAD}spec:\n  # first\n  policy: {{mode: Plan}}   # last\n  approvals:\n    - {ENTRY}\nstatus: {{}}\n",
    ),
    (
        "a list, indented",
        f"{HEAD}spec:\n    approvals:\n        - plan: {OTHER}   # by Ann\n\n    policy: {{}}\n",
        f"{HEAD}spec:\n    approvals:\n        - plan: {OTHER}   # by Ann\n        - {ENTRY}\n\n    policy: {{}}\n",
    ),
    (
        "a list, not indented",
        f"{HEAD}spec:\n  approvals:\n  - plan: {OTHER}\n  policy: {{}}\n",
        f"{HEAD}spec:\n  approvals:\n  - plan: {OTHER}\n  - {ENTRY}\n  policy: {{}}\n",
    ),
    (
        "an empty list",
        f"{HEAD}spec:\n  approvals: []  # none yet\n",
        f"{HEAD}spec:\n  approvals: [{ENTRY}]  # none yet\n",
    ),
    (
        "a list in a line",
        f"{HEAD}spec: {{approvals: [{{plan: '{OTHER}'}}], vlans: []}}\n",
        f"{HEAD}spec: {{approvals: [{{plan: '{OTHER}'}}, {ENTRY}], vlans: []}}\n",
    ),
    (
        "a spec in a line",
        f"{HEAD}spec: {{vlans: []}}\n",
        f"{HEAD}spec: {{vlans: [], approvals: [{ENTRY}]}}\n",
    ),
    (
        "nothing after the word",
        f"{HEAD}spec:\n  approvals:\n  vlans: []\n",
        f"{HEAD}spec:\n  approvals: [{ENTRY}]\n  vlans: []\n",
    ),
    (
        "null",
        f"{HEAD}spec:\n  approvals: null\n  vlans: []\n",
        f"{HEAD}spec:\n  approvals: [{ENTRY}]\n  vlans: []\n",
    ),
    (
        "a text at the end",
        f"{HEAD}spec:\n  note: |\n    two\n    lines\n---\nkind: Other\n",
        f"{HEAD}spec:\n  note: |\n    two\n    lines\n  approvals:\n    - {ENTRY}\n---\nkind: Other\n",
    ),
    (
        "no line end",
        f"{HEAD}spec:\n  vlans: []",
        f"{HEAD}spec:\n  vlans: []\n  approvals:\n    - {ENTRY}\n",
    ),
    (
        "an empty value at the end",
        f"{HEAD}spec:\n  vlans:\n",
        f"{HEAD}spec:\n  vlans:\n  approvals:\n    - {ENTRY}\n",
    ),
    (
        "lines of another system",
        f"{HEAD}spec:\n  vlans: []\n".replace("\n", "\r\n"),
        f"{HEAD}spec:\n  vlans: []\n  approvals:\n    - {ENTRY}\n".replace("\n", "\r\n"),
    ),
    (
        "a list of objects",
        "kind: List\nitems:\n- kind: Chassis\n  metadata: {name: other}\n  spec: {a: 1}\n"
        "- kind: Chassis\n  metadata: {name: sm}\n  spec:\n    a: 1\n",
        "kind: List\nitems:\n- kind: Chassis\n  metadata: {name: other}\n  spec: {a: 1}\n"
        f"- kind: Chassis\n  metadata: {{name: sm}}\n  spec:\n    a: 1\n    approvals:\n      - {ENTRY}\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), [pytest.param(*row[1:], id=row[0].replace(" ", "-")) for row in FILES])
def test_one_entry_more(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "rack.yaml"
    path.write_bytes(before.encode())
    assert add_approval(path, SM, DIGEST) is True
    assert path.read_bytes().decode() == after
    assert add_approval(path, SM, DIGEST) is False, "it is there already"
    assert path.read_bytes().decode() == after
    assert [item.name for item in tmp_path.iterdir()] == ["rack.yaml"], "nothing is left lying about"


@pytest.mark.parametrize(
    ("file", "ref"),
    [
        ("chassis.yaml", Ref(CHASSIS, "rack", "sm15k-01")),
        ("storage-pools.yaml", Ref(STORAGE_POOL, "rack", "root")),
        ("storage-pools.yaml", Ref(STORAGE_POOL, "rack", "journal")),
        ("storage-pools.yaml", Ref(STORAGE_POOL, "rack", "array")),
    ],
)
def test_the_golden_rack_keeps_its_comments(tmp_path: Path, file: str, ref: Ref) -> None:
    path = tmp_path / file
    shutil.copy(GOLDEN / file, path)
    before = path.read_text().splitlines()
    for digest in (DIGEST, OTHER):
        add_approval(path, ref, digest)
    after = path.read_text().splitlines()
    added = [line for line in after if line not in before or ("approvals:" in line and "#" not in line)]
    assert [line.strip() for line in added] == ["approvals:", f'- {{plan: "{DIGEST}"}}', f'- {{plan: "{OTHER}"}}']
    assert [line for line in after if line not in added] == before
    documents: list[Any] = list(YAML(typ="safe", pure=True).load_all(path.read_text()))
    spec = next(item["spec"] for item in documents if item["metadata"]["name"] == ref.name)
    assert spec["approvals"] == [{"plan": DIGEST}, {"plan": OTHER}]


def test_json_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "rack.json"
    made: dict[str, Any] = {"kind": "Chassis", "metadata": {"name": "sm"}, "spec": {"vlans": [{"id": 1}]}}
    path.write_text(json.dumps(made, indent=2))
    for digest in (DIGEST, OTHER):
        assert add_approval(path, SM, digest)
    assert json.loads(path.read_text())["spec"] == {
        "vlans": [{"id": 1}],
        "approvals": [{"plan": DIGEST}, {"plan": OTHER}],
    }


def test_mode_and_link_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text(f"{HEAD}spec:\n  vlans: []\n")
    real.chmod(0o640)
    link.symlink_to(real)
    add_approval(link, SM, DIGEST)
    assert link.is_symlink()
    assert DIGEST in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


def test_an_object_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rack.yaml"
    path.write_text(f"{HEAD}spec:\n  vlans: []\n---\nkind: Chassis\nmetadata: {{name: sm, namespace: rack}}\n")
    for ref in (SM._replace(name="x"), SM._replace(kind=STORAGE_POOL), SM._replace(namespace="rack")):
        with pytest.raises(LookupError, match="is not in"):
            add_approval(path, ref, DIGEST)
