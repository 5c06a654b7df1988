"""From a table of text to spectra in base units: everything that can be wrong is found here, at once.

Rows without a frequency (direct-current points between the spectra) are left out and counted.
Loops are told apart by the file's own counter, or by a sweep that begins anew.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rig.core.errors import BadInput, Problem
from rig.core.fields import few, refuse_mixed_marks, refuse_wrong_rows, wrong_width
from rig.formats.eis.delimited import number
from rig.formats.eis.labels import (
    FREQUENCY,
    IMAGINARY,
    LOOP,
    MODULUS,
    PHASE,
    REAL,
    REPEAT_OF,
    REPEATED,
    TEMPERATURE,
    TIME,
    Column,
    column,
)
from rig.formats.eis.measured import Block, Floats, MeasuredSpectrum

FEWEST_POINTS = 4
_MOST_NAMED = 5
_SAME_FREQUENCY = 1e-6
_RESTART = 0.5  # of the sweep's decades, against its direction
_IMPEDANCE = {FREQUENCY, REAL, IMAGINARY, MODULUS, PHASE}
_EXTRA = {TIME, LOOP, REPEATED, REPEAT_OF, TEMPERATURE}
_FLAGS = {"true": 1.0, "false": 0.0, "": math.nan}

Columns = Mapping[str, Floats]


def spectra(blocks: list[Block], source: str) -> list[MeasuredSpectrum]:
    """Return the spectra of all tables, numbered from 1; BadInput names all that is wrong."""
    found: list[MeasuredSpectrum] = []
    problems: list[Problem] = []
    remedies: list[str] = []
    for block in blocks:
        try:
            found += _of_block(block, source)
        except BadInput as error:
            problems += error.problems
            remedies.append(error.remedy)
    if problems:
        raise BadInput(problems, remedy=next(filter(None, remedies), ""))
    return [replace(one, number=count) for count, one in enumerate(found, start=1)]


def _of_block(block: Block, source: str) -> list[MeasuredSpectrum]:
    chosen, statements = _choose(block, source)
    _refuse_split_numbers(block, chosen, source)
    values, lines = _numbers(block, chosen, source)
    keep = values[FREQUENCY] != 0.0
    if left := int(np.count_nonzero(~keep)):
        statements.append(f"{left} rows at zero frequency (direct current) left out")
    values = _cartesian({name: column[keep] for name, column in values.items()})
    parts = _parts(values)
    spectra = [_spectrum(block, source, values, part, statements) for part in parts]
    problems = [
        one
        for measured, part in zip(spectra, parts, strict=True)
        for one in _wrong(measured, lines[keep][part], source)
    ]
    if problems or not spectra:
        raise BadInput(problems or _none(source, len(lines)))
    return spectra


def _none(source: str, rows: int) -> Problem:
    message = f"its table has {rows} rows and none with a frequency, expected {FEWEST_POINTS}"
    return Problem(source, message)


def _choose(block: Block, source: str) -> tuple[dict[int, Column], list[str]]:
    """Return which column to read as what: the first of each quantity; refuse unknown units."""
    chosen: dict[int, Column] = {}
    seen: set[str] = set()
    problems: list[Problem] = []
    statements = list(block.statements)
    for at, label in enumerate(block.labels):
        one = column(label)
        if one is None or one.quantity in seen:
            continue
        if not one.understood and one.quantity in {FREQUENCY, REAL, IMAGINARY}:
            message = f"column {label!r} is in {one.unit!r}, expected a unit of {_kind(one)}"
            problems.append(
                Problem(source, message, example=f"{label.split('(')[0].strip()} (ohm)")
            )
        elif one.understood:
            seen.add(one.quantity)
            chosen[at] = one
            statements += _said(label, one)
    if problems:
        remedy = "area-normalised impedance: divide by the area first, then name the column in ohm"
        raise BadInput(problems, remedy=remedy if any("cm" in str(p) for p in problems) else "")
    return chosen, statements


def _refuse_split_numbers(block: Block, chosen: dict[int, Column], source: str) -> None:
    """Refuse rows with more fields than labels, and numbers with commas beside such with points."""
    wrong = (
        wrong_width(f"{source}: line {line}", cells, block.labels, block.separator, fewest=0)
        for line, cells in block.rows
    )
    refuse_wrong_rows(wrong, source)
    places = [at for at, one in chosen.items() if one.quantity in _IMPEDANCE]
    if any("," in cell for _, cells in block.rows for cell in cells):
        read = (
            (line, [cells[at] for at in places if at < len(cells)]) for line, cells in block.rows
        )
        refuse_mixed_marks(read, source)


def _kind(one: Column) -> str:
    return "frequency (Hz)" if one.quantity == FREQUENCY else "impedance (ohm, kOhm)"


def _said(label: str, one: Column) -> list[str]:
    """Put into words what is done to a column, where something is."""
    if one.quantity not in _IMPEDANCE or abs(one.factor) == 1.0 or one.quantity == PHASE:
        return []
    base = "Hz" if one.quantity == FREQUENCY else "ohm"
    return [f"column {label!r} converted to {base} (x {abs(one.factor):g})"]


def _numbers(
    block: Block, chosen: dict[int, Column], source: str
) -> tuple[dict[str, Floats], Floats]:
    """Return the columns in base units with the line of each row; BadInput for unreadable cells."""
    values = {one.quantity: np.full(len(block.rows), np.nan) for one in chosen.values()}
    problems: list[Problem] = []
    for row, (line, cells) in enumerate(block.rows):
        wrong = [at for at, one in chosen.items() if not _read(cells, at, one, values, row)]
        if row == len(block.rows) - 1:
            wrong += _cut_off(block, chosen)
        if wrong:
            problems.append(_bad_row(source, line, block.labels, cells, wrong))
    if problems:
        raise BadInput(few(problems, source))
    return values, np.array([line for line, _ in block.rows])


def _cut_off(block: Block, chosen: dict[int, Column]) -> list[int]:
    """Return the columns that the last row lacks and the one before it has, a time or a loop too."""
    if len(block.rows) < 2:
        return []
    (_, before), (_, last) = block.rows[-2:]
    return [at for at in chosen if len(last) <= at < len(before)]


def _read(
    cells: tuple[str, ...], at: int, one: Column, values: dict[str, Floats], row: int
) -> bool:
    """Put one cell into its column; False where it should be a number and is none."""
    text = cells[at] if at < len(cells) else ""
    try:
        values[one.quantity][row] = one.factor * number(text)
    except ValueError:
        values[one.quantity][row] = _FLAGS.get(text.lower(), math.nan)
        return one.quantity in _EXTRA
    return one.quantity in _EXTRA or math.isfinite(values[one.quantity][row])


def _bad_row(
    source: str, line: int, labels: tuple[str, ...], cells: tuple[str, ...], wrong: list[int]
) -> Problem:
    where = f"{source}: line {line}"
    if max(wrong) >= len(cells):
        message = f"has {len(cells)} of {len(labels)} values: is the file cut off here?"
        return Problem(where, message)
    got = ", ".join(f"{labels[at]} is {cells[at]!r}" for at in wrong)
    return Problem(where, f"{got}, expected a number")


def _cartesian(values: dict[str, Floats]) -> dict[str, Floats]:
    """Add real and imaginary part where the file has modulus and phase only."""
    if REAL in values and IMAGINARY in values:
        return values
    polar = values[MODULUS] * np.exp(1j * np.deg2rad(values[PHASE]))
    return {**values, REAL: polar.real, IMAGINARY: polar.imag}


# --- several spectra in one table ----------------------------------------------------------------


def _parts(values: Columns) -> list[slice]:
    """Return the rows of each spectrum."""
    frequency = values[FREQUENCY]
    if not frequency.size:
        return []
    cuts = {0, frequency.size}
    if LOOP in values:  # a row without its number belongs to the spectrum before
        turns = np.nan_to_num(np.diff(values[LOOP]), nan=0.0)
        cuts |= set((np.flatnonzero(turns) + 1).tolist())
    bounds = sorted(cuts)
    return [
        slice(first + start, first + stop)
        for first, last in itertools.pairwise(bounds)
        for start, stop in _sweeps(frequency[first:last])
    ]


def _sweeps(frequency: Floats) -> list[tuple[int, int]]:
    """Cut where the frequency jumps back over more than half of the decades swept."""
    if frequency.size < 2 or not (frequency > 0).all():
        return [(0, frequency.size)]
    decades = np.diff(np.log10(frequency))
    direction = math.copysign(1.0, float(np.median(decades)))
    span = float(np.ptp(np.log10(frequency)))
    back = -direction * decades > max(_RESTART * span, 0.1)
    bounds = [0, *(np.flatnonzero(back) + 1).tolist(), frequency.size]
    return list(itertools.pairwise(bounds))


def _spectrum(
    block: Block, source: str, values: Columns, part: slice, statements: list[str]
) -> MeasuredSpectrum:
    own = {name: column[part] for name, column in values.items()}
    again = np.nan_to_num(own.get(REPEATED, np.zeros_like(own[FREQUENCY]))) > 0
    impedance = own[REAL] + 1j * own[IMAGINARY]
    celsius = own.get(TEMPERATURE, np.array([np.nan]))
    known = celsius[np.isfinite(celsius)]
    return MeasuredSpectrum(
        own[FREQUENCY][~again],
        impedance[~again],
        source,
        block.vendor,
        time_second=_times(own, ~again),
        temperature_celsius=float(known.mean()) if known.size else None,
        metadata={**block.metadata, **_repeat(own)},
        statements=tuple(statements),
        repeated_hertz=own[FREQUENCY][again],
        repeated_ohm=impedance[again],
    )


def _repeat(own: Columns) -> dict[str, str]:
    """Return the file's own number of a spectrum and of the one that it repeats, where it has both."""
    numbers = {"spectrum_count": own.get(LOOP), "repeat_of": own.get(REPEAT_OF)}
    return {
        name: str(int(column[0]))
        for name, column in numbers.items()
        if column is not None and REPEAT_OF in own and math.isfinite(column[0])
    }


def _times(own: Columns, first: NDArray[np.bool_]) -> Floats | None:
    """Return the times where every point has one and they rise; instruments without a clock say 0."""
    times = own[TIME][first] if TIME in own else np.empty(0)
    rises = times.size > 1 and np.isfinite(times).all() and (np.diff(times) >= 0).all()
    return times if rises and times[-1] > times[0] else None


def _wrong(measured: MeasuredSpectrum, lines: Floats, source: str) -> list[Problem]:
    """Return what no analysis can do with: too few points, no frequency, no impedance, repeats."""
    frequency, ohm = measured.frequency_hertz, measured.impedance_ohm
    where = f"{source}: line {int(lines[0])}"
    if len(measured) < FEWEST_POINTS:
        message = f"a spectrum of {len(measured)} points, expected at least {FEWEST_POINTS}"
        return [Problem(where, message)]
    problems = [
        Problem(
            f"{source}: line {int(lines[at])}", f"got {frequency[at]:g} Hz, expected above zero"
        )
        for at in np.flatnonzero(frequency < 0)[:_MOST_NAMED]
    ]
    problems += [
        Problem(f"{source}: line {int(lines[at])}", "the impedance is exactly zero: no measurement")
        for at in np.flatnonzero(ohm == 0)[:_MOST_NAMED]
    ]
    return problems + _repeats(frequency, where)


def _repeats(frequency: Floats, where: str) -> list[Problem]:
    if (frequency <= 0).any():
        return []
    ordered = np.sort(frequency)
    same = np.flatnonzero(np.diff(np.log(ordered)) <= _SAME_FREQUENCY)
    if not same.size:
        return []
    named = ", ".join(f"{hertz:g}" for hertz in np.unique(ordered[same])[:_MOST_NAMED])
    message = f"measured more than once at {named} Hz: which point counts cannot be known"
    example = "a column 'repeated' with 1 for points taken again to see drift"
    return [Problem(where, message, example=example)]
