"""The silence between exchanges, on the simulated clock: waiting is a jump."""

from __future__ import annotations

import pytest

from rig.core.clock import SimulatedClock
from rig.core.sheet import Spacing
from rig.wire import SpacedLink, TranscriptLink, spaced

SPACING = Spacing(
    after_query_second=0.3, after_set_second=0.5, after_error_second=1.0, error_mark="NA:"
)
EXCHANGES = [
    (b"TEMP?\r\n", b"23.4\r\n"),
    (b"TEMP, S40\r\n", b"OK:TEMP, S40\r\n"),
    (b"TEMP, S999\r\n", b"NA:DATA OUT OF RANGE\r\n"),
    (b"TEMP?\r\n", b"23.4\r\n"),
]


def test_a_link_whose_sheet_asks_for_no_silence_is_not_wrapped() -> None:
    link = TranscriptLink([])
    assert spaced(link, SimulatedClock(), Spacing()) is link
    assert isinstance(spaced(link, SimulatedClock(), SPACING), SpacedLink)


def test_each_kind_of_exchange_is_followed_by_its_own_silence() -> None:
    clock = SimulatedClock()
    link = spaced(TranscriptLink(EXCHANGES), clock, SPACING)
    starts = []
    for sent, _ in EXCHANGES:
        link.write(sent)
        starts.append(clock.now())
        link.read_until(b"\r\n", 1.0)
    assert starts == pytest.approx([0.0, 0.3, 0.8, 1.8])


def test_the_silence_begins_with_the_end_of_the_reply() -> None:
    clock = SimulatedClock()
    link = spaced(TranscriptLink(EXCHANGES[:2]), clock, SPACING)
    link.write(EXCHANGES[0][0])
    clock.wait_until(10.0)
    link.read_until(b"\r\n", 1.0)
    link.write(EXCHANGES[1][0])
    assert clock.now() == pytest.approx(10.3)


def test_time_that_passed_anyway_is_not_waited_again() -> None:
    clock = SimulatedClock()
    link = spaced(TranscriptLink(EXCHANGES[:2]), clock, SPACING)
    link.write(EXCHANGES[0][0])
    link.read_exactly(6, 1.0)
    clock.wait_until(60.0)
    link.write(EXCHANGES[1][0])
    assert clock.now() == 60.0
