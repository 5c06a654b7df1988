"""The spectra of a run as a file's would be, and which of them stand where some were measured again.

A run keeps every spectrum, also those that Kramers-Kronig refused and that were then repeated. To
judge them all is one thing; a series takes one of each step, as the report does. Knows no fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    import pandas as pd

    from rig.formats.eis import MeasuredSpectrum


def spectra_of_run(source: str, db: str | None) -> list[MeasuredSpectrum]:
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
        metadata={**_open_circuit(head), **_repeat(head)},
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


def _repeat(head: dict[Any, Any]) -> dict[str, str]:
    """Return what speaks against a spectrum, and the number of the one that it repeats."""
    objection = head["objection"]  # null in the database: None, or NaN beside others
    said = {"objection": objection} if isinstance(objection, str) and objection else {}
    if not _absent(head["repeat_of"]):
        said["repeat_of"] = str(int(head["repeat_of"]))
    return said


def standing(spectra: Sequence[MeasuredSpectrum]) -> list[MeasuredSpectrum]:
    """Return the spectra without those that were measured again: the last repeat stands for them.

    What is left out is named, with its objection, in the ``statements`` of the one that stands.
    """
    by_count = {_count(one): one for one in spectra}
    repeats = [
        {"spectrum_count": count, "repeat_of": int(one.metadata["repeat_of"])}
        for count, one in by_count.items()
        if "repeat_of" in one.metadata
    ]
    if not repeats:
        return list(spectra)
    from rig.bench.spectra import measured_again

    again = measured_again(repeats)
    left_out: dict[int, list[str]] = {}
    for old in sorted(set(again) & set(by_count)):
        left_out.setdefault(_last(old, again), []).append(_left_out_words(by_count[old]))
    return [
        replace(one, statements=(*one.statements, *left_out.get(count, ())))
        for count, one in by_count.items()
        if count not in again
    ]


def _count(one: MeasuredSpectrum) -> int:
    """Return the run's own number of a spectrum; files count theirs from 1."""
    return int(one.metadata.get("spectrum_count", one.number))


def _last(count: int, again: dict[int, int]) -> int:
    while count in again:
        count = again[count]
    return count


def _left_out_words(one: MeasuredSpectrum) -> str:
    why = one.metadata.get("objection", "")
    said = f"stands for spectrum {_count(one)}, which was measured again and is left out"
    return f"{said}: {why}" if why else said
