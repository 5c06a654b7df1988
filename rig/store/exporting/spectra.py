"""A run's spectra as one table of points."""

from __future__ import annotations

import pandas as pd

from rig.core.errors import BadInput, Problem

# What each point is given of its spectrum: where it stands, what was around the cell, what speaks
# against it and which one it repeats.
HEAD = [
    "spectrum_count",
    "cycle_count",
    "ambient_temperature_celsius",
    "surface_temperature_celsius",
    "surface_temperature_span_kelvin",
    "applied_pressure_pa",
    "objection",
    "repeat_of",
]


def spectra_frame(
    spectra: pd.DataFrame, points: pd.DataFrame, wanted: int | None = None
) -> pd.DataFrame:
    """Return the points of complete spectra, or of the one that is ``wanted``, with their heads.

    Impedances in ohm, the imaginary part as measured. Raises BadInput when there is no such one.
    """
    whole = spectra[spectra["complete"].astype(bool)]
    known = whole["spectrum_count"].tolist()
    if not known and wanted is None:
        raise BadInput(Problem("--format", "got eis-csv, but the run has no complete spectrum"))
    if wanted is not None and wanted not in known:
        numbers = ", ".join(map(str, known)) or "none"
        raise BadInput(Problem("--spectrum", f"got {wanted}; complete spectra are: {numbers}"))
    if wanted is not None:
        whole = whole[whole["spectrum_count"] == wanted]
    heads = whole[HEAD].astype({"repeat_of": "Int64"})  # whole numbers, where there are any
    joined = heads.merge(points.drop(columns="run_id"), on="spectrum_count")
    return joined.drop(columns=["point_index"])
