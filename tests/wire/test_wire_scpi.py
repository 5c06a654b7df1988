"""SCPI's grammar, and staying in step with an instrument whose replies come late."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import LinkTimeout, UnreadableReply
from rig.wire import Exchange, TranscriptLink, scpi
from rig.wire.conversation import Conversation


@given(st.floats(-9e36, 9e36))
def test_every_finite_number_reads_back_as_sent(value: float) -> None:
    assert scpi.parse_float(b"%r" % value, "smu") == value


@pytest.mark.parametrize(
    ("reply", "value"),
    [(b"1", 1.0), (b"-.5", -0.5), (b"+3.", 3.0), (b"1.050000E-03", 0.00105), (b"2e+1", 20.0)],
)
def test_each_of_the_three_number_formats_is_read(reply: bytes, value: float) -> None:
    assert scpi.parse_float(reply, "smu") == value


def test_overflow_is_infinite_and_not_a_number_is_nan() -> None:
    assert scpi.parse_float(b"9.9E+37", "smu") == math.inf
    assert scpi.parse_float(b"-9.900000E+37", "smu") == -math.inf
    assert math.isnan(scpi.parse_float(b"9.91E37", "smu"))


@pytest.mark.parametrize(
    "reply", [b"", b" 1", b"1 ", b"1_0", b"nan", b"inf", b"0x10", b"1,2", b"1.0E", b"\xb51", b"--1"]
)
def test_what_is_no_number_is_refused_with_its_bytes(reply: bytes) -> None:
    with pytest.raises(UnreadableReply, match="smu: sent 'X', got b") as caught:
        scpi.parse_float(reply, "smu: sent 'X'")
    assert repr(reply) in str(caught.value)


def test_a_list_with_another_count_is_refused() -> None:
    assert scpi.parse_floats(b"1,2.5", 2, "smu") == [1.0, 2.5]
    for reply in (b"1", b"1,2,3", b"1,", b""):
        with pytest.raises(UnreadableReply):
            scpi.parse_floats(reply, 2, "smu")


@pytest.mark.parametrize(
    ("text", "content"),
    [('"CURR:DC"', "CURR:DC"), ("'b1'", "b1"), ('""', ""), ('"say ""on"""', 'say "on"')],
)
def test_quoted_strings_are_read_in_both_quotes(text: str, content: str) -> None:
    assert scpi.parse_quoted(text, "smu") == content


@pytest.mark.parametrize("text", ["", '"', "CURR", "\"CURR'", '"a"b"', '"a""'])
def test_a_broken_string_is_refused(text: str) -> None:
    with pytest.raises(UnreadableReply):
        scpi.parse_quoted(text, "smu")


def test_the_error_queue_is_read_until_it_is_empty() -> None:
    link = TranscriptLink(
        [
            (b":SYST:ERR?\n", b'-222,"Parameter data out of range;1;2026/01/01 00:00:00.000"\n'),
            (b":SYST:ERR?\n", b'+803,"Not permitted with OUTPUT off"\n'),
            (b":SYST:ERR?\n", b'0,"No error;0;0 0"\n'),
        ]
    )
    errors = scpi.read_errors(link, 1.0)
    assert [error.code for error in errors] == [-222, 803]
    assert errors[1].text == "Not permitted with OUTPUT off"
    link.assert_used_up()


def test_an_instrument_that_always_reports_an_error_does_not_hold_us() -> None:
    link = TranscriptLink([(b":SYST:ERR?\n", b'-285,"TSP Syntax error"\n')] * 50)
    assert len(scpi.read_errors(link, 1.0)) == 50
    link.assert_used_up()


def test_an_unreadable_error_queue_is_refused() -> None:
    with pytest.raises(UnreadableReply, match="expected <code>"):
        scpi.read_errors(TranscriptLink([(b":SYST:ERR?\n", b"OK\n")]), 1.0)


def test_a_timeout_names_the_query() -> None:
    with pytest.raises(LinkTimeout, match=r"\*IDN\?"):
        scpi.query(TranscriptLink([(b"*IDN?\n", None)]), "*IDN?", 1.0)


def test_all_that_has_arrived_is_discarded_half_lines_too() -> None:
    link = TranscriptLink([(None, b"one\ntwo\nhal")])
    assert scpi.discard_received(link) == b"one\ntwo\nhal"
    link.assert_used_up()


def _conversation(*exchanges: Exchange) -> tuple[Conversation, TranscriptLink]:
    link = TranscriptLink(exchanges)
    return Conversation(link, "smu-1", 1.0, ("*LANG?", "SCPI")), link


def test_a_late_reply_never_answers_the_next_question() -> None:
    talk, link = _conversation(
        (b"V?\n", None),
        (None, None),
        (b"*LANG?\n", b"3.65\nSCPI\n"),  # 3.65 V answers the question before
        (b"V?\n", b"4.20\n"),
    )
    with pytest.raises(LinkTimeout):
        talk.numbers(b"V?\n", 1)
    assert talk.numbers(b"V?\n", 1) == [4.2]
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"garbage\n", b"1,2\n", b"\xff\n"])
def test_an_unreadable_reply_is_followed_by_getting_into_step(reply: bytes) -> None:
    talk, link = _conversation(
        (b"V?\n", reply), (b"*LANG?\n", b"SCPI\n"), (b"V?\n", b"4.20\n"), (b"V?\n", b"4.21\n")
    )
    with pytest.raises(UnreadableReply):
        talk.numbers(b"V?\n", 1)
    assert talk.numbers(b"V?\n", 1) == [4.2]
    assert talk.numbers(b"V?\n", 1) == [4.21]
    link.assert_used_up()


def test_the_rest_of_a_cut_reply_may_stand_before_the_marker() -> None:
    talk, link = _conversation(
        (b"V?\n", b"3.6"), (None, None), (None, b"5"), (b"*LANG?\n", b"SCPI\n"), (b"V?\n", b"1\n")
    )
    with pytest.raises(LinkTimeout):
        talk.query("V?")
    assert talk.query("V?") == "1"
    link.assert_used_up()


def test_an_instrument_that_babbles_is_given_up() -> None:
    talk, _ = _conversation((b"O?\n", b"2\n"), (b"*LANG?\n", b"1\n" * 10))
    with pytest.raises(UnreadableReply, match="expected 0 or 1"):
        talk.switch("O?")
    with pytest.raises(UnreadableReply, match="10 other lines"):
        talk.switch("O?")
