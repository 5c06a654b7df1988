"""From a journal to a real PostgreSQL: everything once and to the bit, whoever dies in between."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import String, update

from rig.core.alarms import Severity, raise_alarm
from rig.core.errors import BadInput, StoreError
from rig.store import queries, tables, waiting
from rig.store.alarms import acknowledge_alarms, alarm_history, raise_now
from rig.store.database import open_database
from rig.store.delivery import deliver, deliver_group
from rig.store.forwarder import forward
from rig.store.journal import DELIVERED, journal_file, nearest_url, open_store
from rig.store.revisions import revisions
from rig.store.samples import sample_frame
from rig.store.server import receive
from rig.store.waiting import delivered_to, prune, read_group, waiting_in
from tests.postgres import own_database
from tests.store.deliveries import all_rows, checksum, journal_with, nothing_waits
from tests.store.revising_runs import NEW, ask, put_in_force
from tests.store.stores import (
    add_runs,
    keep,
    recorder_on,
    require_agreement,
    rows_in,
    run_values,
    sample,
    store_at,
)


@pytest.fixture
def server(database):
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def journal(database):
    engine = journal_with(database, a=12, b=3)
    yield engine
    engine.dispose()


def test_everything_arrives_and_nothing_of_it_waits_any_more(journal, server):
    cells = checksum(journal, "spool")
    assert deliver(journal, server) > 15
    assert checksum(server) == cells
    assert require_agreement(server, "a") == 12
    assert all_rows(server, "event")[0]["message"] == "after sample 0"
    assert nothing_waits(journal)
    assert rows_in(journal, "spool") == rows_in(journal, "sample") == 0
    assert deliver(journal, server) == 0
    assert {row["run_id"]: row["seq_next"] for row in all_rows(server, "ingest_cursor")} == {
        "a": 12,
        "b": 3,
    }


def test_a_journal_knows_the_time_of_its_newest_sample_when_that_has_gone(journal, server):
    before = queries.last_wall_us(journal, "a")
    deliver(journal, server)
    assert queries.last_wall_us(journal, "a") == before == 11_000_000


def test_nobody_moves_a_journals_samples_away_from_their_way(journal):
    """``rig runs list`` on the file itself, or a recorder that has kept enough rows."""
    assert forward(journal) == 0
    assert rows_in(journal, "spool") == 15


def test_every_value_there_can_be_arrives_to_the_bit(database, server):
    journal = open_store(database)
    add_runs(journal, "a")
    recorder = recorder_on(journal)
    odd = [
        {"voltage_volt": None, "current_ampere": None, "phase": None, "tag": None},
        {"voltage_volt": -1.7e308, "current_ampere": 5e-324, "charging_capacity_ah": 1.7e308},
        {"voltage_volt": 0.1 + 0.2, "tag": "Ω µm – „Zelle“ 電池", "aux": '{"p": [1, "é"]}'},
        {"ts_us": 2**62, "flags": -1, "cycle_count": 2**31 - 1},
    ]
    for seq, values in enumerate(odd):
        recorder.sample(sample("a", seq, **values))
    recorder.commit()
    there = checksum(journal, "spool")
    deliver(journal, server)
    assert checksum(server) == there
    journal.dispose()


def test_a_text_that_postgresql_cannot_keep_holds_up_nobody(journal, server):
    recorder = recorder_on(journal)
    recorder.sample(sample("a", 12, tag="x\0y"))
    recorder.commit()
    values = {"run_id": "a", "ts_us": 1, "test_time_second": 0.0, "kind": "note"}
    queries.insert_row(journal, tables.event, values | {"message": "got b'\x00'"})
    deliver(journal, server)
    assert all_rows(server, "event")[-1]["message"] == "got b'\\x00'"
    assert sample_frame(server, "a")["tag"].iloc[-1] == "x\\x00y"


@pytest.mark.parametrize("after", ["receive", "prune"])
def test_a_process_that_dies_anywhere_delivers_again_and_nothing_is_twice(
    journal, server, monkeypatch, after
):
    monkeypatch.setattr(waiting, "GROUP_ROWS", 4)
    there = checksum(journal, "spool")
    while (group := read_group(journal)).count:
        name, expected = delivered_to(journal)
        assert receive(server, name, expected, group)  # and here it dies: all comes once more
        identity = receive(server, name, expected, read_group(journal))
        if after == "prune":
            prune(journal, group, identity)
        prune(journal, group, identity)
    assert checksum(server) == there
    assert require_agreement(server, "a") == 12
    assert require_agreement(server, "b") == 3


def test_what_changes_after_it_was_read_is_delivered_again(journal, server):
    group = read_group(journal)
    change = update(tables.run).where(tables.run.c.run_id == "a")
    with journal.begin() as connection:
        connection.execute(change.values(state="running"))
    prune(journal, group, receive(server, *delivered_to(journal), group))
    assert waiting_in(journal).rows == 1
    deliver(journal, server)
    assert queries.find_run(server, "a").state == "running"


def test_a_cursor_never_arrives_before_its_samples(database, server, monkeypatch):
    monkeypatch.setattr(waiting, "GROUP_ROWS", 5)
    journal = journal_with(database, a=18)
    while deliver_group(journal, server):
        samples = rows_in(server, "sample")
        assert queries.load_cursor(server, "a") is None or samples == 18
        assert queries.find_run(server, "a").run_id == "a"
    assert require_agreement(server, "a") == 18
    assert nothing_waits(journal)
    journal.dispose()


def test_the_cursor_of_a_revised_run_never_arrives_before_the_text_that_it_is_a_place_in(
    journal, server, monkeypatch
):
    monkeypatch.setattr(waiting, "GROUP_ROWS", 2)
    put_in_force(journal, "a", ask(journal, "a"))
    while deliver_group(journal, server):
        cursor = queries.load_cursor(server, "a")
        if cursor is not None and "revision" in cursor[0]:
            assert queries.find_run(server, "a").values["protocol_text"] == NEW
            assert [row["number"] for row in revisions(server, "a")] == [1, 2]
    assert cursor == queries.load_cursor(journal, "a")
    assert revisions(server, "a") == revisions(journal, "a")
    assert revisions(server, "a")[1]["difference"] == ["loop 1: 3 -> 2 times"]
    assert nothing_waits(journal)


def test_other_samples_under_the_same_numbers_are_told_and_nothing_is_pruned(journal, server):
    deliver(journal, server)
    recorder = recorder_on(journal)
    recorder.sample(sample("a", 4, voltage_volt=99.0))
    recorder.sample(sample("a", 12))
    recorder.commit()
    with pytest.raises(StoreError, match=r"others are under their numbers: a 4 to 4;"):
        deliver(journal, server)
    assert rows_in(journal, "spool") == 2
    assert rows_in(server, "sample") == 15, "of a group that is refused nothing stays"


def test_a_database_that_is_another_than_before_gets_nothing(journal, server, any_postgres):
    deliver(journal, server)
    with own_database(any_postgres) as elsewhere:
        other = open_database(elsewhere)
        keep_more(journal)
        with pytest.raises(StoreError, match="not the database that has the journal's earlier"):
            deliver(journal, other)
        assert rows_in(other, "sample") == 0
        other.dispose()
    assert rows_in(journal, "spool") == 5


def keep_more(journal):
    recorder = recorder_on(journal)
    keep(recorder, "a", 12, 5)
    recorder.commit()


def test_two_forwarders_and_a_writer_at_once_lose_and_double_nothing(
    journal, database, server, monkeypatch
):
    monkeypatch.setattr(waiting, "GROUP_ROWS", 20)
    writing, failures = threading.Event(), []

    def deliver_while_writing() -> None:
        mine, there = open_store(database), open_database(database)
        try:
            while not writing.is_set():
                deliver(mine, there)
        except Exception as failure:
            failures.append(failure)
        mine.dispose()
        there.dispose()

    threads = [threading.Thread(target=deliver_while_writing) for _ in range(2)]
    for thread in threads:
        thread.start()
    recorder = recorder_on(journal)
    for first in range(12, 312, 20):
        keep(recorder, "a", first, 20)
        recorder.commit()
    writing.set()
    for thread in threads:
        thread.join()
    deliver(journal, server)
    assert not failures
    assert require_agreement(server, "a") == 312
    assert rows_in(server, "sample") == 315
    assert nothing_waits(journal)


# --- many rigs, one server -----------------------------------------------------------------------


@pytest.mark.parametrize("table", [table.name for table in DELIVERED])
def test_no_two_rigs_can_mean_different_rows_by_one_key(table):
    """A key holds an id that is made once in the world; or the journal's own number is put above it."""
    key = tables.metadata.tables[table].primary_key.columns
    made_once = any(isinstance(part.type, String) and part.type.length == 32 for part in key)
    assert made_once or table in {"event", "journal"}


@pytest.fixture
def second_rig(database, tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "another-computer.db"))
    journal = open_store(database)
    row = {"rig_id": "rig-2", "name": "rig", "created_us": 1}
    queries.insert_row(journal, tables.rig, row)
    queries.insert_row(journal, tables.run, run_values("c") | {"rig_id": "rig-2"})
    recorder = recorder_on(journal)
    keep(recorder, "c", 0, 7)
    recorder.commit()
    yield journal
    journal.dispose()


def test_two_rigs_number_their_events_alike_and_both_keep_theirs(journal, second_rig, server):
    for _ in range(2):
        deliver(journal, server)
        deliver(second_rig, server)
    assert [require_agreement(server, run) for run in "abc"] == [12, 3, 7]
    assert len({row["event_id"] for row in all_rows(server, "event")}) == 22


def test_a_cell_name_that_another_rig_has_taken_is_told_apart(journal, second_rig, server):
    for number, rig in enumerate((journal, second_rig)):
        record = {"cell_id": f"{number}" * 32, "name": "LPS-17", "area_square_centimetre": number}
        queries.insert_row(rig, tables.cell, record)
        deliver(rig, server)
        deliver(rig, server)
    assert {row["name"]: row["area_square_centimetre"] for row in all_rows(server, "cell")} == {
        "LPS-17": 0.0,
        "LPS-17 (11111111)": 1.0,
    }


def test_the_same_alarm_may_stand_on_channel_a1_of_two_rigs(journal, second_rig, server):
    alarms = []
    for rig, run_id in ((journal, "a"), (second_rig, "c")):
        alarm = raise_alarm(
            Severity.ALARM, "link-lost", "gone", raised_us=1, channel="A1", run_id=run_id
        )
        alarms.append(raise_now(rig, alarm))
        deliver(rig, server)
    acknowledge_alarms(second_rig, [alarms[1]], wall_us=9, who="maria@labpc3", reason="cable")
    deliver(second_rig, server)
    assert sorted((a.run_id, a.acknowledged_by) for a in alarm_history(server)) == [
        ("a", ""),
        ("c", "maria@labpc3"),
    ]
    assert [row["verb"] for row in all_rows(server, "journal")] == ["acknowledge"]


# --- the file ------------------------------------------------------------------------------------


def test_a_database_with_runs_of_its_own_is_no_journal(database, tmp_path, monkeypatch):
    store_at(tmp_path / "rig.db", "a").dispose()
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "rig.db"))
    with pytest.raises(BadInput, match="would never reach the server"):
        open_store(database)


def test_a_journal_is_found_whatever_the_role_and_the_password(monkeypatch, tmp_path):
    monkeypatch.delenv("RIG_JOURNAL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    files = {
        journal_file(f"{name}@labpc3/cells")
        for name in (
            "postgresql://maria:secret",
            "postgres://tom",
            "postgresql+psycopg://reader:x%40y",
        )
    }
    (file,) = files
    assert file.parent == tmp_path / "cellrig"
    assert journal_file("postgresql://maria@labpc3/others") != file
    assert journal_file("postgresql://maria@labpc3:5433/cells") != file


def test_where_no_run_was_ever_started_there_is_nothing_to_steer(database):
    with pytest.raises(BadInput, match="no run was ever started for it on this computer"):
        open_store(database, create=False)
    assert nearest_url(database) == database
    open_store(database).dispose()
    assert nearest_url(database) == f"sqlite:///{journal_file(database)}"


def test_what_waits_says_for_how_long_and_a_delivery_begins_anew(journal, server):
    long_ago = "UPDATE outbox SET since_us = since_us - 120000000"
    with journal.begin() as connection:
        connection.exec_driver_sql(long_ago)
    keep_more(journal)  # the cursor is written again: it has waited since it first did
    assert 120 <= waiting_in(journal).behind_second < 180
    group = read_group(journal)
    keep(recorder := recorder_on(journal), "a", 17, 1)
    recorder.commit()
    prune(journal, group, receive(server, *delivered_to(journal), group))
    assert waiting_in(journal).behind_second < 60
    assert waiting_in(journal).samples == 1
