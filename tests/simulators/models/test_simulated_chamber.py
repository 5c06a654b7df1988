"""Chamber air and the lag of a sample behind it."""

from __future__ import annotations

import json
import math
import statistics

import pytest

from simulators.interfaces import ChamberAir
from simulators.models.chamber import ChamberTraits, SimulatedChamber, remaining_gap
from simulators.models.thermal import ThermalLag

STILL = ChamberTraits(ripple_kelvin=0.0, ambient_swing_kelvin=0.0)


def test_heating_and_cooling_are_limited_to_their_rates() -> None:
    chamber = SimulatedChamber(STILL, seed=1)
    chamber.set_point(60.0, 0.0)
    assert chamber.air_temperature_celsius(300.0) == pytest.approx(23.0 + 5 * 3.0)
    chamber.set_point(-20.0, 7200.0)
    assert chamber.air_temperature_celsius(7800.0) == pytest.approx(60.0 - 10 * 1.5, abs=1e-6)


def test_the_set_point_is_approached_and_never_passed() -> None:
    chamber = SimulatedChamber(STILL, seed=1)
    chamber.set_point(60.0, 0.0)
    course = [chamber.air_temperature_celsius(10.0 * k) for k in range(400)]
    assert course == sorted(course)
    assert 59.999 < course[-1] <= 60.0


def test_ramp_and_approach_meet_without_a_kink() -> None:
    knee_second = (30.0 - 0.05 * 120.0) / 0.05
    before, at, after = (remaining_gap(30.0, 0.05, 120.0, knee_second + d) for d in (-1, 0, 1))
    assert before - at == pytest.approx(0.05)
    assert at - after == pytest.approx(0.05, rel=0.01)


def test_a_chamber_that_is_off_drifts_to_the_room() -> None:
    chamber = SimulatedChamber(STILL, seed=1)
    chamber.set_point(60.0, 0.0)
    chamber.set_point(None, 7200.0)
    assert chamber.air_temperature_celsius(7200.0 + 3600.0) == pytest.approx(23.0 + 37.0 / math.e)
    assert chamber.air_temperature_celsius(2e5) == pytest.approx(23.0)


def test_the_air_is_the_same_however_often_it_is_asked() -> None:
    often, once = (SimulatedChamber(ChamberTraits(), seed=7) for _ in range(2))
    for chamber in (often, once):
        chamber.air_temperature_celsius(0.0)
    for k in range(3000):
        often.air_temperature_celsius(7.0 * k)
        if k == 500:
            often.set_point(40.0, 3500.0)
    once.set_point(40.0, 3500.0)
    assert once.air_temperature_celsius(21_000.0) == often.air_temperature_celsius(21_000.0)


def test_the_past_keeps_its_temperature_after_a_new_set_point() -> None:
    chamber = SimulatedChamber(ChamberTraits(), seed=7)
    chamber.set_point(40.0, 0.0)
    before = [chamber.air_temperature_celsius(100.0 * k) for k in range(50)]
    chamber.set_point(10.0, 5000.0)
    assert [chamber.air_temperature_celsius(100.0 * k) for k in range(50)] == before


def test_the_regulated_ripple_has_its_size_and_its_memory() -> None:
    chamber = SimulatedChamber(ChamberTraits(ambient_swing_kelvin=0.0), seed=3)
    chamber.set_point(25.0, 0.0)
    air = [chamber.air_temperature_celsius(3600.0 + 60.0 * k) - 25.0 for k in range(20_000)]
    assert statistics.stdev(air) == pytest.approx(0.1, rel=0.15)
    later = air[30:]  # half an hour: one correlation time
    assert statistics.correlation(air[: len(later)], later) == pytest.approx(1 / math.e, abs=0.1)


def test_switching_makes_no_step_in_temperature() -> None:
    chamber = SimulatedChamber(ChamberTraits(), seed=3)
    chamber.set_point(25.0, 0.0)
    before = chamber.air_temperature_celsius(9000.0)
    chamber.set_point(None, 9000.0)
    assert chamber.air_temperature_celsius(9000.0) == pytest.approx(before, abs=1e-9)


def test_another_seed_is_another_ripple_and_the_same_seed_the_same() -> None:
    one, same, other = (SimulatedChamber(ChamberTraits(), seed=s) for s in (1, 1, 2))
    for chamber in (one, same, other):
        chamber.set_point(25.0, 0.0)
    ends = [chamber.air_temperature_celsius(9000.0) for chamber in (one, same, other)]
    assert ends[0] == ends[1] != ends[2]


def test_a_restored_chamber_is_off_and_as_warm_as_it_was() -> None:
    first = SimulatedChamber(ChamberTraits(), seed=5)
    first.set_point(60.0, 100.0)
    end = first.air_temperature_celsius(5000.0)
    saved = json.loads(json.dumps(first.state()))
    second = SimulatedChamber(ChamberTraits(), seed=5)
    second.restore(saved)
    assert second.air_temperature_celsius(9e5) == pytest.approx(end, abs=1e-9)
    first.set_point(None, 5000.0)
    assert second.air_temperature_celsius(9e5 + 1800.0) == pytest.approx(
        first.air_temperature_celsius(6800.0), abs=1e-9
    )


@pytest.mark.parametrize(
    ("minutes", "lag_kelvin"), [(10, 6.065), (45, 1.054), (60, 0.498), (90, 0.111)]
)
def test_a_sample_lags_a_step_of_the_air_as_in_case_s18(
    told_air: ChamberAir, minutes: int, lag_kelvin: float
) -> None:
    sample = ThermalLag(told_air, 1200.0)
    sample.at(0.0)
    told_air.set_point(35.0, 1e-9)  # just after the sample looked
    # The air is looked at every 10 s, so the step comes up to 5 s late.
    assert 35.0 - sample.at(minutes * 60.0) == pytest.approx(lag_kelvin, rel=0.006)


def test_a_sample_s_temperature_does_not_depend_on_how_often_it_is_asked() -> None:
    chamber = SimulatedChamber(ChamberTraits(), seed=7)
    chamber.set_point(60.0, 0.0)
    often, once = ThermalLag(chamber, 900.0), ThermalLag(chamber, 900.0)
    for k in range(2000):
        often.at(3.3 * k)
    once.at(0.0)
    assert once.at(6600.0) == often.at(6600.0)


def test_a_sample_left_alone_catches_up_through_what_the_air_did() -> None:
    chamber = SimulatedChamber(STILL, seed=7)
    watched, forgotten = ThermalLag(chamber, 900.0), ThermalLag(chamber, 900.0)
    watched.at(0.0)
    forgotten.at(0.0)
    for hour, celsius in enumerate((60.0, -20.0, 25.0)):
        chamber.set_point(celsius, 3600.0 * hour)
        watched.at(3600.0 * (hour + 1))
    assert forgotten.at(10_800.0) == watched.at(10_800.0)
    assert abs(watched.at(10_800.0) - 25.0) > 0.5
