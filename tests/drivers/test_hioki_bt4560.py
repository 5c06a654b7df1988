"""The Hioki BT4560 driver, byte by byte, against the reference's transcripts.

The reference's sweep triggers with ``*TRG;*WAI;FETCH?``; the driver reads with ``:READ?`` and single
measurements, the reference's other way, so that nothing is injected between two points.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from drivers.analysers.hioki_bt4560 import HiokiBT4560
from rig.core.errors import (
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, ImpedancePoint, Limits, Sweep
from rig.wire import Exchange, TranscriptLink

LIMITS = Limits(2.5, 4.25, 1.0)
SWEEP = Sweep(1000.0, 10.0, 3, amplitude_ampere=0.05)
SLOW = Sweep(0.1, 0.1, 1, amplitude_ampere=0.05)

IDENTITY: Exchange = (b"*IDN?\r\n", b"HIOKI,BT4560,0,V1.00\r\n")
NO_ERROR: Exchange = (b"*ESR?\r\n", b"0\r\n")
SILENCE: Exchange = (None, None)
CLEAR: Exchange = (b"*CLS\r\n", None)


def accepted(line: bytes) -> Exchange:
    """Several settings in a line, and a query at its end: "Common Hioki message rules"."""
    return (line + b";*ESR?\r\n", b"0\r\n")


# "EIS sweep", its settings in this order but for the trigger.
SETTINGS: tuple[Exchange, ...] = (
    CLEAR,
    accepted(b":SYST:HEAD OFF;:INIT:CONT OFF;:TRIG:SOUR IMM;:FUNC RV"),
    accepted(b":SAMP:RATE V,MED;:SAMP:RATE Z,MED;:SAMP:DEL:MODE WAVE;:SAMP:DEL:WAVE 0.5"),
    accepted(b":LIM OFF;:ZERO:CROS ON;:CALC:AVER 1;:ADJ:SLOP ON"),
    accepted(b":AUT OFF"),
)
BEGIN = (*SETTINGS, accepted(b":RANG 100E-3"))
STOP: tuple[Exchange, ...] = (CLEAR, accepted(b":INIT:CONT OFF"))
# "EIS sweep": 1 kHz, 1 Hz, 0.1 Hz.
FAST, MIDDLE, LAST = (
    b"+3.12000E-02,+2.10000E-03,+3.98760E+00\r\n",
    b"+4.05000E-02,-5.30000E-03,+3.98758E+00\r\n",
    b"+5.22000E-02,-1.03000E-02,+3.98750E+00\r\n",
)


def point(hertz: str, reply: bytes | None) -> tuple[Exchange, ...]:
    return (accepted(f":FREQ {hertz}".encode()), (b":READ?\r\n", reply))


def fresh(*exchanges: Exchange) -> tuple[HiokiBT4560, TranscriptLink]:
    link = TranscriptLink(exchanges, name="COM5")
    return HiokiBT4560(link, "meter-1"), link


def begun(*exchanges: Exchange, sweep: Sweep = SWEEP) -> tuple[HiokiBT4560, TranscriptLink]:
    driver, link = fresh(IDENTITY, *BEGIN, *exchanges)
    driver.identify()
    driver.begin(sweep, LIMITS)
    return driver, link


def test_the_constructor_sends_nothing() -> None:
    _, link = fresh()
    link.assert_used_up()


@pytest.mark.parametrize("model", ["BT4560", "BT4560-50"])
def test_it_identifies_itself(model: str) -> None:
    driver, link = fresh((b"*IDN?\r\n", f"HIOKI,{model},0,V1.02\r\n".encode()))
    assert driver.identify() == Identity("Hioki", model, "", "V1.02")
    link.assert_used_up()


def test_identify_refuses_another_meter() -> None:
    driver, _ = fresh((b"*IDN?\r\n", b"HIOKI,BT3562,0,V1.00\r\n"))
    with pytest.raises(WrongInstrument, match=r"meter-1 .*BT3562.*BT4560"):
        driver.identify()


def test_the_settings_fit_the_meters_input_buffer() -> None:
    assert max(len(sent or b"") for sent, _ in BEGIN) <= 256


def test_begin_sets_up_and_measures_nothing_yet() -> None:
    _, link = begun()
    link.assert_used_up()


def test_fast_points_come_in_one_poll_and_the_end_is_confirmed() -> None:
    driver, link = begun(*point("1000", FAST), *point("100", MIDDLE), *point("10", LAST), *STOP)
    progress = driver.poll()
    assert progress.points == (
        ImpedancePoint(1000.0, 0.0312, 0.0021),
        ImpedancePoint(100.0, 0.0405, -0.0053),
        ImpedancePoint(10.0, 0.0522, -0.0103),
    )
    assert progress.done
    link.assert_used_up()


def test_a_slow_point_is_collected_by_a_later_poll() -> None:
    driver, link = begun(*point("0.1", None), SILENCE, SILENCE, (None, LAST), *STOP, sweep=SLOW)
    assert [driver.poll().done for _ in range(2)] == [False, False]
    progress = driver.poll()
    assert progress.points == (ImpedancePoint(0.1, 0.0522, -0.0103),)
    assert progress.done
    link.assert_used_up()


def test_one_poll_takes_about_a_second_of_points() -> None:
    sweep = Sweep(1000.0, 1000.0, 9, amplitude_ampere=0.05)
    driver, link = begun(*point("1000", FAST) * 9, *STOP, sweep=sweep)
    polls = []
    while not polls or not polls[-1].done:
        polls.append(driver.poll())
    assert [len(progress.points) for progress in polls] == [4, 4, 1]
    link.assert_used_up()


# The grid: two digits, at least 0.1 Hz. The stored frequency is the one that was sent.
@pytest.mark.parametrize(
    ("hertz", "sent"),
    [(1050.0, "1050"), (316.2, "320"), (31.62, "32"), (3.162, "3.2"), (0.316, "0.3"), (0.1, "0.1")],
)
def test_a_frequency_is_rounded_to_the_meters_grid_and_reported_so(hertz: float, sent: str) -> None:
    driver, _ = begun(*point(sent, FAST), *STOP, sweep=Sweep(hertz, hertz, 1, None, 0.05))
    assert driver.poll().points[0].frequency_hertz == float(sent)


@pytest.mark.parametrize(
    ("ampere", "command"), [(0.05, b"100E-3"), (0.5, b"10E-3"), (1.5, b"3E-3")]
)
def test_the_amplitude_chooses_the_range(ampere: float, command: bytes) -> None:
    driver, link = fresh(IDENTITY, *SETTINGS, accepted(b":RANG " + command))
    driver.identify()
    driver.begin(replace(SWEEP, amplitude_ampere=ampere), replace(LIMITS, current_max_ampere=2.2))
    link.assert_used_up()


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        (
            replace(SWEEP, start_hertz=1051.0),
            "start frequency 1051 Hz is outside BT4560: 0.1 to 1050",
        ),
        (replace(SWEEP, stop_hertz=0.09), "stop frequency 0.09 Hz"),
        (replace(SWEEP, stop_hertz=math.nan), "stop frequency nan Hz"),
        (replace(SWEEP, points=0), "0 points"),
        (replace(SWEEP, bias_volt=3.7), "holds no bias"),
        (replace(SWEEP, amplitude_ampere=0.1), "0.1 A is not one of the meter's test currents"),
        (replace(SWEEP, amplitude_ampere=1.5), "peak current 2.12132 A is beyond the limit of 1 A"),
        (Sweep(1e3, 1.0, 6, amplitude_volt=0.01), "give the amplitude as 0.05 A, 0.5 A, 1.5 A"),
        (replace(SWEEP, amplitude_volt=0.01), "test current of its own"),
    ],
)
def test_a_spectrum_that_the_meter_cannot_measure_is_refused_before_any_byte(
    sweep: Sweep, words: str
) -> None:
    driver, link = fresh(IDENTITY)
    driver.identify()
    with pytest.raises(OutOfRange) as caught:
        driver.begin(sweep, LIMITS)
    assert words in str(caught.value)
    link.assert_used_up()


def test_every_objection_is_reported_at_once() -> None:
    driver, _ = fresh(IDENTITY)
    driver.identify()
    with pytest.raises(OutOfRange, match=r"start.*stop.*points.*limits.*bias.*amplitude"):
        driver.begin(Sweep(2e3, 0.01, 0, 0.01, None, 3.7), Limits(3.0, 3.0, 1.0))


def test_nothing_begins_before_the_model_is_known() -> None:
    driver, link = fresh()
    with pytest.raises(InstrumentError, match="model is not known"):
        driver.begin(SWEEP, LIMITS)
    link.assert_used_up()


# "If one command in a line is wrong the rest up to the terminator are ignored": no answer. Were
# only a wrong header meant, the answer would come at once.
@pytest.mark.parametrize(
    "answers",
    [
        [(b":RANG 100E-3;*ESR?\r\n", None), IDENTITY, (b"*ESR?\r\n", b"16\r\n")],
        [(b":RANG 100E-3;*ESR?\r\n", b"16\r\n")],
    ],
)
def test_a_setting_that_is_refused_begins_no_spectrum(answers: list[Exchange]) -> None:
    driver, _ = fresh(IDENTITY, *SETTINGS, *answers)
    driver.identify()
    with pytest.raises(Refused, match="says 16"):
        driver.begin(SWEEP, LIMITS)
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()


@pytest.mark.parametrize(
    "reply",
    [
        b"+1.00000E+09,+1.00000E+09,+3.98760E+00\r\n",
        b"+3.12000E-02,-1.00000E+10,+3.98760E+00\r\n",
        b"+3.12000E-02,+2.10000E-03,+1.00000E+10\r\n",
        b"+3.12000E-02,+2.10000E-03,+9.91000E+37\r\n",
    ],
)
def test_open_probes_and_overrange_are_flagged_and_never_a_number(reply: bytes) -> None:
    driver, _ = begun(*point("1000", reply), *point("100", MIDDLE), *point("10", LAST), *STOP)
    lost, *others = driver.poll().points
    assert lost.flags == Flag.OVERLOAD
    assert math.isnan(lost.real_impedance_ohm)
    assert math.isnan(lost.imaginary_impedance_ohm)
    assert [one.flags for one in others] == [0, 0]


@pytest.mark.parametrize("volt", [b"-3.98760E+00", b"+4.30000E+00"])
def test_reversed_probes_or_a_cell_beyond_its_limits_end_the_spectrum(volt: bytes) -> None:
    driver, _ = begun(*point("1000", b"+3.12000E-02,+2.10000E-03," + volt + b"\r\n"))
    with pytest.raises(InstrumentError, match=r"outside its limits 2\.5 to 4\.25 V"):
        driver.poll()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()


@pytest.mark.parametrize(
    "reply", [b"\r\n", b"+3.1E-02,+2.1E-03\r\n", b"1,2,3,4\r\n", b"\xff,1,2\r\n"]
)
def test_a_point_that_cannot_be_read_ends_the_spectrum(reply: bytes) -> None:
    driver, _ = begun(*point("1000", reply))
    with pytest.raises(UnreadableReply, match=r"meter-1 .*R,X,V"):
        driver.poll()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()


def test_a_power_dip_between_two_points_ends_the_spectrum() -> None:
    driver, _ = begun(*point("1000", FAST), (b":FREQ 100;*ESR?\r\n", b"128\r\n"))
    with pytest.raises(Refused, match=r"sent ':FREQ 100'.*lost its settings"):
        driver.poll()


def test_a_frequency_that_is_lost_on_its_way_ends_the_spectrum() -> None:
    driver, link = begun(*point("1000", FAST), (b":FREQ 100;*ESR?\r\n", None), IDENTITY, NO_ERROR)
    with pytest.raises(LinkTimeout):
        driver.poll()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()
    link.assert_used_up()


def test_a_point_that_never_comes_is_explained_after_a_minute() -> None:
    driver, link = begun(
        *point("0.1", None), *[SILENCE] * 60, IDENTITY, (b"*ESR?\r\n", b"16\r\n"), sweep=SLOW
    )
    for _ in range(59):
        assert not driver.poll().done
    with pytest.raises(Refused, match=r"sent ':READ\?'.*says 16"):
        driver.poll()
    link.assert_used_up()


def test_a_point_that_never_comes_without_a_reason_is_a_timeout() -> None:
    driver, _ = begun(*point("0.1", None), *[SILENCE] * 60, (b"*IDN?\r\n", None), sweep=SLOW)
    for _ in range(59):
        driver.poll()
    with pytest.raises(LinkTimeout, match=r"READ|IDN|waited"):
        driver.poll()


def test_making_safe_waits_for_the_point_under_way_and_drops_it() -> None:
    driver, link = begun(
        *point("0.1", None),
        SILENCE,
        (b"*IDN?\r\n", LAST + b"HIOKI,BT4560,0,V1.00\r\n"),
        *STOP,
        sweep=SLOW,
    )
    driver.poll()
    driver.make_safe()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()
    link.assert_used_up()


def test_making_safe_allows_a_point_under_way_its_time() -> None:
    driver, _ = begun(*point("0.1", None), SILENCE, (b"*IDN?\r\n", None), sweep=SLOW)
    driver.poll()
    with pytest.raises(UnconfirmedSafeState, match=r"meter-1 .*COM5.*waited 60 s"):
        driver.make_safe()


def test_making_safe_twice_is_the_same_and_needs_no_identify() -> None:
    driver, link = fresh(IDENTITY, *STOP, *STOP)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()
