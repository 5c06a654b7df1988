"""The simulated BT4560 against its sheet: field sweep, frequencies, ranges, times, wrong wiring."""

from __future__ import annotations

import pytest
from hioki_desk import Desk, ReactiveCell
from hypothesis import given
from hypothesis import strategies as st
from ideal_cell import IdealCell

from rig.core.errors import BadInput
from simulators.fronts.hioki_bt4560 import HiokiBT4560Front, on_grid

FIELD_SETTINGS = (
    "*RST",
    ":SYST:BEEP OFF",
    ":FUNC RV",
    ":RANG 100E-3",
    ":SAMP:RATE V,MED",
    ":SAMP:RATE Z,MED",
    ":SAMP:DEL:MODE WAVE",
    ":SAMP:DEL:WAVE 0.5",
    ":LIM OFF",
    ":ZERO:CROS ON",
    ":CALC:AVER 1",
    ":ADJ:SLOP ON",
    ":TRIG:SOUR EXT",
    ":INIT:CONT ON",
)
POINT = "*TRG;*WAI;FETCH?"


def desk(cell: IdealCell | None = None, **options) -> Desk:
    options.setdefault("noise", False)
    return Desk(HiokiBT4560Front("meter-1", cell or IdealCell(3.9876, 0.03), seed=1, **options))


def prepared(cell: IdealCell | None = None, **options) -> Desk:
    meter = desk(cell, **options)
    meter.send("*CLS")
    for line in FIELD_SETTINGS:
        meter.send(line)
    assert meter.ask("*ESR?") == "0"
    return meter


def numbers(reply: str) -> list[float]:
    return [float(item) for item in reply.split(",")]


def test_the_field_sweep_with_external_triggers():
    meter = prepared(ReactiveCell(3.9876, 31.2e-3, henry=334.225380e-9))
    meter.send(":FREQ 1000")
    assert meter.ask(POINT) == "+3.12000E-02,+2.10000E-03,+3.98760E+00"
    meter = prepared(ReactiveCell(3.9876, 40.5e-3, farad=30.0292420))
    meter.send(":FREQ 1")
    assert meter.ask(POINT) == "+4.05000E-02,-5.30000E-03,+3.98760E+00"


def test_rest_reads_the_voltage_alone():
    meter = desk()
    meter.send(":FUNC V;:SAMP:RATE V,SLOW;:TRIG:SOUR IMM;:INIT:CONT OFF")
    assert meter.ask(":READ?") == "+3.98760E+00"


@pytest.mark.parametrize(
    ("function", "items"),
    [
        ("RV", [0.03, -0.04, 3.9]),
        ("ZV", [0.05, -53.130102, 3.9]),
        ("R", [0.03, -0.04]),
        ("Z", [0.05, -53.130102]),
        ("V", [3.9]),
    ],
)
def test_the_function_says_which_items_come(function, items):
    meter = prepared(ReactiveCell(3.9, 0.03, farad=1 / (2 * 3.141592653589793 * 1000 * 0.04)))
    meter.send(f":FUNC {function}")
    assert numbers(meter.ask(POINT)) == pytest.approx(items, rel=1e-5)


def test_a_slow_point_takes_its_periods():
    meter = prepared()
    meter.send(":FREQ 0.1")
    assert meter.seconds(POINT) == pytest.approx(25.404)
    meter.send(":FREQ 1000")
    assert meter.seconds(POINT) == pytest.approx(0.504)
    meter.send(":FREQ 10;:CALC:AVER 4")
    assert meter.seconds(POINT) == pytest.approx(2.454)


def test_a_point_is_measured_when_it_is_complete():
    cell = IdealCell(3.9, 0.03)
    meter = prepared(cell)
    meter.send(":FREQ 0.1;*TRG")
    cell.ohm = 0.05
    assert numbers(meter.ask("*WAI;FETC?"))[0] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("hertz", "on"),
    [("0.1", 0.1), ("0.3162", 0.32), ("3.162", 3.2), ("31.62", 32), ("316.2", 320), ("1E3", 1000)],
)
def test_a_frequency_is_rounded_to_the_grid_and_the_query_tells(hertz, on):
    meter = desk()
    meter.send(f":FREQ {hertz}")
    assert float(meter.ask(":FREQ?")) == pytest.approx(on)


@given(st.floats(0.1, 1050.0))
def test_the_grid_is_within_five_per_cent_and_stays_where_it_is(hertz):
    once = on_grid(hertz)
    assert once == pytest.approx(hertz, rel=0.051)
    assert on_grid(once) == once


@pytest.mark.parametrize(
    "line",
    [":FREQ 0.09", ":FREQ 1051", ":RANG 0.2", ":CALC:AVER 0", ":SAMP:RATE X,FAST", ":FUNC RX"],
)
def test_what_is_out_of_range_is_refused_and_changes_nothing(line):
    meter = desk()
    meter.send("*CLS")
    meter.stays_silent(line)
    assert meter.ask("*ESR?") == "16"
    assert float(meter.ask(":FREQ?")) == 1000.0


def test_the_status_at_the_end_of_a_line_of_settings_answers_for_them_or_not_at_all():
    meter = desk()
    meter.send("*CLS")
    assert meter.ask(":FREQ 100;:RANG 10E-3;*ESR?") == "0"
    meter.stays_silent(":FREQ 1051;*ESR?")
    assert meter.ask("*ESR?") == "16"


@pytest.mark.parametrize(
    ("ranges", "chosen"), [("low", [3e-3, 10e-3, 100e-3]), ("high", [30e-3, 0.3, 3.0])]
)
def test_a_range_is_the_smallest_that_holds_the_value(ranges, chosen):
    meter = desk(ranges=ranges)
    for ohm in chosen:
        meter.send(f":RANG {ohm * 0.9}")
        assert float(meter.ask("RANGE?")) == pytest.approx(ohm)
        assert meter.ask(":AUT?") == "OFF"


@pytest.mark.parametrize(
    ("cell", "reply"),
    [
        (IdealCell(3.9, 0.2), [1e9, 1e9, 3.9]),
        (IdealCell(-3.9, 0.03), [0.03, 0.0, -3.9]),
        (IdealCell(6.0, 0.03), [0.03, 0.0, 1e9]),
    ],
)
def test_over_range_reversed_cells_and_over_voltage_show_as_the_field_code_expects(cell, reply):
    assert numbers(prepared(cell).ask(POINT)) == pytest.approx(reply)


def test_open_leads_are_a_fault_in_every_item():
    meter = prepared()
    meter.front.meter.open_leads = True
    assert all(number > 1e8 for number in numbers(meter.ask(POINT)))


def test_noise_is_seeded_and_per_mille():
    replies = []
    for _ in range(2):
        meter = prepared(noise=True)
        replies.append([numbers(meter.ask(POINT))[0] for _ in range(20)])
    assert replies[0] == replies[1]
    assert len(set(replies[0])) == 20
    assert replies[0] == pytest.approx([0.03] * 20, rel=5e-3)


def test_unknown_model_and_ranges_are_refused_together():
    with pytest.raises(BadInput, match=r"(?s)BT4561.*middle"):
        desk(model="BT4561", ranges="middle")
