"""One analysis of one run, as a worker process does it: what comes in and goes out can travel.

A worker reads the run itself, so that a task is a few words whatever the run's length. What goes
wrong with one run is its outcome, and no reason to stop for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from rig.bench.cycling_evaluation import evaluate_cycling
from rig.bench.evaluation import evaluate
from rig.core.errors import AnalysisError, RigError
from rig.report.findings import Quantity
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.samples import sample_frame


@dataclass(frozen=True, slots=True)
class RunTask:
    """An analysis of some runs; the database's address may hold a password and is not shown."""

    kind: str
    run_ids: tuple[str, ...]
    database: str = field(repr=False)

    def alone(self) -> list[RunTask]:
        """Return the same as a task for each run."""
        return [RunTask(self.kind, (run_id,), self.database) for run_id in self.run_ids]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for one run: its quantities and flags, or why there are none."""

    run_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[Mapping[str, str], ...] = ()
    problem: str = ""

    def to_dict(self) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "values": dict(self.values),
            "flags": [dict(note) for note in self.flags],
            "problem": self.problem or None,
        }


def fit_runs(task: RunTask) -> list[Outcome]:
    """Return an outcome for each run of the task, in its order; raises only for the database itself."""
    engine = open_database(task.database, create=False)
    try:
        return [_fit(engine, task.kind, run_id) for run_id in task.run_ids]
    finally:
        engine.dispose()


def _fit(engine: Engine, kind: str, run_id: str) -> Outcome:
    try:
        return KINDS[kind](engine, queries.find_run(engine, run_id))
    except RigError as error:
        return Outcome(run_id, problem=str(error))
    except Exception as bug:  # in one run of hundreds: the others are worth having
        return Outcome(run_id, problem=f"internal error: {type(bug).__name__}: {bug}")


# --- the analyses --------------------------------------------------------------------------------


def _fade(engine: Engine, run: queries.RunRecord) -> Outcome:
    samples = sample_frame(engine, run.run_id)
    cycles = queries.table_frame(engine, tables.cycle, run.run_id)
    cycling, quantities = evaluate_cycling(samples, cycles)
    if cycling is None or cycling.fade is None:
        raise AnalysisError("fewer than five finished cycles after formation: no fade law")
    fade = cycling.fade
    flags = [note.to_dict() for note in (*cycling.table.flags, *fade.flags)]
    return Outcome(run.run_id, {**fade.to_dict(), **_named(quantities)}, _distinct(flags))


def _arrhenius(engine: Engine, run: queries.RunRecord) -> Outcome:
    findings = evaluate(engine, run)
    if findings.pellet is None or findings.pellet.arrhenius is None:
        raise AnalysisError("no temperature series of conductivities in this run")
    fitted = findings.pellet.arrhenius.to_dict()
    flags = [note.to_dict() for note in findings.flags]
    return Outcome(run.run_id, {**fitted, **_named(findings.quantities)}, _distinct(flags))


def _eis(engine: Engine, run: queries.RunRecord) -> Outcome:
    findings = evaluate(engine, run)
    if not findings.spectra:
        raise AnalysisError("no complete spectrum in this run")
    spectra = [
        {
            "spectrum_count": one.spectrum_count,
            "cycle_count": one.cycle_count,
            "temperature_celsius": one.temperature_celsius,
            "fit": one.fit.to_dict() if one.fit is not None else None,
            "problem": one.problem or None,
        }
        for one in findings.spectra
    ]
    flags = [note.to_dict() for one in findings.spectra for note in one.flags]
    fitted = sum(one["fit"] is not None for one in spectra)
    values = {"n": len(spectra), "fitted": fitted, "spectra": spectra}
    return Outcome(run.run_id, values, _distinct(flags))


def _named(quantities: Sequence[Quantity]) -> dict[str, object]:
    """Return each quantity with the error that knows of geometry, leads and drift."""
    named: dict[str, object] = {}
    for one in quantities:
        named[one.key] = one.value
        named[f"{one.key}_standard_error"] = one.standard_error
    return named


def _distinct(flags: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    return tuple({str(sorted(note.items())): note for note in flags}.values())


KINDS: dict[str, Callable[[Engine, queries.RunRecord], Outcome]] = {
    "fade": _fade,
    "eis": _eis,
    "arrhenius": _arrhenius,
}
