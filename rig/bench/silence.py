"""The dead-man's switch: a run that is going on, and nothing new comes of it.

How long it has been silent is measured by the clock of who looks, never by the rig's: that one may have
stopped, or be simulated. What is unchanged since is in the database, so that a restart of who looks
neither forgets a silence nor tells of it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from rig.bench.run_choice import cells_of, choose_runs
from rig.core.alarms import Alarm, raise_alarm
from rig.core.alert_rules import AlertRule
from rig.core.clock import Clock
from rig.core.units import duration
from rig.store.newest_data import newest_marks
from rig.store.rule_firings import (
    Firing,
    Watched,
    alive_runs,
    follow_firing,
    keep_firing,
    note_watched,
    open_firings,
    watched,
)


@dataclass(frozen=True, slots=True)
class _Since:
    """Since when a run's newest data are what they are, by both clocks, and whether that is kept."""

    mark: str
    second: float
    wall_us: int
    is_kept: bool


@dataclass
class SilenceWatch:
    """Judges rules of silence over the runs of a database."""

    store: Engine
    clock: Clock
    _since: dict[tuple[str, str], _Since] = field(default_factory=dict)

    def judge(self, rule: AlertRule) -> list[Alarm]:
        """Look once at every run that is going on; returns the alarms that were raised."""
        alive = alive_runs(self.store)
        cells = cells_of(choose_runs(self.store, rule.runs_where, among=alive, place="runs_where"))
        open_before = {one.run_id: one for one in open_firings(self.store, rule.rule_id)}
        silent = self._silent_second(rule, list(cells))
        raised = []
        for run_id, firing in open_before.items():
            if run_id not in silent or silent[run_id] < rule.threshold:
                self._end(firing)
        for run_id, second in silent.items():
            if second >= rule.threshold and run_id not in open_before:
                raised += self._raise(rule, run_id, alive[run_id], cells[run_id], second)
        return raised

    def _silent_second(self, rule: AlertRule, run_ids: list[str]) -> dict[str, float]:
        """Return for how long nothing has come of each run."""
        marks = newest_marks(self.store, run_ids)
        kept = watched(self.store, rule.rule_id)
        now = self.clock.now()
        for run_id, mark in marks.items():
            key = (rule.rule_id, run_id)
            self._since[key] = self._updated(self._since.get(key), mark, kept.get(run_id))
        self._forget(rule, kept, marks)
        self._keep(rule)
        return {run_id: now - self._since[rule.rule_id, run_id].second for run_id in marks}

    def _updated(self, before: _Since | None, mark: str, kept: Watched | None) -> _Since:
        now, now_us = self.clock.now(), self.clock.wall_us()
        if before is not None and before.mark == mark:
            return replace(before, is_kept=before.is_kept and kept is not None)
        if before is None and kept is not None and kept.mark == mark:
            # The first look after a restart, and nothing has come since it was noted.
            silent_second = max(0.0, (now_us - kept.seen_us) / 1e6)
            return _Since(mark, now - silent_second, kept.seen_us, True)
        return _Since(mark, now, now_us, False)

    def _forget(
        self, rule: AlertRule, kept: Mapping[str, Watched], marks: Mapping[str, str]
    ) -> None:
        """Forget the runs that do not go on: one that was paused begins anew when it is resumed."""
        for key in [key for key in self._since if key[0] == rule.rule_id and key[1] not in marks]:
            del self._since[key]
        left = [one for run_id, one in kept.items() if run_id not in marks and one.mark]
        note_watched(self.store, rule.rule_id, [replace(one, mark="") for one in left])

    def _keep(self, rule: AlertRule) -> None:
        """Note what did not change since the last look: a run that samples costs no write at all."""
        now_us = self.clock.wall_us()
        quiet = {
            key: since
            for key, since in self._since.items()
            if key[0] == rule.rule_id and not since.is_kept and since.wall_us < now_us
        }
        notes = [
            Watched(run_id, mark=since.mark, seen_us=since.wall_us)
            for (_, run_id), since in quiet.items()
        ]
        note_watched(self.store, rule.rule_id, notes)
        for key, since in quiet.items():
            self._since[key] = replace(since, is_kept=True)

    def _raise(
        self, rule: AlertRule, run_id: str, channel: str, cell: str | None, second: float
    ) -> list[Alarm]:
        now_us = self.clock.wall_us()
        whose = cell or f"channel {channel}"
        alarm = raise_alarm(
            rule.severity,
            rule.kind,
            f"{rule.name}: nothing has come of {whose} for {duration(second)}, and its run goes on",
            raised_us=now_us,
            channel=channel,
            run_id=run_id,
            value=second,
            limit=rule.threshold,
            unit="s",
        )
        began_us = self._since[rule.rule_id, run_id].wall_us
        firing = Firing(
            rule.rule_id, run_id, began_us, now_us, second, now_us, None, alarm.alarm_id
        )
        return [alarm] if keep_firing(self.store, firing, alarm) else []

    def _end(self, firing: Firing) -> None:
        now_us = self.clock.wall_us()
        follow_firing(self.store, firing, now_us, now_us)
