"""The E4980A driver against transcripts: exact bytes both ways.

Sources above the exchanges: E4980A/AL user's guide, data transfer format (M), the open drivers of
QCoDeS (QC) and PyMeasure (PM).
"""

from __future__ import annotations

import math

import pytest

from drivers.analysers.keysight_e4980a import KeysightE4980A
from rig.core.errors import (
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    Refused,
    RigError,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, ImpedancePoint, Limits, Sweep, SweepProgress
from rig.wire import Exchange, TranscriptLink

LIMITS = Limits(voltage_min_volt=2.5, voltage_max_volt=4.3, current_max_ampere=0.1)
SWEEP = Sweep(100e3, 1e3, 3, amplitude_ampere=0.01)

# QC
IDENTIFY: Exchange = (b"*IDN?\n", b"Keysight Technologies,E4980A,MY46516036,A.02.10\n")
NO_ERROR: Exchange = (b":SYST:ERR?\n", b'+0,"No error"\n')
BIAS_OFF: Exchange = (b":BIAS:STAT?\n", b"0\n")
# QC asks it; PM names the functions so, of the sister 4284A
FUNCTION: Exchange = (b":FUNC:IMP?\n", b"RX\n")
IN_STEP: Exchange = (b"*OPC?;*OPC?\n", b"1;1\n")
FETCH = b":FETC:IMP:FORM?\n"
LEVEL_KEPT: Exchange = (b":CURR?\n", b"+1.00000E-02\n")


def sent(*commands: bytes) -> list[Exchange]:
    return [(command + b"\n", None) for command in commands]


# QC: bias off, level zero; no relay to open
QUIET = sent(b":ABOR", b":TRIG:SOUR HOLD", b":BIAS:STAT OFF", b":VOLT 0")
SAFE: list[Exchange] = [*QUIET, BIAS_OFF, (b":VOLT?\n", b"+0.00000E+00\n"), NO_ERROR]


def begun(level: bytes, kept: bytes) -> list[Exchange]:
    return [
        *sent(b"*CLS"),
        *QUIET,
        *sent(
            # PM: ASCII; QC: R and X, autorange, aperture; PM: every point by its own trigger
            b":FORM ASC",
            b":FUNC:IMP RX",
            b":FUNC:IMP:RANG:AUTO ON",
            b":APER LONG,1",
            b":INIT:CONT ON",
            b":TRIG:SOUR BUS",
            level,
        ),
        NO_ERROR,
        BIAS_OFF,
        FUNCTION,
        (level.split()[0] + b"?\n", kept + b"\n"),
    ]


BEGUN = begun(b":CURR 0.01", b"+1.00000E-02")


def point(frequency: bytes, kept: bytes, reply: bytes) -> list[Exchange]:
    """M: A, B and the status; the frequency is read back, since some settings are clamped.

    And the level, since the meter wakes up at 1 V after a power dip.
    """
    return [
        *sent(b":FREQ " + frequency),
        (b":FREQ?\n", kept + b"\n"),
        *sent(b":TRIG:IMM"),
        (FETCH, reply + b"\n"),
        LEVEL_KEPT,
    ]


FIRST = point(b"100000", b"+1.00000E+05", b"+3.12000E-02,+2.10000E-03,+0")
SECOND = point(b"10000", b"+1.00000E+04", b"+3.50000E-02,-1.00000E-03,+0")
THIRD = point(b"1000", b"+1.00000E+03", b"+4.05000E-02,-5.30000E-03,+0")


def driver_over(*exchanges: Exchange) -> tuple[KeysightE4980A, TranscriptLink]:
    link = TranscriptLink(exchanges, name="gpib17")
    return KeysightE4980A(link, "lcr-1"), link


def sweeping(*then: Exchange) -> tuple[KeysightE4980A, TranscriptLink]:
    driver, link = driver_over(IDENTIFY, *BEGUN, *then)
    driver.begin(SWEEP, LIMITS)
    return driver, link


# --- identify ------------------------------------------------------------------------------------


def test_the_constructor_is_silent() -> None:
    _, link = driver_over()
    link.assert_used_up()


@pytest.mark.parametrize("maker", [b"Keysight Technologies", b"Agilent Technologies"])
def test_it_identifies_itself_under_both_names_of_its_maker(maker: bytes) -> None:
    driver, link = driver_over((b"*IDN?\n", maker + b",E4980A,MY46516036,A.02.10\n"))
    assert driver.identify() == Identity("Keysight", "E4980A", "MY46516036", "A.02.10")
    link.assert_used_up()


@pytest.mark.parametrize(
    "answer",
    [
        b"Keysight Technologies,E4990A,MY54100000,A.01.00\n",
        b"HIOKI,BT4560,0,V1.00\n",
        b"E4980A\n",
        b"\n",
    ],
)
def test_anything_else_is_the_wrong_instrument(answer: bytes) -> None:
    driver, _ = driver_over((b"*IDN?\n", answer))
    with pytest.raises(WrongInstrument, match="lcr-1"):
        driver.identify()


# --- begin ---------------------------------------------------------------------------------------


def test_a_spectrum_begins_with_the_bias_off_and_the_level_as_the_last_command() -> None:
    _, link = sweeping()
    link.assert_used_up()


def test_a_voltage_level_is_set_and_read_back_as_a_voltage() -> None:
    driver, link = driver_over(IDENTIFY, *begun(b":VOLT 0.005", b"+5.00000E-03"))
    driver.begin(Sweep(1e6, 20.0, 50, amplitude_volt=0.005), LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("sweep", "part_of_message"),
    [
        (Sweep(3e6, 1e3, 3, amplitude_volt=0.01), "start frequency 3e[+]06 Hz is outside 20"),
        (Sweep(1e5, 0.1, 3, amplitude_volt=0.01), "stop frequency 0.1 Hz is outside 20"),
        (Sweep(math.nan, 1e3, 3, amplitude_volt=0.01), "start frequency nan Hz"),
        (Sweep(1e5, 1e3, 0, amplitude_volt=0.01), "0 points"),
        (Sweep(1e5, 1e3, 3), "exactly one amplitude"),
        (Sweep(1e5, 1e3, 3, amplitude_volt=0.01, amplitude_ampere=0.01), "exactly one amplitude"),
        (Sweep(1e5, 1e3, 3, amplitude_volt=0.0), "amplitude 0 V rms is not above 0 and up to 2"),
        (Sweep(1e5, 1e3, 3, amplitude_volt=0.8), "the peak of 0.8 V rms exceeds the limits: 0.9 V"),
        (Sweep(1e5, 1e3, 3, amplitude_ampere=0.05), "amplitude 0.05 A rms .* up to 0.02"),
        (Sweep(1e5, 1e3, 3, amplitude_ampere=math.nan), "amplitude nan A"),
        (Sweep(1e5, 1e3, 3, amplitude_volt=0.01, bias_volt=3.7), "applies no DC bias"),
        (Sweep(1e5, 1e3, 3, amplitude_volt=0.01, bias_volt=0.0), "applies no DC bias"),
    ],
)
def test_what_limits_or_ratings_do_not_allow_is_refused_before_a_byte_is_sent(
    sweep: Sweep, part_of_message: str
) -> None:
    driver, link = driver_over()
    with pytest.raises(OutOfRange, match=part_of_message):
        driver.begin(sweep, LIMITS)
    link.assert_used_up()


def test_a_peak_beyond_the_current_limit_is_refused() -> None:
    driver, link = driver_over()
    with pytest.raises(OutOfRange, match=r"peak of 0\.01 A rms exceeds the limits: 0\.012 A"):
        driver.begin(SWEEP, Limits(2.5, 4.3, 0.012))
    link.assert_used_up()


def test_the_range_of_the_identified_model_is_the_one_that_counts() -> None:
    driver, link = driver_over((b"*IDN?\n", b"Keysight Technologies,E4980AL,MY54100001,B.07.03\n"))
    with pytest.raises(OutOfRange, match="outside 20 to 300000 Hz"):
        driver.begin(Sweep(1e6, 1e3, 3, amplitude_volt=0.01), LIMITS)
    link.assert_used_up()


def _beginning_until(query: bytes, *instead: Exchange) -> list[Exchange]:
    position = [out for out, _ in BEGUN].index(query)
    return [*BEGUN[:position], *instead]


@pytest.mark.parametrize(
    ("query", "instead", "part_of_message"),
    [
        (
            b":SYST:ERR?\n",
            [(b":SYST:ERR?\n", b'-222,"Data out of range"\n'), NO_ERROR],
            "parameter data out of range",
        ),
        (b":BIAS:STAT?\n", [(b":BIAS:STAT?\n", b"1\n")], "':BIAS:STAT[?]' says 1"),
        (
            b":CURR?\n",
            [(b":CURR?\n", b"+2.00000E-02\n"), NO_ERROR],
            "':CURR 0.01', reads back 0.02: no error reported",
        ),
    ],
)
def test_a_set_up_that_is_not_taken_is_a_refusal(
    query: bytes, instead: list[Exchange], part_of_message: str
) -> None:
    driver, link = driver_over(IDENTIFY, *_beginning_until(query, *instead))
    with pytest.raises(Refused, match=part_of_message):
        driver.begin(SWEEP, LIMITS)
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()
    link.assert_used_up()


# --- poll ----------------------------------------------------------------------------------------


def test_two_points_a_poll_and_after_the_last_the_meter_is_quiet() -> None:
    driver, link = sweeping(*FIRST, *SECOND, *THIRD, *SAFE)
    assert driver.poll() == SweepProgress(
        (ImpedancePoint(1e5, 0.0312, 0.0021), ImpedancePoint(1e4, 0.035, -0.001)), done=False
    )
    assert driver.poll() == SweepProgress((ImpedancePoint(1e3, 0.0405, -0.0053),), done=True)
    link.assert_used_up()


def test_after_the_end_there_is_nothing_to_poll() -> None:
    driver, link = sweeping(*FIRST, *SECOND, *THIRD, *SAFE)
    driver.poll()
    driver.poll()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()
    link.assert_used_up()


def test_one_point_is_a_spectrum_too() -> None:
    driver, link = driver_over(IDENTIFY, *BEGUN, *THIRD, *SAFE)
    driver.begin(Sweep(1e3, 1e3, 1, amplitude_ampere=0.01), LIMITS)
    assert driver.poll() == SweepProgress((ImpedancePoint(1e3, 0.0405, -0.0053),), done=True)
    link.assert_used_up()


# M: status 1 overload (values 9.9E37), 3 source overloaded and 4 level not regulated (values valid)
@pytest.mark.parametrize(
    ("status", "flag"), [(b"+3", Flag.OVERLOAD_WARNING), (b"+4", Flag.COMPLIANCE)]
)
def test_a_doubtful_point_keeps_its_values_and_is_flagged(status: bytes, flag: Flag) -> None:
    doubtful = point(b"100000", b"+1.00000E+05", b"+3.12000E-02,+2.10000E-03," + status)
    driver, link = sweeping(*doubtful, *SECOND)
    assert driver.poll().points[0] == ImpedancePoint(1e5, 0.0312, 0.0021, int(flag))
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"+9.90000E+37,+9.90000E+37,+1", b"+9.90000E+37,+2.1E-03,+0"])
def test_an_overload_is_flagged_and_never_a_number(reply: bytes) -> None:
    driver, link = sweeping(*point(b"100000", b"+1.00000E+05", reply), *SECOND)
    overloaded = driver.poll().points[0]
    assert math.isnan(overloaded.real_impedance_ohm)
    assert math.isnan(overloaded.imaginary_impedance_ohm)
    assert overloaded.flags == Flag.OVERLOAD
    link.assert_used_up()


def test_a_point_without_a_measurement_is_an_error() -> None:
    driver, link = sweeping(*point(b"100000", b"1E5", b"+9.90000E+37,+9.90000E+37,-1")[:-1])
    with pytest.raises(InstrumentError, match="nothing measured"):
        driver.poll()
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"+3.12000E-02,+2.10000E-03",
        b"+3.12000E-02,+2.10000E-03,+0,+0",  # LIST page, or comparator on
        b"+3.12000E-02,+2.10000E-03,+2",
        b"+3.12000E-02,+2.10000E-03,+0.5",
        b"OL,OL,1",
    ],
)
def test_a_garbled_point_is_refused_with_its_bytes(reply: bytes) -> None:
    driver, _ = sweeping(*point(b"100000", b"+1.00000E+05", reply))
    with pytest.raises(UnreadableReply, match="lcr-1"):
        driver.poll()


def test_a_frequency_that_was_clamped_is_a_refusal() -> None:
    driver, link = sweeping(*sent(b":FREQ 100000"), (b":FREQ?\n", b"+3.00000E+04\n"), NO_ERROR)
    with pytest.raises(Refused, match="':FREQ 100000', reads back 30000"):
        driver.poll()
    link.assert_used_up()


def test_a_meter_that_has_lost_its_level_measures_no_spectrum() -> None:
    lost = [*FIRST[:-1], (LEVEL_KEPT[0], b"+0.00000E+00\n"), NO_ERROR]
    driver, link = sweeping(*lost)
    with pytest.raises(Refused, match=r"':CURR 0[.]01', reads back 0"):
        driver.poll()
    link.assert_used_up()


def test_a_point_that_never_comes_is_a_timeout_and_the_meter_is_made_quiet_in_step() -> None:
    driver, link = sweeping(
        *FIRST[:3],
        (FETCH, b"+3.12"),
        (None, None),
        *QUIET,
        (b"*OPC?;*OPC?\n", b"000E-02,+2.10000E-03,+0\n1;1\n"),
        BIAS_OFF,
        (b":VOLT?\n", b"+0.00000E+00\n"),
        NO_ERROR,
    )
    with pytest.raises(LinkTimeout):
        driver.poll()
    driver.make_safe()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()
    link.assert_used_up()


def test_a_spectrum_whose_quiet_end_is_not_confirmed_is_not_done() -> None:
    driver, link = sweeping(*FIRST, *SECOND, *THIRD, *QUIET, (b":BIAS:STAT?\n", b"1\n"))
    driver.poll()
    with pytest.raises(UnconfirmedSafeState):
        driver.poll()
    link.assert_used_up()


# --- make_safe -----------------------------------------------------------------------------------


def test_the_safe_state_is_confirmed_and_may_be_asked_for_twice() -> None:
    driver, link = driver_over(*SAFE, *SAFE)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize("answer", [b"garbage\n", b"+3.1E-02,+2.1E-03,+0\n", None])
def test_leftovers_of_a_broken_exchange_do_not_spoil_the_safe_state(answer: bytes | None) -> None:
    driver, link = driver_over(*QUIET, (b":BIAS:STAT?\n", answer), *QUIET, IN_STEP, *SAFE[4:])
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [(b":BIAS:STAT?\n", b"1\n")],
        [BIAS_OFF, (b":VOLT?\n", b"+1.00000E+00\n"), NO_ERROR],
        [(b":BIAS:STAT?\n", None), *QUIET, (b"*OPC?;*OPC?\n", None)],
        [BIAS_OFF, (b":VOLT?\n", None)],
    ],
    ids=["bias still on", "level still on", "silent", "silent afterwards"],
)
def test_a_safe_state_that_is_not_confirmed_is_the_loudest_error(exchanges: list[Exchange]) -> None:
    driver, link = driver_over(*QUIET, *exchanges)
    with pytest.raises(UnconfirmedSafeState, match="not confirmed") as caught:
        driver.make_safe()
    assert "disconnect the cell" in caught.value.remedy
    link.assert_used_up()


@pytest.mark.parametrize("position", [n for n, (_, reply) in enumerate(BEGUN) if reply])
def test_whatever_reply_of_a_set_up_is_missing_the_failure_is_raised_and_safe_is_reached(
    position: int,
) -> None:
    broken: list[Exchange] = [*BEGUN[:position], (BEGUN[position][0], None)]
    driver, link = driver_over(IDENTIFY, *broken, *QUIET, IN_STEP, *SAFE[4:])
    with pytest.raises(RigError):
        driver.begin(SWEEP, LIMITS)
    driver.make_safe()
    link.assert_used_up()
