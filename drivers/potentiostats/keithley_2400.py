"""Keithley 2400 series source-measure units as cell channels, the legacy SCPI command set.

The commands of this family; how a cell is driven with them is in ``keithley_source_meter.py``.
``:MEAS?`` and ``:CONF:`` are not used: they switch the output on by themselves. Nor is ``*RST``: it
sets the off state to NORMAL, a 0 V source on the cell. Knows no port and no engine; facts stand in
``keithley_2400.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from drivers.potentiostats.keithley_set_points import (
    AUTO,
    REGULATION,
    Setup,
    Source,
)
from drivers.potentiostats.keithley_source_meter import SourceMeter, range_command
from drivers.potentiostats.readings import cell_reading
from rig.core.errors import LinkTimeout, Refused, UnreadableReply
from rig.core.instruments import CellReading, Flag, Identity
from rig.core.sheet import Sheet, load_sheet

_READ = b":READ?\n"
# Status word, the last element of a reading (2400 user manual, data elements).
_OVERFLOW, _REAL_COMPLIANCE = 1 << 0, 1 << 3
_OVERVOLTAGE_PROTECTION, _RANGE_COMPLIANCE = 1 << 4, 1 << 16
_NOT_WITH_OUTPUT_OFF = 803
# Whatever ran before may have left these otherwise: one reading per :READ?, started by itself,
# with voltage, current and status in it, and an output that stays on afterwards.
_ONE_READING_OF_BOTH = (
    ":SOUR:CLE:AUTO OFF",
    ":ARM:SOUR IMM",
    ":ARM:COUN 1",
    ":TRIG:COUN 1",
    ":SENS:FUNC:CONC ON",
    ':SENS:FUNC "VOLT","CURR"',
    ":FORM:ELEM VOLT,CURR,STAT",
)
_SET_THE_TERMINATOR = "set the RS-232 terminator to LF in the instrument's menu (factory: CR)"


class Keithley2400(SourceMeter):
    """A source-measure unit of the 2400 series; see SourceMeter.

    ``measure`` raises Refused, with the error queue, when the output went off by itself: the
    instrument then has no reading to give.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))
    # Every stop and every set-up begins with the off state, so it answers HIMP ever after.
    marker = (":OUTP:SMOD?", "HIMP")
    # The off state before off, so that the cell never sees the 0 V source of NORMAL.
    stop_commands = (":ABOR", ":OUTP:SMOD HIMP", ":OUTP OFF")
    off_state_settings = (":OUTP:SMOD",)
    measured: ClassVar[Mapping[Source, frozenset[str]]] = dict.fromkeys(
        Source, frozenset({"VOLT", "CURR"})
    )
    level_commands: ClassVar[Mapping[Source, str]] = {
        Source.VOLTAGE: ":SOUR:VOLT:LEV",
        Source.CURRENT: ":SOUR:CURR:LEV",
    }
    limit_commands: ClassVar[Mapping[Source, str]] = {
        Source.VOLTAGE: ":SENS:CURR:PROT",
        Source.CURRENT: ":SENS:VOLT:PROT",
    }

    def identify(self) -> Identity:
        try:
            return super().identify()
        except LinkTimeout as error:
            raise LinkTimeout(
                str(error),
                received=error.received,
                remedy=f"check power, cable and baud rate; {_SET_THE_TERMINATOR}",
            ) from error

    def _check_dialect(self, identification: str) -> None:
        if identification.endswith("\r"):
            raise UnreadableReply(
                f"{self._who}: sent '*IDN?', got {identification!r}, which ends in CR LF",
                remedy=_SET_THE_TERMINATOR,
            )

    def _set_up_commands(self, setup: Setup) -> tuple[str, ...]:
        """Return the set-up in the order that no command meets a setting it conflicts with.

        Source range while the level is 0. The limit under autorange (+824: not above a fixed
        measure range; nor below 0.1 % of it); the fixed range after it holds it, so that the limit
        in force is the one of the set point and never a range's.
        """
        frame = setup.frame
        source, sense = f":SOUR:{frame.source.value}", f":SENS:{frame.source.measured}"
        fixed = () if frame.measure_range is AUTO else (range_command(sense, frame.measure_range),)
        return (
            *_ONE_READING_OF_BOTH,
            ":SYST:RSEN ON",
            ":SYST:AZER ON",
            f":SOUR:FUNC {frame.source.value}",
            f"{source}:MODE FIX",
            f"{source}:LEV 0",
            range_command(source, frame.source_range),
            f"{sense}:RANG:AUTO ON",
            self._limit_command(setup),
            self._level_command(setup),
            *fixed,
            f"{sense}:NPLC 1",
        )

    def _take_reading(self, source: Source) -> CellReading:
        try:
            voltage, current, status = self._values_and_status(_READ)
        except LinkTimeout:
            self._refuse_if_off()
            raise
        regulation, flags = REGULATION[
            source, bool(status & (_REAL_COMPLIANCE | _RANGE_COMPLIANCE))
        ]
        if status & (_RANGE_COMPLIANCE | _OVERVOLTAGE_PROTECTION):
            flags |= int(Flag.COMPLIANCE)
        if status & _OVERFLOW:
            flags |= int(Flag.OVERLOAD)
        return cell_reading(voltage, current, regulation, flags)

    def _refuse_if_off(self) -> None:
        """Raise Refused when :READ? had no answer because the output is off (+803)."""
        errors = self._talk.errors()
        if any(error.code == _NOT_WITH_OUTPUT_OFF for error in errors):
            raise Refused(
                f"{self._who}: sent ':READ?', the output went off by itself: "
                f"{'; '.join(self._explain(error) for error in errors)}",
                remedy="look for overtemperature, an open output-enable line, or a hand at the panel",
            )
