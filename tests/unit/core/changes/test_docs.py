"""`docs/api.md` says what a change of every field does; its last column is what the tables prove."""

import re
from pathlib import Path

import pytest

from rackwright.api.kinds import KINDS
from rackwright.core.risk import Risk
from tests.unit.core.changes.case import Case
from tests.unit.core.changes.fields import fields
from tests.unit.core.changes.reach_cases import Reach
from tests.unit.core.changes.tables import TABLES

TEXT = (Path(__file__).parents[4] / "docs" / "api.md").read_text("utf-8")
NOT_BY_ITSELF = ("policy", "approvals", "nodeSets[].template.policy")  # tried together with what they let through


def documented(kind: str) -> dict[str, str]:
    """The last column by field."""
    table = TEXT.partition(f"| field of a {kind} |")[2].partition("\n\n")[0].splitlines()[2:]
    found: dict[str, str] = {}
    for line in table:
        _, names, _, last, _ = (cell.strip() for cell in line.split("|"))
        found |= dict.fromkeys(re.findall("`([^`]+)`", names), last)
    return found


def row_of(field: str, rows: dict[str, str]) -> str | None:
    """The row that speaks of a field: that of the field itself, or the nearest of what it is part of."""
    above = [row for row in rows if field == row or field.startswith((f"{row}.", f"{row}["))]
    return max(above, key=len, default=None)


@pytest.mark.parametrize("kind", TABLES)
def test_every_field_is_spoken_of_and_no_other(kind: str) -> None:
    rows, declared = documented(kind), set(fields(KINDS[kind].spec))
    assert [field for field in declared if row_of(field, rows) is None] == []
    assert [row for row in rows if row not in declared] == []
    assert len(rows) > 10


@pytest.mark.parametrize(("kind", "row"), [(kind, row) for kind in TABLES for row in documented(kind)])
def test_what_it_says_of_the_risk_is_so(kind: str, row: str) -> None:
    rows = documented(kind)
    together = [other for other in rows if _line(kind, other) == _line(kind, row)]
    cases = [
        (field, case)
        for table in TABLES[kind]
        for field, found in table.items()
        for case in found
        if row_of(field, rows) in together
    ]
    assert cases
    risks = {risk for field, case in cases if not field.startswith(NOT_BY_ITSELF) for risk in _risks(case)}
    said, _, held = rows[row].partition(", ")
    assert bool(held) == any(case.accepts for _, case in cases)
    if risks:
        assert said == max(risks).word
    else:
        assert said in ("nothing", "refused")
        assert any(case.refused for _, case in cases) or said == "nothing"


def _line(kind: str, row: str) -> str:
    table = TEXT.partition(f"| field of a {kind} |")[2].partition("\n\n")[0].splitlines()
    return next(line for line in table if f"`{row}`" in line.split("|")[1])


def _risks(case: Case | Reach) -> set[Risk]:
    return {Risk[line.rpartition(": ")[2].upper()] for stage in case.plan for line in stage}
