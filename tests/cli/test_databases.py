"""``rig db``: upgraded, sealed, backed up, looked through; every refusal says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import update

from rig.bench.file import parse_bench
from rig.bench.locks import lock_channels
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.samples import samples
from rig.store.sealed import segments_of
from tests.cli.commands import refused, rig
from tests.postgres import any_postgres, database, postgres
from tests.store.deliveries import journal_with
from tests.store.releases import kept_rows, released_file
from tests.store.sealing_runs import NOW_US, file_with_ended
from tests.store.stores import run_values, store_at

__all__ = ["any_postgres", "database", "postgres"]


@pytest.fixture
def ended(folder: Path) -> Path:
    """The folder of ``rig.db`` with one ended run of 100 samples."""
    file_with_ended(folder / "rig.db", 100)[0].dispose()
    return folder


# --- upgrade -------------------------------------------------------------------------------------


def test_an_older_database_is_upgraded_by_the_command_that_its_refusal_names(folder):
    released_file(folder / "rig.db")
    for command in (("runs", "list"), ("db", "check"), ("report", "last")):
        err = refused(*command)
        assert "schema is version 1, this software needs 2" in err
        assert "rig db upgrade" in err
    upgraded = rig("db", "upgrade")
    assert upgraded.code == 0
    assert "copied as it is to" in upgraded.out
    assert "version 2 (was 1)" in upgraded.out
    assert len(rig("runs", "list", "--json").json()["runs"]) == 2
    assert "version 2 (already)" in rig("db", "upgrade").out


def test_no_run_begins_on_an_older_database(protocol):
    released_file(Path("rig.db"))
    before = kept_rows("sqlite:///rig.db")
    assert "rig db upgrade" in refused("run", protocol, "--channel", "C1")
    assert kept_rows("sqlite:///rig.db") == before


def test_a_run_that_was_killed_under_version_1_is_resumed_after_the_upgrade(folder):
    released_file(folder / "rig.db")
    assert rig("db", "upgrade").code == 0
    assert rig("run", "--resume", "d962769266aa").code == 0
    engine = open_database("sqlite:///rig.db")
    seqs = samples(engine, "d962769266aa4328ad05264a7b2c06e6", ("seq",))["seq"].to_pylist()
    engine.dispose()
    assert seqs == list(range(len(seqs)))
    assert len(seqs) > 100


def test_upgrade_says_as_json_what_it_did(folder):
    released_file(folder / "rig.db")
    done = rig("db", "upgrade", "--json")
    (one,) = done.json()["databases"]
    assert (one["version_before"], one["version"]) == (1, tables.SCHEMA_VERSION)
    assert Path(one["copy"]).exists()


def test_a_database_is_not_upgraded_while_a_process_runs_cells_with_it(folder):
    released_file(folder / "rig.db")
    bench = parse_bench(
        "bench: 1\ninstruments: {s: {driver: keithley.smu2450, connect: sim}}\n"
        "channels: {C2: {cell: s}}\n",
        "bench.yaml",
    )
    with lock_channels(bench, [bench.channels["C2"]], "sqlite:///rig.db"):
        err = refused("db", "upgrade")
    assert "runs cells with it now: channel C2" in err
    assert rig("db", "upgrade").code == 0


def test_a_server_with_another_schema_is_refused_and_not_called_away(database):
    engine = open_database(database)
    with engine.begin() as connection:
        connection.execute(
            update(tables.meta).where(tables.meta.c.key == "schema_version").values(value="99")
        )
    engine.dispose()
    checked = rig("db", "check", "--db", database)
    assert checked.code == 1
    assert "REFUSED" in checked.out
    assert "install the newer cellrig" in checked.out
    assert rig("db", "check", "--json", "--db", database).json()["reached"] is True


# --- sealing -------------------------------------------------------------------------------------


def test_a_run_is_sealed_and_dropped_and_every_command_still_reads_it(protocol):
    assert rig("run", protocol, "--channel", "C1").code == 0
    before = rig("runs", "export", "last", "--format", "csv", "--out", "before.csv").code
    sealed = rig("db", "seal", "last", "--drop-rows", "--json")
    assert (before, sealed.code) == (0, 0)
    (one,) = sealed.json()["runs"]
    assert one["segments"] == 1
    assert one["samples"] == one["rows_dropped"] > 0
    assert rig("runs", "export", "last", "--format", "csv", "--out", "after.csv").code == 0
    assert Path("after.csv").read_bytes() == Path("before.csv").read_bytes()
    assert rig("fit", "cycles", "last", "--json").code == 0
    assert rig("report", "last").code == 0
    checked = rig("db", "check", "--deep")
    assert checked.code == 0
    assert "every byte reads as it was written" in checked.out
    assert "sealed already" in rig("db", "seal", "last").out


def test_only_runs_that_ended_long_enough_ago_are_sealed(ended):
    engine = open_database("sqlite:///rig.db")
    young = run_values("b", 1) | {"state": "finished", "ended_us": NOW_US + 10**16}
    queries.insert_row(engine, tables.run, young)
    queries.insert_row(engine, tables.run, run_values("c", 2))
    sealed = rig("db", "seal", "--finished", "--older-than", "30 days", "--json").json()["runs"]
    assert [one["run_id"] for one in sealed] == ["a"]
    assert len(segments_of(engine)) == 1
    assert (
        "no run has ended so long ago"
        in rig("db", "seal", "--finished", "--older-than", "99 years").out
    )
    engine.dispose()


def test_a_run_that_cannot_be_sealed_does_not_keep_the_others(ended):
    engine = open_database("sqlite:///rig.db")
    going_on = run_values("b", 1) | {"state": "running"}
    queries.insert_row(engine, tables.run, going_on)
    engine.dispose()
    sealed = rig("db", "seal", "b", "a")
    assert sealed.code == 1
    assert "run b  NOT SEALED: run b: is running" in sealed.out
    assert "100 samples sealed" in sealed.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), ["expected either runs or --finished"]),
        (("last", "--finished"), ["expected either runs or --finished"]),
        (("last", "--older-than", "30"), ["goes with --finished", "without a unit"]),
        (("--finished", "--older-than", "-1 day"), ["no less than 0 s"]),
        (("zz", "yy"), ["run 'zz'", "run 'yy'"]),
    ],
)
def test_what_cannot_be_meant_is_refused_all_at_once(ended, words, said):
    err = refused("db", "seal", *words)
    for one in said:
        assert one in err
    assert not Path("rig.db.segments").exists()


def test_a_damaged_sealed_file_is_told_by_a_deep_check(ended):
    assert rig("db", "seal", "a", "--drop-rows").code == 0
    (file,) = Path("rig.db.segments").rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    assert rig("db", "check").code == 0
    checked = rig("db", "check", "--deep", "--json")
    assert checked.code == 1
    (damage,) = checked.json()["damages"]
    assert "is not the file that was sealed" in damage
    assert "DAMAGED" in rig("db", "check", "--deep").out


def test_a_servers_runs_are_sealed_into_the_folder_that_is_named(database, folder, monkeypatch):
    journal = journal_with(database, a=50)
    with journal.begin() as connection:
        connection.execute(update(tables.run).values(state="finished", ended_us=NOW_US))
    journal.dispose()
    assert rig("db", "deliver", "--db", database).code == 0
    assert "RIG_SEGMENTS" in refused("db", "seal", "a", "--db", database)
    monkeypatch.setenv("RIG_SEGMENTS", str(folder / "sealed"))
    assert rig("db", "seal", "a", "--drop-rows", "--db", database).code == 0
    exported = rig("runs", "export", "a", "--format", "csv", "--json", "--db", database).json()
    assert exported["rows"] == 50
    monkeypatch.delenv("RIG_SEGMENTS")
    unread = rig("runs", "export", "a", "--format", "csv", "--db", database)
    assert unread.code == 2
    assert "RIG_SEGMENTS is not set" in unread.err


# --- backup --------------------------------------------------------------------------------------


def test_a_backup_is_read_where_it_is_and_restored_by_the_same_command(ended):
    assert rig("db", "seal", "a", "--drop-rows").code == 0
    done = rig("db", "backup", "copy.db", "--json").json()
    assert done["segments"] == 1
    listed = rig("runs", "list", "--json").json()
    assert rig("runs", "list", "--json", "--db", "sqlite:///copy.db").json() == listed
    assert rig("db", "backup", "restored.db", "--db", "sqlite:///copy.db").code == 0
    assert rig("db", "check", "--deep", "--db", "sqlite:///restored.db").code == 0
    for name in ("rig", "copy", "restored"):
        exported = ("runs", "export", "a", "--format", "csv", "--out", f"{name}.csv")
        assert rig(*exported, "--db", f"sqlite:///{name}.db").code == 0
    written = {Path(f"{name}.csv").read_bytes() for name in ("rig", "copy", "restored")}
    assert len(written) == 1


def test_a_backup_writes_over_nothing(ended):
    store_at(ended / "other.db", "b").dispose()
    before = (ended / "other.db").read_bytes()
    kept = rig("db", "backup", "other.db")
    assert kept.code == 1
    assert "exists already" in kept.err
    assert (ended / "other.db").read_bytes() == before
    assert json.loads(rig("db", "backup", "new.db", "--json").out)["segments"] == 0
