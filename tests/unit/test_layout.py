"""The shape of the code: source roots that are no packages, a docstring for every module, and nothing that grew too long."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("operator", "drivers")
FUNCTION_LINES = 60
FILE_LINES = 400
MODULES = sorted(path for source in SOURCES for path in (ROOT / source).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_root_is_no_package(source: str) -> None:
    """operator/__init__.py would take the place of the standard library's operator and break every script."""
    assert (ROOT / source).is_dir()
    assert not (ROOT / source / "__init__.py").exists()
    assert sorted(path.name for path in (ROOT / source).iterdir() if path.suffix == ".py") == []


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 100
    assert {path.relative_to(ROOT).parts[1] for path in MODULES} == {
        "rackwright",
        "rackwright_drivers",
        "rackwright_sim",
    }


def test_every_test_is_run_by_make_test_or_is_a_drill() -> None:
    paths = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["testpaths"]
    folders = {path.relative_to(ROOT).parts[:2] for path in (ROOT / "tests").rglob("test_*.py")}
    assert {"/".join(folder) for folder in folders} == {*paths, "tests/drills"}


def test_every_module_says_what_it_is_for() -> None:
    assert [name(path) for path in MODULES if not (ast.get_docstring(_tree(path)) or "").strip()] == []


def test_every_folder_of_modules_is_a_package() -> None:
    packages = {path.parent for path in MODULES}
    assert [name(folder) for folder in sorted(packages) if not (folder / "__init__.py").exists()] == []


def test_no_file_is_too_long() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    assert {
        f"{name(path)}:{function}": lines
        for path in MODULES
        for function, lines in _functions(_tree(path))
        if lines > FUNCTION_LINES
    } == {}


def test_public_functions_and_classes_have_docstrings() -> None:
    """Of the core and the contract, that is: what others build on."""
    places = (ROOT / "operator/rackwright/core", ROOT / "drivers/rackwright_drivers/contract")
    silent = [
        f"{name(path)}:{node.name}"
        for path in MODULES
        if any(place in path.parents for place in places)
        for node in _tree(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
