"""What an archive holds of a run: its row, its cell, its samples, and every other row of it.

Two readings of the same run are equal here when they are in every value, whichever database they come
from. Knows neither zip files nor databases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Table

from rig.store import tables

Rows = list[dict[str, Any]]

# member -> table; in the order in which they are written back
MEASURED: dict[str, Table] = {
    "steps": tables.step,
    "cycles": tables.cycle,
    "spectra": tables.spectrum,
    "impedance_points": tables.impedance_point,
    "resistances": tables.resistance,
    "events": tables.event,
    "cursor": tables.cursor,
    "revisions": tables.revision,
}
# What people and later software add to a run: it may differ from place to place.
ADDED: dict[str, Table] = {
    "results": tables.result,
    "alarms": tables.alarm,
    "journal": tables.journal,
}
PARTS = MEASURED | ADDED
# What an archive of an earlier version has not: there was none then.
SINCE = frozenset({"revisions"})
# Numbered by each database for itself; the order of the rows is kept.
OWN_NUMBERS = {"events": "event_id", "journal": "journal_id"}


@dataclass(frozen=True, slots=True)
class ArchivedRun:
    """A run with everything that belongs to it; ``rows`` has a list for each of ``PARTS``."""

    run: Mapping[str, Any]
    cell: Mapping[str, Any] | None
    rig: Mapping[str, Any]
    samples: pa.Table
    rows: Mapping[str, Rows]

    @property
    def run_id(self) -> str:
        return str(self.run["run_id"])


@dataclass(frozen=True, slots=True)
class Difference:
    """In what two readings of a run differ: what was measured, and what was added later."""

    measured: tuple[str, ...]
    added: tuple[str, ...]


def differences(one: ArchivedRun, other: ArchivedRun) -> Difference:
    """Return which parts of a run are not the same in both."""
    measured = ["run"] if dict(one.run) != dict(other.run) else []
    if not same_samples(one.samples, other.samples):
        measured.append("samples")
    measured += [part for part in MEASURED if one.rows[part] != other.rows[part]]
    added = [part for part in ADDED if one.rows[part] != other.rows[part]]
    return Difference(tuple(measured), tuple(added))


def same_samples(one: pa.Table, other: pa.Table) -> bool:
    """Say whether two tables hold the same values, nulls included; how they are cut does not count."""
    return bool(one.schema.equals(other.schema) and one.equals(other))
