"""A rule tried before it is kept: when it would have fired, on which run, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rig.bench.rule_reading import Author, RuleText, read_rule
from rig.bench.rule_series import SeriesReader
from rig.bench.rule_trial import Trial, Trier
from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.disk import Disk
from rig.store.retention import drop_rows
from rig.store.sealed import segments_folder
from rig.store.sealing import Place, seal
from tests.bench.rule_stands import Lab

DAY_US = 86_400_000_000


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "rig.db")
    yield lab
    lab.engine.dispose()


def tried(lab: Lab, days: float = 30.0, **text: Any) -> Trial:
    written = {"name": "Low", "quantity": "coulombic_efficiency", "threshold": "99 %"} | text
    now_us = lab.clock.wall_us()
    rule = read_rule(RuleText(**written), Author("maria", now_us), lab.engine, None)
    return trier_in(lab).try_rule(rule, now_us - int(days * DAY_US), now_us)


def trier_in(lab: Lab) -> Trier:
    return Trier(SeriesReader(lab.engine, lambda: lab.engine), lab.clock)


def days_pass(lab: Lab, days: float) -> None:
    lab.clock.wait_until(lab.clock.now() + 86_400.0 * days)


def test_it_says_how_often_on_which_runs_and_in_which_cycle(lab) -> None:
    lab.run("a", "C1")
    lab.cycle("a", 0.9e-3, 1e-3)
    lab.state("a", RunState.FINISHED)
    days_pass(lab, 40)
    lab.run("b", "C1")
    lab.cycle("b", 1e-3, 0.9e-3, 0.9e-3, 1e-3)
    days_pass(lab, 1)
    lab.cycle("b", 0.95e-3)
    lab.run("well", "C2")
    lab.cycle("well", 1e-3)
    trial = tried(lab)
    assert trial.words == "would have fired 2 times in 30 days, on 1 of 2 runs"
    assert [(one.run_id, one.cell, one.cycle_count, one.value_words) for one in trial.firings] == [
        ("b", "cell b", 5, "95 %"),
        ("b", "cell b", 2, "90 %"),
    ]
    assert trial.firings[0].ts_us - trial.firings[1].ts_us >= DAY_US
    assert tried(lab, days=60).total == 3
    assert tried(lab, runs_where="cell = 'cell well'").words == (
        "would not have fired in 30 days, on any of 1 run"
    )
    assert tried(lab, runs_where="cell = 'nobody'").words == (
        "no run that it names went on in 30 days"
    )


def test_what_was_told_live_is_what_a_trial_finds(lab) -> None:
    lab.rule(consecutive=2)
    lab.run("a", "C1")
    live = []
    for efficiency in (1.0, 0.98, 0.98, 0.98, 1.0, 0.9, 0.9, 1.0):
        lab.cycle("a", efficiency * 1e-3)
        lab.turn()
        live = [one.place for one in lab.firings]
    assert [one.cycle_count for one in tried(lab, consecutive=2).firings] == live == [7, 3]


def test_what_takes_too_long_ends_and_says_how_many_runs_were_left_out(lab) -> None:
    for number in range(30):
        lab.run(f"run {number}", f"A{number}")
    trier = trier_in(lab)
    now_us = lab.clock.wall_us()
    rule = read_rule(
        RuleText("Low", "coulombic_efficiency", "99 %"), Author("m", 1), lab.engine, None
    )
    reading = trier.reader.read

    def slow(run_ids: Any, quantity: str) -> Any:
        lab.clock.wait_until(lab.clock.now() + 20.0)
        return reading(run_ids, quantity)

    trier.reader.read = slow  # type: ignore[method-assign]
    trial = trier.try_rule(rule, 0, now_us)
    assert (trial.runs, trial.runs_left_out) == (25, 5)
    assert "5 older runs were not looked at" in trial.words


# --- silence -------------------------------------------------------------------------------------

SILENCE = {"quantity": "silence", "comparison": "above", "threshold": "10 min"}


def test_gaps_of_a_run_are_silences_and_so_is_what_no_longer_comes(lab) -> None:
    lab.run("a", "C1")
    for minutes in (0, 5, 30, 31):
        lab.clock.wait_until(60.0 * minutes)
        lab.data("a", minutes)
    lab.clock.wait_until(60.0 * 50)
    trial = tried(lab, **SILENCE)
    assert [one.value for one in trial.firings] == [19 * 60.0, 25 * 60.0]
    assert [one.cycle_count for one in trial.firings] == [None, None]
    lab.state("a", RunState.FINISHED)
    assert tried(lab, **SILENCE).total == 1


def test_a_pause_and_a_long_spectrum_are_no_silence(lab) -> None:
    lab.run("a", "C1")
    lab.data("a", 0)
    began_us = lab.clock.wall_us()
    for minutes, message in ((2, "paused: lunch"), (42, "starting"), (43, "running")):
        row = {"run_id": "a", "ts_us": began_us + minutes * 60_000_000, "kind": "state"}
        row |= {"test_time_second": 0.0, "message": message}
        queries.insert_row(lab.engine, tables.event, row)
    lab.clock.wait_until(45 * 60.0)
    lab.data("a", 1)  # a gap of 45 min, of which it was paused for 40
    for index in range(1, 4):
        point = {"run_id": "a", "spectrum_count": 1, "point_index": index, "repeated": False}
        point |= {"ts_us": lab.clock.wall_us() + index * 540_000_000, "flags": 0}
        queries.insert_row(lab.engine, tables.impedance_point, point | {"frequency_hertz": 1.0})
    lab.clock.wait_until(80 * 60.0)
    assert tried(lab, **SILENCE).total == 0
    assert tried(lab, **SILENCE | {"threshold": "4 min"}).total > 0


def test_sealed_runs_are_tried_from_their_files(lab) -> None:
    lab.run("a", "C1")
    lab.cycle("a", 0.9e-3)
    lab.state("a", RunState.FINISHED)
    before = tried(lab)
    place = Place(segments_folder(lab.engine), Disk())
    seal(lab.engine, queries.find_run(lab.engine, "a"), place, lab.clock.wall_us())
    assert drop_rows(lab.engine, "a", place, lab.clock.wall_us()) > 0
    assert tried(lab) == before
    assert before.total == 1
