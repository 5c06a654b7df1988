"""Models of a run that lasts for months keep no history: what they hold does not grow with time."""

from __future__ import annotations

from itertools import pairwise

from simulators.interfaces import Drive, DriveMode
from simulators.models.blocks import THERMAL_LAG_SECOND, read_cell
from simulators.models.cell import LARGEST_CACHE, CircuitCell
from simulators.models.chamber import ChamberTraits, SimulatedChamber
from simulators.models.ripple import KEPT_POINTS, Ripple

DAY_SECOND = 86_400.0


def test_a_ripple_forgets_what_nobody_can_ask_for_any_more_and_changes_no_value() -> None:
    looked_at, jumped_to = Ripple(3, 0.1), Ripple(3, 0.1)
    values = [looked_at.at(hour * 3600.0) for hour in range(24 * 30)]
    assert len(looked_at._values) <= 2 * KEPT_POINTS
    assert jumped_to.at((24 * 30 - 1) * 3600.0) == values[-1]
    assert any(one != other for one, other in pairwise(values))


def test_a_ripple_can_be_asked_for_what_is_a_day_ago() -> None:
    ripple = Ripple(3, 0.1)
    before = ripple.at(9 * DAY_SECOND)
    ripple.at(10 * DAY_SECOND)
    assert ripple.at(9 * DAY_SECOND) == before


def test_a_cell_keeps_no_more_step_lengths_than_it_may_whatever_its_temperature() -> None:
    air = SimulatedChamber(ChamberTraits(), seed=1)
    problems: list[object] = []
    setup = read_cell({"cell": "full_cell", "area": "1 cm^2"}, "test", problems)
    assert setup is not None
    cell = CircuitCell(setup.recipe, air, THERMAL_LAG_SECOND)
    cell.drive("smu", Drive(DriveMode.CURRENT, 1e-7, 4.3), 0.0)
    second = 0.0
    for number in range(5 * LARGEST_CACHE):
        second += 20.0 + 1e-4 * number  # a length of its own each time
        cell.terminals(second)
    kept = sum(len(tuning.steps) for tuning in cell._tunings.values())
    assert kept <= LARGEST_CACHE
