"""A store that fails for a while is borne with, and not for ever; nothing that was kept is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.storing import MOST_ROWS, Storing
from rig.core.clock import PacedClock, SimulatedClock
from rig.core.errors import StoreError
from rig.store.recorder import Recorder
from tests.store.stores import keep, require_agreement, sample, store_at


class Bench:
    """A recorder on a file that somebody else can lock, on a clock that is moved by hand."""

    def __init__(self, folder: Path, patience_second: float) -> None:
        self.path = folder / "rig.db"
        self.engine = store_at(self.path, "a")
        self.clock = SimulatedClock()
        self.recorder = Recorder(self.engine, self.clock)
        self.told: list[str] = []
        self.storing = Storing(
            self.recorder, self.clock, patience_second, lambda kind, _words: self.told.append(kind)
        )

    def lock(self) -> sqlite3.Connection:
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        return other

    def pass_second(self, second: float) -> None:
        self.clock.wait_until(self.clock.now() + second)
        self.storing.commit_if_due()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, 5.0)
    yield bench
    bench.engine.dispose()


def test_what_could_not_be_stored_is_stored_when_the_file_is_free(bench: Bench) -> None:
    keep(bench.recorder, "a", 0, 10)
    other = bench.lock()
    bench.pass_second(1.5)
    keep(bench.recorder, "a", 10, 10)
    bench.pass_second(1.5)
    assert bench.told == ["store late"]
    other.execute("ROLLBACK")
    other.close()
    bench.pass_second(1.5)
    assert bench.told == ["store late", "store back"]
    assert require_agreement(bench.engine, "a") == 20


def test_after_its_patience_the_failure_is_raised_and_everything_is_still_kept(
    bench: Bench,
) -> None:
    keep(bench.recorder, "a", 0, 10)
    other = bench.lock()
    for _ in range(4):  # it fails first after 1.5 s; 4.5 s later it is still borne with
        bench.pass_second(1.5)
    with pytest.raises(StoreError, match="locked"):
        bench.pass_second(1.5)
    other.execute("ROLLBACK")
    other.close()
    bench.recorder.close()
    assert require_agreement(bench.engine, "a") == 10


def test_memory_is_bounded_whatever_the_patience(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 1e9)
    row = sample("a", 0)
    for _ in range(MOST_ROWS):
        bench.recorder.sample(row)
    other = bench.lock()
    with pytest.raises(StoreError, match="locked"):
        bench.pass_second(1.5)
    other.close()
    bench.engine.dispose()


def test_a_rehearsal_that_nobody_paces_bears_nothing() -> None:
    assert not SimulatedClock().speed
    assert PacedClock(20.0).speed == 20.0
