"""A rule as people write it: what is wrong is said all at once, what is right means the same back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from rig.bench.rule_reading import Author, RuleText, read_rule, text_of
from rig.core.alert_rules import QUANTITIES, AlertRule, Statistic
from rig.core.errors import BadInput
from tests.bench.many import store_with_fading_runs

AUTHOR = Author("maria", 1000)
GOOD = {"name": "Low", "quantity": "coulombic_efficiency", "threshold": "99.5 %"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    engine = store_with_fading_runs(tmp_path_factory.mktemp("rules") / "lab.db", 1, cycles=1)
    yield engine
    engine.dispose()


def read(engine: Engine, **changed: object) -> AlertRule:
    return read_rule(RuleText(**GOOD | changed), AUTHOR, engine, ["maria", "lab"])  # type: ignore[arg-type]


def problems(engine: Engine, **changed: object) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read(engine, **changed)
    return [str(problem) for problem in caught.value.problems]


def test_a_threshold_is_kept_in_the_base_unit_of_what_is_compared(engine) -> None:
    assert read(engine).threshold == pytest.approx(0.995)
    capacity = {"quantity": "discharging_capacity_ah"}
    assert read(engine, **capacity, threshold="1.8 mAh").threshold == pytest.approx(1.8e-3)
    ratio = capacity | {"statistic": "ratio to cycle", "reference_cycle": 5}
    assert read(engine, **ratio, threshold="80 %").threshold == pytest.approx(0.8)
    difference = capacity | {"statistic": "difference to median", "runs_where": "cycles > 0"}
    assert read(engine, **difference, threshold="-0.2 mAh").threshold == pytest.approx(-2e-4)
    silence = {"quantity": "silence", "comparison": "above"}
    assert read(engine, **silence, threshold="10 min").threshold == 600.0
    assert read(engine, quantity="refused_spectra", threshold="0.5").threshold == 0.5


def test_everything_that_is_wrong_is_said_at_once_with_an_example(engine) -> None:
    found = problems(
        engine,
        name="??",
        threshold="99.5",
        comparison="under",
        statistic="ratio to cycle",
        severity="loud",
        consecutive=0,
        recipients=("mary",),
        runs_where="chemistri = 'NMC'",
    )
    assert [one.partition(":")[0] for one in found] == [
        "name",
        "comparison",
        "severity",
        "consecutive",
        "reference_cycle",
        "threshold",
        "recipients",
        "runs_where",
    ]
    text = "\n".join(found)
    for words in (
        "a letter or a number among them",
        "'loud', expected one of notice, warning, alarm, critical",
        "needs the cycle to compare with",
        "without a unit",
        "did you mean 'maria'",
        "chemistry",
    ):
        assert words in text
    assert text.count("example: ") == len(found)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "name: got ''"),
        ({"name": "two\nlines"}, "in one line"),
        ({"name": "x" * 61}, "1 to 60 characters"),
        ({"quantity": "coulombic"}, "did you mean 'coulombic_efficiency'"),
        ({"threshold": "99 mV"}, "which is a voltage, expected a fraction"),
        ({"statistic": "difference to median"}, "needs a group of like cells"),
        ({"quantity": "silence", "threshold": "5 s"}, "can only be above a time"),
        ({"quantity": "silence", "threshold": "5 s", "comparison": "above"}, "30 s or more"),
        ({"quantity": "silence", "threshold": "5 min", "consecutive": 2}, "knows no cycles"),
        ({"quantity": "refused_spectra", "threshold": "many"}, "expected a number"),
        ({"quantity": "refused_spectra", "threshold": "nan"}, "expected a number"),
        (
            {"quantity": "refused_spectra", "statistic": "ratio to cycle", "reference_cycle": 2},
            "it has no ratio",
        ),
        ({"runs_where": "x" * 2001}, "longer than 2000"),
        ({"runs_where": "1=1) UNION SELECT content FROM read_text('/etc/hostname'"}, "runs_where"),
        ({"runs_where": "cell = '\ud800'"}, "runs_where"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(engine, changed, words) -> None:
    assert words in "\n".join(problems(engine, **changed))


def test_a_rule_may_name_anybody_where_nobody_knows_who_there_is(engine) -> None:
    rule = read_rule(RuleText(**GOOD, recipients=("x", "x")), AUTHOR, engine, None)
    assert rule.recipients == ("x",)


def test_another_wording_keeps_who_made_it_and_when(engine) -> None:
    first = read(engine)
    author = Author("olaf", 2000, first)
    second = read_rule(RuleText(**GOOD | {"severity": "alarm"}), author, engine, None)
    assert (second.rule_id, second.made_by, second.made_us) == (first.rule_id, "maria", 1000)
    assert second.changed_us == 2000


@pytest.fixture(scope="module")
def grouped(engine: Engine) -> AlertRule:
    return read(engine, runs_where="cycles > 0", comparison="above")


@given(
    quantity=st.sampled_from([one for one in QUANTITIES if one != "silence"]),
    statistic=st.sampled_from(Statistic),
    threshold=st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-9),
)
@settings(max_examples=25, deadline=None)
def test_a_rule_written_out_and_read_again_is_the_same_rule(
    engine, grouped, quantity, statistic, threshold
):
    if statistic.is_ratio and quantity == "refused_spectra":
        return
    rule = replace(
        grouped,
        quantity=quantity,
        statistic=statistic,
        reference_cycle=3 if statistic.needs_cycle else None,
        threshold=threshold,
    )
    again = read_rule(text_of(rule), Author("x", 1000, rule), engine, None)
    assert again.threshold == pytest.approx(rule.threshold, rel=1e-9, abs=1e-15)
    assert replace(again, threshold=rule.threshold) == rule
