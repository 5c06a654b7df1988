"""Rules at work: what breaks one is an alarm once, through restarts, moving medians and two judges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from rig.analysis.cycles import cycle_table
from rig.bench.file import load_bench
from rig.bench.rule_judging import RuleJudge
from rig.bench.rule_series import SeriesReader
from rig.bench.run_tables import cycling_samples
from rig.bench.starting import Job, start
from rig.core.alarms import Severity
from rig.core.alert_rules import QUANTITIES
from rig.core.records import RunState
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.alarms import acknowledge_alarms
from rig.store.database import open_database
from rig.store.rules import change_rule, remove_rule
from tests.bench.rule_stands import CHANGE, Lab
from tests.cli.commands import PROTOCOL
from tests.store.stores import recorder_on, sample, store_at


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "rig.db")
    yield lab
    lab.engine.dispose()


def test_a_rule_fires_when_the_nth_cycle_in_a_row_has_ended_and_says_what_it_saw(lab) -> None:
    lab.rule(consecutive=2, severity="alarm")
    lab.run("a", "C1")
    lab.cycle("a", 0.995e-3, 0.98e-3)
    assert lab.turn() == []
    lab.cycle("a", 0.97e-3)
    (alarm,) = lab.turn()
    assert (alarm.severity, alarm.kind) == (Severity.ALARM, "rule-low-efficiency")
    assert (alarm.channel, alarm.run_id) == ("C1", "a")
    assert alarm.message == (
        "Low efficiency: coulombic efficiency below 99 % in 2 cycles in a row; "
        "97 % in cycle 3 of cell a"
    )
    assert alarm.measured == "value 97 %, limit 99 %"
    assert [one.alarm_id for one in lab.alarms] == [alarm.alarm_id]


def test_an_episode_is_told_once_and_ends_when_the_quantity_is_well_again(lab) -> None:
    lab.rule()
    lab.run("a")
    lab.cycle("a", 0.98e-3)
    assert len(lab.turn()) == 1
    lab.cycle("a", 0.98e-3, 0.98e-3)
    assert lab.turn() == []
    assert [(one.place, one.place_last, one.is_open) for one in lab.firings] == [(1, 3, True)]
    lab.cycle("a", 1e-3)
    assert lab.turn() == []
    assert not lab.firings[0].is_open
    lab.cycle("a", 0.9e-3)
    assert len(lab.turn()) == 1
    assert [alarm.times for alarm in lab.alarms] == [2]  # the first is still to be seen to


def test_after_a_restart_nothing_is_told_again_and_nothing_is_missed(lab) -> None:
    lab.rule()
    lab.run("a", "C1")
    lab.run("b", "C2")
    lab.cycle("a", 0.98e-3)
    assert len(lab.turn()) == 1
    lab.cycle("b", 0.98e-3, 1e-3)  # while nobody looks: broken, and well again
    lab.restart()
    assert [alarm.channel for alarm in lab.turn()] == ["C2"]
    lab.restart()
    assert lab.turn() == []


def test_two_who_look_at_one_database_raise_one_alarm(lab) -> None:
    lab.rule()
    lab.run("a")
    lab.cycle("a", 0.98e-3)
    other = RuleJudge(lab.engine, lambda: lab.engine, lab.clock)
    assert len([*lab.turn(), *other.turn()]) == 1
    assert [alarm.times for alarm in lab.alarms] == [1]


def test_a_new_rule_tells_of_what_is_so_now_and_not_of_what_was_over(lab) -> None:
    lab.run("over", "C1")
    lab.cycle("over", 0.9e-3)
    lab.state("over", RunState.FINISHED)
    lab.run("was", "C2")
    lab.cycle("was", 0.9e-3, 1e-3)
    lab.run("is", "C3")
    lab.cycle("is", 1e-3, 0.9e-3)
    lab.clock.wait_until(lab.clock.now() + 1.0)
    lab.rule()
    assert [alarm.run_id for alarm in lab.turn()] == ["is"]
    lab.cycle("was", 0.9e-3)
    assert [alarm.run_id for alarm in lab.turn()] == ["was"]


def test_a_run_that_began_and_ended_while_nobody_looked_is_judged_all_the_same(lab) -> None:
    lab.rule()
    lab.run("night")
    lab.cycle("night", 0.9e-3, 1e-3)
    lab.state("night", RunState.FINISHED)
    assert [alarm.run_id for alarm in lab.turn()] == ["night"]


def test_a_rule_looks_at_the_runs_alone_that_it_names(lab) -> None:
    lab.rule(runs_where="chemistry = 'LFP' and cycles >= 2")
    lab.run("nmc", "C1")
    lab.run("lfp", "C2", chemistry="LFP")
    lab.cycle("nmc", 0.9e-3, 0.9e-3)
    lab.cycle("lfp", 0.9e-3)
    assert lab.turn() == []  # the condition may come true later
    lab.cycle("lfp", 0.9e-3)
    assert [alarm.channel for alarm in lab.turn()] == ["C2"]


def test_retention_is_judged_against_the_cycle_that_the_rule_names(lab) -> None:
    lab.rule(
        name="Fade",
        quantity="discharging_capacity_ah",
        statistic="ratio to cycle",
        reference_cycle=2,
        threshold="80 %",
    )
    lab.run("a")
    lab.cycle("a", 2e-3, 1e-3, 0.81e-3)
    assert lab.turn() == []
    lab.cycle("a", 0.79e-3)
    assert lab.turn()[0].measured == "value 79 %, limit 80 %"


def test_a_cell_that_leaves_its_group_is_told_once_though_the_median_moves_on(lab) -> None:
    lab.rule(
        quantity="discharging_capacity_ah",
        statistic="ratio to median",
        runs_where="chemistry = 'NMC'",
        threshold="90 %",
    )
    for number in range(3):
        lab.run(f"good {number}", f"C{number}")
        lab.cycle(f"good {number}", 1e-3, 1e-3)
    lab.run("bad", "D1")
    lab.cycle("bad", 0.85e-3, 0.85e-3)
    (alarm,) = lab.turn()
    assert alarm.run_id == "bad"
    for number in range(6):  # late cells, which draw the median of the first cycles down
        lab.run(f"late {number}", f"E{number}")
        lab.cycle(f"late {number}", 0.9e-3)
    lab.cycle("bad", 0.85e-3)
    lab.cycle("good 0", 1e-3)
    assert lab.turn() == []


def test_an_episode_ends_with_its_run(lab) -> None:
    lab.rule()
    lab.run("a")
    lab.cycle("a", 0.9e-3)
    lab.turn()
    lab.state("a", RunState.FINISHED)
    lab.turn()
    assert not lab.firings[0].is_open


def test_an_acknowledged_episode_that_goes_on_is_not_told_again(lab) -> None:
    lab.rule()
    lab.run("a")
    lab.cycle("a", 0.9e-3)
    lab.turn()
    acknowledge_alarms(lab.engine, lab.alarms, wall_us=1, who="maria", reason="known")
    lab.cycle("a", 0.9e-3)
    lab.turn()
    assert lab.alarms == []
    lab.cycle("a", 1e-3, 0.9e-3)
    assert [alarm.times for alarm in lab.turn()] == [1]


def test_a_rule_that_is_off_says_nothing_and_one_that_is_changed_looks_anew(lab) -> None:
    rule = lab.rule(enabled=False)
    lab.run("a")
    lab.cycle("a", 0.9e-3)
    assert lab.turn() == []
    change_rule(lab.engine, replace(rule, enabled=True, changed_us=lab.clock.wall_us()), CHANGE)
    assert len(lab.turn()) == 1
    remove_rule(lab.engine, rule, CHANGE)
    lab.cycle("a", 1e-3, 0.9e-3)
    assert lab.turn() == []


def test_a_rule_that_cannot_be_judged_says_why_and_holds_up_no_other(lab) -> None:
    broken = lab.rule(name="Broken", runs_where="chemistry = 'NMC'")
    with lab.engine.begin() as connection:
        where = tables.alert_rule.c.name == "Broken"
        connection.execute(update(tables.alert_rule).where(where).values(runs_where="masss > 1"))
    lab.rule()
    lab.run("a")
    lab.cycle("a", 0.9e-3)
    assert [alarm.kind for alarm in lab.turn()] == ["rule-low-efficiency"]
    assert "masss" in lab.judge.troubles[broken.rule_id]
    remove_rule(lab.engine, broken, CHANGE)
    lab.turn()
    assert lab.judge.troubles == {}


def test_a_bug_in_one_rule_keeps_no_dead_man_from_his_switch(lab) -> None:
    broken = lab.rule(name="A", quantity="dc_resistance_ohm", comparison="above", threshold="1 ohm")
    lab.rule(name="Dead man", quantity="silence", comparison="above", threshold="1 min")
    lab.judge = RuleJudge(lab.engine, lambda: 1 / 0, lab.clock)  # type: ignore[arg-type,return-value]
    lab.run("a")
    lab.cycle("a", 1e-3)
    lab.turn()
    assert [alarm.kind for alarm in lab.turn(70.0)] == ["silence-dead-man"]
    assert lab.judge.troubles[broken.rule_id].startswith("internal error: ZeroDivisionError")


def test_a_cycle_whose_samples_are_still_on_their_way_is_judged_when_they_have_come(
    lab, tmp_path
) -> None:
    """At a rig with a server: its journal has the cycle, the server has not all its samples yet."""
    lab.rule(quantity="dc_resistance_ohm", comparison="above", threshold="1 ohm")
    server = store_at(tmp_path / "server.db", "a")
    lab.judge = RuleJudge(lab.engine, lambda: server, lab.clock)
    lab.run("a")
    recorder = recorder_on(server)
    for seq in range(4):
        rest = {"current_ampere": 0.0, "voltage_volt": 3.7} if seq == 0 else {"voltage_volt": 3.8}
        recorder.sample(sample("a", seq, test_time_second=10.0 * seq, **rest))
    lab.cycle("a", 1e-3)
    assert lab.turn() == []
    recorder.close()
    (alarm,) = lab.turn()
    assert alarm.value == pytest.approx(0.1 / 0.001)
    server.dispose()


# --- the quantities ------------------------------------------------------------------------------


def test_quantities_of_cycles_are_those_of_the_per_cycle_table(tmp_path) -> None:
    """Of a run as the engine keeps it: rig fit cycles reads its samples, a rule its rows."""
    bench, url = load_bench("sim"), f"sqlite:///{tmp_path / 'rig.db'}"
    job = Job(loads_protocol(PROTOCOL), "p.yaml", bench.channels["C1"], "LPS-17")
    start([job], bench, database=url).run()
    engine = open_database(url)
    run = queries.list_runs(engine)[0]
    frame = cycling_samples(engine, run)
    table = cycle_table(frame[frame["cycle_count"] > 0])
    reader = SeriesReader(engine, lambda: engine)
    compared = 0
    for quantity in QUANTITIES:
        if quantity not in {"silence", "refused_spectra"}:
            values = list(reader.read([run.run_id], quantity)[run.run_id].values.values())
            assert values == pytest.approx(list(table.column(quantity)), rel=1e-6, nan_ok=True)
            compared += sum(not math.isnan(value) for value in values)
    assert compared >= 16
    assert reader.read([run.run_id], "refused_spectra")[run.run_id].values == {1: 0.0, 2: 0.0}
    engine.dispose()
