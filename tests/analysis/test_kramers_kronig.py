"""Lin-KK: what a good spectrum leaves, what a bad one does, and who is caught by what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.flags import EIS_KK, Level
from rig.analysis.kramers_kronig import check, check_many, objection
from rig.analysis.spectrum import Spectrum
from rig.analysis.valid_window import valid_window

HERTZ = np.geomspace(1e6, 0.1, 71)
JW = 2j * np.pi * HERTZ

Values = NDArray[np.complex128]


def zarc(ohm: float | NDArray[np.float64], q: float, exponent: float) -> Values:
    return np.asarray(ohm / (1 + ohm * q * JW**exponent))


def s5(drift: float = 0.0, drift_of_last: float = 0.0) -> Values:
    """Case S5 of science.md; a resistance may grow from the first point to the last."""
    gone = np.linspace(0.0, 1.0, HERTZ.size)
    every, last = 1 + drift * gone, 1 + (drift_of_last or drift) * gone
    return (
        zarc(276.8 * every, 6e-11, 0.98)
        + zarc(106.1 * every, 2e-8, 0.90)
        + zarc(50.0 * last, 3e-6, 0.85)
    )


def noisy(clean: Values, relative: float, count: int = 1) -> Values:
    # a generator of its own: what a test draws must not depend on which tests ran before it
    parts = np.random.default_rng(5).standard_normal((2, count, clean.size))
    noise = parts[0] + 1j * parts[1]
    return clean + relative * np.abs(clean) * noise


def worst(verdict: object) -> float:
    return max(verdict.max_residual_real, verdict.max_residual_imaginary)  # type: ignore[attr-defined]


# --- science.md S6 -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spectrum", "residual", "tolerance"),
    [
        (s5(), 0.0009, None),
        (s5(drift=0.10), 0.0093, 0.0012),
        (s5(drift_of_last=0.10), 0.0011, 0.0002),
        (s5(drift_of_last=0.50), 0.0053, 0.0008),
    ],
    ids=["clean", "10 % of all", "10 % of one", "50 % of one"],
)
def test_28_elements_leave_what_the_reference_says(
    spectrum: Values, residual: float, tolerance: float | None
) -> None:
    verdict = check(Spectrum(HERTZ, spectrum), elements=28)
    if tolerance is None:
        assert worst(verdict) <= residual
    else:
        assert worst(verdict) == pytest.approx(residual, abs=tolerance)


def test_noise_of_three_per_mille_stays_noise() -> None:
    rms = [one.rms_residual for one in check_many(HERTZ, noisy(s5(), 0.003, 50))]
    assert 0.0022 < np.mean(rms) < 0.0036


# --- the verdict ---------------------------------------------------------------------------------


@pytest.mark.parametrize("relative", [0.0, 0.001, 0.003, 0.005])
def test_a_spectrum_with_noise_is_valid(relative: float) -> None:
    verdicts = check_many(HERTZ, noisy(s5(), relative, 100))
    assert [one for one in verdicts if not one.valid] == []
    assert sum(one.systematic for one in verdicts) <= (1 if relative else 100)


@pytest.mark.parametrize(
    "impedance",
    [
        20.0 + zarc(100.0, 1e-6, 0.9) + 1 / (1e-5 * JW**0.85),
        1 / (1 / 1e6 + JW * 1e-11) + 50.0,
        5.0 + 1e-6 * JW + 10 / (1 + JW * 1e-3) + 4 / np.sqrt(JW),
        5.0 + 20 / (1 + JW * 1e-3) - 6 / (1 + JW * 0.3),
        8.0 * np.tanh(np.sqrt(JW * 0.5)) / np.sqrt(JW * 0.5) + 1.0,
        8.0 / (np.tanh(np.sqrt(JW * 0.5)) * np.sqrt(JW * 0.5)) + 1.0,
        zarc(3e4, 5e-13, 1.0) + zarc(2e5, 2e-11, 0.8) + 1 / (4e-7 * JW**0.93),
    ],
    ids=[
        "blocking",
        "one slow arc",
        "lead and Warburg",
        "inductive loop",
        "Ws",
        "Wo",
        "cold pellet",
    ],
)
def test_what_obeys_is_valid_whatever_its_shape(impedance: Values) -> None:
    verdict = check(Spectrum(HERTZ, impedance + 0.0j))
    assert verdict.valid
    assert verdict.flags == ()


def test_without_the_series_capacitance_a_blocking_spectrum_would_fail() -> None:
    blocking = 20.0 + zarc(100.0, 1e-6, 0.9) + 1 / (1e-5 * JW**0.9)
    assert "series capacitance" in check(Spectrum(HERTZ, blocking)).terms


def test_few_elements_are_never_believed_for_their_mu() -> None:
    # Trap (i) of science.md 1.12: mu is low at M = 3 already
    verdict = check(Spectrum(HERTZ, noisy(s5(), 0.003)[0]))
    assert verdict.n_rc >= 3 * 7


def test_a_step_of_five_per_cent_at_a_range_change_is_refused_and_named() -> None:
    stepped = np.where(HERTZ > 1e3, 1.05, 1.0) * s5()
    verdict = check(Spectrum(HERTZ, stepped))
    assert not verdict.valid
    (note,) = verdict.flags
    assert (note.code, note.level) == (EIS_KK, Level.BLOCK)
    assert min(abs(np.log10(np.array(verdict.flagged_frequencies_hertz) / 1e3))) < 0.2


def test_one_bad_point_is_refused_and_it_is_that_point() -> None:
    spoilt = s5()
    spoilt[35] *= 1.05
    verdict = check(Spectrum(HERTZ, spoilt))
    assert not verdict.valid
    assert HERTZ[35] in verdict.flagged_frequencies_hertz
    assert len(verdict.flagged_frequencies_hertz) < 6


def test_a_cell_that_changes_by_half_is_refused_as_a_pattern() -> None:
    verdict = check(Spectrum(HERTZ, s5(drift=0.5)))
    assert not verdict.valid
    assert verdict.systematic
    assert "pattern" in verdict.flags[0].message


def test_the_ends_are_allowed_twice_as_much() -> None:
    for at, valid in ((0, True), (35, False)):
        spoilt = s5()
        spoilt[at] *= 1.045
        assert check(Spectrum(HERTZ, spoilt)).valid is valid


def test_the_order_of_points_does_not_matter() -> None:
    down, up = check(Spectrum(HERTZ, s5(0.2))), check(Spectrum(HERTZ[::-1], s5(0.2)[::-1]))
    assert down.valid == up.valid
    assert down.residual == pytest.approx(up.residual[::-1], abs=1e-9)


@given(st.floats(1e-3, 1e6), st.floats(-3.0, 3.0))
def test_the_unit_of_ohm_and_of_hertz_do_not_matter(ohm: float, decades: float) -> None:
    reference = check(Spectrum(HERTZ, s5(0.05)))
    scaled = check(Spectrum(HERTZ * 10**decades, ohm * s5(0.05)))
    assert scaled.valid == reference.valid
    assert scaled.residual == pytest.approx(reference.residual, abs=1e-6)


def test_many_at_once_say_what_each_says_alone() -> None:
    spectra = np.concatenate([noisy(s5(), 0.003, 5), noisy(s5(drift=0.5), 0.003, 5)])
    together = check_many(HERTZ, spectra)
    alone = [check(Spectrum(HERTZ, one)) for one in spectra]
    assert [one.valid for one in together] == [one.valid for one in alone]
    assert [one.n_rc for one in together] == [one.n_rc for one in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.residual == pytest.approx(other.residual, abs=1e-9)


@pytest.mark.parametrize(("method", "fitted"), [("real", "real"), ("imaginary", "imag")])
def test_one_part_predicts_the_other(method: str, fitted: str) -> None:
    clean = check(Spectrum(HERTZ, s5()), method)  # type: ignore[arg-type]
    assert clean.valid
    assert np.abs(getattr(clean.residual, fitted)).max() < 2e-4
    # a fault of the other part alone is no part of the fit
    fault = 1j if method == "real" else 1.0
    spoilt = s5() + 0.03 * fault * np.abs(s5()) * (np.abs(np.log10(HERTZ) - 3) < 0.6)
    assert not check(Spectrum(HERTZ, spoilt), method).valid  # type: ignore[arg-type]


@pytest.mark.parametrize("points", [4, 5, 8, 12])
def test_short_spectra_are_checked_too(points: int) -> None:
    some = np.linspace(0, HERTZ.size - 1, points).astype(int)
    verdict = check(Spectrum(HERTZ[some], s5()[some]))
    assert verdict.valid
    assert ["too few" in note.message for note in verdict.flags] == [True]


def test_three_points_a_decade_are_enough_to_check() -> None:
    verdict = check(Spectrum(HERTZ[::3], s5()[::3]))
    assert verdict.valid
    assert verdict.flags == ()


# --- for the engine ------------------------------------------------------------------------------


def points_of(impedance: Values) -> list[tuple[float, float, float]]:
    return list(zip(HERTZ.tolist(), impedance.real.tolist(), impedance.imag.tolist(), strict=True))


def test_a_good_spectrum_meets_no_objection() -> None:
    assert objection(points_of(s5())) == ""


def test_an_objection_says_what_and_where() -> None:
    assert "residual" in objection(points_of(s5(drift=0.5)))


@pytest.mark.parametrize("spoilt", [[], [(1.0, 2.0, 3.0)], [(1.0, float("nan"), 0.0)] * 9])
def test_what_is_no_spectrum_is_an_objection_and_no_error(
    spoilt: list[tuple[float, float, float]],
) -> None:
    assert objection(spoilt) != ""


# --- the valid window ----------------------------------------------------------------------------


def test_a_spectrum_that_drifted_at_its_slow_end_keeps_the_rest() -> None:
    spoilt = s5()
    spoilt[HERTZ < 1.0] *= np.linspace(1.0, 1.3, int((HERTZ < 1.0).sum()))
    measured = Spectrum(HERTZ, spoilt)
    window = valid_window(measured, check(measured))
    assert window is not None
    assert 0.2 < window.lowest_hertz < 20.0
    assert window.highest_hertz == pytest.approx(1e6)
    truth = 432.9
    with_all, without = window.whole_total_resistance_ohm, window.total_resistance_ohm
    assert abs(without - truth) < abs(with_all - truth)


def test_a_valid_spectrum_needs_no_window() -> None:
    measured = Spectrum(HERTZ, s5())
    assert valid_window(measured, check(measured)) is None


def test_noise_everywhere_has_no_window() -> None:
    measured = Spectrum(HERTZ, noisy(s5(), 0.05)[0])
    assert valid_window(measured, check(measured)) is None


# --- noise is no fault ---------------------------------------------------------------------------


def test_noise_of_one_per_cent_is_valid_and_called_noisy() -> None:
    verdicts = check_many(HERTZ, noisy(s5(), 0.01, 60))
    assert np.mean([one.valid for one in verdicts]) >= 0.95
    loud = [one for one in verdicts if one.noisy]
    assert len(loud) > 30
    assert all(one.flags[0].level is Level.WARN and "noisy" in one.flags[0].message for one in loud)
    assert np.mean([one.noise for one in verdicts]) == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("relative", [0.003, 0.005, 0.01, 0.015])
@pytest.mark.parametrize("drift", [0.2, 0.5])
def test_noise_does_not_hide_a_drift_of_twenty_per_cent(relative: float, drift: float) -> None:
    verdicts = check_many(HERTZ, noisy(s5(drift), relative, 40))
    assert np.mean([one.valid for one in verdicts]) <= 0.05


def test_noise_of_two_per_cent_is_refused() -> None:
    assert not any(one.valid for one in check_many(HERTZ, noisy(s5(), 0.02, 40)))


def test_one_disturbed_point_in_a_noisy_spectrum_is_refused() -> None:
    spoilt = noisy(s5(), 0.008, 20)
    spoilt[:, 35] *= 1.10
    assert not any(one.valid for one in check_many(HERTZ, spoilt))
