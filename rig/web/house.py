"""What pages and REST stand on: databases, bench, live view, who may come in. Opened once, closed once.

Knows no route. Runs are reached through the store and the door alone; the engine is another process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from rig.bench.apart import Apart
from rig.bench.arrhenius_watch import ArrheniusViews
from rig.bench.file import BenchFile
from rig.bench.live import Live
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem, RigError
from rig.store.accounts import has_users
from rig.store.address import is_server, without_password
from rig.store.changes import Changes
from rig.store.database import open_database
from rig.store.journal import journal_url, open_store, open_to_look
from rig.store.overview import Overviews
from rig.store.run_search import one_run
from rig.web.address import Address
from rig.web.live_view import EVERY_SECOND, LiveView
from rig.web.pulse import CALM_SECOND, Pulse
from rig.web.sessions import LoginGate, Sessions

AGAIN_SECOND = 10.0  # a server that is away is asked no more often


@dataclass(frozen=True, slots=True)
class Found:
    """A run, the database that has its rows, and the one that has its samples."""

    run: dict[str, Any]
    rows: Engine
    samples: Engine


@dataclass
class House:
    """``store`` is where orders, starts and acknowledgements are written: the file, or the journal.

    ``observe``: no engine belongs to it, it shows all rigs of a database. ``may_be_open``: without
    an account it is open to whoever reaches it; with one never.
    """

    database: str
    store: Engine
    bench: BenchFile | None = None
    observe: bool = False
    may_be_open: bool = True
    address: Address = field(default_factory=Address)
    clock: Clock = field(default_factory=RealClock)
    sessions: Sessions = field(default_factory=Sessions)
    gate: LoginGate = field(default_factory=LoginGate)
    overviews: Overviews = field(default_factory=Overviews)
    arrhenius: ArrheniusViews = field(default_factory=ArrheniusViews)
    apart: Apart = field(default_factory=Apart)
    engine_state: Callable[[], str] = lambda: ""  # what is to be said of the engine's process
    recipients: tuple[str, ...] = ()  # whom a rule may name
    tells: bool = False  # whether anybody is told at all
    rules_changed: threading.Event = field(default_factory=threading.Event)
    rule_troubles: dict[str, str] = field(default_factory=dict)  # why a rule cannot be judged
    live: LiveView = field(init=False)
    pulse: Pulse = field(init=False)
    changes: Changes = field(init=False)
    _far: Live | None = None
    _server: Engine | None = None
    _server_due_second: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        channels = tuple(self.bench.channels) if self.bench is not None else ()
        near = Live(self.store, "" if self.is_central else self.store_url, channels, self.clock)
        self.live = LiveView(near, self._far_view, self.clock)
        self.changes = Changes(self.store)
        far = is_server(self.database)  # what other rigs commit there nobody tells us
        self.pulse = Pulse(self.live, self.changes.seen, EVERY_SECOND if far else CALM_SECOND)

    @property
    def store_url(self) -> str:
        """The URL that locks stand beside, and that runs are steered by."""
        return journal_url(self.database)

    @property
    def is_central(self) -> bool:
        """Say whether this is a server's database looked at without a rig of our own."""
        return self.observe and is_server(self.database)

    @property
    def shown_database(self) -> str:
        return without_password(self.database)

    def is_open(self) -> bool:
        """Say whether anybody may come in as operator: there is no account, and that is wanted so."""
        return self.may_be_open and not has_users(self.store)

    # --- reading --------------------------------------------------------------------------------

    def history(self) -> Engine:
        """Return the database with everything there ever was: the server's where it can be reached."""
        server = self._reach_server()
        return server if server is not None else self.store

    def find(self, wanted: str) -> Found | None:
        """Return the run with this id, unique beginning, or ``last``; None for none."""
        near, history = one_run(self.store, wanted), self.history()
        if near is not None:
            has_it = history is self.store or one_run(history, near["run_id"]) is not None
            return Found(near, self.store, history if has_it else self.store)
        far = one_run(history, wanted) if history is not self.store else None
        return None if far is None else Found(far, history, history)

    def _reach_server(self) -> Engine | None:
        if self.observe or not is_server(self.database):
            return None
        with self._lock:
            if self._server is None and self.clock.now() >= self._server_due_second:
                try:
                    self._server = open_database(self.database, create=False)
                except RigError:
                    self._server_due_second = self.clock.now() + AGAIN_SECOND
            return self._server

    def _far_view(self) -> Live | None:
        """Return the view of the other rigs of the server's database, or None where there is none."""
        server = self._reach_server()
        if server is None:
            return None
        if self._far is None or self._far.engine is not server:
            self._far = Live(server, clock=self.clock)
        return self._far

    def say_goodbye(self) -> None:
        """Let those go who would wait for ever, or for long: the live stream, and work beside us."""
        self.live.close()
        self.apart.close()
        self.arrhenius.apart.close()

    def close(self) -> None:
        """Give every connection back."""
        self.say_goodbye()
        self.changes.close()
        for engine in (self.store, self._server):
            if engine is not None:
                engine.dispose()


def open_house(
    database: str,
    bench: BenchFile | None = None,
    *,
    observe: bool = False,
    may_be_open: bool = False,
    address: Address | None = None,
    clock: Clock | None = None,
) -> House:
    """Open the database that is served; raises BadInput where it would be open to a whole network.

    With an engine a file or journal that is not there yet is made; ``observe`` makes none.
    """
    address = address or Address()
    may_be_open = may_be_open or address.is_loopback
    if not may_be_open:
        _require_a_door(_observed(database) if observe else open_to_look(database), address)
    store = _observed(database) if observe else open_store(database)
    return House(database, store, bench, observe, may_be_open, address, clock or RealClock())


def _observed(database: str) -> Engine:
    return open_database(database, create=False)


def _require_a_door(store: Engine, address: Address) -> None:
    """Refuse to let a whole network at the cells without anybody having to say who they are."""
    try:
        is_anybody_known = has_users(store)
    finally:
        store.dispose()
    if is_anybody_known:
        return
    message = f"{address.host} can be reached from other computers, and nobody has an account"
    raise BadInput(
        Problem("rig serve --host", message, example="rig users add maria --role admin"),
        remedy="add an account, serve on 127.0.0.1, or say --open to let everybody steer the cells",
    )
