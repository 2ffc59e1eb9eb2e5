"""Drift that comes back again and again is somebody else's will: it is put right three times, and then held and said.

What was right at the end of one pass and is wrong in the next has drifted. How often, is kept with the object that declares
the part, so that a restart does not begin to fight anew. A person's word ends it: a change of the manifest, of the Chassis,
or a look asked for by the annotation rackwright.dev/reconcile-at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rackwright.api.status import RETURNS_SHOWN, TEXT_LENGTH
from rackwright.core.chassis.rack import Rack
from rackwright.core.resource import RECONCILE_AT, Ref, Resource
from rackwright.core.step import Decision, Difference, Part

PUT_RIGHT = 3
WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Return:
    """How often a part drifted, and when it last did."""

    times: int
    last: str


@dataclass
class _Counts:
    """Of one object; `mark` says under which words of a person it was counted."""

    mark: str
    parts: dict[str, _Return]


class Recall:
    """What one chassis showed to be right, and how often each part has drifted."""

    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now
        self._right: Mapping[Part, tuple[str, ...]] = {}
        self._counts: dict[Ref, _Counts] = {}

    def notice(self, rack: Rack, decision: Decision) -> None:
        """Count what was right before and is not now. Each drift counts once, however long it lasts."""
        resources, marks, now = _resources(rack), _marks(rack), self._now()
        drifted = [
            item
            for item in decision.differences
            if self._right.get(item.part) == tuple(marks[owner] for owner in decision.parts[item.part])
        ]
        lasting = {_path(item) for item in decision.differences} - {_path(item) for item in drifted}
        for difference in drifted:
            owner = decision.parts[difference.part][0]
            counts = self._of(resources[owner], rack)
            _forget_old(counts.parts, lasting, now)
            known = counts.parts.get(_path(difference))
            counts.parts[_path(difference)] = _Return(known.times + 1 if known else 1, now)
        self._right = {part: known for part, known in self._right.items() if part not in decision.wrong}

    def stubborn(self, rack: Rack, decision: Decision) -> Mapping[Part, str]:
        """The parts that are wrong and were put right too often, each with the sentence about it."""
        resources = _resources(rack)
        found = {}
        for difference in decision.differences:
            counts = self._of(resources[decision.parts[difference.part][0]], rack)
            known = counts.parts.get(_path(difference))
            if known is not None and known.times > PUT_RIGHT:
                found[difference.part] = _sentence(difference)
        return found

    def settle(self, rack: Rack, decision: Decision) -> None:
        """A pass is over: what is right now may drift."""
        marks = _marks(rack)
        self._counts = {ref: counts for ref, counts in self._counts.items() if ref in marks}
        self._right = {
            part: tuple(marks[owner] for owner in owners)
            for part, owners in decision.parts.items()
            if part not in decision.wrong and owners
        }

    def entry(self, resource: Resource, rack: Rack) -> dict[str, Any]:
        """What the status of an object keeps; empty where nothing ever came back."""
        counts = self._of(resource, rack)
        if not counts.parts:
            return {}
        latest = sorted(counts.parts.items(), key=lambda item: (item[1].last, item[1].times), reverse=True)
        parts = [
            {"path": path, "times": item.times, "last": item.last} for path, item in sorted(latest[:RETURNS_SHOWN])
        ]
        return {"returns": {"mark": counts.mark, "parts": parts}}

    def _of(self, resource: Resource, rack: Rack) -> _Counts:
        """The counts of an object: those in hand, else those in its status, unless a person has spoken since."""
        mark = _mark(resource, rack)
        known = self._counts.get(resource.ref)
        if known is None:
            kept = resource.status.get("returns") or {"mark": mark, "parts": ()}
            parts = {item["path"]: _Return(item["times"], item["last"]) for item in kept["parts"]}
            known = _Counts(kept["mark"], parts)
        if known.mark != mark:
            known = _Counts(mark, {})
        self._counts[resource.ref] = known
        return known


def _resources(rack: Rack) -> Mapping[Ref, Resource]:
    return {item.ref: item.resource for item in rack.objects}


def _marks(rack: Rack) -> Mapping[Ref, str]:
    return {item.ref: _mark(item.resource, rack) for item in rack.objects}


def _mark(resource: Resource, rack: Rack) -> str:
    """Changes whenever a person says something about the object or its Chassis."""
    chassis = rack.chassis.resource
    words = (chassis.generation, chassis.annotations.get(RECONCILE_AT, ""))
    mine = (resource.uid, resource.generation, resource.annotations.get(RECONCILE_AT, ""))
    end = ("deleting",) if resource.deleting else ()
    return " ".join(str(word) for word in (*mine, *words, *end)).strip()[:TEXT_LENGTH]


def _path(difference: Difference) -> str:
    return str(difference.part)[:TEXT_LENGTH]


def _forget_old(parts: dict[str, _Return], lasting: set[str], now: str) -> None:
    """What came back a day ago is another story, unless it has been going on since."""
    since = datetime.fromisoformat(now) - WITHIN
    for path, item in list(parts.items()):
        if path not in lasting and datetime.fromisoformat(item.last) < since:
            del parts[path]


def _sentence(difference: Difference) -> str:
    return (
        f"{difference.part} was put right {PUT_RIGHT} times and is {difference.found} again instead of {difference.wanted}: "
        "somebody else wants it so. Change the manifest to that; or stop whoever does it, and set the annotation "
        "rackwright.dev/reconcile-at to a new value to have it put right again."
    )
