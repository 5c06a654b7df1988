"""What a Maccor channel puts out: set points that limit each other, and the steps of procedures.

Turns what a host or a procedure asks for into a drive on the cell; knows no wire, no channel state
and no time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from simulators.fronts.maccor_codes import ChannelSpec, Doing
from simulators.interfaces import OPEN, Drive, DriveMode

_SMALLEST_VOLT = 1e-3  # below it a power or resistance limit has no meaning


class ChMode(Enum):
    """``ChMode`` as JSON spells it; binary sends the letter's code."""

    CHARGE = "C"
    DISCHARGE = "D"
    REST = "R"


_DOING = {
    ChMode.CHARGE: Doing.CHARGE,
    ChMode.DISCHARGE: Doing.DISCHARGE,
    ChMode.REST: Doing.REST,
}


@dataclass(frozen=True, slots=True)
class Setpoints:
    """The four values of direct mode; None: ignored. All are magnitudes, the mode has the sign."""

    ampere: float | None = None
    volt: float | None = None
    watt: float | None = None
    ohm: float | None = None

    @classmethod
    def within(
        cls, spec: ChannelSpec, ampere: float, volt: float, watt: float, ohm: float
    ) -> Setpoints:
        """Keep the values that lie in the channel's range: the others mean "ignore this one".

        A negative current is no magnitude, so it is ignored, too: a trap of the real protocol.
        """
        return cls(
            ampere if 0.0 <= ampere <= spec.ranges_ampere[-1] else None,
            volt if spec.v_min_volt <= volt <= spec.v_max_volt else None,
            watt if 0.0 <= watt <= spec.p_max_watt else None,
            ohm if 0.0 < ohm < math.inf else None,
        )

    def allowed_by(self, opened: Setpoints) -> Setpoints:
        """Drop what the start of direct mode did not open."""
        return Setpoints(
            None if opened.ampere is None else self.ampere,
            None if opened.volt is None else self.volt,
            None if opened.watt is None else self.watt,
            None if opened.ohm is None else self.ohm,
        )

    @property
    def active(self) -> int:
        """How many of the four count."""
        return sum(value is not None for value in (self.ampere, self.volt, self.watt, self.ohm))


@dataclass(frozen=True, slots=True)
class Output:
    """A mode with its set points; ``current_range`` counts from 1."""

    mode: ChMode
    setpoints: Setpoints
    current_range: int = 4

    @property
    def doing(self) -> Doing:
        """``RF1`` while this output is on."""
        return _DOING[self.mode]

    @property
    def sign(self) -> int:
        """1 charging, -1 discharging, 0 at rest."""
        return {ChMode.CHARGE: 1, ChMode.DISCHARGE: -1, ChMode.REST: 0}[self.mode]

    def level_volt(self, spec: ChannelSpec) -> float:
        """Return where the voltage is held: the set point, else the end of the hardware's range."""
        if self.setpoints.volt is not None:
            return self.setpoints.volt
        return spec.v_max_volt if self.mode is ChMode.CHARGE else spec.v_min_volt

    def drive(self, spec: ChannelSpec, voltage_volt: float) -> Drive:
        """Return what acts on a cell that shows ``voltage_volt``."""
        if self.mode is ChMode.REST:
            return OPEN
        limit = self._limit_ampere(spec, abs(voltage_volt))
        return Drive(DriveMode.VOLTAGE, self.level_volt(spec), limit)

    def _limit_ampere(self, spec: ChannelSpec, volt: float) -> float:
        """Return the smallest of the currents that the set points and the range allow."""
        limits = [spec.ranges_ampere[self.current_range - 1]]
        wanted = self.setpoints
        if wanted.ampere is not None:
            limits.append(wanted.ampere)
        if wanted.watt is not None:
            limits.append(wanted.watt / max(volt, _SMALLEST_VOLT))
        if wanted.ohm is not None:
            limits.append(volt / wanted.ohm)
        return min(limits)


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """One step of a stored procedure and the first of its ends to come; None: no such end.

    ``until_ampere`` ends a charge whose current has fallen to it; ``until_volt`` ends a charge that
    has risen to it, a discharge that has fallen to it.
    """

    output: Output
    for_second: float | None = None
    until_ampere: float | None = None
    until_volt: float | None = None

    def ends(self, voltage_volt: float, current_ampere: float, second: float) -> bool:
        """Return whether the step is over, ``second`` after its beginning."""
        if self.for_second is not None and second >= self.for_second:
            return True
        if self.until_ampere is not None and abs(current_ampere) <= self.until_ampere:
            return True
        if self.until_volt is None:
            return False
        return self.output.sign * (voltage_volt - self.until_volt) >= 0.0


_REST = ProcedureStep(Output(ChMode.REST, Setpoints()), for_second=600.0)

# What the tester's Procedur folder holds: one procedure, named as in the sheet's example.
PROCEDURES: Mapping[str, tuple[ProcedureStep, ...]] = {
    "CCCV_1A": (
        ProcedureStep(
            Output(ChMode.CHARGE, Setpoints(ampere=1.0, volt=4.2)),
            for_second=7200.0,
            until_ampere=0.05,
        ),
        _REST,
        ProcedureStep(
            Output(ChMode.DISCHARGE, Setpoints(ampere=1.0, volt=2.8)),
            for_second=7200.0,
            until_volt=2.8,
        ),
        _REST,
    )
}
