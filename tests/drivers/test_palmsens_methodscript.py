"""The PalmSens driver, byte by byte, against the reference's worked transcripts.

Where a transcript of the reference stands above an exchange, the script differs from it only in the
three lines that the driver's modules explain: cell off before the setup, limits in both directions,
and the condition around a hold.
"""

from dataclasses import replace

import pytest

from drivers.potentiostats.palmsens_methodscript import PalmSensMethodScript
from rig.core.errors import (
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import (
    CellReading,
    ConstantCurrent,
    ConstantVoltage,
    Flag,
    Identity,
    ImpedancePoint,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
    Sweep,
    SweepProgress,
)
from rig.wire import Exchange, TranscriptLink

LIMITS = Limits(2.5, 4.25, 0.1, longest_second=14_400)
SWEEP = Sweep(100e3, 1.0, 6, amplitude_volt=0.010)
SILENCE: Exchange = (None, None)


def lines(text: str) -> bytes:
    """Return the lines of an indented text, each ended by LF, without the empty ones."""
    return "".join(f"{line}\n" for raw in text.splitlines() if (line := raw.strip())).encode()


# "Identify and synchronise": an empty line, Z, and what they bring is discarded up to Z.
SYNCHRONISED: tuple[Exchange, ...] = ((b"\n", None), (b"Z\n", b"Z!0006\n"))
IDENTIFIED: tuple[Exchange, ...] = (
    *SYNCHRONISED,
    (b"t\n", b"tes4_hr1304#Oct  1 2025 12:00:00\nR*\n"),
    (b"i\n", b"iES4HR21B0001\n"),
    (b"v\n", b"v01.08.00\n"),
)
# "Safe stop".
ABORTED: Exchange = (b"Z\n", b"Z\n*\n\n")
CELL_OFF: Exchange = (b"e\ncell_off\n\n", b"e\n\n")

# "OCV rest", for 14400 s.
REST = (
    lines("""
    e
    var p
    var t
    set_pgstat_chan 0
    set_pgstat_mode 3
    set_max_bandwidth 60
    set_range ab 5
    set_autoranging ab 5 5
    cell_off
    timer_start
    meas_loop_ocp p 1 14400
    timer_get t
    pck_start
    pck_add t
    pck_add p
    pck_end
    endloop
    on_finished:
    cell_off
""")
    + b"\n"
)

# "CC charge to a voltage limit, then CV taper", first half.
CHARGE_SETUP = """
    e
    var p
    var c
    var t
    set_pgstat_chan 0
    cell_off
    set_pgstat_mode 6
    set_max_bandwidth 10
    set_range ab 5
    set_autoranging ab 5 5
    set_range db 100m
    set_autoranging db 100m 100m
    set_i 0
    cell_on
    timer_start
    meas_loop_cp p c 100m 1 14400
    timer_get t
    pck_start
    pck_add t
    pck_add p
    pck_add c
    pck_end
    if p > 4200m
    breakloop
    endif
    if p < 2500m
    breakloop
    endif
    endloop
"""
FINISH = """
    on_finished:
    cell_off
"""
# The second half; the taper is the engine's decision, the driver carries the limits.
HOLD = """
    cell_off
    if p > 4200m
    set_pgstat_mode 2
    set_max_bandwidth 10
    set_range_minmax da 4200m 4200m
    set_range ba 100m
    set_autoranging ba 100n 100m
    set_e 4200m
    cell_on
    meas_loop_ca p c 4200m 1 14400
    timer_get t
    pck_start
    pck_add t
    pck_add p
    pck_add c
    pck_end
    if c > 100m
    breakloop
    endif
    if c < -100m
    breakloop
    endif
    if t > 14400
    breakloop
    endif
    endloop
    endif
"""
CHARGE = lines(CHARGE_SETUP + FINISH) + b"\n"
CHARGE_AND_HOLD = lines(CHARGE_SETUP + HOLD + FINISH) + b"\n"
# The second half alone, at 5 mA.
CONSTANT_VOLTAGE = (
    lines(
        "e\nvar p\nvar c\nvar t\nset_pgstat_chan 0\ncell_off\ntimer_start\n"
        + HOLD.replace("cell_off\n    if p > 4200m\n", "")
        .replace("endloop\n    endif", "endloop")
        .replace("100m\n    set_auto", "10m\n    set_auto")
        .replace("100n 100m", "100n 10m")
        .replace("c > 100m", "c > 5m")
        .replace("c < -100m", "c < -5m")
        + FINISH
    )
    + b"\n"
)

OPEN_CIRCUIT_VOLTAGE = (
    lines("""
    e
    var p
    set_pgstat_chan 0
    set_pgstat_mode 3
    set_max_bandwidth 60
    set_range ab 5
    set_autoranging ab 5 5
    cell_off
    meas 100m p ab
    pck_start
    pck_add p
    pck_end
    on_finished:
    cell_off
""")
    + b"\n"
)
OCV_IS_3_7_VOLT: Exchange = (OPEN_CIRCUIT_VOLTAGE, b"e\nPab8387520u\n\n")

# "EIS sweep at the cell's OCV", as its note's two scripts with a literal.
SPECTRUM = (
    lines("""
    e
    var f
    var r
    var j
    set_pgstat_chan 0
    cell_off
    set_pgstat_mode 3
    set_max_bandwidth 1M
    set_range_minmax da 3700m 3700m
    set_range ba 100m
    set_autoranging ba 100n 100m
    set_range ab 5
    set_autoranging ab 100m 5
    set_e 3700m
    cell_on
    meas_loop_eis f r j 10m 100k 1 6i 3700m
    pck_start
    pck_add f
    pck_add r
    pck_add j
    pck_end
    endloop
    on_finished:
    cell_off
""")
    + b"\n"
)

# Packages of the worked transcripts.
CC_1 = b"Peb80F4240u;ab8371EB9u;dbDF5E100n,10,21B\n"
CC_LAST = b"Peb836F074m;ab84016B1u;dbDF5E100n,10,21B\n"
CV_1 = b"Peb836F074m;da8401640u;baDF5D930n,10,21B\n"
OCP_1 = b"Peb80F4240u;ab83CD8C6u\n"
EIS_1 = b"PdcDF5E100m;cc9DC1300n,10,21B;cd8200B20n,10,206\n"
EIS_6 = b"Pdc80F4240u;ccA69FB20n,10,21B;cd7AF20E0n,10,206\n"


def fresh(*exchanges: Exchange) -> tuple[PalmSensMethodScript, TranscriptLink]:
    link = TranscriptLink(exchanges, name="/dev/ttyUSB0")
    return PalmSensMethodScript(link, "pstat-1"), link


def identified(*exchanges: Exchange) -> tuple[PalmSensMethodScript, TranscriptLink]:
    driver, link = fresh(*IDENTIFIED, *exchanges)
    driver.identify()
    return driver, link


def identified_as(type_name: str, *exchanges: Exchange) -> PalmSensMethodScript:
    reply = f"t{type_name}1304#Oct  1 2025 12:00:00\nR*\n".encode()
    driver, _ = fresh(*SYNCHRONISED, (b"t\n", reply), *IDENTIFIED[-2:], *exchanges)
    driver.identify()
    return driver


charge = ConstantCurrent(0.1, 4.2)
charge_and_hold = replace(charge, hold_at_limit=True)

# --- identity ------------------------------------------------------------------------------------


def test_the_constructor_sends_nothing() -> None:
    _, link = fresh()
    link.assert_used_up()


def test_identify_synchronises_and_reads_type_serial_and_version() -> None:
    driver, link = fresh(*IDENTIFIED)
    assert driver.identify() == Identity(
        "PalmSens", "es4_hr", "ES4HR21B0001", "1304 R*, MethodSCRIPT 01.08.00"
    )
    link.assert_used_up()


def test_identify_ends_a_script_that_an_earlier_session_left_running() -> None:
    driver, link = fresh(
        (None, b"\x1106B1u;dbDF5E100n,10,21B\n"),  # a partial first line, and an XON
        (b"\n", CC_1),
        (b"Z\n", CC_LAST + b"Z\n*\n\n"),
        *IDENTIFIED[2:],
    )
    assert driver.identify().model == "es4_hr"
    link.assert_used_up()


def test_a_carriage_return_and_flow_control_characters_are_no_part_of_a_line() -> None:
    driver, _ = fresh(
        *SYNCHRONISED,
        (b"t\n", b"\x11tespico1304#Oct 22 2021 14:38:26\r\nR*\r\n"),
        (b"i\n", b"i123\x13\n"),
        (b"v\n", b"v1\n"),
    )
    assert driver.identify() == Identity("PalmSens", "espico", "123", "1304 R*, MethodSCRIPT 1")


@pytest.mark.parametrize("type_name", ["senswb", "espbl0", "es5_hr"])
def test_identify_refuses_a_model_that_the_sheet_does_not_know(type_name: str) -> None:
    reply = f"t{type_name}1304#Oct  1 2025\nR*\n".encode()
    driver, link = fresh(*SYNCHRONISED, (b"t\n", reply))
    with pytest.raises(WrongInstrument, match=rf"pstat-1 .*ttyUSB0.*{type_name}.*es4_hr"):
        driver.identify()
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"tes4\nR*\n", b"tes4_hr1304\nR*\n", b"tes4_hr1304#Oct\nQ\n"])
def test_a_type_that_cannot_be_read_is_refused(reply: bytes) -> None:
    driver, _ = fresh(*SYNCHRONISED, (b"t\n", reply))
    with pytest.raises(UnreadableReply, match="R\\*"):
        driver.identify()


def test_another_instrument_on_the_port_is_silence_or_garbage_not_a_guess() -> None:
    driver, _ = fresh((b"\n", None), (b"Z\n", b'-113,"Undefined header"\n'))
    with pytest.raises(LinkTimeout):
        driver.identify()


def test_nothing_is_applied_before_the_model_is_known() -> None:
    driver, link = fresh()
    with pytest.raises(InstrumentError) as refused_set_point:
        driver.apply(OpenCircuit(), LIMITS)
    with pytest.raises(InstrumentError) as refused_sweep:
        driver.begin(SWEEP, LIMITS)
    assert refused_set_point.value.remedy == refused_sweep.value.remedy == "call identify() first"
    link.assert_used_up()


# --- set points ----------------------------------------------------------------------------------


def test_a_rest_measures_the_open_circuit_voltage() -> None:
    driver, link = identified((REST, b"e\nM000B\n" + OCP_1))
    driver.apply(OpenCircuit(), LIMITS)
    assert driver.measure() == CellReading(3.987654, 0.0, Regulation.OPEN)
    link.assert_used_up()


def test_a_charge_carries_its_limits_and_reports_the_newest_point() -> None:
    driver, link = identified(
        (CHARGE, b"e\nM000A\n" + CC_1 + b"Peb81E8480u;ab8371EB9u;dbDF5E100n,14,21B\n")
    )
    driver.apply(charge, LIMITS)
    assert driver.measure() == CellReading(3.612345, 0.1, Regulation.CURRENT, Flag.UNDERLOAD)
    link.assert_used_up()


def test_a_discharge_breaks_below_its_limit_and_above_the_absolute_one() -> None:
    script = (
        CHARGE.replace(b"meas_loop_cp p c 100m", b"meas_loop_cp p c -20m")
        .replace(b"p > 4200m", b"p > 4250m")
        .replace(b"p < 2500m", b"p < 2800m")
    )
    driver, link = identified((script, b"e\nM000A\n"))
    driver.apply(ConstantCurrent(-0.02, 2.8), LIMITS)
    link.assert_used_up()


def test_the_acknowledgement_may_share_its_line_with_the_first_marker() -> None:
    driver, link = identified((CHARGE, b"eM000A\n" + CC_1))
    driver.apply(charge, LIMITS)
    assert driver.measure().regulation is Regulation.CURRENT
    link.assert_used_up()


def test_the_first_measure_waits_for_the_first_point() -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n"), SILENCE, (None, CC_1))
    driver.apply(charge, LIMITS)
    assert driver.measure().voltage_volt == 3.612345
    link.assert_used_up()


def test_a_point_is_returned_once_and_the_next_one_awaited() -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n" + CC_1), SILENCE, SILENCE, (None, CC_LAST))
    driver.apply(charge, LIMITS)
    assert driver.measure().voltage_volt == 3.612345
    assert driver.measure().voltage_volt == 4.200113
    link.assert_used_up()


def test_half_a_package_waits_for_its_other_half() -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n" + CC_1[:9]), SILENCE, (None, CC_1[9:]))
    driver.apply(charge, LIMITS)
    assert driver.measure().voltage_volt == 3.612345
    link.assert_used_up()


def test_points_that_stay_away_are_a_timeout() -> None:
    driver, _ = identified((CHARGE, b"e\nM000A\n" + CC_1))
    driver.apply(charge, LIMITS)
    driver.measure()
    with pytest.raises(LinkTimeout):
        driver.measure()


def test_the_end_of_the_script_is_reported_as_stopped_with_the_last_values() -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n" + CC_1 + CC_LAST + b"*\n\n"))
    driver.apply(charge, LIMITS)
    stopped = CellReading(4.200113, 0.1, Regulation.STOPPED)
    assert driver.measure() == stopped
    assert driver.measure() == stopped
    link.assert_used_up()


def test_a_hold_at_the_limit_follows_in_the_same_script() -> None:
    driver, link = identified(
        (CHARGE_AND_HOLD, b"e\nM000A\n" + CC_LAST), SILENCE, (None, b"*\nM0007\n" + CV_1)
    )
    driver.apply(charge_and_hold, LIMITS)
    assert driver.measure().regulation is Regulation.CURRENT
    assert driver.measure() == CellReading(4.2, 0.099998, Regulation.VOLTAGE)
    link.assert_used_up()


def test_a_discharge_is_held_only_below_its_limit() -> None:
    script = (
        CHARGE_AND_HOLD.replace(b"cp p c 100m", b"cp p c -100m")
        .replace(b"if p > 4200m\nset_", b"if p < 2800m\nset_")
        .replace(b"p > 4200m\nbreak", b"p > 4250m\nbreak")
        .replace(b"p < 2500m", b"p < 2800m")
        .replace(b"da 4200m 4200m", b"da 2800m 2800m")
        .replace(b"set_e 4200m", b"set_e 2800m")
        .replace(b"meas_loop_ca p c 4200m", b"meas_loop_ca p c 2800m")
    )
    driver, link = identified((script, b"e\nM000A\n"))
    driver.apply(ConstantCurrent(-0.1, 2.8, hold_at_limit=True), LIMITS)
    link.assert_used_up()


def test_a_constant_voltage_ends_when_the_current_passes_its_limit() -> None:
    driver, link = identified((CONSTANT_VOLTAGE, b"e\nM0007\n" + CV_1))
    driver.apply(ConstantVoltage(4.2, 0.005), LIMITS)
    assert driver.measure() == CellReading(4.2, 0.099998, Regulation.VOLTAGE)
    link.assert_used_up()


# "Range index tables": 0x1B is 100 mA of an EmStat4, 0x18 is 10 mA; the worked transcript has both.
CV_2 = CV_1.replace(b"10,21B", b"10,218")


def test_the_first_point_in_another_range_is_flagged_and_the_next_one_in_it_is_not() -> None:
    driver, link = identified(
        (CONSTANT_VOLTAGE, b"e\nM0007\n" + CV_1),
        *(exchange for line in (CV_1, CV_2, CV_2, CV_1) for exchange in (SILENCE, (None, line))),
    )
    driver.apply(ConstantVoltage(4.2, 0.005), LIMITS)
    flags = [driver.measure().flags for _ in range(5)]
    assert flags == [0, 0, Flag.SETTLING, 0, Flag.SETTLING]
    link.assert_used_up()


def test_a_change_of_range_leaves_the_other_flags_of_the_point() -> None:
    driver, _ = identified((CONSTANT_VOLTAGE, b"e\nM0007\n" + CV_1 + CV_2.replace(b"10,", b"14,")))
    driver.apply(ConstantVoltage(4.2, 0.005), LIMITS)
    assert driver.measure().flags == Flag.SETTLING | Flag.UNDERLOAD


def test_a_value_that_names_no_range_neither_changes_it_nor_hides_a_change() -> None:
    driver, _ = identified(
        (CONSTANT_VOLTAGE, b"e\nM0007\n" + CV_1),
        *(SILENCE, (None, CV_1.replace(b",21B", b""))),
        *(SILENCE, (None, CV_2)),
    )
    driver.apply(ConstantVoltage(4.2, 0.005), LIMITS)
    assert [driver.measure().flags for _ in range(3)] == [0, 0, Flag.SETTLING]


def test_a_new_set_point_begins_in_whatever_range_it_has() -> None:
    driver, _ = identified(
        (CONSTANT_VOLTAGE, b"e\nM0007\n" + CV_1), ABORTED, (CONSTANT_VOLTAGE, b"e\nM0007\n" + CV_2)
    )
    for _ in range(2):
        driver.apply(ConstantVoltage(4.2, 0.005), LIMITS)
        assert driver.measure().flags == 0


def test_the_first_point_of_a_spectrum_in_another_range_is_flagged() -> None:
    potential = EIS_6.replace(b"10,206", b"10,205")
    driver, _ = identified(
        (SPECTRUM, b"e\nM000D\n" + EIS_1 + EIS_1.replace(b"10,21B", b"10,218") + potential)
    )
    driver.begin(replace(SWEEP, bias_volt=3.7), LIMITS)
    flags = [point.flags for point in driver.poll().points]
    # the current's range rides on Z', the potential's on Z''; the last point changes both
    assert flags == [0, Flag.SETTLING, Flag.SETTLING]


def test_a_new_set_point_first_ends_the_running_one() -> None:
    driver, link = identified(
        (CHARGE, b"e\nM000A\n" + CC_1), (b"Z\n", CC_LAST + b"Z\n*\n\n"), (REST, b"e\nM000B\n")
    )
    driver.apply(charge, LIMITS)
    driver.apply(OpenCircuit(), LIMITS)
    link.assert_used_up()


def test_without_a_set_point_the_open_circuit_voltage_is_measured() -> None:
    driver, link = identified(OCV_IS_3_7_VOLT)
    assert driver.measure() == CellReading(3.7, 0.0, Regulation.OPEN)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "words"),
    [
        (ConstantCurrent(0.25, 4.2), "250 mA is outside es4_hr: 0 A to 200 mA"),
        (ConstantCurrent(0.15, 4.2), "150 mA is outside limits: 0 A to 100 mA"),
        (ConstantCurrent(-0.15, 2.8), "150 mA is outside limits"),
        (ConstantCurrent(0.0, 4.2), "no direction"),
        (ConstantCurrent(float("nan"), 4.2), "nan"),
        (ConstantCurrent(0.1, 4.3), "voltage limit 4.3 V is outside limits: 2.5 V to 4.25 V"),
        (ConstantCurrent(0.1, 6.5), "6.5 V is outside es4_hr: -6 V to 6 V"),
        (ConstantVoltage(2.4, 0.1), "voltage 2.4 V is outside limits"),
        (ConstantVoltage(4.2, 0.11), "current limit 110 mA is outside limits"),
        (ConstantVoltage(4.2, -0.01), "current limit -10 mA is outside"),
        (ConstantVoltage(4.2, 0.0), "allows no current"),
    ],
)
def test_what_model_or_limits_exclude_is_refused_before_any_byte(
    setpoint: Setpoint, words: str
) -> None:
    driver, link = identified()
    with pytest.raises(OutOfRange) as caught:
        driver.apply(setpoint, LIMITS)
    assert words in str(caught.value)
    assert "pstat-1 (palmsens.methodscript, /dev/ttyUSB0)" in str(caught.value)
    link.assert_used_up()


@pytest.mark.parametrize(
    "limits",
    [
        Limits(4.2, 2.5, 0.1),
        Limits(float("-inf"), 4.2, 0.1),
        Limits(2.5, 4.2, 0.0),
        Limits(2.5, 4.2, 0.1, longest_second=0.5),
        Limits(2.5, 4.2, 0.1, longest_second=float("inf")),
    ],
)
def test_limits_that_no_script_can_carry_are_refused(limits: Limits) -> None:
    driver, link = identified()
    with pytest.raises(OutOfRange):
        driver.apply(OpenCircuit(), limits)
    link.assert_used_up()


def test_all_objections_come_in_one_message() -> None:
    driver, _ = identified()
    with pytest.raises(OutOfRange, match=r"300 mA.*es4_hr.*300 mA.*limits.*7 V.*es4_hr.*7 V"):
        driver.apply(ConstantCurrent(0.3, 7.0), LIMITS)


def test_a_pico_refuses_a_lithium_ion_cell_and_every_constant_current() -> None:
    driver = identified_as("espico")
    with pytest.raises(OutOfRange, match=r"4\.2 V is outside espico: -1\.25 V to 2 V"):
        driver.apply(ConstantVoltage(4.2, 0.001), LIMITS)
    with pytest.raises(OutOfRange, match="no galvanostat"):
        driver.apply(ConstantCurrent(0.001, 1.0), Limits(-1.0, 2.0, 0.003))


@pytest.mark.parametrize(
    ("type_name", "current_ampere", "range_literal"),
    [
        ("es4_lr", 0.030, b"10m"),
        ("es4_hr", 0.200, b"100m"),
        ("es4_hr", 0.010, b"10m"),
        ("es4_hr", 0.011, b"100m"),
        ("mes4hr", 50e-6, b"100u"),
        ("nexus1", 1.0, b"1"),
        ("nexus1", 20e-9, b"100n"),
    ],
)
def test_the_range_is_the_decade_that_holds_the_current(
    type_name: str, current_ampere: float, range_literal: bytes
) -> None:
    link = _Recorder()
    driver = PalmSensMethodScript(link, "pstat-1")
    link.type_name = type_name
    driver.identify()
    driver.apply(ConstantCurrent(current_ampere, 2.0), Limits(0.0, 2.5, 1.0))
    assert b"\nset_range db " + range_literal + b"\n" in link.script


class _Recorder:
    """An idle device that acknowledges every script; keeps the last one."""

    name = "recorder"
    type_name = "es4_hr"
    script = b""

    def __init__(self) -> None:
        self._replies: list[bytes] = []

    def write(self, data: bytes) -> None:
        answers = {
            b"\n": [],
            b"Z\n": [b"Z!0006"],
            b"t\n": [f"t{self.type_name}1304#x".encode(), b"R*"],
            b"i\n": [b"i1"],
            b"v\n": [b"v1"],
        }
        self.script = data
        self._replies = answers.get(data, [b"e", b"M000A"])

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        if not self._replies:
            raise LinkTimeout("silence")
        return self._replies.pop(0)

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        raise LinkTimeout("silence")

    def close(self) -> None:
        return


# --- errors of scripts ---------------------------------------------------------------------------


def test_a_script_that_is_refused_at_loading_names_line_and_meaning() -> None:
    driver, link = identified((CHARGE, b"e!4001: Line 3, Col 1\n"))
    with pytest.raises(Refused, match=r"'e!4001: Line 3, Col 1': unknown script command"):
        driver.apply(charge, LIMITS)
    link.assert_used_up()


def test_a_script_that_dies_before_its_first_loop_refuses_the_set_point_cell_off() -> None:
    driver, link = identified((CHARGE, b"e\n!0021: Line 7\n"), CELL_OFF)
    with pytest.raises(Refused, match="mode unknown"):
        driver.apply(charge, LIMITS)
    link.assert_used_up()


# After a runtime error on_finished is not executed; an empty line may or may not follow.
@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_a_script_that_dies_is_followed_by_a_separate_cell_off(tail: bytes) -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n" + CC_1 + b"!0032: Line 16\n" + tail), CELL_OFF)
    driver.apply(charge, LIMITS)
    with pytest.raises(Refused, match="critical cell overload"):
        driver.measure()
    assert driver.measure() == CellReading(3.612345, 0.1, Regulation.STOPPED)
    link.assert_used_up()


@pytest.mark.parametrize("answer", [None, b"e!0006\n", b"e\n!0032: Line 1\n", b"e\nM000A\n"])
def test_a_dead_script_whose_cell_off_is_not_confirmed_is_the_loudest_error(
    answer: bytes | None,
) -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n!0032: Line 16\n"), (b"e\ncell_off\n\n", answer))
    driver.apply(charge, LIMITS)
    with pytest.raises(UnconfirmedSafeState, match=r"0032.*cell off not confirmed"):
        driver.measure()
    link.assert_used_up()


@pytest.mark.parametrize(
    "line", [b"Pab837\n", b"\xfe\xff\n", b"M0042\n", b"Peb80F4240u;dbDF5E100n\n", b"e\n"]
)
def test_a_line_that_no_script_sends_is_refused_with_its_bytes(line: bytes) -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n" + line))
    driver.apply(charge, LIMITS)
    with pytest.raises(UnreadableReply, match="pstat-1"):
        driver.measure()
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"OK\n", b"e\nPab8387520u\n", b"e\n\n"])
def test_a_script_that_does_not_begin_as_it_should_is_not_taken_for_running(reply: bytes) -> None:
    driver, link = identified((CHARGE, reply))
    with pytest.raises(UnreadableReply):
        driver.apply(charge, LIMITS)
    link.assert_used_up()


def test_after_a_broken_upload_an_empty_line_ends_what_was_half_sent() -> None:
    driver, link = identified(
        (CHARGE, None), (b"\n", b"e!4018: Line 9, Col 1\n"), (b"Z\n", b"Z!0006\n"), CELL_OFF
    )
    with pytest.raises(LinkTimeout):
        driver.apply(charge, LIMITS)
    driver.make_safe()
    link.assert_used_up()


def test_a_script_that_ends_before_its_first_point_gives_no_reading() -> None:
    driver, _ = identified((CHARGE, b"e\nM000A\n*\n\n"))
    driver.apply(charge, LIMITS)
    with pytest.raises(InstrumentError, match="before its first point"):
        driver.measure()


def test_a_value_that_is_no_number_is_flagged() -> None:
    driver, _ = identified((CHARGE, b"e\nM000A\nPeb80F4240u;ab     nan,12,206;dbDF5E100n\n"))
    driver.apply(charge, LIMITS)
    assert driver.measure().flags == Flag.OVERLOAD


# --- spectra -------------------------------------------------------------------------------------


def test_a_spectrum_at_open_circuit_measures_the_bias_with_the_cell_off_first() -> None:
    driver, link = identified(
        OCV_IS_3_7_VOLT,
        (SPECTRUM, b"e\nM000D\n"),
        SILENCE,
        (None, EIS_1 + EIS_6[:20]),
        SILENCE,
        (None, EIS_6[20:] + b"*\n"),
        SILENCE,
        (None, b"\n"),
    )
    driver.begin(SWEEP, LIMITS)
    assert driver.poll() == SweepProgress((), done=False)
    assert driver.poll() == SweepProgress((ImpedancePoint(100e3, 0.0312, 0.0021),), done=False)
    assert driver.poll() == SweepProgress((ImpedancePoint(1.0, 0.0405, -0.0053),), done=False)
    assert driver.poll() == SweepProgress((), done=True)
    link.assert_used_up()


def test_a_given_bias_needs_no_measurement_before_the_spectrum() -> None:
    driver, link = identified((SPECTRUM, b"eM000D\n" + EIS_1 + EIS_6 + b"*\n\n"))
    driver.begin(replace(SWEEP, bias_volt=3.7), LIMITS)
    progress = driver.poll()
    assert [point.frequency_hertz for point in progress.points] == [100e3, 1.0]
    assert progress.done
    link.assert_used_up()


def test_a_spectrum_may_be_one_point() -> None:
    script = SPECTRUM.replace(b"10m 100k 1 6i", b"10m 1k 1k 1i")
    driver, link = identified((script, b"e\nM000D\n"))
    driver.begin(Sweep(1e3, 1e3, 1, amplitude_volt=0.010, bias_volt=3.7), LIMITS)
    link.assert_used_up()


def test_a_galvanostatic_spectrum_runs_around_zero_current() -> None:
    script = (
        SPECTRUM.replace(b"mode 3", b"mode 6")
        .replace(b"set_range_minmax da 3700m 3700m\n", b"")
        .replace(b"set_range ba 100m\nset_autoranging ba 100n 100m\n", b"")
        .replace(b"ab 100m 5\n", b"ab 100m 5\nset_range db 1m\nset_autoranging db 1m 1m\n")
        .replace(b"set_e 3700m", b"set_i 0")
        .replace(b"eis f r j 10m 100k 1 6i 3700m", b"geis f r j 500u 100k 1 6i 0")
    )
    driver, link = identified(OCV_IS_3_7_VOLT, (script, b"e\nM000E\n" + EIS_1))
    driver.begin(Sweep(100e3, 1.0, 6, amplitude_ampere=500e-6), LIMITS)
    assert len(driver.poll().points) == 1
    link.assert_used_up()


def test_the_status_of_current_and_potential_both_flag_the_point() -> None:
    flagged = EIS_1.replace(b"10,21B", b"12,21B").replace(b"10,206", b"18,206")
    driver, _ = identified((SPECTRUM, b"e\nM000D\n" + flagged))
    driver.begin(replace(SWEEP, bias_volt=3.7), LIMITS)
    assert driver.poll().points[0].flags == Flag.OVERLOAD | Flag.OVERLOAD_WARNING


@pytest.mark.parametrize("package", [b"Pab8432380u\n", b"Pab8000000 \n", b"Pab8387520u,12\n"])
def test_no_spectrum_begins_at_an_open_circuit_voltage_that_cannot_be(package: bytes) -> None:
    driver, link = identified((OPEN_CIRCUIT_VOLTAGE, b"e\n" + package + b"\n"))
    with pytest.raises(InstrumentError, match="no spectrum at open circuit"):
        driver.begin(SWEEP, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        (replace(SWEEP, start_hertz=300e3), "start frequency 300 kHz is outside es4_hr"),
        (replace(SWEEP, stop_hertz=0.0), "stop frequency 0 Hz is not above zero"),
        (replace(SWEEP, stop_hertz=float("nan")), "stop frequency nan Hz"),
        (replace(SWEEP, points=0), "0 points"),
        (replace(SWEEP, amplitude_volt=1.0), "amplitude (rms) 1 V is outside es4_hr"),
        (replace(SWEEP, amplitude_volt=0.0), "amplitude of 0 V"),
        (replace(SWEEP, amplitude_volt=None), "exactly one amplitude"),
        (replace(SWEEP, amplitude_ampere=0.001), "exactly one amplitude"),
        (replace(SWEEP, bias_volt=4.24), "bias + peak 4.254 V is outside limits"),
        (replace(SWEEP, bias_volt=2.5), "bias - peak 2.486 V is outside limits"),
        (Sweep(1e3, 1.0, 6, amplitude_ampere=0.2), "amplitude (rms) 200 mA is outside es4_hr"),
        (Sweep(1e3, 1.0, 6, amplitude_ampere=0.09), "peak current 127.3 mA is outside limits"),
        (Sweep(1e3, 1.0, 6, amplitude_ampere=0.01, bias_volt=3.7), "holds no bias"),
    ],
)
def test_a_spectrum_beyond_model_or_limits_is_refused_before_any_byte(
    sweep: Sweep, words: str
) -> None:
    driver, link = identified()
    with pytest.raises(OutOfRange) as caught:
        driver.begin(sweep, LIMITS)
    assert words in str(caught.value)
    link.assert_used_up()


def test_a_spectrum_that_dies_is_not_taken_for_a_whole_one() -> None:
    driver, link = identified((SPECTRUM, b"e\nM000D\n" + EIS_1 + b"!0080: Line 15\n"), CELL_OFF)
    driver.begin(replace(SWEEP, bias_volt=3.7), LIMITS)
    with pytest.raises(Refused, match="oscillates"):
        driver.poll()
    with pytest.raises(InstrumentError, match="no spectrum runs"):
        driver.poll()
    link.assert_used_up()


def test_while_a_spectrum_runs_there_is_no_reading_of_the_cell() -> None:
    driver, _ = identified((SPECTRUM, b"e\nM000D\n"))
    driver.begin(replace(SWEEP, bias_volt=3.7), LIMITS)
    with pytest.raises(InstrumentError, match="spectrum"):
        driver.measure()


# --- MultiEmStat4 --------------------------------------------------------------------------------


def on_channel(channel: int, type_name: str, *exchanges: Exchange) -> PalmSensMethodScript:
    """Return a driver of that channel, identified; the caller's exchanges follow."""
    reply = f"t{type_name}1304#Oct  1 2025 12:00:00\nR*\n".encode()
    link = TranscriptLink([*SYNCHRONISED, (b"t\n", reply), *IDENTIFIED[-2:], *exchanges])
    driver = PalmSensMethodScript(link, "pstat-1", channel=channel)
    driver.identify()
    return driver


def selecting(channel: int, script: bytes) -> bytes:
    return script.replace(b"set_pgstat_chan 0", f"set_pgstat_chan {channel}".encode())


def test_every_script_selects_the_channel() -> None:
    idle: Exchange = (b"Z\n", b"Z!0006\n")
    ended = b"*\n\n"
    driver = on_channel(
        3,
        "mes4hr",
        (selecting(3, REST), b"e\nM000B\n" + OCP_1 + ended),
        idle,
        (selecting(3, CHARGE_AND_HOLD), b"e\nM000A\n" + CC_1 + ended),
        idle,
        (selecting(3, CONSTANT_VOLTAGE), b"e\nM0007\n" + CV_1 + ended),
        idle,
        (selecting(3, OPEN_CIRCUIT_VOLTAGE), OCV_IS_3_7_VOLT[1]),
        (selecting(3, SPECTRUM), b"e\nM000D\n" + EIS_1 + ended),
    )
    driver.apply(OpenCircuit(), LIMITS)
    driver.apply(charge_and_hold, LIMITS)
    driver.apply(ConstantVoltage(4.2, 0.005), LIMITS)
    driver.begin(SWEEP, LIMITS)
    assert driver.poll().done


def test_making_safe_switches_the_cell_of_its_own_channel_off() -> None:
    cell_off: Exchange = (b"e\nset_pgstat_chan 3\ncell_off\n\n", b"e\n\n")
    driver = on_channel(3, "mes4lr", (b"Z\n", b"Z!0006\n"), cell_off)
    driver.make_safe()


@pytest.mark.parametrize(
    ("channel", "type_name"), [(1, "es4_hr"), (1, "espico"), (12, "mes4hr"), (-1, "mes4hr")]
)
def test_a_channel_that_the_model_has_not_is_refused(channel: int, type_name: str) -> None:
    with pytest.raises(OutOfRange, match=f"channel {channel} was asked for, {type_name} has 0 to"):
        on_channel(channel, type_name)


# --- safe state ----------------------------------------------------------------------------------


def test_making_safe_in_the_middle_of_a_stream_aborts_and_switches_off() -> None:
    driver, link = identified(
        (CHARGE, b"e\nM000A\n" + CC_1[:12]), (b"Z\n", CC_1[12:] + CC_LAST + b"Z\n*\n\n"), CELL_OFF
    )
    driver.apply(charge, LIMITS)
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_needs_no_identity_and_survives_a_partial_first_line() -> None:
    driver, link = fresh(
        (None, b"B1u;dbDF5E100n,10,21B\n" + CC_1), (b"\n", None), ABORTED, CELL_OFF
    )
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_twice_is_the_same() -> None:
    idle: Exchange = (b"Z\n", b"Z!0006\n")
    driver, link = identified(idle, CELL_OFF, idle, CELL_OFF)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_as_the_script_ends_by_itself_is_no_error() -> None:
    driver, link = identified(
        (CHARGE, b"e\nM000A\n"), (b"Z\n", CC_LAST + b"*\n\nZ!0006\n"), CELL_OFF
    )
    driver.apply(charge, LIMITS)
    driver.make_safe()
    link.assert_used_up()


# The device is deaf after an error: the Z may never be answered.
@pytest.mark.parametrize("answer", [b"!0032: Line 16\n", b"!0032: Line 16\n\nZ!0006\n"])
def test_making_safe_as_the_script_dies_still_switches_off(answer: bytes) -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n"), (b"Z\n", answer), CELL_OFF, CELL_OFF)
    driver.apply(charge, LIMITS)
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [(b"Z\n", None)],
        [(b"Z\n", b"Z\n*\n")],  # no empty line: on_finished is not known to have run
        [(b"Z\n", b"Z!0001\n")],
        [(b"Z\n", b"\xff\xff\xff\n")],
        [ABORTED, (b"e\ncell_off\n\n", None)],
        [ABORTED, (b"e\ncell_off\n\n", b"e\n")],
        [ABORTED, (b"e\ncell_off\n\n", b"e!0006\n")],
        [ABORTED, (b"e\ncell_off\n\n", b"e\n!0032: Line 1\n")],
        [ABORTED, (b"e\ncell_off\n\n", b"?\n")],
    ],
)
def test_a_cell_off_that_nobody_confirms_is_the_loudest_error(exchanges: list[Exchange]) -> None:
    driver, link = identified((CHARGE, b"e\nM000A\n"), *exchanges)
    driver.apply(charge, LIMITS)
    with pytest.raises(UnconfirmedSafeState, match=r"pstat-1 .*ttyUSB0.*cell off not confirmed"):
        driver.make_safe()
    link.assert_used_up()


def test_after_an_unconfirmed_safe_state_the_next_attempt_starts_from_an_empty_line() -> None:
    driver, link = identified(
        (CHARGE, b"e\nM000A\n"), (b"Z\n", None), SILENCE, (b"\n", None), ABORTED, CELL_OFF
    )
    driver.apply(charge, LIMITS)
    with pytest.raises(UnconfirmedSafeState):
        driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(("stop_hertz", "longest_second"), [(1.0, 10.0), (0.01, 300.0)])
def test_an_abort_may_take_three_periods_of_the_lowest_frequency(
    stop_hertz: float, longest_second: float
) -> None:
    script = SPECTRUM.replace(b"100k 1 6i", b"100k 1 6i" if stop_hertz == 1 else b"100k 10m 6i")
    driver, _ = identified((script, b"e\nM000D\n"), (b"Z\n", None))
    driver.begin(replace(SWEEP, stop_hertz=stop_hertz, bias_volt=3.7), LIMITS)
    with pytest.raises(UnconfirmedSafeState, match=f"waited {longest_second:g} s"):
        driver.make_safe()


def test_a_device_that_goes_on_after_the_abort_is_listened_to_for_a_bounded_number_of_points() -> (
    None
):
    point_after_a_wait: list[Exchange] = [SILENCE, (None, CC_1)]
    driver, link = identified(
        (CHARGE, b"e\nM000A\n"), (b"Z\n", None), *point_after_a_wait * 100, SILENCE
    )
    driver.apply(charge, LIMITS)
    with pytest.raises(UnconfirmedSafeState, match="told to stop, it goes on sending lines"):
        driver.make_safe()
    link.assert_used_up()


def test_what_had_arrived_before_the_abort_does_not_count_as_waiting() -> None:
    driver, link = identified(
        (CHARGE, b"e\nM000A\n"), (b"Z\n", CC_1 * 1000 + b"Z\n*\n\n"), CELL_OFF
    )
    driver.apply(charge, LIMITS)
    driver.make_safe()
    link.assert_used_up()


def test_no_line_of_any_script_is_longer_than_the_device_takes() -> None:
    scripts = (REST, CHARGE_AND_HOLD, SPECTRUM, OPEN_CIRCUIT_VOLTAGE)
    assert max(len(line) for script in scripts for line in script.splitlines()) < 128


def test_every_model_of_the_sheet_has_its_ranges() -> None:
    for model in PalmSensMethodScript.sheet.models:
        assert model.voltage_volt is not None
        assert model.current_ampere is not None
        assert model.amplitude_volt is not None
