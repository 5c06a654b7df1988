"""Maccor's numbers: channel status, what a channel does, why it stopped, and how requests end.

Values are those of the wire. Knows nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """``Stat``; only those that the simulated tester can show."""

    AVAILABLE = 0
    SELECTED = 1
    ACTIVE = 2
    SUSPENDED = 3
    COMPLETED = 4
    PROBLEM = 5
    STARTING = 12


class Doing(IntEnum):
    """``RF1``: what a channel is doing."""

    AVAILABLE = 0
    CHARGE = 1
    DISCHARGE = 2
    REST = 4
    PROBLEM = 29
    SUSPENDED = 30
    COMPLETE = 31


class Reason(IntEnum):
    """``RF2``: why a step or a test ended; only those that the simulated tester can show."""

    STEP_BEGAN = 0
    SAFETY = 189  # the sheet gives 189 to 191 as safeties, not which is whose
    OPERATOR = 192
    NORMAL_END = 193
    VOLTAGE_SAFETY = 197


class Outcome(IntEnum):
    """``Result`` of 6,2 and of the plain actions, whose codes the sheet does not list apart."""

    OK = 0
    NO_PROCEDURE = 14
    NOT_ACTIVE = 15
    NOT_SELECTED = 16
    NOT_SUSPENDED = 17
    NAME_TOO_LONG = 18
    NAME_NOT_UNIQUE = 19
    INVALID_ENTRY = 22
    CHANNEL_IN_USE = 23
    NONE_SELECTED = 24


class DirectStart(IntEnum):
    """``Result`` of 6,7."""

    OK = 0
    ILLEGAL_SYSTEM_TYPE = 1
    CHANNEL_NOT_AVAILABLE = 2
    PSEUDO_PROCEDURE_FAILED = 3


class DirectSet(IntEnum):
    """``Result`` of 6,8."""

    OK = 0
    ILLEGAL_SYSTEM_TYPE = 1
    CHANNEL_NOT_ACTIVE = 2
    SENT_TOO_FAST = 3
    DIRECT_MODE_NOT_ACTIVE = 4
    DIRECT_MODE_NOT_READY = 5


class Check(IntEnum):
    """``Result`` of 6,11."""

    OK = 0
    CHANNEL_UNAVAILABLE = 1
    PROCEDURE_MISSING = 2
    FILE_IN_ARCHIVE = 4
    INVALID_FILE_NAME = 5


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """What a channel's hardware can do; the current ranges are the sheet's example, from range 1.

    The voltage and power windows are the simulator's choice.
    """

    v_max_volt: float = 5.0
    v_min_volt: float = 0.0
    p_max_watt: float = 60.0
    ranges_ampere: tuple[float, ...] = (0.00015, 0.005, 0.15, 5.0)


@dataclass(frozen=True, slots=True)
class Safeties:
    """The limits of 6,10, checked by the tester itself while a test is active.

    A power of 0 is not checked (the worked example sends it); currents are magnitudes.
    """

    v_max_volt: float
    v_min_volt: float
    charge_ampere: float
    discharge_ampere: float
    charge_watt: float
    discharge_watt: float

    def tripped(self, voltage_volt: float, current_ampere: float) -> Reason | None:
        """Return which limit is passed; None when all is well."""
        if not self.v_min_volt <= voltage_volt <= self.v_max_volt:
            return Reason.VOLTAGE_SAFETY
        power = voltage_volt * current_ampere
        if not -self.discharge_ampere <= current_ampere <= self.charge_ampere:
            return Reason.SAFETY
        if self.charge_watt and power > self.charge_watt:
            return Reason.SAFETY
        if self.discharge_watt and -power > self.discharge_watt:
            return Reason.SAFETY
        return None
