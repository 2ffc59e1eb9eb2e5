"""How values and places look in a sentence: bounded, on one line, as JSON, whatever they are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.api.sentences import TEXT_LENGTH, VALUE_LENGTH, field_path, joined, listed, printable, shown
from tests.unit.api.test_validate import JSON
from tests.unit.core.kit import PROPERTY


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("a", '"a"'),
        ('say "x"', '"say \\"x\\""'),
        ("a\nb\x1b[2J", '"a\\nb\\u001b[2J"'),
        ("\u202eabc", '"\\u202eabc"'),
        ("Gehäuse \U0001f525", '"Gehäuse \U0001f525"'),
        (5000, "5000"),
        (10**400, "a number of 1329 bits"),
        (float("inf"), "inf"),
        ({"a": [1, None, {"b": False}]}, '{"a": [1, null, {"b": false}]}'),
        ({}, "{}"),
        (("a", 1), '["a", 1]'),
    ],
)
def test_a_value_is_shown_as_json(value: Any, text: str) -> None:
    assert shown(value) == text


def test_what_has_no_bottom_is_shown_by_its_beginning() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert shown(endless) == "[" * 76 + "...]"


@pytest.mark.parametrize(
    ("value", "end"), [("x" * 1_000_000, '..."'), (["x"] * 100_000, "...]"), ({"x": "y" * 1_000_000}, "...}")]
)
def test_a_large_value_is_cut_and_closed(value: Any, end: str) -> None:
    text = shown(value)
    assert len(text) <= VALUE_LENGTH
    assert text.endswith(end)


@PROPERTY
@given(JSON)
def test_any_value_is_one_bounded_line(value: Any) -> None:
    text = shown(value)
    assert text.isprintable()
    assert len(text) <= VALUE_LENGTH


@PROPERTY
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 99), lambda inner: st.lists(inner, max_size=3), max_leaves=6
    )
)
def test_a_short_value_is_json(value: Any) -> None:
    assert json.loads(shown(value)) == value


def test_a_path_is_as_people_write_it_and_odd_names_are_quoted() -> None:
    assert field_path("spec", ["vlans", 0, "id"]) == "spec.vlans[0].id"
    assert field_path("", ["spec", "x"]) == "spec.x"
    assert field_path("spec", ["a b\n"]) == 'spec["a b\\n"]'
    assert len(field_path("spec", ["x" * 1_000_000])) < 80


def test_sentences_are_joined_while_they_fit_and_the_rest_is_counted() -> None:
    assert joined(["One."]) == "One."
    assert joined(["One.", "Two."]) == "One. Two."
    assert joined([f"{number}." for number in range(9)]) == "0. 1. 2. 3. 4. And 4 more."
    long = ["x" * 500 + "."] * 3
    assert joined(long) == f"{long[0]} And 2 more."
    assert len(joined(["y" * 300 + "."] * 9)) < TEXT_LENGTH


def test_names_are_listed_up_to_a_few() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(10)]) == "0, 1, 2 and 7 more"


@PROPERTY
@given(st.text())
def test_printable_text_is_left_alone_and_all_is_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()
