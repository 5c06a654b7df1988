"""The ``correction:`` of a channel: the open and the short of its fixture, measured, as CSV files.

Such a file is what ``rig runs export RUN --format eis-csv`` writes of a spectrum of the empty or
the shorted fixture. Its content is kept with every spectrum by checksum, and with every run whole.
"""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path

import pandas as pd

from rig.bench.collecting import Collector
from rig.core.fields import wrong_width
from rig.core.fixture import Fixture, FixtureSpectrum
from rig.protocol.source import Node

PARTS = ("open", "short")
COLUMNS = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")
_EXAMPLE = "correction: {open: A1-open.csv, short: A1-short.csv}"


def read_correction(to: Collector, node: Node, folder: Path) -> Fixture | None:
    """Return the fixture, or None with the problems collected; paths are relative to ``folder``."""
    if not isinstance(node.value, dict) or not node.value:
        to.refuse(node, f"got {node.plain()!r}, expected an open, a short or both", _EXAMPLE)
        return None
    to.keys(node, PARTS, "a correction")
    before = len(to.problems)
    read = {part: _read_part(to, node.child(part), folder) for part in PARTS if node.get(part)}
    if len(to.problems) > before:
        return None
    known = {part: found for part, found in read.items() if found is not None}
    spectra = {part: spectrum for part, (spectrum, _) in known.items()}
    source = tuple((part, words) for part, (_, words) in known.items())
    return Fixture(spectra.get("open"), spectra.get("short"), source)


def _read_part(to: Collector, node: Node, folder: Path) -> tuple[FixtureSpectrum, str] | None:
    if not isinstance(node.value, str):
        to.refuse(node, f"got {node.plain()!r}, expected the name of a CSV file", _EXAMPLE)
        return None
    try:
        content = (folder / node.value).read_bytes()
        wrong = _wrong_rows(content.decode("utf-8-sig"))
        if wrong:
            to.refuse(node, f"{node.value}: {wrong}", _EXAMPLE)
            return None
        frame = pd.read_csv(io.BytesIO(content), comment="#", index_col=False)
    except OSError as error:
        to.refuse(node, f"{node.value}: cannot be read: {error.strerror}", _EXAMPLE)
        return None
    except ValueError as error:  # pandas' own parser errors, and bytes that are no UTF-8, are these
        to.refuse(node, f"{node.value}: is no table: {error}", _EXAMPLE)
        return None
    problem = _problem(frame)
    if problem:
        to.refuse(node, f"{node.value}: {problem}", _EXAMPLE)
        return None
    return _spectrum(frame), f"{node.value} sha256 {hashlib.sha256(content).hexdigest()}"


def _wrong_rows(text: str) -> str:
    """Say which row has other fields than labels, as after a decimal comma; empty when none has."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    rows = [(at, line.split(",")) for at, line in enumerate(lines, start=1) if line.strip()]
    labels = [label.strip() for label in rows[0][1]] if rows else []
    if not set(COLUMNS) <= set(labels):
        return ""  # said with the columns that there are
    found = (
        wrong_width(f"line {at}", cells, labels, ",", fewest=len(labels)) for at, cells in rows[1:]
    )
    return next((str(problem) for problem in found if problem), "")


def _problem(frame: pd.DataFrame) -> str:
    """Say what is wrong with a table of a spectrum; empty when nothing is."""
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        return f"has no column {', '.join(missing)}; it has: {', '.join(map(str, frame.columns))}"
    if "spectrum_count" in frame and frame["spectrum_count"].nunique() > 1:
        count = frame["spectrum_count"].nunique()
        return f"holds {count} spectra; export one of them with --spectrum N"
    values = frame[list(COLUMNS)].apply(pd.to_numeric, errors="coerce")
    if values.empty or not all(map(math.isfinite, values.to_numpy(float).ravel())):
        return "holds no points, or some without a number"
    if (values["frequency_hertz"] <= 0).any():
        return "holds a frequency that is not above zero"
    return ""


def _spectrum(frame: pd.DataFrame) -> FixtureSpectrum:
    """Return the points, each frequency once: those that were repeated are averaged."""
    mean = frame[list(COLUMNS)].astype(float).groupby("frequency_hertz", as_index=False).mean()
    rows = mean.itertuples(index=False, name=None)
    return FixtureSpectrum.of(
        [(hertz, complex(real, imaginary)) for hertz, real, imaginary in rows]
    )
