"""Analyses with settings of one's own: read as text, refused all at once, and they change the result."""

from __future__ import annotations

import math

import pytest

from rig.bench.analysis_settings import read_end_of_life, read_settings_of
from rig.bench.results import keep_outcome
from rig.bench.run_fits import RunTask, fit_runs
from rig.core.errors import BadInput
from rig.store import queries, tables
from tests.bench.many import CYCLES, alpha_of, run_of, store_with_fading_runs


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "lab.db"
    engine = store_with_fading_runs(path, 1)
    yield engine, f"sqlite:///{path}"
    engine.dispose()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.8", (0.8, None)), ("70 %", (0.7, None)), ("1.4", (0.0, 1.4)), ("1.4 mAh", (0.0, 1.4e-3))],
)
def test_an_end_of_life_is_a_fraction_or_a_capacity(text, expected) -> None:
    assert read_end_of_life(text, "end") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("fad", {}, "did you mean 'fade'"),
        ("fade", {"end_of_lif": "1"}, "did you mean 'end_of_life'"),
        ("fade", {"end_of_life": "-1"}, "above zero"),
        ("fade", {"end_of_life": "inf"}, "above zero"),
        ("fade", {"law": "expo"}, "one of exponential"),
        ("fade", {"reference_cycle": "0"}, "a whole number from 1"),
        ("fade", {"reference_cycle": "٣"}, "a whole number from 1"),
        ("eis", {"circuit": "R0-Q1"}, "settings circuit"),
        ("eis", {"spectrum": "1"}, "a circuit of your own"),
        ("arrhenius", {"convention": "ln"}, "one of ln_sigma"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(kind, given, words) -> None:
    with pytest.raises(BadInput, match=words):
        read_settings_of(kind, given)


def test_all_that_is_wrong_comes_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read_settings_of("fade", {"law": "x", "reference_cycle": "y", "z": ""})
    assert len(caught.value.problems) == 3


def fade(url: str, **settings: str) -> dict[str, object]:
    (outcome,) = fit_runs(RunTask("fade", (run_of(0),), url, settings))
    assert not outcome.problem
    return dict(outcome.values)


def test_settings_change_what_comes_out(lab) -> None:
    _, url = lab
    usual = fade(url)
    late = fade(url, reference_cycle="3", law="exponential", end_of_life="90 %")
    assert usual["n"] == CYCLES
    assert late["n"] == CYCLES - 2
    assert late["selected"] == "exponential"
    end = late["end_of_life"]
    third = 1e-3 * math.exp(-3 * alpha_of(0))
    assert end["capacity_ah"] == pytest.approx(0.9 * third, rel=1e-6)  # type: ignore[index]


def test_a_reference_cycle_that_is_not_there_is_the_runs_own_problem(lab) -> None:
    _, url = lab
    (outcome,) = fit_runs(RunTask("fade", (run_of(0),), url, {"reference_cycle": "99"}))
    assert "cycle 99 is not among the finished ones" in outcome.problem


def test_results_with_other_settings_stand_beside_the_usual_one_and_the_same_replace_themselves(
    lab,
):
    engine, url = lab
    for settings in ({}, {"law": "linear"}, {"law": "linear"}, {"law": "sqrt"}):
        (outcome,) = fit_runs(RunTask("fade", (run_of(0),), url, settings))
        keep_outcome(engine, "fade", outcome, settings, "maria")
    rows = queries.table_rows(engine, tables.result, run_of(0))
    kept = [row["values"].get("settings") for row in rows]
    assert sorted(kept, key=str) == sorted([None, {"law": "linear"}, {"law": "sqrt"}], key=str)
    assert {row["values"].get("who") for row in rows} == {None, "maria"}
