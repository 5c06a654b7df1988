"""Tables beside the cycling figure: the fade laws, the end of life, and a few of the cycles."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.analysis.cycles import Cycle
from rig.analysis.fade import EndOfLife, FadeResult, LawResult
from rig.report.findings import CyclingFinding
from rig.report.numbers import NOTHING, concise, exact

_SELECTED_CYCLES = 10
_MILLI = 1000.0


@dataclass(frozen=True, slots=True)
class LawRow:
    """One fade law; ``difference`` is its AICc above the best law's."""

    name: str
    selected: bool
    parameters: tuple[str, ...]
    rms: str
    difference: str
    rolling_origin_error: str
    end_of_life: str


@dataclass(frozen=True, slots=True)
class CycleRow:
    number: int
    phase: str
    charge: str
    discharge: str
    retention: str
    coulombic_efficiency: str
    energy_efficiency: str
    mean_charging_voltage: str
    mean_discharging_voltage: str


def law_rows(fade: FadeResult) -> tuple[LawRow, ...]:
    """Return the selected law first, then the others; errors are inflated for autocorrelation."""
    best = min(law.fit.aicc for law in fade.laws)
    return tuple(_law_row(law, fade, best) for law in fade.laws)


def _law_row(law: LawResult, fade: FadeResult, best: float) -> LawRow:
    errors = law.fit.standard_errors * fade.inflation
    names = zip(law.fit.law.parameters, law.fit.parameters, errors, law.fit.law.units, strict=True)
    rolling = law.rolling_origin_error
    end = law.end_of_life_cycle
    return LawRow(
        name=law.name,
        selected=law is fade.selected,
        parameters=tuple(
            f"{name.replace('_', ' ')} {concise(float(value), float(error))} {_unit(unit)}".strip()
            for name, value, error, unit in names
        ),
        rms=f"{exact(100.0 * law.fit.rms / fade.reference_capacity_ah, 2)} %",
        difference=f"{law.fit.aicc - best:.1f}" if math.isfinite(best) else NOTHING,
        rolling_origin_error=NOTHING if rolling is None else f"{100.0 * rolling:.2f} %",
        end_of_life="never" if end is None else f"{end:.0f}",
    )


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def end_of_life_words(fade: FadeResult, last_cycle: float) -> str:
    """Say when the cell reaches its end of life; "not reached" is an answer."""
    end = fade.end_of_life
    threshold = f"End of life ({_MILLI * end.capacity_ah:.4g} mAh)"
    if end.first_below is not None and end.last_above is not None:
        first, last = f"{end.first_below:.0f}", f"{end.last_above:.0f}"
        return f"{threshold}: first below at cycle {first}, last above at cycle {last}."
    text = f"{threshold}: not reached, > {last_cycle:.0f} cycles."
    if end.predicted is None:
        return f"{text} The data support no prediction."
    return f"{text} The {fade.selected.name} law gets there at cycle {_prediction(end)}."


def _prediction(end: EndOfLife) -> str:
    assert end.predicted is not None
    text = f"{end.predicted:.0f}"
    if end.interval_95 is None:
        return text
    low, high = end.interval_95
    upper = "beyond any" if high is None else f"{high:.0f}"
    return f"{text} (95 % interval {low:.0f} to {upper}, over every law that the data allow)"


def cycle_rows(cycling: CyclingFinding) -> tuple[CycleRow, ...]:
    """Return the formation cycles, the first and last after them, and some evenly between."""
    cycles = cycling.table.cycles
    ageing = [one for one in cycles if one.cycle_count not in cycling.formation_cycles]
    reference = ageing[0].discharging_capacity_ah if ageing else math.nan
    formed = [one for one in cycles if one.cycle_count in cycling.formation_cycles]
    chosen = (*formed[:_SELECTED_CYCLES], *_evenly(ageing))
    return tuple(
        _cycle_row(one, reference, formation=one.cycle_count in cycling.formation_cycles)
        for one in chosen
    )


def _evenly(cycles: list[Cycle]) -> list[Cycle]:
    if len(cycles) <= _SELECTED_CYCLES:
        return cycles
    step = (len(cycles) - 1) / (_SELECTED_CYCLES - 1)
    return [cycles[round(index * step)] for index in range(_SELECTED_CYCLES)]


def _cycle_row(one: Cycle, reference: float, *, formation: bool) -> CycleRow:
    retention = NOTHING if formation else _percent(one.discharging_capacity_ah / reference, 1)
    return CycleRow(
        number=one.cycle_count,
        phase="formation" if formation else "ageing",
        charge=_fixed(_MILLI * one.charging_capacity_ah, 4),
        discharge=_fixed(_MILLI * one.discharging_capacity_ah, 4),
        retention=retention,
        coulombic_efficiency=_percent(one.coulombic_efficiency, 2),
        energy_efficiency=_percent(one.energy_efficiency, 2),
        mean_charging_voltage=_fixed(one.mean_charging_voltage_volt, 3),
        mean_discharging_voltage=_fixed(one.mean_discharging_voltage_volt, 3),
    )


def _percent(fraction: float, decimals: int) -> str:
    return f"{100.0 * fraction:.{decimals}f} %" if math.isfinite(fraction) else NOTHING


def _fixed(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else NOTHING
