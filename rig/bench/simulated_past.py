"""How the simulated cells and chambers of a bench were left: an engine that begins goes on from there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from rig.bench.file import BenchFile
from rig.store import queries


@dataclass(frozen=True, slots=True)
class Left:
    """Simulated cells and chambers as they were left last, and when that was on their clock."""

    simulation: str
    wall_us: int


def left_by_the_last(bench: BenchFile, engine: Engine, seed: int) -> Left | None:
    """Return how the simulated world of this bench was left, by whichever run was the last there."""
    newest: Left | None = None
    for record in queries.list_runs(engine):
        if record.values["bench"]["content"] != bench.plain or record.values["seed"] != seed:
            continue
        stored = queries.load_cursor(engine, record.run_id)
        wall_us = queries.last_wall_us(engine, record.run_id)
        if stored is None or stored[1] is None or wall_us is None:
            continue
        if newest is None or wall_us > newest.wall_us:
            newest = Left(stored[1], wall_us)
    return newest
