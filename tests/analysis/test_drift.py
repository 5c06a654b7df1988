"""Drift over a spectrum, from its repeated points and the voltage around it."""

from __future__ import annotations

import cmath

import numpy as np
import pytest
from numpy.typing import NDArray

from rig.analysis.drift import (
    correction_flags,
    drift_flags,
    drift_from_times,
    relative_change,
)
from rig.analysis.flags import EIS_CORR, EIS_DRIFT

HERTZ = np.logspace(5, -1, 61)
OHM = 10.0 + 90.0 / (1.0 + 2j * np.pi * HERTZ * 1e-3)
LOWEST = slice(-3, None)


def test_the_same_points_again_are_no_drift() -> None:
    change = relative_change(HERTZ, OHM, HERTZ[LOWEST], OHM[LOWEST])
    assert abs(change) < 1e-12
    assert drift_flags(change, 3.7, 3.7) == ()


def test_a_rise_of_two_per_cent_is_told_in_numbers() -> None:
    change = relative_change(HERTZ, OHM, HERTZ[LOWEST], 1.02 * OHM[LOWEST])
    assert change == pytest.approx(0.02)
    (note,) = drift_flags(change, 3.7, 3.7)
    assert (note.code, "2.0 %" in note.message) == (EIS_DRIFT, True)


def test_noise_of_three_per_mille_is_no_drift() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        first, second = (
            ohm * (1 + 0.003 * random.standard_normal(3)) for ohm in (OHM[LOWEST], OHM[LOWEST])
        )
        frequencies = HERTZ[LOWEST]
        assert (
            drift_flags(relative_change(frequencies, first, frequencies, second), None, None) == ()
        )


def test_a_voltage_that_moved_is_told_with_its_sign() -> None:
    (note,) = drift_flags(complex("nan"), 3.7000, 3.6970)
    assert "-3.0 mV" in note.message
    assert drift_flags(complex("nan"), 3.7000, 3.6985) == ()
    assert drift_flags(complex("nan"), None, 3.7) == ()


def test_points_at_other_frequencies_are_not_compared() -> None:
    assert cmath.isnan(relative_change(HERTZ, OHM, HERTZ[LOWEST] * 0.9, OHM[LOWEST]))
    assert cmath.isnan(relative_change(HERTZ, OHM, np.array([]), np.array([], complex)))


def test_a_small_impedance_without_a_short_is_flagged() -> None:
    (note,) = correction_flags(HERTZ, OHM, series=False, stray=False)
    assert (note.code, "10 ohm" in note.message) == (EIS_CORR, True)
    assert correction_flags(HERTZ, OHM, series=True, stray=False) == ()
    assert correction_flags(HERTZ, 10 * OHM, series=False, stray=False) == ()


def test_megahertz_need_both_open_and_short() -> None:
    hertz = np.array([1e3, 2e6])
    ohm = np.array([1e3, 1e3], complex)
    for series, stray, flagged in ((True, False, 1), (False, True, 1), (True, True, 0)):
        assert len(correction_flags(hertz, ohm, series=series, stray=stray)) == flagged
    assert correction_flags(np.array([1e3, 1.0e6]), ohm, series=False, stray=False) == ()


# --- from the times of the points ----------------------------------------------------------------

SECONDS = np.cumsum(np.maximum(3.0 / HERTZ, 0.2))
GONE = (SECONDS - SECONDS[0]) / (SECONDS[-1] - SECONDS[0])


def drifting(share: float, noise: float, seed: int) -> NDArray[np.complex128]:
    random = np.random.default_rng(seed)
    scatter = random.standard_normal(HERTZ.size) + 1j * random.standard_normal(HERTZ.size)
    return np.asarray(OHM * (1.0 + share * GONE) * (1.0 + noise * scatter))


@pytest.mark.parametrize("share", [-0.1, 0.05, 0.1])
def test_a_drift_that_kramers_kronig_cannot_see_is_read_from_the_times(share: float) -> None:
    found = drift_from_times(HERTZ, drifting(share, 0.001, 1), SECONDS)
    assert found is not None
    assert found.change == pytest.approx(share, abs=0.1 * abs(share) + 4 * found.standard_error)
    assert [note.code for note in found.flags] == [EIS_DRIFT]


def test_noise_alone_is_no_drift_and_its_error_is_honest() -> None:
    found = [drift_from_times(HERTZ, drifting(0.0, 0.003, seed), SECONDS) for seed in range(100)]
    changes = np.array([one.change for one in found if one])
    errors = np.array([one.standard_error for one in found if one])
    assert 0.8 < np.std(changes) / np.mean(errors) < 1.25
    assert sum(bool(one.flags) for one in found if one) <= 2


def test_a_spectrum_of_few_points_says_nothing_of_drift() -> None:
    assert drift_from_times(HERTZ[:4], OHM[:4], SECONDS[:4]) is None
