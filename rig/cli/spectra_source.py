"""Spectra from SOURCE, a file of any potentiostat or a run: the one door for every command.

Knows no fit of its own; where ``rig fit conductivity`` is given a spectrum, the pellet's resistance
is found as in a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.spectra_words import origin
from rig.core.errors import AnalysisError, BadInput, Problem

if TYPE_CHECKING:
    import pandas as pd

    from rig.analysis.adequacy import Adequacy
    from rig.analysis.pellet import PelletResistance
    from rig.analysis.spectrum import Spectrum
    from rig.formats.eis import MeasuredSpectrum

SpectrumNumber = Annotated[
    int | None, typer.Option("--spectrum", help="Which one, where the source has several.")
]
Negated = Annotated[
    bool, typer.Option("--negated", help="The file holds -Z'' as Z'': turn it round.")
]

_MOST_LISTED = 6
# fits that take spectra; "eis" takes nothing else
_ONE, _EACH, _ALWAYS = {"eis", "interface"}, "conductivity", "eis"


def load_measured(source: str, db: str | None, *, negated: bool = False) -> list[MeasuredSpectrum]:
    """Return every spectrum of a file or of a run, numbered; BadInput for what is neither."""
    if Path(source).is_file():
        from rig.formats.eis import load_spectra

        return load_spectra(source, negated=negated)
    from rig.cli.spectra_of_run import spectra_of_run

    return spectra_of_run(source, db)


def chosen(
    spectra: list[MeasuredSpectrum], number: int | None, source: str
) -> list[MeasuredSpectrum]:
    """Return the spectrum of this number, or all without one; BadInput lists what there is."""
    if number is None:
        return spectra
    found = [one for one in spectra if one.number == number]
    if not found:
        raise BadInput(Problem("--spectrum", f"got {number}; {source} has {_listed(spectra)}"))
    return found


def the_only(spectra: list[MeasuredSpectrum], number: int | None, source: str) -> MeasuredSpectrum:
    """Return the one spectrum that is meant; BadInput where several could be."""
    found = chosen(spectra, number, source)
    if len(found) > 1:
        message = f"holds {len(found)} spectra ({_listed(found)}), and this takes one"
        raise BadInput(Problem(source, message, example="--spectrum 1"))
    return found[0]


def as_spectrum(measured: MeasuredSpectrum) -> Spectrum:
    """Return the points as the analyses take them."""
    from rig.analysis.spectrum import spectrum

    impedance = measured.impedance_ohm
    return spectrum(measured.frequency_hertz, impedance.real, impedance.imag)


def spectrum_table(
    path: Path, fit: str, *, number: int | None = None, negated: bool = False
) -> pd.DataFrame | None:
    """Return a file of spectra as the table that ``fit`` takes; None where it is another table.

    ``eis`` and ``interface``: one spectrum, its points. ``conductivity``: one resistance a spectrum.
    """
    from rig.formats.eis import holds_spectra, load_spectra

    if fit not in {*_ONE, _EACH} or (fit != _ALWAYS and not holds_spectra(path)):
        return None
    spectra = load_spectra(path, negated=negated)
    if fit == _EACH:
        return _resistances(chosen(spectra, number, str(path)))
    return _points(the_only(spectra, number, str(path)))


def _points(measured: MeasuredSpectrum) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "frequency_hertz": measured.frequency_hertz,
            "real_impedance_ohm": measured.impedance_ohm.real,
            "imaginary_impedance_ohm": measured.impedance_ohm.imag,
        }
    )
    if measured.temperature_celsius is not None:
        frame["temperature_celsius"] = measured.temperature_celsius
    frame.attrs["statements"] = measured.statements
    return frame


def _resistances(spectra: list[MeasuredSpectrum]) -> pd.DataFrame:
    """Return the ionic resistance between blocking electrodes, one row a spectrum.

    Raises AnalysisError with every spectrum that no circuit describes: it has no such resistance.
    """
    import pandas as pd

    from rig.analysis.adequacy import adequacy, undescribed
    from rig.analysis.pellet import pellet_resistance

    points = [as_spectrum(one) for one in spectra]
    pellets = [pellet_resistance(one) for one in points]
    judged = [adequacy(one, pellet.fit) for one, pellet in zip(points, pellets, strict=True)]
    refused = [one.name for one, how in zip(spectra, judged, strict=True) if not how.described]
    if refused:
        message = f"no resistance between blocking electrodes in {', '.join(refused)}"
        remedy = "for other cells: rig fit eis with --circuit, or rig fit interface"
        raise AnalysisError(f"{message}: {undescribed(judged)}", remedy=remedy)
    _refuse_undetermined(spectra, pellets)
    frame = pd.DataFrame([_row(one, pellet) for one, pellet in zip(spectra, pellets, strict=True)])
    frame.attrs["fits"] = [_fit(*one) for one in zip(spectra, pellets, judged, strict=True)]
    return frame


def _refuse_undetermined(spectra: list[MeasuredSpectrum], pellets: list[PelletResistance]) -> None:
    named = [
        f"{one.name} ({pellet.fit.circuit})"
        for one, pellet in zip(spectra, pellets, strict=True)
        if not pellet.electrolyte.determined
    ]
    if named:
        message = f"the electrolyte's resistance is not determined by {', '.join(named)}"
        raise AnalysisError(message, remedy="see rig fit eis, with --circuit")


def _fit(measured: MeasuredSpectrum, pellet: PelletResistance, judged: Adequacy) -> dict[str, Any]:
    """Return which circuit and resistors a resistance is of, what is not in it, and the flags."""
    return {
        **origin(measured),
        "circuit": str(pellet.fit.circuit),
        "electrolyte_resistors": list(pellet.electrolyte_resistors),
        "left_out_resistors": {
            name: dict(zip(("resistance_ohm", "standard_error_ohm"), found, strict=True))
            for name in pellet.left_out_resistors
            for found in [pellet.fit.sum_of([name])]
        },
        "residual_rms_relative": pellet.fit.residual_rms_relative,
        **judged.to_dict(),
        "flags": [note.to_dict() for note in (*judged.flags, *pellet.flags)],
    }


def _row(measured: MeasuredSpectrum, pellet: PelletResistance) -> dict[str, float]:
    found = pellet.electrolyte
    row = {
        "resistance_ohm": found.resistance_ohm,
        "relative_uncertainty": found.standard_error_ohm / found.resistance_ohm,
    }
    if measured.temperature_celsius is not None:
        row["temperature_celsius"] = measured.temperature_celsius
    return row


def _listed(spectra: list[MeasuredSpectrum]) -> str:
    shown = [f"{one.number} ({len(one)} points)" for one in spectra[:_MOST_LISTED]]
    more = len(spectra) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)
