"""Three clocks, one contract: waiting never ends early, and the simulated ones cost nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.clock import SIMULATED_EPOCH_US, PacedClock, RealClock, SimulatedClock

FAST = 10_000.0


@given(st.lists(st.floats(0, 1e9), max_size=20))
def test_waiting_on_a_simulated_clock_is_a_jump_that_never_goes_back(deadlines):
    clock, latest = SimulatedClock(), 0.0
    for deadline in deadlines:
        clock.wait_until(deadline)
        latest = max(latest, deadline)
        assert clock.now() == latest


def test_a_thousand_simulated_hours_take_no_time():
    began = time.monotonic()
    clock = SimulatedClock()
    for hour in range(1000):
        clock.wait_until(3600.0 * hour)
    assert time.monotonic() - began < 0.5
    assert clock.wall_us() == SIMULATED_EPOCH_US + 999 * 3_600_000_000


def test_the_schedule_may_put_a_simulated_clock_at_another_tasks_time():
    clock = SimulatedClock()
    assert clock.reach(10.0)
    assert clock.reach(9.0)
    assert clock.now() == 9.0


@pytest.mark.parametrize("speed", [FAST, 1e6])
def test_a_real_clock_waits_until_its_deadline_at_its_own_speed(speed):
    clock = RealClock(speed)
    deadline = clock.now() + speed / 100  # ten real milliseconds
    began = time.monotonic()
    clock.wait_until(deadline)
    assert clock.now() >= deadline
    assert 0.005 < time.monotonic() - began < 1.0
    clock.wait_until(clock.now() - 1e6)  # long past: at once


def test_a_time_of_one_real_clock_used_with_another_shows_at_once():
    assert abs(RealClock().now() - RealClock().now()) > 1e-3


def test_the_wall_time_of_a_real_clock_is_the_machines():
    assert abs(RealClock().wall_us() - time.time_ns() // 1000) < 1_000_000


def test_the_wall_time_of_a_fast_clock_goes_as_fast():
    clock = RealClock(FAST)
    began, wall = clock.now(), clock.wall_us()
    clock.wait_until(began + FAST / 100)
    assert (clock.wall_us() - wall) / 1e6 == pytest.approx(clock.now() - began, rel=0.2)


def test_a_paced_clock_reaches_a_far_moment_only_in_pieces_so_that_a_stop_is_seen():
    clock = PacedClock(speed=10.0)
    began = time.monotonic()
    assert not clock.reach(3600.0)
    assert time.monotonic() - began < 1.0
    assert 0.0 < clock.now() < 3600.0  # it is as late as it is, not as it was


def test_a_paced_clock_with_nothing_to_do_keeps_up_and_one_that_jumps_stands_still():
    paced, jumping = PacedClock(FAST), SimulatedClock()
    paced.idle()
    jumping.idle()
    assert paced.now() > 0.0
    assert jumping.now() == 0.0


def test_a_paced_clock_reaches_a_near_moment():
    clock = PacedClock(FAST)
    assert clock.reach(1.0)
    assert clock.now() == 1.0


def test_each_clock_says_how_fast_it_is_and_a_simulated_one_that_time_is_free():
    assert (RealClock(20).speed, PacedClock(50).speed, SimulatedClock().speed) == (20, 50, 0)
