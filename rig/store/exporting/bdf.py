"""A run's samples in the Battery Data Format, with every column that can be had from them.

What resets (at cycles, at steps) is counted from what never does, so that no two columns can disagree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rig.formats.vocabulary import LABELS, REQUIRED, counter_names

FloatArray = NDArray[np.float64]

_KINDS = {"rest": "REST", "set_temperature": "REST", "eis": "EIS", "resistance": "RESISTANCE"}
_ACTIVE = {"charge": "CC", "discharge": "CC", "hold": "CV", "cccv": "CCCV"}
_TIME_DIGITS = 6  # a microsecond, as the samples' own clock has it


def bdf_frame(samples: pd.DataFrame, steps: pd.DataFrame, *, dated: bool = True) -> pd.DataFrame:
    """Return samples under the format's preferred labels; positive current charges in both.

    ``steps`` is the run's step table: it says what a step was and when it began. Samples without a
    voltage or a current are left out, as the format requires both, unless none has them. The format's
    cycle count never falls, ours is 0 outside of counted loops: the last count goes on there. Columns
    without a single value are left out, but for the three that are required.
    """
    kept = samples[complete_rows(samples)]
    frame = kept.assign(**_counted(kept), **_of_steps(kept, steps), **_auxiliary(kept))
    if dated:
        frame["unix_time_second"] = kept["ts_us"] / 1e6
    if "record_index" not in frame:
        frame["record_index"] = kept["seq"]
    frame["cycle_count"] = kept["cycle_count"].cummax()
    known = [
        name for name in LABELS if name in frame and (name in REQUIRED or frame[name].notna().any())
    ]
    return frame[known].rename(columns=LABELS)


def complete_rows(samples: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which samples have voltage and current; all of them where none has."""
    whole = samples[["voltage_volt", "current_ampere"]].notna().all(axis=1).to_numpy(dtype=bool)
    return whole if whole.any() else np.ones(len(samples), dtype=bool)


def _counted(samples: pd.DataFrame) -> dict[str, FloatArray]:
    """Return every counter that follows from charge and discharge since the start."""
    cycle = samples["cycle_count"].cummax().to_numpy()
    made = {"power_watt": _numbers(samples, "voltage_volt") * _numbers(samples, "current_ampere")}
    for since, marks in (("", None), ("cycle", cycle), ("step", samples["step_count"].to_numpy())):
        names = counter_names(since)
        for quantity, four in (("capacity_ah", names[:4]), ("energy_wh", names[4:])):
            into, out = (
                _since(_numbers(samples, f"{flow}_{quantity}"), marks)
                for flow in ("charging", "discharging")
            )
            made |= dict(zip(four, (into, out, into - out, into + out), strict=True))
    return made


def _numbers(samples: pd.DataFrame, name: str) -> FloatArray:
    return samples[name].to_numpy(np.float64, na_value=np.nan)


def _since(counter: FloatArray, marks: NDArray[np.generic] | None) -> FloatArray:
    """Return a counter as if it were reset at the end of each stretch of equal ``marks``."""
    if marks is None or not counter.size:
        return counter
    starts = np.flatnonzero(np.concatenate([[True], marks[1:] != marks[:-1]]))
    before = np.append(0.0, counter[starts[1:] - 1])
    return np.asarray(counter - np.repeat(before, np.diff(np.append(starts, counter.size))))


def _of_steps(samples: pd.DataFrame, steps: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what a sample has from its step: time and number within it, and what it does."""
    step = samples["step_count"]
    first = samples.groupby("step_count", sort=False)["test_time_second"].transform("min")
    began = step.map(steps.set_index("step_count")["began_second"]).fillna(first)
    return {
        "step_time_second": (samples["test_time_second"] - began).round(_TIME_DIGITS),
        "step_record_index": samples.groupby("step_count", sort=False).cumcount() + 1,
        "step_type": step.map(dict(zip(steps["step_count"], _types(steps), strict=True))),
    }


def _types(steps: pd.DataFrame) -> list[str]:
    """Return the format's words for steps: ``CC_CHG``, ``CV_DCH``, ``CCCV_CHG``, ``REST``, ``EIS``."""
    columns: Sequence[str] = ("kind", "words", "capacity_ah")
    return [step_type(*row) for row in zip(*(steps[name] for name in columns), strict=True)]


def step_type(kind: str, words: str, capacity_ah: float) -> str:
    """Return what a step is called in the format; of an imported run ``words`` are that already.

    >>> step_type("hold", "hold at 4.2 V", -0.001), step_type("charge", "CP_CHG", 0.002)
    ('CV_DCH', 'CP_CHG')
    """
    if words.isupper() and " " not in words:
        return words
    if kind not in _ACTIVE:
        return _KINDS.get(kind, kind.upper())
    charges = kind == "charge" or (kind != "discharge" and capacity_ah >= 0)
    return f"{_ACTIVE[kind]}_{'CHG' if charges else 'DCH'}"


def _auxiliary(samples: pd.DataFrame) -> dict[str, pd.Series]:
    """Return those of a sample's other readings that are columns of the format."""
    if "aux" not in samples or not samples["aux"].notna().any():
        return {}
    every = [entry if isinstance(entry, dict) else {} for entry in samples["aux"]]
    names = dict.fromkeys(name for entry in every for name in entry)
    return {
        name: pd.Series([entry.get(name) for entry in every], index=samples.index)
        for name in names
        if name in LABELS and name not in samples
    }
