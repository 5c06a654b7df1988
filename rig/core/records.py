"""What the engine hands to the store: the order of a sample's values, and run states.

Names follow the Battery Data Format; capacities and energies count since the start of the test
and never reset. The engine knows no database, the store no engine: they meet here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Protocol

from rig.core.alarms import Alarm

# One sample is a tuple in this order: built once per reading, inserted as it is.
SAMPLE_COLUMNS: tuple[str, ...] = (
    "run_id",
    "seq",  # from 0, without gaps, per run
    "ts_us",  # UTC microseconds
    "test_time_second",
    "step_count",  # +1 at each new step, never resets
    "step_id",  # place in the program
    "cycle_count",
    "phase",
    "tag",
    "voltage_volt",
    "current_ampere",
    "ambient_temperature_celsius",  # of the chamber
    "surface_temperature_celsius",  # the cell's own
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_energy_wh",
    "discharging_energy_wh",
    "applied_pressure_pa",
    "flags",
    "aux",  # JSON text, {"dew_point": -60.1}: degree Celsius, pascal, newton or volt; or None
)

SampleRow = tuple[object, ...]


class RunState(Enum):
    """The states of a run; which may follow which stands in rig/engine/states.py."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    SUSPENDED = "suspended"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    TRIPPED = "tripped"
    FAILED = "failed"


# What ends a run; one that was not finished may be resumed all the same.
ENDED = frozenset({RunState.FINISHED, RunState.STOPPED, RunState.TRIPPED, RunState.FAILED})


class Keeper(Protocol):
    """Where a run's data go. Nothing is acknowledged before ``commit`` has returned.

    All calls come from the engine's own thread. Between two calls to ``cursor`` of one run,
    everything kept belongs to the cursor that follows.
    """

    def sample(self, row: SampleRow) -> None: ...

    def row(self, table: str, values: dict[str, object]) -> None:
        """Keep a row of ``step``, ``cycle``, ``spectrum``, ``impedance_point``, ``event`` or ``revision``."""
        ...

    def cursor(self, run_id: str, text: Callable[[], str]) -> None:
        """Keep where the run stands: ``text`` is called at the commit, between two readings."""
        ...

    def state(self, run_id: str, state: RunState, wall_us: int, reason: str) -> None: ...

    def protocol(self, run_id: str, values: Mapping[str, object]) -> None:
        """Keep the protocol that is in force from here on: columns of ``run``."""
        ...

    def alarm(self, alarm: Alarm) -> None:
        """Keep an alarm that was raised; where its like is latched, it is counted there."""
        ...

    def answer(self, order_id: int, outcome: str, words: str, wall_us: int) -> None:
        """Keep what became of an order: ``done``, ``refused`` or ``failed``, and how."""
        ...

    def commit(self) -> None:
        """Write everything kept since the last commit, synced to disk when this returns.

        Raises StoreError; then everything is still kept, and the next commit tries again.
        """
        ...
