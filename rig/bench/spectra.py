"""A run's spectra as the analyses take them: complete ones, with what the rig knows of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Engine

from rig.analysis.adequacy import adequacy
from rig.analysis.drift import correction_flags, drift_flags, relative_change
from rig.analysis.flags import ARR_TSAMPLE, EIS_FIT, FlagNote, Level, flag
from rig.analysis.impedance_result import CircuitFit
from rig.analysis.kramers_kronig import check
from rig.analysis.spectrum import Spectrum, spectrum
from rig.analysis.z_hit import z_hit
from rig.core.errors import BadInput
from rig.report.findings import SpectrumFinding
from rig.store import queries, tables

POINT_COLUMNS = ["frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm"]

WHOSE = ("surface", "ambient")  # temperatures of a spectrum: the sample's own, the chamber's
# science.md section 6; a thermocouple's noise over a long spectrum is no drift of the sample.
MOST_OFFSET_KELVIN = 1.0
MOST_SPAN_KELVIN = 0.5

Event = tuple[float, str, str]  # test time in seconds, kind, message


def load_spectra(
    engine: Engine, run_id: str, *, leads_known: bool, with_repeated: bool = False
) -> tuple[list[SpectrumFinding], list[Event]]:
    """Return every complete spectrum, not yet fitted, and which points or spectra were left out.

    One that was measured again, because Kramers-Kronig refused it, is left out unless it is wanted.
    """
    frame = queries.table_frame(engine, tables.spectrum, run_id)
    points = queries.table_frame(engine, tables.impedance_point, run_id)
    found: list[SpectrumFinding] = []
    left_out: list[Event] = []
    whole = frame[frame["complete"].astype(bool)].to_dict("records")
    again = {} if with_repeated else measured_again(whole)
    for row in whole:
        second, newer = float(row["test_time_second"]), again.get(row["spectrum_count"])
        if newer is not None:
            left_out.append((second, "left out", _repeated_words(row, newer)))
            continue
        every = points[points["spectrum_count"] == row["spectrum_count"]]
        repeated = every["repeated"].astype(bool)
        own = every[~repeated][POINT_COLUMNS]
        finite = own.astype(float).dropna()
        where, told = f"spectrum {row['spectrum_count']}", []
        if len(finite) < len(own):
            told.append(f"{where}: {len(own) - len(finite)} of {len(own)} points have no number")
        try:
            measured = spectrum(*(finite[name] for name in POINT_COLUMNS))
        except BadInput as error:
            told.append(f"{where} is left out: {error}")
        else:
            flags = _flags(row, measured, every[repeated], leads_known=leads_known)
            found.append(_finding(row, measured, flags))
        left_out += [(second, "left out", message) for message in told]
    return found, left_out


def measured_again(whole: Iterable[Mapping[Any, Any]]) -> dict[int, int]:
    """Return the number of each complete spectrum that another complete one repeats -> that one's."""
    pairs = ((row["repeat_of"], row["spectrum_count"]) for row in whole)
    return {int(old): int(new) for old, new in pairs if old is not None and not math.isnan(old)}


def _repeated_words(row: Mapping[Any, Any], newer: int) -> str:
    count, objection = row["spectrum_count"], row["objection"]
    return f"spectrum {count} is left out: it was measured again as spectrum {newer}; {objection}"


def _flags(
    row: Mapping[Any, Any], measured: Spectrum, repeated: pd.DataFrame, *, leads_known: bool
) -> tuple[FlagNote, ...]:
    again = repeated[POINT_COLUMNS].astype(float).dropna()
    frequency, impedance = measured.frequency_hertz, measured.impedance_ohm
    change = relative_change(frequency, impedance, *_columns(again))
    before, after = (_volt(row[f"open_circuit_{when}_volt"]) for when in ("before", "after"))
    if row["bias_volt"] is not None and not math.isnan(row["bias_volt"]):
        before = after = None  # a bias moves the voltage by itself
    correction = row["correction"] or {}
    verdict = check(measured)
    modulus = z_hit(measured, verdict.noise)
    return (
        *verdict.flags,
        *drift_flags(change, before, after),
        *(modulus.flags if modulus else ()),
        *correction_flags(
            frequency,
            impedance,
            series=leads_known or "short" in correction,
            stray="open" in correction,
        ),
    )


def _columns(points: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    real, imaginary = (points[name].to_numpy(float) for name in POINT_COLUMNS[1:])
    return points["frequency_hertz"].to_numpy(float), real + 1j * imaginary


def _volt(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _finding(
    row: Mapping[Any, Any], measured: Spectrum, flags: tuple[FlagNote, ...]
) -> SpectrumFinding:
    sample, chamber = (_number(row[f"{whose}_temperature_celsius"]) for whose in WHOSE)
    spans = [_number(row[f"{whose}_temperature_span_kelvin"]) for whose in WHOSE]
    of_sample = not math.isnan(sample)
    return SpectrumFinding(
        int(row["spectrum_count"]),
        int(row["cycle_count"]),
        sample if of_sample else chamber,
        measured,
        None,
        flags=(*flags, *_temperature_flags(sample, chamber, spans[0])),
        of_sample=of_sample,
        temperature_span_kelvin=spans[0] if of_sample else spans[1],
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _temperature_flags(
    sample_celsius: float, chamber_celsius: float, span_kelvin: float
) -> Iterator[FlagNote]:
    """ARR-TSAMPLE of a sample with a sensor: was it at temperature, and did it stay there?"""
    offset = sample_celsius - chamber_celsius
    if abs(offset) > MOST_OFFSET_KELVIN:
        yield flag(ARR_TSAMPLE, f"sample is {offset:+.2f} K from its chamber")
    if span_kelvin > MOST_SPAN_KELVIN:
        yield flag(ARR_TSAMPLE, f"sample moved by {span_kelvin:.2f} K during the spectrum")


def with_fit(one: SpectrumFinding, fit: CircuitFit) -> SpectrumFinding:
    """Return a spectrum with its fit, flagged EIS-FIT where the circuit does not describe it."""
    notes = [note for note in adequacy(one.spectrum, fit).flags if note.code == EIS_FIT]
    return replace(one, fit=fit, flags=(*one.flags, *notes))


def undescribed(one: SpectrumFinding) -> str:
    """Return why nothing may be read from a spectrum's fit; "" where it describes the spectrum."""
    blocking = (note for note in one.flags if note.code == EIS_FIT and note.level is Level.BLOCK)
    return next((note.message for note in blocking), "")
