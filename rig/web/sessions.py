"""Who has signed in, and how often somebody tried in vain. In memory: a restart asks everybody again.

Time is handed in (seconds of a monotonic clock), so expiry and waiting are tested without any.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field, replace

IDLE_SECOND = 12 * 3600.0  # a day in the lab; a phone left on a bench is nobody's key tomorrow
LONGEST_SECOND = 7 * 86_400.0
MOST_SESSIONS = 1_000

FREE_TRIES = 5
LONGEST_WAIT_SECOND = 300.0
_FORGET_SECOND = 3600.0
_MOST_WATCHED = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. ``csrf`` has to come with every write, in a header no other site can send."""

    user_name: str
    csrf: str
    began_second: float
    seen_second: float
    began_us: int


@dataclass
class Sessions:
    """Sessions by the fingerprint of their cookie: who reads the memory has no cookie yet."""

    _open: dict[str, Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, user_name: str, now_second: float, wall_us: int) -> tuple[str, Session]:
        """Return a new session and its cookie; where there are too many the oldest one ends."""
        cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        session = Session(user_name, csrf, now_second, now_second, wall_us)
        with self._lock:
            self._open = {k: s for k, s in self._open.items() if not _is_over(s, now_second)}
            if len(self._open) >= MOST_SESSIONS:
                del self._open[min(self._open, key=lambda k: self._open[k].seen_second)]
            self._open[_fingerprint(cookie)] = session
        return cookie, session

    def find(self, cookie: str, now_second: float) -> Session | None:
        """Return the session of this cookie, or None for none or one that is over; it lives on."""
        key = _fingerprint(cookie)
        with self._lock:
            session = self._open.get(key)
            if session is None:
                return None
            if _is_over(session, now_second):
                del self._open[key]
                return None
            self._open[key] = replace(session, seen_second=now_second)
            return session

    def end(self, cookie: str) -> None:
        """End a session; there may be none."""
        with self._lock:
            self._open.pop(_fingerprint(cookie), None)


def _is_over(session: Session, now_second: float) -> bool:
    idle = now_second - session.seen_second > IDLE_SECOND
    return idle or now_second - session.began_second > LONGEST_SECOND


def _fingerprint(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last_second: float


@dataclass
class LoginGate:
    """Makes guessing slow: after five failures each further one doubles the wait, up to five minutes.

    Counted for the name and for the address each, so that neither one name from many places nor many
    names from one place can be tried quickly.
    """

    _failures: dict[str, _Failures] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_second(self, name: str, address: str, now_second: float) -> float:
        """Return how long this name or address still has to wait; 0 when it may try."""
        with self._lock:
            return max(self._wait(key, now_second) for key in _keys(name, address))

    def failed(self, name: str, address: str, now_second: float) -> None:
        """Count a failure."""
        with self._lock:
            if len(self._failures) >= _MOST_WATCHED:
                self._forget(now_second)
            for key in _keys(name, address):
                before = self._failures.get(key)
                fresh = before is None or now_second - before.last_second > _FORGET_SECOND
                count = 1 if fresh or before is None else before.count + 1
                self._failures[key] = _Failures(count, now_second)

    def succeeded(self, name: str, address: str) -> None:
        """Forget what was counted for this person at this place."""
        with self._lock:
            for key in _keys(name, address):
                self._failures.pop(key, None)

    def _wait(self, key: str, now_second: float) -> float:
        failures = self._failures.get(key)
        if failures is None or failures.count < FREE_TRIES:
            return 0.0
        wait = min(LONGEST_WAIT_SECOND, 2.0 ** min(20, failures.count - FREE_TRIES))
        return max(0.0, failures.last_second + wait - now_second)

    def _forget(self, now_second: float) -> None:
        recent = {
            k: f for k, f in self._failures.items() if now_second - f.last_second < _FORGET_SECOND
        }
        while len(recent) >= _MOST_WATCHED:
            del recent[next(iter(recent))]
        self._failures = recent


def _keys(name: str, address: str) -> tuple[str, str]:
    return f"name {name}", f"address {address}"
