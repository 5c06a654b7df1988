"""dQ/dV counted in bins: nothing is lost, a known curve comes back, a held voltage is no peak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.incremental_capacity import hold_begins, incremental_capacity
from rig.core.errors import BadInput


def test_a_constant_rate_of_charge_with_voltage_is_found_in_every_bin() -> None:
    volt = np.linspace(3.0, 4.2, 241)
    curve = incremental_capacity(volt, 0.002 * (volt - 3.0), 0.01)
    inner = curve.incremental_capacity_ah_per_volt[1:-2]
    assert inner == pytest.approx(0.002, rel=1e-9)
    assert curve.voltage_volt[0] == pytest.approx(3.005)


def test_two_phase_plateaus_come_back_as_peaks_where_they_were() -> None:
    charge = np.linspace(0.0, 2e-3, 4001)
    # Two logistic plateaus, as of a graphite: dQ/dV has its peaks at 3.50 and 3.80 V.
    grid = np.linspace(3.0, 4.2, 20001)
    q_of_v = 1e-3 * sum(1 / (1 + np.exp(-(grid - centre) / 0.01)) for centre in (3.5, 3.8))
    volt = np.interp(charge, q_of_v, grid)
    curve = incremental_capacity(volt, charge, 0.005)
    rate = curve.incremental_capacity_ah_per_volt
    peaks = [i for i in range(1, len(rate) - 1) if rate[i] > max(rate[i - 1], rate[i + 1])]
    highest = sorted(sorted(peaks, key=lambda i: -rate[i])[:2])
    assert curve.voltage_volt[highest] == pytest.approx([3.5, 3.8], abs=0.0051)
    assert rate[highest] == pytest.approx(1e-3 / 0.04, rel=0.05)  # of a logistic: Q / (4 w)


def test_sparse_samples_fill_every_bin_between_them() -> None:
    curve = incremental_capacity(np.array([3.0, 3.1, 3.1001]), np.array([0.0, 1e-3, 1e-3]), 0.01)
    assert curve.incremental_capacity_ah_per_volt[:10] == pytest.approx(0.01)


def cccv(held: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Charge at 1 mA from 3.0 to 4.2 V, hold there for so many minutes; one reading of the rest after it."""
    volt = np.concatenate(
        [np.linspace(3.0, 4.2, 121), 4.2 + 1e-4 * (-1.0) ** np.arange(held), [4.17]]
    )
    current = np.concatenate([np.full(120, 1e-3), 1e-3 * 0.93 ** np.arange(1, held + 1), [1e-7]])
    return volt, np.concatenate([[0.0], np.cumsum(current / 60.0)]), current


def test_charge_at_a_held_voltage_is_counted_apart_and_makes_no_peak() -> None:
    volt, charge, current = cccv(50)
    begins = hold_begins(volt, charge, current)
    assert begins == 120
    curve = incremental_capacity(volt, charge, 0.01, hold_begins=begins)
    assert curve.incremental_capacity_ah_per_volt.max() == pytest.approx(2e-3 / 1.2, rel=1e-6)
    assert curve.held_capacity_ah == pytest.approx(charge[-1] - 2e-3, rel=1e-9)


def test_a_plateau_at_constant_current_is_no_hold() -> None:
    charge = np.linspace(0.0, 2e-3, 121)
    flat = 3.42 + 1e-4 * np.sin(np.arange(121))
    assert hold_begins(flat, charge, np.full(120, 1e-3)) is None
    volt, charge, current = cccv(0)
    assert hold_begins(volt, charge, current) is None


@given(
    st.lists(st.tuples(st.floats(-1, 5), st.floats(0, 1e-3)), min_size=1, max_size=60),
    st.floats(5e-4, 0.2),
)
def test_the_bins_add_up_to_the_charge_that_passed(
    rows: list[tuple[float, float]], step: float
) -> None:
    volt = np.array([row[0] for row in rows])
    charge = np.cumsum([row[1] for row in rows])
    charge -= charge[0]
    curve = incremental_capacity(volt, charge, step)
    total = float((curve.incremental_capacity_ah_per_volt * step).sum()) + curve.held_capacity_ah
    assert total == pytest.approx(charge[-1], rel=1e-7, abs=1e-12)
    assert (curve.incremental_capacity_ah_per_volt >= 0).all()
    assert len(curve.voltage_volt) == len(curve.incremental_capacity_ah_per_volt)


def test_a_discharge_has_the_same_curve_as_its_mirror_image() -> None:
    volt = 3.0 + 1.2 * np.linspace(0.0, 1.0, 500) ** 2
    charge = np.linspace(0.0, 1e-3, 500)
    up = incremental_capacity(volt, charge, 0.01).incremental_capacity_ah_per_volt
    down = incremental_capacity(volt[::-1], charge, 0.01).incremental_capacity_ah_per_volt
    assert down[5:-5] == pytest.approx(up[5:-5], rel=1e-6)


@pytest.mark.parametrize(
    ("volt", "charge", "step", "words"),
    [
        ([3.0, 3.1], [0.0, 1e-3], 0.0, "got 0 V"),
        ([3.0, 3.1], [0.0, 1e-3], float("nan"), "got nan V"),
        ([3.0, 3.1], [0.0], 0.01, "2 voltages and 1 charges"),
        ([3.0, float("nan")], [0.0, 1e-3], 0.01, "no number"),
        ([3.0, 3.1], [1e-3, 0.0], 0.01, "runs backwards"),
        ([0.0, 5000.0], [0.0, 1e-3], 0.01, "bins"),
    ],
)
def test_what_cannot_be_is_refused(volt, charge, step, words) -> None:
    with pytest.raises(BadInput, match=words):
        incremental_capacity(np.array(volt), np.array(charge), step)
