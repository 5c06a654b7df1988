"""What is known of a link: how many exchanges, how long they took lately, what came to nothing."""

from __future__ import annotations

import numpy as np
import pytest

from rig.core.clock import SimulatedClock
from rig.core.errors import LinkTimeout
from rig.wire.link_health import (
    WINDOW_SECOND,
    LinkHealth,
    LinkHealths,
    MeasuredLink,
    RoundTrips,
)


class HandClock:
    """Moved by the instrument: an answer takes as long as it is told to."""

    speed = 1.0

    def __init__(self) -> None:
        self.second = 50.0

    def now(self) -> float:
        return self.second

    def wall_us(self) -> int:
        return int(self.second * 1e6)

    def wait_until(self, second: float) -> None:
        self.second = max(self.second, second)


class Instrument:
    """Answers after ``delay_second``; silent where that is None."""

    name = "port"

    def __init__(self, clock: HandClock) -> None:
        self.clock, self.delay_second = clock, 0.04
        self.silent = False

    def write(self, data: bytes) -> None:
        """Nothing is waited for."""

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        if self.silent:
            self.clock.second += timeout_second
            raise LinkTimeout("no answer")
        self.clock.second += self.delay_second
        return b"1"

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        return self.read_until(b"", timeout_second)[:count]

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def measured() -> tuple[MeasuredLink, Instrument, LinkHealth]:
    clock, health = HandClock(), LinkHealth()
    instrument = Instrument(clock)
    return MeasuredLink(instrument, health, clock), instrument, health


def test_a_round_trip_ends_with_the_first_answer_and_the_rest_of_it_counts_no_second_time(measured):
    link, instrument, health = measured
    link.write(b"*IDN?\n")
    link.read_until(b"\n", 1.0)
    instrument.delay_second = 3.0
    link.read_exactly(1, 1.0)  # the next line of the same answer
    seen = health.seen()
    assert seen.exchanges == 1
    assert seen.round_trip_p50_second == pytest.approx(0.04, rel=0.06)
    assert seen.round_trip_longest_second == pytest.approx(0.04)


def test_a_look_that_finds_nothing_is_no_exchange_and_no_failure(measured):
    link, instrument, health = measured
    instrument.silent = True
    link.write(b"Z\n")
    with pytest.raises(LinkTimeout):
        link.read_until(b"\n", 0.2)
    assert health.seen().exchanges == health.seen().failures == 0


def test_what_failed_last_is_kept_on_one_line_with_its_time():
    health = LinkHealth()
    health.failed(LinkTimeout("nothing\n  came"), 7)
    health.failed(LinkTimeout("again nothing"), 9)
    seen = health.seen()
    assert (seen.failures, seen.last_error, seen.last_error_us) == (2, "again nothing", 9)


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.99])
def test_a_percentile_is_good_to_six_per_cent(fraction: float):
    times = RoundTrips()
    drawn = np.random.default_rng(5).lognormal(np.log(0.02), 1.0, 4000)
    for second in drawn:
        times.add(float(second), 1.0)
    assert times.percentile(fraction) == pytest.approx(np.quantile(drawn, fraction), rel=0.065)
    assert times.longest_second == drawn.max()


def test_yesterday_is_forgotten_and_the_last_quarter_of_an_hour_is_not():
    times = RoundTrips()
    times.add(5.0, 0.0)
    times.add(0.01, WINDOW_SECOND * 1.2)
    assert times.longest_second == 5.0
    times.add(0.01, WINDOW_SECOND * 2.3)
    assert times.longest_second == 0.01
    times.add(0.02, WINDOW_SECOND * 90)
    assert times.longest_second == 0.02


def test_times_beyond_every_class_stay_in_the_outermost():
    times = RoundTrips()
    for second in (0.0, 1e-9, 1e7):
        times.add(second, 0.0)
    assert times.percentile(1.0) == pytest.approx(1e3, rel=0.1)
    assert times.percentile(0.1) <= 1.1e-6


def test_nothing_is_measured_on_a_clock_that_jumps():
    healths, link = LinkHealths(), Instrument(HandClock())
    assert healths.measured("smu-1", link, SimulatedClock()) is link
    assert healths.names == []
