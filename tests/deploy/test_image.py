"""The Dockerfile, as far as it can be proved without a container engine: what it copies is enough for a whole wheel."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT, Build, one

_PACKAGES = ("rackwright", "rackwright_drivers", "rackwright_sim")


def _instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def _copied() -> list[tuple[str, str]]:
    """Source and target of all that is copied from the build context."""
    pairs = []
    for word, rest in _instructions():
        if word == "COPY" and not rest.startswith("--from="):
            *sources, target = rest.split()
            pairs += [(source, target) for source in sources]
    return pairs


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build stage's folder after its COPY instructions."""
    folder = tmp_path_factory.mktemp("src")
    for source, target in _copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, folder / target)
    return folder


@pytest.fixture(scope="module")
def wheel(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(context)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return wheel


def test_what_is_copied_exists_and_is_neither_ignored_nor_superfluous() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "everything is left out that is not let in"
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    sources = {source for source, _ in _copied()}
    assert sources == let_in
    assert all((ROOT / source).exists() for source in sources)


def test_the_wheel_holds_the_three_packages_whole(wheel: Path, tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*install, str(wheel)], check=True)
    roots = {"rackwright": "operator", "rackwright_drivers": "drivers", "rackwright_sim": "drivers"}
    for package, root in roots.items():
        source = ROOT / root / package
        wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        found = {path.relative_to(tmp_path / package) for path in (tmp_path / package).rglob("*") if path.is_file()}
        assert wanted == {path for path in found if path.suffix != ".pyc"}


def test_the_installed_packages_are_imported_from_where_they_were_installed(wheel: Path, tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*install, str(wheel)], check=True)
    program = f"import json; print(json.dumps([__import__(name).__file__ for name in {_PACKAGES}]))"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, cwd=tmp_path, check=True, capture_output=True)
    assert json.loads(done.stdout) == [str(tmp_path / name / "__init__.py") for name in _PACKAGES]


def test_the_entry_point_is_a_command_that_the_package_brings() -> None:
    instructions = dict(_instructions())
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    (command,) = json.loads(instructions["ENTRYPOINT"])
    assert command in scripts
    assert json.loads(instructions["CMD"]) == ["run"]


def test_the_image_and_the_deployment_agree(build: Build) -> None:
    instructions = dict(_instructions())
    spec = one(build("base"), "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    context = spec["securityContext"]
    assert instructions["USER"] == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert [int(instructions["EXPOSE"])] == [port["containerPort"] for port in container["ports"]]
    assert container["args"] == json.loads(instructions["CMD"])


def test_the_user_without_an_account_has_a_name_and_a_home() -> None:
    settings = dict(pair.split("=", 1) for word, rest in _instructions() if word == "ENV" for pair in rest.split())
    options = "import asyncssh; asyncssh.SSHClientConnectionOptions(); print(asyncssh.__name__)"
    # A uid that no /etc/passwd knows, without asking root for one: the look-up that asyncssh makes finds nothing.
    nobody = "import pwd; pwd.getpwuid = lambda uid: {}[uid]; "
    bare = {"PATH": os.environ["PATH"]}

    def connects(env: dict[str, str]) -> bool:
        return subprocess.run([sys.executable, "-c", nobody + options], env=env, capture_output=True).returncode == 0

    assert not connects(bare)
    assert connects({**bare, "LOGNAME": settings["LOGNAME"], "HOME": settings["HOME"]})


def test_python_is_one_that_the_package_supports() -> None:
    images = {rest.split()[0] for word, rest in _instructions() if word == "FROM"}
    (image,) = images
    version = re.fullmatch(r"python:3\.(\d+)-slim", image)
    assert version is not None
    assert int(version[1]) >= 11
