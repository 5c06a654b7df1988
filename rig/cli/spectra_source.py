"""Spectra from SOURCE, a file of any potentiostat or a run: the one door for every command.

Knows no fit of its own; where ``rig fit
conductivity`` is given a spectrum, the pellet's resistance is found as in a run.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    import pandas as pd

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
    return _of_run(source, db)


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
    """Return the ionic resistance between blocking electrodes, one row a spectrum."""
    import pandas as pd

    from rig.analysis.pellet import pellet_resistance

    rows = []
    for one in spectra:
        found = pellet_resistance(as_spectrum(one)).electrolyte
        row = {
            "resistance_ohm": found.resistance_ohm,
            "relative_uncertainty": found.standard_error_ohm / found.resistance_ohm,
        }
        if one.temperature_celsius is not None:
            row["temperature_celsius"] = one.temperature_celsius
        rows.append(row)
    return pd.DataFrame(rows)


def _of_run(source: str, db: str | None) -> list[MeasuredSpectrum]:
    """Return the complete spectra of a run, with the points that were measured once more."""
    from rig.cli.tables import opened_run
    from rig.store import queries, tables

    with opened_run(source, db) as (engine, run):
        heads = queries.table_frame(engine, tables.spectrum, run.run_id)
        points = queries.table_frame(engine, tables.impedance_point, run.run_id)
    name = f"run {run.run_id[:8]}"
    found = [
        _from_rows(head, points[points["spectrum_count"] == head["spectrum_count"]], name)
        for head in heads[heads["complete"].astype(bool)].to_dict("records")
    ]
    if not found:
        raise BadInput(Problem(source, f"{name} has no complete spectrum"))
    return found


def _from_rows(head: dict[Any, Any], points: pd.DataFrame, name: str) -> MeasuredSpectrum:
    from rig.formats.eis import MeasuredSpectrum

    finite = points.dropna(subset=["real_impedance_ohm", "imaginary_impedance_ohm"])
    again = finite["repeated"].to_numpy(dtype=bool)
    hertz = finite["frequency_hertz"].to_numpy(dtype=float)
    real, imaginary = (finite[f"{part}_impedance_ohm"] for part in ("real", "imaginary"))
    ohm = real.to_numpy(dtype=float) + 1j * imaginary.to_numpy(dtype=float)
    seconds = finite["ts_us"].to_numpy(dtype=float)[~again] / 1e6
    celsius = head["ambient_temperature_celsius"]
    left_out = len(points) - len(finite)
    return MeasuredSpectrum(
        hertz[~again],
        ohm[~again],
        name,
        "cellrig",
        int(head["spectrum_count"]),
        time_second=seconds if seconds.size and seconds[-1] > seconds[0] else None,
        temperature_celsius=None if _absent(celsius) else float(celsius),
        metadata=_open_circuit(head),
        statements=(f"{left_out} points without a number left out",) if left_out else (),
        repeated_hertz=hertz[again],
        repeated_ohm=ohm[again],
    )


def _open_circuit(head: dict[Any, Any]) -> dict[str, str]:
    """Return the open-circuit voltages around the spectrum; a bias moves them by itself."""
    if not _absent(head["bias_volt"]):
        return {}
    names = ("open_circuit_before_volt", "open_circuit_after_volt")
    return {name: repr(float(head[name])) for name in names if not _absent(head[name])}


def _absent(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _listed(spectra: list[MeasuredSpectrum]) -> str:
    shown = [f"{one.number} ({len(one)} points)" for one in spectra[:_MOST_LISTED]]
    more = len(spectra) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)
