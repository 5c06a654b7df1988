"""The generic switch driver against transcripts of SCPI-1999 (ROUTe subsystem) and IEEE 488.2."""

from __future__ import annotations

import pytest

from drivers.multiplexers.scpi_matrix import ScpiMatrix
from rig.core.errors import (
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Identity
from rig.wire import Exchange, TranscriptLink

NO_ERROR: Exchange = (b":SYST:ERR?\n", b'0,"No error"\n')
DONE: Exchange = (b"*OPC?\n", b"1\n")
IN_STEP: Exchange = (b"*OPC?;*OPC?\n", b"1;1\n")
OPENING: list[Exchange] = [(b"*CLS\n", None), (b"ROUT:OPEN:ALL\n", None)]
OPEN_ALL: list[Exchange] = [*OPENING, DONE, NO_ERROR]


def close(path: bytes) -> list[Exchange]:
    return [(b"ROUT:CLOS (@" + path + b")\n", None), DONE, NO_ERROR]


def state(path: bytes, answer: bytes) -> Exchange:
    return (b"ROUT:CLOS? (@" + path + b")\n", answer + b"\n")


def driver_over(
    *exchanges: Exchange, paths: tuple[str, ...] = ()
) -> tuple[ScpiMatrix, TranscriptLink]:
    link = TranscriptLink(exchanges, name="ttyX")
    return ScpiMatrix(link, "mux-1", paths), link


def test_the_constructor_is_silent() -> None:
    _, link = driver_over(paths=("101",))
    link.assert_used_up()


def test_it_says_what_the_instrument_says() -> None:
    driver, link = driver_over((b"*IDN?\n", b"ACME,SW-20,1234,1.0 (rev A, B)\n"))
    assert driver.identify() == Identity("ACME", "SW-20", "1234", "1.0 (rev A, B)")
    link.assert_used_up()


def test_what_does_not_identify_itself_by_the_standard_is_the_wrong_instrument() -> None:
    driver, _ = driver_over((b"*IDN?\n", b"SW-20\n"))
    with pytest.raises(WrongInstrument, match="mux-1"):
        driver.identify()


def test_a_path_is_closed_after_all_are_open_and_read_back() -> None:
    driver, link = driver_over(*OPEN_ALL, *close(b"101"), state(b"101", b"1"))
    driver.connect("101")
    link.assert_used_up()


def test_the_path_before_is_seen_open_before_the_next_is_closed_and_after() -> None:
    driver, link = driver_over(
        *OPEN_ALL, *close(b"101"), state(b"101", b"1"),
        *OPEN_ALL, state(b"101", b"0"), *close(b"102"), state(b"101", b"0"), state(b"102", b"1"),
    )  # fmt: skip
    driver.connect("101")
    driver.connect("102")
    link.assert_used_up()


def test_the_paths_of_the_bench_are_read_back_from_the_start() -> None:
    driver, link = driver_over(
        *OPEN_ALL, state(b"101", b"0"), state(b"102", b"0"), paths=("101", "102")
    )
    driver.make_safe()
    link.assert_used_up()


def test_a_matrix_crosspoint_is_a_path() -> None:
    driver, link = driver_over(*OPEN_ALL, *close(b"1!3"), state(b"1!3", b"1"))
    driver.connect("1!3")
    link.assert_used_up()


@pytest.mark.parametrize("path", ["", "A1", "101,102", "101:104", "101)", " 101", "1!"])
def test_what_is_not_one_channel_is_refused_before_a_byte_is_sent(path: str) -> None:
    driver, link = driver_over()
    with pytest.raises(OutOfRange, match="nothing was sent"):
        driver.connect(path)
    link.assert_used_up()


def test_a_channel_that_the_instrument_has_not_is_a_refusal_and_not_asked_for_later() -> None:
    refused: list[Exchange] = [
        (b"ROUT:CLOS (@999)\n", None),
        DONE,
        (b":SYST:ERR?\n", b'-222,"Parameter data out of range"\n'),
        NO_ERROR,
    ]
    driver, link = driver_over(*OPEN_ALL, *refused, *OPEN_ALL)
    with pytest.raises(Refused, match="no such channel"):
        driver.connect("999")
    driver.make_safe()
    link.assert_used_up()


def test_a_path_that_does_not_open_keeps_the_next_from_being_closed() -> None:
    driver, link = driver_over(
        *OPEN_ALL, *close(b"101"), state(b"101", b"1"), *OPEN_ALL, state(b"101", b"1")
    )
    driver.connect("101")
    with pytest.raises(Refused, match="path 101 should be open"):
        driver.connect("102")
    link.assert_used_up()


def test_a_path_that_does_not_close_is_a_refusal() -> None:
    driver, link = driver_over(*OPEN_ALL, *close(b"101"), state(b"101", b"0"))
    with pytest.raises(Refused, match="path 101 should be closed"):
        driver.connect("101")
    link.assert_used_up()


@pytest.mark.parametrize("answer", [b"", b"2", b"1,0", b"(@101)"])
def test_a_garbled_state_is_refused_with_its_bytes(answer: bytes) -> None:
    driver, _ = driver_over(*OPEN_ALL, *close(b"101"), state(b"101", answer))
    with pytest.raises(UnreadableReply, match="expected 0 or 1"):
        driver.connect("101")


def test_a_path_whose_closing_was_not_answered_is_seen_open_afterwards() -> None:
    driver, link = driver_over(
        *OPEN_ALL,
        (b"ROUT:CLOS (@101)\n", None),
        (b"*OPC?\n", None),
        *OPENING, IN_STEP, DONE, NO_ERROR, state(b"101", b"0"),
    )  # fmt: skip
    with pytest.raises(LinkTimeout):
        driver.connect("101")
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize("answer", [b"garbage\n", None])
def test_leftovers_of_a_broken_exchange_do_not_spoil_the_safe_state(answer: bytes | None) -> None:
    broken: Exchange = (b"*OPC?\n", answer)
    driver, link = driver_over(*OPENING, broken, *OPENING, IN_STEP, DONE, NO_ERROR)
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [*OPEN_ALL, state(b"101", b"1")],
        [*OPENING, DONE, (b":SYST:ERR?\n", b'-113,"Undefined header"\n'), NO_ERROR],
        [*OPENING, (b"*OPC?\n", None), *OPENING, (b"*OPC?;*OPC?\n", None)],
    ],
    ids=["a path stays closed", "the command is not known", "silent"],
)
def test_a_safe_state_that_is_not_confirmed_is_the_loudest_error(exchanges: list[Exchange]) -> None:
    driver, link = driver_over(*exchanges, paths=("101",))
    with pytest.raises(UnconfirmedSafeState, match="not confirmed open") as caught:
        driver.make_safe()
    assert "disconnect the cells" in caught.value.remedy
    link.assert_used_up()
