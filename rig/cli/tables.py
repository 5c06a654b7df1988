"""Reading the tables that ``rig fit`` takes: text files with plain or Battery Data Format headers.

One door, ``load_source``. Comma, semicolon or tab, a byte-order mark, decimal commas beside another
separator are read; whatever could only be guessed (a missing column, kelvin under a Celsius header)
is refused with all problems at once. Knows no fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.core.errors import BadInput, Problem, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy import Engine

    from rig.store.queries import RunRecord

    Columns = dict[str, NDArray[np.float64]]

# "Test Time / s" and "test_time_second" are the same column: how the label's unit is spelled.
_UNIT_WORDS = {
    "1": "",
    "s": "second",
    "V": "volt",
    "A": "ampere",
    "W": "watt",
    "ohm": "ohm",
    "Ohm": "ohm",
    "Hz": "hertz",
    "Ah": "ah",
    "Wh": "wh",
    "Pa": "pa",
    "deg": "degree",
    "degC": "celsius",
    "K": "kelvin",
    "S/cm": "siemens_per_centimetre",
    "S cm-1": "siemens_per_centimetre",
}
_LABEL = re.compile(r"\s*(?P<name>.+?)\s*/\s*(?P<unit>\S.*?)\s*")
_SEPARATORS = (";", "\t", ",")
_MOST_NAMED_ROWS = 5

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


def read_table(path: Path, headless: Sequence[str] = ()) -> pd.DataFrame:
    """Read one delimited text file; the first row is the header unless it is all numbers."""
    import pandas as pd

    text = _decoded(path)
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise BadInput(Problem(str(path), "the file is empty"))
    separator = _separator(lines[0])
    decimal = "," if separator != "," and re.search(r"\d,\d", "".join(lines[1:3])) else "."
    no_header = _all_numbers(lines[0].split(separator), decimal)
    if no_header and len(lines[0].split(separator)) != len(headless):
        raise BadInput(
            Problem(str(path), f"the first row holds numbers only: {lines[0][:60]!r}"),
            remedy="put the column names in the first row, for example test_time_second",
        )
    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            decimal=decimal,
            header=None if no_header else 0,
            names=list(headless) if no_header else None,
            encoding="utf-8-sig",
            skipinitialspace=True,
            index_col=False,
        )
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        raise BadInput(Problem(str(path), f"not a table: {error}")) from error
    if frame.empty:
        raise BadInput(Problem(str(path), "has a header but no rows"))
    return frame.rename(columns={name: machine_name(str(name)) for name in frame.columns})


def machine_name(label: str) -> str:
    """Return the machine name of a column label; other names only lose outer blanks.

    >>> machine_name("Test Time / s"), machine_name("Cycle Count / 1"), machine_name(" voltage_volt")
    ('test_time_second', 'cycle_count', 'voltage_volt')
    """
    match = _LABEL.fullmatch(label)
    if match is None or match["unit"] not in _UNIT_WORDS:
        return label.strip()
    words = [*match["name"].lower().split(), _UNIT_WORDS[match["unit"]]]
    return "_".join(word for word in words if word)


def numbers(
    frame: pd.DataFrame, source: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Columns:
    """Return columns as float arrays; BadInput names every missing column and unreadable cell."""
    import pandas as pd

    known = [str(name) for name in frame.columns]
    problems = [_missing(source, name, known) for name in required if name not in known]
    columns: Columns = {}
    for name in (*required, *optional):
        if name in known:
            values = pd.to_numeric(frame[name], errors="coerce")
            problems.extend(_bad_cells(source, name, frame[name], values.isna()))
            columns[name] = values.to_numpy(dtype=float)
    if problems:
        raise BadInput(problems)
    return columns


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


def refuse_wrong_conductivity(values: NDArray[np.float64], where: str) -> None:
    """Refuse conductivities above 1 S/cm, which no electrolyte has: mS/cm or S/m was meant."""
    highest = float(values.max())
    if highest > _BEST_CONDUCTOR:
        raise BadInput(
            Problem(where, f"UNITS: up to {highest:g} S/cm, above any electrolyte"),
            remedy="S/cm is expected; divide mS/cm by 1000, S/m by 100",
        )


def _decoded(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "export it as comma-separated text in UTF-8"
        raise BadInput(Problem(str(path), f"not UTF-8 text: {error}"), remedy=remedy) from error


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)


def _all_numbers(cells: Iterable[str], decimal: str) -> bool:
    try:
        return all(float(cell.strip().replace(decimal, ".")) is not None for cell in cells)
    except ValueError:
        return False


def _missing(source: str, name: str, known: list[str]) -> Problem:
    message = f"column {name} is missing; there are {', '.join(known)}"
    return Problem(source, message, suggestion=did_you_mean(name, known))


def _bad_cells(
    source: str, name: str, written: pd.Series[Any], bad: pd.Series[bool]
) -> list[Problem]:
    rows = [index for index, is_bad in enumerate(bad) if is_bad]
    problems = [
        Problem(f"{source}: row {row + 2}", f"{name} is {written.iloc[row]!r}, expected a number")
        for row in rows[:_MOST_NAMED_ROWS]
    ]
    if len(rows) > _MOST_NAMED_ROWS:
        more = f"{len(rows) - _MOST_NAMED_ROWS} more rows are not numbers"
        problems.append(Problem(f"{source}: {name}", more))
    return problems
