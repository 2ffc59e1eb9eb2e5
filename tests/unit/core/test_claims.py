"""Who has what: the holder keeps it, else the oldest has it, else the first by name; and every loser learns with whom."""

import random

from hypothesis import given
from hypothesis import strategies as st

from rackwright.core.claims import Claim, settle
from rackwright.core.resource import STORAGE_POOL, Ref
from tests.unit.core.kit import PROPERTY

OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def ref(name: str) -> Ref:
    return Ref(STORAGE_POOL, "rack", name)


def test_the_oldest_has_it_and_the_others_learn_with_whom() -> None:
    settled = settle([Claim("disk 1", ref("a"), NEW), Claim("disk 1", ref("b"), OLD), Claim("disk 2", ref("a"), NEW)])
    assert settled.winners == {"disk 1": ref("b"), "disk 2": ref("a")}
    assert settled.lost(ref("a"), "disk 1") == ref("b")
    assert settled.lost(ref("a"), "disk 2") is None
    assert settled.lost(ref("b"), "disk 1") is None
    assert settled.lost(ref("nobody"), "disk 1") is None


def test_who_holds_it_keeps_it_against_an_older_one() -> None:
    settled = settle([Claim("disk 1", ref("a"), NEW, holds=True), Claim("disk 1", ref("b"), OLD)])
    assert settled.lost(ref("b"), "disk 1") == ref("a")


def test_of_one_age_the_first_by_name_has_it() -> None:
    assert settle([Claim("x", ref("b"), OLD), Claim("x", ref("a"), OLD)]).winners["x"] == ref("a")


def test_nobody_is_at_odds_with_himself() -> None:
    assert settle([Claim("x", ref("a"), OLD), Claim("x", ref("a"), NEW)]).losers == {}


CLAIMS = st.builds(
    Claim,
    thing=st.sampled_from(["x", "y"]),
    owner=st.sampled_from([ref(name) for name in "abcd"]),
    created=st.sampled_from([OLD, NEW]),
    holds=st.booleans(),
)


@PROPERTY
@given(st.lists(CLAIMS, max_size=8), st.randoms(use_true_random=False))
def test_one_winner_a_thing_in_whatever_order_they_come(claims: list[Claim], chance: random.Random) -> None:
    settled = settle(claims)
    assert settle(chance.sample(claims, len(claims))) == settled
    for claim in claims:
        winner = settled.winners[claim.thing]
        rival = settled.lost(claim.owner, claim.thing)
        assert rival == (None if winner == claim.owner else winner)
