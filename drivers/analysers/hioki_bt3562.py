"""Hioki BT3561A, BT3562 and BT3563 battery testers: 1 kHz resistance and open-circuit voltage.

Knows no port and no time. How the meter is talked to stands in ``hioki_meter``; its ranges, and the
100 ms that it needs between a setting and a measurement, in ``hioki_bt3562.toml``.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import ClassVar

from drivers.analysers.hioki_meter import IDLE, NOT_MEASURED, HiokiMeter
from rig.core.errors import OutOfRange
from rig.core.instruments import Flag, Identity, ResistanceReading
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet

# Fixed width: a positive sign and leading zeros are blanks, so blanks stand before digits only.
_FIELD = r" *([+-]?) *([0-9]+\.[0-9]+E[+-][0-9]+)"
_READING = re.compile(f"{_FIELD},{_FIELD}")


class HiokiBT3562:
    """One tester with its probes on one cell.

    ``range_ohm`` fixes the resistance range (the meter takes the smallest that holds it); None
    leaves both ranges to the meter.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, *, range_ohm: float | None = None) -> None:
        self._meter = HiokiMeter(link, name, self.sheet)
        self._range_ohm = range_ohm
        self._ready = False

    def identify(self) -> Identity:
        self._ready = False
        return self._meter.identify()

    def read_resistance(self) -> ResistanceReading:
        """Trigger one measurement and return it; what is beyond range, or open leads, is NaN."""
        if not self._ready:
            self._set_up()
        # Until this reading has come: a meter that was switched off meanwhile is set up again.
        self._ready = False
        reading = self._decode(self._meter.query(":READ?"))
        self._ready = True
        return reading

    def make_safe(self) -> None:
        """End continuous measurement, confirmed."""
        self._ready = False
        self._meter.stop()

    def _set_up(self) -> None:
        self._meter.configure(
            f":SYST:HEAD OFF;:FUNC RV;{self._range_commands()}",
            f":SAMP:RATE MED;:TRIG:SOUR IMM;{IDLE}",
        )

    def _range_commands(self) -> str:
        if self._range_ohm is None:
            return ":AUT ON"
        lowest, highest = self._meter.model.impedance_ohm or (0.0, 0.0)
        if not lowest < self._range_ohm <= highest:
            raise OutOfRange(
                f"{self._meter.where}: range {self._range_ohm:g} ohm is not above {lowest:g} "
                f"and up to {highest:g} ohm; nothing was sent"
            )
        return f":AUT OFF;:RES:RANG {1e3 * self._range_ohm:g}E-3"

    def _decode(self, reply: str) -> ResistanceReading:
        match = _READING.fullmatch(reply)
        if match is None:
            raise self._meter.unreadable(":READ?", reply, "resistance,voltage")
        resistance, voltage = float(match[1] + match[2]), float(match[3] + match[4])
        flags = 0
        if max(abs(resistance), abs(voltage)) >= NOT_MEASURED:
            flags = int(Flag.OVERLOAD)
        return ResistanceReading(_measured(resistance), _measured(voltage), flags)


def _measured(value: float) -> float:
    return value if abs(value) < NOT_MEASURED else math.nan
