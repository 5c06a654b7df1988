"""From findings to one self-contained page: sections, figures and tables, then the template.

Everything a user has written passes through the template's escaping; only figures are set in as
they are, and no user's text is ever drawn. The same findings give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rig.analysis.flags import FLAGS, FlagNote
from rig.report.cycling_tables import CycleRow, LawRow, cycle_rows, end_of_life_words, law_rows
from rig.report.drawing import Drawing, Width
from rig.report.facts import EventRow, Instrument, events, facts, instruments, missing, span
from rig.report.figures_arrhenius import arrhenius_figures
from rig.report.figures_bode import bode_figure, residual_figure
from rig.report.figures_cycling import cycling_figure
from rig.report.figures_nyquist import nyquist_figures, single_spectra_figure
from rig.report.figures_resistance import resistance_figure
from rig.report.figures_time import time_figure
from rig.report.findings import RunFindings
from rig.report.impedance_tables import (
    SpectrumRow,
    TemperatureRow,
    spectrum_rows,
    temperature_rows,
)
from rig.report.results import ResultRow, has_truth, result_row, summary
from rig.report.spectra import series

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Section:
    """One run as the template shows it."""

    anchor: str
    run: RunFindings
    facts: tuple[tuple[str, str], ...]
    instruments: tuple[Instrument, ...]
    missing: tuple[str, ...]
    results: tuple[ResultRow, ...]
    flags: tuple[FlagNote, ...]
    events: tuple[EventRow, ...]
    history: tuple[Drawing, ...]
    answers: tuple[Drawing, ...]  # Arrhenius plots and capacities: what the run was made for
    impedance: tuple[Drawing, ...]
    temperatures: tuple[TemperatureRow, ...]
    spectra: tuple[SpectrumRow, ...]
    laws: tuple[LawRow, ...]
    end_of_life: str
    cycles: tuple[CycleRow, ...]

    @property
    def heading(self) -> str:
        cell = self.run.cell_name or "unnamed cell"
        return f"Channel {self.run.channel}: {cell}"


def report_html(findings: Sequence[RunFindings], title: str) -> str:
    """Return the whole page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        title=title,
        summary=summary(findings),
        span=span(findings),
        versions=sorted({run.software_version for run in findings}),
        origin=_origin(findings),
        with_truth=has_truth(findings),
        sections=[_section(run, number) for number, run in enumerate(findings, start=1)],
        flag_meanings=FLAGS,
    )


def _origin(findings: Sequence[RunFindings]) -> str:
    """Say whether cells were real: the one thing no reader may get wrong."""
    simulated = {run.simulated for run in findings}
    if simulated == {True}:
        return "simulated cells"
    return "real cells" if simulated == {False} else "real and simulated cells" if simulated else ""


def _section(run: RunFindings, number: int) -> Section:
    spectra = series(run.spectra)
    cycling, fade = run.cycling, run.cycling.fade if run.cycling else None
    last = cycling.table.cycles[-1].cycle_count if cycling and cycling.table.cycles else 0
    return Section(
        anchor=f"run-{number}",
        run=run,
        facts=facts(run),
        instruments=instruments(run),
        missing=missing(run),
        results=tuple(result_row(one, simulated=run.simulated) for one in run.quantities),
        flags=_flags(run),
        events=events(run),
        history=_present(time_figure(run)),
        answers=_present(*arrhenius_figures(run), cycling_figure(run)),
        impedance=_impedance(run),
        temperatures=temperature_rows(run.pellet) if run.pellet else (),
        spectra=spectrum_rows(spectra),
        laws=law_rows(fade) if fade else (),
        end_of_life=end_of_life_words(fade, last) if fade else "",
        cycles=cycle_rows(cycling) if cycling else (),
    )


def _impedance(run: RunFindings) -> tuple[Drawing, ...]:
    if not run.spectra:
        return ()
    spectra = series(run.spectra)
    halves = _present(
        *nyquist_figures(run, spectra),
        resistance_figure(run, spectra),
        bode_figure(run, spectra),
    )
    left_alone: Width = "full" if len(halves) % 2 == 0 else "half"
    residuals = residual_figure(run, spectra, left_alone)
    return _present(*halves, residuals, single_spectra_figure(run, spectra))


def _flags(run: RunFindings) -> tuple[FlagNote, ...]:
    """Return the run's flags and those of its quantities, each once."""
    own = [note for quantity in run.quantities for note in quantity.flags]
    return tuple(dict.fromkeys((*run.flags, *own)))


def _present(*drawings: Drawing | None) -> tuple[Drawing, ...]:
    return tuple(drawing for drawing in drawings if drawing is not None)
