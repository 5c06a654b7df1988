"""Which runs are to be sealed, and what became of each: one that fails does not keep the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from rig.core.errors import BadInput, Problem, RigError
from rig.core.records import ENDED, RunState
from rig.store.queries import RunRecord, find_run, list_runs
from rig.store.retention import drop_rows
from rig.store.sealing import Place, seal


@dataclass(frozen=True, slots=True)
class Sealed:
    """What became of one run; ``failure`` says why it was not sealed whole, or its rows are there still."""

    run_id: str
    channel: str
    segments: int = 0
    samples: int = 0
    bytes: int = 0
    rows_dropped: int = 0
    failure: str = ""


def chosen_runs(engine: Engine, wanted: Sequence[str]) -> list[RunRecord]:
    """Return the runs that somebody has named; raises BadInput with all that are none."""
    runs: list[RunRecord] = []
    problems: list[Problem] = []
    for name in wanted:
        try:
            runs.append(find_run(engine, name))
        except BadInput as unknown:
            problems.extend(unknown.problems)
    if problems:
        raise BadInput(problems, remedy="list them with: rig runs list")
    return runs


def ended_runs(engine: Engine, ended_before_us: int) -> list[RunRecord]:
    """Return the runs that ended before this moment, in UTC microseconds; oldest first."""
    ended = [run for run in list_runs(engine) if RunState(run.state) in ENDED]
    old = [run for run in ended if (run.values["ended_us"] or 0) <= ended_before_us]
    return old[::-1]


def seal_runs(
    engine: Engine, runs: Sequence[RunRecord], place: Place, now_us: int, *, with_rows: bool
) -> Iterator[Sealed]:
    """Seal run after run and yield what became of each; ``with_rows`` drops their rows then."""
    for run in runs:
        yield _seal(engine, run, place, now_us, with_rows=with_rows)


def _seal(engine: Engine, run: RunRecord, place: Place, now_us: int, *, with_rows: bool) -> Sealed:
    try:
        made = seal(engine, run, place, now_us)
        dropped = drop_rows(engine, run.run_id, place, now_us) if with_rows else 0
    except RigError as failure:
        words = f"{failure}; {failure.remedy}" if failure.remedy else str(failure)
        return Sealed(run.run_id, run.channel, failure=words)
    samples, size = (sum(getattr(one, name) for one in made) for name in ("rows", "bytes"))
    return Sealed(run.run_id, run.channel, len(made), samples, size, dropped)
