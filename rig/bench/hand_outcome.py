"""What an operation by hand gave: open circuit, a spectrum, what the lead check says. Read from its run.

Nothing is kept beside the run itself: samples and points are there, and the verdict follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from rig.analysis.leads import LeadReadings, Pulse, all_is_well, judge_leads
from rig.bench.file import BenchFile
from rig.bench.hand_operations import Operation, operation_of
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem
from rig.core.instruments import Flag
from rig.core.records import ENDED, RunState
from rig.protocol.program import UNLIMITED
from rig.store import queries, tables
from rig.store.samples import sample_frame

if TYPE_CHECKING:
    import pandas as pd


def outcome_by_hand(engine: Engine, bench: BenchFile, run_id: str) -> dict[str, Any]:
    """Return what an operation gave, as one JSON object; what has not come in yet is missing.

    ``open_circuit`` is mean, scatter and drift; ``spectrum_count`` names a complete spectrum;
    ``leads`` are the verdicts of a lead check once it is over. Raises BadInput for any other run.
    """
    run = queries.find_run(engine, run_id)
    operation = operation_of(run.protocol_name)
    if operation is None:
        raise BadInput(Problem(f"run {run.run_id[:12]}", "was not done by hand"))
    is_over = run.state in _OVER
    frame = sample_frame(engine, run.run_id, _COLUMNS)
    spectra = queries.table_rows(engine, tables.spectrum, run.run_id)
    whole = [row["spectrum_count"] for row in spectra if row["complete"]]
    readings = _readings(engine, bench, run, frame)
    leads = judge_leads(readings) if operation is Operation.LEAD_CHECK and is_over else ()
    return {
        "run_id": run.run_id,
        "channel": run.channel,
        "simulated": bench.simulated,
        "operation": operation.value,
        "state": run.state,
        "reason": run.values["reason"] or "",
        "is_over": is_over,
        "open_circuit": _open_circuit(readings),
        "spectrum_count": whole[-1] if whole else None,
        "leads": [one.plain() for one in leads],
        "leads_well": all_is_well(leads) if leads else None,
        "resistance_ohm": _resistance(engine, run.run_id),
    }


def await_outcome(
    engine: Engine,
    bench: BenchFile,
    run_id: str,
    renew: Callable[[], None],
    every_second: float,
    *,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Wait until an operation is over and return what it gave; ``renew`` says that we are there.

    What ``renew`` raises ends the waiting: the lease is over, and so is the run.
    """
    clock = clock or RealClock()
    due = clock.now() + every_second
    while queries.find_run(engine, run_id).state not in _OVER:
        if clock.now() >= due:
            due = clock.now() + every_second
            renew()
        clock.wait_until(clock.now() + _LOOK_SECOND)
    return outcome_by_hand(engine, bench, run_id)


_LOOK_SECOND = 0.2
_OVER = {state.value for state in ENDED} | {RunState.PAUSED.value}
_COLUMNS = ("test_time_second", "step_count", "voltage_volt", "current_ampere", "flags")
_OPEN_AMPERE = 1e-6  # an instrument at open circuit reads its own noise


def _readings(
    engine: Engine, bench: BenchFile, run: queries.RunRecord, frame: pd.DataFrame
) -> LeadReadings:
    first = frame[frame["step_count"] == frame["step_count"].min()]
    spec = bench.channels.get(run.channel)
    limits = spec.limits if spec is not None else UNLIMITED
    low, high = limits.voltage_min_volt, limits.voltage_max_volt
    points = queries.table_rows(engine, tables.impedance_point, run.run_id)
    return LeadReadings(
        first["test_time_second"].to_numpy(float),
        first["voltage_volt"].to_numpy(float),
        None if low is None or high is None else (low, high),
        _column(points, "frequency_hertz") if points else None,
        _impedance(points) if points else None,
        _pulse(frame),
        spec.leads_ohm if spec is not None else None,
        bool((first["flags"].to_numpy(int) & Flag.OVERLOAD).any()),
    )


def _pulse(frame: pd.DataFrame) -> Pulse | None:
    """The step with a current, and the last look before it."""
    driven = frame[frame["current_ampere"].abs() > _OPEN_AMPERE]
    if driven.empty:
        return None
    before = frame[frame.index < driven.index[0]].dropna(subset=["voltage_volt"])
    if before.empty:
        return None
    last = driven.iloc[-1]
    return Pulse(
        float(before.iloc[-1]["voltage_volt"]),
        float(last["voltage_volt"]),
        float(last["current_ampere"]),
    )


def _open_circuit(readings: LeadReadings) -> dict[str, float] | None:
    good = np.isfinite(readings.voltage_volt)
    second, volt = readings.second[good], readings.voltage_volt[good]
    if not len(volt):
        return None
    slope = 0.0
    if len(volt) > 1 and np.ptp(second) > 0:
        slope = float(np.polyfit(second, volt, 1)[0])
    return {
        "voltage_volt": float(np.mean(volt)),
        "newest_voltage_volt": float(volt[-1]),
        "standard_deviation_volt": float(np.std(volt)),
        "drift_volt_per_hour": 3600.0 * slope,
        "readings": len(volt),
    }


def _column(rows: list[dict[str, Any]], name: str) -> NDArray[np.float64]:
    return np.array([math.nan if row[name] is None else row[name] for row in rows], dtype=float)


def _impedance(rows: list[dict[str, Any]]) -> NDArray[np.complex128]:
    real, imaginary = (_column(rows, f"{part}_impedance_ohm") for part in ("real", "imaginary"))
    return real + 1j * imaginary


def _resistance(engine: Engine, run_id: str) -> float | None:
    rows = queries.table_rows(engine, tables.resistance, run_id)
    return rows[-1]["resistance_ohm"] if rows else None
