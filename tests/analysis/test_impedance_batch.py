"""Many spectra at once: the same as one by one, the optimum without a guess, honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.circuit_family import compare_circuits
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.impedance_descent import Descents
from rig.analysis.impedance_fit import CircuitFits, fit_circuit, fit_spectra
from rig.analysis.impedance_minima import minima_from
from rig.analysis.impedance_series import fit_series
from rig.analysis.spectrum import Spectrum, spectrum
from rig.core.errors import BadInput

THREE_ARCS = "p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"
GRID = np.logspace(np.log10(7e6), -1, 79)


def argyrodites(count: int, seed: int) -> np.ndarray:
    """Draw S5-like cells: resistances over a factor of 4, times over 0.6 decades, alpha 0.8 to 1."""
    rng = np.random.default_rng(seed)
    columns = []
    for middle_ohm, middle_log in ((276.8, -7.94), (106.1, -6.30), (50.0, -4.50)):
        ohm = middle_ohm * 2.0 ** rng.uniform(-1.0, 1.0, count)
        tau = 10.0 ** (middle_log + rng.uniform(-0.3, 0.3, count))
        alpha = rng.uniform(0.8, 1.0, count)
        columns += [ohm, tau**alpha / ohm, alpha]
    return np.stack(columns, axis=1)


def measured(
    circuit: str, values: np.ndarray, relative: float, seed: int, grid: np.ndarray = GRID
) -> list[Spectrum]:
    clean = parse_circuit(circuit).impedance(grid, values)
    draws = np.random.default_rng(seed).normal(size=(2, *clean.shape))
    noisy = clean + relative * np.abs(clean) * (draws[0] + 1j * draws[1])
    return [spectrum(grid, one.real, one.imag) for one in noisy]


def test_a_batch_gives_what_each_spectrum_gives_alone() -> None:
    spectra = measured(THREE_ARCS, argyrodites(5, 1), 0.003, 2)
    together = fit_spectra(spectra, THREE_ARCS)
    for i, one in enumerate(spectra):
        alone = fit_circuit(one, THREE_ARCS)
        assert together[i].objective == pytest.approx(alone.objective, rel=1e-4)
        np.testing.assert_allclose(together.values[i], alone.values, rtol=0.01)


def test_spectra_of_different_grids_fit_together() -> None:
    spectra = measured(THREE_ARCS, argyrodites(3, 3), 0.003, 4)
    cut = [spectra[0], spectra[1].window(1.0, 3e6), spectra[2].window(0.0, 1e6)]
    together = fit_spectra(cut, THREE_ARCS)
    for i, one in enumerate(cut):
        assert together[i].points == len(one)
        alone = fit_circuit(one, THREE_ARCS).objective
        assert together.objective[i] <= 1.001 * alone


def test_the_optimum_is_found_without_a_guess() -> None:
    truth = argyrodites(100, 5)
    fits = fit_spectra(measured(THREE_ARCS, truth, 0.003, 6), THREE_ARCS)
    from_truth = minima_from(fits.problem, truth).objective
    assert np.mean(fits.objective <= 1.001 * from_truth) >= 0.99
    assert np.mean(fits.is_global) >= 0.95


def coverage(fits: CircuitFits, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the share of 95 % intervals that hold the truth: of R_total, of each parameter."""
    total, error = fits.total_resistance
    inside = np.abs(total - truth[:, 0::3].sum(axis=1)) <= fits.student * error
    low, high = fits.intervals_95
    held = np.where(fits.determined, (low <= truth) & (truth <= high), np.nan)
    return float(np.mean(inside)), np.nanmean(held, axis=0)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth = argyrodites(200, 7)
    fits = fit_spectra(measured(THREE_ARCS, truth, 0.003, 8), THREE_ARCS)
    of_total, of_each = coverage(fits, truth)
    # 200 spectra: one standard deviation of a share of 0.95 is 0.015
    assert 0.905 <= of_total <= 0.995
    assert of_each.min() >= 0.90
    assert 0.93 <= of_each.mean() <= 0.975


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.003, 0.01])
def test_intervals_hold_the_truth_in_93_to_97_of_100(noise: float) -> None:
    truth = argyrodites(1000, 9)
    fits = fit_spectra(measured(THREE_ARCS, truth, noise, 10), THREE_ARCS)
    of_total, of_each = coverage(fits, truth)
    assert 0.93 <= of_total <= 0.97
    # One standard deviation of a share is 0.007. At 1 % the exponent of the last arc is known to
    # 0.05, and the cells drawn here never have one below 0.8: that alone keeps some intervals right.
    assert np.all((of_each >= 0.93) & (of_each <= 0.975)), of_each
    assert 0.94 <= of_each.mean() <= 0.965


def test_errors_of_effective_capacitances_are_their_scatter() -> None:
    circuit, truth = "R0-p(R1,CPE1)", np.tile([20.0, 100.0, 2e-6, 0.85], (200, 1))
    fits = fit_spectra(measured(circuit, truth, 0.003, 11, np.logspace(5, 0, 51)), circuit)
    found = [one.effective_capacitance_farad["CPE1"] for one in fits]
    claimed = fits[0].effective_capacitance_standard_error_farad["CPE1"]
    assert np.std(found) == pytest.approx(claimed, rel=0.2)


def test_overlapping_arcs_are_correlated_and_their_sum_is_not() -> None:
    fit = fit_circuit(measured(THREE_ARCS, argyrodites(1, 12), 0.003, 13)[0], THREE_ARCS)
    matrix = fit.correlation
    np.testing.assert_allclose(np.diag(matrix), 1.0)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)
    r2, r3 = fit.circuit.position("R2"), fit.circuit.position("R3")
    assert matrix[r2, r3] < -0.3


def test_like_arcs_come_out_fast_ones_first() -> None:
    slow_first = np.array([[50.0, 3e-6, 0.85, 276.8, 6e-11, 0.98]])
    circuit = "p(R1,CPE1)-p(R2,CPE2)"
    spectra = measured(circuit, slow_first, 0.003, 14)
    fit = fit_circuit(spectra[0], circuit)
    assert fit.values[0] == pytest.approx(276.8, rel=0.02)
    assert fit.parameters[0].standard_error < 0.02 * fit.values[0]
    named = fit_circuit(spectra[0], circuit, bounds={"R1": (10.0, 100.0)})
    assert named.values[0] == pytest.approx(50.0, rel=0.05)


def temperature_series(energies: tuple[float, float]) -> tuple[list[Spectrum], np.ndarray]:
    """From -20 to 70 degC: two arcs in series with a lead, each resistance with its own energy."""
    rows = []
    for kelvin in np.linspace(253.0, 343.0, 10):
        row = [2.0]
        for ohm, farad, alpha, energy in (
            (40.0, 3e-8, 0.95, energies[0]),
            (25.0, 2e-6, 0.85, energies[1]),
        ):
            r = ohm * np.exp(energy / 8.617333262e-5 * (1 / kelvin - 1 / 298.15))
            row += [r, (r * farad) ** alpha / r, alpha]
        rows.append(row)
    values = np.array(rows)
    return measured("R0-p(R1,CPE1)-p(R2,CPE2)", values, 0.003, 15, np.logspace(6, -1, 71)), values


def test_labels_hold_through_a_temperature_series() -> None:
    spectra, truth = temperature_series((0.35, 0.5))
    fits = fit_series(spectra, "R0-p(R1,CPE1)-p(R2,CPE2)")
    deviations = (fits.values - truth)[:, [1, 4]] / fits.standard_errors[:, [1, 4]]
    assert np.mean(np.abs(deviations) < 3) >= 0.95
    slopes = np.polyfit(1 / np.linspace(253.0, 343.0, 10), np.log(fits.values[:, [1, 4]]), 1)[0]
    np.testing.assert_allclose(slopes * 8.617333262e-5, (0.35, 0.5), atol=0.01)


def test_a_series_is_never_worse_than_its_spectra_alone() -> None:
    spectra = temperature_series((0.35, 0.40))[0][::3]
    circuit = "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"  # one arc too many: many minima
    alone, series = fit_spectra(spectra, circuit, starts=2), fit_series(spectra, circuit, starts=2)
    assert np.mean(series.objective / alone.objective) <= 1.01


def test_circuits_are_compared_by_aicc() -> None:
    one = measured("R0-p(R1,CPE1)", np.array([[10.0, 50.0, 1e-5, 0.8]]), 0.003, 16)[0]
    circuits = ["R0-p(R1,C1)", "R0-p(R1,CPE1)", "R0-p(R1,CPE1)-p(R2,CPE2)"]
    family = compare_circuits(one, circuits)
    assert str(family.best.circuit) == "R0-p(R1,CPE1)"
    assert family.weights[0] < 1e-6
    with pytest.raises(BadInput, match="expected different ones"):
        compare_circuits(one, ["R0-C1", "R0-C1"])


def test_no_spectra_are_refused() -> None:
    with pytest.raises(BadInput, match="got none"):
        fit_spectra([], "R0-C1")


@pytest.mark.parametrize(
    ("circuit", "values"),
    [
        ("R0-G1", [5.0, 40.0, 0.01]),
        ("R0-ZARC1-ZARC2", [5.0, 40.0, 1e-5, 0.9, 90.0, 1e-2, 0.85]),
        ("L0-R0-TLMQ1", [1e-7, 5.0, 40.0, 0.01, 0.9]),
        ("R0-TLM1", [5.0, 40.0, 200.0, 1e-4, 0.9]),
        ("R0-p(R1,C1)-Wo1", [5.0, 40.0, 1e-5, 30.0, 20.0]),
        ("R0-p(R1-Ws1,CPE1)", [5.0, 40.0, 60.0, 10.0, 1e-5, 0.9]),
    ],
)
def test_every_kind_of_circuit_is_found_without_a_guess(circuit: str, values: list[float]) -> None:
    one = measured(circuit, np.array([values]), 0.001, 17, np.logspace(5, -2, 71))[0]
    fit = fit_circuit(one, circuit)
    errors = np.array([parameter.standard_error for parameter in fit.parameters])
    assert np.all(np.abs(fit.values - values) < 4 * errors)
    assert fit.residual_rms_relative < 2 * 0.001
    assert all(parameter.determined for parameter in fit.parameters)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_linear_problems_end_at_the_least_squares_solution_inside_the_box(
    seed: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    design, data = rng.normal(size=(count, 12, 3)), rng.normal(size=(count, 12))
    high = np.where(rng.uniform(size=(count, 3)) < 0.3, 0.0, np.inf)

    def evaluate(theta: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        residual = (design[rows] @ theta[..., None])[..., 0] - data[rows]
        gradient = (design[rows].mT @ residual[..., None])[..., 0]
        return np.sum(residual**2, axis=1), gradient, design[rows].mT @ design[rows]

    rows = np.arange(count)
    descents = Descents(
        evaluate,  # type: ignore[arg-type]
        rng.normal(size=(count, 3)) - 3.0,
        rows,
        (np.full((count, 3), -np.inf), high),
        np.zeros(count),
    )
    descents.advance(100)
    assert descents.settled.all()
    _, gradient, _ = evaluate(descents.theta, rows)
    held = (descents.theta >= high) & (gradient < 0)
    scale = np.sqrt(descents.objective)[:, None] * np.linalg.norm(design, axis=1)
    assert np.all(np.abs(gradient)[~held] <= 1e-2 * scale[~held])
