"""Conditions as Kubernetes tools read them: sorted, stamped in one place, with a time that moves only when the status does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MESSAGE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str
    message: str = ""


def truth(value: bool) -> str:
    """A bool as a condition's status."""
    return "True" if value else "False"


def shortened(message: str) -> str:
    """A message as conditions and Events hold it."""
    return message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"


def stamped(
    conditions: Iterable[Condition], before: Iterable[Mapping[str, Any]], generation: int, now: str
) -> list[dict[str, Any]]:
    """Conditions as data, each with the generation it speaks of and the time at which its status last changed."""
    old = {item["type"]: item for item in before}
    result = []
    for item in sorted(conditions, key=lambda condition: condition.type):
        known = old.get(item.type)
        same = known is not None and known["status"] == item.status
        result.append(
            {
                "type": item.type,
                "status": item.status,
                "reason": item.reason,
                "message": shortened(item.message),
                "observedGeneration": generation,
                "lastTransitionTime": known["lastTransitionTime"] if same and known else now,
            }
        )
    return result
