"""The per-cycle table on synthetic cells whose capacities are exact, and on a public file."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from rig.analysis.cycles import CycleTable, coulombic_efficiency, cycle_table
from rig.analysis.resistance import pulse_resistance
from rig.core.errors import BadInput


def half_cycle(cycle: int, step: int, current: float, hours: float, volts: float) -> pd.DataFrame:
    """One constant-current step, its first and last point recorded, time from zero."""
    time = np.linspace(0.0, 3600.0 * hours, 61)
    return pd.DataFrame(
        {
            "test_time_second": time,
            "voltage_volt": volts,
            "current_ampere": current,
            "cycle_count": cycle,
            "step_count": step,
        }
    )


def joined(*parts: pd.DataFrame) -> pd.DataFrame:
    """Join steps one after the other in time."""
    offset, shifted = 0.0, []
    for part in parts:
        shifted.append(part.assign(test_time_second=part["test_time_second"] + offset))
        offset = float(shifted[-1]["test_time_second"].iloc[-1])
    return pd.concat(shifted, ignore_index=True)


@pytest.fixture
def two_cycles() -> pd.DataFrame:
    return joined(
        half_cycle(1, 1, 2e-3, 1.00, 4.0),
        half_cycle(1, 2, 0.0, 0.50, 3.9),
        half_cycle(1, 3, -2e-3, 0.98, 3.6),
        half_cycle(2, 4, 2e-3, 0.99, 4.0),
        half_cycle(2, 5, -2e-3, 0.97, 3.6),
    )


def flag_codes(table: CycleTable) -> set[str]:
    return {note.code for note in table.flags}


def test_capacities_energies_and_efficiencies_are_exact(two_cycles: pd.DataFrame) -> None:
    table = cycle_table(two_cycles)
    first, second = table.cycles
    assert first.charging_capacity_ah == pytest.approx(2.00e-3)
    assert first.discharging_capacity_ah == pytest.approx(1.96e-3)
    assert first.coulombic_efficiency == pytest.approx(0.98)
    assert first.energy_efficiency == pytest.approx(0.98 * 3.6 / 4.0)
    assert first.mean_discharging_voltage_volt == pytest.approx(3.6)
    assert first.duration_second == pytest.approx(2.48 * 3600)
    assert second.discharging_capacity_ah == pytest.approx(1.94e-3)
    assert table.capacity_source == "integrated"
    assert not table.flags


def test_current_jumps_without_step_numbers_are_not_averaged(two_cycles: pd.DataFrame) -> None:
    table = cycle_table(two_cycles.drop(columns="step_count"))
    assert table.column("charging_capacity_ah") == pytest.approx([2.00e-3, 1.98e-3])
    assert table.column("discharging_capacity_ah") == pytest.approx([1.96e-3, 1.94e-3])


def test_a_sparse_rest_before_a_dense_step_adds_no_charge() -> None:
    rest = half_cycle(1, 1, 0.0, 10.0, 3.5).iloc[::30]
    charge = half_cycle(1, 2, 1e-3, 1.0, 4.0).iloc[1:]  # begins one period after the edge
    table = cycle_table(joined(rest, charge))
    assert table.cycles[0].charging_capacity_ah == pytest.approx(1e-3)
    assert math.isnan(table.cycles[0].coulombic_efficiency)


def test_irregular_sampling_of_a_taper_is_the_trapezoid_over_real_time() -> None:
    time = np.cumsum(np.random.default_rng(3).uniform(1.0, 30.0, 2000))
    samples = pd.DataFrame(
        {
            "test_time_second": time,
            "voltage_volt": 4.2,
            "current_ampere": 1e-3 * np.exp(-time / 8000.0),
            "cycle_count": 1,
        }
    )
    exact = 1e-3 * 8000.0 / 3600.0 * (math.exp(-time[0] / 8000) - math.exp(-time[-1] / 8000))
    assert cycle_table(samples).cycles[0].charging_capacity_ah == pytest.approx(exact, rel=1e-5)


def test_energy_of_a_symmetric_cell_with_negative_voltage_is_positive_work() -> None:
    table = cycle_table(joined(half_cycle(1, 1, 1e-3, 1, 0.05), half_cycle(1, 2, -1e-3, 1, -0.05)))
    cycle = table.cycles[0]
    assert cycle.mean_charging_voltage_volt == pytest.approx(0.05)
    assert cycle.mean_discharging_voltage_volt == pytest.approx(-0.05)


def test_never_reset_counters_of_the_instrument_win_and_reset_ones_do_not(
    two_cycles: pd.DataFrame,
) -> None:
    hours = two_cycles["test_time_second"] / 3600.0
    counted = two_cycles.assign(charging_capacity_ah=hours, discharging_capacity_ah=hours * 2)
    table = cycle_table(counted)
    assert table.capacity_source == "instrument"
    assert table.column("charging_capacity_ah").sum() == pytest.approx(hours.iloc[-1])
    reset = counted.assign(charging_capacity_ah=np.sin(hours))
    assert cycle_table(reset).capacity_source == "integrated"


def test_end_reasons_are_collected_per_cycle(two_cycles: pd.DataFrame) -> None:
    reasons = [""] * len(two_cycles)
    for row, text in ((60, "voltage"), (121, "time"), (182, "voltage"), (304, "capacity")):
        reasons[row] = text
    table = cycle_table(two_cycles.assign(step_end_reason=reasons))
    first, second = (cycle.end_reasons for cycle in table.cycles)
    assert first == ("voltage", "time", "voltage")
    assert second == ("capacity",)


def test_a_missing_block_of_samples_under_current_is_flagged(two_cycles: pd.DataFrame) -> None:
    assert "CYC-GAP" in flag_codes(cycle_table(two_cycles.drop(index=range(10, 40))))


def test_an_efficiency_above_one_asks_for_the_order_of_the_half_cycles() -> None:
    table = cycle_table(joined(half_cycle(1, 1, -2e-3, 1, 3.6), half_cycle(1, 2, 2e-3, 0.8, 4.0)))
    assert flag_codes(table) == {"CYC-CE"}
    assert "begins with a discharge" in table.flags[0].message


@pytest.mark.parametrize(
    ("first", "second", "percent"),
    [(177, 137, 77.3), (141, 137, 97.5), (124, 123, 99.0), (115, 102, 88.7), (102, 82, 80.3)],
)
def test_r11_published_efficiencies_agree(first: float, second: float, percent: float) -> None:
    assert 100 * coulombic_efficiency(first, second) == pytest.approx(percent, abs=0.5)


def test_s15_pulse_resistance_grows_with_time() -> None:
    time = np.array([0.0, 0.1, 1.0, 10.0, 20.0, 30.0])
    voltage = np.array([3.750, 3.690, 3.675, 3.660, 3.652, 3.645])
    current = np.array([0.0, -0.03, -0.03, -0.03, -0.03, -0.03])
    found = [pulse_resistance(time, voltage, current, after) for after in (0.1, 10.0, 30.0)]
    assert found == pytest.approx([2.0, 3.0, 3.5])
    assert math.isnan(pulse_resistance(time, voltage, current, 60.0))


def test_resistance_is_read_where_a_cycle_has_a_pulse_after_rest() -> None:
    rest = half_cycle(1, 1, 0.0, 0.01, 3.750)
    pulse = half_cycle(1, 2, -0.03, 0.01, 3.660)
    table = cycle_table(joined(rest, pulse))
    assert table.cycles[0].dc_resistance_ohm == pytest.approx(3.0)
    assert math.isnan(cycle_table(half_cycle(1, 1, 1e-3, 1, 4.0)).cycles[0].dc_resistance_ohm)


def test_all_problems_of_a_frame_are_named_at_once(two_cycles: pd.DataFrame) -> None:
    with pytest.raises(BadInput, match="did you mean 'voltage_v'") as caught:
        cycle_table(
            two_cycles.rename(columns={"voltage_volt": "voltage_v"}).drop(columns="cycle_count")
        )
    assert len(caught.value.problems) == 2
    broken = two_cycles.copy()
    broken.loc[3, "voltage_volt"] = math.nan
    broken.loc[5, "test_time_second"] = -1.0
    with pytest.raises(BadInput) as caught:
        cycle_table(broken)
    assert {problem.where for problem in caught.value.problems} == {
        "voltage_volt",
        "test_time_second",
    }


def test_the_table_is_plain_json(two_cycles: pd.DataFrame) -> None:
    values = json.loads(json.dumps(cycle_table(two_cycles).to_dict(), allow_nan=False))
    assert values["cycles"][0]["dc_resistance_ohm"] is not None or values["n"] == 2
