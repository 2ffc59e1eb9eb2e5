"""The range grammars: what is compacted expands to the same, and nonsense is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright_drivers.chassis.seamicro.ranges import (
    compact_numbers,
    compact_servers,
    disk_span,
    expand_disks,
    expand_numbers,
    expand_servers,
)

NUMBERS = st.sets(st.integers(0, 200), min_size=1)


@given(NUMBERS)
def test_numbers_survive(numbers: set[int]) -> None:
    assert expand_numbers(compact_numbers(numbers)) == tuple(sorted(numbers))


@given(st.sets(st.tuples(st.integers(0, 63), st.integers(0, 3)), min_size=1))
def test_servers_survive(pairs: set[tuple[int, int]]) -> None:
    servers = {f"{card}/{cpu}" for card, cpu in pairs}
    assert set(expand_servers(compact_servers(servers))) == servers


@given(NUMBERS)
def test_a_span_of_disks_begins_and_ends_with_them(numbers: set[int]) -> None:
    span = expand_disks(disk_span(f"JBOD2/{number}" for number in numbers))
    assert span[0] == f"JBOD2/{min(numbers)}"
    assert span[-1] == f"JBOD2/{max(numbers)}"
    assert {f"JBOD2/{number}" for number in numbers} <= set(span)


def test_they_look_as_people_type_them() -> None:
    assert compact_servers(f"{card}/0" for card in range(64) if card != 32) == "0/0-31/0,33/0-63/0"
    assert compact_servers(["34/0", "12/0", "29/0"]) == "12/0,29/0,34/0"
    assert compact_numbers([4, *range(6, 23)]) == "4,6-22"
    assert disk_span(["JBOD2/81", "JBOD2/6", "JBOD2/7"]) == "JBOD2/6-81"
    assert disk_span(["7/0"]) == "7/0"
    assert expand_disks("7/0,7/2-3") == ("7/0", "7/2", "7/3")


@pytest.mark.parametrize("text", ["", "4-", "6-4", "a", "1,,2", "0-99999"])
def test_what_is_no_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|backwards"):
        expand_numbers(text)


@pytest.mark.parametrize("text", ["", "1", "0/0-3/1", "3/0-1/0", "0/0-1/0-2/0"])
def test_what_is_no_servers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|backwards|range"):
        expand_servers(text)


@pytest.mark.parametrize("disks", [["JBOD2/6", "JBOD5/7"], ["JBOD2/6-8"], ["sda"], []])
def test_disks_of_no_one_enclosure_make_no_span(disks: list[str]) -> None:
    with pytest.raises(ValueError, match=r"enclosure|form"):
        disk_span(disks)
