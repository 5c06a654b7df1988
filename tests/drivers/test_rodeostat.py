"""The Rodeostat driver, byte by byte, against the maker's JSON documentation."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from drivers.potentiostats.rodeostat import Rodeostat
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
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
)
from rig.wire import Exchange, TranscriptLink

LIMITS = Limits(-0.1, 4.25, 0.02, longest_second=3600.0)
HOLD = ConstantVoltage(0.5, 0.0009)
SILENCE: Exchange = (None, None)


def compact(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def said(command: str, sent: dict[str, object], response: dict[str, object]) -> Exchange:
    """One command and the success that answers it; 64 bytes never go out as one packet."""
    line = compact({"command": command, **sent}) + b"\n"
    reply = compact({"success": True, "response": {"command": command, **response}}) + b"\r\n"
    return (b" " + line if len(line) % 64 == 0 else line, reply)


def setting(command: str, **values: object) -> Exchange:
    return said(command, values, values)


def failed(command: str, message: str, **sent: object) -> Exchange:
    reply = compact({"success": False, "message": message, "response": {}}) + b"\r\n"
    return said(command, sent, {})[0], reply


IDENTIFIED: tuple[Exchange, ...] = (
    said("getVariant", {}, {"variant": "10V_24MilliAmpV0.2"}),
    said("getDeviceId", {}, {"deviceId": 7}),
    said("getVersion", {}, {"version": "FW0.1.0"}),
)
# Electrodes before the test: stopTest sets 0 V.
OPEN: tuple[Exchange, ...] = (
    setting("setAllElectConnected", connected=False),
    setting("stopTest"),
    *(
        said(f"get{which}ElectConnected", {}, {"connected": False})
        for which in ("Ref", "Ctr", "Wrk")
    ),
)
CONFIRMED_OPEN = OPEN[2:]
PARAMETERS = {"quietValue": 0.5, "quietTime": 0, "value": 0.5, "duration": 3_600_000}
HELD: tuple[Exchange, ...] = (
    *OPEN,
    setting("setElectAutoConnect", autoConnect=True),
    setting("setSamplePeriod", samplePeriod=1000),
    setting("setVoltRange", voltRange="1V"),
    setting("setCurrRange", currRange="1000uA"),
    said("setVolt", {"v": 0.5}, {"v": 0.499878}),
    setting("setParam", test="constant", param=PARAMETERS),
    setting("runTest", test="constant"),
)


def sample(t: int, microampere: float, **more: object) -> bytes:
    return compact({"t": t, "v": 0.5, "i": microampere, **more}) + b"\r\n"


END = b"{}\r\n"


def fresh(*exchanges: Exchange) -> tuple[Rodeostat, TranscriptLink]:
    link = TranscriptLink(exchanges, name="/dev/ttyACM0")
    return Rodeostat(link, "rodeo-1"), link


def identified(*exchanges: Exchange) -> tuple[Rodeostat, TranscriptLink]:
    driver, link = fresh(*IDENTIFIED, *exchanges)
    driver.identify()
    return driver, link


def holding(*exchanges: Exchange) -> tuple[Rodeostat, TranscriptLink]:
    driver, link = identified(*HELD, *exchanges)
    driver.apply(HOLD, LIMITS)
    return driver, link


def reading(ampere: float, regulation: Regulation = Regulation.VOLTAGE) -> CellReading:
    return CellReading(0.5, ampere, regulation, Flag.VOLTAGE_HELD)


# --- identity ------------------------------------------------------------------------------------


def test_the_constructor_sends_nothing() -> None:
    _, link = fresh()
    link.assert_used_up()


def test_it_identifies_itself_by_its_variant() -> None:
    driver, link = fresh(*IDENTIFIED)
    assert driver.identify() == Identity("IO Rodeo", "10V_24MilliAmpV0.2", "7", "FW0.1.0")
    link.assert_used_up()


@pytest.mark.parametrize("variant", ["AD8250_microAmpV0.1", "10V_nanoAmpV0.3"])
def test_hardware_that_cannot_disconnect_a_cell_is_refused(variant: str) -> None:
    driver, link = fresh(said("getVariant", {}, {"variant": variant}))
    with pytest.raises(WrongInstrument, match=rf"rodeo-1 .*ttyACM0.*{variant}") as caught:
        driver.identify()
    assert "cannot disconnect a cell" in caught.value.remedy
    link.assert_used_up()


def test_samples_of_a_test_that_an_earlier_session_left_running_are_passed_over() -> None:
    sent, reply = IDENTIFIED[0]
    driver, link = fresh(
        (None, b'"v":0.5,"i":1}\r\n'),
        (sent, b'0.5,"i":42.1}\r\n' + sample(10, 1.0) + (reply or b"")),
        *IDENTIFIED[1:],
    )
    assert driver.identify().serial == "7"
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply", [b'{"success":true}\r\n', b"[1]\r\n", b'"success"\r\n', b"\xff\r\n"]
)
def test_what_is_no_reply_leaves_the_question_unanswered(reply: bytes) -> None:
    driver, _ = fresh((IDENTIFIED[0][0], reply))
    with pytest.raises(LinkTimeout):
        driver.identify()


def test_a_long_number_that_its_owner_gave_it_keeps_every_digit() -> None:
    driver, _ = fresh(
        IDENTIFIED[0], said("getDeviceId", {}, {"deviceId": 20_241_107}), IDENTIFIED[2]
    )
    assert driver.identify().serial == "20241107"


@pytest.mark.parametrize("variant", [None, 5, ["x"]])
def test_a_variant_that_is_no_text_is_refused(variant: object) -> None:
    driver, _ = fresh(said("getVariant", {}, {"variant": variant}))
    with pytest.raises(UnreadableReply, match="a text as 'variant'"):
        driver.identify()


# --- holding a voltage ---------------------------------------------------------------------------


def test_a_voltage_is_set_with_the_electrodes_open_and_held_by_the_devices_own_test() -> None:
    driver, link = holding((None, sample(1000, 42.1)))
    assert driver.measure() == reading(pytest.approx(42.1e-6))
    link.assert_used_up()


def test_a_positive_current_charges_and_travels_in_microampere() -> None:
    driver, _ = holding((None, sample(1000, -2.8)))
    assert driver.measure().current_ampere == pytest.approx(-2.8e-6)


@pytest.mark.parametrize(
    ("setpoint", "volt_range", "current_range"),
    [
        (ConstantVoltage(-0.05, 100e-6), "1V", "100uA"),
        (ConstantVoltage(1.5, 101e-6), "2V", "1000uA"),
        (ConstantVoltage(4.2, 0.02), "5V", "24000uA"),
    ],
)
def test_the_smallest_ranges_that_hold_it_are_chosen(
    setpoint: ConstantVoltage, volt_range: str, current_range: str
) -> None:
    volt = setpoint.voltage_volt
    driver, link = identified(
        *HELD[:7],
        setting("setVoltRange", voltRange=volt_range),
        setting("setCurrRange", currRange=current_range),
        setting("setVolt", v=volt),
        setting(
            "setParam", test="constant", param={**PARAMETERS, "quietValue": volt, "value": volt}
        ),
        HELD[-1],
    )
    driver.apply(setpoint, LIMITS)
    link.assert_used_up()


def test_a_nanoampere_variant_has_its_own_ranges() -> None:
    driver, link = fresh(
        said("getVariant", {}, {"variant": "10V_nanoAmpV0.2"}),
        *IDENTIFIED[1:],
        *HELD[:8],
        setting("setCurrRange", currRange="60nA"),
        *HELD[9:],
    )
    driver.identify()
    driver.apply(ConstantVoltage(0.5, 50e-9), LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "limits", "words"),
    [
        (OpenCircuit(), LIMITS, "cannot measure an open-circuit voltage"),
        (ConstantCurrent(1e-3, 4.2), LIMITS, "no galvanostat"),
        (ConstantVoltage(4.3, 1e-3), LIMITS, "voltage 4.3 V is not from -100 mV to 4.25 V"),
        (
            ConstantVoltage(10.5, 1e-3),
            Limits(-20, 20, 1),
            "voltage 10.5 V is not from -10 V to 10 V",
        ),
        (ConstantVoltage(math.nan, 1e-3), LIMITS, "voltage nan V"),
        (ConstantVoltage(0.5, 0.021), LIMITS, "current limit 21 mA"),
        (ConstantVoltage(0.5, 0.0), LIMITS, "current limit 0 A"),
        (HOLD, replace(LIMITS, longest_second=5e6), "longest time"),
    ],
)
def test_what_the_device_cannot_do_is_refused_before_any_byte(
    setpoint: Setpoint, limits: Limits, words: str
) -> None:
    driver, link = identified()
    with pytest.raises(OutOfRange) as caught:
        driver.apply(setpoint, limits)
    assert words in str(caught.value)
    link.assert_used_up()


def test_nothing_is_applied_before_the_variant_is_known() -> None:
    driver, link = fresh()
    with pytest.raises(InstrumentError, match="variant is not known"):
        driver.apply(HOLD, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("place", "reply"),
    [
        (5, said("setElectAutoConnect", {"autoConnect": True}, {"autoConnect": False})),
        (7, said("setVoltRange", {"voltRange": "1V"}, {"voltRange": "2V"})),
        (8, said("setCurrRange", {"currRange": "1000uA"}, {})),
        (9, said("setVolt", {"v": 0.5}, {"v": 0.4})),
        (
            10,
            said(
                "setParam",
                {"test": "constant", "param": PARAMETERS},
                {"param": {**PARAMETERS, "duration": 5000}},
            ),
        ),
    ],
)
def test_a_setting_that_the_device_did_not_take_starts_no_test(place: int, reply: Exchange) -> None:
    driver, link = identified(*HELD[:place], reply)
    with pytest.raises(Refused, match="the device kept"):
        driver.apply(HOLD, LIMITS)
    link.assert_used_up()


def test_a_refusal_carries_the_devices_own_words() -> None:
    driver, link = identified(
        *HELD[:8], failed("setCurrRange", "currRange, 1000uA, not found", currRange="1000uA")
    )
    with pytest.raises(Refused, match=r"rodeo-1 .*setCurrRange.*1000uA, not found"):
        driver.apply(HOLD, LIMITS)
    link.assert_used_up()


# --- measuring -----------------------------------------------------------------------------------


def test_the_newest_of_several_samples_is_the_reading() -> None:
    driver, _ = holding((None, sample(1000, 50.0) + sample(2000, 40.0) + sample(3000, 30.0)[:9]))
    assert driver.measure().current_ampere == pytest.approx(40e-6)


def test_half_a_sample_waits_for_its_other_half() -> None:
    driver, link = holding((None, sample(1000, 50.0)[:9]), SILENCE, (None, sample(1000, 50.0)[9:]))
    with pytest.raises(LinkTimeout):
        driver.measure()
    assert driver.measure().current_ampere == pytest.approx(50e-6)
    link.assert_used_up()


def test_a_sample_of_which_only_half_came_is_never_joined_to_the_next_one() -> None:
    half = sample(1000, 50.0)[:9]
    driver, link = holding(
        (None, half),
        SILENCE,
        (None, sample(2000, 40.0)),  # on the line that the first one began
        (None, half),
        (OPEN[0][0], b'"v":0.5,"i":50.0}\r\n' + (OPEN[0][1] or b"")),
        *OPEN[1:],
    )
    with pytest.raises(LinkTimeout):
        driver.measure()
    with pytest.raises(UnreadableReply, match="rodeo-1"):
        driver.measure()
    driver.make_safe()
    link.assert_used_up()


def test_samples_that_stay_away_are_a_timeout() -> None:
    driver, _ = holding(SILENCE)
    with pytest.raises(LinkTimeout):
        driver.measure()


def test_the_end_of_the_test_is_reported_as_stopped_once_the_electrodes_are_seen_open() -> None:
    driver, link = holding(
        (None, sample(3_599_000, 1.0) + sample(3_600_000, 0.9) + END), *CONFIRMED_OPEN
    )
    stopped = reading(pytest.approx(0.9e-6), Regulation.STOPPED)
    assert driver.measure() == stopped
    assert driver.measure() == stopped
    link.assert_used_up()


def test_a_test_that_ends_and_leaves_an_electrode_connected_is_an_error() -> None:
    driver, _ = holding(
        (None, sample(1000, 1.0) + END), said("getRefElectConnected", {}, {"connected": True})
    )
    with pytest.raises(Refused, match="getRefElectConnected"):
        driver.measure()


def test_a_current_beyond_its_limit_opens_the_cell() -> None:
    driver, link = holding((None, sample(1000, 950.0)), *OPEN)
    stopped = driver.measure()
    assert stopped.current_ampere == pytest.approx(950e-6)
    assert stopped.regulation is Regulation.STOPPED
    assert stopped.flags == Flag.VOLTAGE_HELD | Flag.COMPLIANCE
    link.assert_used_up()


# "le" is the limit error of a sample; the converter stops at the end of its range.
@pytest.mark.parametrize(
    "wire", [sample(1000, 12.0, le=1), sample(1000, 1000.0), sample(1000, -1002.0)]
)
def test_an_overload_is_flagged_never_a_number_and_opens_the_cell(wire: bytes) -> None:
    driver, link = holding((None, wire), *OPEN)
    stopped = driver.measure()
    assert math.isnan(stopped.current_ampere)
    assert stopped.flags == Flag.VOLTAGE_HELD | Flag.OVERLOAD | Flag.COMPLIANCE
    assert stopped.regulation is Regulation.STOPPED
    link.assert_used_up()


@pytest.mark.parametrize(
    "wire",
    [
        b'{"t":10,"v":0.5}\r\n',
        b'{"v":true,"i":1}\r\n',
        b'{"t":10,"v":NaN,"i":1}\r\n',
        b'{"t":10,"v":0.5,"i":1e999}\r\n',
        b"t=10\r\n",
        b"\r\n",
    ],
)
def test_a_sample_that_cannot_be_read_is_refused(wire: bytes) -> None:
    driver, _ = holding((None, wire))
    with pytest.raises(UnreadableReply, match="rodeo-1"):
        driver.measure()


def test_there_is_no_reading_before_a_voltage_is_held() -> None:
    driver, link = identified()
    with pytest.raises(InstrumentError, match="nothing is held"):
        driver.measure()
    link.assert_used_up()


# --- safe state ----------------------------------------------------------------------------------


def test_making_safe_opens_the_electrodes_before_the_test_is_stopped() -> None:
    sent, reply = OPEN[1]
    driver, link = holding(
        (OPEN[0][0], sample(1000, 1.0) + (OPEN[0][1] or b"")),
        (sent, (reply or b"") + END),
        *CONFIRMED_OPEN,
    )
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_twice_is_the_same_and_needs_no_identify() -> None:
    driver, link = fresh(*OPEN, *OPEN)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


def test_a_reply_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    sent, late = OPEN[0]
    driver, link = fresh((sent, None), SILENCE, (sent, (late or b"") + (late or b"")), *OPEN[1:])
    with pytest.raises(UnconfirmedSafeState):
        driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [(OPEN[0][0], None)],
        [failed("setAllElectConnected", "json does not contain key: connected", connected=False)],
        [OPEN[0], (OPEN[1][0], None)],
        [*OPEN[:3], said("getCtrElectConnected", {}, {"connected": True})],
        [*OPEN[:4], said("getWrkElectConnected", {}, {})],
    ],
)
def test_electrodes_that_nobody_confirms_open_are_the_loudest_error(
    exchanges: list[Exchange],
) -> None:
    driver, link = identified(*exchanges)
    with pytest.raises(UnconfirmedSafeState, match=r"rodeo-1 .*ttyACM0.*not confirmed open"):
        driver.make_safe()
    link.assert_used_up()


def test_a_request_never_fills_a_usb_packet() -> None:
    lines = [sent for sent, _ in (*IDENTIFIED, *HELD) if sent is not None]
    assert all(len(line) % 64 for line in lines)
