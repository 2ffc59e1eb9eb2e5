"""What the engine calls: a reconciler a kind of key, and what it answers."""

from dataclasses import dataclass
from typing import Protocol

from rackwright.core.resource import Ref
from rackwright.core.workqueue import Priority


@dataclass(frozen=True, slots=True)
class Next:
    """When to look at a key again, and how urgent that is. `failed` makes the engine back off instead."""

    seconds: float | None
    priority: Priority = Priority.PERIODIC
    failed: bool = False


class Reconciler(Protocol):
    """Brings one key to where its objects say, as far as may be."""

    async def reconcile(self, key: Ref) -> Next:
        """One pass. Raises nothing that a person could have caused."""
