"""The merge patch that the store sends, against the rule of RFC 7386 as written down elsewhere."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rackwright.core.stamp import merge_patch
from rackwright.kube.objects import merge_diff

_leaves = st.integers() | st.booleans() | st.text(max_size=3)
# A status holds no null: a merge patch could not write one.
_json = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
_objects = st.dictionaries(st.sampled_from("abcd"), _json, max_size=4)


@given(_objects, _objects)
def test_patch_makes_new_of_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert merge_patch(old, merge_diff(old, new)) == new


@given(_objects)
def test_nothing_to_change_is_nothing_to_send(same: dict[str, Any]) -> None:
    assert merge_diff(same, same) == {}


def test_only_what_changed_is_sent_and_what_goes_is_named() -> None:
    old = {"summary": "1/2", "plan": {"digest": "a"}, "identity": {"serial": "S", "model": "M"}}
    new = {"summary": "2/2", "identity": {"serial": "S", "model": "N"}}
    assert merge_diff(old, new) == {"summary": "2/2", "plan": None, "identity": {"model": "N"}}
