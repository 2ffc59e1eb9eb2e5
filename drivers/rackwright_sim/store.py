"""The state of a simulated chassis on disk: one JSON file, written by rename after every change, read at the start."""

import os
from pathlib import Path

from rackwright_sim.model import ChassisModel


def resume(model_from: str | Path, state: Path) -> str | Path:
    """Where to start from: the state where there is one, else the start that was asked for."""
    return state if state.exists() else model_from


def keep(model: ChassisModel, state: Path) -> None:
    """Save now and after every change from now on. OSError where the folder cannot be written."""
    state.parent.mkdir(parents=True, exist_ok=True)

    def save() -> None:
        beside = state.with_name(f"{state.name}.new")
        beside.write_text(model.saved().model_dump_json(exclude_defaults=True), encoding="utf-8")
        os.replace(beside, state)

    save()
    model.changes.listeners.append(save)
