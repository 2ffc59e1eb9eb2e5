"""Files that are no manifests: each is a sentence that names file, line and remedy, and nothing is forgotten for it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import structlog

from rackwright.cli.main import main
from rackwright.core.resource import API_VERSION
from rackwright.local import documents
from rackwright.local.manifests import load
from tests.unit.local.test_store import NODE, SM, Rack, built, rack, text

__all__ = ["rack"]  # the fixture

GOOD = text(SM)
HEAD = f"apiVersion: {API_VERSION}\nkind: Chassis\nmetadata: {{name: sm, namespace: rack}}\n"
LAUGHS = "\n".join(["a0: &a0 lol", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))])
MERGES = "\n".join(
    ["m0: &m0 {a: b}", *(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 30))]
)

BAD: Mapping[str, tuple[str | bytes, str, str]] = {
    "empty": ("", "x.yaml: there is nothing in it", "Put its manifests back"),
    "only a comment": ("# later\n", "x.yaml: there is nothing in it", "Put its manifests back"),
    "a list": ("- a\n- b\n", "x.yaml:1: a document in it is no manifest", "Add one"),
    "a string": ("just words\n", "x.yaml:1: a document in it is no manifest", "Add one"),
    "a number": ("---\n---\n7\n", "x.yaml:3: a document in it is no manifest", "Add one"),
    "binary": (bytes(range(256)) * 4, "x.yaml: byte 128 is not UTF-8", "Save it as UTF-8"),
    "NUL": (b"kind: Chassis\x00\n", "x.yaml: not readable as YAML", "Correct the file"),
    "Latin-1": (b"kind: Geh\xe4use\n", "x.yaml: byte 9 is not UTF-8", "Save it as UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "x.yaml: byte 0 is not UTF-8", "Save it as UTF-8"),
    "half a YAML": (f"{HEAD}spec:\n  vlans: [{{id: 100}}, {{id:", "x.yaml:5: not readable as YAML", "Correct the file"),
    "a tab": (f"{HEAD}spec:\n\tvlans: []\n", "x.yaml:5: not readable as YAML: found character", "Correct the file"),
    "a key twice": (
        f"{HEAD}spec: {{}}\nspec: {{a: 1}}\n",
        'x.yaml:5: not readable as YAML: found duplicate key "spec"',
        "Correct",
    ),
    "an alias of nothing": (
        f"{HEAD}spec: *other\n",
        "x.yaml:4: not readable as YAML: found undefined alias",
        "Correct",
    ),
    "a billion laughs": (
        f"{HEAD}spec:\n" + "".join(f"  {line}\n" for line in LAUGHS.splitlines()),
        "x.yaml:",
        "Write out",
    ),
    "a billion merges": (
        f"{HEAD}spec:\n" + "".join(f"  {line}\n" for line in MERGES.splitlines()),
        "x.yaml:",
        "Write out",
    ),
    "itself in itself": (f"{HEAD}spec: &a {{a: *a}}\n", "x.yaml:4: it is nested deeper than 64 levels", "Correct"),
    "deep": (f"{HEAD}spec: {'[' * 100}{']' * 100}\n", "x.yaml:4: it is nested deeper than 64 levels", "Correct"),
    "very deep": (f"{HEAD}spec: {'{a: ' * 50_000}", "x.yaml: it is nested too deeply", "Correct"),
    "no JSON": (f"{HEAD}spec: {{a: !!binary aGk=}}\n", "x.yaml:1: not readable as YAML that JSON can hold", "Correct"),
    "a number without end": (
        f"{HEAD}spec: {{a: {'9' * 400}}}\n",
        "x.yaml:1: not readable as YAML that JSON",
        "Correct",
    ),
    "code": (f"{HEAD}spec: !!python/object/apply:os.system [id]\n", "x.yaml:4: not readable as YAML", "Correct"),
    "another version": (
        GOOD.replace("v1alpha1", "v9"),
        'x.yaml:1: Chassis sm has apiVersion "rackwright.dev/v9"',
        "use",
    ),
    "no version": (GOOD.partition("\n")[2], "x.yaml:1: Chassis sm has apiVersion null", f"use {API_VERSION}"),
    "a kind that is none": (
        GOOD.replace("Chassis", "Chasis"),
        'x.yaml:1: "Chasis" is not a kind of rackwright.dev',
        "Use one",
    ),
    "no metadata": (
        f"apiVersion: {API_VERSION}\nkind: Chassis\n",
        "x.yaml:1: a Chassis in it has no metadata.name",
        "Give it",
    ),
    "no kind": ("metadata: {name: sm}\n", "x.yaml:1: a document in it is no manifest: it has no kind", "Add one"),
    "not a name": (text(SM._replace(name="Sm_01")), 'x.yaml:1: Chassis "Sm_01": metadata.name', "give it such a name"),
    "a name without end": (text(SM._replace(name="s" * 10_000)), 'x.yaml:1: Chassis "sss', "give it such a name"),
    "a name that moves the cursor": (text(SM._replace(name='"\\e[2J"')), 'Chassis "\\u001b[2J"', "give it such a name"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_manifest_is_a_sentence(rack: Rack, name: str) -> None:
    content, said, remedy = BAD[name]
    store = built(rack)
    known = {ref: store.get(ref) for ref in (SM, NODE)}
    (rack.files / "x.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert store.reload() == ()
    [problem] = store.folder.problems
    assert said in problem
    assert remedy in problem
    assert problem.startswith(str(rack.files / "x.yaml"))
    assert problem.isprintable()
    assert problem.endswith(".")
    assert len(problem) < 600
    assert {ref: store.get(ref) for ref in known} == known
    again = rack.open()
    assert {ref: again.get(ref) for ref in known} == known


def _large(path: Path) -> None:
    path.touch()
    os.truncate(path, 50_000_000)


ODD: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "a folder with the name of a file": (Path.mkdir, "it is a folder with the name of a file"),
    "a FIFO": (os.mkfifo, "it is not a file"),
    "a link to nothing": (lambda path: path.symlink_to("gone.yaml"), "it leads to a file that is not there"),
    "a link to itself": (lambda path: path.symlink_to("x.yaml"), "x.yaml"),
    "50 MB": (_large, "it has 50000000 bytes and at most"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_file_is_a_sentence(rack: Rack, name: str) -> None:
    make, said = ODD[name]
    store = built(rack)
    make(rack.files / "x.yaml")
    assert store.reload() == ()
    [problem] = store.folder.problems
    assert said in problem
    assert problem.startswith(f"{rack.files / 'x.yaml'}: ")
    assert store.get(NODE) is not None


def test_a_manifest_whose_link_breaks_is_not_removed(rack: Rack) -> None:
    store = built(rack)
    real = rack.files.parent / "real.yaml"
    (rack.files / "sm.yaml").rename(real)
    (rack.files / "sm.yaml").symlink_to(real)
    store.reload()
    assert store.folder.problems == ()
    real.unlink()
    assert store.reload() == ()
    assert store.get(SM) is not None
    assert store.get(NODE) is not None


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_not_removed(rack: Rack, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """As root one may read everything, so the answer of the system is made up."""
    (rack.files / "inner").mkdir()
    store = built(rack)
    (rack.files / "sm.yaml").rename(rack.files / "inner" / "sm.yaml")
    store.reload()
    assert store.get(SM) is not None

    def denied(path: object, *_: object) -> object:
        if "inner" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)  # type: ignore[operator]

    real: object = Path.read_bytes if what == "file" else os.scandir
    monkeypatch.setattr(Path if what == "file" else os, "read_bytes" if what == "file" else "scandir", denied)
    assert store.reload() == ()
    [problem] = store.folder.problems
    assert "inner" in problem
    assert "Permission denied. Make it readable" in problem
    assert store.get(SM) is not None
    assert store.get(NODE) is not None


def test_many_documents_are_read_and_many_mistakes_are_five_sentences(rack: Rack) -> None:
    line = f"{{apiVersion: {API_VERSION}, kind: Chassis, metadata: {{name: sm-%s}}}}\n---\n"
    rack.write("many.yaml", "".join(line % number for number in range(500)))
    assert len(load(rack.files).manifests) == 500
    rack.write("many.yaml", "7\n---\n" * 10_000)
    problems = load(rack.files).problems
    assert len(problems) == 6
    assert problems[-1].endswith("many.yaml: 9995 more of its documents cannot be used. Correct those above first.")


def test_anchors_that_mean_something_are_understood(rack: Rack) -> None:
    spec = "{policy: &p {mode: Plan}, again: *p, merged: {<<: *p, x: 1}}"
    rack.write("sm.yaml", text(SM, spec))
    found = load(rack.files).manifests[SM].body["spec"]
    assert found == {"policy": {"mode": "Plan"}, "again": {"mode": "Plan"}, "merged": {"mode": "Plan", "x": 1}}


@pytest.mark.parametrize(
    "content",
    [
        "stringData: {password: hunter2\n",
        "stringData:\n  password: hunter2\n  password: hunter2\n",
        "data: {p: hunter2!}\n",
    ],
)
def test_what_is_said_of_a_broken_secret_holds_nothing_of_it(rack: Rack, content: str) -> None:
    rack.write("secret.yaml", f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{content}")
    [problem] = load(rack.files).problems
    assert "secret.yaml" in problem
    assert "hunter2" not in problem


def test_no_file_is_read_that_is_too_large(rack: Rack, monkeypatch: pytest.MonkeyPatch) -> None:
    rack.write("x.yaml", "#" * (documents.MOST_BYTES + 1))
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it is read"))
    assert len(load(rack.files).problems) == 1


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "get"])
def test_the_command_line_says_it_and_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "x.yaml").write_text("- not\n- a manifest\n")
    monkeypatch.setattr("sys.argv", ["rackwright", command, "-f", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    structlog.reset_defaults()  # the command set up its logs for this process
    shown = capsys.readouterr()
    assert shown.out == ""
    assert (
        shown.err
        == f"rackwright: {tmp_path / 'x.yaml'}:1: a document in it is no manifest: it has no kind. Add one, or remove it.\n"
    )
