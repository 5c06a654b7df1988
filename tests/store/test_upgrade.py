"""From the schema of every release to this one: every row, or nothing at all, and a copy of before."""

from __future__ import annotations

import datetime
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect

from rig.bench.delivery_state import look_at
from rig.core.errors import BadInput, StoreError
from rig.store import queries, tables
from rig.store.database import open_as_it_is, open_database
from rig.store.delivery import deliver
from rig.store.disk import RESERVE_BYTES, Disk
from rig.store.forwarder import forward
from rig.store.journal import open_store
from rig.store.samples import sample_frame
from rig.store.upgrading import steps_after, take, upgrade, upgrade_all
from rig.store.waiting import waiting_in
from tests.postgres import own_database, wait_until
from tests.store.deliveries import nothing_waits
from tests.store.releases import as_before, kept_rows, released_file, released_server
from tests.store.test_server_away import rig_on

FINISHED = "3b4c3c82e86940ee9fb424623cf9807f"
KILLED = "d962769266aa4328ad05264a7b2c06e6"
DELIVERED = "41152e3877424ac593f94c9ef375cac8"


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> str:
    """The URL of a database of either kind as version 1 left it."""
    if url.startswith("sqlite"):
        released_file(tmp_path / "rig.db")
    else:
        released_server(url)
    return url


def quietly(url: str) -> None:
    upgrade(url, lambda line: None, Disk())


def schema(engine: Engine) -> dict[str, object]:
    """Return all that makes a table: columns in no order, key, indexes."""
    found = inspect(engine)
    return {
        name: (
            {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(name)
            },
            found.get_pk_constraint(name)["constrained_columns"],
            {index["name"]: index["column_names"] for index in found.get_indexes(name)},
        )
        for name in found.get_table_names()
    }


def test_every_row_of_version_1_is_there_after_the_upgrade(old):
    before = kept_rows(old)
    assert len(before["sample"]) > 40
    quietly(old)
    assert as_before(before, kept_rows(old)) == before
    open_database(old, create=False).dispose()


def test_an_upgraded_database_has_the_very_tables_of_a_new_one(old, tmp_path, any_postgres):
    """Who adds a column or a table in tables.py and not in the step is told here."""
    quietly(old)
    upgraded = open_as_it_is(old)
    if old.startswith("sqlite"):
        new = open_database(f"sqlite:///{tmp_path / 'new.db'}")
        assert schema(upgraded) == schema(new)
        new.dispose()
    else:
        with own_database(any_postgres) as url:
            new = open_database(url)
            assert schema(upgraded) == schema(new)
            new.dispose()
    upgraded.dispose()


def test_the_steps_end_at_the_schema_of_this_software():
    revisions = [int(step.revision) for step in steps_after(0)]
    assert revisions == list(range(1, tables.SCHEMA_VERSION + 1))
    assert steps_after(tables.SCHEMA_VERSION) == []


def test_the_first_step_leaves_version_1_as_it_is(tmp_path):
    url = f"sqlite:///{released_file(tmp_path / 'rig.db')}"
    before = kept_rows(url)
    engine = open_as_it_is(url)
    with engine.begin() as connection:
        take(steps_after(0)[0], connection)
    engine.dispose()
    assert kept_rows(url) == before


def test_an_older_database_is_refused_with_the_command_that_upgrades_it(old):
    before = kept_rows(old)
    for create in (True, False):
        with pytest.raises(BadInput, match=r"schema is version 1, this software needs") as caught:
            open_database(old, create=create)
        assert "rig db upgrade" in caught.value.remedy
    assert kept_rows(old) == before


def test_the_file_is_copied_before_anything_is_done_and_that_is_said(tmp_path):
    path = released_file(tmp_path / "rig.db")
    url, said = f"sqlite:///{path}", []
    before = kept_rows(url)
    done = upgrade(url, said.append, Disk())
    assert done.copy is not None
    assert str(done.copy) in said[0]
    assert (done.version_before, done.version) == (1, tables.SCHEMA_VERSION)
    assert kept_rows(f"sqlite:///{done.copy}") == before
    with pytest.raises(BadInput, match="version 1"):
        open_database(f"sqlite:///{done.copy}")


def test_upgrading_twice_changes_nothing_and_makes_no_second_copy(tmp_path):
    url = f"sqlite:///{released_file(tmp_path / 'rig.db')}"
    quietly(url)
    after, files = kept_rows(url), sorted(tmp_path.iterdir())
    again = upgrade(url, lambda line: None, Disk())
    assert again.copy is None
    assert again.version_before == again.version == tables.SCHEMA_VERSION
    assert (kept_rows(url), sorted(tmp_path.iterdir())) == (after, files)


def test_a_copy_of_the_same_second_is_kept_and_the_next_gets_a_name_of_its_own(tmp_path):
    path = released_file(tmp_path / "rig.db")
    now = datetime.datetime.now(tz=datetime.UTC)
    for later in range(120):  # whichever second it will be
        second = now + datetime.timedelta(seconds=later)
        (tmp_path / f"rig.db.version-1.{second:%Y%m%dT%H%M%S}").write_text("an earlier copy")
    done = upgrade(f"sqlite:///{path}", lambda line: None, Disk())
    assert done.copy is not None
    assert done.copy.name.endswith("-2")
    assert done.copy.with_name(done.copy.name.removesuffix("-2")).read_text() == "an earlier copy"


def test_a_newer_database_is_not_upgraded(tmp_path):
    path = tmp_path / "rig.db"
    open_database(f"sqlite:///{path}").dispose()
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(BadInput, match="version 99") as caught:
        quietly(f"sqlite:///{path}")
    assert "newer cellrig" in caught.value.remedy


def test_another_programs_file_is_not_upgraded(tmp_path):
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE photo (name TEXT)")
    with pytest.raises(BadInput, match="another program's"):
        quietly(f"sqlite:///{path}")


@pytest.mark.parametrize("stride", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_before_any_statement_the_database_is_the_old_one_or_the_new_one(tmp_path, stride):
    released_file(tmp_path / "old.db")
    before = kept_rows(f"sqlite:///{tmp_path / 'old.db'}")
    command = [sys.executable, "-m", "tests.store.dying_upgrade", str(tmp_path), str(stride)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rungs = [int(line) for line in done.stdout.splitlines()]
    assert rungs[-1] > 20
    for statement in rungs:
        url = f"sqlite:///{tmp_path / f'{statement}.db'}"
        found = kept_rows(url)
        assert as_before(before, found) == before
        quietly(url)
        engine = open_database(url, create=False)
        assert len(sample_frame(engine, FINISHED)) == 192
        engine.dispose()


def test_a_step_that_fails_on_a_server_leaves_it_as_it_was(database):
    released_server(database)
    before = kept_rows(database)
    engine = open_as_it_is(database)
    with engine.begin() as connection:  # what the step wants to make is there already
        connection.exec_driver_sql("DROP TABLE segment")
    with pytest.raises(StoreError, match="segment"):
        quietly(database)
    with pytest.raises(BadInput, match="version 1"):
        open_database(database)
    assert kept_rows(database) == before
    engine.dispose()


class FullDisk(Disk):
    def free_bytes(self, folder: Path) -> int:
        return RESERVE_BYTES + 10


def test_a_disk_that_has_no_room_for_the_copy_refuses_the_upgrade(tmp_path):
    path = released_file(tmp_path / "rig.db")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="are free"):
        upgrade(f"sqlite:///{path}", lambda line: None, FullDisk())
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*version-1*")) == []


def test_a_run_that_was_killed_under_version_1_has_all_its_samples(tmp_path):
    url = f"sqlite:///{released_file(tmp_path / 'rig.db')}"
    spooled = len(kept_rows(url)["spool"])
    quietly(url)
    engine = open_database(url, create=False)
    assert forward(engine) == spooled == len(sample_frame(engine, KILLED)) > 0
    cursor = queries.load_cursor(engine, KILLED)
    assert cursor is not None
    engine.dispose()


# --- journals and servers ------------------------------------------------------------------------


def test_what_an_older_journal_has_not_delivered_is_delivered_after_the_upgrade(database, tmp_path):
    path = released_file(tmp_path / "journal.db", "version_1_journal")
    waiting = kept_rows(f"sqlite:///{path}")
    with pytest.raises(BadInput, match="this software needs"):
        open_store(database)
    open_database(database).dispose()
    done = upgrade_all(database, lambda line: None)
    assert [one.version_before for one in done] == [1, tables.SCHEMA_VERSION]
    journal, server = open_store(database), open_database(database)
    assert deliver(journal, server) == len(waiting["spool"]) + len(waiting["outbox"])
    assert len(sample_frame(server, DELIVERED)) == len(waiting["spool"])
    journal.dispose()
    server.dispose()


def test_journal_and_server_are_upgraded_by_one_command(database, tmp_path):
    released_file(tmp_path / "journal.db", "version_1_journal")
    released_server(database)
    done = upgrade_all(database, lambda line: None)
    assert [one.version_before for one in done] == [1, 1]
    journal, server = open_store(database), open_database(database)
    assert deliver(journal, server) > 0  # once more what version 1 had delivered: nothing doubled
    assert len(sample_frame(server, DELIVERED)) == 43
    journal.dispose()
    server.dispose()


@pytest.mark.parametrize(
    ("version", "words"),
    [(1, "needs 2; upgrade it, .*rig db upgrade"), (99, "knows 2; install the newer cellrig")],
)
def test_while_the_server_has_another_schema_runs_go_on_and_their_data_wait(
    database, version, words
):
    open_database(database).dispose()
    set_version(database, version)
    with rig_on(database) as rig:
        rig.forwarder.start()
        wait_until(rig.has_news)
        rig.write(5)
        assert waiting_in(rig.journal).samples == 2 * rig.kept
        state = look_at(database)
        assert state.refused
        assert not state.is_well
        for said in (state.failure, state.delivery_failure):
            assert re.search(words, said)
        assert rows_on(database) == 0
        set_version(database, tables.SCHEMA_VERSION)  # by an upgrade there, or here
        wait_until(lambda: nothing_waits(rig.journal))
    assert rows_on(database) == 2 * rig.kept
    assert look_at(database).is_well


def set_version(url: str, version: int) -> None:
    change_on(url, f"UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")


def change_on(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def rows_on(url: str) -> int:
    return len(kept_rows(url)["sample"])


def test_a_copy_never_replaces_a_file(tmp_path):
    from rig.store.copies import copy_file

    path = released_file(tmp_path / "rig.db")
    shutil.copyfile(path, tmp_path / "copy.db")
    with pytest.raises(StoreError, match="exists already"):
        copy_file(path, tmp_path / "copy.db", Disk())
