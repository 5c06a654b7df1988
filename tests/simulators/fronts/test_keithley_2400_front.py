"""The simulated 2400 series against its sheet: the transcript, section 2, and section 4 by item."""

from __future__ import annotations

import math

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.keithley_2400 import Keithley2400Front
from simulators.fronts.keithley_2400_settings import MODELS
from simulators.fronts.keithley_settings import OffState
from simulators.interfaces import DriveMode
from simulators.link import InMemoryLink

NO_ERROR = '0,"No error"'
CONVERSION_SECOND = 3 * (0.02 + 185e-6)  # 1 NPLC at 50 Hz, with autozero
CHARGE = (
    "*RST", ":OUTP:SMOD HIMP", ":SOUR:CLE:AUTO OFF", ":SYST:RSEN ON", ":SOUR:FUNC VOLT",
    ":SOUR:VOLT:MODE FIX", ":SOUR:VOLT:RANG 20", ":SOUR:VOLT:LEV 4.2", ":SENS:FUNC:CONC ON",
    ':SENS:FUNC "VOLT","CURR"', ":SENS:CURR:RANG 1", ":SENS:CURR:PROT 0.5", ":SENS:CURR:NPLC 1",
    ":FORM:ELEM VOLT,CURR,STAT",
)  # fmt: skip
REST = (
    ":SOUR:FUNC CURR", ":SOUR:CURR:MODE FIX", ":SOUR:CURR:LEV 0", ":SENS:VOLT:PROT 10",
    ":SENS:VOLT:RANG 20", ":OUTP ON",
)  # fmt: skip
STORE = (
    ":TRAC:FEED:CONT NEV", ":TRAC:CLE", ":TRAC:FEED SENS", ":TRAC:POIN 5", ":TRAC:FEED:CONT NEXT",
    ":TRIG:COUN 5", ":STAT:MEAS:ENAB 512;*SRE 1", ":INIT",
)  # fmt: skip


class Desk:
    """A 2400 on an ideal cell, with somebody who types."""

    def __init__(self, volt: float = 3.6, ohm: float = 0.1, **options) -> None:
        self.cell = IdealCell(volt, ohm)
        self.clock = SimulatedClock()
        options = {"noise": False, **options}
        self.front = Keithley2400Front("smu-1", self.cell, seed=7, **options)
        self.link = InMemoryLink(self.front, self.clock, "smu-1")

    def send(self, *messages: str) -> None:
        for message in messages:
            self.link.write(message.encode() + b"\n")

    def ask(self, message: str, timeout_second: float = 3.0) -> str:
        self.send(message)
        return self.link.read_until(b"\n", timeout_second).decode()

    def numbers(self, message: str) -> list[float]:
        return [float(part) for part in self.ask(message).split(",")]

    def status(self) -> int:
        return int(self.numbers(":READ?")[-1])

    def error_code(self) -> int:
        return int(self.ask(":SYST:ERR?").split(",")[0])

    def get_no_reply(self, message: str) -> None:
        with pytest.raises(LinkTimeout):
            self.ask(message)

    def wait(self, second: float) -> None:
        self.clock.wait_until(self.clock.now() + second)

    @property
    def drive(self):
        """What acts on the cell when the relay has moved."""
        self.wait(0.2)
        assert self.front.transmit(self.clock.now()) == b""
        return self.cell.drives["smu-1"]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def charging(desk) -> Desk:
    desk.send(*CHARGE, ":OUTP ON")
    assert desk.ask(":OUTP?") == "1"  # the relay has moved
    return desk


# -- the transcript --------------------------------------------------------------------------------


def test_it_identifies(desk):
    assert desk.ask("*IDN?") == (
        "KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C32   Oct  4 2010 14:20:11/A02  /S/K"
    )


def test_it_charges_with_constant_current_then_constant_voltage_rests_and_stops(desk):
    desk.send(*CHARGE)
    assert desk.ask(":SYST:ERR?") == NO_ERROR
    desk.send(":OUTP ON")
    assert desk.ask(":READ?") == "+3.650000E+00,+5.000000E-01,+4.216844E+06"
    desk.cell.volt = 4.18
    assert desk.ask(":READ?") == "+4.200000E+00,+2.000000E-01,+4.216836E+06"
    desk.send(":OUTP OFF", *REST)
    assert desk.ask(":READ?") == "+4.180000E+00,+0.000000E+00,+4.233220E+06"
    desk.send(":ABOR", ":OUTP OFF")
    assert desk.ask(":OUTP?") == "0"
    assert desk.drive.mode is DriveMode.OPEN
    assert desk.ask(":SYST:ERR?") == NO_ERROR


# -- section 4 -------------------------------------------------------------------------------------


def test_item_1_power_on_is_off_two_wire_without_errors(desk):
    assert desk.ask(":OUTP?;:OUTP:SMOD?;:SYST:RSEN?") == "0;NORM;0"
    assert desk.ask("*ESR?") == "128"
    assert desk.ask(":SENS:CURR:PROT?;:SENS:VOLT:PROT?") == "1.050000E-04;2.100000E+01"
    assert desk.error_code() == 0


def test_item_1_the_saved_off_state_comes_back_with_the_mains():
    desk = Desk(saved_off_state=OffState.HIGH_IMPEDANCE)
    desk.send(*CHARGE, ":OUTP ON", ":OUTP:SMOD ZERO")
    desk.front.power_cycle(desk.clock.now())
    assert desk.ask(":OUTP?;:OUTP:SMOD?") == "0;HIMP"
    assert desk.drive.mode is DriveMode.OPEN


def test_item_2_off_state_normal_drains_the_cell(desk):
    desk.ask("*IDN?")
    desk.cell.terminals(3600.0)
    assert desk.cell.charge_coulomb == pytest.approx(-105e-6 * 3600)


def test_item_2_a_reset_makes_the_output_a_zero_volt_source_again(charging):
    charging.send(":OUTP OFF")
    assert charging.drive.mode is DriveMode.OPEN
    charging.send("*RST")
    assert (charging.drive.mode, charging.drive.level) == (DriveMode.VOLTAGE, 0.0)


def test_item_2_off_state_normal_after_sourcing_current_shorts_the_cell(desk):
    desk.send(*REST, ":OUTP OFF")
    assert desk.cell.terminals(desk.clock.now()).current_ampere == pytest.approx(-1.05)


def test_item_2_high_impedance_does_not_drain_the_cell():
    desk = Desk(saved_off_state=OffState.HIGH_IMPEDANCE)
    desk.ask("*IDN?")
    desk.cell.terminals(3600.0)
    assert desk.cell.charge_coulomb == 0


@pytest.mark.parametrize(
    ("word", "mode"), [("GUAR", DriveMode.CURRENT), ("ZERO", DriveMode.VOLTAGE)]
)
def test_item_2_the_other_off_states_drive_zero(desk, word, mode):
    desk.send(f":OUTP:SMOD {word}")
    assert desk.ask(":OUTP:SMOD?") == word
    assert (desk.drive.mode, desk.drive.level) == (mode, 0.0)


def test_item_2_discharge_shows_a_negative_current(desk):
    desk.send(*CHARGE, ":SOUR:VOLT 3", ":OUTP ON")
    assert desk.numbers(":READ?")[:2] == pytest.approx([3.55, -0.5])


def test_item_3_compliance_is_that_of_this_moment(charging):
    assert charging.status() & 1 << 3
    assert charging.ask(":SENS:CURR:PROT:TRIP?") == "1"
    charging.cell.volt = 4.19
    assert not charging.status() & 1 << 3
    assert charging.ask(":SENS:CURR:PROT:TRIP?;:SENS:VOLT:PROT:TRIP?") == "0;0"


def test_item_3_a_measure_range_below_the_compliance_clamps_as_range_compliance(charging):
    charging.send(":SENS:CURR:RANG 0.1")
    voltage, current, status = charging.numbers(":READ?")
    assert (voltage, current) == pytest.approx((3.6105, 0.105))
    assert int(status) & 1 << 16
    assert not int(status) & 1 << 3
    assert charging.ask(":SENS:CURR:PROT?") == "5.000000E-01"


def test_item_4_a_compliance_below_the_cell_discharges_it(desk):
    desk.send(
        ":SOUR:FUNC CURR", ":SOUR:CURR:RANG 1", ":SENS:VOLT:PROT 3.55", ':SENS:FUNC "VOLT"',
        ":OUTP ON",
    )  # fmt: skip
    voltage, current = desk.numbers(":READ?")[:2]
    assert (voltage, current) == pytest.approx((3.55, -0.5))


@pytest.mark.parametrize(
    ("message", "question", "kept", "code"),
    [
        (":SOUR:VOLT 300", ":SOUR:VOLT?", "0.000000E+00", -222),
        (":SOUR:VOLT:RANG 2;:SOUR:VOLT 4.2", ":SOUR:VOLT?", "0.000000E+00", -222),
        (":SOUR:VOLT 4.2;:SOUR:VOLT:RANG 2", ":SOUR:VOLT:RANG:AUTO?", "1", -221),
        (":SENS:CURR:PROT 2", ":SENS:CURR:PROT?", "1.050000E-04", -222),
        (":SENS:CURR:PROT 0", ":SENS:CURR:PROT?", "1.050000E-04", -222),
        (":SENS:CURR:RANG 0.1;:SENS:CURR:PROT 0.5", ":SENS:CURR:PROT?", "1.050000E-04", 824),
        (":SENS:CURR:RANG 1;:SENS:CURR:PROT 5E-4", ":SENS:CURR:PROT?", "1.000000E-03", 822),
        (":SOUR:VOLT:RANG 200;:SENS:CURR:PROT 0.5", ":SENS:CURR:PROT?", "1.050000E-04", 826),
        (":SENS:CURR:PROT 0.5;:SOUR:VOLT 100", ":SOUR:VOLT?", "0.000000E+00", 826),
        (":SENS:CURR:PROT 0.5;:SOUR:VOLT:RANG 200", ":SOUR:VOLT:RANG:AUTO?", "1", 826),
        (":SENS:CURR:NPLC 11", ":SENS:VOLT:NPLC?", "1.000000E+00", -222),
        (":SENS:FUNC VOLT", ":SENS:FUNC?", '"CURR:DC"', -224),
        (':SENS:FUNC "FREQ"', ":SENS:FUNC?", '"CURR:DC"', -224),
        (":SENS:FUNC:CONC 0;:SENS:FUNC:ALL", ":SENS:FUNC?", '"CURR:DC"', -221),
        (":SENS:FUNC:CONC 0;:SENS:FUNC 'VOLT','CURR'", ":SENS:FUNC?", '"CURR:DC"', -221),
        (":SENS:RES:MODE AUTO", ":SENS:RES:MODE?", "MAN", -221),
        (":SOUR:VOLT:PROT -5", ":SOUR:VOLT:PROT?", "4.000000E+01", -222),
        (":TRIG:COUN 50;:ARM:COUN 51", ":ARM:COUN?", "1", -222),
        (":TRAC:POIN 2501", ":TRAC:POIN?", "100", -222),
        (":SOUR:VOLT", ":SOUR:VOLT?", "0.000000E+00", -109),
        (":SOUR:VOLTS 1", ":SOUR:VOLT?", "0.000000E+00", -113),
    ],
)
def test_item_5_what_is_refused_changes_nothing_and_is_only_in_the_queue(
    desk, message, question, kept, code
):
    desk.send(message)
    assert desk.ask(question) == kept
    assert desk.error_code() == code
    assert desk.error_code() == 0


@pytest.mark.parametrize("message", [":READ?", ":INIT", ":OUTP OFF;:READ?"])
def test_item_6_with_the_output_off_there_is_no_reading_and_no_reply(desk, message):
    desk.send(*CHARGE)
    desk.get_no_reply(message)
    assert desk.ask(":SYST:ERR?") == '+803,"Not permitted with OUTPUT off"'
    assert desk.drive.mode is DriveMode.OPEN


def test_item_7_fetching_before_any_reading_is_an_error_without_reply(desk):
    desk.get_no_reply(":FETC?")
    assert desk.error_code() == -230
    desk.get_no_reply(":TRAC:DATA?")
    assert desk.error_code() == -230


def test_item_7_a_voltage_beyond_the_range_is_overflow(desk):
    desk.send(*REST, ":SENS:VOLT:RANG 2", ":SENS:VOLT:PROT 2")
    assert desk.error_code() == 0
    desk.send(":SOUR:FUNC VOLT", ":SOUR:VOLT:RANG 2", ":SENS:CURR:PROT 0.5")
    voltage, *_, status = desk.numbers(":READ?")
    assert voltage == 9.9e37
    assert int(status) & 1


@pytest.mark.parametrize("change", [":SYST:RSEN OFF", ":ROUT:TERM REAR"])
def test_item_8_a_change_of_wiring_switches_the_output_off(charging, change):
    charging.send(change)
    assert charging.ask(":OUTP?") == "0"


def test_item_8_the_wiring_as_it_is_leaves_the_output_on(charging):
    charging.send(":SYST:RSEN ON", ":ROUT:TERM FRON")
    assert charging.ask(":OUTP?") == "1"


@pytest.mark.parametrize(
    ("kind", "code", "event"), [("interlock", 802, 1 << 11), ("overtemperature", 810, 1 << 12)]
)
def test_items_10_and_14_a_fault_opens_the_relay_and_blocks_the_output(charging, kind, code, event):
    charging.send(":READ?")  # is being taken when it happens
    charging.front.inject(kind, None, charging.clock.now())
    assert charging.drive.mode is DriveMode.OPEN
    with pytest.raises(LinkTimeout):
        charging.link.read_until(b"\n", 3.0)
    assert int(charging.ask(":STAT:MEAS?")) & event
    charging.send(":OUTP:SMOD NORM", ":OUTP ON")
    assert charging.ask(":OUTP?") == "0"
    assert charging.drive.mode is DriveMode.OPEN
    assert charging.error_code() == code
    charging.front.inject(kind, 0, charging.clock.now())
    charging.send(":OUTP ON")
    assert charging.ask(":OUTP?") == "1"


@pytest.mark.parametrize(
    ("setup", "seconds"),
    [
        ("*CLS", 2 * CONVERSION_SECOND),
        (":SENS:FUNC:OFF 'CURR'", CONVERSION_SECOND),
        (":SYST:AZER OFF", 2 * CONVERSION_SECOND / 3),
        (":SENS:CURR:NPLC 10", 2 * 3 * (0.2 + 185e-6)),
        (":SOUR:DEL 0.5", 2 * CONVERSION_SECOND + 0.5),
        (":TRIG:DEL 0.5", 2 * CONVERSION_SECOND + 0.5),
        (":TRIG:COUN 4", 8 * CONVERSION_SECOND),
        (":ARM:COUN 3;:ARM:SOUR TIM;:ARM:TIM 0.5", 1.0 + 2 * CONVERSION_SECOND),
        (":SENS:AVER ON;:SENS:AVER:COUN 4", 8 * CONVERSION_SECOND),
        (":SENS:AVER:TCON MOV;:SENS:AVER ON", 2 * CONVERSION_SECOND),
    ],
)
def test_item_11_a_reading_takes_its_time(charging, setup, seconds):
    charging.send(setup)
    charging.ask("*OPC?")
    before = charging.clock.now()
    charging.ask(":READ?")
    assert charging.clock.now() - before == pytest.approx(seconds)


def test_item_11_a_relay_takes_its_time(desk):
    desk.send(*CHARGE, ":OUTP ON")
    assert desk.ask(":OUTP?") == "1"
    assert desk.clock.now() == pytest.approx(0.03)


def test_item_12_output_and_settings_survive_a_lost_connection(charging):
    charging.send(":READ?")  # is being taken when the cable goes; nobody gets its answer
    charging.link.close()
    charging.link = InMemoryLink(charging.front, charging.clock, "smu-1")
    assert charging.ask(":OUTP?;:SOUR:VOLT?") == "1;4.200000E+00"
    assert charging.error_code() == 0


@pytest.mark.parametrize("mark", [b"\x03", b"\x18"])
def test_item_12_a_break_discards_half_a_command_and_the_readings_under_way(charging, mark):
    charging.send(":TRIG:COUN 2500", ":READ?")
    charging.link.write(b":OUTP OF" + mark + b":OUTP?\n")
    assert charging.link.read_until(b"\n", 1.0) == b"1"
    assert charging.error_code() == 0


def test_item_13_the_queue_holds_ten_errors(desk):
    desk.send(*[":SOUR:VOLT 300"] * 12)
    assert [desk.error_code() for _ in range(11)] == [-222] * 9 + [-350, 0]


# -- the wire --------------------------------------------------------------------------------------


def test_a_reply_that_is_not_read_before_the_next_command_is_lost(desk):
    desk.send("*IDN?")
    assert desk.ask(":OUTP?") == "0"
    assert desk.error_code() == -410


def test_a_reading_that_is_not_waited_for_is_lost(charging):
    charging.send(":READ?")
    assert charging.ask(":OUTP?") == "1"
    assert charging.error_code() == -410


def test_what_stands_behind_a_reading_in_one_message_waits_for_it(charging):
    reading, tripped = charging.ask(":FORM:ELEM CURR;:READ?;:SENS:CURR:PROT:TRIP?").split(";")
    assert (reading, tripped) == ("+5.000000E-01", "1")


@pytest.mark.parametrize(
    ("terminator", "sent", "end"),
    [
        ("lf", b"\n", b"\n"),
        ("lf", b"\r\n", b"\n"),
        ("cr", b"\r", b"\r"),
        ("cr", b"\r\n", b"\r"),
        ("crlf", b"\r\n", b"\r\n"),
        ("lfcr", b"\n\r", b"\n\r"),
    ],
)
def test_messages_and_replies_end_as_it_is_set(terminator, sent, end):
    desk = Desk(terminator=terminator)
    for _ in range(2):
        desk.link.write(b":OUTP?" + sent)
        assert desk.link.read_until(end, 1.0) == b"0"
    assert desk.front.transmit(desk.clock.now()) == b""


@pytest.mark.parametrize("option", [{"model": "2460"}, {"terminator": "cr+lf"}])
def test_an_option_that_does_not_exist_is_refused(option):
    with pytest.raises(BadInput, match="expected one of"):
        Desk(**option)


def test_the_same_seed_gives_the_same_noise_and_another_another():
    def readings(seed: int) -> list[str]:
        front = Keithley2400Front("smu-1", IdealCell(), seed=seed)
        link = InMemoryLink(front, SimulatedClock(), "smu-1")
        link.write(b":OUTP ON;:TRIG:COUN 5;:READ?\n")
        return link.read_until(b"\n", 3.0).decode().split(",")[1::5]

    assert readings(1) == readings(1) != readings(2)
    assert len(set(readings(1))) > 1


# -- readings --------------------------------------------------------------------------------------


def test_what_is_not_measured_is_not_a_number(desk):
    desk.send(":SENS:CURR:PROT 0.5", ":SOUR:VOLT:RANG 20", ":SOUR:VOLT 4.2", ":OUTP ON")
    voltage, current, resistance, second, status = desk.numbers(":READ?")
    assert (voltage, current, resistance) == pytest.approx((3.65, 0.5, 9.91e37))
    assert second == pytest.approx(desk.clock.now(), rel=1e-6)
    assert int(status) == 1 << 2 | 1 << 3 | 1 << 12 | 1 << 14
    desk.send(":SOUR:FUNC CURR", ":SENS:FUNC:CONC OFF", ":SENS:FUNC 'CURR'")
    assert desk.numbers(":READ?")[0] == 9.91e37


def test_elements_come_in_the_instruments_order_however_they_are_named(charging):
    charging.send(":FORM:ELEM STATUS,CURRENT")
    assert charging.ask(":FORM:ELEM?") == "CURR,STAT"
    assert charging.ask(":READ?") == "+5.000000E-01,+4.216844E+06"


def test_the_clock_wraps(charging):
    charging.clock.wait_until(99_999.0)
    charging.send(":FORM:ELEM TIME")
    charging.wait(2.0)
    assert charging.numbers(":READ?")[0] < 3.0


@pytest.mark.parametrize("function", ["VOLT", "CURR"])
def test_the_functions_tell_themselves_as_open_drivers_read_them(function):
    desk = Desk()
    desk.send(f":SOUR:FUNC {function}", ':SENS:FUNC "VOLT","CURR"')
    assert desk.ask(":SOUR:FUNC?") == function
    assert desk.ask(":SENS:FUNC?") == '"VOLT:DC","CURR:DC"'


def test_resistance_is_voltage_over_current():
    desk = Desk(volt=0.0, ohm=47.0)
    desk.send(":SENS:CURR:PROT 1", ":SOUR:VOLT 1", ":SENS:FUNC:ALL", ":OUTP ON")
    assert desk.ask(":SENS:FUNC?") == '"VOLT:DC","CURR:DC","RES"'
    assert desk.numbers(":READ?")[2] == pytest.approx(47.0, rel=1e-4)
    desk.send(":SOUR:VOLT 0")
    assert desk.numbers(":READ?")[2] == 9.9e37


@pytest.mark.parametrize("message", [":MEAS?", ":MEAS:CURR?", ":CONF:CURR;:READ?"])
def test_measure_and_configure_switch_the_output_on_by_themselves(desk, message):
    desk.send(*CHARGE, ":SENS:FUNC:CONC OFF", ":SENS:FUNC 'CURR'")
    assert desk.numbers(message)[1] == pytest.approx(0.5)
    assert desk.ask(":OUTP?") == "1"


def test_automatic_output_off_switches_it_on_for_each_reading(desk):
    desk.send(*CHARGE, ":SOUR:CLE:AUTO ON")
    assert desk.numbers(":READ?")[1] == pytest.approx(0.5)
    assert desk.ask(":OUTP?;:SOUR:CLE:AUTO?") == "0;1"
    assert desk.drive.mode is DriveMode.OPEN


def test_the_overvoltage_protection_holds_the_output_back(charging):
    charging.cell.volt = 4.0
    charging.send(":SOUR:VOLT:PROT 4.1", ":SENS:CURR:RANG:AUTO ON", ":SENS:CURR:PROT 1.05")
    assert charging.drive.level == 4.1
    assert charging.status() & 1 << 4
    assert int(charging.ask(":STAT:MEAS?")) & 1 << 13
    charging.send(":OUTP OFF", *REST, ":SOUR:VOLT:PROT 3.9")
    assert charging.status() & (1 << 3 | 1 << 4) == 1 << 4


@pytest.mark.parametrize("model", MODELS)
def test_every_model_sources_up_to_its_ratings_and_not_beyond(model):
    desk = Desk(model=model)
    assert f"MODEL {model}," in desk.ask("*IDN?")
    for volt, ampere in MODELS[model].corners:
        desk.send("*RST", f":SOUR:VOLT {1.05 * volt}", f":SENS:CURR:PROT {1.05 * ampere}")
        assert desk.error_code() == 0
        desk.send(f":SENS:CURR:PROT {1.06 * ampere}")
        assert desk.error_code() in (-222, 826)
    desk.send("*RST", f":SOUR:VOLT {1.06 * max(MODELS[model].corners)[0]}")
    assert desk.error_code() == -222


# -- buffer and triggers ---------------------------------------------------------------------------


def test_the_buffer_fills_beside_and_says_so(charging):
    charging.send(*STORE)
    assert charging.ask("*STB?") == "0"
    assert charging.ask(":STAT:OPER:COND?;:TRAC:FEED:CONT?") == "0;NEXT"
    charging.wait(5 * CONVERSION_SECOND)
    assert charging.ask(":TRAC:POIN:ACT?") == "2"
    charging.wait(6 * CONVERSION_SECOND)
    assert int(charging.ask("*STB?")) & 65 == 65
    assert charging.ask(":TRAC:POIN:ACT?;:TRAC:FEED:CONT?") == "5;NEV"
    assert charging.ask(":STAT:OPER:COND?") == "1024"
    assert charging.numbers(":TRAC:DATA?")[1::3] == pytest.approx([0.5] * 5)
    assert int(charging.ask(":STAT:MEAS?")) & 0x4340 == 0x4340
    assert charging.ask(":STAT:MEAS?;*STB?") == "0;0"


@pytest.mark.parametrize("change", [":TRAC:FEED SENS", ":TRAC:POIN 7"])
def test_the_buffer_cannot_be_changed_while_it_stores(charging, change):
    charging.send(*STORE, change)
    assert charging.error_code() == 800
    assert charging.ask(":TRAC:POIN?") == "5"


def test_abort_ends_the_readings_and_a_second_init_is_ignored(charging):
    charging.send(*STORE, ":INIT")
    assert charging.error_code() == -213
    charging.wait(3 * CONVERSION_SECOND)
    charging.send(":ABOR")
    charging.wait(60.0)
    assert charging.ask(":TRAC:POIN:ACT?;:STAT:OPER:COND?") == "1;1024"


def test_output_off_ends_the_readings(charging):
    charging.send(*STORE, ":OUTP OFF", ":OUTP ON")
    charging.wait(60.0)
    assert charging.ask(":TRAC:POIN:ACT?") == "0"


@pytest.mark.parametrize("message", ["*OPC?", ":FETC?", "*WAI;:TRAC:POIN:ACT?"])
def test_it_can_be_waited_for(charging, message):
    charging.send(*STORE)
    charging.ask(message)
    assert charging.ask(":TRAC:POIN:ACT?") == "5"


def test_the_operation_is_complete_when_the_readings_are(charging):
    charging.ask("*ESR?")
    charging.send(*STORE, "*OPC")
    assert charging.ask("*ESR?") == "0"
    charging.wait(60.0)
    assert charging.ask("*ESR?") == "1"


def test_an_arm_layer_on_bus_waits_for_its_trigger(charging):
    charging.send(":ARM:SOUR BUS", ":INIT")
    charging.wait(60.0)
    assert charging.ask(":STAT:OPER:COND?") == "0"
    charging.send("*TRG")
    assert charging.numbers(":FETC?")[1] == pytest.approx(0.5)


@pytest.mark.parametrize("source", [":ARM:SOUR MAN", ":ARM:SOUR TLIN", ":TRIG:SOUR TLIN"])
def test_a_source_that_nobody_serves_gives_no_reading(charging, source):
    charging.send(source)
    charging.get_no_reply(":READ?")
    charging.send(":ABOR")
    assert charging.error_code() == -410
    assert charging.ask(":STAT:OPER:COND?") == "1024"


def test_trigger_settings_read_back_and_reset(desk):
    desk.send(":ARM:SOUR TIM", ":ARM:TIM 2", ":TRIG:OUTP SENS", ":TRIG:ILIN 3", ":TRIG:COUN 9")
    assert desk.ask(":ARM:SOUR?;:ARM:TIM?;:TRIG:OUTP?;:TRIG:ILIN?") == "TIM;2.000000E+00;SENS;3"
    desk.send("*RST")
    assert desk.ask(":ARM:SOUR?;:TRIG:OUTP?;:TRIG:COUN?") == "IMM;NONE;1"


def test_a_reset_leaves_the_status_alone(desk):
    desk.send(":SOUR:VOLT 300", "*ESE 16", "*RST")
    assert int(desk.ask("*STB?")) == 4 | 32
    desk.send("*CLS")
    assert desk.ask("*STB?") == "0"
    assert math.isclose(float(desk.ask(":SENS:VOLT:PROT?")), 21.0)


def test_a_reading_asked_for_while_it_was_busy_is_sent_however_late_anybody_looks():
    front = Keithley2400Front("smu-1", IdealCell(3.6, 0.1), seed=7)
    front.receive(b":OUTP:SMOD HIMP\n:OUTP OFF\n:OUTP ON\n:READ?\n", 1000.0)
    assert front.transmit(2000.0).count(b"\n") == 1
