"""How ``rig fit`` shows a result: a table with units and uncertainties, and its flags under it.

With ``--json`` the result's own ``to_dict`` is printed; here is only what people read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rig.cli.output import complain, print_json

if TYPE_CHECKING:
    from rig.analysis.adequacy import Adequacy

Row = tuple[str, str]
_UNDESCRIBED = (
    "neither values nor errors of it can be trusted: another --circuit? See 'rig kk' and 'rig drt'"
)
_MOST_NAMED = 5


def with_error(value: float | None, error: float | None, unit: str) -> str:
    """Write a value with its standard error to two digits of the error.

    >>> with_error(0.348207, 0.003478, "eV"), with_error(0.35, None, "eV"), with_error(None, 1, "V")
    ('0.3482 ± 0.0035 eV', '0.35 eV', 'not determined')
    """
    if value is None or not math.isfinite(value):
        return "not determined"
    unit = "" if unit == "1" else unit  # an exponent has none
    if error is None or not math.isfinite(error) or error <= 1e-12 * abs(value):
        return f"{value:.6g} {unit}".rstrip()
    if 1e-4 <= abs(value) < 1e5:
        digits = max(0, 1 - math.floor(math.log10(error)))
        return f"{value:.{digits}f} ± {error:.{digits}f} {unit}".rstrip()
    power = math.floor(math.log10(abs(value))) if value else 0
    digits = max(0, power + 1 - math.floor(math.log10(error)))
    scale = 10.0**power
    return f"({value / scale:.{digits}f} ± {error / scale:.{digits}f})e{power} {unit}".rstrip()


def complain_of(judged: Sequence[tuple[str, Adequacy]]) -> int:
    """Say which named fits do not describe their spectrum, on stderr and before all else.

    Returns the exit code that follows: 1 where there is such a fit.
    """
    from rig.analysis.adequacy import undescribed

    cause = undescribed([one for _, one in judged])
    if not cause:
        return 0
    refused = [name for name, one in judged if not one.described]
    if len(judged) > 1:
        named = ", ".join(refused[:_MOST_NAMED])
        cause = f"{len(refused)} of {len(judged)} fits ({named}): the worst, {cause}"
    complain([cause], _UNDESCRIBED)
    return 1


def show_result(
    values: Mapping[str, Any], title: str, rows: Sequence[Row], *, as_json: bool
) -> None:
    """Print the JSON object, or ``rows`` as a table followed by the flags."""
    if as_json:
        print_json(values)
        return
    show_table(title, ("quantity", "value"), rows)
    show_flags(values.get("flags", ()))


def show_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print one table; the first column is text, the others are numbers."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for index, header in enumerate(headers):
        table.add_column(header, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def show_flags(flags: Sequence[Mapping[str, str]]) -> None:
    """Print one line per flag: level, code, what was seen."""
    for note in flags:
        print(f"{note['level']:>5} {note['code']}: {note['message']}")
