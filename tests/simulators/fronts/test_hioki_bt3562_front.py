"""The simulated BT3562 against its sheet: transcript, fixed-width numbers, registers, triggers."""

from __future__ import annotations

import pytest
from hioki_desk import Desk
from hypothesis import given
from hypothesis import strategies as st
from ideal_cell import IdealCell

from rig.core.errors import BadInput
from simulators.fronts.hioki_bt3562 import RESISTANCE_RANGES, HiokiBT3562Front
from simulators.interfaces import DriveMode

READY = ":FUNC RV;:AUT OFF;:RES:RANG 300E-3;:VOLT:RANG 6;:TRIG:SOUR IMM;:INIT:CONT OFF"


def desk(volt: float = 3.85012, ohm: float = 15.03e-3, **options) -> Desk:
    options.setdefault("noise", False)
    return Desk(HiokiBT3562Front("meter-1", IdealCell(volt, ohm), seed=1, **options))


def test_the_worked_transcript():
    meter = desk(model="BT3562A")
    assert meter.ask("*IDN?") == "HIOKI,BT3562A,0,V1.00"
    meter.send("*CLS;:ESE0 1;:SYST:HEAD OFF")
    meter.send(":FUNC RV;:AUT OFF;:RES:RANG 300E-3;:VOLT:RANG 6")
    meter.send(":SAMP:RATE MED;:TRIG:SOUR IMM;:INIT:CONT OFF")
    assert meter.ask("*ESR?") == "0"
    assert meter.ask(":READ?") == "   15.03E-3, 3.85012E+0"
    meter.front.meter.open_leads = True
    assert meter.ask(":READ?") == "+1000.00E+7,+1.00000E+10"


@pytest.mark.parametrize(
    ("range_ohm", "ohm", "shown", "overflow", "fault"),
    [
        ("3E-3", 1.36e-3, "  1.3600E-3", "+10.0000E+8", "+10.0000E+9"),
        ("30E-3", 1.36e-3, "   1.360E-3", "+100.000E+7", "+100.000E+8"),
        ("300E-3", 1.36e-3, "    1.36E-3", "+1000.00E+6", "+1000.00E+7"),
        ("3", 1.36, "  1.3600E+0", "+10.0000E+8", "+10.0000E+9"),
        ("30", 1.36, "   1.360E+0", "+100.000E+7", "+100.000E+8"),
        ("300", 1.36, "    1.36E+0", "+1000.00E+6", "+1000.00E+7"),
        ("3000", 1360, "  1.3600E+3", "+10.0000E+8", "+10.0000E+9"),
    ],
)
def test_every_resistance_range_has_its_own_digits(range_ohm, ohm, shown, overflow, fault):
    for value, expected in ((ohm, shown), (4000.0, overflow)):
        meter = desk(ohm=value)
        meter.send(f"{READY};:FUNC RES;:RES:RANG {range_ohm}")
        assert meter.ask("READ?") == expected
    meter.front.meter.open_leads = True
    assert meter.ask("READ?") == fault


@pytest.mark.parametrize(
    ("range_volt", "volt", "shown"),
    [
        ("6", 3.85012, " 3.85012E+0"),
        ("60", 3.85012, "  3.8501E+0"),
        ("300", 48.25, "  48.250E+0"),
        ("6", 7.0, "+1.00000E+9"),
        ("60", -70.0, "-10.0000E+8"),
        ("6", -3.85012, "-3.85012E+0"),
        ("60", -3.85012, "- 3.8501E+0"),
    ],
)
def test_every_voltage_range_has_its_own_digits_and_reversed_cells_their_sign(
    range_volt, volt, shown
):
    meter = desk(volt, model="BT3563")
    meter.send(f"{READY};:FUNC VOLT;:VOLT:RANG {range_volt}")
    assert meter.ask("READ?") == shown


@given(st.floats(-3000, 3000), st.sampled_from(RESISTANCE_RANGES))
def test_a_shown_value_has_the_width_of_its_range_and_reads_as_the_value(value, used):
    text = used.shown(value)
    number = float(text.replace(" ", ""))
    if abs(value) > used.full_scale:
        assert abs(number) == 1e9
    else:
        assert len(text) == 11
        assert number == pytest.approx(value, abs=0.51 * 10.0 ** (used.exponent - used.decimals))


def test_power_on_state_is_continuous_automatic_slow_and_says_so_in_its_registers():
    meter = desk()
    assert meter.ask("*ESR?") == "128"
    assert meter.ask("*ESR?") == "0"
    assert [meter.ask(f"{what}?") for what in (":INIT:CONT", ":AUT", ":SAMP:RATE", ":FUNC")] == [
        "ON", "ON", "SLOW", "RV",
    ]  # fmt: skip
    meter.clock.wait_until(10.0)
    assert meter.ask(":FETC?") == "  15.030E-3, 3.85012E+0"


@pytest.mark.parametrize(
    ("line", "bit"),
    [
        (":FOO?", 32),
        (":FOO 1", 32),
        (":FUNC", 32),
        (":RES:RANG 5000", 16),
        (":VOLT:RANG 100", 16),
        (":RES:RANG ABC", 16),
        (":SAMP:RATE QUICK", 16),
        (":READ?", 16),  # continuous measurement is on
        (":INIT", 16),
        ("*TRG", 16),
        ("*IDN?;:FUNC RV", 4),
        ("X" * 300, 8),
    ],
)
def test_what_is_wrong_sets_its_bit_and_gets_no_reply(line, bit):
    meter = desk()
    meter.send("*CLS")
    meter.stays_silent(line)
    assert meter.ask("*ESR?") == str(bit)


def test_commands_before_a_bad_one_run_and_those_behind_it_do_not():
    meter = desk()
    meter.send(":FUNC RES;:FOO;:SAMP:RATE FAST")
    assert meter.ask(":FUNC?") == "RESISTANCE"
    assert meter.ask(":SAMP:RATE?") == "SLOW"
    meter.send(":FUNC VOLT;*IDN?;:FUNC RV")
    assert meter.ask(":FUNC?") == "VOLTAGE"


def test_a_range_is_the_smallest_that_holds_the_value_and_ends_autoranging():
    meter = desk()
    meter.send(":RES:RANG 0.1")
    assert meter.ask(":RES:RANG?") == "  300.00E-3"
    assert meter.ask(":AUT?") == "OFF"


def test_header_on_puts_the_header_before_settings_only():
    meter = desk()
    meter.send(":SYST:HEAD ON")
    assert meter.ask(":TRIG:SOUR?") == ":TRIGGER:SOURCE IMMEDIATE"
    assert meter.ask("*IDN?").startswith("HIOKI")


def test_a_reading_takes_its_time_and_its_commands_wait():
    meter = desk()
    meter.send(READY)
    assert meter.seconds("READ?") == pytest.approx(0.304)
    meter.send(":SAMP:RATE EXF")
    assert meter.seconds("READ?") == pytest.approx(0.012)
    meter.send("READ?")
    assert meter.seconds("*IDN?") == pytest.approx(0.012)  # the reading comes first


def test_external_triggers_measure_once_each():
    meter = desk()
    meter.send(f"{READY};:TRIG:SOUR EXT;:FUNC RES")
    assert meter.ask("FETC?") == "+10.0000E+9,+1.00000E+10"  # nothing measured since power-on
    meter.send(":INIT;*TRG")
    assert meter.ask("*WAI;FETC?") == "   15.03E-3"
    meter.send("*CLS;*TRG")
    assert meter.ask("*ESR?") == "16"


def test_measurement_bits_latch_until_they_are_read():
    meter = desk()
    meter.send(f"*CLS;:ESE0 1;{READY}")
    assert meter.ask("*STB?") == "0"
    meter.ask("READ?")
    assert meter.ask("*STB?") == "1"
    assert meter.ask("*STB?") == "1"
    assert meter.ask(":ESR0?") == "3"
    assert meter.ask("*STB?") == "0"
    meter.front.meter.open_leads = True
    meter.ask("READ?")
    assert meter.ask(":ESR0?") == "35"
    meter.send("*ESE 32;*SRE 32;:FOO")
    assert meter.ask("*STB?") == "96"
    meter.send("*CLS;:ESE1 1")
    assert meter.ask("*ESR?") == "32"


def test_a_reading_that_nobody_waited_for_still_counts():
    meter = desk()
    meter.send(READY)
    meter.send("READ?")
    meter.front.disconnected(meter.clock.now())
    meter.clock.wait_until(meter.clock.now() + 1.0)
    assert meter.ask("FETC?") == "   15.03E-3, 3.85012E+0"


def test_local_key_and_reset_restore_continuous_measurement():
    meter = desk()
    meter.send(READY)
    meter.front.press_local(meter.clock.now())
    assert meter.ask(":INIT:CONT?") == "ON"
    meter.send(f"{READY};*RST")
    assert meter.ask(":INIT:CONT?") == "ON"
    meter.send(f"{READY};:SYST:LOC")
    assert meter.ask(":INIT:CONT?") == "ON"


def test_the_cell_is_never_driven_and_the_seed_repeats_the_noise():
    readings = []
    for _ in range(2):
        cell = IdealCell()
        meter = Desk(HiokiBT3562Front("meter-1", cell, seed=7))
        meter.send(READY)
        readings.append([meter.ask("READ?") for _ in range(5)])
        assert not any(drive.mode is not DriveMode.OPEN for drive in cell.drives.values())
    assert readings[0] == readings[1]
    assert len(set(readings[0])) == 5


def test_an_unknown_model_is_refused_with_a_suggestion():
    with pytest.raises(BadInput, match="BT3562A"):
        desk(model="BT3562B")


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_arbitrary_bytes_never_break_it(chunks):
    meter = desk()
    for now, chunk in enumerate(chunks):
        meter.front.receive(chunk + b"\n", float(now))
    meter.front.transmit(100.0)
