"""Into the database and back: ``python benchmarks/store.py [--rows N] [--json]``.

Samples through the journal into SQLite and into a real PostgreSQL, live and as a backlog, beside a
plain COPY of the same rows; the last thousand, one cycle and the whole run, from rows and sealed, beside
plain pandas. Everything in a temporary folder, the server its own. Asserts no time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import packages_first  # noqa: F401
from sqlalchemy import Engine
from store_parts import (
    add_run,
    bytes_of,
    caught_up,
    journalled,
    make_rows,
    note_cycles,
    plain_copy,
    sealed,
    sealed_bytes,
    timed,
    ways_out,
)
from this_machine import machine

from rig.core.records import SampleRow
from rig.store.database import open_database
from rig.store.delivery import deliver
from rig.store.forwarding import EVERY_SECOND
from rig.store.journal import open_store
from tests.postgres import PostgresServer, own_database

RUN = "a" * 32
ROUNDS = 3
AIM_OF_COPY = 0.5


@dataclass
class Figures:
    """Seconds by what was done, bytes a sample by where; ``reads`` beside the same done plainly."""

    rows: int
    second: dict[str, float] = field(default_factory=dict)
    reads: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    bytes_per_sample: dict[str, float] = field(default_factory=dict)

    def rate(self, name: str) -> float:
        return self.rows / self.second[name]

    def of_copy(self, name: str) -> float:
        return self.second["plain COPY"] / self.second[name]


def measure(rows: list[SampleRow], folder: Path) -> Figures:
    """Do everything once, but the reads, of which the fastest counts."""
    figures = Figures(len(rows))
    _sqlite(figures, rows, folder)
    server = PostgresServer(synced=True)
    try:
        with own_database(server.url) as url:
            _postgresql(figures, rows, folder, url)
    finally:
        server.close()
    return figures


def _sqlite(figures: Figures, rows: list[SampleRow], folder: Path) -> None:
    engine = open_database(f"sqlite:///{folder / 'rig.db'}")
    add_run(engine, RUN)
    figures.second["SQLite, journal and place"] = journalled(engine, rows)
    note_cycles(engine, RUN, len(rows))
    figures.bytes_per_sample["SQLite"] = bytes_of(engine, RUN) / len(rows)
    _read(figures, "SQLite", engine)
    figures.second["sealing"] = sealed(engine, RUN, folder / "rig.db.segments")
    figures.bytes_per_sample["sealed"] = sealed_bytes(engine, RUN) / len(rows)
    _read(figures, "SQLite and sealed", engine)
    engine.dispose()


def _postgresql(figures: Figures, rows: list[SampleRow], folder: Path, url: str) -> None:
    server = open_database(url)
    figures.second["plain COPY"] = min(plain_copy(server, rows) for _ in range(ROUNDS))
    with _journal(folder / "backlog.db", url) as journal:
        add_run(journal, RUN)
        figures.second["journal alone"] = journalled(journal, rows)
        figures.second["catching up"] = caught_up(journal, server)
    note_cycles(server, RUN, len(rows))
    figures.bytes_per_sample["PostgreSQL"] = bytes_of(server, RUN) / len(rows)
    with server.connect() as connection:  # as autovacuum would have, in a while
        connection.exec_driver_sql("ANALYZE")
    _read(figures, "PostgreSQL", server)
    server.dispose()
    with own_database(url) as empty:
        server = open_database(empty)
        with _journal(folder / "live.db", empty) as journal:
            add_run(journal, RUN)
            figures.second["end to end, live"] = _live(journal, server, rows)
        server.dispose()


@contextmanager
def _journal(path: Path, url: str) -> Iterator[Engine]:
    os.environ["RIG_JOURNAL"] = str(path)
    engine = open_store(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _live(journal: Engine, server: Engine, rows: list[SampleRow]) -> float:
    """Record and deliver at the same time, as fast as both can, until the server has everything."""
    over = Event()

    def forwarding() -> None:
        while not over.is_set():
            deliver(journal, server)
            over.wait(EVERY_SECOND / 10)

    thread = Thread(target=forwarding)
    began = time.perf_counter()
    thread.start()
    try:
        journalled(journal, rows)
    finally:
        over.set()
        thread.join()  # it may have a backlog to deliver: that counts
    caught_up(journal, server)
    return time.perf_counter() - began


def _read(figures: Figures, where: str, engine: Engine) -> None:
    cycle = max(1, figures.rows // 20_000)
    figures.reads[where] = {
        name: (timed(ours, ROUNDS), timed(plain, 1))
        for name, (ours, plain) in ways_out(engine, RUN, cycle).items()
    }


# --- telling -------------------------------------------------------------------------------------


def as_data(figures: Figures) -> dict[str, object]:
    """Return the figures as plain data, units in the keys."""
    return {
        "machine": machine(),
        "rows": figures.rows,
        "second": figures.second,
        "ratio_to_plain_copy": {
            name: figures.of_copy(name) for name in ("end to end, live", "catching up")
        },
        "aim_of_ratio": AIM_OF_COPY,
        "bytes_per_sample": figures.bytes_per_sample,
        "reads_second": {
            where: {
                name: {"cellrig": ours, "pandas.read_sql": plain}
                for name, (ours, plain) in reads.items()
            }
            for where, reads in figures.reads.items()
        },
    }


def as_text(figures: Figures) -> str:
    """Return the figures as tables for people."""
    lines = [
        ", ".join(f"{name} {value}" for name, value in machine().items()),
        "",
        f"{figures.rows:,} samples in{'':24}{'s':>8}{'rows/s':>12}{'of COPY':>9}",
    ]
    for name, second in figures.second.items():
        lines.append(
            f"  {name:36}{second:8.2f}{figures.rate(name):12,.0f}{figures.of_copy(name):9.2f}"
        )
    lines += ["", f"{'out, ms':38}{'here':>9}{'read_sql':>10}{'ratio':>8}"]
    for where, reads in figures.reads.items():
        lines += _read_lines(where, reads)
    sizes = ", ".join(f"{name} {size:.0f}" for name, size in figures.bytes_per_sample.items())
    return "\n".join([*lines, "", f"bytes a sample: {sizes}"])


def _read_lines(where: str, reads: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    for name, (ours, plain) in reads.items():
        words = f"{where}: {name}"
        yield f"  {words:36}{ours * 1e3:9.1f}{plain * 1e3:10.1f}{plain / ours:8.1f}"


def main() -> int:
    """Measure in a temporary folder and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--json", action="store_true", help="print plain data")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rig-benchmark-") as name:
        figures = measure(make_rows(RUN, arguments.rows), Path(name))
    print(json.dumps(as_data(figures), indent=2) if arguments.json else as_text(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
