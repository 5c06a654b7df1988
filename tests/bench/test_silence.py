"""The dead-man's switch: told once, over when data come again, forgotten by no restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from rig.core.records import RunState
from rig.store.alarms import acknowledge_alarms
from tests.bench.rule_stands import Lab

DEAD_MAN = {"name": "Dead man", "quantity": "silence", "comparison": "above"}


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "rig.db")
    lab.rule(**DEAD_MAN, threshold="2 min", severity="critical")
    lab.run("a", "C1")
    lab.data("a", 0)
    lab.turn()
    yield lab
    lab.engine.dispose()


def test_a_run_of_which_nothing_comes_is_told_once_and_is_over_when_data_come_again(lab) -> None:
    assert lab.turn(110.0) == []
    (alarm,) = lab.turn(20.0)
    assert alarm.message == (
        "Dead man: nothing has come of cell a for 2 min 10 s, and its run goes on"
    )
    assert (alarm.kind, alarm.channel, alarm.unit, alarm.limit_value) == (
        *("silence-dead-man", "C1", "s"),
        120.0,
    )
    assert "engine" in alarm.remedy
    assert lab.turn(600.0) == []
    assert [one.is_open for one in lab.firings] == [True]
    lab.data("a", 1)
    assert lab.turn() == []
    assert [one.is_open for one in lab.firings] == [False]
    assert len(lab.alarms) == 1  # what happened is still to be seen to
    acknowledge_alarms(lab.engine, lab.alarms, wall_us=1, who="maria", reason="cable")
    assert len(lab.turn(200.0)) == 1  # a second silence is another alarm


def test_a_run_that_samples_is_never_told_of_and_costs_no_write(lab) -> None:
    writes = []
    event.listen(
        lab.engine,
        "before_cursor_execute",
        lambda *call: (
            writes.append(call[2]) if "alert" in call[2] and "SELECT" not in call[2] else None
        ),
    )
    for seq in range(1, 40):
        lab.data("a", seq)
        assert lab.turn() == []
    assert writes == []


def test_a_restart_of_who_looks_neither_forgets_a_silence_nor_tells_of_it_twice(lab) -> None:
    lab.turn(60.0)
    lab.restart()
    assert lab.turn(50.0) == []
    assert len(lab.turn(20.0)) == 1
    lab.restart()
    assert lab.turn(60.0) == []


def test_data_that_came_while_nobody_looked_are_news(lab) -> None:
    lab.turn(60.0)
    lab.data("a", 1)
    lab.restart()
    assert lab.turn(300.0) == []
    assert lab.turn(110.0) == []
    assert len(lab.turn(20.0)) == 1


def test_an_engine_that_died_while_nobody_looked_is_told_of_at_the_first_look(lab) -> None:
    lab.turn(30.0)
    lab.clock.wait_until(lab.clock.now() + 3600.0)
    lab.restart()
    (alarm,) = lab.turn()
    assert alarm.value == pytest.approx(3650.0, abs=15.0)


def test_a_pause_is_no_silence_and_begins_the_count_anew(lab) -> None:
    lab.turn(100.0)
    lab.state("a", RunState.PAUSED)
    assert lab.turn(3600.0) == []
    lab.state("a", RunState.RUNNING)
    assert lab.turn() == []
    assert len(lab.turn(130.0)) == 1
    lab.state("a", RunState.PAUSED)
    lab.turn()
    assert not lab.firings[0].is_open


def test_only_the_runs_that_the_rule_names_have_a_dead_man(lab) -> None:
    lab.rule(**DEAD_MAN | {"name": "LFP"}, threshold="1 min", runs_where="chemistry = 'LFP'")
    lab.run("b", "C2", chemistry="LFP")
    lab.turn()
    assert [alarm.channel for alarm in lab.turn(70.0)] == ["C2"]
