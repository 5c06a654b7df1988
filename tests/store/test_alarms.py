"""Alarms in the database: in the commit of the samples they came from, one of a kind, never lost."""

from __future__ import annotations

import contextlib
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex

from rig.core.alarms import Alarm, Severity, raise_alarm
from rig.core.errors import BadInput, StoreError
from rig.store import queries, tables
from rig.store.alarms import (
    acknowledge_alarms,
    alarm_history,
    find_alarm,
    find_to_acknowledge,
    keep_alarm,
    open_alarms,
    raise_now,
    require_unblocked,
)
from rig.store.database import open_database
from rig.store.orders import unanswered
from tests.store.stores import keep, recorder_on, require_agreement, rows_in, store_at


def tripped(
    channel: str = "A1",
    kind: str = "safety-voltage",
    severity: Severity = Severity.ALARM,
    *,
    at_us: int = 10,
    value: float = 4.31,
) -> Alarm:
    return raise_alarm(
        severity,
        kind,
        f"voltage {value} V above the limit of 4.3 V",
        raised_us=at_us,
        channel=channel,
        run_id="a",
        value=value,
        limit=4.3,
        unit="V",
        test_time_second=1.5,
    )


def seen_to(engine: Engine, *alarms: Alarm, reason: str = "loose clip") -> list[Alarm]:
    return acknowledge_alarms(engine, alarms, wall_us=99, who="maria@labpc3", reason=reason)


def test_the_columns_are_the_fields_of_an_alarm() -> None:
    assert [c.name for c in tables.alarm.columns] == [field.name for field in fields(Alarm)]


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda d: d.name)
def test_the_index_that_latches_is_partial_on_every_database(dialect) -> None:
    (index,) = [index for index in tables.alarm.indexes if index.name == "alarm_latched"]
    text = " ".join(str(CreateIndex(index).compile(dialect=dialect)).split())
    assert text == (
        "CREATE UNIQUE INDEX alarm_latched ON alarm (channel, kind) WHERE acknowledged_us IS NULL"
    )


def test_an_alarm_is_in_the_same_commit_as_its_samples_and_cursor(tmp_path) -> None:
    """Nothing of a commit can be seen before all of it can; and none of it, where it fails."""
    engine = store_at(tmp_path / "rig.db", "a")
    recorder, alarm = recorder_on(engine), tripped()
    keep(recorder, "a", 0, 3)
    recorder.alarm(alarm)
    assert recorder.waiting_alarms == (alarm,)
    seen: list[tuple[int, int]] = []
    reader = open_database(f"sqlite:///{tmp_path / 'rig.db'}")

    def look(*_: object) -> None:
        seen.append((require_agreement(reader, "a"), len(open_alarms(reader))))

    event.listen(engine, "before_cursor_execute", look)
    recorder.commit()
    event.remove(engine, "before_cursor_execute", look)
    look()
    assert set(seen) == {(0, 0), (3, 1)}
    assert seen[-1] == (3, 1)
    assert open_alarms(engine) == [alarm]
    assert recorder.waiting_alarms == ()
    reader.dispose()


def test_a_commit_that_fails_keeps_the_alarm_and_the_next_one_has_it_once(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    recorder, alarm = recorder_on(engine), tripped()
    keep(recorder, "a", 0, 3)
    recorder.alarm(alarm)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=1")
    with pytest.raises(StoreError):
        recorder.commit()
    assert recorder.waiting_alarms == (alarm,)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=0")
    recorder.commit()
    recorder.commit()
    assert open_alarms(engine) == [alarm]


def test_the_same_again_is_counted_and_a_worse_one_takes_over(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    first = tripped(severity=Severity.WARNING)
    raise_now(engine, first)
    raise_now(engine, tripped(severity=Severity.WARNING, at_us=20, value=4.4))
    (stands,) = open_alarms(engine)
    assert (stands.alarm_id, stands.times, stands.last_us) == (first.alarm_id, 2, 20)
    assert stands.value == 4.31
    raise_now(engine, tripped(severity=Severity.CRITICAL, at_us=30, value=4.5))
    (stands,) = open_alarms(engine)
    assert (stands.severity, stands.value, stands.times) == (Severity.CRITICAL, 4.5, 3)


def test_the_very_same_alarm_twice_counts_once(tmp_path) -> None:
    """A server's answer to a commit may be lost: then the commit is tried again."""
    engine, alarm = store_at(tmp_path / "rig.db", "a"), tripped()
    for _ in range(2):
        raise_now(engine, alarm)
    assert alarm_history(engine) == [alarm]
    seen_to(engine, alarm)
    raise_now(engine, alarm)
    (stands,) = alarm_history(engine)
    assert not stands.latched


def test_after_an_acknowledgement_the_same_is_a_new_alarm(tmp_path) -> None:
    engine, first, again = store_at(tmp_path / "rig.db", "a"), tripped(), tripped(at_us=50)
    raise_now(engine, first)
    seen_to(engine, first)
    raise_now(engine, again)
    assert open_alarms(engine) == [again]
    assert [alarm.alarm_id for alarm in alarm_history(engine)] == [again.alarm_id, first.alarm_id]


def test_the_database_itself_keeps_two_of_a_kind_apart(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    raise_now(engine, tripped())
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(tables.alarm).values(**tripped().plain()))


@pytest.mark.parametrize("happening", ["raised", "acknowledged"])
def test_what_others_do_between_our_look_and_our_writing_costs_no_run(tmp_path, happening) -> None:
    """Another process acts just after we have looked; ours looks again."""
    engine = store_at(tmp_path / "rig.db", "a")
    other = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    theirs, ours = tripped(), tripped(at_us=20)
    if happening == "acknowledged":
        raise_now(engine, theirs)
    acts = iter([True])

    def meanwhile(_connection, _cursor, statement, *_: object) -> None:
        if statement.startswith("SELECT") and next(acts, False):
            raise_now(other, theirs) if happening == "raised" else seen_to(other, theirs)

    event.listen(engine, "after_cursor_execute", meanwhile)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        stands = keep_alarm(connection, ours)
    other.dispose()
    assert open_alarms(engine) == [stands]
    if happening == "raised":
        assert (stands.alarm_id, stands.times) == (theirs.alarm_id, 2)
    else:
        assert stands == ours


@given(st.lists(st.tuples(st.sampled_from(["raise", "acknowledge"]), st.sampled_from("AB"))))
def test_however_it_goes_one_of_a_kind_is_latched_and_none_is_lost(actions) -> None:
    engine = open_database("sqlite://")
    raised = 0
    for number, (action, channel) in enumerate(actions):
        if action == "raise":
            raise_now(engine, tripped(channel, at_us=number))
            raised += 1
        else:
            with contextlib.suppress(BadInput):
                seen_to(engine, *find_to_acknowledge(engine, channel))
        latched = [alarm.channel for alarm in open_alarms(engine)]
        assert len(latched) == len(set(latched))
    assert sum(alarm.times for alarm in alarm_history(engine)) == raised
    engine.dispose()


def test_an_acknowledgement_is_in_the_journal_once_with_who_and_why(tmp_path) -> None:
    engine, alarm = store_at(tmp_path / "rig.db", "a"), tripped()
    raise_now(engine, alarm)
    (done,) = seen_to(engine, alarm)
    assert seen_to(engine, alarm) == []
    assert (done.acknowledged_us, done.acknowledged_by) == (99, "maria@labpc3")
    assert find_alarm(engine, alarm.alarm_id[:6]) == done
    (line,) = queries.table_rows(engine, tables.journal, "a")
    assert (line["verb"], line["argument"]) == ("acknowledge", alarm.alarm_id)
    assert (line["who"], line["reason"]) == ("maria@labpc3", "loose clip")
    assert unanswered(engine, ["a"]) == []  # it is no order to an engine
    assert rows_in(engine, "journal") == 1


def test_an_acknowledgement_loses_no_count_that_the_engine_makes_at_that_moment(tmp_path) -> None:
    engine, alarm = store_at(tmp_path / "rig.db", "a"), tripped()
    raise_now(engine, alarm)
    (as_shown,) = open_alarms(engine)
    raise_now(engine, tripped(at_us=20))
    seen_to(engine, as_shown)
    (stands,) = alarm_history(engine)
    assert (stands.times, stands.latched) == (2, False)


def test_a_critical_alarm_blocks_its_channel_until_it_is_acknowledged(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    alarm = tripped(kind="unconfirmed-safe-state", severity=Severity.CRITICAL)
    raise_now(engine, alarm)
    require_unblocked(engine, ["A2"])
    with pytest.raises(BadInput, match="channel A1 has a critical alarm") as caught:
        require_unblocked(engine, ["A2", "A1"])
    assert "rig alarms acknowledge" in caught.value.remedy
    seen_to(engine, alarm)
    require_unblocked(engine, ["A1"])


def test_an_alarm_of_the_whole_bench_blocks_every_channel_and_is_told_once(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    raise_now(engine, tripped("", severity=Severity.CRITICAL))
    with pytest.raises(BadInput, match="the bench has a critical alarm") as caught:
        require_unblocked(engine, ["A1", "A2"])
    assert len(caught.value.problems) == 1


def test_alarms_are_found_by_the_beginning_of_their_id_by_channel_or_as_the_last(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    one, two = replace(tripped("A1"), alarm_id="aa" * 16), tripped("A2", at_us=20)
    for alarm in (one, two):
        raise_now(engine, alarm)
    assert find_alarm(engine, "aaaa") == one
    assert find_alarm(engine, "last") == two
    assert find_to_acknowledge(engine, "A1") == [one]
    assert find_to_acknowledge(engine, two.alarm_id) == [two]
    for wanted in ("", "zz", "A3"):
        with pytest.raises(BadInput, match="no such alarm"):
            find_alarm(engine, wanted)
    with pytest.raises(BadInput, match="no such alarm"):
        find_alarm(open_database("sqlite://"), "last")


def test_what_is_named_is_read_although_it_is_acknowledged(tmp_path) -> None:
    engine, alarm = store_at(tmp_path / "rig.db", "a"), tripped()
    raise_now(engine, alarm)
    seen_to(engine, alarm)
    assert open_alarms(engine) == []
    assert [found.alarm_id for found in open_alarms(engine, [alarm.alarm_id])] == [alarm.alarm_id]
