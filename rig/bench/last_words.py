"""Telling what became of an engine that is gone: event log, alarms, terminal; none may block for long."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Engine

from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import RealClock
from rig.core.errors import RigError
from rig.engine.cursor import from_json
from rig.store import queries, tables
from rig.store.alarms import raise_now
from rig.store.database import open_database

TELL_SECOND = 15.0

_REAL = RealClock()


class Word(NamedTuple):
    """A line for one run: an event, and an alarm of ``alarm_kind`` unless that is empty."""

    run_id: str
    channel: str
    message: str
    alarm_kind: str = ""
    severity: Severity = Severity.ALARM

    @property
    def event_kind(self) -> str:
        return "alarm" if self.severity is Severity.CRITICAL else "watchdog"

    @property
    def line(self) -> str:
        label = "ALARM" if self.severity is Severity.CRITICAL else "watchdog"
        return f"rig: {label}: {self.message}\n"


def tell(database: str, words: Iterable[Word]) -> None:
    """Write to the database, and the same to the terminal."""
    words = list(words)
    _within(TELL_SECOND, lambda: _keep_all(database, words))
    _within(TELL_SECOND, lambda: _print("".join(word.line for word in words)))


def _within(second: float, call: Callable[[], None]) -> None:
    """Do it beside the main thread; a call that blocks is left behind."""
    thread = threading.Thread(target=call, name="telling", daemon=True)
    thread.start()
    thread.join(second)


def _keep_all(database: str, words: list[Word]) -> None:
    """The run's state stays, so that the run can be resumed like any whose process died."""
    try:
        engine = open_database(database, create=False)
        try:
            for word in words:
                _keep(engine, word)
        finally:
            engine.dispose()
    except RigError as error:
        _print(f"rig: watchdog: the event log could not be written: {error}\n")


def _keep(engine: Engine, word: Word) -> None:
    place = queries.load_cursor(engine, word.run_id)
    second = from_json(place[0]).progress.test_time_second if place else 0.0
    # A rehearsal's clock is ahead of ours, and its log never goes back.
    now_us = max(queries.last_wall_us(engine, word.run_id) or 0, _REAL.wall_us())
    event = {"run_id": word.run_id, "kind": word.event_kind, "message": word.message}
    when = {"ts_us": now_us, "test_time_second": second}
    queries.insert_row(engine, tables.event, event | when)
    if word.alarm_kind:
        alarm = raise_alarm(
            word.severity,
            word.alarm_kind,
            word.message,
            raised_us=now_us,
            channel=word.channel,
            run_id=word.run_id,
            test_time_second=second,
        )
        raise_now(engine, alarm)


def _print(text: str) -> None:
    with suppress(OSError, ValueError):  # the terminal may be what has gone
        sys.stderr.write(text)
        sys.stderr.flush()
