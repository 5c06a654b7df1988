"""The table of results: every quantity with its uncertainty, and the truth where cells are simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.analysis.flags import FlagNote
from rig.report.findings import Quantity, RunFindings
from rig.report.numbers import NOTHING, beside, between, counted, plus_minus


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One quantity as it is printed; ``recovered`` is None where no truth is known."""

    title: str
    key: str
    value: str
    unit: str
    interval: str
    truth: str
    recovered: bool | None
    verdict: str
    distance: str  # from the truth, in standard errors
    flags: tuple[FlagNote, ...]


def result_row(quantity: Quantity, *, simulated: bool) -> ResultRow:
    """Write one quantity; of a real cell nobody knows the truth, whatever the quantity carries."""
    value, error = quantity.value, quantity.standard_error
    truth = quantity.truth if simulated else None
    recovered = quantity.recovered if simulated else None
    return ResultRow(
        title=quantity.title.replace(" °C", "\N{NO-BREAK SPACE}°C"),
        key=quantity.key,
        value=plus_minus(value, error),
        unit=quantity.unit,
        interval=between(*quantity.interval(0.95), value, error),
        truth=NOTHING if truth is None else beside(truth, value, error),
        recovered=recovered,
        verdict=NOTHING if recovered is None else "recovered" if recovered else "not recovered",
        distance="" if truth is None else _distance(value - truth, error),
        flags=quantity.flags,
    )


def _distance(difference: float, standard_error: float) -> str:
    if not standard_error > 0:
        return ""
    return f"{difference / standard_error:+.1f} u".replace("-", "−")


def summary(findings: Sequence[RunFindings]) -> str:
    """Say in one or two sentences how many runs and results there are, and how good they are."""
    if not findings:
        return "No runs."
    finished = sum(run.state == "finished" for run in findings)
    text = f"{counted(len(findings), 'run')}, {finished} finished; {_found(findings)}."
    known = [
        quantity.recovered
        for run in findings
        if run.simulated
        for quantity in run.quantities
        if quantity.recovered is not None
    ]
    if known:
        text += f" {sum(known)} of {counted(len(known), 'known truth')} within the 99 % interval."
    return text


def _found(findings: Sequence[RunFindings]) -> str:
    """Count the results; where there are none, what was measured all the same."""
    results = sum(len(run.quantities) for run in findings)
    if results:
        return counted(results, "result")
    cycles = sum(len(run.cycling.table.cycles) for run in findings if run.cycling)
    spectra = sum(len(run.spectra) for run in findings)
    measured = [counted(cycles, "cycle")] if cycles else []
    measured += [counted(spectra, "spectrum", "spectra")] if spectra else []
    return ", ".join(measured) or "no results"


def has_truth(findings: Sequence[RunFindings]) -> bool:
    """Return whether the table needs its columns about the truth."""
    return any(
        run.simulated and quantity.truth is not None
        for run in findings
        for quantity in run.quantities
    )
