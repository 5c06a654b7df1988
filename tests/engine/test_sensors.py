"""Sensors beside a cell: newest values in every reading, their ages, limits, and silence."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rig.core.clock import SimulatedClock
from rig.core.errors import LinkTimeout, Refused
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.core.records import SAMPLE_COLUMNS, RunState
from rig.engine.action import Overdue, Reading, Sensed
from rig.engine.channel import Channel
from rig.engine.conditions import reached
from rig.engine.cursor import Progress
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule
from rig.engine.sensors import SensorPath, SharedSensor, look_around
from rig.protocol.program import AuxiliaryLimit, End, Program, Safety, Step, StepKind
from tests.engine.rigs import IdealChannel, ListKeeper, looped_program, run_on_ideal

SURFACE = SAMPLE_COLUMNS.index("surface_temperature_celsius")
PRESSURE = SAMPLE_COLUMNS.index("applied_pressure_pa")
AUX, FLAGS = SAMPLE_COLUMNS.index("aux"), SAMPLE_COLUMNS.index("flags")
TIME = SAMPLE_COLUMNS.index("test_time_second")


@dataclass
class IdealScanner:
    """Several quantities; silent, refusing or flagged between two times."""

    clock: SimulatedClock
    values: dict[str, float] = field(
        default_factory=lambda: {"101": 25.5, "102": 5e6, "103": -60.1}
    )
    rate_per_second: float = 0.0  # of 101
    silent: tuple[float, float] = (math.inf, math.inf)
    refused: tuple[float, float] = (math.inf, math.inf)
    open: tuple[float, float] = (math.inf, math.inf)
    stalls_at: float = math.inf  # nothing new comes from then on, until its port is opened anew
    reads: list[tuple[float, str]] = field(default_factory=list)
    reopened: int = 0
    safe: int = 0

    def identify(self) -> Identity:
        return Identity("ideal", "scanner", "1", "1")

    def quantity(self, path: str) -> Quantity:
        return {"101": Quantity.TEMPERATURE, "102": Quantity.PRESSURE}.get(path, Quantity.DEW_POINT)

    def read(self, path: str) -> SensorReading:
        now = self.clock.now()
        self.reads.append((now, path))
        if self.silent[0] <= now < self.silent[1]:
            raise LinkTimeout("daq-1: no answer")
        if path == "101" and self.refused[0] <= now < self.refused[1]:
            raise Refused("daq-1: not now")
        if path == "101" and self.open[0] <= now < self.open[1]:
            return SensorReading(math.nan, int(Flag.OVERLOAD))
        if now >= self.stalls_at:
            return SensorReading(self.values[path], int(Flag.STALE))
        warmer = self.rate_per_second * now if path == "101" else 0.0
        return SensorReading(self.values[path] + warmer)

    def make_safe(self) -> None:
        self.safe += 1

    def reopen(self, _port: str) -> None:
        self.reopened += 1
        if self.silent[0] <= self.clock.now() < self.silent[1]:
            raise LinkTimeout("daq-1: no answer to who it is")
        self.stalls_at = math.inf


@dataclass
class Bench:
    run: Run
    cell: IdealChannel
    scanner: IdealScanner
    sensor: SharedSensor
    keeper: ListKeeper
    schedule: SimulatedSchedule

    def go(self) -> None:
        chamber = self.run.channel.chamber
        tasks = [self.run.task(), self.sensor.task()]
        self.schedule.run([*tasks, chamber.task()] if chamber else tasks)


def bench(
    program: Program, names: tuple[str, ...] = ("temperature", "pressure", "dew_point")
) -> Bench:
    run, cell, keeper, schedule, _ = run_on_ideal(program)
    clock = run.clock
    assert isinstance(clock, SimulatedClock)
    scanner = IdealScanner(clock)
    sensor = SharedSensor("daq-1", scanner, "daq", clock, scanner.reopen)
    paths = {"temperature": "101", "pressure": "102", "dew_point": "103"}
    sensors = tuple(SensorPath(name, sensor, paths[name]) for name in names)
    on = replace(run.channel, sensors=sensors)
    return Bench(Run("r1", program, on, keeper, clock), cell, scanner, sensor, keeper, schedule)


def resting(second: float = 120.0, **limits: Any) -> Program:
    rest = Step(StepKind.REST, "rest", ends=(End("time", ">=", second, words="for a while"),))
    safety = Safety(2.5, 4.3, 1.0, check_every_second=1.0)
    return Program("rest", (rest,), replace(safety, **limits))


# --- what is kept --------------------------------------------------------------------------------


def test_the_newest_values_are_in_every_sample_under_their_columns() -> None:
    rig = bench(resting())
    rig.go()
    assert rig.run.state is RunState.FINISHED, rig.run.reason
    _, *rest = rig.keeper.samples
    assert len(rest) > 5
    for row in rest:
        assert (row[SURFACE], row[PRESSURE]) == (25.5, 5e6)
        assert json.loads(str(row[AUX])) == {"dew_point": -60.1}
        assert row[FLAGS] == 0


def test_a_channel_without_sensors_leaves_their_columns_empty() -> None:
    run, _, keeper, schedule, chamber = run_on_ideal(resting())
    schedule.run([run.task(), chamber.task()])
    assert {(row[SURFACE], row[PRESSURE], row[AUX]) for row in keeper.samples} == {(None,) * 3}


def test_a_sensor_is_read_at_its_own_pace_and_put_to_rest_at_the_end() -> None:
    rig = bench(resting(60.0))
    rig.go()
    times = [second for second, path in rig.scanner.reads if path == "101"]
    assert times[:4] == [0.0, 5.0, 10.0, 15.0]
    assert rig.scanner.safe == 1


def test_a_sensor_that_is_read_once_an_hour_sees_at_once_that_the_run_is_over() -> None:
    rig = bench(resting(60.0))
    rig.sensor.every_second = rig.sensor.patience_second = 3600.0
    rig.go()
    assert rig.run.clock.now() <= 75.0, "as the chamber does, which is read every 15 s"
    assert len(rig.scanner.reads) == 3


def test_a_sensor_that_falls_silent_moves_no_sample_of_the_cell() -> None:
    rig = bench(resting(60.0))
    rig.go()
    undisturbed = [row[TIME] for row in rig.keeper.samples]
    again = bench(resting(60.0))
    again.scanner.silent = (10.0, 40.0)
    again.go()
    assert [row[TIME] for row in again.keeper.samples] == undisturbed


def test_a_spectrum_has_the_temperature_and_pressure_of_its_cell() -> None:
    rig = bench(looped_program(cycles=1))
    rig.go()
    assert rig.run.state is RunState.FINISHED, rig.run.reason
    heads = [row for table, row in rig.keeper.rows if table == "spectrum" and row["complete"]]
    assert heads
    for head in heads:
        assert head["surface_temperature_celsius"] == 25.5
        assert head["surface_temperature_span_kelvin"] == 0.0
        assert head["applied_pressure_pa"] == 5e6


# --- ages ----------------------------------------------------------------------------------------


def test_two_channels_share_one_scanner_and_each_path_is_read_once_a_round() -> None:
    clock = SimulatedClock()
    scanner = IdealScanner(clock)
    sensor = SharedSensor("daq-1", scanner, "daq", clock, scanner.reopen)
    runs = []
    for name, path in (("A1", "101"), ("A2", "103")):
        sensors = (SensorPath("temperature", sensor, path), SensorPath("pressure", sensor, "102"))
        cell = IdealChannel(clock)
        on = Channel(name, cell, f"port {name}", sensors=sensors)
        runs.append(Run(name, resting(30.0), on, ListKeeper(), clock))
    SimulatedSchedule(clock).run([*(run.task() for run in runs), sensor.task()])
    assert {run.state for run in runs} == {RunState.FINISHED}
    assert sorted(path for second, path in scanner.reads if second == 5.0) == ["101", "102", "103"]


@pytest.mark.parametrize("trouble", ["silent", "refused", "open"])
def test_a_value_that_does_not_come_grows_old_and_is_then_none_flagged_and_told_once(
    trouble: str,
) -> None:
    rig = bench(resting(120.0))
    setattr(rig.scanner, trouble, (30.0, 80.0))
    rig.go()
    assert rig.run.state is RunState.FINISHED, "no limit depends on it"
    by_time = {row[TIME]: row for row in rig.keeper.samples}
    assert by_time[40.0][SURFACE] == 25.5, "15 s old it still counts"
    assert by_time[50.0][SURFACE] is None
    assert by_time[50.0][FLAGS] == Flag.STALE
    assert by_time[100.0][SURFACE] == 25.5
    assert by_time[100.0][FLAGS] == 0
    silent = [m for m in rig.keeper.events("sensor silent") if m.startswith("temperature")]
    assert len(silent) == 1
    assert "no valid value for" in silent[0]
    assert "daq-1/101" in silent[0]
    assert "temperature is read again" in rig.keeper.events("sensor back")
    assert {alarm.kind for alarm in rig.keeper.alarms} == {"sensor-silent"}


def test_a_scanner_whose_cable_came_out_is_opened_anew() -> None:
    rig = bench(resting(120.0))
    rig.scanner.silent = (30.0, 60.0)
    rig.go()
    assert rig.scanner.reopened > 1
    assert rig.keeper.samples[-1][SURFACE] == 25.5


def test_a_scanner_that_answers_and_has_nothing_new_is_begun_anew_within_its_patience() -> None:
    rig = bench(resting(120.0, temperature_max_celsius=80.0))
    rig.scanner.stalls_at = 31.0
    rig.go()
    assert rig.run.state is RunState.FINISHED, rig.run.reason
    assert rig.scanner.reopened == 1


def test_before_its_first_value_a_sensor_is_young_and_not_silent() -> None:
    clock = SimulatedClock()
    sensor = SharedSensor("t", IdealScanner(clock), "t", clock, lambda _port: None)
    sensor.join("r1", ("101",))
    at = (SensorPath("temperature", sensor, "101"),)
    assert math.isnan(look_around(at, 14.0).values["temperature"])
    assert not look_around(at, 14.0).overdue
    overdue = look_around(at, 16.0).overdue["temperature"]
    assert overdue == Overdue(16.0, 15.0, "t/101: no answer")


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "kind", "words"),
    [
        (
            {"temperature_max_celsius": 25.0},
            "safety-temperature",
            "temperature of the cell 25.5 degC above the limit of 25 degC",
        ),
        (
            {"pressure_max_pascal": 4e6},
            "safety-pressure",
            "pressure 5e+06 Pa above the limit of 4e+06 Pa",
        ),
        (
            {"pressure_min_pascal": 6e6},
            "safety-pressure",
            "pressure 5e+06 Pa below the limit of 6e+06 Pa",
        ),
        (
            {"auxiliaries": (AuxiliaryLimit("dew_point", "temperature", None, -65.0),)},
            "safety-dew_point",
            "dew_point -60.1 degC above the limit of -65 degC",
        ),
    ],
)
def test_what_a_sensor_reads_beyond_a_limit_trips_the_run_and_says_what(
    limits: dict[str, Any], kind: str, words: str
) -> None:
    rig = bench(resting(**limits))
    rig.go()
    assert (rig.run.state, rig.run.reason) == (RunState.TRIPPED, words)
    assert not rig.cell.connected
    (alarm,) = rig.keeper.alarms
    assert (alarm.kind, alarm.message) == (kind, words)


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"temperature_max_celsius": 80.0}, "temperature"),
        ({"heating_max_kelvin_per_minute": 2.0}, "temperature"),
        ({"pressure_max_pascal": 9e6}, "pressure"),
        (
            {"auxiliaries": (AuxiliaryLimit("dew_point", "temperature", None, -40.0),)},
            "dew_point",
        ),
    ],
)
def test_a_silent_sensor_that_a_limit_depends_on_trips_the_run_at_once(
    limits: dict[str, Any], name: str
) -> None:
    rig = bench(resting(lasting_second=600.0, **limits))
    rig.scanner.silent = (30.0, math.inf)
    rig.go()
    assert rig.run.state is RunState.TRIPPED
    assert rig.run.reason.startswith(f"{name}: no valid value for 16 s (daq-1/")
    (alarm,) = [a for a in rig.keeper.alarms if a.kind.startswith("safety")]
    assert (alarm.kind, alarm.unit, alarm.limit_value) == ("safety-sensor-age", "s", 15.0)


def test_the_chambers_temperature_is_watched_where_the_cell_has_none_of_its_own() -> None:
    rig = bench(resting(temperature_max_celsius=19.0), names=("pressure",))
    rig.go()
    assert rig.run.reason == "temperature of the chamber 20 degC above the limit of 19 degC"


def test_self_heating_is_that_of_the_cell_and_not_of_air_that_warms_it() -> None:
    heating = resting(600.0, heating_max_kelvin_per_minute=2.0)
    rig = bench(heating)
    rig.scanner.rate_per_second = 0.05  # 3 K/min, from 25.5 degC in a chamber at 20 degC
    rig.go()
    assert rig.run.state is RunState.TRIPPED
    assert rig.run.reason.startswith("heating 3 K/min")
    lagging = bench(heating)
    lagging.scanner.rate_per_second, lagging.scanner.values["101"] = 0.05, -20.0
    lagging.go()  # for 600 s it stays below the air
    assert lagging.run.state is RunState.FINISHED, lagging.run.reason


# --- ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "first", "second"),
    [
        (End("temperature", ">=", 26.5), 0.01, 100.0),
        (End("pressure", ">=", 4e6), 0.0, 0.0),
        (End("dew_point", "<=", -60.0), 0.0, 0.0),
    ],
)
def test_a_step_ends_by_what_a_sensor_reads(end: End, first: float, second: float) -> None:
    rest = Step(StepKind.REST, "rest", ends=(end, End("time", ">=", 600.0)))
    rig = bench(Program("rest", (rest,), Safety(2.5, 4.3, 1.0, check_every_second=1.0)))
    rig.scanner.rate_per_second = first
    rig.go()
    assert rig.run.state is RunState.FINISHED
    assert rig.run.cursor.progress.test_time_second == pytest.approx(second, abs=6.0)


def test_an_end_on_what_nobody_reads_now_is_not_reached() -> None:
    reading = Reading(1.0, 3.7, 0.0, sensed=Sensed({"pressure": math.nan}))
    rest = Step(StepKind.REST, "rest", ends=(End("pressure", ">=", 0.0), End("ph", "<=", 1.0)))
    assert reached(rest, 0.0, Progress(), reading) is None
