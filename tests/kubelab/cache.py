"""A cache of executables, each made once by a recipe and kept under the user's cache folder.

A folder `<name>-<key>` appears whole, by rename, or not at all; the key is a hash of all that decides what is in it.
Deleting the cache is always safe: what is missing or damaged is made again.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.kubelab.console import KubelabError, Progress

_MANIFEST = "manifest.json"
_KEY_LENGTH = 16


class Recipe(Protocol):
    """How to make a folder of executables."""

    @property
    def name(self) -> str:
        """Names the folder in the cache; letters, digits, dots and hyphens."""

    @property
    def text(self) -> str:
        """All that decides what comes out: when it changes, the executables are made again."""

    @property
    def executables(self) -> tuple[str, ...]:
        """The files it makes."""

    def make(self, work: Path, out: Path, progress: Progress) -> None:
        """Put the executables into `out`; `work` is a scratch folder, removed afterwards.

        Raises KubelabError, one sentence, when that is not possible.
        """


def default_root() -> Path:
    """`$XDG_CACHE_HOME/rackwright`, or `~/.cache/rackwright`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "rackwright"


def key_of(recipe: Recipe) -> str:
    """The same for the same recipe everywhere, and another for anything else."""
    whole = json.dumps([recipe.name, recipe.executables, recipe.text])
    return hashlib.sha256(whole.encode()).hexdigest()[:_KEY_LENGTH]


class Cache:
    """One folder of made executables, shared by all processes of a user."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or default_root()
        self._proved: set[Path] = set()

    def folder(self, recipe: Recipe) -> Path:
        """Where the executables of a recipe are, or would be."""
        return self._root / f"{recipe.name}-{key_of(recipe)}"

    def ensure(self, recipe: Recipe) -> Path:
        """The folder with a recipe's executables, made now if absent or damaged; waits where another makes it."""
        folder = self.folder(recipe)
        if not self._intact(folder, recipe):
            self._root.mkdir(parents=True, exist_ok=True)
            with self._locked(recipe):
                if not self._intact(folder, recipe):
                    self._make(recipe, folder)
        return folder

    def _intact(self, folder: Path, recipe: Recipe) -> bool:
        if folder not in self._proved and _matches_manifest(folder, recipe.executables):
            self._proved.add(folder)
        return folder in self._proved

    @contextmanager
    def _locked(self, recipe: Recipe) -> Iterator[None]:
        with (self._root / f"{recipe.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                Progress(recipe.name).say("another process is making it; waiting for that")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self, recipe: Recipe, folder: Path) -> None:
        prefix = f".{recipe.name}-work-"
        for leftover in self._root.glob(f"{prefix}*"):  # of a maker that was killed: we hold its lock now
            shutil.rmtree(leftover)
        work = Path(tempfile.mkdtemp(prefix=prefix, dir=self._root))
        try:
            out, scratch = work / "out", work / "scratch"
            out.mkdir()
            scratch.mkdir()
            recipe.make(scratch, out, Progress(recipe.name))
            _seal(out, recipe)
            if folder.exists():
                folder.rename(work / "damaged")
            out.rename(folder)
        finally:
            shutil.rmtree(work)


def _seal(out: Path, recipe: Recipe) -> None:
    missing = [name for name in recipe.executables if not (out / name).is_file()]
    if missing:
        raise KubelabError(f"the recipe of {recipe.name} made no {', '.join(missing)}: correct the recipe")
    for name in recipe.executables:
        (out / name).chmod(0o755)
    (out / _MANIFEST).write_text(json.dumps(_digests(out, recipe.executables), indent=2))


def _matches_manifest(folder: Path, executables: tuple[str, ...]) -> bool:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        return all(os.access(folder / name, os.X_OK) for name in executables) and manifest == _digests(
            folder, executables
        )
    except (OSError, ValueError):
        return False


def _digests(folder: Path, executables: tuple[str, ...]) -> dict[str, str]:
    digests = {}
    for name in executables:
        with (folder / name).open("rb") as file:
            digests[name] = hashlib.file_digest(file, "blake2b").hexdigest()
    return digests
