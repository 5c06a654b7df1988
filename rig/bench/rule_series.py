"""A quantity of a run's cycles, as rules look at it: from the store, cycle by cycle, nothing twice.

Only cycles that have ended count. Capacities, energies and what follows from them are rows of the
table ``cycle``; a resistance needs the samples of its cycle, which are read once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine, func, literal, select

from rig.analysis.resistance import first_pulse_resistance
from rig.store import tables
from rig.store.database import translated
from rig.store.samples import Window, samples

FROM_SAMPLES = frozenset({"dc_resistance_ohm"})  # quantities that are no rows
_MANY = 500  # runs in one statement
_MOST_REMEMBERED = 200_000  # cycles
_PULSE = ("test_time_second", "voltage_volt", "current_ampere")


class CycleRow(NamedTuple):
    """A cycle that has ended; its value is ``above`` over ``below`` where it stands in its row."""

    run_id: str
    cycle_count: int
    seq_first: int
    seq_last: int
    above: float
    below: float


@dataclass(frozen=True, slots=True)
class CycleSeries:
    """Values by cycle number, NaN where a cycle has none; ``seq_last`` is where each ended."""

    values: dict[int, float] = field(default_factory=dict)
    seq_last: dict[int, int] = field(default_factory=dict)


@dataclass
class SeriesReader:
    """Reads series; ``rows`` has the cycles, ``samples_in`` says which database has a run's samples."""

    rows: Engine
    samples_in: Callable[[], Engine]
    _resistance: dict[tuple[str, int], float] = field(default_factory=dict)

    def read(self, run_ids: Iterable[str], quantity: str) -> dict[str, CycleSeries]:
        """Return the series of each run; an empty one where no cycle has ended.

        A cycle whose samples are still on their way to a server ends its series: it comes next time.
        """
        wanted = list(dict.fromkeys(run_ids))
        series = {run_id: CycleSeries() for run_id in wanted}
        value_of = self._value_of(wanted, quantity)
        waiting: set[str] = set()
        for row in self._cycles(wanted, quantity):
            if row.run_id in waiting:
                continue
            value = value_of(row)
            if value is None:
                waiting.add(row.run_id)
                continue
            own = series[row.run_id]
            own.values[row.cycle_count] = value
            own.seq_last[row.cycle_count] = row.seq_last
        return series

    def _value_of(self, run_ids: list[str], quantity: str) -> Callable[[CycleRow], float | None]:
        """Return what reads a cycle's value: NaN where it has none, None where it is not known yet."""
        if quantity in FROM_SAMPLES:
            return self._pulse
        if quantity == "refused_spectra":
            counts = self._refused_spectra(run_ids)
            return lambda row: float(counts.get((row.run_id, row.cycle_count), 0))
        return _quotient

    def _cycles(self, run_ids: list[str], quantity: str) -> Iterator[CycleRow]:
        """Yield the ended cycles that count, in order, a few runs at a time."""
        table = tables.cycle
        above, below = _QUOTIENTS.get(quantity, (quantity, ""))
        columns = [
            *(table.c.run_id, table.c.cycle_count, table.c.seq_first, table.c.seq_last),
            table.c[above] if above in table.c else literal(1.0),
            table.c[below] if below else literal(1.0),
        ]
        for first in range(0, len(run_ids), _MANY):
            statement = (
                select(*columns)
                .where(table.c.run_id.in_(run_ids[first : first + _MANY]), table.c.cycle_count > 0)
                .order_by(table.c.run_id, table.c.cycle_count)
            )
            with translated(self.rows), self.rows.connect() as connection:
                rows = connection.execute(statement).fetchall()
            yield from (CycleRow(*row) for row in rows)

    def _pulse(self, row: CycleRow) -> float | None:
        key = (row.run_id, row.cycle_count)
        if key not in self._resistance:
            value = self._read_pulse(row)
            if value is None:
                return None
            if len(self._resistance) >= _MOST_REMEMBERED:
                self._resistance.clear()
            self._resistance[key] = value
        return self._resistance[key]

    def _read_pulse(self, row: CycleRow) -> float | None:
        """Return the resistance of a cycle's first pulse, None where its samples are not all there.

        The sample before a cycle is its rest: a pulse may begin with the cycle's first sample.
        """
        first, last = row.seq_first, row.seq_last
        window = Window(max(0, first - 1), last)
        table = samples(self.samples_in(), row.run_id, ("seq", *_PULSE), window)
        seq = table.column("seq").to_numpy()
        if not seq.size or seq[-1] != last:
            return None if last >= first else math.nan
        time, voltage, current = (
            np.asarray(table.column(name).to_numpy(zero_copy_only=False), np.float64)
            for name in _PULSE
        )
        known = np.isfinite(voltage) & np.isfinite(current)
        if known.sum() < 2:
            return math.nan
        starts = np.array([0], dtype=np.int64)
        found = first_pulse_resistance(time[known], voltage[known], current[known], starts)
        return float(found[0])

    def _refused_spectra(self, run_ids: list[str]) -> dict[tuple[str, int], int]:
        """Return how many complete spectra of each cycle were objected to."""
        table, counts = tables.spectrum, {}
        for first in range(0, len(run_ids), _MANY):
            statement = (
                select(table.c.run_id, table.c.cycle_count, func.count().label("n"))
                .where(
                    table.c.run_id.in_(run_ids[first : first + _MANY]),
                    table.c.objection.is_not(None),
                )
                .group_by(table.c.run_id, table.c.cycle_count)
            )
            with translated(self.rows), self.rows.connect() as connection:
                for found in connection.execute(statement):
                    counts[found.run_id, found.cycle_count] = int(found.n)
        return counts


# --- from the table ``cycle``: as rig/analysis/cycles.py has it of samples ---------------------------

# quantity -> numerator, denominator; any other is a column of its own.
_QUOTIENTS = {
    "coulombic_efficiency": ("discharging_capacity_ah", "charging_capacity_ah"),
    "energy_efficiency": ("discharging_energy_wh", "charging_energy_wh"),
    "mean_charging_voltage_volt": ("charging_energy_wh", "charging_capacity_ah"),
    "mean_discharging_voltage_volt": ("discharging_energy_wh", "discharging_capacity_ah"),
}


def _quotient(row: CycleRow) -> float:
    """NaN where a part is zero: a cycle that was only charged has no discharge capacity of zero."""
    return row.above / row.below if row.below > 0 and row.above != 0 else math.nan
