"""Sealed runs: the same to the last bit, whatever is killed or fails, and rows go last of all."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, event, update

from rig.core.errors import BadInput, StoreError
from rig.core.records import ENDED, RunState
from rig.store import queries, tables
from rig.store.archive import pack, read_run
from rig.store.checking import damages
from rig.store.database import open_database
from rig.store.disk import PARTIAL, RESERVE_BYTES, Disk
from rig.store.forwarder import forward
from rig.store.journal import open_store
from rig.store.retention import drop_rows
from rig.store.samples import Window, between, extent, newest_samples, samples
from rig.store.sealed import segments_folder, segments_of
from rig.store.sealing import Place, seal
from rig.store.segments import segment_path
from tests.store.sealing_runs import NOW_US, ended, file_with_ended, keep_odd, place_in
from tests.store.stores import add_runs, rows_in, run_values

PARTS = {"rows_each": 40}


@pytest.fixture
def sealed_store(store, tmp_path, monkeypatch) -> Engine:
    """The database that is read, of either kind, with the ended run ``a`` of 130 samples."""
    monkeypatch.setenv("RIG_SEGMENTS", str(tmp_path / "segments"))
    ended(store.engine, "a", 130)
    return store.settle()


def sealed(engine: Engine, folder: Path, run_id: str = "a") -> int:
    return len(seal(engine, queries.find_run(engine, run_id), place_in(folder), NOW_US, **PARTS))


def test_a_sealed_run_reads_as_before_with_its_rows_and_without_them(sealed_store, tmp_path):
    folder = segments_folder(sealed_store)
    before = samples(sealed_store, "a")
    assert before.num_rows == 130
    assert sealed(sealed_store, folder) == 4
    assert samples(sealed_store, "a").equals(before)
    assert drop_rows(sealed_store, "a", place_in(folder), NOW_US) == 130
    assert rows_in(sealed_store, "sample") == 0
    assert samples(sealed_store, "a").equals(before)
    assert damages(sealed_store, Disk()) == []


def test_sealing_and_dropping_again_does_nothing(sealed_store):
    folder = segments_folder(sealed_store)
    assert sealed(sealed_store, folder) == 4
    listed = segments_of(sealed_store)
    assert sealed(sealed_store, folder) == 0
    assert segments_of(sealed_store) == listed
    drop_rows(sealed_store, "a", place_in(folder), NOW_US)
    assert drop_rows(sealed_store, "a", place_in(folder), NOW_US) == 0


def test_what_a_resumed_run_adds_is_read_behind_its_segments_and_sealed_in_turn(
    store, tmp_path, monkeypatch
):
    monkeypatch.setenv("RIG_SEGMENTS", str(tmp_path / "segments"))
    ended(store.engine, "a", 100, RunState.FAILED)
    engine = store.settle()
    sealed(engine, segments_folder(engine))
    drop_rows(engine, "a", place_in(segments_folder(engine)), NOW_US)
    assert queries.last_wall_us(engine, "a") == 99_000_000
    keep_odd(store.engine, "a", 100, 30)
    engine = store.settle()
    assert samples(engine, "a", ("seq",)).column(0).to_pylist() == list(range(130))
    assert sealed(engine, segments_folder(engine)) == 1
    drop_rows(engine, "a", place_in(segments_folder(engine)), NOW_US)
    assert samples(engine, "a", ("seq",)).column(0).to_pylist() == list(range(130))


def test_any_window_is_the_same_from_rows_and_from_files(sealed_store):
    folder = segments_folder(sealed_store)
    windows = [
        Window(a, b) for a, b in itertools.product((0, 1, 39, 40, 129), (0, 39, 40, 85, 200))
    ]
    windows += [newest_samples(sealed_store, "a", 50), between(sealed_store, "a", 12.5, 88.0)]
    columns = ("voltage_volt", "tag", "seq")
    before = [samples(sealed_store, "a", columns, window) for window in windows]
    sealed(sealed_store, folder)
    drop_rows(sealed_store, "a", place_in(folder), NOW_US)
    assert [samples(sealed_store, "a", columns, window) for window in windows] == before
    assert extent(sealed_store, "a") == 130
    assert newest_samples(sealed_store, "a", 50) == Window(80, 129)
    for begin, end in [(12.5, 88.0), (40.0, 79.0), (39.5, 39.6), (-9.0, 999.0), (130.0, 200.0)]:
        expected = [seq for seq in range(130) if begin <= seq <= end]
        window = between(sealed_store, "a", begin, end)
        assert list(range(window.seq_first, window.seq_last + 1)) == expected


def test_a_run_that_goes_on_is_not_sealed(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 0)
    going_on = set(RunState) - ENDED
    for number, state in enumerate(going_on):
        queries.insert_row(engine, tables.run, run_values(f"b{number}", number, state))
        with pytest.raises(BadInput, match=f"is {state.value}; only a run that has ended"):
            sealed(engine, segments_folder(engine), f"b{number}")
    engine.dispose()


def test_a_run_with_a_missing_sample_is_not_sealed(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 100)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sample WHERE seq IN (57, 60)")
    with pytest.raises(StoreError, match="sample 57 is missing"):
        sealed(engine, tmp_path / "segments")
    assert [one.seq_first for one in segments_of(engine)] == [0]
    engine.dispose()


def test_a_missing_sample_is_told_by_looking_through(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 100)
    sealed(engine, segments_folder(engine))
    drop_rows(engine, "a", place_in(segments_folder(engine)), NOW_US)
    keep_odd(engine, "a", 100, 20)
    forward(engine)
    assert damages(engine, Disk()) == []
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sample WHERE seq IN (107, 108)")
    assert damages(engine, Disk()) == ["run a: 2 samples before number 119 are missing"]
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM segment WHERE seq_first = 40")
    assert damages(engine, Disk()) == ["run a: 42 samples before number 119 are missing"]
    engine.dispose()


def test_an_archive_of_a_sealed_run_is_that_of_the_run_before(sealed_store):
    before = pack(read_run(sealed_store, queries.find_run(sealed_store, "a")))
    sealed(sealed_store, segments_folder(sealed_store))
    drop_rows(sealed_store, "a", place_in(segments_folder(sealed_store)), NOW_US)
    assert pack(read_run(sealed_store, queries.find_run(sealed_store, "a"))) == before


def test_a_run_without_samples_has_nothing_to_seal(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 0)
    assert sealed(engine, tmp_path / "segments") == 0
    assert not (tmp_path / "segments").exists()
    engine.dispose()


def test_paths_are_relative_so_that_the_database_may_be_moved_with_its_folder(tmp_path):
    engine, _, before = file_with_ended(tmp_path / "rig.db", 100)
    sealed(engine, segments_folder(engine))
    drop_rows(engine, "a", place_in(segments_folder(engine)), NOW_US)
    engine.dispose()
    tmp_path.joinpath("elsewhere").mkdir()
    for name in ("rig.db", "rig.db.segments"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    moved = opened(tmp_path / "elsewhere" / "rig.db")
    assert samples(moved, "a").equals(before)
    moved.dispose()


def opened(path: Path) -> Engine:
    return open_database(f"sqlite:///{path}", create=False)


# --- everything that can go wrong ----------------------------------------------------------------


class Killed(BaseException):
    """Nothing catches it, as nothing catches kill -9."""


class FailingDisk(Disk):
    """A disk whose operation of this number fails, once or from then on; 0 never does.

    With ``dies`` it is the process that goes: what was half written stays there.
    """

    def __init__(self, number: int, *, lasting: bool, dies: bool = False) -> None:
        self.number, self.lasting, self.dies = number, lasting, dies
        self.count = 0

    def _work(self) -> None:
        self.count += 1
        if self.count == self.number or (self.lasting and 0 < self.number < self.count):
            raise Killed if self.dies else OSError(5, "Input/output error")

    def write(self, path: Path, content: Callable[[Path], object]) -> None:
        try:
            super().write(path, content)
        except Killed:
            path.with_name(path.name + PARTIAL).write_bytes(b"half of a f")
            raise

    def sync(self, path: Path) -> None:
        self._work()
        super().sync(path)

    def rename(self, path: Path, to: Path) -> None:
        self._work()
        super().rename(path, to)
        self._work()

    def sha256(self, path: Path) -> str:
        self._work()
        return super().sha256(path)


@dataclass
class Pristine:
    """An ended run to seal, made once and copied for each try."""

    path: Path
    samples: pa.Table

    def copy(self, name: str) -> Engine:
        return opened(Path(shutil.copyfile(self.path, self.path.with_name(f"{name}.db"))))


@pytest.fixture
def pristine(tmp_path: Path) -> Pristine:
    engine, _, before = file_with_ended(tmp_path / "rig.db", 100)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return Pristine(tmp_path / "rig.db", before)


def everything(engine: Engine, disk: Disk) -> None:
    place = Place(segments_folder(engine), disk)
    seal(engine, queries.find_run(engine, "a"), place, NOW_US, **PARTS)
    drop_rows(engine, "a", place, NOW_US)


def assert_nothing_is_lost(engine: Engine, before: pa.Table) -> None:
    """Check what is there after a failure, and that the next call brings it to its end."""
    assert samples(engine, "a").equals(before)
    assert damages(engine, Disk()) == []
    everything(engine, Disk())
    assert rows_in(engine, "sample") == 0
    assert [one.seq_first for one in segments_of(engine)] == [0, 40, 80]
    folder = segments_folder(engine)
    written = [pq.read_table(folder / one.path) for one in segments_of(engine)]
    assert pa.concat_tables(written).equals(before)
    assert list(folder.rglob(f"*{PARTIAL}")) == []


KINDS = [
    {"lasting": False},
    {"lasting": True},
    {"lasting": True, "dies": True},
]


@pytest.mark.parametrize(
    ("stride", "kinds_each"), [(2, 1), pytest.param(1, len(KINDS), marks=pytest.mark.slow)]
)
def test_whichever_file_operation_fails_no_sample_is_lost_and_the_next_call_ends_it(
    pristine, stride, kinds_each
):
    counting = FailingDisk(0, lasting=False)
    engine = pristine.copy("count")
    everything(engine, counting)
    engine.dispose()
    assert counting.count > 15
    for number in range(1, counting.count + 1, stride):
        for turn in range(kinds_each):
            kind = KINDS[(number + turn) % len(KINDS)]
            engine = pristine.copy(f"{number}-{turn}")
            with pytest.raises(Killed if "dies" in kind else StoreError):
                everything(engine, FailingDisk(number, **kind))
            assert_nothing_is_lost(engine, pristine.samples)
            engine.dispose()


def test_killed_before_any_statement_no_sample_is_lost_and_the_next_call_ends_it(pristine):
    number = 0
    while True:
        number += 1
        engine = pristine.copy(str(number))
        with killed_before_change(engine, number) as came_to_it:
            everything(engine, Disk())
        if not came_to_it:
            break
        assert_nothing_is_lost(engine, pristine.samples)
        engine.dispose()
    engine.dispose()
    assert number > 9  # a row for each part, a mark and a deletion


@contextmanager
def killed_before_change(engine: Engine, number: int) -> Iterator[list[str]]:
    """Die before the statement of this number that changes something; the list has it then."""
    died: list[str] = []
    count = itertools.count(1)

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "PRAGMA", "WITH")) and next(count) == number:
            died.append(statement)
            raise Killed

    event.listen(engine, "before_cursor_execute", look)
    with suppress(Killed):
        yield died
    event.remove(engine, "before_cursor_execute", look)


def test_rows_stay_when_the_file_has_changed_by_one_bit(tmp_path):
    engine, _, before = file_with_ended(tmp_path / "rig.db", 100)
    folder = segments_folder(engine)
    sealed(engine, folder)
    victim = folder / segments_of(engine)[1].path
    damaged = bytearray(victim.read_bytes())
    damaged[len(damaged) // 3] ^= 4
    victim.write_bytes(damaged)
    with pytest.raises(StoreError, match="is not the file that was sealed"):
        drop_rows(engine, "a", place_in(folder), NOW_US)
    assert len(damages(engine, Disk())) == 1
    assert rows_in(engine, "sample") == 60  # the first part was sound
    assert samples(engine, "a").equals(before)
    engine.dispose()


def test_rows_stay_when_they_are_not_what_was_sealed(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 100)
    folder = segments_folder(engine)
    sealed(engine, folder)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sample SET voltage_volt = 3.9 WHERE seq = 3")
    with pytest.raises(StoreError, match="rows 0 to 39 are not what was sealed"):
        drop_rows(engine, "a", place_in(folder), NOW_US)
    assert rows_in(engine, "sample") == 100
    engine.dispose()


def test_rows_stay_when_the_file_is_away(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 100)
    folder = segments_folder(engine)
    sealed(engine, folder)
    folder.rename(tmp_path / "unmounted")
    with pytest.raises(StoreError, match="No such file"):
        drop_rows(engine, "a", place_in(folder), NOW_US)
    assert rows_in(engine, "sample") == 100
    engine.dispose()


def test_a_run_whose_files_are_away_is_never_shown_shorter(tmp_path):
    engine, *_ = file_with_ended(tmp_path / "rig.db", 100)
    folder = segments_folder(engine)
    sealed(engine, folder)
    drop_rows(engine, "a", place_in(folder), NOW_US)
    folder.rename(tmp_path / "unmounted")
    with pytest.raises(StoreError, match="samples 0 to 39 of run a cannot be read") as caught:
        samples(engine, "a")
    assert "RIG_SEGMENTS" in caught.value.remedy
    assert len(damages(engine, Disk())) == 3
    engine.dispose()


def test_an_id_from_elsewhere_leads_out_of_no_folder():
    assert segment_path("ab12", 3) == "ab12/000000000003.parquet"
    assert ".." not in segment_path("../../etc", 0)
    assert segment_path("../../etc", 0).count("/") == 1


def test_a_flipped_bit_anywhere_is_found_by_whoever_reads(tmp_path):
    engine, _, before = file_with_ended(tmp_path / "rig.db", 100)
    folder = segments_folder(engine)
    sealed(engine, folder)
    drop_rows(engine, "a", place_in(folder), NOW_US)
    victim = folder / segments_of(engine)[0].path
    whole = victim.read_bytes()
    for place in range(0, len(whole), 997):
        victim.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(StoreError, match="is not the file that was sealed"):
            samples(engine, "a", ("seq",), Window(5, 6))
    victim.write_bytes(whole)
    assert samples(engine, "a").equals(before)
    engine.dispose()


def test_a_nearly_full_disk_refuses_in_time(tmp_path):
    class Full(Disk):
        def free_bytes(self, folder: Path) -> int:
            return RESERVE_BYTES + 100

    engine, run, _ = file_with_ended(tmp_path / "rig.db", 100)
    folder = tmp_path / "segments"
    with pytest.raises(StoreError, match="are free"):
        seal(engine, run, Place(folder, Full()), NOW_US)
    assert not folder.exists()
    assert segments_of(engine) == []
    engine.dispose()


def test_a_journal_is_not_sealed_its_samples_are_on_their_way(database, tmp_path):
    journal = open_store(database)
    add_runs(journal, "a")
    ended(journal, "a", 10)
    with pytest.raises(BadInput, match="is a journal") as caught:
        sealed(journal, tmp_path / "segments")
    assert caught.value.remedy == "seal it there"
    journal.dispose()


def test_a_folder_beside_the_file_is_the_one_whatever_the_environment_says(tmp_path, monkeypatch):
    engine = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    assert segments_folder(engine) == tmp_path / "rig.db.segments"
    monkeypatch.setenv("RIG_SEGMENTS", str(tmp_path / "elsewhere"))
    assert segments_folder(engine) == tmp_path / "elsewhere"
    (tmp_path / "rig.db.segments").mkdir()
    assert segments_folder(engine) == tmp_path / "rig.db.segments"
    engine.dispose()


def test_a_server_says_that_it_needs_a_folder(database, monkeypatch):
    monkeypatch.delenv("RIG_SEGMENTS", raising=False)
    engine = open_database(database)
    with pytest.raises(BadInput, match="RIG_SEGMENTS is not set"):
        segments_folder(engine)
    engine.dispose()


def test_rows_that_come_again_after_they_were_dropped_are_not_read_twice(tmp_path):
    """A journal delivers a group again whose confirmation it never saw."""
    engine, _, before = file_with_ended(tmp_path / "rig.db", 100)
    folder = segments_folder(engine)
    sealed(engine, folder)
    drop_rows(engine, "a", place_in(folder), NOW_US)
    keep_odd(engine, "a", 30, 20)
    forward(engine)
    assert rows_in(engine, "sample") == 20
    assert samples(engine, "a").equals(before)
    assert drop_rows(engine, "a", place_in(folder), NOW_US) == 20
    engine.dispose()


def test_a_segment_that_was_written_before_a_column_came_has_nulls_there(tmp_path):
    engine, _, before = file_with_ended(tmp_path / "rig.db", 30)
    folder = segments_folder(engine)
    sealed(engine, folder)
    drop_rows(engine, "a", place_in(folder), NOW_US)
    path = folder / segments_of(engine)[0].path
    pq.write_table(pq.read_table(path).drop_columns(["applied_pressure_pa"]), path)
    with engine.begin() as connection:
        connection.execute(update(tables.segment).values(sha256=Disk().sha256(path)))
    read = samples(engine, "a")
    assert read.column("applied_pressure_pa").null_count == 30
    assert read.drop_columns(["applied_pressure_pa"]).equals(
        before.drop_columns(["applied_pressure_pa"])
    )
    engine.dispose()
