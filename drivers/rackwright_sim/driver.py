"""The entry point of the in-process simulator: which chassis a driver's parameters mean, and a driver of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rackwright_drivers.contract.chassis import ChassisDriver, DriverContext
from rackwright_drivers.contract.errors import PermanentError
from rackwright_sim import faults, store
from rackwright_sim.in_process import SimChassis, Simulated

__all__ = ["Parameters", "SimChassis", "Simulated", "connect", "registered"]


class Parameters(BaseModel):
    """`start` names a data file or a path; `state` is where the chassis saves itself; `faults` is a YAML file of them.

    `model` names a chassis that was registered in this process, and then stands alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: str = "as-found"
    state: str | None = None
    faults: str | None = None
    model: str | None = None


_registered: dict[str, Simulated] = {}
_opened: dict[Parameters, Simulated] = {}


@contextmanager
def registered(name: str, chassis: Simulated) -> Iterator[Simulated]:
    """Within it, the parameter `model: NAME` means this chassis."""
    if name in _registered:
        raise ValueError(f"a simulated chassis named {name} is registered already")
    _registered[name] = chassis
    try:
        yield chassis
    finally:
        del _registered[name]


def connect(parameters: Mapping[str, object], context: DriverContext) -> ChassisDriver:
    """A driver of the chassis that these parameters mean; the same parameters mean the same chassis in this process."""
    try:
        wanted = Parameters.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PermanentError(f"Parameter {where[:80]!a} of the simulator: {first['msg']}. Correct it.") from error
    return SimChassis(_chassis(wanted), context)


def _chassis(wanted: Parameters) -> Simulated:
    if wanted.model is not None:
        if wanted != Parameters(model=wanted.model):
            raise PermanentError(
                f"Parameter model {wanted.model!a:.80} of the simulator stands alone: remove the others."
            )
        if wanted.model not in _registered:
            raise PermanentError(
                f"Parameter model {wanted.model!a:.80} of the simulator names no registered chassis: correct it."
            )
        return _registered[wanted.model]
    if wanted not in _opened:
        _opened[wanted] = _open(wanted)
    return _opened[wanted]


def _open(wanted: Parameters) -> Simulated:
    model = store.open_model(wanted.start, None if wanted.state is None else Path(wanted.state))
    return Simulated(model, faults.Faults(() if wanted.faults is None else faults.load(wanted.faults)))
