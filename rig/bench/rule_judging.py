"""Rules looked at again and again, by who serves the page: what breaks one becomes an alarm, once.

Another process than the engine, so that it can tell of an engine that died. All that must outlive it
is in the database: how far each rule has looked at each run, and where it fired. Time comes from a
clock, so ``turn`` can be called by hand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from rig.analysis.alert_episodes import Episode, Series, compared, episodes, group_medians
from rig.bench.rule_series import SeriesReader
from rig.bench.run_choice import cells_of, choose_runs
from rig.bench.silence import SilenceWatch
from rig.core.alarms import Alarm, raise_alarm
from rig.core.alert_rules import AlertRule
from rig.core.clock import Clock
from rig.core.errors import RigError
from rig.store.rule_firings import (
    OVER,
    Firing,
    JudgedRun,
    Watched,
    firings_of_run,
    follow_firing,
    keep_firing,
    note_watched,
    open_firings,
    over_runs,
    runs_to_judge,
    watched,
)
from rig.store.rules import alert_rules

TURN_SECOND = 10.0
_LOG = logging.getLogger("rig.rules")


@dataclass
class RuleJudge:
    """Judges the runs of ``store``, where its alarms go, too; ``samples_in`` has their samples.

    ``troubles`` says, by the id of a rule, why that one cannot be judged: others are all the same.
    """

    store: Engine
    samples_in: Callable[[], Engine]
    clock: Clock
    troubles: dict[str, str] = field(default_factory=dict)
    _reader: SeriesReader = field(init=False)
    _silence: SilenceWatch = field(init=False)

    def __post_init__(self) -> None:
        self._reader = SeriesReader(self.store, self.samples_in)
        self._silence = SilenceWatch(self.store, self.clock)

    def turn(self) -> list[Alarm]:
        """Look at every rule once; returns the alarms that were raised. Raises StoreError."""
        rules = [rule for rule in alert_rules(self.store) if rule.enabled]
        raised = [alarm for rule in rules for alarm in self._judged(rule)]
        for gone in set(self.troubles) - {rule.rule_id for rule in rules}:
            del self.troubles[gone]
        return raised

    def _judged(self, rule: AlertRule) -> list[Alarm]:
        try:
            raised = self._silence.judge(rule) if rule.is_silence else self._judge(rule)
        except RigError as failure:  # a condition that no longer fits, a segment that is away
            return self._in_trouble(rule, str(failure))
        except Exception as bug:  # a dead-man's switch must not fail of another rule
            return self._in_trouble(rule, f"internal error: {bug!r}")
        self.troubles.pop(rule.rule_id, None)
        return raised

    def _in_trouble(self, rule: AlertRule, why: str) -> list[Alarm]:
        if self.troubles.get(rule.rule_id) != why:
            _LOG.warning("rule %s cannot be judged: %s", rule.name, why)
        self.troubles[rule.rule_id] = why
        return []

    def _judge(self, rule: AlertRule) -> list[Alarm]:
        self._end_of_over_runs(rule)
        runs = runs_to_judge(self.store, rule)
        if not runs:
            return []
        cells = self._cells(rule, [run.run_id for run in runs])
        found, looked = self._compared(rule, cells), watched(self.store, rule.rule_id)
        raised: list[Alarm] = []
        notes = []
        for run in runs:
            before, own = looked.get(run.run_id) or _first_look(rule, run), found.get(run.run_id)
            if own is not None:
                whose = cells[run.run_id] or f"channel {run.channel}"
                raised += self._follow(rule, run, before, own, whose)
            notes.append(_looked(before, run, run.cycles if own is None else max(own, default=0)))
        note_watched(self.store, rule.rule_id, notes)
        return raised

    def _cells(self, rule: AlertRule, among: Sequence[str]) -> dict[str, str | None]:
        """Return those of the runs that the rule names, with the name of the cell of each."""
        return cells_of(choose_runs(self.store, rule.runs_where, among=among, place="runs_where"))

    def _compared(self, rule: AlertRule, run_ids: Iterable[str]) -> dict[str, Series]:
        """Return what the rule compares, by run and cycle."""
        series = self._reader.read(run_ids, rule.quantity)
        medians = group_medians(self._group(rule)) if rule.statistic.needs_group else {}
        return {run_id: compared(own.values, rule, medians) for run_id, own in series.items()}

    def _group(self, rule: AlertRule) -> list[Series]:
        table = choose_runs(self.store, rule.runs_where, place="runs_where")
        read = self._reader.read(table["run_id"], rule.quantity)
        return [series.values for series in read.values()]

    def _follow(
        self, rule: AlertRule, run: JudgedRun, before: Watched, found: Series, cell: str
    ) -> list[Alarm]:
        """Raise what is new of a run, and note how far what was raised has come."""
        broken = episodes(found, rule)
        known = firings_of_run(self.store, rule.rule_id, run.run_id) if broken else []
        raised = []
        for episode in broken:
            same = _overlapping(known, episode)
            if same is not None:
                self._note_progress(same, episode)
            elif episode.last_cycle > before.cycle_from or (episode.is_open and not run.is_over):
                raised += self._raise(rule, run, episode, cell)
        return raised

    def _note_progress(self, firing: Firing, episode: Episode) -> None:
        ended_us = firing.ended_us
        if not episode.is_open and ended_us is None:
            ended_us = self.clock.wall_us()
        if (episode.last_cycle, ended_us) != (firing.place_last, firing.ended_us):
            follow_firing(self.store, firing, episode.last_cycle, ended_us)

    def _raise(self, rule: AlertRule, run: JudgedRun, episode: Episode, cell: str) -> list[Alarm]:
        now_us = self.clock.wall_us()
        value, unit = rule.in_unit(episode.value)
        alarm = raise_alarm(
            rule.severity,
            rule.kind,
            message_of(rule, episode, cell),
            raised_us=now_us,
            channel=run.channel,
            run_id=run.run_id,
            value=value,
            limit=rule.in_unit(rule.threshold)[0],
            unit=unit,
        )
        firing = Firing(
            rule.rule_id,
            run.run_id,
            episode.fired_cycle,
            episode.last_cycle,
            episode.value,
            now_us,
            None if episode.is_open else now_us,
            alarm.alarm_id,
        )
        return [alarm] if keep_firing(self.store, firing, alarm) else []

    def _end_of_over_runs(self, rule: AlertRule) -> None:
        """An episode ends with its run: nothing can come that would end it."""
        still = open_firings(self.store, rule.rule_id)
        over = over_runs(self.store, {firing.run_id for firing in still}) if still else set()
        for firing in still:
            if firing.run_id in over:
                follow_firing(self.store, firing, firing.place_last, self.clock.wall_us())


def message_of(rule: AlertRule, episode: Episode, cell: str) -> str:
    """Return what is said of a firing: which rule, and what it was in which cycle of whom."""
    value = rule.shown(episode.value)
    return f"{rule.name}: {rule.words}; {value} in cycle {episode.fired_cycle} of {cell}"


def _first_look(rule: AlertRule, run: JudgedRun) -> Watched:
    """What was over when the rule was made is old news; what began since is not."""
    is_news = run.created_us >= rule.changed_us
    return Watched(run.run_id, cycle_from=0 if is_news else run.cycles)


def _looked(before: Watched, run: JudgedRun, cycle: int) -> Watched:
    """Note the newest cycle that was looked at: the next may wait for its samples."""
    mark = OVER if run.is_over and cycle == run.cycles else ""
    return Watched(before.run_id, before.cycle_from, cycle, mark)


def _overlapping(known: list[Firing], episode: Episode) -> Firing | None:
    """Return the firing of the same episode: a median that moves may move its ends."""
    return next(
        (
            one
            for one in known
            if episode.first_cycle <= one.place_last and one.place <= episode.last_cycle
        ),
        None,
    )
