"""Circuit fits: recovery, uncertainties, weights, starts, refusals. S5 and R3 of the science reference."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rig.analysis.circuit_text import parse_circuit
from rig.analysis.flags import EIS_IND, EIS_UNDET, Level
from rig.analysis.impedance_fit import CircuitFit, fit_circuit
from rig.analysis.spectrum import Spectrum, spectrum
from rig.core.errors import AnalysisError, BadInput

DATA = Path(os.environ.get("RIG_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))

S5_CIRCUIT = "p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"
S5_TRUTH = np.array([276.8, 6e-11, 0.98, 106.1, 2e-8, 0.90, 50.0, 3e-6, 0.85])


def computed(circuit: str, values: np.ndarray, frequencies: np.ndarray) -> Spectrum:
    impedance = parse_circuit(circuit).impedance(frequencies, values)
    return spectrum(frequencies, impedance.real, impedance.imag)


def noisy(clean: Spectrum, relative: float, seed: int) -> Spectrum:
    draws = np.random.default_rng(seed).normal(size=(2, len(clean)))
    impedance = clean.impedance_ohm + relative * clean.modulus_ohm * (draws[0] + 1j * draws[1])
    return spectrum(clean.frequency_hertz, impedance.real, impedance.imag)


def value_of(fit: CircuitFit, name: str) -> float:
    return float(fit.values[fit.circuit.position(name)])


class TestS5ThreeArcs:
    clean = computed(S5_CIRCUIT, S5_TRUTH, np.logspace(np.log10(7e6), -1, 79))

    def test_exact_data_give_the_truth_without_a_guess(self) -> None:
        fit = fit_circuit(self.clean, S5_CIRCUIT)
        np.testing.assert_allclose(fit.values, S5_TRUTH, rtol=1e-3)
        assert fit.starts_agreeing >= 1
        assert fit.residual_rms_relative < 1e-6

    @pytest.mark.parametrize("detuned", [0.4, 0.7, 1.5, 2.5])
    def test_exact_data_give_the_truth_from_detuned_starts(self, detuned: float) -> None:
        start = []
        for ohm, q, alpha in S5_TRUTH.reshape(-1, 3):
            time = detuned * (ohm * q) ** (1 / alpha)
            start += [detuned * ohm, time**0.85 / (detuned * ohm), 0.85]
        fit = fit_circuit(self.clean, S5_CIRCUIT, start=start)
        np.testing.assert_allclose(fit.values, S5_TRUTH, rtol=1e-3)
        assert fit.starts == 1

    def test_reported_errors_cover_the_truth(self) -> None:
        deviations = []
        for seed in range(20):
            fit = fit_circuit(noisy(self.clean, 0.005, seed), S5_CIRCUIT)
            errors = [parameter.standard_error for parameter in fit.parameters]
            deviations.append(np.abs(fit.values - S5_TRUTH) / errors)
        assert np.mean(np.array(deviations) < 3) >= 0.95

    def test_the_sum_of_overlapping_arcs_is_known_better_than_each(self) -> None:
        fit = fit_circuit(noisy(self.clean.window(0, 1e6), 0.005, 1), S5_CIRCUIT)
        total, error = fit.sum_of(["R1", "R2", "R3"])
        assert abs(total - 432.9) < 3 * error
        assert error < 0.005 * total
        assert fit.parameters[0].standard_error > 4 * error

    def test_capacitances_and_processes_come_with_the_fit(self) -> None:
        fit = fit_circuit(self.clean, S5_CIRCUIT)
        assert fit.effective_capacitance_farad["CPE1"] == pytest.approx(4.1628e-11, rel=1e-3)
        assert fit.assignment["CPE3"] == "interface"


@pytest.fixture(scope="module")
def r3() -> Spectrum:
    path = DATA / "eis/exampleData.csv"
    if not path.exists():
        pytest.skip(f"shared public data not found: {path} (set RIG_TEST_DATA)")
    return spectrum(*np.loadtxt(path, delimiter=",").T).capacitive()


class TestR3PublicSpectrum:
    circuit = "R0-p(R1,C1)-p(R2-Wo1,C2)"
    start = (0.01, 0.01, 100.0, 0.01, 0.05, 100.0, 1.0)
    names = ("R0", "R1", "C1", "R2", "C2")

    @pytest.mark.parametrize(
        ("weights", "expected", "objective"),
        [
            ("unit", (0.016519, 0.008677, 3.321, 0.005390, 0.2195), 1.943e-5),
            ("modulus", (0.016398, 0.009056, 3.060, 0.005287, 0.2015), 0.02002),
        ],
    )
    def test_the_tutorials_start_leads_to_the_tutorials_answer(
        self, r3: Spectrum, weights: str, expected: tuple[float, ...], objective: float
    ) -> None:
        fit = fit_circuit(r3, self.circuit, weights=weights, start=self.start)  # type: ignore[arg-type]
        found = [value_of(fit, name) for name in self.names]
        np.testing.assert_allclose(found, expected, rtol=0.01)
        assert fit.objective == pytest.approx(objective, rel=1e-3)

    def test_the_diffusion_element_is_known_without_weights(self, r3: Spectrum) -> None:
        fit = fit_circuit(r3, self.circuit, weights="unit", start=self.start)
        assert value_of(fit, "Wo1_Z0") == pytest.approx(0.06309, abs=0.0019)
        assert value_of(fit, "Wo1_tau") == pytest.approx(232.5, abs=16)
        assert all(parameter.determined for parameter in fit.parameters)

    def test_the_diffusion_element_is_undetermined_under_modulus_weights(
        self, r3: Spectrum
    ) -> None:
        fit = fit_circuit(r3, self.circuit, start=self.start)
        shown = fit.to_dict()["parameters"]
        assert isinstance(shown, dict)
        for name in ("Wo1_Z0", "Wo1_tau"):
            assert shown[name] == {
                "value": None,
                "standard_error": None,
                "unit": "ohm" if name == "Wo1_Z0" else "s",
                "determined": False,
            }
        errors = [note for note in fit.flags if note.level is Level.ERROR]
        assert [note.code for note in errors] == [EIS_UNDET, EIS_UNDET]

    @pytest.mark.parametrize(
        ("weights", "best_known"), [("unit", 1.4031e-5), ("modulus", 0.018388)]
    )
    def test_without_a_start_the_best_known_minimum_is_found_and_the_others_are_told(
        self, r3: Spectrum, weights: str, best_known: float
    ) -> None:
        fit = fit_circuit(r3, self.circuit, weights=weights)  # type: ignore[arg-type]
        assert fit.objective <= best_known * 1.0002
        assert 1 <= fit.starts_agreeing < fit.starts
        assert value_of(fit, "R1") + value_of(fit, "R2") == pytest.approx(0.0145, abs=0.0005)

    def test_points_left_out_are_told(self, r3: Spectrum) -> None:
        assert len(r3) == 57
        fit = fit_circuit(r3, self.circuit, start=self.start)
        assert "9 inductive points were left out" in " ".join(n.message for n in fit.flags)


RC = "R0-p(R1,C1)"
RC_TRUTH = np.array([10.0, 50.0, 1e-6])
RC_SPECTRUM = noisy(computed(RC, RC_TRUTH, np.logspace(5, 0, 31)), 0.002, 7)


def test_fixed_values_stay_and_count_as_certain() -> None:
    fit = fit_circuit(RC_SPECTRUM, RC, fixed={"R0": 10.0})
    assert fit.parameters[0].value == 10.0
    assert fit.parameters[0].standard_error == 0.0
    assert value_of(fit, "R1") == pytest.approx(50, rel=0.01)


def test_bounds_hold() -> None:
    fit = fit_circuit(RC_SPECTRUM, RC, bounds={"R1": (20.0, 40.0)})
    assert value_of(fit, "R1") <= 40.0
    assert not fit.parameters[1].determined


def test_a_start_by_name_needs_only_what_is_known() -> None:
    fit = fit_circuit(RC_SPECTRUM, RC, start={"R1": 45.0})
    assert value_of(fit, "C1") == pytest.approx(1e-6, rel=0.01)


def test_proportional_weights_fit_each_part_by_its_own_size() -> None:
    clean = computed(RC, RC_TRUTH, np.logspace(5, 0, 31))
    draws = np.random.default_rng(5).normal(1.0, 0.002, size=(2, len(clean)))
    impedance = clean.impedance_ohm
    data = spectrum(clean.frequency_hertz, impedance.real * draws[0], impedance.imag * draws[1])
    fit = fit_circuit(data, RC, weights="proportional")
    np.testing.assert_allclose(fit.values, RC_TRUTH, rtol=0.005)


def test_given_uncertainties_are_taken_at_their_word() -> None:
    modulus = RC_SPECTRUM.modulus_ohm
    honest = fit_circuit(RC_SPECTRUM, RC, standard_uncertainty_ohm=0.002 * modulus)
    doubled = fit_circuit(RC_SPECTRUM, RC, standard_uncertainty_ohm=0.004 * modulus)
    scaled = fit_circuit(RC_SPECTRUM, RC)
    errors = [fit.parameters[1].standard_error for fit in (honest, doubled, scaled)]
    assert errors[1] == pytest.approx(2 * errors[0], rel=1e-6)
    assert errors[2] == pytest.approx(errors[0], rel=0.3)
    assert honest.objective == pytest.approx(62 - 3, rel=0.4)


def test_the_simpler_circuit_has_the_lower_aicc_when_it_is_true() -> None:
    richer = fit_circuit(RC_SPECTRUM, "R0-p(R1,CPE1)-p(R2,CPE2)")
    assert fit_circuit(RC_SPECTRUM, RC).aicc < richer.aicc


def test_the_richer_circuit_has_the_lower_aicc_when_it_is_true() -> None:
    clean = computed("R0-p(R1,CPE1)", np.array([10.0, 50.0, 1e-5, 0.8]), np.logspace(5, 0, 31))
    data = noisy(clean, 0.002, 3)
    assert fit_circuit(data, "R0-p(R1,CPE1)").aicc < fit_circuit(data, RC).aicc


def test_noise_leaves_uncorrelated_residuals_and_a_wrong_circuit_does_not() -> None:
    assert abs(fit_circuit(RC_SPECTRUM, RC).residual_autocorrelation) < 0.35
    assert fit_circuit(RC_SPECTRUM, "R0-C1").residual_autocorrelation > 0.7


def test_inductive_points_need_an_inductance_or_a_flag() -> None:
    clean = computed("L0-R0-p(R1,C1)", np.array([1e-6, *RC_TRUTH]), np.logspace(6, 0, 31))
    assert EIS_IND in {note.code for note in fit_circuit(clean, RC).flags}
    with_inductance = fit_circuit(clean, "L0-R0-p(R1,C1)")
    assert EIS_IND not in {note.code for note in with_inductance.flags}
    assert value_of(with_inductance, "L0") == pytest.approx(1e-6, rel=1e-3)


def test_a_fit_repeats_to_the_last_digit() -> None:
    first, second = (fit_circuit(RC_SPECTRUM, "R0-p(R1-Ws1,C1)") for _ in range(2))
    assert np.array_equal(first.values, second.values)


def test_every_bad_start_is_named_in_one_refusal() -> None:
    with pytest.raises(BadInput) as refusal:
        fit_circuit(RC_SPECTRUM, RC, start=[-1.0, 50.0, float("nan")])
    assert len(refusal.value.problems) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"start": [1.0]}, "got 1 starting values, expected 3"),
        ({"fixed": {"R9": 1.0}}, "no parameter 'R9'"),
        ({"bounds": {"R1": (5.0, 1.0)}}, "bounds of R1"),
        ({"weights": "magic"}, "got 'magic'"),
        ({"standard_uncertainty_ohm": np.zeros(31)}, "expected 31 positive values"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments: dict[str, object], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        fit_circuit(RC_SPECTRUM, RC, **arguments)  # type: ignore[arg-type]


def test_more_parameters_than_data_are_refused() -> None:
    few = computed(RC, RC_TRUTH, np.logspace(4, 1, 4))
    with pytest.raises(BadInput, match="got 4 points for 9 free parameters"):
        fit_circuit(few, S5_CIRCUIT)


def test_a_bad_spectrum_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(BadInput) as refusal:
        spectrum([1.0, -2.0, 3.0, 4.0], [1.0, np.nan, 0.0, 1.0], [0.0, 0.0, 0.0, np.inf])
    assert len(refusal.value.problems) == 4


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match="three columns of one length"):
        spectrum([1.0, 2.0], [1.0], [1.0])


def test_a_window_without_points_is_refused() -> None:
    with pytest.raises(AnalysisError, match="0 of 31 points are left"):
        RC_SPECTRUM.window(1e7, 1e8)
