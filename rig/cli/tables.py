"""Reading the tables that ``rig fit`` takes: text files with plain or Battery Data Format headers.

One door, ``load_source``. Whatever could only be guessed (a missing column, kelvin under a Celsius
header) is refused with all problems at once. Knows no fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rig.cli.table_file import read_table
from rig.core.errors import BadInput, Problem, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy import Engine

    from rig.store.queries import RunRecord

    Columns = dict[str, NDArray[np.float64]]

A = TypeVar("A")
B = TypeVar("B")
_MOST_NAMED_ROWS = 5
# where nought and less are no measurement, and no logarithm
_ABOVE_ZERO = {
    "resistance_ohm",
    "conductivity_siemens_per_centimetre",
    "discharging_capacity_ah",
    "temperature_kelvin",
}

_COLDEST_CELSIUS, _KELVIN_SUSPECT_CELSIUS, _KELVIN_SUSPECT_TOP = -200.0, 200.0, 500.0
_BEST_CONDUCTOR = 1.0  # S/cm; the best solid electrolytes have a few hundredths


def load_source(
    source: str, db: str | None, fit: str, headless: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the table behind SOURCE, a file or a run, with machine names as columns.

    ``headless`` names the columns of a file without a header (spectra often have none). What a
    potentiostat wrote is read by ``rig.cli.spectra_source`` for the fits that take spectra. A run is
    looked up in ``db`` by id, prefix or ``last``, and gives what ``rig fit`` ``fit`` takes.
    Raises BadInput for anything that is neither.
    """
    path = Path(source)
    if path.is_file():
        from rig.cli.spectra_source import spectrum_table

        table = spectrum_table(path, fit)
        return read_table(path, headless) if table is None else table
    from rig.bench.run_tables import run_table

    with opened_run(source, db) as (engine, run):
        return run_table(engine, run, fit)


@contextmanager
def opened_run(source: str, db: str | None) -> Iterator[tuple[Engine, RunRecord]]:
    """Open the database and find the run that SOURCE names; BadInput where there is none."""
    from rig.store.address import without_password
    from rig.store.database import database_url, is_there

    if Path(source).is_dir():
        raise BadInput(Problem(source, "that is a folder, expected a file"))
    url = database_url(db)
    if Path(source).suffix or not is_there(url):
        remedy = "give a text file (csv), or see 'rig runs list' for the runs in the database"
        message = f"neither a file nor a known run in {without_password(url)}"
        raise BadInput(Problem(source, message), remedy=remedy)
    from rig.store.queries import find_run
    from rig.store.reading import open_to_read

    engine = open_to_read(url)
    try:
        yield engine, find_run(engine, source)
    finally:
        engine.dispose()


def numbers(
    frame: pd.DataFrame, source: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Columns:
    """Return columns as float arrays; BadInput names every missing column and unreadable cell.

    A resistance, conductivity or capacity that is not above zero is refused with them.
    """
    import pandas as pd

    known = [str(name) for name in frame.columns]
    problems = _missing_columns(frame, source, required)
    columns: Columns = {}
    for name in (*required, *optional):
        if name in known:
            values = pd.to_numeric(frame[name], errors="coerce")
            problems.extend(_bad_cells(source, name, frame, values))
            columns[name] = values.to_numpy(dtype=float)
    if problems:
        raise BadInput(problems)
    return columns


def require_columns(frame: pd.DataFrame, source: str, names: Sequence[str]) -> None:
    """Raise BadInput with every column of ``names`` that the table lacks."""
    if problems := _missing_columns(frame, source, names):
        raise BadInput(problems)


def temperatures_kelvin(frame: pd.DataFrame, source: str) -> tuple[NDArray[np.float64], str]:
    """Return sample temperatures in kelvin and the column they come from.

    The sample's own temperature wins over the chamber's. Refuses a Celsius column that reads like
    kelvin: nobody can tell it from a furnace experiment, ``temperature_kelvin`` says it.
    """
    if "temperature_kelvin" in frame.columns:
        return numbers(frame, source, ["temperature_kelvin"])["temperature_kelvin"], (
            "temperature_kelvin"
        )
    names = ("temperature_celsius", "surface_temperature_celsius", "ambient_temperature_celsius")
    name = next((one for one in names if one in frame.columns), names[0])
    celsius = numbers(frame, source, [name])[name]
    low, high = float(celsius.min()), float(celsius.max())
    if low < _COLDEST_CELSIUS or _KELVIN_SUSPECT_CELSIUS < low <= high < _KELVIN_SUSPECT_TOP:
        raise BadInput(
            Problem(f"{source}: {name}", f"{low:g} to {high:g} degC: is this kelvin?"),
            remedy="name the column temperature_kelvin if it is in kelvin",
        )
    return celsius + 273.15, name


def read_both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Return what two readings give; raises one BadInput with the problems of both."""
    try:
        found = first()
    except BadInput as error:
        _refuse_with(error, second)
        raise
    return found, second()


def _refuse_with(failed: BadInput, other: Callable[[], object]) -> None:
    try:
        other()
    except BadInput as error:
        problems = [*failed.problems, *error.problems]
        raise BadInput(problems, remedy=failed.remedy or error.remedy) from None


def refuse_wrong_conductivity(values: NDArray[np.float64], where: str) -> None:
    """Refuse conductivities above 1 S/cm, which no electrolyte has: mS/cm or S/m was meant."""
    highest = float(values.max())
    if highest > _BEST_CONDUCTOR:
        raise BadInput(
            Problem(where, f"UNITS: up to {highest:g} S/cm, above any electrolyte"),
            remedy="S/cm is expected; divide mS/cm by 1000, S/m by 100",
        )


def _missing_columns(frame: pd.DataFrame, source: str, names: Sequence[str]) -> list[Problem]:
    known = [str(name) for name in frame.columns]
    return [_missing(source, name, known) for name in names if name not in known]


def _missing(source: str, name: str, known: list[str]) -> Problem:
    message = f"column {name} is missing; there are {', '.join(known)}"
    nearest = next((one for one in known if name.startswith(f"{one}_")), did_you_mean(name, known))
    if nearest:
        message += f"; is {nearest!r} meant? then name it {name}{_converted(name, nearest)}"
    return Problem(source, message)


def _converted(name: str, nearest: str) -> str:
    """Say to convert where a column's name ends in a unit that is not ours (resistance_kohm)."""
    unit = name.rpartition("_")[2]
    stem = name.removesuffix(unit)
    other = nearest.startswith(stem) and nearest != stem.rstrip("_")
    return f", with its numbers in {unit}" if other else ""


def _bad_cells(
    source: str, name: str, frame: pd.DataFrame, values: pd.Series[Any]
) -> list[Problem]:
    bad = values.isna()
    if name in _ABOVE_ZERO:
        bad |= values <= 0
    rows = [index for index, is_bad in enumerate(bad) if is_bad]
    lines = frame.attrs.get("lines")
    problems = [
        Problem(
            f"{source}: line {lines[row]}" if lines else f"{source}: row {row + 1}",
            f"{name} is {_got(frame[name].iloc[row], values.iloc[row])}",
        )
        for row in rows[:_MOST_NAMED_ROWS]
    ]
    if len(rows) > _MOST_NAMED_ROWS:
        more = f"{len(rows) - _MOST_NAMED_ROWS} more rows like these"
        problems.append(Problem(f"{source}: {name}", more))
    return problems


def _got(written: object, value: float) -> str:
    if math.isfinite(value):
        return f"{value:g}, expected above zero"
    return (
        f"{written!r}, expected a number"
        if isinstance(written, str)
        else "empty, expected a number"
    )
