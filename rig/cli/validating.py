"""``rig kk`` and ``rig drt``: may this spectrum be believed, and which processes does it hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.fit_options import Database, Json
from rig.cli.kk_output import complain_of_too_few, show_verdicts
from rig.cli.output import picture_file, print_json
from rig.cli.spectra_source import (
    Negated,
    SpectrumNumber,
    as_spectrum,
    chosen,
    load_measured,
    the_only,
)
from rig.cli.spectra_words import origin, print_statements, title
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from rig.analysis.drift import TimedDrift
    from rig.analysis.drt import RelaxationTimes
    from rig.analysis.flags import FlagNote
    from rig.analysis.kramers_kronig import KramersKronig
    from rig.analysis.valid_window import ValidWindow
    from rig.analysis.z_hit import ZHit
    from rig.formats.eis import MeasuredSpectrum

Source = Annotated[str, typer.Argument(help="A potentiostat's file, csv, or a run id.")]
Figure = Annotated[
    str | None, typer.Option("--figure", help="Write a picture as well: .png, .svg or .pdf.")
]
METHODS = ("complex", "real", "imaginary")


def kk(
    source: Source,
    method: Annotated[
        str, typer.Option(help="Which part is fitted: complex, real or imaginary.")
    ] = "complex",
    elements: Annotated[
        int | None, typer.Option(help="Number of RC elements; default: raised until enough.")
    ] = None,
    spectrum: SpectrumNumber = None,
    negated: Negated = False,
    figure: Figure = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Check spectra for linearity, causality and stability (Lin-KK), and for drift.

    A refused spectrum is an answer and ends with 0, one with too few points to be judged with 1.
    Several spectra are all checked; the keys at the top are those of the worst.
    """
    from rig.analysis.kramers_kronig import check
    from rig.analysis.valid_window import valid_window
    from rig.analysis.z_hit import z_hit

    _refuse_options(method, elements)
    path = None if figure is None else picture_file("--figure", figure)
    found = chosen(load_measured(source, db, negated=negated), spectrum, source)
    answers = []
    for measured in found:
        points = as_spectrum(measured)
        verdict = check(points, method, elements=elements)  # type: ignore[arg-type]
        window, hit = valid_window(points, verdict), z_hit(points, verdict.noise)
        answers.append(_kk_answer(measured, verdict, window, hit))
    worst = max(range(len(found)), key=lambda at: _badness(answers[at]))
    if path is not None:
        from rig.report.figures_kk import draw_validation

        points = as_spectrum(found[worst])
        verdict = check(points, method, elements=elements)  # type: ignore[arg-type]
        hit = z_hit(points, verdict.noise)
        draw_validation(path, points, verdict, hit, title(found[worst]))
    code = complain_of_too_few(answers)
    if json:
        print_json({**answers[worst], "spectra": answers} if len(answers) > 1 else answers[worst])
    else:
        show_verdicts(answers)
    return code


def drt(
    source: Source,
    smoothing: Annotated[
        str, typer.Option("--lambda", help="auto (cross-validation), or a number such as 1e-3.")
    ] = "auto",
    force: Annotated[
        bool, typer.Option("--force", help="Even where the spectrum fails 'rig kk'.")
    ] = False,
    spectrum: SpectrumNumber = None,
    negated: Negated = False,
    figure: Figure = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Show the distribution of relaxation times of one spectrum: peaks with resistances and bands."""
    from rig.analysis.drt import relaxation_times

    value = _lambda(smoothing)
    path = None if figure is None else picture_file("--figure", figure)
    measured = the_only(load_measured(source, db, negated=negated), spectrum, source)
    points = as_spectrum(measured)
    found = relaxation_times(points, smoothing=value, force=force)
    if path is not None:
        from rig.report.figures_drt import draw_relaxation_times

        draw_relaxation_times(path, points, found, title(measured))
    if json:
        print_json({**found.to_dict(), **origin(measured)})
    else:
        _show_peaks(found, measured)
    return 0


def _refuse_options(method: str, elements: int | None) -> None:
    problems = []
    if method not in METHODS:
        message = f"got {method!r}, expected one of {', '.join(METHODS)}"
        problems.append(Problem("--method", message, example="--method complex"))
    if elements is not None and elements < 1:
        problems.append(Problem("--elements", f"got {elements}, expected at least 1"))
    if problems:
        raise BadInput(problems)


def _lambda(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        message = f"got {text!r}, expected auto or a number above 0 and below 1e6"
        raise BadInput(Problem("--lambda", message, example="--lambda 1e-3"))
    return value


# --- what is answered ----------------------------------------------------------------------------


def _kk_answer(
    measured: MeasuredSpectrum,
    verdict: KramersKronig,
    window: ValidWindow | None,
    hit: ZHit | None,
) -> dict[str, Any]:
    drift = _timed_drift(measured)
    of_times, of_modulus = (one.flags if one else () for one in (drift, hit))
    flags = (*verdict.flags, *_drift_flags(measured), *of_times, *of_modulus)
    return {
        **verdict.to_dict(),
        "flags": [note.to_dict() for note in flags],
        "window": None if window is None else window.to_dict(),
        "drift_change": None if drift is None else drift.change,
        "drift_standard_error": None if drift is None else drift.standard_error,
        "z_hit_slow_end_change": None if hit is None else hit.slow_end_change,
        "z_hit_standard_error": None if hit is None else hit.standard_error,
        **origin(measured),
    }


def _drift_flags(measured: MeasuredSpectrum) -> tuple[FlagNote, ...]:
    """Return what repeated points and open-circuit voltages say, where there are any."""
    from rig.analysis.drift import drift_flags, relative_change

    change = relative_change(
        measured.frequency_hertz,
        measured.impedance_ohm,
        measured.repeated_hertz,
        measured.repeated_ohm,
    )
    names = ("open_circuit_before_volt", "open_circuit_after_volt")
    before, after = (
        float(measured.metadata[name]) if name in measured.metadata else None for name in names
    )
    return drift_flags(change, before, after)


def _timed_drift(measured: MeasuredSpectrum) -> TimedDrift | None:
    from rig.analysis.drift import drift_from_times

    if measured.time_second is None:
        return None
    return drift_from_times(measured.frequency_hertz, measured.impedance_ohm, measured.time_second)


def _badness(answer: dict[str, Any]) -> tuple[bool, bool, float]:
    residual = max(answer["max_residual_real"], answer["max_residual_imaginary"])
    return not answer["valid"], answer["too_few_points"], residual


# --- what people read ----------------------------------------------------------------------------


def _show_peaks(found: RelaxationTimes, measured: MeasuredSpectrum) -> None:
    from rig.cli.fit_output import show_flags, show_table, with_error

    rows = [
        (
            f"peak {count}",
            with_error(peak.resistance_ohm, peak.standard_error_ohm, "ohm"),
            f"{peak.time_constant_second:.3g} s",
            f"{peak.frequency_hertz:.3g} Hz",
            f"{peak.capacitance_farad:.3g} F",
        )
        for count, peak in enumerate(found.peaks, start=1)
    ]
    show_table(
        f"Relaxation times, {measured.name}",
        ("process", "resistance", "time constant", "frequency", "tau/R"),
        rows,
    )
    if not rows:
        print(" info no peak stands out of the noise inside the measured window")
    print_statements(measured.number, list(measured.statements))
    print(f" info lambda {found.lambda_used:.1e} ({found.lambda_method})")
    show_flags([note.to_dict() for note in found.flags])
