"""From what a file says to a whole log: steps, cycles and counters where it has none, and checks.

Refuses only what cannot be a test (rig.formats.no_test). Everything else is kept as given and said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rig.formats.counters import since_start
from rig.formats.counting import count_cycles, count_steps, directions
from rig.formats.log import CyclerLog, Finding, RawLog
from rig.formats.no_test import refuse_no_test
from rig.formats.plausible import findings_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FLOWS = tuple((f"charging_{q}", f"discharging_{q}") for q in ("capacity_ah", "energy_wh"))


@dataclass(frozen=True, slots=True)
class Named:
    """Which file it is: its name, its format, and the digest of its bytes."""

    file: str
    format: str
    sha256: str


def complete(raw: RawLog, named: Named) -> CyclerLog:
    """Return the whole log; raises BadInput with everything that makes the file no test."""
    frame = raw.frame.reset_index(drop=True)
    refuse_no_test(frame, named.file)
    given = frozenset(str(name) for name in frame.columns)
    step_count = _steps(frame)
    capacity = since_start(frame, "capacity_ah", step_count)
    energy = since_start(frame, "energy_wh", step_count)
    frame = frame.assign(
        step_count=step_count,
        step_id=_whole(frame, "step_id", step_count),
        **dict(zip(FLOWS[0], capacity.values, strict=True)),
        **dict(zip(FLOWS[1], energy.values, strict=True)),
    )
    steps = _step_table(frame)
    own = _per_row(steps, "own_cycle_count", step_count)
    frame["cycle_count"] = _whole(frame, "cycle_count", own)
    findings = (
        *raw.findings,
        *findings_of(frame, step_count, given),
        *_compared(frame, own, given),
    )
    dated = "unix_time_second" in given or raw.started_us is not None
    return CyclerLog(
        file=named.file,
        format=named.format,
        sha256=named.sha256,
        frame=frame.assign(ts_us=_moments(frame, raw)),
        steps=steps,
        reader=raw.reader,
        metadata=raw.metadata,
        dated=dated,
        cycle_numbers="given" if "cycle_count" in given else "counted",
        capacities=capacity.source,
        energies=energy.source,
        findings=findings if dated else (*findings, _UNDATED),
    )


_UNDATED = Finding("DATE", "the file says no date; its samples are stored as from 1970-01-01")


def _steps(frame: pd.DataFrame) -> IntArray:
    """Return steps that never reset: as given where they are that, else counted from what changes."""
    if "step_count" in frame.columns:
        given = frame["step_count"].to_numpy(np.float64)
        if (np.diff(given) >= 0).all():
            return given.astype(np.int64)
    changing = ("step_id", "step_count", "step_type", "cycle_count")
    marks: list[NDArray[np.generic]] = [
        pd.factorize(frame[name])[0] for name in changing if name in frame.columns
    ]
    if "step_time_second" in frame.columns:
        fell = np.diff(frame["step_time_second"].to_numpy(np.float64), prepend=np.inf) < 0
        marks.append(np.cumsum(fell))
    if not {"step_count", "step_type", "step_time_second"} & set(frame.columns):
        # A maker's program step (BioLogic's Ns) may charge and discharge.
        marks.append(directions(frame["current_ampere"].to_numpy(np.float64)))
    return count_steps(*marks)


def _whole(frame: pd.DataFrame, name: str, instead: IntArray) -> IntArray:
    if name not in frame.columns:
        return instead
    values = frame[name].to_numpy(np.float64)
    return values.astype(np.int64) if np.isfinite(values).all() else instead


def _step_table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per step: its first and last row, what it moved, and our cycle."""
    edge = np.concatenate([[True], np.diff(frame["step_count"].to_numpy()) != 0])
    first = np.flatnonzero(edge)
    last = np.append(first[1:], len(frame)) - 1
    moved = {
        name: _moved(frame[name].to_numpy(np.float64), last) for pair in FLOWS for name in pair
    }
    net = moved["charging_capacity_ah"] - moved["discharging_capacity_ah"]
    types = frame["step_type"].to_numpy()[last] if "step_type" in frame.columns else _types(net)
    return pd.DataFrame(
        {
            "step_count": frame["step_count"].to_numpy()[first],
            "seq_first": first,
            "seq_last": last,
            "step_type": types,
            **moved,
            "own_cycle_count": count_cycles(_without_noise(net)),
        }
    )


def _moved(counter: FloatArray, last: IntArray) -> FloatArray:
    return np.asarray(np.diff(counter[last], prepend=counter[0]), np.float64)


def _without_noise(net: FloatArray) -> FloatArray:
    """A rest's leakage and offset are no half-cycle: below a millionth of the largest it is nought."""
    return np.where(np.abs(net) > 1e-6 * np.abs(net).max(initial=0.0), net, 0.0)


def _types(net: FloatArray) -> NDArray[np.str_]:
    still = _without_noise(net) == 0.0
    return np.where(still, "REST", np.where(net > 0, "CHG", "DCH"))


def _per_row(steps: pd.DataFrame, name: str, step_count: IntArray) -> IntArray:
    lengths = (steps["seq_last"] - steps["seq_first"] + 1).to_numpy()
    assert int(lengths.sum()) == step_count.size
    return np.repeat(steps[name].to_numpy(np.int64), lengths)


def _moments(frame: pd.DataFrame, raw: RawLog) -> IntArray:
    """Return each row's UTC in microseconds: its own, else the start plus test time."""
    if "unix_time_second" in frame.columns:
        unix = frame["unix_time_second"].to_numpy(np.float64)
        if np.isfinite(unix).all():
            return np.round(unix * 1e6).astype(np.int64)
    elapsed = np.round(frame["test_time_second"].to_numpy(np.float64) * 1e6).astype(np.int64)
    return np.asarray((raw.started_us or 0) + elapsed, np.int64)


def _compared(frame: pd.DataFrame, own: IntArray, given: frozenset[str]) -> tuple[Finding, ...]:
    """Say where the file's cycles are not ours."""
    if "cycle_count" not in given:
        words = f"no cycle numbers in the file; {own[-1]} counted by charge and discharge"
        return (Finding("CYCLES-COUNTED", words),)
    cycle = frame["cycle_count"].to_numpy()
    notes = []
    theirs = int(np.unique(cycle).size)
    if abs(theirs - int(own[-1])) > 1:
        words = f"{theirs} cycle numbers in the file, {own[-1]} cycles by charge and discharge"
        notes.append(Finding("CYCLES-DIFFER", f"{words}; --count own takes ours"))
    outside = np.flatnonzero((cycle == 0) & (frame["current_ampere"].to_numpy() != 0.0))
    if outside.size and (cycle > 0).any():
        words = f"current flows in {outside.size} rows of cycle 0, which per-cycle tables leave out"
        notes.append(Finding("CYCLE-ZERO", f"{words}; --count own takes them in"))
    return tuple(notes)
