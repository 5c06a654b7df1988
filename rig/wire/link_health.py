"""How well a link works: exchanges, round-trip times, what failed last. Knows no instrument.

Counted where the engine talks, in the thread that owns the port; whoever shows it reads a copy. What
is kept is a few hundred integers, however long the engine lives.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from rig.core.clock import Clock, RealClock
from rig.core.errors import RigError
from rig.core.link import Link

# Twenty classes a decade: a percentile is known to 6 %. From a local simulator's microseconds to the
# longest reply that a driver waits for.
_PER_DECADE = 20
_SHORTEST_SECOND, _DECADES = 1e-6, 9
# Percentiles are of the last ten to twenty minutes: a month's history would hide today's trouble.
WINDOW_SECOND = 600.0


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """A copy of what is known of one link; None where nothing has been measured.

    ``round_trip_*`` are of the last ten to twenty minutes, in seconds of the bench's clock;
    ``last_error_us`` is UTC microseconds. ``failures`` are requests that the driver could not fulfil:
    no answer, none that can be read, a refusal. ``reopened``: the port was opened anew under a run.
    """

    exchanges: int = 0
    failures: int = 0
    reopened: int = 0
    round_trip_p50_second: float | None = None
    round_trip_p99_second: float | None = None
    round_trip_longest_second: float | None = None
    last_error: str = ""
    last_error_us: int | None = None

    def plain(self) -> dict[str, Any]:
        return asdict(self)


class RoundTrips:
    """Times by class, of the present window and the one before; the longest of both is exact."""

    def __init__(self) -> None:
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._longest_now = self._longest_before = 0.0
        self._began_second = -math.inf

    def add(self, second: float, now_second: float) -> None:
        """Count one; ``now_second`` says which window it belongs to."""
        if now_second - self._began_second >= WINDOW_SECOND:
            is_next = now_second - self._began_second < 2 * WINDOW_SECOND
            self._before = self._now if is_next else {}
            self._longest_before = self._longest_now if is_next else 0.0
            self._now, self._longest_now, self._began_second = {}, 0.0, now_second
        place = _class_of(second)
        self._now[place] = self._now.get(place, 0) + 1
        self._longest_now = max(self._longest_now, second)

    @property
    def longest_second(self) -> float | None:
        return max(self._longest_now, self._longest_before) if self._now else None

    def percentile(self, fraction: float) -> float | None:
        """Return the time that this fraction of exchanges did not exceed, to 6 %; None for none."""
        counts = dict(self._before)
        for place, count in list(self._now.items()):  # its thread may be adding one
            counts[place] = counts.get(place, 0) + count
        wanted, seen = fraction * sum(counts.values()), 0
        for place in sorted(counts):
            seen += counts[place]
            if seen >= wanted:
                middle = _SHORTEST_SECOND * 10 ** ((place + 0.5) / _PER_DECADE)
                return min(middle, max(self._longest_now, self._longest_before))
        return None


def _class_of(second: float) -> int:
    if second <= _SHORTEST_SECOND:
        return 0
    place = int(math.log10(second / _SHORTEST_SECOND) * _PER_DECADE)
    return min(place, _PER_DECADE * _DECADES - 1)


@dataclass
class LinkHealth:
    """What one instrument's links did since this process began, whichever port they were opened on."""

    exchanges: int = 0
    failures: int = 0
    reopened: int = 0
    last_error: str = ""
    last_error_us: int | None = None
    _times: RoundTrips = field(default_factory=RoundTrips)

    def answered(self, second: float, now_second: float) -> None:
        """An answer came so long after the question was sent."""
        self.exchanges += 1
        self._times.add(second, now_second)

    def failed(self, error: RigError, wall_us: int) -> None:
        """A request came to nothing."""
        self.failures += 1
        self.last_error, self.last_error_us = " ".join(str(error).split()), wall_us

    def seen(self) -> HealthSeen:
        """Return a copy; called from another thread, it may be one exchange behind itself."""
        times = self._times
        return HealthSeen(
            self.exchanges,
            self.failures,
            self.reopened,
            times.percentile(0.5),
            times.percentile(0.99),
            times.longest_second,
            self.last_error,
            self.last_error_us,
        )


class MeasuredLink:
    """Passes everything on and times it. Owned by one thread, as every link.

    A round trip is from the last write to the end of the first read after it. Reads that find
    nothing are none: drivers also look whether something has come, and read until a line is quiet.
    What has failed, only they know; see Schedule.failed.
    """

    def __init__(self, inner: Link, health: LinkHealth, clock: Clock) -> None:
        self._inner, self._health, self._clock = inner, health, clock
        # Served simulators may live faster than we do, their wire does not.
        self._speed = clock.speed if isinstance(clock, RealClock) else 1.0
        self._asked_second: float | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    def write(self, data: bytes) -> None:
        self._asked_second = self._clock.now()
        self._inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        reply = self._inner.read_until(terminator, timeout_second)
        self._answered()
        return reply

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        block = self._inner.read_exactly(count, timeout_second)
        self._answered()
        return block

    def close(self) -> None:
        self._inner.close()

    def _answered(self) -> None:
        if self._asked_second is not None:
            now = self._clock.now()
            self._health.answered((now - self._asked_second) / self._speed, now / self._speed)
            self._asked_second = None


class LinkHealths:
    """The health of every link of a bench, by the instrument's name."""

    def __init__(self) -> None:
        self._by_name: dict[str, LinkHealth] = {}

    def of(self, name: str) -> LinkHealth:
        return self._by_name.setdefault(name, LinkHealth())

    def measured(self, name: str, link: Link, clock: Clock) -> Link:
        """Return ``link`` measured; itself on a clock that jumps, where no time says anything."""
        return MeasuredLink(link, self.of(name), clock) if clock.speed else link

    @property
    def names(self) -> list[str]:
        return list(self._by_name)
