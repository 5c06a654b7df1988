"""The per-cycle table: capacities, energies, efficiencies, mean voltages, resistance, end reasons.

Samples come as a frame with Battery Data Format columns (``test_time_second``, ``voltage_volt``,
``current_ampere``, ``cycle_count``; optionally ``step_count``, the never-reset counters
``charging_capacity_ah`` ..., and ``step_end_reason``). Positive current charges. Knows no file and
no database.

Charge is the trapezoid over real timestamps within a step. Across a step's edge the current jumps,
so the new step's own current is used there: a trapezoid would average a charge with a discharge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flags import CYC_CE, CYC_GAP, FlagNote, flag
from rig.analysis.regression import FloatArray
from rig.analysis.resistance import first_pulse_resistance
from rig.core.errors import BadInput, Problem, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

IntArray = NDArray[np.int64]

REQUIRED = ("test_time_second", "voltage_volt", "current_ampere", "cycle_count")
_CAPACITY_COUNTERS = ("charging_capacity_ah", "discharging_capacity_ah")
_ENERGY_COUNTERS = ("charging_energy_wh", "discharging_energy_wh")

_SECONDS_PER_HOUR = 3600.0
_CE_LOW, _CE_HIGH = 0.95, 1.005
_GAP_TIMES_MEDIAN = 10.0
_GAP_CHARGE = 0.01  # of the largest cycle


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle; what it does not have (no discharge, no pulse) is nan.

    ``coulombic_efficiency`` is discharge over charge, ``energy_efficiency`` the same of energies,
    mean voltages are energy averages (integral of V dQ over Q).
    """

    cycle_count: int
    charging_capacity_ah: float
    discharging_capacity_ah: float
    charging_energy_wh: float
    discharging_energy_wh: float
    coulombic_efficiency: float
    energy_efficiency: float
    mean_charging_voltage_volt: float
    mean_discharging_voltage_volt: float
    dc_resistance_ohm: float
    duration_second: float
    end_reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        } | {"end_reasons": list(self.end_reasons)}


@dataclass(frozen=True, slots=True)
class CycleTable:
    """All cycles of a test; ``capacity_source`` is ``integrated`` or ``instrument`` (its counters)."""

    cycles: tuple[Cycle, ...]
    capacity_source: str
    flags: tuple[FlagNote, ...]

    def column(self, name: str) -> FloatArray:
        return np.array([getattr(cycle, name) for cycle in self.cycles], dtype=np.float64)

    def to_dict(self) -> dict[str, object]:
        return {
            "cycles": [cycle.to_dict() for cycle in self.cycles],
            "capacity_source": self.capacity_source,
            "n": len(self.cycles),
            "flags": [note.to_dict() for note in self.flags],
        }


@dataclass(frozen=True, slots=True)
class _Samples:
    time: FloatArray
    voltage: FloatArray
    current: FloatArray
    cycle: IntArray
    new_step: NDArray[np.bool_]
    starts: IntArray  # index of the first sample of each cycle

    @property
    def stops(self) -> IntArray:
        return np.append(self.starts[1:], self.time.size)


def cycle_table(samples: pd.DataFrame) -> CycleTable:
    """Compute the table; BadInput for missing columns, gaps in numbers, time or cycles running back.

    The instrument's never-reset counters are used where the frame has them: it integrates faster
    than it reports.
    """
    data = _read(samples)
    charge, energy, largest_gap = _integrate(data)
    counted = _counters(samples, _CAPACITY_COUNTERS, data)
    source = "integrated" if counted is None else "instrument"
    capacities = charge if counted is None else counted
    energies = _counters(samples, _ENERGY_COUNTERS, data) if counted is not None else None
    cycles = _cycles(
        data,
        capacities,
        energy if energies is None else energies,
        first_pulse_resistance(data.time, data.voltage, data.current, data.starts),
        _end_reasons(samples, data),
    )
    flags = (*_check_efficiency(cycles, data), *_check_gap(largest_gap, capacities))
    return CycleTable(cycles, source, flags)


def coulombic_efficiency(first_ah: float, second_ah: float) -> float:
    """Return second over first half-cycle: discharge over charge where the cell is charged first."""
    return second_ah / first_ah


def _read(samples: pd.DataFrame) -> _Samples:
    known = [str(name) for name in samples.columns]
    problems = [
        Problem(
            "columns",
            f"{name} is missing; there are {', '.join(known)}",
            suggestion=did_you_mean(name, known),
        )
        for name in REQUIRED
        if name not in known
    ]
    if problems:
        raise BadInput(problems)
    if samples.empty:
        raise BadInput(Problem("samples", "no rows"))
    time, voltage, current, cycle = (samples[name].to_numpy(np.float64) for name in REQUIRED)
    _refuse_impossible(time, voltage, current, cycle)
    edge = np.diff(cycle, prepend=cycle[0]) != 0
    if "step_count" in known:
        step = samples["step_count"].to_numpy()
        new_step = edge | np.concatenate([[False], step[1:] != step[:-1]])
    else:
        new_step = edge | (np.diff(np.sign(current), prepend=np.sign(current[0])) != 0)
    starts = np.concatenate([[0], np.flatnonzero(edge)]).astype(np.int64)
    return _Samples(time, voltage, current, cycle.astype(np.int64), new_step, starts)


def _refuse_impossible(
    time: FloatArray, voltage: FloatArray, current: FloatArray, cycle: FloatArray
) -> None:
    problems = []
    for name, values in zip(REQUIRED, (time, voltage, current, cycle), strict=True):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            message = f"{bad.size} values are not numbers, the first in data row {bad[0] + 1}"
            problems.append(Problem(name, message))
    for name, values in (("test_time_second", time), ("cycle_count", cycle)):
        back = np.flatnonzero(np.diff(values) < 0)
        if back.size:
            problems.append(Problem(name, f"runs backwards at data row {back[0] + 2}"))
    if problems:
        raise BadInput(problems)


def _integrate(data: _Samples) -> tuple[FloatArray, FloatArray, float]:
    """Charge (Ah) and energy (Wh) per cycle as rows (charging, discharging); charge over gaps."""
    hours = _intervals(data.time, data.new_step) / _SECONDS_PER_HOUR
    charge = _mean_over_interval(data.current, data.new_step) * hours
    energy = _mean_over_interval(data.current * data.voltage, data.new_step) * hours
    usual = np.median(hours[hours > 0]) if np.any(hours > 0) else math.inf
    gaps = hours > _GAP_TIMES_MEDIAN * usual
    largest_gap = float(np.abs(charge[gaps]).max()) if gaps.any() else 0.0
    into = charge > 0
    split = [np.where(into, charge, 0.0), np.where(into, 0.0, -charge)]
    power = [np.where(into, energy, 0.0), np.where(into, 0.0, -energy)]
    return (
        np.stack([np.add.reduceat(part, data.starts) for part in split]),
        np.stack([np.add.reduceat(part, data.starts) for part in power]),
        largest_gap,
    )


def _intervals(time: FloatArray, new_step: NDArray[np.bool_]) -> FloatArray:
    """Seconds each sample stands for; a step's first one no longer than the one that follows.

    A rest may be logged once a minute and the next step every second: the new current did not flow
    since the last sample of the rest.
    """
    seconds = np.diff(time, prepend=time[0])
    following = np.append(seconds[1:], math.inf)
    return np.where(new_step, np.minimum(seconds, following), seconds)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the quotient, nan where the denominator is zero or the numerator is missing (zero)."""
    usable = (denominator > 0) & (numerator != 0)
    result = np.full(numerator.shape, math.nan)
    np.divide(numerator, denominator, out=result, where=usable)
    return result


def _mean_over_interval(values: FloatArray, new_step: NDArray[np.bool_]) -> FloatArray:
    before = np.concatenate([values[:1], values[:-1]])
    return np.where(new_step, values, 0.5 * (values + before))


def _counters(samples: pd.DataFrame, names: tuple[str, str], data: _Samples) -> FloatArray | None:
    """Differences of never-reset counters per cycle, None where absent or in truth reset."""
    if any(name not in samples.columns for name in names):
        return None
    values = samples[list(names)].to_numpy(np.float64).T
    if not np.all(np.isfinite(values)) or np.any(np.diff(values) < 0):
        return None
    ends = values[:, data.stops - 1]
    return np.asarray(np.diff(ends, axis=1, prepend=values[:, :1]), np.float64)


def _cycles(
    data: _Samples,
    capacity: FloatArray,
    energy: FloatArray,
    resistance: FloatArray,
    reasons: list[tuple[str, ...]],
) -> tuple[Cycle, ...]:
    efficiency = _ratio(capacity[1], capacity[0])
    energy_efficiency = _ratio(energy[1], energy[0])
    voltage = _ratio(energy, capacity)
    return tuple(
        Cycle(
            cycle_count=int(data.cycle[start]),
            charging_capacity_ah=float(capacity[0, index]),
            discharging_capacity_ah=float(capacity[1, index]),
            charging_energy_wh=float(energy[0, index]),
            discharging_energy_wh=float(energy[1, index]),
            coulombic_efficiency=float(efficiency[index]),
            energy_efficiency=float(energy_efficiency[index]),
            mean_charging_voltage_volt=float(voltage[0, index]),
            mean_discharging_voltage_volt=float(voltage[1, index]),
            dc_resistance_ohm=float(resistance[index]),
            duration_second=float(data.time[stop - 1] - data.time[start]),
            end_reasons=reasons[index],
        )
        for index, (start, stop) in enumerate(zip(data.starts, data.stops, strict=True))
    )


def _end_reasons(samples: pd.DataFrame, data: _Samples) -> list[tuple[str, ...]]:
    """Why each step of a cycle ended, in order, where the samples say so on a step's last row."""
    if "step_end_reason" not in samples.columns:
        return [()] * data.starts.size
    reason = samples["step_end_reason"].fillna("").astype(str).to_numpy()
    last = np.append(data.new_step[1:], True) & (reason != "")
    return [
        tuple(reason[start:stop][last[start:stop]])
        for start, stop in zip(data.starts, data.stops, strict=True)
    ]


def _check_efficiency(cycles: tuple[Cycle, ...], data: _Samples) -> tuple[FlagNote, ...]:
    """CYC-CE: efficiencies outside 95 to 100.5 %, with the order of the half-cycles named."""
    high = [c.cycle_count for c in cycles if c.coulombic_efficiency > _CE_HIGH]
    low = [c.cycle_count for c in cycles if c.coulombic_efficiency < _CE_LOW]
    notes = []
    if high:
        message = f"coulombic efficiency above 100.5 % in {_listed(high)}"
        flowing = np.flatnonzero(data.current)
        if flowing.size and data.current[flowing[0]] < 0:
            message += "; the test begins with a discharge: is it discharge over charge?"
        notes.append(flag(CYC_CE, message))
    if low:
        notes.append(flag(CYC_CE, f"coulombic efficiency below 95 % in {_listed(low)}"))
    return tuple(notes)


def _check_gap(largest_gap: float, capacity: FloatArray) -> tuple[FlagNote, ...]:
    largest = float(capacity.max()) if capacity.size else 0.0
    if largest == 0.0 or largest_gap <= _GAP_CHARGE * largest:
        return ()
    share = largest_gap / largest
    return (flag(CYC_GAP, f"{share:.1%} of a cycle's charge lies in one gap between samples"),)


def _listed(cycles: list[int]) -> str:
    shown = ", ".join(str(cycle) for cycle in cycles[:5])
    more = f" and {len(cycles) - 5} more" if len(cycles) > 5 else ""
    return f"cycle {shown}{more}"
