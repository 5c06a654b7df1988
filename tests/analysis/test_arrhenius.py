"""Arrhenius fits against published tables (R) and exact synthetic cases (S) of the reference."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.arrhenius import (
    ArrheniusResult,
    Convention,
    convert_energy,
    energy_difference,
    fit_arrhenius,
)
from rig.analysis.arrhenius_checks import check_equilibrium
from rig.analysis.flags import Level, flag
from rig.analysis.vtf import fit_vtf
from rig.core.errors import AnalysisError, BadInput

K = 8.617333262e-5
SIGMA, SIGMA_T = Convention.LN_SIGMA, Convention.LN_SIGMA_T


def celsius(*values: float) -> np.ndarray:
    return np.array(values) + 273.15


def energy(result: ArrheniusResult) -> float:
    assert result.only_segment is not None
    return result.only_segment.activation_energy_electronvolt


def error(result: ArrheniusResult) -> float:
    assert result.only_segment is not None
    return result.only_segment.activation_energy_standard_error_electronvolt


def codes(result: ArrheniusResult) -> set[str]:
    return {note.code for note in result.flags}


def hopping(kelvin: np.ndarray) -> np.ndarray:
    """The material of case S1."""
    return 4.916878e5 / kelvin * np.exp(-0.350 / (K * kelvin))


def parse(block: str) -> tuple[np.ndarray, np.ndarray]:
    """Read "degC,log10(S/cm); ..." into kelvin and S/cm."""
    table = np.array([[float(cell) for cell in pair.split(",")] for pair in block.split(";")])
    return table[:, 0] + 273.15, 10 ** table[:, 1]


PEO_LITFSI = parse(  # R7a
    "50,-3.5287; 55,-3.4067; 60,-3.2840; 65,-3.1739; 70,-3.0757; 75,-2.9830; 80,-2.8996;"
    "85,-2.8069; 90,-2.7282; 95,-2.6615; 100,-2.6021; 105,-2.5317; 110,-2.4724; 115,-2.4157"
)
PEO_TRIFLATE = parse(  # R7b
    "39,-6.7799; 41,-6.6556; 43,-6.5376; 44,-6.4260; 46,-6.3206; 48,-6.2083; 50,-6.1029;"
    "52,-5.9666; 55,-5.8239; 57,-5.6946; 59,-5.5317; 62,-5.3799; 64,-5.1524; 67,-5.0132;"
    "70,-4.9626; 72,-4.9066; 75,-4.8570; 78,-4.8097; 81,-4.7825; 84,-4.7305; 87,-4.6615;"
    "90,-4.5986; 94,-4.5560; 97,-4.4828; 100,-4.5333; 100,-4.4248; 104,-4.3585; 107,-4.2882;"
    "110,-4.1925; 114,-4.1244; 118,-4.0386; 121,-3.9788; 125,-3.8962; 129,-3.8125"
)


# --- one line ------------------------------------------------------------------------------------


def test_r6a_unweighted_energy_agrees_to_seven_digits() -> None:
    kelvin, y = np.array(
        [
            (1217.694563, 0.031304),
            (934.963910, 0.020066),
            (863.118100, 0.017822),
            (792.707095, 0.014099),
            (734.074259, 0.011692),
            (659.996304, 0.008660),
            (597.864428, 0.007094),
            (537.747162, 0.004650),
            (474.885671, 0.003090),
            (414.531828, 0.001521),
            (356.332201, 0.000681),
        ]
    ).T
    result = fit_arrhenius(kelvin, y, convention=SIGMA, model="arrhenius")
    assert energy(result) == pytest.approx(0.1654428, abs=1e-7)
    assert error(result) == pytest.approx(0.00255, abs=5e-6)
    assert result.conductivity(300.0)[0] == pytest.approx(2.674997e-4, rel=1e-6)
    with_t = fit_arrhenius(kelvin, y, convention=SIGMA_T, model="arrhenius")
    assert energy(with_t) == pytest.approx(0.21705, abs=1e-5)


def test_r6b_weights_are_the_inverse_variance_and_not_its_opposite() -> None:
    kelvin = np.array([1250, 1153.36, 1063.13, 970.65, 861.04, 769.34])
    diffusivity = np.array(
        [7.72104e-6, 4.386714e-6, 2.23884e-6, 5.58574e-7, 5.15115e-7, 7.58213e-8]
    )
    u = np.array([1.42028e-6, 9.239103e-7, 6.98605e-7, 1.93034e-7, 1.18240e-7, 2.85640e-9])
    weighted = fit_arrhenius(kelvin, diffusivity, u / diffusivity, convention=SIGMA)
    assert energy(weighted) == pytest.approx(0.803344, abs=1e-5)
    assert error(weighted) == pytest.approx(0.02435, abs=1e-5)
    assert weighted.reduced_chi_squared == pytest.approx(2.413, abs=1e-3)
    assert error(weighted) * weighted.reduced_chi_squared**0.5 == pytest.approx(0.0378, abs=1e-4)
    assert "ARR-WGT" in codes(weighted)  # one point of 0.4 % decides among points of 20 %
    plain = fit_arrhenius(kelvin, diffusivity, convention=SIGMA)
    assert energy(plain) == pytest.approx(0.761784, abs=1e-5)


@pytest.mark.parametrize(
    ("temperatures", "sigma", "expected", "errors", "sigma_25"),
    [
        ((27, -30, -45), (1.2e-2, 1e-3, 4e-4), (0.2777, 0.3004), (0.0036, 0.0030), None),
        (
            (50, 100, 150, 200),
            (1.38e-4, 1.13e-3, 4.73e-3, 1.35e-2),
            (0.4032, 0.4366),
            (0.0121, 0.0108),
            (4.38e-5, 4.26e-5),
        ),
        (
            (25, 52, 65, 78, 97, 113, 131),
            (9.12e-9, 7.94e-8, 1.66e-7, 3.55e-7, 1.41e-6, 5.01e-6, 1.41e-5),
            (0.7176, 0.7474),
            (0.0290, 0.0296),
            None,
        ),
    ],
    ids=["LGPS", "garnet", "phosphate glass"],
)
def test_r8_published_series_give_both_conventions(
    temperatures: tuple[float, ...],
    sigma: tuple[float, ...],
    expected: tuple[float, float],
    errors: tuple[float, float],
    sigma_25: tuple[float, float] | None,
) -> None:
    for index, convention in enumerate((SIGMA, SIGMA_T)):
        result = fit_arrhenius(celsius(*temperatures), np.array(sigma), convention=convention)
        assert energy(result) == pytest.approx(expected[index], abs=1e-4)
        assert error(result) == pytest.approx(errors[index], abs=1e-4)
        if sigma_25 is not None:
            assert result.conductivity(298.15)[0] == pytest.approx(sigma_25[index], rel=2e-3)
            assert "ARR-EXTRAP" in codes(result)


def test_s1_the_two_conventions_differ_by_kt_and_convert_exactly() -> None:
    kelvin = celsius(*range(-20, 81, 10))
    with_t = fit_arrhenius(kelvin, hopping(kelvin), convention=SIGMA_T)
    without = fit_arrhenius(kelvin, hopping(kelvin), convention=SIGMA)
    assert energy(with_t) == pytest.approx(0.350000, abs=1e-9)
    assert energy(without) == pytest.approx(0.324328, abs=1e-6)
    assert without.segments[0].ln_prefactor == pytest.approx(6.403245, abs=1e-6)
    assert without.residual_rms == pytest.approx(0.00489, abs=1e-5)
    assert without.energy_in(SIGMA_T) == pytest.approx(0.35, abs=1e-9)
    assert codes(with_t) == codes(without) == set()


def test_energies_of_different_conventions_are_not_compared() -> None:
    kelvin = celsius(*range(-20, 81, 10))
    with_t = fit_arrhenius(kelvin, hopping(kelvin), convention=SIGMA_T)
    without = fit_arrhenius(kelvin, hopping(kelvin), convention=SIGMA)
    with pytest.raises(AnalysisError, match="ARR-CONV"):
        energy_difference(with_t, without)
    assert energy_difference(with_t, with_t) == 0.0
    assert convert_energy(0.3, SIGMA, SIGMA, 298.0) == 0.3


S2_KELVIN = celsius(-20, 0, 20, 40, 60, 80)
S2_SIGMA = np.array([2.405001e-4, 6.086310e-4, 1.628503e-3, 3.620236e-3, 7.637841e-3, 1.380802e-2])
S2_RELATIVE = np.array([0.15, 0.05, 0.02, 0.02, 0.02, 0.02])


def test_s2_weights_covariance_and_room_temperature_value() -> None:
    result = fit_arrhenius(S2_KELVIN, S2_SIGMA, S2_RELATIVE)
    assert energy(result) == pytest.approx(0.348207, abs=1e-6)
    assert error(result) == pytest.approx(0.003478, abs=1e-6)
    assert result.reduced_chi_squared == pytest.approx(0.8673, abs=1e-4)
    sigma, relative = result.conductivity(298.15)
    assert sigma == pytest.approx(2.00778e-3, rel=1e-5)
    assert relative == pytest.approx(0.0132, abs=5e-5)
    assert energy(fit_arrhenius(S2_KELVIN, S2_SIGMA)) == pytest.approx(0.342012, abs=1e-6)


def test_geometry_error_moves_sigma_and_prefactor_but_not_the_energy() -> None:
    alone = fit_arrhenius(S2_KELVIN, S2_SIGMA, S2_RELATIVE)
    common = fit_arrhenius(S2_KELVIN, S2_SIGMA, S2_RELATIVE, common_relative_uncertainty=0.05)
    assert error(common) == error(alone)
    assert common.conductivity(298.15)[1] == pytest.approx(np.hypot(0.05, 0.0132), abs=1e-4)
    assert (
        common.to_dict()["ln_prefactor_standard_error"]
        > (alone.to_dict()["ln_prefactor_standard_error"])
    )


def test_temperature_error_enters_as_effective_variance() -> None:
    exact = fit_arrhenius(S2_KELVIN, S2_SIGMA, S2_RELATIVE)
    blurred = fit_arrhenius(S2_KELVIN, S2_SIGMA, S2_RELATIVE, temperature_uncertainty_kelvin=1.0)
    # 0.35 eV at 298 K: 4.6 % per kelvin, more than twice the 2 % of the resistances.
    assert error(blurred) > 1.5 * error(exact)
    assert blurred.reduced_chi_squared < exact.reduced_chi_squared


def test_band_widens_outside_the_data_and_uses_student_t_without_known_errors() -> None:
    result = fit_arrhenius(S2_KELVIN, S2_SIGMA)
    assert result.coverage_factor() == pytest.approx(2.7764, abs=1e-4)  # four degrees of freedom
    band = result.band(celsius(30, 160))
    width = np.log(band.high / band.low)
    assert width[1] > 2.0 * width[0]
    assert np.all((band.low < band.mean) & (band.mean < band.high))


def test_s16_interface_and_separator_energies_come_back_from_resistances() -> None:
    kelvin = celsius(0, 25, 40, 60, 80)
    for resistance, truth in ((1.5, 0.35), (10.0, 0.55)):
        series = resistance * np.exp(truth / K * (1 / kelvin - 1 / 298.15))
        result = fit_arrhenius(kelvin, 1.0 / series, convention=SIGMA)
        assert energy(result) == pytest.approx(truth, abs=1e-6)


@given(
    st.floats(0.1, 1.0),
    st.floats(-3, 12),
    st.lists(st.integers(-40, 150), min_size=4, max_size=12, unique=True),
)
def test_a_noise_free_line_is_always_recovered(
    truth: float, ln_prefactor: float, temperatures: list[int]
) -> None:
    kelvin = celsius(*temperatures)
    sigma = np.exp(ln_prefactor - truth / (K * kelvin)) / kelvin
    result = fit_arrhenius(kelvin, sigma, model="arrhenius")
    assert energy(result) == pytest.approx(truth, rel=1e-8)
    assert result.segments[0].ln_prefactor == pytest.approx(ln_prefactor, abs=1e-6)


# --- more than one regime ------------------------------------------------------------------------


def test_s8_a_first_order_transition_is_split_with_its_jump() -> None:
    kelvin = np.arange(300.0, 451.0, 10.0)
    arm = 1 / K * (1 / kelvin - 1 / 390)
    sigma = np.where(kelvin < 390, 1e-6 * np.exp(-0.69 * arm), 1e-3 * np.exp(-0.53 * arm))
    result = fit_arrhenius(kelvin, sigma, convention=SIGMA)
    values = result.to_dict()
    assert result.model == "two_segment"
    low, high = result.segments
    assert low.activation_energy_electronvolt == pytest.approx(0.69, abs=1e-6)
    assert high.activation_energy_electronvolt == pytest.approx(0.53, abs=1e-6)
    assert (low.temperature_max_kelvin, high.temperature_min_kelvin) == (380.0, 390.0)
    assert values["transition"]["jump_factor"] == pytest.approx(1000.0, rel=1e-6)
    assert values["transition"]["crossing_celsius"] is None
    assert values["activation_energy_electronvolt"] is None


def test_r7b_the_melting_kink_is_split_and_no_single_energy_is_given() -> None:
    result = fit_arrhenius(*PEO_TRIFLATE, convention=SIGMA)
    low, high = result.segments
    assert result.model == "two_segment"
    assert low.activation_energy_electronvolt == pytest.approx(1.253, abs=0.005)
    assert high.activation_energy_electronvolt == pytest.approx(0.520, abs=0.005)
    assert low.temperature_max_kelvin == pytest.approx(62 + 273.15)
    transition = result.to_dict()["transition"]
    assert transition["crossing_celsius"] == pytest.approx(68.3, abs=1.0)
    assert 0.2 < transition["crossing_standard_error_kelvin"] < 5.0
    with pytest.raises(AnalysisError, match="no single activation energy"):
        result.energy_in(SIGMA)


def test_r7b_one_line_forced_across_the_kink_carries_an_error_flag() -> None:
    result = fit_arrhenius(*PEO_TRIFLATE, convention=SIGMA, model="arrhenius")
    assert energy(result) == pytest.approx(0.774, abs=0.001)
    assert Level.ERROR in {note.level for note in result.flags if note.code == "ARR-KINK"}


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.01])
def test_s9_grain_boundaries_in_series_are_bent_but_not_a_transition(noise: float) -> None:
    kelvin = celsius(*range(-40, 101, 10))
    arm = 1 / K * (1 / kelvin - 1 / 298.15)
    bulk = 4.6e-4 * 298.15 / kelvin * np.exp(-0.34 * arm)
    boundary = 1.2e-3 * 298.15 / kelvin * np.exp(-0.43 * arm)
    scatter = np.exp(np.random.default_rng(7).normal(0.0, noise, kelvin.size))
    result = fit_arrhenius(kelvin, scatter / (1 / bulk + 1 / boundary))
    assert result.model == "arrhenius"
    assert energy(result) == pytest.approx(0.36744, abs=1e-5 if noise == 0 else 0.003)
    assert "ARR-CURVE" in codes(result)
    assert "ARR-KINK" not in codes(result)


# --- VTF -----------------------------------------------------------------------------------------


def test_s7_vtf_is_recovered_and_its_extrapolation_flagged() -> None:
    kelvin = celsius(60, 70, 80, 90, 100, 110)
    sigma = 84.864826 / np.sqrt(kelvin) * np.exp(-0.0946 / (K * (kelvin - 203.15)))
    result = fit_arrhenius(kelvin, sigma, convention=SIGMA)
    vtf = result.to_dict()["vtf"]
    assert result.model == "vtf"
    assert vtf["prefactor"] == pytest.approx(84.864826, rel=1e-6)
    assert vtf["pseudo_activation_energy_electronvolt"] == pytest.approx(0.0946, rel=1e-6)
    assert vtf["t0_kelvin"] == pytest.approx(203.15, rel=1e-6)
    assert vtf["local_activation_energy_electronvolt"] == pytest.approx(
        [0.60692, 0.41212], abs=1e-5
    )
    assert result.conductivity(298.15)[0] == pytest.approx(4.71e-5, rel=2e-3)
    line = fit_arrhenius(kelvin, sigma, convention=SIGMA, model="arrhenius")
    assert energy(line) == pytest.approx(0.49968, abs=1e-5)
    assert line.conductivity(298.15)[0] == pytest.approx(1.38e-4, rel=5e-3)
    assert "ARR-EXTRAP" in codes(result) & codes(line)


def test_r7a_a_polymer_melt_is_vtf_with_the_published_parameters() -> None:
    result = fit_arrhenius(*PEO_LITFSI, convention=SIGMA)
    vtf = result.to_dict()["vtf"]
    assert result.model == "vtf"
    assert vtf["ln_prefactor"] == pytest.approx(2.358, abs=0.3 * 0.158)
    assert vtf["pseudo_activation_energy_electronvolt"] == pytest.approx(0.0791, abs=0.3 * 0.0041)
    assert vtf["t0_kelvin"] == pytest.approx(202.4, abs=0.3 * 3.8)
    assert vtf["t0_standard_error_kelvin"] == pytest.approx(3.8, abs=0.05)
    assert result.residual_rms == pytest.approx(0.0082, abs=1e-4)
    for temperature, sigma in ((60, 5.19e-4), (90, 1.84e-3)):
        assert result.conductivity(temperature + 273.15)[0] == pytest.approx(sigma, rel=0.005)


def test_r7a_with_t0_fixed_or_bounded_by_the_glass_transition() -> None:
    fixed = fit_vtf(*PEO_LITFSI, t0_kelvin=203.15)
    assert fixed.pseudo_energy_electronvolt == pytest.approx(0.07827, abs=2e-4)
    assert fixed.ln_prefactor == pytest.approx(2.3267, abs=1e-3)
    assert fixed.errors[2] == 0.0
    bounded = fit_vtf(*PEO_LITFSI, glass_transition_kelvin=250.0)
    assert bounded.t0_source == "bounded"
    assert bounded.t0_kelvin == pytest.approx(202.4, abs=0.1)
    assert fit_vtf(*PEO_LITFSI, glass_transition_kelvin=300.0).at_bound


# --- doubts --------------------------------------------------------------------------------------


def test_s18_spectra_taken_too_early_show_hysteresis_and_are_blocked_by_the_soak_test() -> None:
    chamber = celsius(*range(-20, 81, 10))
    lag = 6.065
    heating, cooling = hopping(chamber - lag), hopping(chamber + lag)
    up, down = fit_arrhenius(chamber[1:], heating[1:]), fit_arrhenius(chamber[:-1], cooling[:-1])
    assert energy(up) == pytest.approx(0.36427, abs=0.001)
    assert energy(down) == pytest.approx(0.33660, abs=0.001)
    both = fit_arrhenius(
        np.concatenate([chamber, chamber[::-1]]), np.concatenate([heating, cooling[::-1]])
    )
    assert "ARR-HYST" in codes(both)
    assert not codes(fit_arrhenius(chamber, hopping(chamber)))

    def sample(until_second: float) -> tuple[np.ndarray, np.ndarray]:
        time = np.arange(0.0, until_second + 1, 10.0)
        return time, 30.0 - 10.0 * np.exp(-time / 1200.0)

    early = check_equilibrium(*sample(600), set_celsius=30.0)
    assert [note.level for note in early] == [Level.BLOCK, Level.WARN]
    assert check_equilibrium(*sample(5400), set_celsius=30.0) == ()
    assert check_equilibrium(*sample(5400), 30.0, (100.0, 101.0))[0].level is Level.BLOCK


def test_few_temperatures_are_flagged_and_two_are_refused() -> None:
    kelvin = celsius(20, 40, 60)
    levels = {note.code: note.level for note in fit_arrhenius(kelvin, hopping(kelvin)).flags}
    assert levels["ARR-FEW"] is Level.ERROR
    with pytest.raises(AnalysisError, match="at least 3"):
        fit_arrhenius(kelvin[:2], hopping(kelvin[:2]))


def test_impossible_values_are_refused_all_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        fit_arrhenius(np.array([300.0, np.nan, 320.0]), np.array([1e-3, 1e-3, -1.0]))
    assert len(caught.value.problems) == 2


def test_a_model_the_data_do_not_show_is_refused() -> None:
    kelvin = celsius(*range(-20, 81, 10))
    with pytest.raises(AnalysisError, match="no kink or jump"):
        fit_arrhenius(kelvin, hopping(kelvin), model="two_segment")


def test_the_result_is_plain_json() -> None:
    for series in (PEO_TRIFLATE, PEO_LITFSI, (S2_KELVIN, S2_SIGMA)):
        values = json.loads(json.dumps(fit_arrhenius(*series).to_dict(), allow_nan=False))
        assert values["convention"] == "ln_sigma_t"


def test_an_unknown_flag_code_is_a_programming_error() -> None:
    with pytest.raises(KeyError, match="ARR-HYST"):
        flag("ARR-HIST", "")
