"""One mutated manifest after the other, through the checks alone and through the whole operator, and what must then hold."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from rackwright.api.validate import InvalidSpec, check_transition, parse_spec
from rackwright.core.resource import CHASSIS, Ref
from rackwright.core.step import plain
from tests.unit.api.cases import manifests as examples
from tests.unit.core.virtual import VirtualLoop
from tests.unit.input.mutations import mutated
from tests.unit.input.plant import (
    CALM,
    CHASSIS_REF,
    PROTECTED,
    Done,
    Plant,
    Snapshot,
    sentence_faults,
    valid_status,
    without_consent,
)

MORE_PASSES = 3  # with which a mutated manifest that is valid comes to its rest


def in_chunks(
    check: Callable[[str, Any], None], specs: Sequence[tuple[str, Mapping[str, Any]]], chunk: int, many: int
) -> None:
    """So many mutated specs; the same for the same number of the chunk. A run by itself, as Hypothesis remembers all of one."""

    def run(found: tuple[str, Any]) -> None:
        check(*found)

    quiet = settings(
        max_examples=many,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(chunk)(quiet(given(mutated(specs))(run)))()


def example_specs() -> list[tuple[str, Mapping[str, Any]]]:
    """Of the golden rack, all four kinds, as they are."""
    return [(name, item["spec"]) for name, item in sorted(examples().items())]


def rack_specs(snapshot: Snapshot) -> list[tuple[str, Mapping[str, Any]]]:
    """Of the rack in the snapshot."""
    return [(f"{ref.kind}/{ref.name}", item["spec"]) for ref, item in sorted(snapshot.wanted.items())]


def refusals(kind: str, spec: Any, before: Any) -> tuple[str, ...]:
    """The sentences about a spec that was another before; none where it is valid."""
    parsed, problems = _parsed(kind, spec)
    if parsed is None:
        assert sentence_faults(str(InvalidSpec(problems))) == [], problems
        return problems
    assert parse_spec(kind, parsed.manifest()) == parsed, "what is accepted means the same when it is read again"
    problems = tuple(check_transition(kind, before, spec))
    if problems:
        assert sentence_faults(str(InvalidSpec(problems))) == [], problems
    return problems


def _parsed(kind: str, spec: Any) -> tuple[Any, tuple[str, ...]]:
    try:
        return parse_spec(kind, spec), ()
    except InvalidSpec as error:
        return None, error.problems


def check_alone(name: str, spec: Any) -> None:
    """The operator's own checks: no other exception, and sentences that a person can act on."""
    refusals(name.partition("/")[0], spec, examples()[name]["spec"])


class Trials:
    """A rack that lives through one mutated manifest after the other, each corrected before the next."""

    def __init__(self, snapshot: Snapshot, runner: asyncio.Runner) -> None:
        self.snapshot = snapshot
        self.runner = runner
        self.valid = self.acted = 0
        self.plant = runner.run(self._anew())

    async def _anew(self) -> Plant:
        plant = Plant.of(self.snapshot)
        await plant.look()
        assert plant.changes == 0
        return plant

    def one(self, name: str, spec: Any) -> None:
        """A person applies it, the operator looks, the person corrects it."""
        self.runner.run(self.try_out(name, spec))

    async def try_out(self, name: str, spec: Any) -> None:
        """The same inside a running event loop."""
        kind, _, known = name.partition("/")
        ref, plant = Ref(kind, CHASSIS_REF.namespace, known), self.plant
        before = plant.changes
        for kept in (plant.applied, plant.journal, plant.store.events):
            kept.clear()  # what the test itself keeps is not to grow
        refused = refusals(ref.kind, spec, plant.wanted[ref]["spec"])
        plant.spec(ref, spec)
        await plant.look()
        for item in plant.store.objects.values():
            valid_status(item)
        if refused:
            assert plant.changes == before
            _told(plant, ref)
        else:
            self.valid += 1
            for _ in range(MORE_PASSES):
                await plant.look()
            _told_of_what_is_valid(plant, ref)
            assert without_consent(plant.applied) == []
            assert protected_touched(plant.applied) == []
        assert _harmed(plant, ref, bool(refused)) == {}
        await self._correct(ref, plant.changes != before)

    async def _correct(self, ref: Ref, acted: bool) -> None:
        if acted:
            self.acted += 1
            await self.plant.close()
            self.plant = await self._anew()
            return
        self.plant.restore(ref)
        await self.plant.engine.settle()
        assert self.plant.troubled() == {}


def _told(plant: Plant, ref: Ref) -> None:
    """One condition and one event, and both say the same."""
    ready, reason, sentence = plant.ready(ref)
    assert (ready, reason) == ("False", "InvalidSpec")
    assert sentence_faults(sentence) == [], sentence
    assert plant.events(ref) == [(reason, sentence)]


def _told_of_what_is_valid(plant: Plant, ref: Ref) -> None:
    """What the device has nothing for is a sentence as well; the field that it names may be another object's."""
    _, reason, sentence = plant.ready(ref)
    if reason not in CALM:
        assert set(sentence_faults(sentence)) <= {"it names no field"}, sentence


def _harmed(plant: Plant, ref: Ref, refused: bool) -> dict[Ref, tuple[str, str, str]]:
    """Others that are not as they were: of a refused object nobody, but those that are on the very Chassis."""
    return {
        other: said
        for other, said in plant.troubled([ref]).items()
        if (refused and ref.kind != CHASSIS) or (other.kind == CHASSIS) or said[1] == "InvalidSpec"
    }


def protected_touched(done: Sequence[Done]) -> list[str]:
    """Steps that name a server which was protected when they were let through."""
    return [
        f"{item.step.name} {item.step.target}"
        for item in done
        for server in item.rack.protected & {PROTECTED}
        if server in _strings(plain(item.step.action))
    ]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _strings(item)


@contextmanager
def virtual_trials(snapshot: Snapshot) -> Iterator[Trials]:
    """Trials on a clock that waits for nobody."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield Trials(snapshot, runner)
