"""Sensors in a bench file: temperature, pressure, auxiliaries; all that is wrong at once, with its place."""

from __future__ import annotations

import pytest

from rig.bench.file import BenchFile, parse_bench
from rig.bench.offline import sheet_facts
from rig.bench.sensing import sensor_snapshot
from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.protocol.check import check_channel, needs
from rig.protocol.program import AuxiliaryLimit

DAQ = """  daq-1:
    driver: keithley.daq6510
    connect: sim
    options:
      channels:
        "101": thermocouple K
        "102": {pressure: {1 V: 0 MPa, 5 V: 10 MPa}}
        "103": {dew_point: {0 V: -100 degC, 10 V: 20 degC}}
        "104": {force: {1 V: 0 N, 5 V: 5 kN}}
"""
HEAD = (
    """bench: 1
instruments:
  smu-1: {driver: keithley.smu2450, connect: sim}
  smu-2: {driver: keithley.smu2450, connect: sim}
"""
    + DAQ
)
A1 = """channels:
  A1:
    cell: smu-1
    temperature: daq-1/101
    pressure: daq-1/102
    aux: {dew_point: daq-1/103, spring: daq-1/104}
"""


def bench(text: str = HEAD + A1) -> BenchFile:
    return parse_bench(text, "b.yaml")


def problems_of(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        bench(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_channel_reads_temperature_pressure_and_what_the_lab_names() -> None:
    channel = bench().channels["A1"]
    assert [(s.name, s.instrument, s.path, s.dimension) for s in channel.sensors] == [
        ("temperature", "daq-1", "101", "temperature"),
        ("pressure", "daq-1", "102", "pressure"),
        ("dew_point", "daq-1", "103", "temperature"),
        ("spring", "daq-1", "104", "force"),
    ]
    assert channel.instruments["auxiliary dew_point"] == "daq-1"
    assert sensor_snapshot(channel)["dew_point"] == {
        "instrument": "daq-1",
        "path": "103",
        "unit": "celsius",
        "quantity": "dew point",
    }


def test_a_sensor_is_read_every_five_seconds_and_silent_after_three_of_its_periods() -> None:
    instruments = bench().instruments
    assert (instruments["daq-1"].every_second, instruments["daq-1"].patience_second) == (5.0, 15.0)
    slow = bench(
        HEAD.replace("connect: sim\n    options", "connect: sim\n    every: 1 min\n    options")
        + A1
    )
    daq = slow.instruments["daq-1"]
    assert (daq.every_second, daq.patience_second) == (60.0, 180.0)


def test_everything_wrong_with_the_wiring_of_sensors_is_told_at_once() -> None:
    text = HEAD.replace(
        "smu-1: {driver: keithley.smu2450, connect: sim}",
        "smu-1: {driver: keithley.smu2450, connect: sim, every: 2 s}",
    )
    text += """channels:
  A1:
    cell: smu-1
    temperature: daq-1/102
    pressure: daq-1/104
    aux: {Dew: daq-1/103, voltage: daq-1/103, ph: [1], humidity: daq-2/1, oxygen: smu-1, gone: daq-1/120}
  A2: {cell: smu-2, temperature: daq-1/101}
  A3: {temperature: daq-1/101}
limits:
  A2: {pressure: [1 MPa, 2 MPa], auxiliaries: {dew_point: < -40 degC}}
"""
    found = problems_of(text)
    for words in (
        "daq-1/102 reads a pressure, expected a temperature",
        "daq-1/104 reads a force, expected a pressure",
        "options: {area: 78.5 mm^2}",
        "'Dew', expected a name in small letters",
        "'voltage' is a quantity that every protocol knows",
        "aux ph: got [1], expected a sensor and its path",
        "there is no instrument 'daq-2' on this bench",
        "oxygen: smu-1 (keithley.smu2450) is no sensor; it can be: cell",
        "channel '120' is not among the options' channels",
        "daq-1/101 is the temperature of channel 'A2' already",
        "limits of 'A2': a pressure, which nothing reads on this channel",
        "limits of 'A2': dew_point, which nothing reads on this channel",
        "instrument 'smu-1' (keithley.smu2450) is no sensor: it is read as a cell needs it",
    ):
        assert any(words in problem for problem in found), (words, found)
    assert len(found) == 12
    assert all("b.yaml:" in problem for problem in found)


def test_wrong_options_of_a_sensor_are_told_once_however_many_channels_use_it() -> None:
    text = HEAD.replace("thermocouple K", "thermocouple X") + A1
    (problem,) = problems_of(text)
    assert "thermocouple X" in problem


def test_limits_are_read_in_base_units_for_the_channel_and_for_all() -> None:
    limits = """limits:
  A1: {pressure: [1 MPa, 12 MPa], heating: 2 K/min, auxiliaries: {dew_point: < -40 degC}}
  all: {pressure: [2 MPa, 20 MPa], auxiliaries: {dew_point: [-90 degC, -30 degC]}}
"""
    read = bench(HEAD + A1 + limits).channels["A1"].limits
    assert (read.pressure_min_pascal, read.pressure_max_pascal) == (2e6, 12e6)
    assert read.heating_max_kelvin_per_minute == 2.0
    assert read.auxiliaries == (AuxiliaryLimit("dew_point", "temperature", -90.0, -40.0),)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("auxiliaries: {dew_point: -40 degC}", "expected [lowest, highest] or one bound"),
        ("auxiliaries: {dew_point: < -40}", "without a unit"),
        ("auxiliaries: {dew_point: [-30 degC, -40 degC]}", "expected the lower value"),
        ("auxiliaries: [dew_point]", "expected limits by name"),
        (
            "auxiliaries: {dew_point: < 1 MPa}",
            "dew_point is a temperature, and the limit a pressure",
        ),
        ("pressure: [1 MPa]", "pressure limits are a pair"),
    ],
)
def test_a_limit_that_cannot_be_read_is_refused(limit: str, words: str) -> None:
    found = problems_of(HEAD + A1 + f"limits: {{A1: {{{limit}}}}}\n")
    assert len(found) == 1
    assert words in found[0]


PROTOCOL = """protocol: 1
name: dry
auxiliaries: {dew_point: degC}
steps: [{rest: {for: 1 min}}]
"""


def test_a_protocol_runs_only_where_its_auxiliaries_are_read() -> None:
    bench_file = bench()
    program = loads_protocol(PROTOCOL)
    assert needs(program) == {"cell", "auxiliary dew_point"}
    assert check_channel(program, sheet_facts(bench_file, bench_file.channels["A1"])) == []
    other = bench(HEAD + "channels: {A1: {cell: smu-1, aux: {ph: daq-1/103}}}\n")
    (problem,) = check_channel(program, sheet_facts(other, other.channels["A1"]))
    assert problem.message == "the protocol needs an auxiliary dew_point, the channel has none"
    volts = bench(HEAD + "channels: {A1: {cell: smu-1, aux: {dew_point: daq-1/104}}}\n")
    (problem,) = check_channel(program, sheet_facts(volts, volts.channels["A1"]))
    assert "the protocol's dew_point is a temperature, the channel's sensor reads a force" in str(
        problem
    )
