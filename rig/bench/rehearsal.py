"""A protocol rehearsed on a simulated cell before it is started: what voltage, current and chamber will do.

The same engine, drivers and limits as the run will have, at full speed, in a database of its own that
is thrown away. Bounded in time and samples: of a long protocol the beginning is shown, and that is
said. It is an expectation of a simulated cell, and no promise of a real one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from rig.bench.file import BenchFile
from rig.bench.session import Session
from rig.bench.starting import Job, start
from rig.bench.twin import simulated_twin
from rig.core.clock import Clock, RealClock
from rig.engine.runner import Run
from rig.protocol import loads_protocol
from rig.protocol.check import estimate_duration_second
from rig.protocol.program import CellFacts, Program
from rig.store import queries, tables
from rig.store.samples import samples
from rig.store.thinning import thinned

WITHIN_SECOND = 10.0  # of somebody waiting before a page
MOST_SAMPLES = 200_000
POINTS = 1500
LOOK_EVERY_STEPS = 200
WORDS = "expected, simulated cell"
OUT_OF_TIME, OUT_OF_ROOM = "time", "samples"
_CUT = {
    OUT_OF_TIME: "the rehearsal was given {second:.0f} s",
    OUT_OF_ROOM: "the rehearsal keeps {most} samples",
}
_COLUMNS = (
    "test_time_second",
    "voltage_volt",
    "current_ampere",
    "ambient_temperature_celsius",
    "cycle_count",
)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is rehearsed: a protocol's text on one channel of a bench, with the cell's own facts."""

    bench: BenchFile
    channel: str
    protocol_text: str
    protocol_file: str
    variables: Mapping[str, str] = field(default_factory=dict)
    cell: CellFacts | None = None
    within_second: float = WITHIN_SECOND
    most_samples: int = MOST_SAMPLES
    points: int = POINTS


def rehearse(wanted: Rehearsal, watch: Clock | None = None) -> dict[str, Any]:
    """Return the expected profile as one JSON object.

    ``complete`` says whether the protocol came to its end; else ``cut`` says in words why it is only
    the beginning, or, where the simulated run ended otherwise, ``state`` and ``reason`` say how.
    ``watch`` tells how long it takes. Raises BadInput with everything that is wrong with the protocol,
    or where the instruments cannot be simulated.
    """
    program = loads_protocol(
        wanted.protocol_text,
        file_name=wanted.protocol_file,
        variables=dict(wanted.variables),
        cell=wanted.cell,
    )
    twin = simulated_twin(wanted.bench, wanted.bench.channels[wanted.channel], program)
    with tempfile.TemporaryDirectory(prefix="cellrig-rehearsal-") as folder:
        database = f"sqlite:///{Path(folder) / 'rehearsal.db'}"
        job = Job(program, wanted.protocol_file, twin.channel)
        session = start([job], twin.bench, database=database, speed="max")
        cut = _run_bounded(session, wanted, watch or RealClock())
        return _told(session.engine, session.runs[0], program, wanted, cut) | {
            "cell": twin.cell_words
        }


def _run_bounded(session: Session, wanted: Rehearsal, watch: Clock) -> str:
    """Run until the end or a bound; return which bound it was, nothing for none."""
    bound = _Bound(session, session.runs[0], wanted, watch, watch.now() + wanted.within_second)
    session.run(bound.look)
    session.engine.dispose()
    return bound.reached


@dataclass
class _Bound:
    """Stops a rehearsal that has had its time, or its samples."""

    session: Session
    run: Run
    wanted: Rehearsal
    watch: Clock
    deadline_second: float
    reached: str = ""
    steps: int = 0

    def look(self) -> None:
        self.steps += 1
        if self.reached or self.steps % LOOK_EVERY_STEPS:
            return
        if self.watch.now() >= self.deadline_second:
            self.reached = OUT_OF_TIME
        elif self.run.cursor.progress.seq >= self.wanted.most_samples:
            self.reached = OUT_OF_ROOM
        if self.reached:
            self.session.stop("the rehearsal has had its " + self.reached)


def _told(
    engine: Engine, run: Run, program: Program, wanted: Rehearsal, cut: str
) -> dict[str, Any]:
    record = queries.find_run(engine, run.run_id)
    table = samples(engine, run.run_id, _COLUMNS)
    columns = {name: np.asarray(table.column(name).to_numpy(), dtype=float) for name in _COLUMNS}
    kept = thinned([columns[name] for name in _COLUMNS[1:4]], wanted.points)
    times = columns["test_time_second"]
    second, most = wanted.within_second, wanted.most_samples
    return {
        "words": WORDS,
        "channel": wanted.channel,
        "complete": record.state == "finished",
        "cut": _CUT[cut].format(second=second, most=most) if cut else "",
        "state": "" if cut else record.state,
        "reason": "" if cut else record.values["reason"] or "",
        "test_time_second": float(times[-1]) if len(times) else 0.0,
        "duration_second": estimate_duration_second(program, program.cell),
        "cycles": len(queries.table_rows(engine, tables.cycle, run.run_id)),
        "samples": len(times),
        "columns": {name: columns[name][kept].tolist() for name in _COLUMNS[:4]},
    }
