"""Playing transcripts back, and recording them so that they play back the same."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.core.errors import BadInput, LinkClosed, LinkTimeout
from rig.core.link import Link
from rig.wire import Exchange, RecordingLink, TranscriptLink, TranscriptMismatch, load_transcript


def test_a_conversation_plays_back_byte_by_byte() -> None:
    link = TranscriptLink([(b"*IDN?\n", b"ESPEC\n"), (b":OUTP ON\n", None), (b"A?\n", b"\x01\x02")])
    link.write(b"*IDN?\n")
    assert link.read_until(b"\n", 1.0) == b"ESPEC"
    link.write(b":OUTP ON\n")
    link.write(b"A?\n")
    assert link.read_exactly(2, 1.0) == b"\x01\x02"
    link.assert_used_up()


def test_a_write_that_differs_names_both_texts_and_is_no_rig_error() -> None:
    link = TranscriptLink([(b":OUTP OFF\n", None)], name="smu-1")
    with pytest.raises(
        TranscriptMismatch, match=r"smu-1: .* expected b':OUTP OFF\\n', got b':OUTP ON"
    ):
        link.write(b":OUTP ON\n")  # fmt: skip


def test_a_write_beyond_the_end_is_a_mismatch() -> None:
    with pytest.raises(TranscriptMismatch, match="expected nothing more"):
        TranscriptLink([]).write(b"x")


def test_exchanges_that_never_took_place_are_reported() -> None:
    link = TranscriptLink([(b"a\n", None)])
    with pytest.raises(TranscriptMismatch, match="exchanges left"):
        link.assert_used_up()


def test_bytes_that_nobody_read_are_reported() -> None:
    link = TranscriptLink([(b"a\n", b"reply\n")])
    link.write(b"a\n")
    with pytest.raises(TranscriptMismatch, match="unread: b'reply"):
        link.assert_used_up()


def test_a_missing_reply_is_a_timeout() -> None:
    link = TranscriptLink([(b"a?\n", None)])
    link.write(b"a?\n")
    with pytest.raises(LinkTimeout):
        link.read_until(b"\n", 3.0)
    link.assert_used_up()


def test_silence_parts_the_halves_of_a_reply() -> None:
    link = TranscriptLink([(b"a?\n", b"3.6"), (None, None), (None, b"5\n")])
    link.write(b"a?\n")
    with pytest.raises(LinkTimeout) as caught:
        link.read_until(b"\n", 3.0)
    assert caught.value.received == b"3.6"
    assert link.read_until(b"\n", 3.0) == b"3.65"
    link.assert_used_up()


def test_a_reply_in_pieces_is_put_together() -> None:
    link = TranscriptLink([(b"a?\n", b"3."), (None, b"6"), (None, b"5\n")])
    link.write(b"a?\n")
    assert link.read_until(b"\n", 3.0) == b"3.65"


def test_a_read_in_vain_that_did_not_take_place_is_a_mismatch() -> None:
    link = TranscriptLink([(None, None), (b"a\n", None)])
    with pytest.raises(TranscriptMismatch, match="read in vain"):
        link.write(b"a\n")


def test_a_transcript_file_reads_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "smu.transcript"
    path.write_text(
        "# 2450 reference, *IDN?\n"
        "> *IDN?\\n\n"
        "< KEITHLEY,\\x20\n"
        "< MODEL 2450\\r\\n\n"
        "\n"
        "> :OUTP OFF\\n\n"
        "~\n"
        "< late\\\\\\xff\n"
    )
    assert load_transcript(path) == [
        (b"*IDN?\n", b"KEITHLEY, MODEL 2450\r\n"),
        (b":OUTP OFF\n", None),
        (None, None),
        (None, b"late\\\xff"),
    ]


def test_every_bad_line_of_a_transcript_is_reported_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.transcript"
    path.write_text("> ok\\n\n*IDN?\n< \\q\n< µ\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_transcript(path)
    assert [problem.where for problem in caught.value.problems] == [
        f"{path}:{line}:1" for line in (2, 3, 4)
    ]


class ClosedLink(TranscriptLink):
    """A port whose cable has been pulled."""

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        raise LinkClosed("ttyUSB2: the port went away")


def test_the_end_of_a_port_is_recorded_as_a_comment() -> None:
    sink = io.StringIO()
    with pytest.raises(LinkClosed):
        RecordingLink(ClosedLink([]), sink).read_until(b"\n", 1.0)
    assert sink.getvalue() == "# closed: ttyUSB2: the port went away\n"


# --- what was recorded plays back the same -------------------------------------------------------

_BYTES = st.binary(max_size=6)
_OPERATIONS = st.one_of(
    st.tuples(st.just("write"), st.binary(min_size=1, max_size=6)),
    st.tuples(st.just("read_until"), st.sampled_from([b"\n", b"\r\n", b"\xff"])),
    st.tuples(st.just("read_exactly"), st.integers(0, 5)),
)


def _perform(link: Link, operations: list[tuple[str, bytes | int]]) -> list[object]:
    """Return what each operation returned, or the bytes that its timeout showed."""
    results: list[object] = []
    for verb, argument in operations:
        try:
            if isinstance(argument, int):
                results.append(link.read_exactly(argument, 0.0))
            elif verb == "write":
                link.write(argument)
            else:
                results.append(link.read_until(argument, 0.0))
        except LinkTimeout as timeout:
            results.append(("timeout", timeout.received))
    return results


@given(
    operations=st.lists(_OPERATIONS, max_size=12),
    replies=st.lists(st.lists(st.one_of(st.none(), _BYTES), max_size=3), min_size=12, max_size=12),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_recording_plays_back_what_was_seen(
    tmp_path: Path,
    operations: list[tuple[str, bytes | int]],
    replies: list[list[bytes | None]],
) -> None:
    exchanges: list[Exchange] = []
    for (verb, argument), pieces in zip(operations, replies, strict=False):
        if verb == "write" and isinstance(argument, bytes):
            exchanges.append((argument, None))
            exchanges += [(None, piece) for piece in pieces if piece]
    sink = io.StringIO()
    seen = _perform(RecordingLink(TranscriptLink(exchanges), sink), operations)

    path = tmp_path / "recorded.transcript"
    path.write_text(sink.getvalue(), encoding="ascii")
    replay = TranscriptLink(load_transcript(path))
    assert _perform(replay, operations) == seen
    with pytest.raises(TranscriptMismatch, match="nothing more"):
        replay.write(b"beyond the end")
