"""The reference names every field that a person starts from."""

from pathlib import Path

import pytest

from rackwright.api.kinds import KINDS

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_in_the_reference(kind: str) -> None:
    section = TEXT.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    assert section
    fields = [info.alias for info in KINDS[kind].spec.model_fields.values()]
    assert [field for field in fields if f"`{field}`" not in section] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_status_is_in_the_reference(kind: str) -> None:
    section = TEXT.partition("\n### status\n")[2].partition("\n## Chassis")[0]
    fields = [info.alias for info in KINDS[kind].status.model_fields.values() if info.alias != "conditions"]
    assert [field for field in fields if f"`{field}`" not in section] == []
