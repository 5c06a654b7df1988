"""What every command says of the spectrum it took: where it is from, and what was done on reading.

Knows no analysis.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rig.formats.eis import MeasuredSpectrum


def origin(measured: MeasuredSpectrum) -> dict[str, Any]:
    """Return the keys that say which spectrum a result is of, and who wrote it."""
    return {
        "source": measured.source,
        "spectrum_number": measured.number,
        "vendor": measured.vendor,
        "points": len(measured),
        "statements": list(measured.statements),
    }


def title(measured: MeasuredSpectrum) -> str:
    return f"{Path(measured.source).name}, spectrum {measured.number}"


def print_statements(number: int, statements: list[str]) -> None:
    """Print what was converted, left out or doubted on reading, one line each."""
    for statement in statements:
        print(f" note spectrum {number}: {statement}")
