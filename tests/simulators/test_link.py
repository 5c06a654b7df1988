"""The in-memory link: the contract of rig.core.link, on a clock that jumps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.clock import SimulatedClock
from rig.core.errors import LinkClosed, LinkTimeout
from simulators.link import InMemoryLink


class Echo:
    """Sends every byte back ``delay`` seconds after it came, and then whatever was planned."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.planned: list[tuple[float, bytes]] = []
        self.gone_at: float | None = None

    def receive(self, data: bytes, now_second: float) -> None:
        self.planned.append((now_second + self.delay, data))

    def transmit(self, now_second: float) -> bytes:
        due = [data for second, data in self.planned if second <= now_second]
        self.planned = self.planned[len(due) :]
        return b"".join(due)

    def next_output_second(self) -> float | None:
        return self.planned[0][0] if self.planned else None

    def disconnected(self, now_second: float) -> None:
        self.gone_at = now_second


def connect(front: Echo) -> tuple[InMemoryLink, SimulatedClock]:
    clock = SimulatedClock()
    return InMemoryLink(front, clock, "echo"), clock


def test_reading_moves_the_clock_to_the_reply_and_no_further():
    link, clock = connect(Echo(delay=0.25))
    link.write(b"hello\n")
    assert link.read_until(b"\n", 3.0) == b"hello"
    assert clock.now() == 0.25


def test_a_reply_that_comes_too_late_is_a_timeout_at_the_deadline():
    link, clock = connect(Echo(delay=5.0))
    link.write(b"hello\n")
    with pytest.raises(LinkTimeout, match="echo"):
        link.read_until(b"\n", 3.0)
    assert clock.now() == 3.0
    assert link.read_until(b"\n", 3.0) == b"hello"
    assert clock.now() == 5.0


def test_half_a_line_stays_unread_and_is_shown_in_the_timeout():
    link, _ = connect(Echo())
    link.write(b"hel")
    with pytest.raises(LinkTimeout) as silence:
        link.read_until(b"\n", 1.0)
    assert silence.value.received == b"hel"
    link.write(b"lo\n")
    assert link.read_until(b"\n", 1.0) == b"hello"


def test_with_a_timeout_of_zero_only_what_has_arrived_counts():
    link, clock = connect(Echo(delay=0.1))
    link.write(b"hello\n")
    with pytest.raises(LinkTimeout):
        link.read_until(b"\n", 0.0)
    assert clock.now() == 0.0


def test_exact_counts_leave_the_rest_for_the_next_read():
    link, _ = connect(Echo())
    link.write(b"\x01\x02\x03\x04rest\n")
    assert link.read_exactly(4, 1.0) == b"\x01\x02\x03\x04"
    assert link.read_until(b"\n", 1.0) == b"rest"
    with pytest.raises(LinkTimeout):
        link.read_exactly(1, 1.0)


def test_a_closed_link_raises_and_the_instrument_was_told_once():
    front = Echo()
    link, clock = connect(front)
    clock.wait_until(2.0)
    link.close()
    clock.wait_until(3.0)
    link.close()
    assert front.gone_at == 2.0
    for use in (
        lambda: link.write(b"x"),
        lambda: link.read_until(b"\n", 0.0),
        lambda: link.read_exactly(1, 0.0),
    ):
        with pytest.raises(LinkClosed, match="echo"):
            use()


@given(
    st.lists(st.binary(max_size=8).filter(lambda line: b"\r\n" not in line + b"\n"), max_size=8),
    st.lists(st.integers(1, 5), min_size=1, max_size=20),
)
def test_lines_survive_any_cutting_into_pieces(lines, cuts):
    lines = [line.replace(b"\r", b"") for line in lines]
    front = Echo()
    link, _ = connect(front)
    wire = b"".join(line + b"\r\n" for line in lines)
    position, second = 0, 0.0
    for index in range(len(wire)):
        size = cuts[index % len(cuts)]
        front.planned.append((second, wire[position : position + size]))
        position, second = position + size, second + 0.01
    assert [link.read_until(b"\r\n", 10.0) for _ in lines] == lines
