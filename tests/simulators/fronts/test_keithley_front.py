"""The simulated 2450 against its sheet: transcripts A to E, and section 4, item by item."""

from __future__ import annotations

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.fronts.keithley_settings import OffState
from simulators.interfaces import DriveMode
from simulators.link import InMemoryLink

NO_ERROR = '0,"No error;0;0 0"'


class Desk:
    """A 2450 on an ideal cell, with somebody who types."""

    def __init__(self, volt: float = 3.7, ohm: float = 0.1, **options) -> None:
        self.cell = IdealCell(volt, ohm)
        self.clock = SimulatedClock()
        self.front = Keithley2450Front("smu-1", self.cell, seed=7, noise=False, **options)
        self.link = InMemoryLink(self.front, self.clock, "smu-1")

    def send(self, *messages: str) -> None:
        for message in messages:
            self.link.write(message.encode() + b"\n")

    def ask(self, message: str, timeout_second: float = 3.0) -> str:
        self.send(message)
        return self.link.read_until(b"\n", timeout_second).decode()

    def numbers(self, message: str) -> list[float]:
        return [float(part) for part in self.ask(message).split(",")]

    def error_code(self) -> int:
        return int(self.ask(":SYST:ERR?").split(",")[0])

    def charge(self, level: float = 4.2, limit: float = 0.5) -> None:
        self.send(":OUTP:SMOD HIMP", ":SOUR:VOLT:RANG 20", f":SOUR:VOLT:ILIM {limit}",
                  f":SOUR:VOLT {level}", ':SENS:FUNC "CURR"', ":SENS:CURR:RANG 1",
                  ":SENS:CURR:RSEN ON", ":OUTP ON")  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_transcript_a_identifies(desk):
    assert desk.ask("*IDN?") == "KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.12b"
    assert desk.ask("*LANG?") == "SCPI"
    desk.send("*RST", "*CLS")
    assert desk.ask(":SYST:ERR?") == NO_ERROR


def test_transcript_b_charges_with_constant_current_then_constant_voltage():
    desk = Desk(volt=3.6, ohm=0.1)
    desk.send(
        ":OUTP:VOLT:SMOD HIMP", ":OUTP:CURR:SMOD HIMP", ":SOUR:FUNC VOLT", ":SOUR:VOLT:RANG 20",
        ":SOUR:VOLT:ILIM 0.5", ":SOUR:VOLT 4.2", ":SOUR:VOLT:PROT PROT5",
        ":SOUR:VOLT:READ:BACK ON", ':SENS:FUNC "CURR"', ":SENS:CURR:RANG 1", ":SENS:CURR:RSEN ON",
        ":SENS:CURR:NPLC 1", ':TRAC:CLE "defbuffer1"',
    )  # fmt: skip
    assert desk.ask(":SYST:ERR?") == NO_ERROR
    assert desk.ask(":SOUR:VOLT:ILIM?") == "5.000000E-01"
    desk.send(":OUTP ON")
    assert desk.ask(':READ? "defbuffer1",SOUR,READ,REL') == "3.650000E+00,5.000000E-01,0.000000E+00"
    assert desk.ask(":SOUR:VOLT:ILIM:TRIP?") == "1"
    desk.cell.volt = 4.18
    source, current, seconds = desk.numbers(':READ? "defbuffer1",SOUR,READ,REL')
    assert (source, current) == pytest.approx((4.2, 0.2))
    assert seconds > 0
    assert desk.ask(":SOUR:VOLT:ILIM:TRIP?") == "0"
    desk.send(":OUTP OFF")
    assert desk.ask(":OUTP?") == "0"
    assert desk.cell.drives["smu-1"].mode is DriveMode.OPEN


def test_transcript_c_rests_at_zero_current(desk):
    desk.send(
        ":SOUR:VOLT:PROT PROT20", ":SOUR:FUNC CURR", ":SOUR:CURR:RANG:AUTO ON", ":SOUR:CURR 0",
        ":SOUR:CURR:VLIM 10", ':SENS:FUNC "VOLT"', ":SENS:VOLT:RANG 20", ":SENS:VOLT:RSEN ON",
        ":OUTP ON",
    )  # fmt: skip
    assert desk.numbers(':READ? "defbuffer1",READ,REL') == pytest.approx([3.7, 0.0])
    assert desk.error_code() == 0


def test_transcript_e_stops(desk):
    desk.charge()
    desk.send(":ABOR", ":OUTP OFF")
    assert desk.ask(":OUTP?") == "0"
    assert desk.error_code() == 0


# -- section 4 ---------------------------------------------------------------------------------


def test_item_1_power_on_is_off_two_wire_without_errors(desk):
    assert desk.ask(":OUTP?;:OUTP:SMOD?;:SENS:CURR:RSEN?") == "0;NORM;0"
    assert desk.ask("*ESR?") == "128"
    assert desk.ask("*ESR?") == "0"
    assert desk.error_code() == 0


def test_item_2_off_state_normal_drains_the_cell(desk):
    desk.ask("*IDN?")
    desk.clock.wait_until(3600.0)
    desk.send("*CLS")
    desk.cell.terminals(3600.0)
    assert desk.cell.charge_coulomb == pytest.approx(-105e-6 * 3600)


def test_item_2_high_impedance_does_not_drain_the_cell():
    desk = Desk(saved_off_state=OffState.HIGH_IMPEDANCE)
    desk.ask("*IDN?")
    desk.cell.terminals(3600.0)
    assert desk.cell.charge_coulomb == 0


def test_item_2_discharge_shows_a_negative_current(desk):
    desk.charge(level=3.0, limit=0.5)
    assert desk.numbers(":READ?") == pytest.approx([-0.5])


def test_item_3_the_status_shows_the_clamp_of_this_moment(desk):
    desk.charge()
    assert int(desk.ask(':READ? "defbuffer1",SOURSTAT')) & 32
    desk.cell.volt = 4.19
    assert not int(desk.ask(':READ? "defbuffer1",SOURSTAT')) & 32


def test_item_4_a_voltage_limit_below_the_cell_discharges_it(desk):
    desk.send(":SOUR:FUNC CURR", ":SOUR:CURR 0", ":SOUR:CURR:VLIM 3.65", ":OUTP ON")
    source, voltage = desk.numbers(':SENS:FUNC "VOLT";:READ? "defbuffer1",SOUR,READ')
    assert voltage == pytest.approx(3.65)
    assert source == pytest.approx(-0.5)
    assert desk.ask(":SOUR:CURR:VLIM:TRIP?") == "1"


@pytest.mark.parametrize(
    ("message", "question", "kept", "code"),
    [
        (":SOUR:VOLT 300", ":SOUR:VOLT?", "0.000000E+00", -222),
        (":SOUR:VOLT:ILIM 2", ":SOUR:VOLT:ILIM?", "1.050000E-04", -222),
        (":SENS:CURR:NPLC 11", ":SENS:CURR:NPLC?", "1.000000E+00", -222),
        (":SOUR:VOLT:RANG 2;:SOUR:VOLT 4.2", ":SOUR:VOLT?", "0.000000E+00", -222),
        (":SOUR:VOLT:PROT PROT7", ":SOUR:VOLT:PROT?", "NONE", -224),
        (":SENS:FUNC CURR", ":SENS:FUNC?", '"CURR:DC"', -224),
        (":SOUR:VOLT", ":SOUR:VOLT?", "0.000000E+00", -109),
        (":SOUR:VOLT 1,2", ":SOUR:VOLT?", "0.000000E+00", -108),
        (":SENS:COUN 300001", ":SENS:COUN?", "1", -222),
        (":SOUR:VOLT:PROT PROT5;:SOUR:CURR:VLIM 10", ":SOUR:CURR:VLIM?", "2.100000E+01", -221),
    ],
)
def test_item_5_what_is_refused_changes_nothing_and_is_only_in_the_queue(
    desk, message, question, kept, code
):
    desk.send(message)
    assert desk.ask(question) == kept
    assert desk.error_code() == code
    assert desk.error_code() == 0


@pytest.mark.parametrize(
    "setup",
    [":SOUR:VOLT:RANG 200", ":SENS:CURR:RANG 1;:SOUR:VOLT:ILIM 0.5"],
)
def test_item_5_a_limit_that_does_not_fit_the_range_is_kept_with_a_warning(desk, setup):
    desk.send(setup)
    before = desk.ask(":SOUR:VOLT:ILIM?")
    desk.send(":SOUR:VOLT:ILIM 1" if "200" in setup else ":SOUR:VOLT:ILIM 0.0005")
    assert desk.ask(":SOUR:VOLT:ILIM?") == before
    code, text = desk.ask(":SYST:ERR?").split(",", 1)
    assert int(code) > 0
    assert text.split(";")[1] == "2"


def test_item_6_a_reading_with_the_output_off_shows_nothing_of_the_cell(desk):
    desk.send(":OUTP:SMOD HIMP", ':SENS:FUNC "VOLT"')
    assert desk.numbers(":READ?") == pytest.approx([0.0])


def test_item_7_fetching_from_an_empty_buffer_is_an_error_without_reply(desk):
    with pytest.raises(LinkTimeout):
        desk.ask(":FETC?", timeout_second=1.0)
    assert desk.error_code() == -230


def test_item_7_a_reading_beyond_the_range_is_overflow(desk):
    desk.charge()
    desk.send(":SENS:CURR:RANG 0.1")
    assert desk.ask(":READ?") == "9.900000E+37"


@pytest.mark.parametrize("change", [":SENS:CURR:RSEN OFF", ":ROUT:TERM REAR"])
def test_item_8_a_change_of_wiring_switches_the_output_off(desk, change):
    desk.charge()
    desk.send(change)
    assert desk.ask(":OUTP?") == "0"


def test_item_9_in_another_language_scpi_is_a_syntax_error(desk):
    desk.send("*LANG TSP")
    assert desk.ask("*LANG?") == "SCPI"
    desk.front.power_cycle(desk.clock.now())
    assert desk.ask("*LANG?") == "TSP"
    desk.send(":OUTP ON")
    desk.send("*LANG SCPI")
    assert desk.front.meter.log.pop().code == -285
    desk.front.power_cycle(desk.clock.now())
    assert desk.ask(":OUTP?") == "0"


@pytest.mark.parametrize("kind", ["interlock", "overtemperature"])
def test_items_10_and_14_a_fault_opens_the_relay_and_blocks_the_output(kind):
    desk = Desk()
    desk.charge()
    desk.front.inject(kind, None, desk.clock.now())
    assert desk.cell.drives["smu-1"].mode is DriveMode.OPEN
    assert desk.error_code() != 0
    desk.send(":OUTP:SMOD NORM", ":OUTP ON")
    assert desk.ask(":OUTP?") == "0"
    assert desk.error_code() != 0
    desk.front.inject(kind, 0, desk.clock.now())
    desk.send(":OUTP ON")
    assert desk.ask(":OUTP?") == "1"


@pytest.mark.parametrize(
    ("setup", "seconds"),
    [
        (":SENS:CURR:AZER OFF;:SOUR:VOLT:READ:BACK OFF", 0.02),
        (":SENS:CURR:AZER OFF", 0.04),
        ("*CLS", 0.08),
        (":SENS:CURR:NPLC 10", 0.8),
        (":SENS:COUN 5", 0.4),
        (":SENS:CURR:AVER ON;:SENS:CURR:AVER:COUN 4", 0.32),
    ],
)
def test_item_11_a_reading_takes_its_integration_time(desk, setup, seconds):
    desk.send(setup)
    before = desk.clock.now()
    desk.ask(":READ?")
    assert desk.clock.now() - before == pytest.approx(seconds)


def test_item_11_a_reading_is_not_there_before_its_time(desk):
    desk.send(":READ?")
    with pytest.raises(LinkTimeout):
        desk.link.read_until(b"\n", 0.05)
    assert desk.link.read_until(b"\n", 0.05)


def test_item_12_output_and_settings_survive_a_lost_connection(desk):
    desk.charge()
    desk.clock.wait_until(1.0)
    desk.send(":READ?")  # is being taken when the cable goes; nobody gets its answer
    desk.link.close()
    desk.link = InMemoryLink(desk.front, desk.clock, "smu-1")
    assert desk.ask(":OUTP?;:SOUR:VOLT?") == "1;4.200000E+00"


# -- the rest of the command table ---------------------------------------------------------------


def test_several_queries_are_answered_on_one_line(desk):
    assert desk.ask("*LANG?;:OUTP?;:SYST:LFR?") == "SCPI;0;50"


def test_commands_wait_until_the_reading_before_them_is_complete(desk):
    desk.charge()
    desk.send(":READ?", ":OUTP OFF")
    assert float(desk.link.read_until(b"\n", 1.0)) == pytest.approx(0.5)
    assert desk.ask(":OUTP?") == "0"


def test_a_message_may_come_in_pieces_and_two_in_one(desk):
    desk.link.write(b"*LAN")
    desk.link.write(b"G?\r\n:OUTP?\n")
    assert desk.link.read_until(b"\n", 0.0) == b"SCPI"
    assert desk.link.read_until(b"\n", 0.0) == b"0"


def test_buffers_are_made_filled_read_and_deleted(desk):
    desk.charge()
    desk.send(':TRAC:MAKE "b1",100')
    for _ in range(3):
        desk.ask(':READ? "b1"')
    assert desk.ask(":TRAC:ACT? 'b1'") == "3"
    assert desk.ask(':TRAC:POIN? "b1"') == "100"
    assert desk.numbers(':TRAC:DATA? 2,3,"b1",READ,REL') == pytest.approx([0.5, 0.08, 0.5, 0.16])
    desk.send(':TRAC:CLE "b1"')
    assert desk.ask(':TRAC:ACT? "b1"') == "0"
    desk.send(':TRAC:DEL "b1"', ':TRAC:CLE "b1"')
    assert desk.error_code() == -224


@pytest.mark.parametrize("style", ["STAN", "standard", "FULL", "COMP", ""])
def test_a_buffer_is_made_in_a_style_that_may_be_left_empty(desk, style):
    """Manual page 6-114; QCoDeS leaves the style empty and sends the comma before it."""
    desk.send(f":TRACe:MAKE 'b1', 100, {style}")
    assert desk.ask(":TRAC:POIN? 'b1'") == "100"
    assert desk.error_code() == 0


@pytest.mark.parametrize("style", ["WRITable", "FANCY"])
def test_a_buffer_that_takes_no_readings_is_refused(desk, style):
    desk.send(f':TRAC:MAKE "b1",100,{style}', ':TRAC:CLE "b1"')
    assert [desk.error_code(), desk.error_code()] == [-224, -224]


@pytest.mark.parametrize("function", ["VOLT", "CURR"])
def test_the_functions_tell_themselves_as_open_drivers_read_them(desk, function):
    desk.send(f":SOUR:FUNC {function}", f':SENS:FUNC "{function}"')
    assert desk.ask(":SOUR:FUNC?") == function
    assert desk.ask(":SENS:FUNC?") == f'"{function}:DC"'


def test_measuring_a_function_selects_it_for_good(desk):
    """Manual page 6-4: the same as SENS:FUNC and then READ?."""
    desk.charge()
    assert desk.numbers(":MEAS:VOLT?") == pytest.approx([3.75])
    assert desk.ask(":SENS:FUNC?") == '"VOLT:DC"'
    assert desk.numbers(':MEASure:CURRent:DC? "defbuffer1",READ,SOUR') == pytest.approx([0.5, 3.75])
    assert desk.ask(":SENS:FUNC?") == '"CURR:DC"'
    assert desk.ask(':TRAC:ACT? "defbuffer1"') == "2"
    assert desk.error_code() == 0


def test_every_element_can_be_read(desk):
    names = [
        "DATE",
        "FORM",
        "READ",
        "REL",
        "SEC",
        "SOUR",
        "SOURFORM",
        "SOURSTAT",
        "SOURUNIT",
        "STAT",
        "TIME",
        "TST",
        "UNIT",
    ]
    assert len(desk.ask(f':READ? "defbuffer1",{",".join(names)}').split(",")) == 13
    desk.send(f':READ? "defbuffer1",{",".join([*names, "FRAC"])}')
    assert desk.error_code() == -108


def test_a_simple_loop_fills_the_buffer_by_itself(desk):
    desk.charge()
    desk.send(':TRIG:LOAD "SimpleLoop",10,0.02,"defbuffer1"', ":INIT")
    assert desk.ask(":TRIG:STAT?").startswith("RUNNING;RUNNING;")
    desk.send("*WAI")
    assert desk.ask(":TRIG:STAT?") == "IDLE;IDLE;10"
    assert desk.clock.now() == pytest.approx(0.03 + 10 * 0.1)
    assert desk.ask(":TRAC:ACT?") == "10"


def test_a_duration_loop_ends_by_time_and_abort_ends_it_sooner(desk):
    desk.send(':TRIG:LOAD "DurationLoop",1,0,"defbuffer1"', ":INIT")
    assert desk.ask("*WAI;:TRAC:ACT?") == "12"
    desk.send(":INIT")
    desk.clock.wait_until(desk.clock.now() + 0.5)
    desk.send(":ABOR")
    assert desk.ask(":TRIG:STAT?;:TRAC:ACT?") == "IDLE;IDLE;6;6"


def test_a_sweep_steps_the_level_before_each_reading():
    desk = Desk(volt=0.0, ohm=10.0)
    desk.send(
        ":SOUR:VOLT:ILIM 1", ':SOUR:SWE:VOLT:LIN 0,1,3,-1,1,AUTO,ON,ON,"defbuffer1"', ":OUTP ON",
        ":INIT", "*WAI",
    )  # fmt: skip
    assert desk.numbers(':TRAC:DATA? 1,6,"defbuffer1",READ') == pytest.approx(
        [0.0, 0.05, 0.1, 0.1, 0.05, 0.0]
    )


def test_the_overvoltage_protection_holds_the_output_back(desk):
    desk.send(":SOUR:VOLT:PROT PROT2", ":SOUR:VOLT 3", ":OUTP ON")
    assert desk.cell.drives["smu-1"].level == 2.0
    assert desk.ask(":SOUR:VOLT:PROT:TRIP?") == "1"


def test_resistance_is_voltage_over_current():
    desk = Desk(volt=0.0, ohm=47.0)
    desk.send(":SOUR:VOLT:ILIM 1", ":SOUR:VOLT 1", ':SENS:FUNC "RES"', ":OUTP ON")
    assert desk.numbers(":READ?") == pytest.approx([47.0], rel=1e-5)


def test_digits_follow_the_precision(desk):
    desk.send(":FORM:ASC:PREC 3")
    assert desk.ask(":SOUR:VOLT:ILIM?") == "1.05E-04"


def test_the_same_seed_gives_the_same_noise_and_another_another():
    def readings(seed: int) -> list[str]:
        link = InMemoryLink(
            Keithley2450Front("smu-1", IdealCell(), seed=seed), SimulatedClock(), "smu-1"
        )
        link.write(b':SENS:FUNC "VOLT";:OUTP ON\n' + b":READ?\n" * 5)
        return [link.read_until(b"\n", 1.0).decode() for _ in range(5)]

    assert readings(1) == readings(1) != readings(2)
    assert len(set(readings(1))) > 1


def test_a_model_whose_ranges_are_unknown_is_refused():
    with pytest.raises(BadInput, match="2461"):
        Desk(model="2461")
