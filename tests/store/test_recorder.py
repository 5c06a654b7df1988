"""What was acknowledged is there after any power cut; what was not is still kept, or never was."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from rig.core.clock import SimulatedClock
from rig.core.errors import StoreError
from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.recorder import COMMIT_ROWS, Recorder
from tests.store.stores import (
    add_runs,
    copy_database,
    keep,
    recorder_on,
    require_agreement,
    rows_in,
    store_at,
)


@contextlib.contextmanager
def pragma(engine: Engine, name: str, value: int | str, back: int | str) -> Iterator[None]:
    """Set a pragma on the pool's one connection for a while."""
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {name}={value}")
    yield
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {name}={back}")


def copies_at_every_statement(engine: Engine, path: Path) -> list[Path]:
    """Return a list that fills with a copy of the files before each statement and each commit."""
    copies: list[Path] = []

    def copy(*_: object) -> None:
        copies.append(copy_database(path, path.with_name(f"copy-{len(copies)}.db")))

    event.listen(engine, "before_cursor_execute", copy)
    event.listen(engine, "commit", copy)
    return copies


def agreement_of(copy: Path, run_id: str) -> int:
    engine = open_database(f"sqlite:///{copy}")
    try:
        return require_agreement(engine, run_id)
    finally:
        engine.dispose()


def test_a_power_cut_at_any_statement_leaves_cursor_and_samples_in_agreement(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    copies = copies_at_every_statement(engine, tmp_path / "rig.db")
    for commit in range(3):
        keep(recorder, "a", 7 * commit, 7)
        recorder.state("a", RunState.RUNNING, 0, "")
        recorder.commit()
    recorder.close()
    found = [agreement_of(copy, "a") for copy in copies]
    assert set(found) == {0, 7, 14, 21}
    assert found == sorted(found)


WRITER = """
import sys
from pathlib import Path
from tests.store.stores import keep, recorder_on, store_at
engine = store_at(Path(sys.argv[1]), "a")
recorder = recorder_on(engine)
for commit in range(1_000_000):
    keep(recorder, "a", 50 * commit, 50)
    recorder.commit()
    print(50 * (commit + 1), flush=True)
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path, seed):
    """It is killed at a random moment after it has acknowledged a random number of samples."""
    path = tmp_path / "rig.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(random.Random(seed).randrange(5, 150)):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
        rest = writer.stdout.read()  # what it had printed when the kill came
    if rest.endswith("\n"):
        acknowledged = int(rest.split()[-1])
    engine = open_database(f"sqlite:///{path}", create=False)
    assert require_agreement(engine, "a") >= acknowledged
    forward(engine)
    assert require_agreement(engine, "a") >= acknowledged
    engine.dispose()


def complaint_with_room_for(pages: int, recorder: Recorder, engine: Engine) -> StoreError | None:
    """Commit on a disk with room for so many pages of 4096 bytes; return what was complained of."""
    with pragma(engine, "max_page_count", pages, 2**30):
        try:
            recorder.commit()
        except StoreError as complaint:
            return complaint
    return None


def test_a_full_disk_loses_nothing_and_the_next_commit_has_it_all(tmp_path):
    """The ladder: one page more of room each time, until the commit goes through."""
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    keep(recorder, "a", 0, 200)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    for room in range(100):
        complaint = complaint_with_room_for(pages + room, recorder, engine)
        if complaint is None:
            break
        assert "full" in str(complaint)
        assert "rig.db" in str(complaint)
        assert complaint.remedy
        assert require_agreement(engine, "a") == 0
    assert room > 5
    assert require_agreement(engine, "a") == recorder.samples_committed == 200


def test_a_locked_database_loses_nothing_and_the_next_commit_has_it_all(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    keep(recorder, "a", 0, 5)
    other = sqlite3.connect(tmp_path / "rig.db", isolation_level=None)
    with contextlib.closing(other), pragma(engine, "busy_timeout", 0, 5000):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            recorder.commit()
        assert recorder.samples_committed == 0
    keep(recorder, "a", 5, 5)
    recorder.commit()
    assert require_agreement(engine, "a") == recorder.samples_committed == 10


def test_a_write_protected_database_loses_nothing(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    keep(recorder, "a", 0, 5)
    with pragma(engine, "query_only", 1, 0), pytest.raises(StoreError, match="readonly"):
        recorder.commit()
    recorder.close()
    assert require_agreement(engine, "a") == 5


Actions = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.booleans()), max_size=25)


@given(Actions)
def test_any_interleaving_of_runs_and_failures_numbers_every_run_without_gaps(actions):
    engine = open_database("sqlite://")
    add_runs(engine, *"abc")
    recorder, kept = recorder_on(engine), dict.fromkeys("abc", 0)
    for run_id, count, fails in actions:
        if count:
            keep(recorder, run_id, kept[run_id], count)
            kept[run_id] += count
        if fails and any(kept.values()):
            with pragma(engine, "query_only", 1, 0), contextlib.suppress(StoreError):
                recorder.commit()
        elif count == 0:
            forward(engine)
        else:
            recorder.commit()
    recorder.close()
    assert {run_id: require_agreement(engine, run_id) for run_id in kept} == kept
    assert rows_in(engine, "spool") == 0
    engine.dispose()


def test_a_commit_is_due_after_a_thousand_rows_or_a_second(tmp_path):
    engine, clock = store_at(tmp_path / "rig.db", "a"), SimulatedClock()
    recorder = Recorder(engine, clock, commit_second=1.0)
    keep(recorder, "a", 0, 10)
    recorder.commit_if_due()
    assert recorder.samples_committed == 0
    clock.wait_until(1.0)
    recorder.commit_if_due()
    assert recorder.samples_committed == 10
    keep(recorder, "a", 10, COMMIT_ROWS)
    recorder.commit_if_due()
    assert recorder.samples_committed == 10 + COMMIT_ROWS


def test_the_cursor_is_written_as_it_stands_at_the_commit(store):
    """The engine hands in a way to ask: a cursor is text only once per commit, not per reading."""
    recorder, place = recorder_on(store.engine), {"text": "first"}
    recorder.cursor("a", lambda: place["text"])
    place["text"] = "last"
    recorder.commit()
    assert queries.load_cursor(store.settle(), "a") == ("last", None)


def test_the_state_of_simulated_cells_is_kept_with_the_cursor(store):
    recorder = Recorder(store.engine, SimulatedClock(), simulation=lambda: {"soc": 0.5})
    recorder.cursor("a", lambda: "{}")
    recorder.commit()
    assert queries.load_cursor(store.settle(), "a") == ("{}", '{"soc": 0.5}')


def test_a_row_that_is_there_is_replaced_whole(store):
    """A spectrum is begun, then completed; a step that resumes after a cut is written again."""
    recorder = recorder_on(store.engine)
    begun = {
        "run_id": "a",
        "cycle_count": 1,
        "phase": "ageing",
        "seq_first": 0,
        "seq_last": 4,
        "charging_capacity_ah": 1.0,
        "discharging_capacity_ah": 1.0,
        "charging_energy_wh": 1.0,
        "discharging_energy_wh": 1.0,
    }
    recorder.row("cycle", begun)
    recorder.commit()
    recorder.row("cycle", begun | {"seq_last": 9})
    recorder.commit()
    assert queries.table_rows(store.settle(), tables.cycle, "a") == [begun | {"seq_last": 9}]


def test_states_say_when_a_run_began_and_ended(store):
    recorder = recorder_on(store.engine)
    recorder.state("a", RunState.STARTING, 10, "")
    recorder.state("a", RunState.RUNNING, 11, "")
    recorder.state("a", RunState.TRIPPED, 99, "voltage above 4.3 V")
    recorder.commit()
    run = queries.find_run(store.settle(), "a")
    assert (run.state, run.values["reason"]) == ("tripped", "voltage above 4.3 V")
    assert (run.values["started_us"], run.values["ended_us"]) == (10, 99)
    recorder.state("a", RunState.STARTING, 200, "")
    recorder.commit()
    resumed = queries.find_run(store.settle(), "a")
    assert (resumed.values["started_us"], resumed.values["ended_us"]) == (10, None)
