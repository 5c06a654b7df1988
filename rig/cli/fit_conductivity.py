"""What ``rig fit conductivity`` says of a resistance that it found in a spectrum itself.

A table gives its resistances; of a spectrum a person must see which circuit was taken for it, which of
its resistors are the electrolyte's, and what was left out. Knows no formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rig.cli.fit_output import Row, with_error

Values = dict[str, Any]


def with_fits(entries: Sequence[Values], fits: Sequence[Values]) -> list[Values]:
    """Return each entry with what its spectrum's fit says, flags of both; as it is without fits."""
    if not fits:
        return list(entries)
    return [
        {**fit, **entry, "flags": [*fit["flags"], *entry["flags"]]}
        for entry, fit in zip(entries, fits, strict=True)
    ]


def all_flags(entries: Iterable[Values]) -> list[Mapping[str, str]]:
    """Return every flag once, in order."""
    return list({str(note): note for one in entries for note in one["flags"]}.values())


def fit_rows(entry: Values, *, alone: bool) -> list[Row]:
    """Return the rows that say where a spectrum's resistance is from; none for a table's."""
    if "circuit" not in entry:
        return []
    of = "" if alone else f", spectrum {entry['spectrum_number']}"
    taken = " + ".join(entry["electrolyte_resistors"]) or "none"
    return [
        (f"circuit{of}", str(entry["circuit"])),
        (f"electrolyte{of}", taken),
        *(
            (
                f"left out{of}, {name}",
                with_error(one["resistance_ohm"], one["standard_error_ohm"], "ohm"),
            )
            for name, one in entry["left_out_resistors"].items()
        ),
        (f"residual, rms of |Z|{of}", f"{100 * entry['residual_rms_relative']:.3g} %"),
    ]
