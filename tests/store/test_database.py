"""Opening a database: settings that make a commit mean something, and what is refused untouched."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.core.errors import BadInput, StoreError
from rig.store import tables
from rig.store.database import DEFAULT_URL, database_url, open_database, open_if_there, translated


def refusal(url: str, *, create: bool = True) -> str:
    with pytest.raises(BadInput) as caught:
        open_database(url, create=create)
    problem = caught.value.problems[0]
    assert url in problem.where
    assert problem.example or "schema is version" in problem.message
    assert caught.value.remedy
    return problem.message


def test_every_commit_is_synced_and_readers_do_not_block_the_writer(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    for _ in range(2):  # a new connection has the same settings
        with engine.connect() as connection:
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
            ]
        assert settings == [2, "wal", 1, 1000]
        engine.dispose()


def test_opening_twice_changes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    open_database(url).dispose()
    before = (tmp_path / "rig.db").read_bytes()
    open_database(url).dispose()
    open_database(url, create=False).dispose()
    assert (tmp_path / "rig.db").read_bytes() == before


def test_the_url_is_the_command_lines_then_the_environments_then_the_benchs(monkeypatch):
    monkeypatch.delenv("RIG_DATABASE_URL", raising=False)
    assert database_url(None) == DEFAULT_URL
    assert database_url(None, "sqlite:///bench.db") == "sqlite:///bench.db"
    monkeypatch.setenv("RIG_DATABASE_URL", "sqlite:///environment.db")
    assert database_url(None, "sqlite:///bench.db") == "sqlite:///environment.db"
    assert database_url("sqlite:///given.db", "sqlite:///bench.db") == "sqlite:///given.db"


def test_a_newer_schema_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "rig.db"
    with sqlite3.connect(path) as newer:
        newer.execute("CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR)")
        version = str(tables.SCHEMA_VERSION + 1)
        newer.execute("INSERT INTO meta VALUES ('schema_version', ?)", (version,))
    newer.close()
    message = refusal(f"sqlite:///{path}")
    assert f"version {version}" in message
    assert f"knows {tables.SCHEMA_VERSION}" in message
    assert table_names(path) == {"meta"}


def test_a_schema_version_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "rig.db"
    with sqlite3.connect(path) as odd:
        odd.execute("CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR)")
        odd.execute("INSERT INTO meta VALUES ('schema_version', 'two')")
    odd.close()
    assert "'two'" in refusal(f"sqlite:///{path}")


def test_reading_another_programs_database_is_refused_and_leaves_it_as_it_was(tmp_path):
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE meta (version INTEGER)")
    foreign.close()
    assert "another program's" in refusal(f"sqlite:///{path}", create=False)
    assert table_names(path) == {"meta"}


def test_an_empty_file_is_no_database_to_read_but_one_to_begin(tmp_path):
    path = tmp_path / "rig.db"
    path.touch()
    assert "holds no runs" in refusal(f"sqlite:///{path}", create=False)
    open_database(f"sqlite:///{path}").dispose()
    assert "run" in table_names(path)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("cell 7 smells of garlic\n" * 100)
    before = path.read_bytes()
    assert "not a database" in refusal(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///{folder}", "folder"),
        ("sqlite:///{folder}/none/rig.db", "does not exist"),
        ("rig.db", "expected a URL such as sqlite:///rig.db"),
        ("/data/lab.db", "expected a URL such as sqlite:////data/lab.db"),
        ("sqlight:///rig.db", "sqlight"),
        ("", "expected a URL such as sqlite:///rig.db"),
    ],
)
def test_a_place_where_no_database_can_be_is_refused(tmp_path, url, words):
    assert words in refusal(url.format(folder=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_just_failed_is_no_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        open_database(DEFAULT_URL, create=False)
    assert DEFAULT_URL not in caught.value.problems[0].example
    assert DEFAULT_URL not in caught.value.remedy
    assert "--db" in caught.value.remedy


def test_what_is_not_there_cannot_be_read_and_is_not_made(tmp_path):
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    assert "no such file" in refusal(url, create=False)
    assert open_if_there(url) is None
    assert list(tmp_path.iterdir()) == []
    open_database(url).dispose()
    found = open_if_there(url)
    assert found is not None
    found.dispose()


@pytest.fixture
def somebody_else() -> Iterator[None]:
    """A user who may not write here, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that everybody may enter but nobody may write; pytest's own lets nobody in."""
    opened = [
        tmp_path,
        *(folder for folder in tmp_path.parents if not folder.stat().st_mode & 0o001),
    ]
    modes = [folder.stat().st_mode for folder in opened]
    for folder in opened:
        folder.chmod(0o755)
    yield tmp_path
    for folder, mode in zip(opened, modes, strict=True):
        folder.chmod(mode)


def test_a_folder_or_a_file_that_may_not_be_written_is_refused(open_folder, request):
    path = open_folder / "rig.db"
    open_database(f"sqlite:///{path}").dispose()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    request.getfixturevalue("somebody_else")
    refusal(f"sqlite:///{path}")
    refusal(f"sqlite:///{open_folder / 'new.db'}")
    assert not (open_folder / "new.db").exists()


def test_a_folder_that_may_not_be_entered_is_refused(open_folder, request):
    locked = open_folder / "locked"
    locked.mkdir(0o000)
    request.getfixturevalue("somebody_else")
    assert "ermission" in refusal(f"sqlite:///{locked / 'rig.db'}")
    with pytest.raises(BadInput, match="ermission"):
        open_if_there(f"sqlite:///{locked / 'rig.db'}")


def test_what_the_database_complains_of_becomes_a_store_error_with_its_name(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    with (
        pytest.raises(StoreError, match=r"rig\.db.*no such table"),
        translated(engine),
        engine.connect() as connection,
    ):
        connection.exec_driver_sql("SELECT * FROM spectra")
    engine.dispose()


def table_names(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows}
