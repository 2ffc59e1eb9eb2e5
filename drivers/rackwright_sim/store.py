"""The state of a simulated chassis on disk: one JSON file, written by rename after every change, read at the start."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from rackwright_drivers.contract.errors import PermanentError
from rackwright_sim.model import ChassisModel


def open_model(
    start: str | Path,
    state: Path | None,
    *,
    settle_seconds: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
) -> ChassisModel:
    """The chassis as it was left in `state`, or as it starts where there is none; it goes on saving itself there.

    PermanentError where either file is wrong or the folder of the state cannot be written.
    """
    source = start if state is None or not state.exists() else state
    model = ChassisModel.load(source, settle_seconds=settle_seconds, clock=clock)
    if state is not None:
        try:
            state.parent.mkdir(parents=True, exist_ok=True)
            _save(model, state)
        except OSError as error:
            raise PermanentError(f"state {state} cannot be written ({error}): name a path that can be") from error
        model.changes.listeners.append(lambda: _save(model, state))
    return model


def _save(model: ChassisModel, state: Path) -> None:
    beside = state.with_name(f"{state.name}.new")
    beside.write_text(model.saved().model_dump_json(exclude_defaults=True), encoding="utf-8")
    os.replace(beside, state)
