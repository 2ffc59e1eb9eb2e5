"""Executables that stand in for the machine's own, so that no test here needs the network."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FakeExecutable = Callable[[str, str], Path]


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, with nothing in it yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def fake_executable(bin_folder: Path) -> FakeExecutable:
    """Puts a Python program on PATH under a name."""

    def make(name: str, program: str) -> Path:
        path = bin_folder / name
        path.write_text(f"#!{sys.executable}\n{program}\n")
        path.chmod(0o755)
        return path

    return make
