"""Modbus TCP over a link: frames both ways, refusals, and replies that come late or broken."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import LinkTimeout, UnreadableReply
from rig.wire import Exchange, TranscriptLink
from rig.wire.modbus import ModbusRefusal, ModbusTcp, WordOrder, float_of, words_of

# The frames of a Watlow F4T: process value 23.4, low word first.
READ = bytes.fromhex("00 01 00 00 00 06 01 03 0b 04 00 02")
READ_REPLY = bytes.fromhex("00 01 00 00 00 07 01 03 04 33 33 41 bb")
# A frame's first six bytes are the header.
READ_AGAIN = bytes.fromhex("00 02 00 00 00 06 01 03 0b 04 00 02")
READ_AGAIN_REPLY = bytes.fromhex("00 02 00 00 00 07 01 03 04 00 00 41 c8")


def device(*exchanges: Exchange) -> tuple[ModbusTcp, TranscriptLink]:
    link = TranscriptLink(exchanges, name="socket://chamber:502")
    return ModbusTcp(link, "chamber-1", 1.0), link


def test_registers_are_read_with_function_3() -> None:
    modbus, link = device((READ, READ_REPLY))
    assert modbus.read(2820, 2) == (0x3333, 0x41BB)
    link.assert_used_up()


def test_one_register_is_written_with_function_6_and_comes_back() -> None:
    frame = bytes.fromhex("00 01 00 00 00 06 01 06 0a aa 00 0a")
    modbus, link = device((frame, frame))
    modbus.write(2730, 10)
    link.assert_used_up()


def test_several_registers_are_written_with_function_16() -> None:
    modbus, link = device(
        (
            bytes.fromhex("00 01 00 00 00 0b 01 10 0a de 00 02 04 00 00 42 70"),
            bytes.fromhex("00 01 00 00 00 06 01 10 0a de 00 02"),
        )
    )
    modbus.write_many(2782, (0x0000, 0x4270))
    link.assert_used_up()


def test_every_request_has_its_own_number() -> None:
    modbus, link = device((READ, READ_REPLY), (READ_AGAIN, READ_AGAIN_REPLY))
    modbus.read(2820, 2)
    assert modbus.read(2820, 2) == (0x0000, 0x41C8)
    link.assert_used_up()


def test_an_exception_is_a_refusal_that_names_the_register_and_the_reason() -> None:
    modbus, _ = device((READ, bytes.fromhex("00 01 00 00 00 03 01 83 02")))
    with pytest.raises(ModbusRefusal, match=r"chamber-1: register 2820.*2, illegal address") as got:
        modbus.read(2820, 2)
    assert got.value.code == 2


@pytest.mark.parametrize(
    "reply",
    [
        "00 01 00 00 00 05 01 03 02 33 33",  # one register instead of two
        "00 01 00 00 00 07 02 03 04 33 33 41 bb",  # another unit
        "00 01 00 00 00 07 01 04 04 33 33 41 bb",  # another function
        "00 01 00 00 00 06 01 03 04 33 33 41",  # odd number of bytes
        "00 01 00 00 00 03 01 86 02",  # an exception to another function
        "00 01 00 00 00 03 01 83 63",  # an exception that no standard knows
        "00 01 00 00 00 03 01 63 00",  # a function that no standard knows
        "00 01 00 07 00 07 01 03 04 33 33 41 bb",  # not Modbus
        "00 01 00 00 40 07 01 03 04 33 33 41 bb",  # longer than any frame
        "48 54 54 50 2f 31 2e 31 20 34 30 30 0d 0a",  # a web server
    ],
)
def test_a_frame_that_is_no_answer_is_refused_with_its_bytes(reply: str) -> None:
    modbus, link = device((READ, bytes.fromhex(reply)), (READ_AGAIN, READ_AGAIN_REPLY))
    with pytest.raises(UnreadableReply, match="chamber-1: sent 00 01 00 00"):
        modbus.read(2820, 2)
    assert modbus.read(2820, 2) == (0x0000, 0x41C8)
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply", ["00 01 00 00 00 06 01 06 0a aa 00 3e", "00 01 00 00 00 06 01 06 0a ab 00 0a"]
)
def test_a_write_that_comes_back_otherwise_is_not_taken_for_done(reply: str) -> None:
    sent = bytes.fromhex("00 01 00 00 00 06 01 06 0a aa 00 0a")
    modbus, _ = device((sent, bytes.fromhex(reply)))
    with pytest.raises(UnreadableReply, match="expected the same again"):
        modbus.write(2730, 10)


def test_fewer_registers_written_than_sent_is_not_taken_for_done() -> None:
    modbus, _ = device(
        (
            bytes.fromhex("00 01 00 00 00 0b 01 10 0a de 00 02 04 00 00 42 70"),
            bytes.fromhex("00 01 00 00 00 06 01 10 0a de 00 01"),
        )
    )
    with pytest.raises(UnreadableReply, match="2 written at 2782"):
        modbus.write_many(2782, (0x0000, 0x4270))


def test_silence_is_a_timeout_that_names_the_request() -> None:
    modbus, _ = device((READ, None))
    with pytest.raises(LinkTimeout, match="after sending 00 01 00 00 00 06 01 03 0b 04 00 02"):
        modbus.read(2820, 2)


@pytest.mark.parametrize("cut", range(len(READ_REPLY)))
def test_a_reply_that_comes_too_late_never_answers_the_next_request(cut: int) -> None:
    modbus, link = device(
        (READ, READ_REPLY[:cut]),
        (None, None),
        (None, READ_REPLY[cut:]),
        (READ_AGAIN, READ_AGAIN_REPLY),
    )
    with pytest.raises(LinkTimeout):
        modbus.read(2820, 2)
    assert modbus.read(2820, 2) == (0x0000, 0x41C8)
    link.assert_used_up()


def test_a_device_that_only_answers_others_is_given_up() -> None:
    stale = bytes.fromhex("00 09 00 00 00 07 01 03 04 33 33 41 bb")
    modbus, _ = device((READ, stale * 10))
    with pytest.raises(UnreadableReply, match="10 replies to others"):
        modbus.read(2820, 2)


@given(st.floats(width=32, allow_nan=False), st.sampled_from(WordOrder))
def test_every_float_reads_back_as_written_in_either_order(value: float, order: WordOrder) -> None:
    assert float_of(words_of(value, order), order) == value


def test_the_two_word_orders_are_each_others_reverse() -> None:
    assert words_of(25.0, WordOrder.LOW_FIRST) == (0x0000, 0x41C8)
    assert words_of(25.0, WordOrder.HIGH_FIRST) == (0x41C8, 0x0000)
    assert math.isnan(float_of((0x0000, 0x7FC0), WordOrder.LOW_FIRST))
