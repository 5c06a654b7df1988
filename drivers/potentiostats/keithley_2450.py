"""Keithley 2450, 2460 and 2461 source-measure units as cell channels, SCPI command set.

The commands of this family; how a cell is driven with them is in ``keithley_source_meter.py``.
Knows no port and no engine; facts stand in ``keithley_2450.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from drivers.potentiostats.keithley_set_points import (
    REGULATION,
    Setup,
    Source,
)
from drivers.potentiostats.keithley_source_meter import SourceMeter, range_command
from drivers.potentiostats.readings import cell_reading, disconnected_reading
from rig.core.errors import WrongInstrument
from rig.core.instruments import CellReading, Flag
from rig.core.sheet import Sheet, load_sheet

_READ = b':READ? "defbuffer1",SOUR,READ,SOURSTAT\n'
# Source status bits (2450 reference, buffer element SOURSTAT).
_OVERTEMPERATURE, _LIMIT_REACHED, _OUTPUT_ON = 1 << 4, 1 << 5, 1 << 7


class Keithley2450(SourceMeter):
    """A source-measure unit of the 2450 family; see SourceMeter."""

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))
    marker = ("*LANG?", "SCPI")
    # The off states before off, so that the cell never sees the 0 V source of NORMAL.
    stop_commands = (":ABOR", ":OUTP:VOLT:SMOD HIMP", ":OUTP:CURR:SMOD HIMP", ":OUTP OFF")
    off_state_settings = (":OUTP:VOLT:SMOD", ":OUTP:CURR:SMOD")
    measured: ClassVar[Mapping[Source, frozenset[str]]] = {
        source: frozenset({source.measured}) for source in Source
    }
    level_commands: ClassVar[Mapping[Source, str]] = {
        Source.VOLTAGE: ":SOUR:VOLT",
        Source.CURRENT: ":SOUR:CURR",
    }
    limit_commands: ClassVar[Mapping[Source, str]] = {
        Source.VOLTAGE: ":SOUR:VOLT:ILIM",
        Source.CURRENT: ":SOUR:CURR:VLIM",
    }

    def _check_dialect(self, identification: str) -> None:
        language = self._talk.query("*LANG?")
        if language != "SCPI":
            raise WrongInstrument(
                f"{self._who}: sent '*LANG?', got {language!r}, expected 'SCPI'",
                remedy="send *LANG SCPI (or choose it in the instrument's menu) and switch it off and on",
            )

    def _set_up_commands(self, setup: Setup) -> tuple[str, ...]:
        """Return the set-up in the order that no command meets a setting it conflicts with.

        OVP while the level is 0 V and the source is VOLT, where neither a stale level nor a stale
        voltage limit stands against it. The limit after the source range and under autorange: a
        fixed range forces the limit to 0.1 % of itself or more.
        """
        frame = setup.frame
        source, sense = f":SOUR:{frame.source.value}", f":SENS:{frame.source.measured}"
        select = () if frame.source is Source.VOLTAGE else (f":SOUR:FUNC {frame.source.value}",)
        return (
            ":SOUR:FUNC VOLT",
            ":SOUR:VOLT 0",
            f":SOUR:VOLT:PROT PROT{frame.protection_volt:g}",
            *select,
            f':SENS:FUNC "{frame.source.measured}"',
            f"{sense}:RANG:AUTO ON",
            range_command(source, frame.source_range),
            self._limit_command(setup),
            self._level_command(setup),
            f"{source}:READ:BACK ON",
            range_command(sense, frame.measure_range),
            f"{sense}:RSEN ON",
            f"{sense}:NPLC 1",
            ":SENS:COUN 1",
            ':TRAC:CLE "defbuffer1"',
        )

    def _take_reading(self, source: Source) -> CellReading:
        """Measure once; with readback on, the source value is a measured one, too."""
        sourced, measured, status = self._values_and_status(_READ)
        by_voltage = source is Source.VOLTAGE
        voltage, current = (sourced, measured) if by_voltage else (measured, sourced)
        regulation, flags = REGULATION[source, bool(status & _LIMIT_REACHED)]
        hot = int(Flag.OVERTEMPERATURE) if status & _OVERTEMPERATURE else 0
        if not status & _OUTPUT_ON:
            return disconnected_reading(hot)
        return cell_reading(voltage, current, regulation, flags | hot)
