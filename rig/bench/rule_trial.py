"""A rule tried on what is stored: when it would have fired, on which run, in which cycle.

Before a rule is kept, somebody should know whether it would have been told of three times last month, or
of three hundred. Imported runs count here, too.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from rig.analysis.alert_episodes import Series, compared, episodes, group_medians
from rig.bench.rule_series import FROM_SAMPLES, CycleSeries, SeriesReader
from rig.bench.run_choice import choose_runs
from rig.bench.silence_trial import silences
from rig.core.alert_rules import AlertRule
from rig.core.clock import Clock
from rig.core.errors import StoreError
from rig.core.records import ENDED, RunState
from rig.store.live import ALIVE
from rig.store.samples import Window, samples

PATIENCE_SECOND = 15.0
MOST_NAMED = 200
_AT_ONCE = 25  # runs, between two looks at the clock; one where its samples have to be read


@dataclass(frozen=True, slots=True)
class TriedRun:
    """A run that a rule is tried on; times are UTC microseconds."""

    run_id: str
    channel: str
    cell: str | None
    protocol: str
    state: RunState
    started_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One time that a rule would have fired: ``cycle_count`` is None for a silence."""

    run_id: str
    channel: str
    cell: str | None
    protocol: str
    cycle_count: int | None
    value: float
    value_words: str
    ts_us: int


@dataclass(frozen=True, slots=True)
class Trial:
    """When a rule would have fired between two moments (UTC microseconds), newest first.

    ``total`` counts all of them and ``runs_that_fired`` on how many of ``runs``; ``firings`` names the
    newest. ``runs_left_out`` were not looked at, because it would have taken too long.
    """

    rule_words: str
    begin_us: int
    end_us: int
    total: int
    runs_that_fired: int
    firings: tuple[WouldFire, ...]
    runs: int
    runs_left_out: int

    @property
    def words(self) -> str:
        """The answer in a sentence."""
        days = f"in {(self.end_us - self.begin_us) / 86_400e6:.0f} days"
        left = f"; {self.runs_left_out} older runs were not looked at" if self.runs_left_out else ""
        if not self.runs:
            return f"no run that it names went on {days}{left}"
        times = {0: "not have fired", 1: "have fired once"}.get(
            self.total, f"have fired {self.total} times"
        )
        of = f"{self.runs_that_fired} of {self.runs}" if self.total else f"any of {self.runs}"
        return f"would {times} {days}, on {of} run{'' if self.runs == 1 else 's'}{left}"

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self) | {"words": self.words}


@dataclass
class Trier:
    """Tries rules on the runs of ``reader``; the clock ends what takes too long."""

    reader: SeriesReader
    clock: Clock
    patience_second: float = PATIENCE_SECOND

    def try_rule(self, rule: AlertRule, begin_us: int, end_us: int) -> Trial:
        """Return when a rule would have fired between two moments; BadInput for its condition."""
        table = choose_runs(self.reader.rows, rule.runs_where, place="runs_where")
        runs = _between(table, begin_us, end_us)
        medians = self._medians(rule, table) if rule.statistic.needs_group else {}
        deadline = self.clock.now() + self.patience_second
        found: list[WouldFire] = []
        at_once = 1 if rule.is_silence or rule.quantity in FROM_SAMPLES else _AT_ONCE
        done = 0
        while done < len(runs) and self.clock.now() <= deadline:
            part = runs[done : done + at_once]
            found += (
                self._silences(rule, part) if rule.is_silence else self._of(rule, part, medians)
            )
            done += len(part)
        inside = [one for one in found if begin_us <= one.ts_us <= end_us]
        inside.sort(key=lambda one: one.ts_us, reverse=True)
        return Trial(
            rule.words,
            begin_us,
            end_us,
            len(inside),
            len({one.run_id for one in inside}),
            tuple(inside[:MOST_NAMED]),
            done,
            len(runs) - done,
        )

    def _medians(self, rule: AlertRule, table: pd.DataFrame) -> Series:
        group = self.reader.read(table["run_id"], rule.quantity)
        return group_medians(series.values for series in group.values())

    def _of(
        self, rule: AlertRule, runs: Sequence[TriedRun], medians: Series
    ) -> Iterator[WouldFire]:
        series = self.reader.read([run.run_id for run in runs], rule.quantity)
        for run in runs:
            own = series[run.run_id]
            for episode in episodes(compared(own.values, rule, medians), rule):
                ts_us = self._moment(run, own, episode.fired_cycle)
                yield _would_fire(rule, run, episode.fired_cycle, episode.value, ts_us)

    def _moment(self, run: TriedRun, series: CycleSeries, cycle: int) -> int:
        """Return when a cycle ended: the time of its last sample, or of the run's begin without it."""
        seq = series.seq_last[cycle]
        table = samples(self.reader.samples_in(), run.run_id, ("ts_us",), Window(seq, seq))
        return int(table.column(0)[0].as_py()) if table.num_rows else run.started_us

    def _silences(self, rule: AlertRule, runs: Sequence[TriedRun]) -> Iterator[WouldFire]:
        for run in runs:
            until_us = self.clock.wall_us() if run.state in ALIVE else None
            with suppress(StoreError):  # a segment that is away: the others are worth having
                for one in silences(
                    self.reader.rows,
                    self.reader.samples_in(),
                    run.run_id,
                    rule.threshold,
                    until_us,
                ):
                    fired_us = one.began_us + int(rule.threshold * 1e6)
                    yield _would_fire(rule, run, None, one.second, fired_us)


def _would_fire(
    rule: AlertRule, run: TriedRun, cycle: int | None, value: float, ts_us: int
) -> WouldFire:
    shown = rule.shown(value)
    return WouldFire(run.run_id, run.channel, run.cell, run.protocol, cycle, value, shown, ts_us)


def _between(table: pd.DataFrame, begin_us: int, end_us: int) -> list[TriedRun]:
    """Return the runs that went on at some time between two moments, newest first."""
    runs = [_tried(row) for row in table.to_dict("records") if _us(row["started"]) is not None]
    return [
        run
        for run in runs
        if run.started_us <= end_us and (run.ended_us is None or run.ended_us >= begin_us)
    ]


def _tried(row: dict[Any, Any]) -> TriedRun:
    state, started_us = RunState(row["state"]), _us(row["started"])
    assert started_us is not None
    ended_us = _us(row["ended"]) if state in ENDED else None
    cell = row["cell"] if isinstance(row["cell"], str) else None
    return TriedRun(
        row["run_id"], row["channel"], cell, row["protocol"], state, started_us, ended_us
    )


def _us(moment: datetime.datetime | None) -> int | None:
    return None if moment is None or pd.isna(moment) else int(pd.Timestamp(moment).value // 1000)
