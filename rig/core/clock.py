"""The only place that touches the real clock: time is handed to everything else.

Three clocks, one interface. All times are seconds as float; ``now`` never goes backwards on a real
clock and has no meaning but by difference, so a clock step, daylight saving or NTP cannot move a
step's timing. The wall time is for records only.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Protocol

# A simulated run starts at this wall time unless told otherwise, so that the same seed gives the
# same bytes twice: 2026-01-01T00:00:00Z in microseconds.
SIMULATED_EPOCH_US = 1_767_225_600_000_000
# How long a schedule that has nothing to do waits, in real time, before it looks around again.
IDLE_SECOND = 0.05


class Clock(Protocol):
    """Time as everything in rig sees it.

    ``speed`` is how many of its seconds pass in a real one; 0 where time only jumps and a real
    moment costs nothing.
    """

    @property
    def speed(self) -> float: ...

    def now(self) -> float:
        """Return seconds since an arbitrary origin; only differences mean something."""
        ...

    def wall_us(self) -> int:
        """Return UTC microseconds since 1970, for records and never for timing."""
        ...

    def wait_until(self, deadline_second: float) -> None:
        """Return once ``now() >= deadline_second``."""
        ...


class RealClock:
    """The machine's monotonic clock, ``speed`` times faster (1 for real instruments).

    The origin is random so that a time of one clock used with another shows at once (after trio's
    SystemClock). With ``speed`` 20, an hour of soaking takes three minutes: for simulated
    instruments served at the same speed; its wall time then begins at ``earliest_wall_us`` if
    that is later than now, so that a resumed rehearsal never goes back.
    """

    def __init__(self, speed: float = 1.0, earliest_wall_us: int = 0) -> None:
        self._speed = speed
        self._offset = random.uniform(10_000, 1_000_000)
        self._start = time.monotonic()
        self._start_wall_us = max(time.time_ns() // 1000, earliest_wall_us)

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> float:
        return self._offset + (time.monotonic() - self._start) * self._speed

    def wall_us(self) -> int:
        if self._speed == 1.0:
            return time.time_ns() // 1000
        return self._start_wall_us + int((self.now() - self._offset) * 1e6)

    def wait_until(self, deadline_second: float) -> None:
        # An Event, not time.sleep: nothing sets it, but a sleep call in the tree is a smell that
        # a search should find none of.
        remaining = (deadline_second - self.now()) / self._speed
        if remaining > 0:
            threading.Event().wait(remaining)


class SimulatedClock:
    """Time that moves only when somebody waits: waiting is a jump and costs nothing.

    The schedule sets the clock to each task's own deadline before it runs it, so ``now`` is the
    local time of the task that is running: two ports may each spend 40 ms of one instant, as two
    real ports would. Models are advanced lazily and ignore a time that lies before their own.
    """

    def __init__(self, start_wall_us: int = SIMULATED_EPOCH_US) -> None:
        self._now = 0.0
        self._start_wall_us = start_wall_us

    @property
    def speed(self) -> float:
        return 0.0

    def now(self) -> float:
        return self._now

    def wall_us(self) -> int:
        return self._start_wall_us + round(self._now * 1e6)

    def wait_until(self, deadline_second: float) -> None:
        self._now = max(self._now, deadline_second)

    def reach(self, now_second: float) -> bool:
        """Put the clock at a task's own time and say that it is there; only the schedule calls this."""
        self._now = now_second
        return True

    def idle(self) -> None:
        """Let a real moment pass in which nothing is due; only the schedule calls this.

        No time passes on this clock: it moves when somebody waits, and nobody does.
        """
        threading.Event().wait(IDLE_SECOND)


class PacedClock(SimulatedClock):
    """Simulated time that keeps pace with the real one, ``speed`` times faster: to watch a rehearsal."""

    def __init__(self, speed: float, earliest_wall_us: int = 0) -> None:
        super().__init__(max(time.time_ns() // 1000, earliest_wall_us))
        self._real = RealClock(speed)
        self._start = self._real.now()

    @property
    def speed(self) -> float:
        return self._real.speed

    def reach(self, now_second: float) -> bool:
        """Wait a twentieth of a second at most; False when that was not enough.

        So the schedule sees an order at once, even in the middle of an hour's rest.
        """
        due = self._start + now_second
        if self._real.now() < due:
            self._real.wait_until(min(due, self._real.now() + IDLE_SECOND * self._real.speed))
            if self._real.now() < due:
                self._keep_up()
                return False
        return super().reach(now_second)

    def idle(self) -> None:
        super().idle()
        self._keep_up()

    def _keep_up(self) -> None:
        """What begins while everybody waits begins now, not when the last of them was looked at."""
        self._now = max(self._now, self._real.now() - self._start)
