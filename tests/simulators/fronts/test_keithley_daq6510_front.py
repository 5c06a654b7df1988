"""The simulated DAQ6510 against its sheet: the transcript, and what a simulator must show."""

from __future__ import annotations

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.keithley_daq6510 import KeithleyDaq6510Front
from simulators.link import InMemoryLink
from simulators.models.probes import OnCell

SCAN = (
    "*RST",
    'TRAC:MAKE "test1",1000',
    'SENS:FUNC "TEMP",(@101:102)',
    "SENS:TEMP:TRAN TC,(@101:102)",
    "SENS:TEMP:TC:TYPE K,(@101:102)",
    'ROUT:SCAN:BUFF "test1"',
    "ROUT:SCAN:CRE (@101:102)",
    "ROUT:SCAN:COUN:SCAN 0",
)


class Desk:
    """A scanner with cells on channels 101 and 103, with somebody who types."""

    def __init__(self, *, noise: bool = False) -> None:
        self.clock = SimulatedClock()
        probes = {"101": OnCell(IdealCell()), "103": OnCell(IdealCell(3.9))}
        self.front = KeithleyDaq6510Front("daq-1", probes, seed=7, noise=noise)
        self.link = InMemoryLink(self.front, self.clock, "daq-1")

    def send(self, *messages: str) -> None:
        for message in messages:
            self.link.write(message.encode() + b"\n")

    def ask(self, message: str) -> str:
        self.send(message)
        return self.link.read_until(b"\n", 3.0).decode()

    def error_code(self) -> int:
        return int(self.ask("SYST:ERR?").split(",")[0])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_identifies(desk):
    assert desk.ask("*IDN?") == "KEITHLEY INSTRUMENTS,MODEL DAQ6510,04300000,1.7.0b"


def test_the_transcript_scans_temperatures_and_an_open_thermocouple_overflows(desk):
    desk.send(*SCAN, "INIT")
    desk.clock.wait_until(0.12)
    assert desk.ask('TRAC:ACT? "test1"') == "2"
    data = desk.ask('TRAC:DATA? 1,2,"test1",CHAN,READ')
    assert data == "101,2.50000000E+01,102,9.90000000E+37"
    desk.send("ABOR")
    assert desk.ask("SYST:ERR?") == '0,"No error"'


def test_an_endless_scan_goes_on_without_its_link_until_it_is_aborted(desk):
    desk.send(*SCAN, "INIT")
    desk.front.disconnected(0.0)
    desk.clock.wait_until(10.0)
    assert desk.ask('TRAC:ACT? "test1"') == "200"
    desk.send("ABOR")
    desk.clock.wait_until(20.0)
    assert desk.ask('TRAC:ACT? "test1"') == "200"


def test_a_counted_scan_keeps_its_interval_and_ends(desk):
    desk.send(*SCAN, "ROUT:SCAN:COUN:SCAN 3", "ROUT:SCAN:INT 1.0", "INIT")
    counts = []
    for second in (0.9, 1.9, 2.9, 9.9):
        desk.clock.wait_until(second)
        counts.append(desk.ask('TRAC:ACT? "test1"'))
    assert counts == ["2", "4", "6", "6"]


def test_a_voltage_channel_reads_the_cell_and_time_stamps_differ(desk):
    desk.send('SENS:FUNC "VOLT:DC",(@103)', "ROUT:SCAN:CRE (@101,103)", "INIT")
    desk.clock.wait_until(1.0)
    fields = desk.ask('TRAC:DATA? 1,2,"defbuffer1",CHAN,TST,READ').split(",")
    assert fields[0] == "101"
    assert fields[3] == "103"
    assert fields[5] == "3.90000000E+00"
    assert fields[1] != fields[4]


def test_a_full_buffer_loses_its_oldest_readings(desk):
    desk.send('TRAC:MAKE "small",10', *SCAN[2:5], 'ROUT:SCAN:BUFF "small"', *SCAN[6:], "INIT")
    desk.clock.wait_until(5.0)
    assert desk.ask('TRAC:ACT? "small"') == "10"
    desk.send("ABOR", 'TRAC:CLE "small"')
    assert desk.ask('TRAC:ACT? "small"') == "0"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('SENS:FUNC "TEMP",(@121)', -222),
        ('SENS:FUNC "PRES",(@101)', -224),
        ("SENS:TEMP:TRAN NTC,(@101)", -224),
        ("SENS:TEMP:UNIT FAR,(@101)", -224),
        ('TRAC:MAKE "defbuffer1",100', -224),
        ('ROUT:SCAN:BUFF "none"', -224),
        ("INIT", -221),
        ("ROUT:CHAN:CLOS (@101)", -113),
    ],
)
def test_what_cannot_be_is_refused(desk, message, code):
    desk.send(message)
    assert desk.error_code() == code


def test_a_start_above_the_count_is_an_error_without_an_answer(desk):
    desk.send("ROUT:CHAN:OPEN (@101:102)")
    with pytest.raises(LinkTimeout):
        desk.ask('TRAC:DATA? 1,2,"defbuffer1",READ')
    assert desk.error_code() == -222


def test_noise_repeats_with_the_seed_and_stays_small():
    readings = []
    for desk in (Desk(noise=True), Desk(noise=True)):
        desk.send(*SCAN, "INIT")
        desk.clock.wait_until(1.0)
        readings.append(float(desk.ask('TRAC:DATA? 1,1,"test1",READ')))
    assert readings[0] == readings[1] != 25.0
    assert readings[0] == pytest.approx(25.0, abs=0.2)


def test_a_channel_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match="no channel 201"):
        KeithleyDaq6510Front("daq-1", {"201": OnCell(IdealCell())}, seed=1)


def newest(desk: Desk, channel: str) -> float:
    """Return the newest reading of a channel of the running scan."""
    last = int(desk.ask('TRAC:ACT? "test1"'))
    fields = desk.ask(f'TRAC:DATA? {last - 1},{last},"test1",CHAN,READ').split(",")
    return float(fields[fields.index(channel) + 1])


def test_wires_that_break_overflow_and_a_voltage_reads_nothing(desk):
    desk.send(*SCAN, 'SENS:FUNC "VOLT",(@103)', "ROUT:SCAN:CRE (@101,103)", "INIT")
    desk.clock.wait_until(1.0)
    assert (newest(desk, "101"), newest(desk, "103")) == (25.0, 3.9)
    desk.front.inject("open", 101, 1.0)
    desk.front.inject("open", 103, 1.0)
    desk.clock.wait_until(2.0)
    assert (newest(desk, "101"), newest(desk, "103")) == (9.9e37, 0.0)


def test_a_thermometer_that_drifts_and_is_mended(desk):
    desk.send(*SCAN, "INIT")
    desk.front.inject("drift", 4, 0.0)
    desk.clock.wait_until(1800.0)
    assert newest(desk, "101") == pytest.approx(27.0, abs=0.01)
    desk.front.inject("drift", 0, 1800.0)
    desk.clock.wait_until(1801.0)
    assert newest(desk, "101") == 25.0


def test_a_scan_that_stalls_leaves_what_was_read(desk):
    desk.send(*SCAN, "INIT")
    desk.clock.wait_until(1.0)
    desk.front.inject("stall", None, 1.0)
    before = desk.ask('TRAC:ACT? "test1"')
    desk.clock.wait_until(100.0)
    assert desk.ask('TRAC:ACT? "test1"') == before == "20"


@pytest.mark.parametrize(("kind", "value"), [("alarm", 1), ("open", 300), ("saturate", None)])
def test_a_fault_that_it_cannot_have_is_refused(desk, kind, value):
    with pytest.raises(BadInput, match="has no fault"):
        desk.front.inject(kind, value, 0.0)
