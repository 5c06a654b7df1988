"""Capacity fade: which law, what end of life, and how far the data can be trusted for it.

Residuals of fade curves are correlated, so naive errors and the covariance's interval are far too
small. Errors are inflated by sqrt((1+r)/(1-r)), laws are compared with the effective number of
points, the interval comes from a block bootstrap over every law that the data do not exclude, and a
prediction far beyond the data is flagged or refused. "Not reached, > 168 cycles" is an answer.

Cycles and capacities in, a frozen result out. Capacity may be in any unit; keys say Ah.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.analysis.fade_laws import LAWS, LawFit, fit_law
from rig.analysis.fade_shape import Knee, find_knee, find_regenerations
from rig.analysis.flags import FADE_EXTRAP, FADE_MODEL, FADE_NEVER, FlagNote, Level, flag
from rig.analysis.regression import FloatArray
from rig.core.errors import AnalysisError, BadInput, Problem, did_you_mean

_LEAST_POINTS = 5
_TIE, _EXCLUDED = 4.0, 10.0  # AICc differences: cannot tell apart; essentially no support
_FLAG_BEYOND, _REFUSE_BEYOND = 1.5, 3.0  # times the longest cycle seen
_LEAST_FADE = 0.05
_ORIGINS = (0.5, 0.6, 0.7, 0.8, 0.9)
_DRAWS = 1000
_BLOCK = 15
_CORRELATED = 0.2


@dataclass(frozen=True, slots=True)
class LawResult:
    """One law on these data; ``rolling_origin_error`` is relative to the reference capacity."""

    fit: LawFit
    rolling_origin_error: float | None
    end_of_life_cycle: float | None

    @property
    def name(self) -> str:
        return self.fit.law.name

    def parameters(self, inflation: float) -> dict[str, dict[str, object]]:
        """Return {name: {value, standard_error, unit}}, errors inflated for autocorrelation."""
        values, errors = self.fit.parameters, self.fit.standard_errors * inflation
        return {
            name: {"value": float(value), "standard_error": float(error), "unit": unit}
            for name, value, error, unit in zip(
                self.fit.law.parameters, values, errors, self.fit.law.units, strict=True
            )
        }

    def to_dict(self, inflation: float) -> dict[str, object]:
        return {
            "name": self.name,
            "aicc": self.fit.aicc if math.isfinite(self.fit.aicc) else None,
            "rolling_origin_error": self.rolling_origin_error,
            "rms_ah": self.fit.rms,
            "parameters": self.parameters(inflation),
            "end_of_life_cycle": self.end_of_life_cycle,
        }


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """When capacity passes ``capacity_ah``, as seen and as predicted, in cycles.

    Regeneration after rests makes the first cycle below and the last one above differ.
    ``interval_95`` is a prediction interval over every law not excluded; its upper end is None
    where one of these laws never gets there.
    """

    capacity_ah: float
    first_below: float | None
    last_above: float | None
    predicted: float | None
    interval_95: tuple[float, float | None] | None

    @property
    def reached(self) -> bool:
        return self.first_below is not None

    def to_dict(self) -> dict[str, object]:
        return {
            "capacity_ah": self.capacity_ah,
            "first_below": self.first_below,
            "last_above": self.last_above,
            "predicted": self.predicted,
            "interval_95": list(self.interval_95) if self.interval_95 is not None else None,
            "reached": self.reached,
        }


@dataclass(frozen=True, slots=True)
class FadeResult:
    """The selected law first, the others by rising AICc; end of life, knee, regenerations, flags."""

    laws: tuple[LawResult, ...]
    autocorrelation: float
    reference_capacity_ah: float
    end_of_life: EndOfLife
    knee: Knee | None
    regeneration_cycles: tuple[float, ...]
    n: int
    flags: tuple[FlagNote, ...]

    @property
    def selected(self) -> LawResult:
        return self.laws[0]

    @property
    def inflation(self) -> float:
        """Factor on naive standard errors, sqrt((1+r)/(1-r)) for positive correlation."""
        return _inflation(self.autocorrelation)

    def law(self, name: str) -> LawResult:
        return next(result for result in self.laws if result.name == name)

    def to_dict(self) -> dict[str, object]:
        alpha = self.law("exponential").parameters(self.inflation)["alpha"]
        return {
            "models": [result.to_dict(self.inflation) for result in self.laws],
            "selected": self.selected.name,
            "parameters": self.selected.parameters(self.inflation),
            "alpha_per_cycle": alpha["value"],
            "alpha_standard_error_per_cycle": alpha["standard_error"],
            "reference_capacity_ah": self.reference_capacity_ah,
            "residual_autocorrelation": self.autocorrelation,
            "uncertainty_inflation": self.inflation,
            "end_of_life": self.end_of_life.to_dict(),
            "knee": self.knee.to_dict() if self.knee is not None else None,
            "regeneration_cycles": list(self.regeneration_cycles),
            "n": self.n,
            "flags": [note.to_dict() for note in self.flags],
        }


def fit_fade(
    cycles: FloatArray,
    capacity: FloatArray,
    *,
    end_of_life_fraction: float = 0.8,
    end_of_life_capacity: float | None = None,
    reference_capacity: float | None = None,
    law: str | None = None,
    force: bool = False,
    seed: int = 0,
) -> FadeResult:
    """Fit all laws and predict the end of life.

    The end is ``end_of_life_capacity``, or the fraction of ``reference_capacity`` (default: the first
    one given, so hand in the cycles after formation). A prediction beyond 3 times the data is
    refused unless ``force``. ``law`` selects one by name; without it AICc does, and a tie goes to the
    law with fewer parameters. Raises BadInput for impossible values, AnalysisError below 5 cycles.
    """
    _check(cycles, capacity)
    reference = float(capacity[0]) if reference_capacity is None else reference_capacity
    threshold = end_of_life_fraction * reference
    if end_of_life_capacity is not None:
        threshold = end_of_life_capacity
    fits = _selected_first([fit_law(one, cycles, capacity) for one in LAWS], law)
    correlation = max(fits[0].lag_one_autocorrelation, 0.0)
    laws = tuple(
        LawResult(
            fit=fit,
            rolling_origin_error=_rolling_origin_error(fit, cycles, capacity, reference),
            end_of_life_cycle=fit.crossing(threshold),
        )
        for fit in fits
    )
    end, notes = _end_of_life(
        laws, cycles, capacity, threshold, correlation=correlation, force=force, seed=seed
    )
    return FadeResult(
        laws=laws,
        autocorrelation=correlation,
        reference_capacity_ah=reference,
        end_of_life=end,
        knee=find_knee(cycles, capacity, _effective_share(correlation)),
        regeneration_cycles=find_regenerations(cycles, capacity, reference),
        n=cycles.size,
        flags=(*notes, *_check_tie(laws, correlation)),
    )


def _check(cycles: FloatArray, capacity: FloatArray) -> None:
    problems = []
    if cycles.size != capacity.size:
        problems.append(Problem("columns", f"{cycles.size} cycles but {capacity.size} capacities"))
    else:
        bad = ~(np.isfinite(cycles) & np.isfinite(capacity) & (capacity > 0) & (cycles >= 0))
        problems.extend(
            Problem(
                f"row {index + 1}", f"cycle {cycles[index]:g} with capacity {capacity[index]:g}"
            )
            for index in np.flatnonzero(bad)
        )
    if not problems and np.any(np.diff(cycles) <= 0):
        where = int(np.argmax(np.diff(cycles) <= 0)) + 2
        problems.append(Problem(f"row {where}", "cycle numbers must rise from row to row"))
    if problems:
        raise BadInput(problems)
    if cycles.size < _LEAST_POINTS:
        raise AnalysisError(
            f"{cycles.size} cycles: a fade law needs at least {_LEAST_POINTS}",
            remedy="two points give a mean rate only, and do not select a law",
        )


def _selected_first(fits: list[LawFit], wanted: str | None) -> list[LawFit]:
    """Order by AICc with the selected law in front."""
    fits = sorted(fits, key=lambda fit: fit.aicc)
    names = [fit.law.name for fit in fits]
    if wanted is not None and wanted not in names:
        near = did_you_mean(wanted, names)
        raise BadInput(Problem("law", f"got {wanted!r}, expected one of {names}", suggestion=near))
    if wanted is not None:
        selected = fits[names.index(wanted)]
    else:
        share = _effective_share(max(fits[0].lag_one_autocorrelation, 0.0))
        tied = [fit for fit in fits if fit is fits[0] or (fit.aicc - fits[0].aicc) * share < _TIE]
        selected = min(tied, key=lambda fit: len(fit.law.parameters))
    return [selected, *(fit for fit in fits if fit is not selected)]


def _effective_share(correlation: float) -> float:
    """Fraction of the points that correlated residuals are worth."""
    return (1.0 - correlation) / (1.0 + correlation)


def _inflation(correlation: float) -> float:
    return 1.0 / math.sqrt(_effective_share(correlation))


def _within(laws: tuple[LawResult, ...], correlation: float, limit: float) -> list[LawResult]:
    """Laws whose AICc, counted with effective points, lies within ``limit`` of the selected one's."""
    best, share = laws[0].fit.aicc, _effective_share(correlation)
    return [law for law in laws if law is laws[0] or (law.fit.aicc - best) * share < limit]


def _check_tie(laws: tuple[LawResult, ...], correlation: float) -> tuple[FlagNote, ...]:
    tied = _within(laws, correlation, _TIE)
    if len(tied) == 1:
        return ()
    lives = ", ".join(
        f"{law.name} {'never' if law.end_of_life_cycle is None else f'{law.end_of_life_cycle:.0f}'}"
        for law in tied
    )
    return (flag(FADE_MODEL, f"the data do not tell these laws apart; end of life at {lives}"),)


def _rolling_origin_error(
    fit: LawFit, cycles: FloatArray, capacity: FloatArray, reference: float
) -> float | None:
    """Mean error of predicting the rest from 50, 60 ... 90 % of the data, over the reference."""
    errors = []
    for origin in _ORIGINS:
        seen = int(origin * cycles.size)
        if seen < _LEAST_POINTS or seen == cycles.size:
            continue
        earlier = fit_law(fit.law, cycles[:seen], capacity[:seen])
        miss = earlier.at(cycles[seen:]) - capacity[seen:]
        errors.append(float(np.sqrt(np.mean(miss**2))) / reference)
    return float(np.mean(errors)) if errors else None


def _end_of_life(
    laws: tuple[LawResult, ...],
    cycles: FloatArray,
    capacity: FloatArray,
    threshold: float,
    *,
    correlation: float,
    force: bool,
    seed: int,
) -> tuple[EndOfLife, tuple[FlagNote, ...]]:
    below, above = cycles[capacity < threshold], cycles[capacity >= threshold]
    last = float(cycles[-1])
    predicted = laws[0].end_of_life_cycle
    notes: list[FlagNote] = []
    refused = False
    if not below.size:
        notes.append(flag(FADE_NEVER, f"{threshold:.5g} Ah not reached, > {last:g} cycles"))
        fade = 1.0 - float(laws[0].fit.at(cycles[-1:])[0] / laws[0].fit.at(cycles[:1])[0])
        extrapolation = _check_extrapolation(predicted, last, fade)
        refused = not force and predicted is not None and predicted > _REFUSE_BEYOND * last
        notes.extend(extrapolation)
    kept = None if refused else predicted
    interval = None
    if kept is not None:
        interval = _interval(_within(laws, correlation, _EXCLUDED), threshold, correlation, seed)
    end = EndOfLife(
        capacity_ah=threshold,
        first_below=float(below[0]) if below.size else None,
        last_above=float(above[-1]) if above.size else None,
        predicted=kept,
        interval_95=interval,
    )
    return end, tuple(notes)


def _check_extrapolation(predicted: float | None, last: float, fade: float) -> tuple[FlagNote, ...]:
    if predicted is None:
        return (flag(FADE_EXTRAP, "the selected law never reaches the end of life"),)
    times = predicted / last
    if times <= _FLAG_BEYOND and fade >= _LEAST_FADE:
        return ()
    message = f"end of life at {predicted:.0f} is {times:.1f} times the data, fade seen {fade:.1%}"
    if times > _REFUSE_BEYOND:
        return (flag(FADE_EXTRAP, f"{message}: not a prediction", Level.ERROR),)
    return (flag(FADE_EXTRAP, message),)


def _interval(
    laws: list[LawResult], threshold: float, correlation: float, seed: int
) -> tuple[float, float | None] | None:
    """Envelope of every law's own 95 % bootstrap interval; None when no draw has an end."""
    rng = np.random.default_rng(seed)
    lows, highs = [], []
    for law in laws:
        size = law.fit.residual.size
        block = min(_BLOCK, max(1, size // 4)) if correlation > _CORRELATED else 1
        draws = law.fit.bootstrap_crossings(threshold, block, _DRAWS, rng)
        draws = np.where(np.isfinite(draws), draws, np.inf)
        low, high = np.quantile(draws, [0.025, 0.975], method="nearest")
        lows.append(float(low))
        highs.append(float(high))
    if not math.isfinite(min(lows)):
        return None
    return min(lows), max(highs) if math.isfinite(max(highs)) else None
