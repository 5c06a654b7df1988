"""Our cycle numbers: from the charge that has passed, whoever made the cycler."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.formats.counting import count_cycles

REST = 0.0


@pytest.mark.parametrize(
    ("charges", "cycles"),
    [
        ([2.0, REST, -2.0, REST, 2.0, -2.0], [1, 1, 1, 1, 2, 2]),
        ([REST, 2.0, -2.0], [1, 1, 1]),  # what comes before the first half-cycle
        ([-2.0, 2.0, -2.0, 2.0], [1, 1, 2, 2]),  # begins with a discharge
        ([2.0, REST, 0.5, -2.0, 2.0], [1, 1, 1, 1, 2]),  # constant current, then voltage
        ([2.0, -0.05, 0.05, -0.05, 0.05, -2.0, 2.0], [1, 1, 1, 1, 1, 1, 2]),  # pulses turn nothing
        ([0.1, 0.1, REST, 0.1, -0.3], [1, 1, 1, 1, 1]),  # a titration is one half-cycle
        ([2.0, -0.2, 2.0, -2.0], [1, 1, 2, 2]),  # a tenth is no pulse
        ([REST, REST], [1, 1]),
        ([], []),
    ],
)
def test_a_cycle_begins_with_each_half_cycle_in_the_first_one_s_direction(charges, cycles):
    assert count_cycles(np.array(charges)).tolist() == cycles


@given(st.lists(st.floats(-10, 10, allow_nan=False), max_size=60))
def test_cycles_go_on_by_one_and_the_same_either_way_round(charges):
    charge = np.array(charges)
    cycles = count_cycles(charge)
    assert cycles.size == charge.size
    assert set(np.diff(cycles, prepend=1)) <= {0, 1}
    assert (count_cycles(-charge) == cycles).all()


@given(st.lists(st.sampled_from([1.0, -1.0]), min_size=1, max_size=40), st.integers(0, 39))
def test_a_rest_anywhere_changes_no_other_step_s_cycle(charges, place):
    place %= len(charges)
    rested = np.array([*charges[:place], REST, *charges[place:]])
    with_rest = count_cycles(rested).tolist()
    del with_rest[place]
    assert with_rest == count_cycles(np.array(charges)).tolist()
