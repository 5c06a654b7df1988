"""Z-HIT: the modulus that the phase demands, and the drift at the slow end that Lin-KK follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.flags import EIS_DRIFT
from rig.analysis.kramers_kronig import check
from rig.analysis.spectrum import Spectrum
from rig.analysis.z_hit import ZHit, z_hit

HERTZ = np.geomspace(1e6, 0.01, 81)
JW = 2j * np.pi * HERTZ

Values = NDArray[np.complex128]


def cell() -> Values:
    arcs = ((277.0, 1e-6, 0.95), (106.0, 1e-3, 0.85), (150.0, 0.5, 0.9))
    return np.asarray(12.0 + sum(ohm / (1 + (JW * tau) ** alpha) for ohm, tau, alpha in arcs))


def noisy(clean: Values, relative: float, seed: int) -> Values:
    parts = np.random.default_rng(seed).standard_normal((2, clean.size))
    return clean + relative * np.abs(clean) * (parts[0] + 1j * parts[1])


def drifting(size: float) -> Values:
    """Each point takes three periods, and everything grows evenly in time."""
    gone = np.cumsum(3.0 / HERTZ)
    return np.asarray(cell() * (1.0 + size * gone / gone[-1]))


def judged(ohm: Values, noise: float = 0.0) -> ZHit:
    found = z_hit(Spectrum(HERTZ, ohm), noise)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "ohm",
    [
        cell(),
        20.0 + 100.0 / (1 + JW * 1e-3) + 1 / (1e-4 * JW**0.9),
        5.0 + 1e-6 * JW + 10 / (1 + JW * 1e-3) + 4 / np.sqrt(JW),
        8.0 / (np.tanh(np.sqrt(JW * 0.5)) * np.sqrt(JW * 0.5)) + 1.0,
        30.0 + 0.0j * JW,
    ],
    ids=["three arcs", "blocking", "lead and Warburg", "Wo", "resistor"],
)
def test_a_sound_cell_has_the_modulus_that_its_phase_demands(ohm: Values) -> None:
    found = judged(ohm)
    assert abs(found.slow_end_change) < 0.012
    # the fast end's last points know no neighbours: half a decade of them is worse
    assert np.abs(found.deviation[5:-5]).max() < 0.05
    assert found.flags == ()


def test_a_drift_that_lin_kk_accepts_is_named_with_its_size() -> None:
    spectrum = Spectrum(HERTZ, noisy(drifting(0.05), 0.001, 1))
    verdict = check(spectrum)
    assert verdict.valid
    found = z_hit(spectrum, verdict.noise)
    assert found is not None
    (note,) = found.flags
    assert note.code == EIS_DRIFT
    # the mean over the last half decade, where 5 % is reached at its last point only
    assert 0.02 < found.slow_end_change < 0.04
    assert "sign of drift" in note.message


@pytest.mark.parametrize("size", [-0.2, -0.05, 0.05, 0.2])
def test_what_is_found_follows_the_drift_and_its_sign(size: float) -> None:
    assert judged(drifting(size)).slow_end_change == pytest.approx(0.6 * size, rel=0.2)


def test_a_wrong_factor_of_a_range_is_a_step_of_its_size() -> None:
    middle = (HERTZ < 1e4) & (HERTZ > 1e2)
    spoilt, sound = judged(np.where(middle, 1.03, 1.0) * cell()), judged(cell())
    step = spoilt.deviation - sound.deviation
    assert step[middle].mean() - step[~middle].mean() == pytest.approx(np.log(1.03))
    assert np.ptp(step[middle]) < 1e-9


def test_the_standard_error_is_the_scatter() -> None:
    found = [judged(noisy(cell(), 0.005, seed), 0.005) for seed in range(60)]
    scatter = np.std([one.slow_end_change for one in found])
    assert found[0].standard_error == pytest.approx(scatter, rel=0.3)
    assert sum(bool(one.flags) for one in found) <= 2


def test_noise_raises_what_is_believed() -> None:
    loud = judged(noisy(drifting(0.05), 0.02, 2), 0.02)
    assert 3 * loud.standard_error > 0.03
    assert loud.flags == ()


def test_order_and_units_do_not_matter() -> None:
    ohm = noisy(drifting(0.1), 0.002, 3)
    down = judged(ohm, 0.002)
    up = z_hit(Spectrum(1e3 * HERTZ[::-1], 50.0 * ohm[::-1]), 0.002)
    assert up is not None
    assert up.slow_end_change == pytest.approx(down.slow_end_change, abs=1e-9)
    np.testing.assert_allclose(up.deviation[::-1], down.deviation, atol=1e-9)


@pytest.mark.parametrize(
    "hertz", [np.geomspace(1e4, 100.0, 21), np.geomspace(1e6, 0.01, 20)], ids=["short", "sparse"]
)
def test_too_short_or_too_sparse_says_nothing(hertz: NDArray[np.float64]) -> None:
    assert z_hit(Spectrum(hertz, 1.0 + 1.0 / (1 + 1j * hertz)), 0.001) is None


@given(
    st.sampled_from([5, 10, 20]), st.floats(0.6, 1.0), st.floats(-5.0, 1.5), st.floats(0.5, 200.0)
)
def test_no_sound_arc_is_suspected_wherever_the_window_cuts_it(
    per_decade: int, alpha: float, decade: float, ohm: float
) -> None:
    hertz = np.geomspace(1e6, 0.01, 8 * per_decade + 1)
    arc = ohm / (1 + (2j * np.pi * hertz * 10.0**decade) ** alpha)
    found = z_hit(Spectrum(hertz, 10.0 + arc), 0.0)
    assert found is not None
    assert found.flags == ()
