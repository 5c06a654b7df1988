"""Alarms of whole sessions on the built-in bench: in the commit they belong to, or said without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from rig.bench.bench_alarms import BenchAlarms
from rig.bench.file import load_bench
from rig.bench.notifying import Notifier
from rig.bench.session import Session
from rig.bench.starting import Job, start
from rig.core.alarms import Alarm, Severity
from rig.core.clock import RealClock, SimulatedClock
from rig.core.errors import BadInput, LinkTimeout, StoreError
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.alarms import open_alarms
from rig.store.database import open_database
from rig.store.samples import sample_frame
from tests.store.stores import recorder_on, store_at

PROTOCOL = """protocol: 1
name: charge
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA, capacity: 0.05 mAh}
record: {every: 10 s}
steps:
  - charge: {at: 1C, until: 4.2 V, for: 5 min}
"""
BENCH = load_bench("sim")


@dataclass
class Mailbox:
    label: str = "mailbox"
    lowest: Severity = Severity.NOTICE
    titles: list[str] = field(default_factory=list)

    def send(self, title: str, body: str, severity: Severity) -> str:
        self.titles.append(title)
        return ""


def session_on(path: Path, text: str = PROTOCOL) -> Session:
    job = Job(loads_protocol(text), "p.yaml", BENCH.channels["C1"])
    return start([job], BENCH, database=f"sqlite:///{path}")


def telling(session: Session) -> Mailbox:
    """Let somebody be told by a session, which a rehearsal by itself would not do."""
    mailbox = Mailbox()
    session.notifier = Notifier(
        [mailbox], lambda _also: [], RealClock(), sender="sim", lost=lambda _alarm, _why: None
    )
    return mailbox


def alarms_in(path: Path) -> list[Alarm]:
    engine = open_database(f"sqlite:///{path}", create=False)
    found = open_alarms(engine)
    engine.dispose()
    return found


def what_is_there(reader: Engine, run_id: str) -> tuple[bool, bool, bool]:
    """Say whether the database has the sample beyond the limit, the event, the alarm."""
    steps = queries.table_rows(reader, tables.step, run_id)
    events = queries.table_rows(reader, tables.event, run_id)
    seq_last = steps[0]["seq_last"] if steps else -1
    has_sample = seq_last >= 0 and len(sample_frame(reader, run_id)) == seq_last + 1
    tripped = any(event["kind"] == "tripped" for event in events)
    return has_sample, tripped, bool(open_alarms(reader))


def test_the_alarm_of_a_trip_is_there_with_the_sample_that_shows_it_and_never_without(tmp_path):
    session = session_on(tmp_path / "rig.db")
    reader = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    run_id, seen = session.runs[0].run_id, []

    def look() -> None:
        session.recorder.commit()
        seen.append(what_is_there(reader, run_id))

    session.run(look)
    assert session.runs[0].state.value == "tripped"
    assert set(seen) == {(False, False, False), (True, True, True)}
    (alarm,) = open_alarms(reader)
    last = sample_frame(reader, run_id)["charging_capacity_ah"].iloc[-1]
    assert (alarm.value, alarm.limit_value, alarm.unit) == (last, 0.05e-3, "Ah")
    reader.dispose()


@pytest.mark.parametrize(
    ("words", "kind"), [("disk I/O error", "store"), ("database or disk is full", "disk-full")]
)
def test_data_that_cannot_be_stored_is_an_alarm_once_said_at_once_and_kept_later(
    tmp_path, words, kind
):
    session = session_on(tmp_path / "rig.db", PROTOCOL.replace(", capacity: 0.05 mAh", ""))
    mailbox = telling(session)
    fails = iter([True])

    def fail_once(*_: object) -> None:
        if next(fails, False):
            raise OperationalError("INSERT", {}, Exception(words))

    count = iter(range(1_000_000))

    def commit_now() -> None:
        if next(count) == 100:
            event.listen(session.engine, "before_cursor_execute", fail_once)
            session.recorder.commit()

    with pytest.raises(StoreError, match=words):
        session.run(commit_now)
    (alarm,) = alarms_in(tmp_path / "rig.db")
    assert (alarm.kind, alarm.severity, alarm.channel) == (kind, Severity.ALARM, "")
    assert words in alarm.message
    assert mailbox.titles == [f"[cellrig] ALARM, the bench: {kind}"]


def test_what_no_commit_takes_any_more_is_said_all_the_same(tmp_path):
    """The database is away for good, and a limit is broken: the mail says both."""
    session = session_on(tmp_path / "rig.db")
    mailbox = telling(session)

    def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    count = iter(range(1_000_000))

    def goes_away() -> None:
        if next(count) == 5:
            event.listen(session.engine, "before_cursor_execute", fail)

    with pytest.raises(StoreError, match="disk I/O error"):
        session.run(goes_away)
    assert sorted(mailbox.titles) == [
        "[cellrig] ALARM, channel C1: safety-capacity",
        "[cellrig] ALARM, the bench: store",
    ]
    assert alarms_in(tmp_path / "rig.db") == []


def test_a_store_that_is_late_is_a_warning_which_the_failure_takes_over(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    recorder, clock = recorder_on(engine), SimulatedClock()
    alarms = BenchAlarms(recorder, clock, None)

    def fails() -> None:
        raise StoreError("database rig.db: database or disk is full")

    for _ in range(2):
        alarms.store_is_late("database or disk is full; kept in memory")
    with pytest.raises(StoreError):
        alarms.watch(fails)
    recorder.commit()
    (alarm,) = open_alarms(engine)
    assert (alarm.kind, alarm.severity, alarm.times) == ("disk-full", Severity.ALARM, 2)
    engine.dispose()


def test_a_bug_that_ends_the_whole_session_is_an_alarm(tmp_path):
    session = session_on(tmp_path / "rig.db", PROTOCOL.replace(", capacity: 0.05 mAh", ""))
    count = iter(range(1_000_000))

    def breaks() -> None:
        if next(count) == 50:
            raise ZeroDivisionError("in the progress display")

    with pytest.raises(ZeroDivisionError):
        session.run(breaks)
    (alarm,) = alarms_in(tmp_path / "rig.db")
    assert (alarm.kind, alarm.severity) == ("internal-error", Severity.ALARM)
    assert "in the progress display" in alarm.message


def test_a_chamber_that_nobody_could_confirm_at_rest_keeps_its_channels_from_starting(tmp_path):
    warm = PROTOCOL.replace(", capacity: 0.05 mAh", "").replace(
        "steps:\n",
        "steps:\n  - set_temperature: {to: 25 degC, within: 2 K, soak: 1 min, timeout: 5 h}\n",
    )
    session = session_on(tmp_path / "rig.db", warm)
    (chamber,) = session.bench.chambers.values()

    def fails() -> None:
        raise LinkTimeout("no answer within 1 s")

    chamber.driver.make_safe = fails  # type: ignore[method-assign]
    session.run()
    assert session.runs[0].state.value == "finished", session.runs[0].reason
    (alarm,) = alarms_in(tmp_path / "rig.db")
    assert (alarm.kind, alarm.severity) == ("unconfirmed-chamber", Severity.CRITICAL)
    assert (alarm.channel, alarm.run_id) == ("C1", session.runs[0].run_id)
    assert "no answer within 1 s" in alarm.message
    with pytest.raises(BadInput, match="channel C1 has a critical alarm"):
        session_on(tmp_path / "rig.db")
