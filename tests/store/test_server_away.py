"""The forwarder beside a real PostgreSQL that is away, is killed -9, and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.store import waiting
from rig.store.database import open_database
from rig.store.delivery import deliver
from rig.store.forwarding import Forwarder
from rig.store.journal import open_store
from rig.store.waiting import waiting_in
from tests.postgres import own_database, wait_until
from tests.store.deliveries import checksum, nothing_waits, server_checksum
from tests.store.stores import add_runs, keep, recorder_on, require_agreement, rows_in

RUNS = ("a", "b")


class Rig:
    """A recorder on a journal and the forwarder beside it: what a run has, without the cells."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.journal = open_store(database)
        add_runs(self.journal, *RUNS)
        self.recorder = recorder_on(self.journal)
        self.kept = 0
        self.told: list[str] = []
        self.forwarder = Forwarder(database, every_second=0.01, longest_pause_second=0.1)

    def write(self, commits: int, rows: int = 50) -> None:
        """Commit samples, events and cursors of every run, and look for news as a session does."""
        for _ in range(commits):
            for run_id in RUNS:
                keep(self.recorder, run_id, self.kept, rows)
            self.recorder.commit()
            self.kept += rows
            self.forwarder.tell(lambda kind, _words: self.told.append(kind))

    def has_news(self) -> bool:
        self.write(1, rows=1)
        return len(self.told) > 0 and self.told[-1] == "database away"


@contextmanager
def rig_on(database: str) -> Iterator[Rig]:
    rig = Rig(database)
    try:
        yield rig
    finally:
        rig.forwarder.close()
        rig.forwarder.dispose()
        rig.journal.dispose()


def control(folder: Path, kept: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, str]:
    """Return count, distinct count and checksum of the same samples where nothing happened."""
    monkeypatch.setenv("RIG_JOURNAL", str(folder / "undisturbed.db"))
    journal = open_store("postgresql://nobody.invalid/none")
    add_runs(journal, *RUNS)
    recorder = recorder_on(journal)
    for run_id in RUNS:
        keep(recorder, run_id, 0, kept)
    recorder.commit()
    found = checksum(journal, "spool")
    journal.dispose()
    return found


def test_a_server_that_is_away_at_the_start_gets_everything_when_it_comes(
    postgres, mortal, tmp_path, monkeypatch
):
    postgres.stop()
    try:
        with rig_on(mortal) as rig:
            rig.forwarder.start()
            wait_until(rig.has_news)
            rig.write(10)
            assert waiting_in(rig.journal).samples == 2 * rig.kept
            assert rig.told == ["database away"]
            postgres.start()
            wait_until(lambda: nothing_waits(rig.journal))
            wait_until(lambda: (rig.write(1), rig.told[-1] == "database back")[1])
        assert rig.told == ["database away", "database back"]
        assert server_checksum(mortal) == control(tmp_path, rig.kept, monkeypatch)
    finally:
        restart(postgres)


def restart(postgres) -> None:
    """Other tests need it, whatever has become of this one."""
    postgres.kill()
    postgres.start()


def test_a_server_that_is_killed_again_and_again_has_every_sample_once(
    postgres, mortal, tmp_path, monkeypatch
):
    """In small groups, so that a kill may meet any moment of a delivery."""
    monkeypatch.setattr(waiting, "GROUP_ROWS", 100)
    with rig_on(mortal) as rig:
        rig.forwarder.start()
        rig.write(1)
        wait_until(lambda: nothing_waits(rig.journal))
        for _ in range(3):
            rig.write(10)
            before = waiting_in(rig.journal).samples
            assert before > 0, "it has to be killed while rows flow"
            postgres.kill()
            rig.write(5)
            postgres.start()
            wait_until(lambda before=before: waiting_in(rig.journal).samples < before)
        wait_until(lambda: nothing_waits(rig.journal))
    there = server_checksum(mortal)
    assert there[:2] == (2 * rig.kept, 2 * rig.kept)
    assert there == control(tmp_path, rig.kept, monkeypatch)
    server = open_database(mortal)
    assert [require_agreement(server, run_id) for run_id in RUNS] == [rig.kept] * 2
    server.dispose()


def test_a_run_that_ends_while_the_server_is_away_leaves_its_data_in_the_journal(
    postgres, mortal, tmp_path
):
    postgres.kill()
    try:
        with rig_on(mortal) as rig:
            rig.forwarder.start()
            rig.write(4)
        journal = open_store(mortal)
        assert rows_in(journal, "spool") == 2 * rig.kept
    finally:
        postgres.start()
    server = open_database(mortal)
    deliver(journal, server)
    assert require_agreement(server, "a") == rig.kept
    server.dispose()
    journal.dispose()


DELIVER = """
import sys
from rig.store import waiting
from rig.cli.main import run
waiting.GROUP_ROWS = 100
sys.argv = ["rig", "db", "deliver", "--db", sys.argv[1]]
run()
"""


def test_a_forwarder_that_is_killed_anywhere_is_followed_by_one_that_goes_on(
    database, tmp_path, monkeypatch
):
    """Its process dies with kill -9 in the middle of its groups; the last one is left alone."""
    with rig_on(database) as rig:
        rig.write(30)
        all_of_it = checksum(rig.journal, "spool")
        for _ in range(2):
            before = waiting_in(rig.journal).samples
            process = subprocess.Popen(
                [sys.executable, "-c", DELIVER, database], env=dict(os.environ)
            )
            wait_until(lambda before=before: waiting_in(rig.journal).samples < before)
            process.kill()
            process.wait()
        assert waiting_in(rig.journal).samples > 0, "it was over too soon"
        both = [
            subprocess.Popen([sys.executable, "-c", DELIVER, database], stdout=subprocess.DEVNULL)
            for _ in range(2)
        ]
        assert [process.wait() for process in both] == [0, 0]
        rig.forwarder.start()  # what one left to the other, that has ended meanwhile
        wait_until(lambda: nothing_waits(rig.journal))
        assert server_checksum(database) == all_of_it


@pytest.mark.slow
def test_a_database_that_is_away_for_a_day_of_samples_has_them_all_in_the_end(
    postgres, any_postgres, tmp_path, monkeypatch
):
    """88,000 samples wait, a day at one a second; the server is killed once more while they go over."""
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "journal.db"))
    with own_database(postgres.url) as database, rig_on(database) as rig:
        postgres.kill()
        rig.forwarder.start()
        rig.write(44, rows=1000)
        postgres.start()
        wait_until(lambda: waiting_in(rig.journal).samples < 60_000)
        restart(postgres)
        wait_until(lambda: nothing_waits(rig.journal), second=100.0)
        assert server_checksum(database) == control(tmp_path, rig.kept, monkeypatch)
