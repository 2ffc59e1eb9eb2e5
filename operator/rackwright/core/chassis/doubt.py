"""What of an observation cannot be told. While anything cannot, nothing destructive is done: it blocks, and people are told.

A table that lost a row may have lost the one that says why not.
"""

from dataclasses import fields

from rackwright.core.step import Part, PartKind
from rackwright_drivers.contract.chassis import ChassisState
from rackwright_drivers.contract.unknown import Unknown

NO_DOUBT = Part(PartKind.FACTS, "the whole chassis")
"""What every destructive step needs."""


def doubts(observed: ChassisState, *besides: str) -> tuple[str, ...]:
    """One clause for each part that is Unknown, such as `the pools of the chassis cannot be told: ...`; `besides` are
    parts that do not matter.
    """
    parts = ((item.name, getattr(observed, item.name)) for item in fields(observed) if item.name not in besides)
    return tuple(
        f"the {name} of the chassis cannot be told: {part.reason}" for name, part in parts if isinstance(part, Unknown)
    )
