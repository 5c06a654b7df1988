"""The simulated F4T against its sheet: both worked transcripts, and section 7 item by item."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ideal_cell import IdealAir

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.modbus import Frame, FrameReader
from simulators.fronts.watlow_f4t import WatlowF4TFront
from simulators.fronts.watlow_f4t_scpi import WatlowF4TScpiFront
from simulators.fronts.watlow_settings import Machine, Units
from simulators.link import InMemoryLink

SET_POINT, WORKING, PROCESS_VALUE, MODE, EVENT_1 = 2782, 2810, 2820, 2730, 16594
AUTO, OFF, ON = 10, 62, 63
RAMP_ACTION, RAMP_SCALE, RAMP_RATE = 2794, 2796, 2798
PROFILE_STATE = 16568


class Desk:
    """An F4T over ideal air, with somebody who sends Modbus frames."""

    def __init__(self, *, low_word_first: bool = True, **machine) -> None:
        self.air = IdealAir()
        self.clock = SimulatedClock()
        self.front = WatlowF4TFront(
            "chamber-1", self.air, seed=3, machine=Machine(**machine), low_word_first=low_word_first
        )
        self.link = InMemoryLink(self.front, self.clock, "chamber-1")
        self._order = "<" if low_word_first else ">"

    def pdu(self, request: bytes, unit: int = 1) -> bytes:
        """Send a request's PDU, return the response's."""
        self.link.write(Frame(0x1234, unit, request).encode())
        header = self.link.read_exactly(7, 1.0)
        transaction, protocol, length, from_unit = struct.unpack(">HHHB", header)
        assert (transaction, protocol, from_unit) == (0x1234, 0, unit)
        return self.link.read_exactly(length - 1, 1.0)

    def words(self, address: int, count: int = 1) -> tuple[int, ...]:
        response = self.pdu(struct.pack(">BHH", 3, address, count))
        assert response[:2] == bytes([3, 2 * count]), response
        return struct.unpack(f">{count}H", response[2:])

    def word(self, address: int) -> int:
        return self.words(address)[0]

    def write(self, address: int, word: int) -> int:
        """Write one word; returns 0 or the exception code."""
        request = struct.pack(">BHH", 6, address, word)
        response = self.pdu(request)
        return 0 if response == request else response[1]

    def real(self, address: int) -> float:
        words = self.words(address, 2)
        words = words if self._order == ">" else words[::-1]
        return struct.unpack(">f", struct.pack(">HH", *words))[0]

    def write_real(self, address: int, value: float) -> int:
        words = struct.unpack(">HH", struct.pack(">f", value))
        words = words if self._order == ">" else words[::-1]
        response = self.pdu(struct.pack(">BHHBHH", 16, address, 2, 4, *words))
        return 0 if response[0] == 16 else response[1]

    def run(self, celsius: float) -> None:
        assert self.write_real(SET_POINT, celsius) == 0
        assert self.write(EVENT_1, ON) == 0

    def wait(self, seconds: float) -> None:
        self.clock.wait_until(self.clock.now() + seconds)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- frames ----------------------------------------------------------------------------------------


def test_the_worked_frame_over_tcp(desk):
    desk.link.write(bytes.fromhex("0001 0000 0006 01 03 0B04 0002"))
    reply = desk.link.read_exactly(13, 1.0)
    assert reply[:9].hex(" ") == "00 01 00 00 00 07 01 03 04"
    low, high = struct.unpack(">HH", reply[9:])
    assert struct.unpack(">f", struct.pack(">HH", high, low))[0] == pytest.approx(22.0, abs=0.2)


@pytest.mark.parametrize(
    ("request_pdu", "response_pdu"),
    [
        ("10 0ADE 0002 04 0000 4270", "10 0ADE 0002"),
        ("03 0ADE 0002", "03 04 0000 41C8"),
        ("04 0ADE 0002", "04 04 0000 41C8"),
        ("06 0AEA 0055", "06 0AEA 0055"),
        ("06 0AEC 0039", "06 0AEC 0039"),
        ("10 0AEE 0002 04 0000 3F80", "10 0AEE 0002"),
        ("06 0AAA 000A", "06 0AAA 000A"),
        ("06 40D2 003F", "06 40D2 003F"),
        ("03 054C 0001", "03 02 003D"),
        ("06 40D2 003E", "06 40D2 003E"),
        ("06 0AAA 003E", "06 0AAA 003E"),
    ],
)
def test_the_worked_requests_have_their_responses(desk, request_pdu, response_pdu):
    assert desk.pdu(bytes.fromhex(request_pdu)) == bytes.fromhex(response_pdu)


@pytest.mark.parametrize(
    ("request_pdu", "code"),
    [
        ("01 0ADE 0002", 1),  # coils
        ("2B 0E01 00", 1),
        ("03 0001 0001", 2),
        ("03 0ADE 0001", 2),  # half a float
        ("03 0ADE 0003", 2),
        ("03 FFFF 0002", 2),
        ("03 0B7E 0002", 2),  # loop 2 of a temperature-only chamber
        ("06 0ADE 0000", 2),
        ("06 0AFE 000A", 2),  # the actual mode is read-only
        ("10 0B04 0002 04 0000 41C8", 2),  # so is the process value
        ("03 0ADE 0000", 3),
        ("03 0ADE 007E", 3),
        ("03 0ADE", 3),
        ("10 0ADE 0002 02 0000 4270", 3),
        ("10 0ADE 0002 04 0000", 3),
        ("06 0AAA 0063", 3),
        ("06 40D2 0001", 3),
        ("10 0ADE 0002 04 0000 7FC0", 3),  # not a number
        ("10 0ADE 0002 04 4000 441C", 3),  # 625 degC
    ],
)
def test_a_bad_request_has_its_exception_and_changes_nothing(desk, request_pdu, code):
    pdu = bytes.fromhex(request_pdu)
    assert desk.pdu(pdu) == bytes([pdu[0] | 0x80, code])
    assert desk.real(SET_POINT) == 25.0
    assert desk.word(MODE) == AUTO


def test_another_unit_and_another_protocol_get_no_response(desk):
    for request in ("0001 0000 0006 02 03 0ADE 0002", "0001 0007 0006 01 03 0ADE 0002"):
        desk.link.write(bytes.fromhex(request))
        with pytest.raises(LinkTimeout):
            desk.link.read_exactly(1, 1.0)
    assert desk.real(SET_POINT) == 25.0


@given(st.lists(st.binary(min_size=1, max_size=253), max_size=5), st.integers(1, 30))
def test_frames_are_found_wherever_the_stream_is_cut(pdus, size):
    frames = [Frame(number, 1, pdu) for number, pdu in enumerate(pdus)]
    stream = b"".join(frame.encode() for frame in frames)
    reader = FrameReader()
    found = [one for i in range(0, len(stream), size) for one in reader.feed(stream[i : i + size])]
    assert found == frames


@given(st.binary(min_size=1, max_size=253))
def test_no_pdu_can_break_the_server(pdu):
    assert Desk().pdu(pdu)


@pytest.mark.parametrize("low_word_first", [True, False])
def test_the_word_order_is_a_setting(low_word_first):
    desk = Desk(low_word_first=low_word_first)
    assert desk.words(SET_POINT, 2) == ((0x0000, 0x41C8) if low_word_first else (0x41C8, 0x0000))
    assert desk.write_real(SET_POINT, 60.5) == 0
    assert desk.real(SET_POINT) == 60.5


# -- the loop --------------------------------------------------------------------------------------


def test_the_air_is_conditioned_while_mode_and_event_say_so(desk):
    assert desk.write_real(SET_POINT, 60.0) == 0
    assert desk.air.celsius is None
    desk.write(EVENT_1, ON)
    assert desk.air.celsius == 60.0
    assert desk.real(PROCESS_VALUE) == pytest.approx(60.0, abs=0.2)
    desk.write(MODE, OFF)
    assert desk.air.celsius is None
    assert desk.real(2808) == 0.0
    desk.write(MODE, AUTO)
    desk.write(EVENT_1, OFF)
    assert desk.air.celsius is None


def test_a_chamber_without_a_run_event_runs_from_the_start():
    desk = Desk(run_event=None)
    assert desk.real(SET_POINT) == 25.0
    assert desk.air.celsius == 25.0


@pytest.mark.parametrize(("clamps", "code", "now"), [(False, 3, 25.0), (True, 0, 180.0)])
def test_a_set_point_beyond_the_limits_is_refused_or_clamped(clamps, code, now):
    desk = Desk(clamps=clamps)
    assert desk.write_real(SET_POINT, 200.0) == code
    assert desk.real(SET_POINT) == now


def test_the_set_point_limits_can_be_narrowed_but_not_past_the_machine(desk):
    assert (desk.real(2774), desk.real(2776)) == (-70.0, 180.0)
    assert desk.write_real(2776, 80.0) == 0
    assert desk.write_real(SET_POINT, 81.0) == 3
    assert desk.write_real(2776, 200.0) == 3
    assert desk.write_real(2774, 30.0) == 3


def test_a_ramp_limits_the_working_set_point_and_not_the_target(desk):
    desk.run(20.0)
    desk.write(RAMP_ACTION, 85)
    desk.write(RAMP_SCALE, 57)
    desk.write_real(RAMP_RATE, 2.0)
    assert desk.write_real(RAMP_RATE, 0.0) == 3
    desk.write_real(SET_POINT, 60.0)
    desk.wait(600.0)
    assert desk.real(WORKING) == pytest.approx(40.0, abs=0.01)
    assert desk.real(SET_POINT) == 60.0
    assert desk.air.celsius == pytest.approx(40.0, abs=0.01)
    desk.wait(3600.0)
    assert desk.real(WORKING) == 60.0
    assert desk.air.celsius == 60.0


def test_with_ramp_at_startup_the_air_starts_where_it_is(desk):
    desk.write_real(SET_POINT, 82.0)
    desk.write(RAMP_ACTION, 88)
    desk.write(RAMP_SCALE, 39)
    desk.write_real(RAMP_RATE, 60.0)
    desk.write(EVENT_1, ON)
    desk.wait(1800.0)
    assert desk.real(WORKING) == pytest.approx(52.0, abs=0.01)


def test_in_fahrenheit_all_floats_change_and_the_air_does_not():
    desk = Desk(units=Units.FAHRENHEIT)
    assert desk.word(1328) == 30
    desk.run(140.0)
    assert desk.air.celsius == pytest.approx(60.0)
    assert desk.real(PROCESS_VALUE) == pytest.approx(140.0, abs=0.4)
    assert desk.real(2776) == pytest.approx(356.0)
    desk.write_real(RAMP_RATE, 1.8)
    desk.write(1328, 15)
    assert desk.real(SET_POINT) == pytest.approx(60.0)
    assert desk.real(RAMP_RATE) == pytest.approx(1.0)


def test_a_broken_sensor_reads_no_number_fails_the_status_and_stops_the_air(desk):
    desk.run(60.0)
    assert desk.word(90) == 138
    desk.front.controller.break_sensor(True, desk.clock.now())
    assert math.isnan(desk.real(PROCESS_VALUE))
    assert desk.word(90) == 32
    assert desk.air.celsius is None
    desk.front.controller.break_sensor(False, desk.clock.now())
    assert desk.air.celsius == 60.0


def test_an_alarm_stops_conditioning_until_it_is_cleared_at_the_panel(desk):
    desk.run(60.0)
    desk.front.inject("alarm", 2, desk.clock.now())
    assert desk.word(1356) == 61
    assert desk.word(1456) not in (88, 61, 12)
    assert desk.air.celsius is None
    desk.front.controller.clear_alarms(desk.clock.now())
    assert desk.word(1456) == 61
    assert desk.air.celsius == 60.0
    with pytest.raises(BadInput, match="alarm"):
        desk.front.inject("alarm", 9, 0.0)


def test_after_a_power_failure_the_set_point_is_the_last_and_the_events_are_off(desk):
    desk.run(60.0)
    desk.front.controller.power_cycle(desk.clock.now())
    assert desk.real(SET_POINT) == 60.0
    assert desk.word(EVENT_1) == OFF
    assert desk.air.celsius is None


def test_a_lost_link_leaves_the_loop_at_its_last_set_point(desk):
    desk.run(60.0)
    desk.link.close()
    assert desk.air.celsius == 60.0


def test_the_part_number_stands_one_character_a_register(desk):
    assert "".join(chr(word) for word in desk.words(16, 15)).startswith("F4T")


# -- profiles --------------------------------------------------------------------------------------


def test_a_profile_walks_through_its_states_and_ends_at_its_last_set_point(desk):
    desk.run(30.0)
    assert desk.word(PROFILE_STATE) == 251
    assert desk.write(16558, 1) == 0
    assert desk.write(16560, 1) == 0
    assert desk.write(16562, 1782) == 0
    desk.wait(600.0)
    assert (desk.word(PROFILE_STATE), desk.word(16592)) == (149, 81)
    assert desk.real(16602) == pytest.approx(40.0, abs=0.01)
    assert desk.air.celsius == pytest.approx(40.0, abs=0.01)
    assert desk.words(16570, 3) == (1, 50, 0)
    desk.write(16566, 146)
    desk.wait(5000.0)
    assert desk.word(PROFILE_STATE) == 146
    assert desk.real(WORKING) == pytest.approx(40.0, abs=0.01)
    desk.write(16564, 147)
    desk.wait(1500.0)
    assert (desk.word(16588), desk.word(16590), desk.word(16592)) == (1, 2, 87)
    desk.wait(6000.0)
    assert desk.word(PROFILE_STATE) == 252
    assert desk.real(SET_POINT) == 25.0
    assert desk.air.celsius == 25.0


def test_a_terminated_profile_returns_to_the_set_point_from_before(desk):
    desk.run(30.0)
    desk.write(16562, 1782)
    desk.wait(600.0)
    desk.write(16566, 148)
    assert desk.word(PROFILE_STATE) == 253
    assert desk.air.celsius == 30.0


def test_a_profile_that_is_not_stored_is_refused(desk):
    desk.write(16558, 7)
    assert desk.write(16562, 1782) == 3
    assert desk.word(PROFILE_STATE) == 251
    assert desk.write(16562, 1) == 3


# -- SCPI ------------------------------------------------------------------------------------------


class Typist:
    """An F4T over ideal air, with somebody who types SCPI."""

    def __init__(self, **machine) -> None:
        self.air = IdealAir()
        self.clock = SimulatedClock()
        self.front = WatlowF4TScpiFront("chamber-1", self.air, seed=3, machine=Machine(**machine))
        self.link = InMemoryLink(self.front, self.clock, "chamber-1")

    def send(self, *lines: str) -> None:
        for line in lines:
            self.link.write(line.encode() + b"\n")

    def ask(self, line: str) -> str:
        self.send(line)
        return self.link.read_until(b"\n", 1.0).decode()

    def is_silent(self, line: str) -> bool:
        with pytest.raises(LinkTimeout):
            self.ask(line)
        return True


@pytest.fixture
def typist() -> Typist:
    return Typist()


def test_the_worked_scpi_session(typist):
    assert typist.ask("*IDN?") == '"Watlow Electric",F4T,0000,04:05:0007'
    typist.send(":UNIT:TEMPERATURE C", ":SOURCE:CLOOP1:SPOINT 60.0")
    assert typist.ask(":SOURCE:CLOOP1:SPOINT?") == "60.000000"
    typist.send(
        ":SOURCE:CLOOP1:RSCALE MINUTES", ":SOURCE:CLOOP1:RRATE 1.0",
        ":SOURCE:CLOOP1:RACTION SETPOINT", ":OUTPUT1:STATE ON",
    )  # fmt: skip
    assert float(typist.ask(":SOURCE:CLOOP1:PVALUE?")) == pytest.approx(60.0, abs=0.2)
    assert typist.ask(":SOURCE:CLOOP1:ERROR?") == "NONE"
    assert typist.ask(":OUTPUT1:STATE?") == "ON"
    typist.send(":OUTPUT1:STATE OFF")
    assert typist.ask(":OUTPUT1:STATE?") == "OFF"
    assert typist.air.celsius is None


@pytest.mark.parametrize(
    "line",
    [":SOURCE:CLOOP1:SPOINT 60.0", ":OUTPUT1:STATE ON", ":UNIT:TEMPERATURE C", "FOO?",
     ":SOURCE:CLOOP2:PVALUE?", ":OUTPUT8:STATE?", ":SOURCE:CLOOP1:SPOINT 999",
     ":UNIT:TEMPERATURE:DISPLAY F"],
)  # fmt: skip
def test_sets_and_refusals_are_silent(typist, line):
    assert typist.is_silent(line)


def test_a_refused_set_point_changes_nothing(typist):
    typist.send(":SOURCE:CLOOP1:SPOINT 999", ":SOURCE:CLOOP1:SPOINT warm")
    assert float(typist.ask(":SOURCE:CLOOP1:SPOINT?")) == 25.0


def test_the_units_of_scpi_can_be_asked_and_set(typist):
    assert typist.ask(":UNIT:TEMPERATURE?") == "C"
    typist.send(":UNIT:TEMPERATURE F")
    assert typist.ask(":UNIT:TEMPERATURE?") == "F"
    assert float(typist.ask(":SOURCE:CLOOP1:SPOINT?")) == 77.0


def test_a_broken_sensor_is_an_error_in_scpi(typist):
    typist.front.controller.break_sensor(True, 0.0)
    assert typist.ask(":SOURCE:CLOOP1:ERROR?") == "ERROR"
    assert math.isnan(float(typist.ask(":SOURCE:CLOOP1:PVALUE?")))


def test_a_profile_runs_by_scpi(typist):
    typist.send(":OUTPUT1:STATE ON", ":PROGRAM:NUMBER 1", ":PROGRAM:STEP 2")
    assert typist.ask(":PROGRAM:NAME?") == '"Profile 1"'
    typist.send(":PROGRAM:SELECTED:STATE START")
    typist.clock.wait_until(typist.clock.now() + 1800.0 + 1800.0)
    typist.send(":PROGRAM:SELECTED:STATE PAUSE", ":PROGRAM:SELECTED:STATE RESUME")
    assert typist.air.celsius == 25.0
    typist.send(":PROGRAM:SELECTED:STATE STOP")
    assert typist.front.controller.profile is None
