"""Fade laws on the NASA cell B0005, the LBPSI long run and exact synthetic curves."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rig.analysis.fade import FadeResult, fit_fade
from rig.analysis.fade_laws import exponential_rate, log_linear
from rig.analysis.flags import Level
from rig.core.errors import AnalysisError, BadInput

# R4: discharge capacity in Ah of cycles 1..168 (Saha & Goebel, NASA Ames PCoE battery data set).
_TABLE = """
1.85649 1.84633 1.83535 1.83526 1.83465 1.83566 1.83515 1.82576 1.82477 1.82461 1.82462 1.81420
1.81375 1.81344 1.80260 1.80211 1.80258 1.80307 1.80278 1.84703 1.84742 1.83618 1.82578 1.82511
1.82558 1.81403 1.81477 1.81397 1.80277 1.80408 1.85180 1.83070 1.81990 1.80931 1.80461 1.79938
1.78844 1.78292 1.77303 1.77304 1.76787 1.76232 1.76762 1.76267 1.75173 1.74185 1.73609 1.79362
1.78319 1.76736 1.75702 1.74687 1.74172 1.73642 1.72632 1.71581 1.71053 1.70601 1.70031 1.69458
1.68490 1.67447 1.67457 1.66372 1.65901 1.65385 1.64265 1.63786 1.63274 1.62775 1.62213 1.61133
1.60656 1.60151 1.59037 1.58579 1.58494 1.59553 1.57473 1.56490 1.55977 1.55948 1.55469 1.54887
1.53824 1.52791 1.52853 1.52265 1.51749 1.60582 1.56385 1.54809 1.53238 1.52695 1.51696 1.51190
1.50656 1.50155 1.49084 1.48587 1.48041 1.47521 1.48590 1.49609 1.48080 1.46975 1.45390 1.45415
1.45502 1.44904 1.43867 1.43345 1.43340 1.42806 1.42292 1.41743 1.41241 1.41258 1.40760 1.43339
1.43826 1.41735 1.40698 1.40120 1.39670 1.39128 1.38623 1.38044 1.37524 1.37051 1.37051 1.36474
1.37539 1.38611 1.36985 1.36478 1.35432 1.35464 1.35470 1.34931 1.34419 1.33899 1.33891 1.33401
1.32864 1.32317 1.31817 1.31847 1.31829 1.32387 1.36012 1.33953 1.32903 1.32367 1.31863 1.31348
1.31320 1.30780 1.30303 1.30336 1.30341 1.29789 1.29807 1.29346 1.28800 1.28745 1.30902 1.32508
"""
B0005 = np.array([float(value) for value in _TABLE.split()])
CYCLES = np.arange(1.0, 169.0)
ALPHA = 8.82587e-6


def exponential(cycles: np.ndarray) -> np.ndarray:
    return 823.0 * np.exp(-ALPHA * cycles)


def codes(result: FadeResult) -> set[str]:
    return {note.code for note in result.flags}


@pytest.fixture(scope="module")
def whole() -> FadeResult:
    return fit_fade(CYCLES, B0005, end_of_life_capacity=1.4)


def test_r4_end_of_life_is_seen_where_the_data_cross_it(whole: FadeResult) -> None:
    assert whole.reference_capacity_ah == 1.85649
    assert whole.end_of_life.first_below == 125
    assert whole.end_of_life.last_above == 124
    assert whole.end_of_life.reached
    assert fit_fade(CYCLES, B0005).end_of_life.first_below == 101


def test_r4_regenerations_after_rests_are_found(whole: FadeResult) -> None:
    assert whole.regeneration_cycles == (20, 31, 48, 90, 120, 151, 167, 168)


def test_r4_exponential_agrees_and_its_error_is_inflated(whole: FadeResult) -> None:
    fit = whole.law("exponential").fit
    assert fit.parameters == pytest.approx([1.92103, 2.45225e-3], rel=1e-5)
    assert fit.standard_errors == pytest.approx([5.35e-3, 3.190e-5], rel=1e-3)
    assert fit.lag_one_autocorrelation == pytest.approx(0.90, abs=0.01)
    assert whole.inflation == pytest.approx(4.2, abs=0.4)
    values = whole.to_dict()
    assert values["alpha_standard_error_per_cycle"] > 3.5 * 3.190e-5
    q0, alpha = log_linear(CYCLES, B0005)
    assert (q0, alpha) == pytest.approx((1.92399, 2.47426e-3), rel=1e-5)


def test_r4_root_mean_squares_of_the_laws(whole: FadeResult) -> None:
    found = [whole.law(name).fit.rms for name in ("exponential", "linear", "sqrt")]
    assert found == pytest.approx([0.0311, 0.0296, 0.0524], abs=1e-4)
    assert whole.selected.name == "linear"  # a tie with the power law goes to fewer parameters
    assert codes(whole) == {"FADE-MODEL"}


def test_r4_the_interval_covers_the_cycle_that_came(whole: FadeResult) -> None:
    interval = whole.end_of_life.interval_95
    assert interval is not None
    assert interval[1] is not None
    assert interval[0] < 125 < interval[1]


def test_r4_a_prediction_from_sixty_cycles_is_refused_and_only_given_when_forced() -> None:
    early = {"end_of_life_capacity": 1.4, "law": "exponential"}
    refused = fit_fade(CYCLES[:60], B0005[:60], **early)
    assert refused.end_of_life.predicted is None
    levels = {note.code: note.level for note in refused.flags}
    assert levels["FADE-EXTRAP"] is Level.ERROR
    assert levels["FADE-NEVER"] is Level.INFO
    assert refused.law("exponential").end_of_life_cycle == pytest.approx(242, abs=0.5)
    forced = fit_fade(CYCLES[:60], B0005[:60], **early, force=True)
    assert forced.end_of_life.predicted == pytest.approx(242, abs=0.5)
    assert forced.end_of_life.interval_95 is not None
    assert forced.end_of_life.interval_95[0] < 125 < forced.end_of_life.interval_95[1]
    assert "FADE-EXTRAP" in codes(forced)


def test_r4_without_a_law_sixty_cycles_still_carry_the_flag() -> None:
    assert "FADE-EXTRAP" in codes(fit_fade(CYCLES[:60], B0005[:60], end_of_life_capacity=1.4))


def test_r2_the_long_run_has_its_rate_from_two_points() -> None:
    assert exponential_rate(823.0, 823.0 * 0.802, 25_000) == pytest.approx(8.82587e-6, abs=1e-10)


def test_s12_noise_free_exponential_is_recovered_and_its_life_predicted() -> None:
    cycles = np.arange(0.0, 25_001.0, 5_000.0)
    result = fit_fade(cycles, exponential(cycles))
    assert result.selected.name == "exponential"
    assert result.to_dict()["alpha_per_cycle"] == pytest.approx(ALPHA, abs=1e-9)
    assert result.end_of_life.predicted == pytest.approx(25_282.9, abs=0.1)
    assert codes(result) == {"FADE-NEVER"}


def test_s12_noisy_exponential_keeps_alpha_within_four_percent() -> None:
    cycles = np.linspace(0.0, 25_000.0, 26)
    inside = 0
    for seed in range(12):
        noise = 1.0 + np.random.default_rng(seed).normal(0.0, 0.003, cycles.size)
        result = fit_fade(cycles, exponential(cycles) * noise)
        assert result.to_dict()["alpha_per_cycle"] == pytest.approx(ALPHA, rel=0.04)
        assert result.selected.name in {"exponential", "linear"}
        low, high = result.end_of_life.interval_95 or (0.0, 0.0)
        inside += low < 25_282.9 < (high or np.inf)
    assert inside >= 11


def test_s12_a_square_root_law_with_the_same_end_is_not_taken_for_an_exponential() -> None:
    cycles = np.linspace(0.0, 25_000.0, 26)
    for seed in range(8):
        noise = 1.0 + np.random.default_rng(seed).normal(0.0, 0.003, cycles.size)
        result = fit_fade(cycles, 823.0 * (1.0 - 1.25226e-3 * np.sqrt(cycles)) * noise)
        assert result.selected.name in {"sqrt", "power"}
    exact = fit_fade(cycles, 823.0 * (1.0 - 1.25226e-3 * np.sqrt(cycles)))
    assert exact.selected.name == "sqrt"
    assert exact.end_of_life.predicted == pytest.approx(25_507.6, abs=1.0)


def test_s12_the_first_two_thousand_cycles_predict_nothing() -> None:
    cycles = np.linspace(0.0, 2_000.0, 21)
    result = fit_fade(cycles, exponential(cycles))
    assert result.end_of_life.predicted is None
    assert "FADE-EXTRAP" in codes(result)


def test_a_knee_is_found_where_fade_speeds_up_and_not_on_a_smooth_curve() -> None:
    cycles = np.arange(1.0, 201.0)
    noise = np.random.default_rng(0).normal(0.0, 1e-3, cycles.size)
    bent = fit_fade(cycles, 1 - 1e-4 * cycles - 1.5e-3 * np.maximum(cycles - 120, 0) + noise)
    assert bent.knee is not None
    assert bent.knee.cycle == pytest.approx(120, abs=5)
    assert fit_fade(cycles, 1 - 1e-3 * cycles + noise).knee is None
    assert fit_fade(cycles, np.exp(-1e-3 * cycles) + noise).knee is None


def test_the_same_seed_gives_the_same_interval(whole: FadeResult) -> None:
    again = fit_fade(CYCLES, B0005, end_of_life_capacity=1.4)
    assert again.end_of_life.interval_95 == whole.end_of_life.interval_95


def test_impossible_input_is_refused() -> None:
    with pytest.raises(BadInput, match="must rise"):
        fit_fade(np.array([1.0, 3.0, 2.0, 4.0, 5.0]), np.ones(5))
    with pytest.raises(BadInput, match="row 2"):
        fit_fade(np.arange(5.0), np.array([1.0, np.nan, 1.0, 1.0, 1.0]))
    with pytest.raises(AnalysisError, match="at least 5"):
        fit_fade(np.array([0.0, 25_000.0]), np.array([823.0, 660.05]))
    with pytest.raises(BadInput, match="did you mean 'exponential'"):
        fit_fade(CYCLES, B0005, law="exponental")


def test_the_result_is_plain_json(whole: FadeResult) -> None:
    values = json.loads(json.dumps(whole.to_dict(), allow_nan=False))
    assert set(values["end_of_life"]) >= {
        "first_below",
        "last_above",
        "predicted",
        "interval_95",
        "reached",
    }
