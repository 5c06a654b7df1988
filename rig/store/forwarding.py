"""The thread that delivers a journal while runs go on: with connections of its own, waited for by nobody.

The engine's loop commits to the journal and knows nothing of a network. A server that is away is
tried again after a while, longer each time; what waits meanwhile is in the file.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Engine

from rig.core.clock import RealClock
from rig.core.errors import BadInput, RigError, StoreError
from rig.store.database import open_database
from rig.store.delivery import deliver, show_life
from rig.store.journal import open_store
from rig.store.presence import SIGN_SECOND
from rig.store.waiting import Waiting, note_failure, waiting_in

EVERY_SECOND = 0.5
FIRST_PAUSE_SECOND, LONGEST_PAUSE_SECOND = 0.5, 60.0
CLOSE_SECOND = 20.0  # at the end of a session; what is not delivered then waits for the next

Tell = Callable[[str, str], None]  # an event's kind and message, for every run


class Forwarder:
    """Delivers the journal of a database server from ``start`` to ``close``; made by one thread.

    ``tell`` hands on, in the caller's thread, that the server went away or came back: once each.
    """

    def __init__(
        self,
        database: str,
        *,
        every_second: float = EVERY_SECOND,
        longest_pause_second: float = LONGEST_PAUSE_SECOND,
    ) -> None:
        self._database = database
        self._journal = open_store(database)
        self.place = self._journal.url.database or ""  # the journal's file
        self._server: Engine | None = None
        self._every_second, self._longest_second = every_second, longest_pause_second
        self._failures = 0  # in a row
        self._away_since = 0.0
        self._sign_due_second = 0.0
        self._news: deque[tuple[str, str]] = deque()
        self._closing = threading.Event()
        self._deadline = 0.0
        self._clock = RealClock()
        self._thread = threading.Thread(target=self._work, name="forwarder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell(self, tell: Tell) -> None:
        """Tell what has happened since the last call; almost free when nothing has."""
        while self._news:
            tell(*self._news.popleft())

    @property
    def away_second(self) -> float:
        """For how long the server has taken nothing; 0 while it does."""
        return self._clock.now() - self._away_since if self._failures else 0.0

    def waiting(self) -> Waiting:
        """Return what the server does not have yet."""
        return waiting_in(self._journal)

    def close(self) -> None:
        """Deliver the rest while the server takes it, for ``CLOSE_SECOND`` at most, and end."""
        self._deadline = self._clock.now() + CLOSE_SECOND
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECOND)

    def dispose(self) -> None:
        """Let go of the files; after ``close``, and after the last look at what is waiting."""
        self._journal.dispose()

    # --- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closing.is_set():
            self._closing.wait(self._turn(lambda: not self._closing.is_set()))
        self._turn(lambda: self._clock.now() < self._deadline)
        self._say_good_bye()
        self._let_go()

    def _turn(self, go_on: Callable[[], bool]) -> float:
        """Deliver what waits; return after how many seconds to look again."""
        try:
            if self._server is None:
                self._server = open_database(self._database)
            deliver(self._journal, self._server, go_on)
            self._show_life(self._server)
        except BadInput as refusal:  # its schema is another: who reads it has to know what to do
            return self._failed(f"{refusal}; {refusal.remedy}")
        except RigError as failure:
            return self._failed(str(failure))
        except Exception as bug:  # a thread that dies of it would deliver nothing for the whole run
            return self._failed(f"internal error: {bug!r}")
        self._came_back()
        return self._every_second

    def _show_life(self, server: Engine) -> None:
        now = self._clock.now()
        if now >= self._sign_due_second:
            show_life(self._journal, server)
            self._sign_due_second = now + SIGN_SECOND

    def _say_good_bye(self) -> None:
        if self._server is not None and not self._failures:
            with suppress(StoreError):  # it went away at this moment: it is taken for silent
                show_life(self._journal, self._server, last=True)

    def _failed(self, reason: str) -> float:
        self._let_go()
        if not self._failures:
            self._away_since = self._clock.now()
            self._news.append(("database away", f"{reason}; data wait in {self.place}"))
            self._note(reason)
        pause = min(FIRST_PAUSE_SECOND * 2.0**self._failures, self._longest_second)
        self._failures = min(self._failures + 1, 30)
        return pause

    def _came_back(self) -> None:
        if self._failures:
            second = self._clock.now() - self._away_since
            self._news.append(("database back", f"data are delivered again after {second:.0f} s"))
            self._note("")
        self._failures = 0

    def _note(self, reason: str) -> None:
        with suppress(StoreError):  # the file is busy: whoever asks sees for himself
            note_failure(self._journal, reason)

    def _let_go(self) -> None:
        if self._server is not None:
            self._server.dispose()
            self._server = None
