"""Why a run does what it does and what comes next: the nearest end, with margin and time, in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.estimates import ChamberUse, Outlook, Point
from rig.bench.outlook import outlook
from rig.engine.cursor import Cursor, Place, Progress, Soak, Suspension
from rig.protocol import loads_protocol
from rig.protocol.program import Program, Suspend, SuspendCondition

HEAD = """protocol: 1
name: outlooks
cell: {area: 1 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
suspend: {temperature: {beyond: 2 K, resume: 1 K, settle: 10 min}}
steps:
"""


def program(*steps: str) -> Program:
    return loads_protocol(HEAD + "".join(f"  - {step}\n" for step in steps))


def at(second: float, *, pc: int = 0, volt: float = 3.9, ampere: float = 1e-3, **place) -> Cursor:
    progress = Progress(second, voltage_volt=volt, current_ampere=ampere)
    return Cursor(Place(pc=pc, step_count=1, step_open=True, **place), progress)


def line(volt: Callable[[float], float], *, until: float, **other: float) -> list[Point]:
    """Ten samples, ten seconds apart, the last at ``until``."""
    values = {"current_ampere": 1e-3, "temperature_celsius": 25.0} | other
    times = [until - 10.0 * back for back in range(9, -1, -1)]
    return [Point(t, volt(t), **values) for t in times]


CHARGE = program("charge: {at: C/2, until: 4.2 V, for: 5 h}", "rest: {for: 10 min}")


def test_the_end_that_comes_first_is_named_with_margin_and_time() -> None:
    """1 mV/s from 4.0 V at 100 s: 4.2 V is 200 s away, the end of five hours is not."""
    found = outlook(CHARGE, at(100.0, volt=4.0), line(lambda t: 3.9 + t * 1e-3, until=100.0))
    assert found.words == "4.000 of 4.200 V, about 3 min"
    assert found.second == pytest.approx(200.0)
    assert found.then == "rest for 10 min"


def test_a_voltage_that_goes_nowhere_leaves_the_word_to_the_time() -> None:
    flat = line(lambda t: 4.0 + 1e-4 * math.sin(t), until=3600.0)
    found = outlook(CHARGE, at(3600.0, volt=4.0), flat)
    assert found.words == "1 h 00 min of 5 h 00 min, 4 h 00 min left"


def test_a_voltage_that_runs_away_from_its_end_promises_no_time() -> None:
    falling = line(lambda t: 4.1 - t * 1e-4, until=100.0)
    only = program("charge: {at: C/2, until: 4.2 V}", "rest: {for: 10 min}")
    found = outlook(only, at(100.0, volt=4.09), falling)
    assert found == Outlook("4.090 of 4.200 V", None, "rest for 10 min")


def test_a_discharge_counts_down() -> None:
    found = outlook(
        program("discharge: {at: C/2, until: 2.8 V}"),
        at(100.0, volt=3.0, ampere=-1e-3),
        line(lambda t: 3.1 - t * 1e-3, until=100.0),
    )
    assert found.words == "3.000 down to 2.800 V, about 3 min"
    assert found.then == "the end of the protocol"


def test_a_cc_cv_says_first_when_its_voltage_is_reached_and_then_what_current_ends_it() -> None:
    cccv = program("cccv: {at: C/2, to: 4.2 V, until: C/20, for: 5 h}")
    early = outlook(cccv, at(100.0, volt=4.0), line(lambda t: 3.9 + t * 1e-3, until=100.0))
    assert early.words == "4.000 of 4.200 V, about 3 min"
    assert early.then == "holds that voltage"
    decay = [
        Point(t, 4.2, 1e-3 * math.exp(-t / 100.0), 25.0) for t in (60, 70, 80, 90, 100, 110, 120)
    ]
    late = outlook(cccv, at(120.0, volt=4.2, ampere=decay[-1].current_ampere), decay)
    assert late.words == "301.2 down to 100.0 µA, about 110 s"
    assert late.second == pytest.approx(110.26, abs=0.1)


def test_charge_that_is_counted_arrives_when_the_present_current_has_brought_it() -> None:
    steps = program("charge: {at: 1 mA, until: 1 mAh}")
    cursor = at(100.0)
    cursor = cursor._replace(progress=cursor.progress._replace(step_capacity_ah=0.5e-3))
    found = outlook(steps, cursor, [])
    assert found.words == "0.500 of 1.000 mAh, about 30 min"


def test_an_end_that_stops_or_leaves_the_loop_says_so() -> None:
    steps = program("charge: {at: 1 mA, until: [{voltage: 4.2 V, then: stop}]}")
    found = outlook(steps, at(100.0, volt=4.0), [])
    assert found.then == "stops"


SOAK = program("set_temperature: {to: 60 degC, within: 0.5 K, soak: 30 min, timeout: 3 h}")


def test_a_run_that_waits_for_a_chamber_says_for_whom() -> None:
    found = outlook(SOAK, at(600.0), [], [ChamberUse("C2", 25.0, "since 1 h 02 min")])
    assert found.words == (
        "waits for 60 degC since 10 min 00 s: the chamber is held by C2 (25 degC, since 1 h 02 min)"
    )


def test_a_chamber_on_its_way_says_how_far_it_is_and_how_long_it_is_waited_for() -> None:
    points = [Point(t, 3.0, 0.0, 25.0 + t / 60.0) for t in range(0, 610, 60)]
    cursor = at(600.0)._replace(soak=Soak(granted_second=0.0))
    found = outlook(SOAK, cursor, points)
    assert found.words == (
        "on the way to 60 degC: 35.0 degC now, about 25 min; gives up in 2 h 50 min"
    )


def test_a_soak_says_how_much_of_it_is_over() -> None:
    cursor = at(1200.0)._replace(soak=Soak(granted_second=0.0, in_band_since_second=600.0))
    found = outlook(SOAK, cursor, [])
    assert found.words == "soaks at 60 degC: 10 min 00 s of 30 min 00 s, 20 min 00 s left"
    assert found.second == 1200.0


def test_a_suspended_run_says_since_when_and_what_it_needs_to_go_on() -> None:
    cursor = at(1000.0, chamber_celsius=25.0)._replace(suspension=Suspension(400.0, 900.0))
    found = outlook(CHARGE, cursor, [Point(990.0, 3.0, 0.0, 27.5)])
    assert found.words.startswith("waits, disconnected, since 10 min 00 s")
    assert "within 1 K of 25 degC" in found.words
    assert found.second == 500.0


def test_a_run_that_waits_for_a_dew_point_says_what_it_is_and_what_it_has_to_be() -> None:
    dry = SuspendCondition("dew_point", "temperature", ">=", -40.0, -45.0, words="-40 degC")
    steps = replace(program("rest: {for: 1 h}"), suspend=Suspend(conditions=(dry,)))
    cursor = at(1000.0)._replace(suspension=Suspension(400.0, cause="dew_point"))
    point = Point(990.0, 3.0, 0.0, 25.0, sensed={"dew_point": -38.2})
    found = outlook(steps, cursor, [point])
    assert found.words == (
        "waits, disconnected, since 10 min 00 s, for dew_point: -38.2 now, at most -45 degC "
        "for 10 min 00 s"
    )


def test_a_spectrum_says_how_long_it_takes() -> None:
    steps = program("eis: {from: 1 kHz, to: 0.1 Hz, points_per_decade: 5, amplitude: 10 mV}")
    found = outlook(steps, at(10.0), [])
    assert found.words.startswith("measures 21 frequencies, 10 s of about ")
    assert found.second is not None


def test_behind_the_last_step_there_is_nothing() -> None:
    assert outlook(CHARGE, at(0.0, pc=2), []).words == "nothing: the protocol is at its end"


ALL_KINDS = program(
    "set_temperature: {to: 60 degC, within: 0.5 K, soak: 30 min, timeout: 3 h}",
    "cccv: {at: C/2, to: 4.2 V, until: C/20, for: 5 h}",
    "discharge: {at: C/2, until: 2.8 V, for: 3 h}",
    "rest: {for: 1 h}",
)


@given(
    second=st.floats(0, 1e6),
    volts=st.lists(st.floats(-5, 5) | st.just(math.nan), max_size=30),
    ampere=st.floats(-1, 1) | st.just(math.nan),
    pc=st.integers(0, 3),
    granted=st.floats(0, 1e6) | st.just(math.nan),
)
def test_whatever_was_measured_there_is_an_answer_and_no_negative_time(
    second: float, volts: list[float], ampere: float, pc: int, granted: float
) -> None:
    points = [Point(float(n), volt, ampere, volt * 10) for n, volt in enumerate(volts)]
    cursor = at(second, pc=pc, volt=volts[-1] if volts else math.nan, ampere=ampere)
    found = outlook(ALL_KINDS, cursor._replace(soak=Soak(granted_second=granted)), points)
    assert found.words
    assert found.second is None or 0 <= found.second < math.inf
    assert "nan" not in found.words
