"""Every sheet accounts for every house rule: done, or exempt with a reason."""

from __future__ import annotations

import pytest

from rig.bench.registry import driver_names, load_driver
from rig.core.sheet import Role, Sheet

HOUSE_RULES = {
    "silent-constructor",
    "identify-refuses-others",
    "refuses-out-of-range-before-sending",
    "confirms-safe-state",
    "arms-instrument-limits",
    "reads-error-queue",
    "parses-strictly",
    "transcript-test",
    "independent-simulator",
}
# A reading in another range than the last one of its set point is flagged Flag.SETTLING.
SETTLING = "settling"


def measures_in_ranges(sheet: Sheet) -> bool:
    return not {Role.CELL, Role.IMPEDANCE}.isdisjoint(sheet.roles)


@pytest.mark.parametrize("family", driver_names())
def test_the_sheet_accounts_for_every_house_rule(family: str) -> None:
    sheet = load_driver(family).sheet
    wanted = HOUSE_RULES | ({SETTLING} if measures_in_ranges(sheet) else set())
    assert set(sheet.rules) == wanted


@pytest.mark.parametrize("family", driver_names())
def test_a_rule_is_done_or_exempt_with_a_reason(family: str) -> None:
    for rule, state in load_driver(family).sheet.rules.items():
        assert state == "done" or len(state.removeprefix("exempt: ")) < len(state), rule


@pytest.mark.parametrize("family", driver_names())
def test_what_autorange_hides_is_told_among_the_unknowns(family: str) -> None:
    sheet = load_driver(family).sheet
    if "does not name its range" in sheet.rules.get(SETTLING, ""):
        assert any("autorange took" in unknown for unknown in sheet.unknowns)
