"""Random mutations of the golden rack's manifests, a share of those in `tests/drills/chaos/test_mutations.py`."""

import random

from tests.unit.api.cases import manifests
from tests.unit.input.mutations import mutate
from tests.unit.input.plant import built
from tests.unit.input.trials import check_alone, example_specs, in_chunks, rack_specs, virtual_trials

ALONE = 800
WHOLE = 100


def test_no_mutated_manifest_breaks_the_checks() -> None:
    in_chunks(check_alone, example_specs(), 0, ALONE)


def test_no_mutated_manifest_breaks_the_operator_or_harms_others() -> None:
    snapshot = built()
    with virtual_trials(snapshot) as trials:
        in_chunks(trials.one, rack_specs(snapshot), 0, WHOLE)
        assert trials.valid > WHOLE // 50, "some are valid, and are carried out"


def test_mutations_differ_and_the_same_seed_gives_the_same() -> None:
    def once(seed: int) -> object:
        spec = manifests()["StoragePool/root"]["spec"]
        mutate(spec, random.Random(seed))
        return spec

    assert once(7) == once(7)
    assert len({repr(once(seed)) for seed in range(200)}) > 150
