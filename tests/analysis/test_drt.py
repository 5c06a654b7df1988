"""Relaxation times: known distributions come back, bands hold the truth, bad data are refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rig.analysis.drt import relaxation_times
from rig.analysis.flags import EIS_KK, EIS_UNDET
from rig.analysis.spectrum import Spectrum
from rig.core.errors import AnalysisError

HERTZ = np.geomspace(1e6, 0.1, 71)
JW = 2j * np.pi * HERTZ

Values = NDArray[np.complex128]
Floats = NDArray[np.float64]


def zarc(ohm: float, tau: float, exponent: float) -> Values:
    return np.asarray(ohm / (1 + (JW * tau) ** exponent))


def zarc_distribution(tau: Floats, ohm: float, tau0: float, exponent: float) -> Floats:
    """science.md 1.13."""
    from_centre = exponent * np.log(tau / tau0)
    depressed = (1 - exponent) * np.pi
    return np.asarray(
        ohm / (2 * np.pi) * np.sin(depressed) / (np.cosh(from_centre) - np.cos(depressed))
    )


def noisy(clean: Values, relative: float, seed: int = 2) -> Values:
    # a generator of its own: what a test draws must not depend on which tests ran before it
    parts = np.random.default_rng(seed).standard_normal((2, clean.size))
    return clean + relative * np.abs(clean) * (parts[0] + 1j * parts[1])


def test_a_zarc_comes_back_to_one_per_cent() -> None:
    # science.md S11
    found = relaxation_times(Spectrum(HERTZ, zarc(100.0, 1e-4, 0.85)))
    logarithm = np.log(found.time_constant_second)
    assert found.distribution_ohm.max() == pytest.approx(66.2928, rel=0.01)
    above = logarithm[found.distribution_ohm > found.distribution_ohm.max() / 2]
    step = logarithm[1] - logarithm[0]
    assert above[-1] - above[0] + step == pytest.approx(1.08883, abs=1.5 * step)
    (peak,) = found.peaks
    assert peak.resistance_ohm == pytest.approx(100.0, rel=0.01)
    assert peak.time_constant_second == pytest.approx(1e-4, rel=0.01)
    assert peak.capacitance_farad == pytest.approx(1e-6, rel=0.02)


def test_three_arcs_with_lead_and_noise_come_back_within_their_uncertainty() -> None:
    truth = ((277.0, 1e-5), (106.0, 3e-3), (150.0, 0.2))
    clean = 12.0 + 2e-7 * JW + sum(zarc(ohm, tau, 0.92) for ohm, tau in truth)
    found = relaxation_times(Spectrum(HERTZ, noisy(clean, 0.002)))
    assert len(found.peaks) == 3
    for peak, (ohm, tau) in zip(found.peaks, truth, strict=True):
        assert abs(peak.resistance_ohm - ohm) < 4 * peak.standard_error_ohm
        assert peak.time_constant_second == pytest.approx(tau, rel=0.25)
    assert found.polarisation_resistance_ohm == pytest.approx(533.0, rel=0.03)
    assert found.high_frequency_resistance_ohm == pytest.approx(12.0, abs=4.0)
    assert found.inductance_henry == pytest.approx(2e-7, rel=0.5)


@pytest.mark.parametrize(
    ("arcs", "noise"),
    [
        (((100.0, 1e-4, 0.85),), 0.003),
        (((100.0, 1e-4, 0.85), (60.0, 1e-2, 0.9)), 0.003),
        (((100.0, 1e-3, 0.65),), 0.01),
    ],
    ids=["S11", "two arcs", "one broad arc"],
)
def test_the_band_holds_the_truth_where_it_says_so(
    arcs: tuple[tuple[float, float, float], ...], noise: float
) -> None:
    everywhere, hills, errors = [], [], []
    for draw in range(8):
        clean = 20 + sum(zarc(*arc) for arc in arcs)
        found = relaxation_times(Spectrum(HERTZ, noisy(clean, noise, seed=draw)))
        tau = found.time_constant_second
        truth = np.sum([zarc_distribution(tau, *arc) for arc in arcs], axis=0)
        held = (truth >= found.lower_ohm) & (truth <= found.upper_ohm)
        everywhere.append(np.mean(held))
        # not the long feet, where everything holds nothing: the hills are what is read
        hills.append(np.mean(held[truth > 0.05 * truth.max()]))
        if len(found.peaks) == len(arcs):
            errors += [
                (peak.resistance_ohm - ohm) / peak.standard_error_ohm
                for peak, (ohm, _, _) in zip(found.peaks, arcs, strict=True)
            ]
    # over 100 draws each: 0.97 to 1.00 of the points on hills
    assert np.mean(everywhere) >= 0.95
    assert np.mean(hills) >= 0.90
    assert np.mean(np.abs(errors) < 2.0) >= 0.85


def test_the_band_is_no_wider_than_it_needs_to_be() -> None:
    found = relaxation_times(Spectrum(HERTZ, noisy(20 + zarc(100.0, 1e-4, 0.85), 0.003)))
    top = int(np.argmax(found.distribution_ohm))
    assert found.upper_ohm[top] - found.lower_ohm[top] < 0.6 * found.distribution_ohm[top]


def test_nothing_is_negative_and_no_peak_lies_outside_the_window() -> None:
    # one arc far faster than the window, one at its edge
    clean = 5.0 + zarc(100.0, 1e-9, 0.9) + zarc(50.0, 1e-3, 0.9) + zarc(200.0, 30.0, 0.9)
    found = relaxation_times(Spectrum(HERTZ, noisy(clean, 0.001)))
    assert (found.distribution_ohm >= 0).all()
    assert (found.lower_ohm >= 0).all()
    for peak in found.peaks:
        assert HERTZ.min() <= peak.frequency_hertz <= HERTZ.max()
    assert any(peak.time_constant_second == pytest.approx(1e-3, rel=0.3) for peak in found.peaks)


def test_a_blocking_capacitance_is_part_of_the_model() -> None:
    clean = 10.0 + zarc(100.0, 1e-4, 0.9) + 1 / (JW * 1e-3)
    found = relaxation_times(Spectrum(HERTZ, noisy(clean, 0.001)))
    assert found.capacitance_farad == pytest.approx(1e-3, rel=0.05)
    assert any(peak.resistance_ohm == pytest.approx(100.0, rel=0.05) for peak in found.peaks)


def test_two_arcs_within_a_decade_are_not_called_two_without_a_word() -> None:
    clean = 10.0 + zarc(100.0, 1e-4, 0.99) + zarc(100.0, 8e-4, 0.99)
    found = relaxation_times(Spectrum(HERTZ, noisy(clean, 1e-4)))
    assert len(found.peaks) == 2
    assert [note.code for note in found.flags] == [EIS_UNDET]


def test_more_smoothing_gives_a_broader_peak() -> None:
    measured = Spectrum(HERTZ, noisy(zarc(100.0, 1e-4, 0.85), 0.002))
    tops = [relaxation_times(measured, smoothing=one).distribution_ohm.max() for one in (1e-6, 1.0)]
    assert tops[1] < 0.7 * tops[0]


def test_the_fit_is_returned_in_ohm() -> None:
    clean = 20 + zarc(100.0, 1e-4, 0.85)
    found = relaxation_times(Spectrum(HERTZ, clean))
    assert found.fitted_ohm == pytest.approx(clean, rel=1e-3)
    assert found.residual_rms_relative < 1e-3


def test_data_that_break_kramers_kronig_are_refused_unless_forced() -> None:
    broken = np.where(HERTZ > 1e3, 1.05, 1.0) * (20 + zarc(100.0, 1e-4, 0.85))
    with pytest.raises(AnalysisError, match="Kramers-Kronig") as caught:
        relaxation_times(Spectrum(HERTZ, broken))
    assert "--force" in caught.value.remedy
    forced = relaxation_times(Spectrum(HERTZ, broken), force=True)
    assert EIS_KK in {note.code for note in forced.flags}
    assert forced.to_dict()["valid"] is False
