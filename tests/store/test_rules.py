"""Rules and where they fired, on both databases: nothing fires twice, every change has its author."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from rig.bench.rule_judging import RuleJudge
from rig.core.alarms import Severity, raise_alarm
from rig.core.alert_rules import AlertRule, Comparison, Statistic
from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput
from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.accounts import Change
from rig.store.alarms import open_alarms
from rig.store.database import open_database
from rig.store.journal import DELIVERED
from rig.store.newest_data import newest_marks
from rig.store.rule_firings import (
    OVER,
    Firing,
    Watched,
    fired_so_far,
    firings,
    firings_of_run,
    follow_firing,
    keep_firing,
    note_watched,
    open_firings,
    runs_to_judge,
    watched,
)
from rig.store.rules import add_rule, alert_rules, change_rule, find_rule, remove_rule
from tests.store.stores import add_runs, run_values

MARIA = Change("maria", 1000)
RULE = AlertRule(
    rule_id="a1" * 16,
    name="Low efficiency",
    runs_where="chemistry = 'NMC'",
    quantity="coulombic_efficiency",
    statistic=Statistic.VALUE,
    reference_cycle=None,
    first_cycle=1,
    comparison=Comparison.BELOW,
    threshold=0.99,
    consecutive=2,
    severity=Severity.WARNING,
    recipients=("maria",),
    enabled=True,
    made_by="maria",
    made_us=1000,
    changed_us=1000,
)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    add_runs(engine, "x")
    yield engine
    engine.dispose()


def fired(rule: AlertRule = RULE, run_id: str = "x", place: int = 7) -> tuple[Firing, object]:
    alarm = raise_alarm(
        rule.severity, rule.kind, "words", raised_us=50, channel="A1", run_id=run_id
    )
    return Firing(rule.rule_id, run_id, place, place, 0.98, 50, None, alarm.alarm_id), alarm


def test_a_rule_is_kept_found_changed_and_taken_away_each_with_its_author(engine) -> None:
    add_rule(engine, RULE, MARIA)
    assert alert_rules(engine) == [RULE]
    assert find_rule(engine, "Low efficiency") == find_rule(engine, "a1a1") == RULE
    other = replace(RULE, threshold=0.95, recipients=(), enabled=False, changed_us=2000)
    change_rule(engine, other, Change("olaf", 2000))
    assert alert_rules(engine) == [other]
    remove_rule(engine, other, Change("ada", 3000))
    remove_rule(engine, other, Change("ada", 3001))
    assert alert_rules(engine) == []
    lines = queries.table_rows(engine, tables.journal, "")
    assert [(line["verb"], line["who"]) for line in lines] == [
        ("rule add", "maria"),
        ("rule change", "olaf"),
        ("rule remove", "ada"),
    ]
    assert lines[0]["answer"] == (
        "Low efficiency: warning for coulombic efficiency below 99 % in 2 cycles in a row, "
        "of runs where chemistry = 'NMC', told to maria"
    )


def test_two_rules_whose_alarms_could_not_be_told_apart_are_refused(engine) -> None:
    add_rule(engine, RULE, MARIA)
    twin = replace(RULE, rule_id="b2" * 16, name="low-efficiency")
    with pytest.raises(BadInput, match="there is a rule 'Low efficiency' already"):
        add_rule(engine, twin, MARIA)
    add_rule(engine, replace(twin, name="Fade"), MARIA)
    with pytest.raises(BadInput, match="already"):
        change_rule(engine, twin, MARIA)
    change_rule(engine, replace(RULE, threshold=0.5), MARIA)  # its own name is no other's


def test_a_rule_that_is_not_there_is_told_with_those_that_are(engine) -> None:
    add_rule(engine, RULE, MARIA)
    with pytest.raises(BadInput, match="did you mean 'Low efficiency'"):
        find_rule(engine, "Low eficiency")
    with pytest.raises(BadInput, match="is gone"):
        change_rule(engine, replace(RULE, rule_id="zz", name="Other"), MARIA)


def test_a_firing_and_its_alarm_are_kept_once_whoever_comes_second(engine) -> None:
    add_rule(engine, RULE, MARIA)
    assert keep_firing(engine, *fired())
    assert not keep_firing(engine, *fired())
    (alarm,) = open_alarms(engine)
    (firing,) = firings(engine, RULE.rule_id)
    assert (alarm.kind, alarm.times) == ("rule-low-efficiency", 1)
    assert (firing.alarm_id, firing.is_open) == (alarm.alarm_id, True)
    follow_firing(engine, firing, 9, 77)
    assert fired_so_far(engine) == {RULE.rule_id: (1, 50)}
    assert open_firings(engine) == []
    (after,) = firings_of_run(engine, RULE.rule_id, "x")
    assert (after.place_last, after.ended_us) == (9, 77)


def test_another_episode_is_counted_in_the_alarm_that_still_stands(engine) -> None:
    add_rule(engine, RULE, MARIA)
    keep_firing(engine, *fired(place=7))
    keep_firing(engine, *fired(place=12))
    (alarm,) = open_alarms(engine)
    assert alarm.times == 2
    assert {one.alarm_id for one in firings(engine, RULE.rule_id)} == {alarm.alarm_id}


def test_a_rule_that_was_taken_away_meanwhile_fires_no_more_and_leaves_nothing(engine) -> None:
    add_rule(engine, RULE, MARIA)
    keep_firing(engine, *fired())
    note_watched(engine, RULE.rule_id, [Watched("x", 0, 7)])
    remove_rule(engine, RULE, MARIA)
    assert not keep_firing(engine, *fired(place=9))
    note_watched(engine, RULE.rule_id, [Watched("x", 0, 8)])
    assert (open_firings(engine), watched(engine, RULE.rule_id)) == ([], {})
    assert len(open_alarms(engine)) == 1  # what was told is still to be seen to


def test_on_a_server_the_same_channel_of_two_rigs_has_two_alarms(database) -> None:
    engine = open_database(database)
    add_runs(engine, "x")
    other = {"rig_id": "other", "name": "labpc4", "created_us": 0}
    queries.insert_row(engine, tables.rig, other)
    queries.insert_row(engine, tables.run, run_values("y") | {"rig_id": "other"})
    add_rule(engine, RULE, MARIA)
    for run_id in ("x", "y"):
        keep_firing(engine, *fired(run_id=run_id))
    assert sorted(alarm.run_id for alarm in open_alarms(engine)) == ["x", "y"]
    engine.dispose()


def test_a_rule_looks_at_what_is_alive_what_it_followed_and_what_began_after_it(engine) -> None:
    add_rule(engine, RULE, MARIA)

    def has(run_id: str, created_us: int, state: RunState) -> None:
        queries.insert_row(engine, tables.run, run_values(run_id, created_us, state))

    has("old", 1, RunState.FINISHED)
    has("followed", 2, RunState.FINISHED)
    has("alive", 3, RunState.RUNNING)
    has("paused", 4, RunState.PAUSED)
    has("new", 5000, RunState.FINISHED)
    note_watched(engine, RULE.rule_id, [Watched("followed", 0, 4)])
    queries.insert_row(engine, tables.cycle, cycle("followed", 5))
    found = {run.run_id: run for run in runs_to_judge(engine, RULE)}
    assert set(found) == {"x", "followed", "alive", "paused", "new"}
    assert (found["followed"].cycles, found["followed"].is_over) == (5, True)
    assert (found["alive"].is_alive, found["paused"].is_alive) == (True, False)
    looked = [
        Watched(run_id, 0, run.cycles, OVER if run.is_over else "") for run_id, run in found.items()
    ]
    note_watched(engine, RULE.rule_id, looked)
    assert runs_to_judge(engine, RULE) == []  # until a cycle ends
    queries.insert_row(engine, tables.cycle, cycle("alive", 1))
    queries.insert_row(engine, tables.cycle, cycle("followed", 6))  # is over: nobody looks
    assert [run.run_id for run in runs_to_judge(engine, RULE)] == ["alive"]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'running' WHERE run_id = 'followed'")
    assert {run.run_id for run in runs_to_judge(engine, RULE)} == {"alive", "followed"}


def cycle(run_id: str, number: int) -> dict[str, object]:
    return {
        "run_id": run_id,
        "cycle_count": number,
        "phase": "",
        "seq_first": 0,
        "seq_last": 1,
        "charging_capacity_ah": 1e-3,
        "discharging_capacity_ah": 1e-3,
        "charging_energy_wh": 4e-3,
        "discharging_energy_wh": 3e-3,
    }


def test_the_mark_of_a_run_changes_with_a_point_of_a_spectrum_as_with_a_sample(engine) -> None:
    (before,) = newest_marks(engine, ["x"]).values()
    assert newest_marks(engine, ["x"]) == {"x": before}
    head = {"run_id": "x", "spectrum_count": 1, "complete": False, "step_count": 1}
    head |= {"cycle_count": 0, "test_time_second": 0.0, "ts_us": 0}
    queries.insert_row(engine, tables.spectrum, head)
    (begun,) = newest_marks(engine, ["x"]).values()
    point = {"run_id": "x", "spectrum_count": 1, "point_index": 0, "ts_us": 1}
    point |= {"frequency_hertz": 1.0, "repeated": False, "flags": 0}
    queries.insert_row(engine, tables.impedance_point, point)
    (pointed,) = newest_marks(engine, ["x"]).values()
    mark = {"run_id": "x", "seq_next": 5, "ts_us": 1}  # delivered, and no longer here
    queries.insert_row(engine, tables.forwarded, mark)
    (delivered,) = newest_marks(engine, ["x"]).values()
    assert len({before, begun, pointed, delivered}) == 4


def test_rules_stay_in_the_database_that_they_were_made_in() -> None:
    assert not {table.name for table in DELIVERED if table.name.startswith("alert")}


def test_rules_are_judged_on_a_server_as_in_a_file(engine) -> None:
    clock = SimulatedClock()
    judge = RuleJudge(engine, lambda: engine, clock)
    add_rule(engine, replace(RULE, runs_where="", consecutive=1, threshold=1.5), MARIA)
    silence = {"rule_id": "c3" * 16, "name": "Dead man", "quantity": "silence", "threshold": 60.0}
    silence |= {"comparison": Comparison.ABOVE, "runs_where": "channel = 'A1'", "consecutive": 1}
    add_rule(engine, replace(RULE, **silence), MARIA)
    queries.insert_row(engine, tables.run, run_values("go", 1, RunState.RUNNING))
    queries.insert_row(engine, tables.cycle, cycle("go", 1))
    (alarm,) = judge.turn()
    assert alarm.kind == "rule-low-efficiency"
    assert alarm.message.endswith("in cycle 1 of channel A1")  # its cell has no record
    clock.wait_until(70.0)
    assert [alarm.kind for alarm in judge.turn()] == ["silence-dead-man"]
    assert sorted(alarm.kind for alarm in open_alarms(engine)) == [
        "rule-low-efficiency",
        "silence-dead-man",
    ]
    RuleJudge(engine, lambda: engine, clock).turn()
    assert sum(count for count, _ in fired_so_far(engine).values()) == 2
