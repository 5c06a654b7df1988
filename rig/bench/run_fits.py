"""One analysis of one run, as a worker process does it: what comes in and goes out can travel.

A worker reads the run itself, so that a task is a few words whatever the run's length. What goes
wrong with one run is its outcome, and no reason to stop for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine

from rig.analysis.arrhenius_result import Convention
from rig.bench.analysis_settings import read_settings_of
from rig.bench.arrhenius_view import arrhenius_view
from rig.bench.cycling_evaluation import evaluate_cycling
from rig.bench.evaluation import evaluate
from rig.bench.one_circuit import spectra_with_circuit
from rig.core.errors import AnalysisError, RigError
from rig.report.findings import Quantity
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.samples import sample_frame

Settings = Mapping[str, Any]
_NO_SERIES = "no temperature series of conductivities in this run"


@dataclass(frozen=True, slots=True)
class RunTask:
    """An analysis of some runs; the database's address may hold a password and is not shown.

    ``settings`` are those of analysis_settings, as text; without any it is the usual analysis.
    """

    kind: str
    run_ids: tuple[str, ...]
    database: str = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)

    def alone(self) -> list[RunTask]:
        """Return the same as a task for each run."""
        return [replace(self, run_ids=(run_id,)) for run_id in self.run_ids]


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
    """Return an outcome for each run of the task, in its order.

    Raises only for the database itself, and for settings that are none.
    """
    settings = read_settings_of(task.kind, task.settings)
    engine = open_database(task.database, create=False)
    try:
        return [_fit(engine, task.kind, run_id, settings) for run_id in task.run_ids]
    finally:
        engine.dispose()


def _fit(engine: Engine, kind: str, run_id: str, settings: Settings) -> Outcome:
    try:
        return KINDS[kind](engine, queries.find_run(engine, run_id), settings)
    except RigError as error:
        return Outcome(run_id, problem=str(error))
    except Exception as bug:  # in one run of hundreds: the others are worth having
        return Outcome(run_id, problem=f"internal error: {type(bug).__name__}: {bug}")


# --- the analyses --------------------------------------------------------------------------------


def _fade(engine: Engine, run: queries.RunRecord, settings: Settings) -> Outcome:
    samples = sample_frame(engine, run.run_id)
    cycles = queries.table_frame(engine, tables.cycle, run.run_id)
    cycling, quantities = evaluate_cycling(samples, cycles, **_fade_options(settings))
    if cycling is None or cycling.fade is None:
        raise AnalysisError("fewer than five finished cycles after formation: no fade law")
    fade = cycling.fade
    flags = [note.to_dict() for note in (*cycling.table.flags, *fade.flags)]
    return Outcome(run.run_id, {**fade.to_dict(), **_named(quantities)}, _distinct(flags))


def _fade_options(settings: Settings) -> dict[str, Any]:
    options = {name: settings[name] for name in ("law", "reference_cycle") if name in settings}
    if "end_of_life" in settings:
        fraction, capacity_ah = settings["end_of_life"]
        options |= {"end_of_life_fraction": fraction, "end_of_life_capacity": capacity_ah}
    return options


def _arrhenius(engine: Engine, run: queries.RunRecord, settings: Settings) -> Outcome:
    if settings:
        return _arrhenius_again(engine, run, settings)
    findings = evaluate(engine, run)
    if findings.pellet is None or findings.pellet.arrhenius is None:
        raise AnalysisError(_NO_SERIES)
    fitted = findings.pellet.arrhenius.to_dict()
    flags = [note.to_dict() for note in findings.flags]
    return Outcome(run.run_id, {**fitted, **_named(findings.quantities)}, _distinct(flags))


def _arrhenius_again(engine: Engine, run: queries.RunRecord, settings: Settings) -> Outcome:
    convention = Convention(settings.get("convention", Convention.LN_SIGMA_T.value))
    view = arrhenius_view(engine, run, convention, settings.get("model", "auto"))
    if view["fit"] is None:
        raise AnalysisError(f"{_NO_SERIES}: {view['problem']}")
    fitted = {key: value for key, value in view["fit"].items() if key not in ("line", "flags")}
    named = {
        key: value
        for one in view["quantities"]
        for key, value in (
            (one["key"], one["value"]),
            (f"{one['key']}_standard_error", one["standard_error"]),
        )
    }
    return Outcome(run.run_id, {**fitted, **named}, _distinct(view["flags"]))


def _eis(engine: Engine, run: queries.RunRecord, settings: Settings) -> Outcome:
    found = (
        spectra_with_circuit(engine, run, settings) if settings else evaluate(engine, run).spectra
    )
    if not found:
        raise AnalysisError("no complete spectrum in this run")
    spectra = [
        {
            "spectrum_count": one.spectrum_count,
            "cycle_count": one.cycle_count,
            "temperature_celsius": one.temperature_celsius,
            "fit": one.fit.to_dict() if one.fit is not None else None,
            "problem": one.problem or None,
        }
        for one in found
    ]
    flags = [note.to_dict() for one in found for note in one.flags]
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


KINDS: dict[str, Callable[[Engine, queries.RunRecord, Settings], Outcome]] = {
    "fade": _fade,
    "eis": _eis,
    "arrhenius": _arrhenius,
}
