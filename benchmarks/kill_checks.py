"""What must be true of a run that was killed and went on, however often: its own data, and beside a control.

Nothing here knows how it was killed. What is wrong is returned in words; nothing is raised.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kill_watch import Row

from rig.core.records import SAMPLE_COLUMNS
from rig.engine.cursor import Cursor, from_json
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.samples import sample_frame

INTEGRAL_TOLERANCE = 1e-3
COUNTERS = (
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_energy_wh",
    "discharging_energy_wh",
)
BEGUN_AGAIN = "begun again"


@dataclass(frozen=True)
class Story:
    """A run as its database tells it at the end."""

    state: str
    reason: str
    samples: pd.DataFrame
    cursor: Cursor
    steps: pd.DataFrame
    cycles: pd.DataFrame
    spectra: int
    resumed_second: tuple[float, ...]  # the test times at which it was taken up again

    @property
    def path(self) -> list[tuple[int, int]]:
        """Return the steps that were done to their end, by address and cycle."""
        done = self.steps[~self.steps["reason"].str.contains(BEGUN_AGAIN)]
        return list(zip(done["step_id"], done["cycle_count"], strict=True))


def read_story(database: Path) -> Story:
    """Open it as rig does, forward what is in the spool, and read the only run."""
    engine = open_database(f"sqlite:///{database}", create=False)
    with contextlib.ExitStack() as closing:
        closing.callback(engine.dispose)
        forward(engine)
        (record,) = queries.list_runs(engine)
        stored = queries.load_cursor(engine, record.run_id)
        assert stored is not None
        events = queries.table_rows(engine, tables.event, record.run_id)
        spectra = queries.table_rows(engine, tables.spectrum, record.run_id)
        return Story(
            record.state,
            str(record.values["reason"]),
            sample_frame(engine, record.run_id),
            from_json(stored[0]),
            queries.table_frame(engine, tables.step, record.run_id),
            queries.table_frame(engine, tables.cycle, record.run_id),
            sum(bool(spectrum["complete"]) for spectrum in spectra),
            tuple(e["test_time_second"] for e in events if e["kind"] == "resumed"),
        )


# --- the run by itself ---------------------------------------------------------------------------


def wrong_with(story: Story, acknowledged: Sequence[Row]) -> list[str]:
    """Return what is wrong with a finished run; ``acknowledged`` is what was seen before kills."""
    samples, steps = story.samples, story.steps
    count, progress = len(samples), story.cursor.progress
    checks = {
        f"it ended {story.state}: {story.reason}": story.state == "finished",
        "seq is not 0, 1, 2, ...": samples["seq"].tolist() == list(range(count)),
        f"the cursor says {progress.seq} samples, there are {count}": progress.seq == count,
        "test time goes back": samples["test_time_second"].is_monotonic_increasing,
        "wall time goes back": samples["ts_us"].is_monotonic_increasing,
        "a counter falls": all(samples[name].is_monotonic_increasing for name in COUNTERS),
        "an acknowledged sample is gone or changed": is_kept(acknowledged, samples),
        "step_count is not 1, 2, 3, ...": _is_counted(steps["step_count"]),
        "samples between the steps": _cover(steps, count),
        "cycle_count is not 1, 2, 3, ...": _is_counted(story.cycles["cycle_count"]),
        "counters are not those of the cursor": all(
            samples[name].iloc[-1] == getattr(progress, name) for name in COUNTERS
        ),
    }
    wrong = [words for words, is_right in checks.items() if not is_right]
    deviation = integral_deviation(story)
    if not deviation <= INTEGRAL_TOLERANCE:
        wrong.append(f"counters differ from the integral over the samples by {deviation:.2%}")
    return wrong


def is_kept(acknowledged: Sequence[Row], samples: pd.DataFrame) -> bool:
    """Say whether these very rows stand at the beginning still, every column of them."""
    now = samples[list(SAMPLE_COLUMNS)].iloc[: len(acknowledged)]
    before = pd.DataFrame(acknowledged, columns=list(SAMPLE_COLUMNS))
    same = (now == before) | (now.isna() & before.isna())
    return len(now) == len(before) and bool(same.all(axis=None))


def _is_counted(column: pd.Series[Any]) -> bool:
    return column.tolist() == list(range(1, len(column) + 1))


def _cover(steps: pd.DataFrame, count: int) -> bool:
    """Say whether each sample is in one step: the first begins at 0, each ends before the next."""
    begins, ends = steps["seq_first"].tolist(), steps["seq_last"].tolist()
    return begins == [0, *(end + 1 for end in ends[:-1])] and ends[-1] == count - 1


def integral_deviation(story: Story) -> float:
    """Return the largest distance, at any sample, of a counter from the trapezoid over the samples.

    As a part of the charge, or of the energy, that passed in both directions. Nothing is
    integrated from a sample to the next one when the run was taken up again between them.
    """
    samples = story.samples
    time = samples["test_time_second"].to_numpy(float)
    volt = _mean(samples["voltage_volt"])
    ampere = _mean(samples["current_ampere"])
    known = ~np.isnan(ampere) & ~_gaps(time, story.resumed_second)
    charge = np.where(known, ampere * np.diff(time) / 3600.0, 0.0)
    energy = np.where(known, charge * volt, 0.0)
    worst = 0.0
    for name, part in zip(COUNTERS, (charge, -charge, energy, -energy), strict=True):
        counted = samples[name].to_numpy(float)
        summed = np.concatenate(([0.0], np.cumsum(np.maximum(part, 0.0))))
        passed = sum(samples[other].iloc[-1] for other in COUNTERS if other[-3:] == name[-3:])
        worst = max(worst, float(np.abs(summed - counted).max() / passed))
    return worst


def _mean(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    values = column.to_numpy(float)
    mean: np.ndarray[Any, Any] = 0.5 * (values[1:] + values[:-1])
    return mean


def _gaps(time: np.ndarray[Any, Any], resumed: Sequence[float]) -> np.ndarray[Any, Any]:
    """Return, for each pair of neighbours, whether the run was taken up again between them."""
    gaps = np.zeros(len(time) - 1, dtype=bool)
    for second in resumed:  # at the test time of the cursor: that of the last sample, or later
        after = int(np.searchsorted(time, second, side="right"))
        if 0 < after < len(time):
            gaps[after - 1] = True
    return gaps


# --- beside an undisturbed control ---------------------------------------------------------------


def unlike(story: Story, control: Story) -> list[str]:
    """Return in what the two differ that no gap explains: the steps done, the spectra complete."""
    wrong = []
    if story.path != control.path:
        wrong.append("other steps were done to their end than in the control")
    if story.spectra != control.spectra:
        wrong.append(f"{story.spectra} complete spectra, the control has {control.spectra}")
    return wrong


def capacity_deviations(story: Story, control: Story) -> dict[tuple[int, str], tuple[float, float]]:
    """Return, by cycle and counter, by how many Ah it differs from the control's, and those.

    >>> capacity_deviations(story, control)[3, "charging_capacity_ah"]
    (-1.1e-07, 0.00195)
    """
    names = COUNTERS[:2]
    own = {n: story.cycles.set_index("cycle_count")[n].to_dict() for n in names}
    others = {n: control.cycles.set_index("cycle_count")[n].to_dict() for n in names}
    return {
        (int(str(cycle)), name): (own[name][cycle] - whole, whole)
        for name in names
        for cycle, whole in others[name].items()
        if cycle in own[name]
    }
