"""Backups that hold every commit, and are proven by restoring them."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rig.core.errors import BadInput, StoreError
from rig.store.backup import back_up
from rig.store.checking import damages
from rig.store.database import open_database
from rig.store.delivery import deliver
from rig.store.disk import RESERVE_BYTES, Disk
from rig.store.retention import drop_rows
from rig.store.samples import samples
from rig.store.sealed import segments_folder, segments_of
from rig.store.sealing import seal
from tests.postgres import PostgresServer, own_database
from tests.store.deliveries import all_rows, journal_with, nothing_waits
from tests.store.releases import kept_rows, released_file
from tests.store.sealing_runs import NOW_US, file_with_ended, place_in
from tests.store.stores import keep, recorder_on, require_agreement, store_at


def seal_and_drop(engine: Engine, run) -> None:
    place = place_in(segments_folder(engine))
    seal(engine, run, place, NOW_US, rows_each=40)
    drop_rows(engine, run.run_id, place, NOW_US)


def opened(path: Path) -> Engine:
    return open_database(f"sqlite:///{path}", create=False)


def test_a_backup_is_a_database_with_all_that_was_sealed_and_so_is_what_is_restored(tmp_path):
    engine, run, before = file_with_ended(tmp_path / "rig.db", 100)
    seal_and_drop(engine, run)
    (tmp_path / "safe").mkdir()
    done = back_up(f"sqlite:///{tmp_path / 'rig.db'}", tmp_path / "safe" / "copy.db", Disk())
    assert done.segments == 3
    assert done.bytes > 0
    (tmp_path / "new").mkdir()
    back_up(f"sqlite:///{done.file}", tmp_path / "new" / "rig.db", Disk())
    for path in (done.file, tmp_path / "new" / "rig.db"):
        copy = opened(path)
        assert samples(copy, "a").equals(before)
        assert damages(copy, Disk()) == []
        copy.dispose()
        assert kept_rows(f"sqlite:///{path}") == kept_rows(f"sqlite:///{tmp_path / 'rig.db'}")
    engine.dispose()


def test_a_backup_while_a_run_writes_is_of_one_moment(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    keep(recorder, "a", 0, 50)
    recorder.commit()
    copies = [tmp_path / f"copy-{number}.db" for number in range(5)]
    failures: list[BaseException] = []

    def copy_all() -> None:
        try:
            for path in copies:
                back_up(f"sqlite:///{tmp_path / 'rig.db'}", path, Disk())
        except BaseException as failure:
            failures.append(failure)

    copier = threading.Thread(target=copy_all)
    copier.start()
    kept = 50
    while copier.is_alive():
        keep(recorder, "a", kept, 50)
        recorder.commit()
        kept += 50
    copier.join()
    assert failures == []
    counts = []
    for path in copies:
        copy = opened(path)
        counts.append(require_agreement(copy, "a"))
        copy.dispose()
    assert counts == sorted(counts)
    assert 50 <= counts[0] <= counts[-1] <= kept
    assert all(count % 50 == 0 for count in counts)
    engine.dispose()


def test_the_next_backup_copies_only_what_was_sealed_since(tmp_path):
    engine, run, _ = file_with_ended(tmp_path / "rig.db", 100)
    seal_and_drop(engine, run)
    url, copy = f"sqlite:///{tmp_path / 'rig.db'}", tmp_path / "copy.db"
    back_up(url, copy, Disk())
    files = sorted((tmp_path / "copy.db.segments").rglob("*.parquet"))
    written = [file.stat().st_mtime_ns for file in files]
    copy.unlink()
    back_up(url, copy, Disk())
    assert [file.stat().st_mtime_ns for file in files] == written
    engine.dispose()


def test_a_backup_of_a_damaged_sealed_file_is_none(tmp_path):
    engine, run, _ = file_with_ended(tmp_path / "rig.db", 100)
    seal_and_drop(engine, run)
    victim = segments_folder(engine) / segments_of(engine)[1].path
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match="is damaged"):
        back_up(f"sqlite:///{tmp_path / 'rig.db'}", tmp_path / "copy.db", Disk())
    victim.unlink()
    with pytest.raises(StoreError, match="is not there"):
        back_up(f"sqlite:///{tmp_path / 'rig.db'}", tmp_path / "copy.db", Disk())
    assert not (tmp_path / "copy.db").exists()
    engine.dispose()


def test_a_database_of_an_older_version_is_backed_up_as_it_is(tmp_path):
    path = released_file(tmp_path / "rig.db")
    back_up(f"sqlite:///{path}", tmp_path / "copy.db", Disk())
    assert kept_rows(f"sqlite:///{tmp_path / 'copy.db'}") == kept_rows(f"sqlite:///{path}")


def test_nothing_is_written_over_and_no_folder_is_invented(tmp_path):
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    store_at(tmp_path / "rig.db", "a").dispose()
    with pytest.raises(StoreError, match="exists already"):
        back_up(url, tmp_path / "rig.db", Disk())
    with pytest.raises(BadInput, match="does not exist"):
        back_up(url, tmp_path / "none" / "copy.db", Disk())


def test_a_nearly_full_disk_refuses_the_backup(tmp_path):
    class Full(Disk):
        def free_bytes(self, folder: Path) -> int:
            return RESERVE_BYTES + 100

    store_at(tmp_path / "rig.db", "a").dispose()
    with pytest.raises(StoreError, match="are free"):
        back_up(f"sqlite:///{tmp_path / 'rig.db'}", tmp_path / "copy.db", Full())
    assert not (tmp_path / "copy.db").exists()


def test_a_server_is_backed_up_by_its_own_programs(database, tmp_path):
    open_database(database).dispose()
    with pytest.raises(BadInput, match="its own programs") as caught:
        back_up(database, tmp_path / "copy.db", Disk())
    assert "pg_dump" in caught.value.remedy


def test_what_pg_restore_brings_back_is_equal_and_the_journal_goes_on_with_it(
    postgres: PostgresServer, mortal, tmp_path
):
    journal, server = journal_with(mortal, a=120), open_database(mortal)
    deliver(journal, server)
    before = {name: all_rows(server, name) for name in ("sample", "run", "event", "cursor", "meta")}
    server.dispose()
    dump = str(tmp_path / "cells.dump")
    subprocess.run([postgres.program("pg_dump"), "-Fc", "-f", dump, "-d", mortal], check=True)
    with own_database(postgres.url) as restored:
        subprocess.run([postgres.program("pg_restore"), "-d", restored, dump], check=True)
        again = open_database(restored)
        assert {name: all_rows(again, name) for name in before} == before
        recorder = recorder_on(journal)
        keep(recorder, "a", 120, 30)
        recorder.commit()
        deliver(journal, again)
        assert nothing_waits(journal)
        assert require_agreement(again, "a") == 150
        again.dispose()
    journal.dispose()
