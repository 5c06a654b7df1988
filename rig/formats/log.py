"""What a reader hands over: one test of one cell as a table, and what is odd about it.

Columns are the Battery Data Format's machine names; positive current charges. Knows neither files
nor databases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a file that a person should look at before trusting it; nothing was repaired."""

    code: str
    message: str

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class RawLog:
    """What one file says, in base units, and nothing else.

    ``started_us`` is the moment of test time 0 where the header has it, UTC microseconds;
    ``reader`` names whose code has read it.
    """

    frame: pd.DataFrame
    reader: str = "cellrig"
    metadata: Mapping[str, str] = field(default_factory=dict)
    started_us: int | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class CyclerLog:
    """A file's test, complete: what the file has not is counted, and said.

    ``frame`` has, beside what the file gives: ``test_time_second, voltage_volt, current_ampere,
    cycle_count, step_count, step_id`` and the four never-reset counters, and ``ts_us``.
    ``own_cycle`` is our cycle number for each ``step_count``. ``cycle_numbers`` is ``given`` or
    ``counted``, ``capacities`` is ``given``, ``given, resets added up`` or ``integrated``.
    """

    file: str
    format: str
    sha256: str
    frame: pd.DataFrame
    steps: pd.DataFrame
    reader: str
    metadata: Mapping[str, str]
    dated: bool
    cycle_numbers: str
    capacities: str
    energies: str
    findings: tuple[Finding, ...]

    def analysis_frame(self, count: str = "given") -> pd.DataFrame:
        """Return what the per-cycle table takes; ``count`` is ``given`` or ``own`` cycle numbers.

        Counters are left out where they were integrated here: the table does that itself and says so.
        Rows outside of cycles (count 0) are left out where there are cycles.
        """
        names = ["test_time_second", "voltage_volt", "current_ampere", "cycle_count", "step_count"]
        if self.capacities != "integrated":
            names += ["charging_capacity_ah", "discharging_capacity_ah"]
        if self.energies != "integrated":
            names += ["charging_energy_wh", "discharging_energy_wh"]
        frame = self.frame[names]
        if count == "own":
            own = self.steps.set_index("step_count")["own_cycle_count"]
            frame = frame.assign(cycle_count=frame["step_count"].map(own))
        counted = frame["cycle_count"] > 0
        return frame[counted] if counted.any() else frame
