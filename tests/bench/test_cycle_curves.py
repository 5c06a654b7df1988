"""Curves of chosen cycles: which are meant, the charge they end at, dQ/dV that adds up to it."""

from __future__ import annotations

import math

import pytest

from rig.bench.cycle_choice import choose_cycles, spread
from rig.bench.cycle_curves import cycle_curves, rows_of
from rig.core.errors import BadInput
from rig.store import queries
from tests.bench.many import ALPHA, CYCLES, run_of, store_with_fading_runs
from tests.store.stores import recorder_on, sample

ENDED = list(range(1, 101))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1, 2, 10-50/20, last", [1, 2, 10, 30, 50, 100]),
        ("first,now", [1, 101]),
        ("98-200", [98, 99, 100, 101]),
        (" 5 ", [5]),
        ("", [1, 21, 41, 60, 80, 100]),
    ],
)
def test_cycles_are_named_one_by_one_or_as_ranges(text: str, expected: list[int]) -> None:
    assert choose_cycles(text, ENDED, 101, "cycles") == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lst", "expected a cycle or a range"),
        ("-3", "expected a cycle or a range"),
        ("1-9/0", "expected a cycle or a range"),
        ("200", "ended: 1 to 100"),
        ("5-3", "there is no such cycle"),
        ("1-100", "100 cycles are meant, at most 24"),
        ("٣", "no such cycle|expected a cycle"),
    ],
)
def test_what_is_not_there_or_too_much_is_told(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        choose_cycles(text, ENDED, None, "cycles")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        choose_cycles("lst, now, 300", ENDED, None, "cycles")
    assert len(caught.value.problems) == 3


def test_a_spread_has_the_first_and_the_last_and_no_cycle_gives_none() -> None:
    assert spread([3, 4]) == [3, 4]
    assert spread([]) == choose_cycles("", [], None, "cycles") == []
    assert choose_cycles("", [], 1, "cycles") == [1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    engine = store_with_fading_runs(tmp_path_factory.mktemp("curves") / "lab.db", 1)
    yield engine
    engine.dispose()


def test_each_half_cycle_ends_at_its_capacity_and_its_bins_add_up_to_it(lab) -> None:
    found = cycle_curves(lab, queries.find_run(lab, run_of(0)), "1, last", voltage_step_volt=0.01)
    assert [one["cycle_count"] for one in found["cycles"]] == [1, CYCLES]
    assert (found["ended"], found["cycle_now"]) == (CYCLES, None)
    for cycle in found["cycles"]:
        capacity = 1e-3 * math.exp(-ALPHA * cycle["cycle_count"])
        for half in ("charge", "discharge"):
            curve = cycle[half]
            assert curve["capacity_ah"][0] == 0.0
            assert curve["capacity_ah"][-1] == pytest.approx(capacity, rel=1e-9)
            bins = curve["incremental_capacity"]
            counted = sum(bins["incremental_capacity_ah_per_volt"]) * 0.01
            assert counted + bins["held_capacity_ah"] == pytest.approx(capacity, rel=1e-6)
    assert {row["half"] for row in rows_of(found)} == {"charge", "discharge"}


def test_the_cycle_that_goes_on_is_now(tmp_path) -> None:
    engine = store_with_fading_runs(tmp_path / "lab.db", 1)
    recorder, seq = recorder_on(engine), CYCLES * 10
    for part in range(5):
        more = {"test_time_second": 1e6 + 600.0 * part, "cycle_count": CYCLES + 1}
        charged = {"charging_capacity_ah": 1.0 + 1e-4 * part, "voltage_volt": 3.7 + 0.1 * part}
        recorder.sample(sample(run_of(0), seq + part, **more, **charged))
    recorder.commit()
    recorder.close()
    found = cycle_curves(engine, queries.find_run(engine, run_of(0)), "now")
    engine.dispose()
    (now,) = found["cycles"]
    assert (now["cycle_count"], now["ended"], found["cycle_now"]) == (9, False, 9)
    assert now["charge"]["capacity_ah"][-1] == pytest.approx(4e-4)
    assert now["discharge"] is None


def test_an_offset_of_the_instrument_at_rest_is_no_half_cycle(tmp_path) -> None:
    engine = store_with_fading_runs(tmp_path / "lab.db", 1)
    recorder, seq = recorder_on(engine), CYCLES * 10
    for part in range(20):  # ten minutes of charge, then a rest with a nanoampere
        more = {"test_time_second": 1e6 + 60.0 * part, "cycle_count": CYCLES + 1}
        charged = 1e-5 * min(part, 10) + 1e-11 * max(0, part - 10)
        volt = 3.7 + 0.05 * min(part, 10) - (0.2 if part > 10 else 0.0)
        recorder.sample(
            sample(
                run_of(0), seq + part, **more, charging_capacity_ah=1.0 + charged, voltage_volt=volt
            )
        )
    recorder.commit()
    recorder.close()
    found = cycle_curves(engine, queries.find_run(engine, run_of(0)), "now")
    engine.dispose()
    charge = found["cycles"][0]["charge"]
    assert charge["samples"] == 11
    assert charge["voltage_volt"][-1] == pytest.approx(4.2)


def test_wrong_cycles_and_a_wrong_resolution_come_together(lab) -> None:
    with pytest.raises(BadInput) as caught:
        cycle_curves(lab, queries.find_run(lab, run_of(0)), "99", voltage_step_volt=3.0)
    assert len(caught.value.problems) == 2
