"""Hioki BT4560 battery impedance meter: spectra of milliohm cells, 0.1 Hz to 1.05 kHz.

The meter measures one frequency at a time with a test current that its range fixes; it drives no
direct current, so a spectrum runs at open circuit. Knows no port and no time. How the meter is
talked to stands in ``hioki_meter``, facts in ``hioki_bt4560.toml``.
"""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from typing import ClassVar

from drivers.analysers.hioki_meter import IDLE, NOT_MEASURED, HiokiMeter
from rig.core.errors import InstrumentError, LinkError, LinkTimeout, OutOfRange, UnreadableReply
from rig.core.instruments import Flag, Identity, ImpedancePoint, Limits, Sweep, SweepProgress
from rig.core.link import Link
from rig.core.sheet import Model, Sheet, load_sheet
from rig.wire import scpi

# In the order of the sheet's current_ranges_ampere: the test current is the range.
_RANGE_COMMANDS = (":RANG 100E-3", ":RANG 10E-3", ":RANG 3E-3")

# The field's settings for live cells; each line well below the meter's input buffer of 256 bytes.
_SETTINGS = (
    f":SYST:HEAD OFF;{IDLE};:TRIG:SOUR IMM;:FUNC RV",
    ":SAMP:RATE V,MED;:SAMP:RATE Z,MED;:SAMP:DEL:MODE WAVE;:SAMP:DEL:WAVE 0.5",
    ":LIM OFF;:ZERO:CROS ON;:CALC:AVER 1;:ADJ:SLOP ON",
    ":AUT OFF",  # autorange would choose another test current, up to 1.5 A
)

LOOK_SECOND = 1.0  # of instrument time, about, that one poll may take
POINT_SECOND = 60.0  # the field's timeout for one point, 0.1 Hz included
_OVERHEAD_SECOND = 0.25  # of a point, beside its 1.5 periods: only to share out LOOK_SECOND


class HiokiBT4560:
    """One meter, four-terminal-pair on one cell; the amplitude of a sweep chooses its range."""

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._meter = HiokiMeter(link, name, self.sheet)
        self._limits: Limits | None = None  # of the spectrum that runs; None: none does
        self._frequencies: deque[float] = deque()  # not yet measured; the first may be under way
        self._waiting = False
        self._waited_second = 0.0

    def identify(self) -> Identity:
        self._forget()
        return self._meter.identify()

    def begin(self, sweep: Sweep, limits: Limits) -> None:
        """Set the meter up; the first poll starts the first point.

        Raises OutOfRange with every objection before any byte is sent, Refused.
        """
        model = self._meter.model
        range_command = _range_command(sweep.amplitude_ampere, model)
        objections = _objections(sweep, limits, model)
        if objections or range_command is None:
            raise OutOfRange(f"{self._meter.where}: nothing sent: {'; '.join(objections)}")
        self._forget()
        self._meter.forget_errors()
        self._meter.change(*_SETTINGS, range_command)
        self._limits, self._frequencies = limits, deque(_frequencies(sweep))

    def poll(self) -> SweepProgress:
        """Return the points that came within about a second; a slow one is collected later.

        Each point's frequency is the one that the meter was set to, on its grid. Raises
        InstrumentError for a cell voltage beyond the limits, Refused, LinkTimeout.
        """
        if self._limits is None:
            raise InstrumentError(f"{self._meter.where}: no spectrum runs", remedy="begin one")
        try:
            points = self._measure_for(LOOK_SECOND, self._limits)
            done = not self._frequencies
            if done:
                self._meter.idle()
        except (LinkError, InstrumentError):
            self._forget()  # the next poll must not take it for a spectrum that goes on
            raise
        if done:
            self._forget()
        return SweepProgress(tuple(points), done)

    def make_safe(self) -> None:
        """Give up a spectrum and end all measurement, confirmed; a point under way ends first."""
        self._forget()
        self._meter.stop()

    # --- points ----------------------------------------------------------------------------------

    def _measure_for(self, left_second: float, limits: Limits) -> list[ImpedancePoint]:
        points: list[ImpedancePoint] = []
        while self._frequencies and left_second > 0:
            point = self._measure(limits, left_second)
            if point is None:
                break
            points.append(point)
            left_second -= _OVERHEAD_SECOND + 1.5 / point.frequency_hertz
        return points

    def _measure(self, limits: Limits, timeout_second: float) -> ImpedancePoint | None:
        """Return the point under way, started here where none is; None if it needs longer."""
        frequency = self._frequencies[0]
        if not self._waiting:
            self._meter.change(f":FREQ {frequency:g}")
            self._meter.ask(":READ?", POINT_SECOND)
            self._waiting, self._waited_second = True, 0.0
        try:
            reply = self._meter.answer(timeout_second)
        except LinkTimeout as silence:
            self._keep_waiting(timeout_second, silence)
            return None
        self._waiting = False
        self._frequencies.popleft()
        return self._point(frequency, reply, limits)

    def _keep_waiting(self, waited_second: float, silence: LinkTimeout) -> None:
        """Raise what the silence means once it has lasted longer than any point takes."""
        self._waited_second += waited_second
        if self._waited_second >= POINT_SECOND:
            raise self._meter.meaning_of(silence, ":READ?") from silence

    def _point(self, frequency_hertz: float, reply: str, limits: Limits) -> ImpedancePoint:
        real, imaginary, volt = values = self._decode(reply)
        if not all(abs(value) < NOT_MEASURED for value in values):
            return ImpedancePoint(frequency_hertz, math.nan, math.nan, int(Flag.OVERLOAD))
        if not limits.voltage_min_volt <= volt <= limits.voltage_max_volt:
            raise InstrumentError(
                f"{self._meter.where}: the cell is at {volt:g} V, outside its limits "
                f"{limits.voltage_min_volt:g} to {limits.voltage_max_volt:g} V",
                remedy="check the polarity of the probes and the limits of the channel",
            )
        return ImpedancePoint(frequency_hertz, real, imaginary)

    def _decode(self, reply: str) -> list[float]:
        where = f"{self._meter.where}: sent ':READ?'"
        try:
            return scpi.parse_floats(reply.encode("ascii"), 3, where)
        except UnreadableReply:
            raise self._meter.unreadable(":READ?", reply, "R,X,V") from None

    def _forget(self) -> None:
        self._limits, self._waiting = None, False
        self._frequencies.clear()


def _objections(sweep: Sweep, limits: Limits, model: Model) -> list[str]:
    """Return everything about a sweep that the meter or the limits cannot hold; NaN is in no range."""
    wrong = []
    low, high = model.frequency_hertz or (0.0, 0.0)
    for what, frequency in (("start", sweep.start_hertz), ("stop", sweep.stop_hertz)):
        if not low <= frequency <= high:
            wrong.append(
                f"{what} frequency {frequency:g} Hz is outside {model.name}: {low:g} to {high:g} Hz"
            )
    if sweep.points < 1:
        wrong.append(f"{sweep.points} points: at least one is needed")
    if not limits.voltage_min_volt < limits.voltage_max_volt:
        wrong.append("the voltage limits are no range")
    if sweep.bias_volt is not None:
        wrong.append("the meter drives no direct current and holds no bias voltage")
    return wrong + _objections_to_amplitude(sweep, limits, model)


def _objections_to_amplitude(sweep: Sweep, limits: Limits, model: Model) -> list[str]:
    amplitude, known = sweep.amplitude_ampere, model.current_ranges_ampere
    currents = ", ".join(f"{ampere:g} A" for ampere in known)
    if amplitude is None or sweep.amplitude_volt is not None:
        return [f"the meter drives a test current of its own: give the amplitude as {currents}"]
    if _range_command(amplitude, model) is None:
        return [f"amplitude {amplitude:g} A is not one of the meter's test currents: {currents}"]
    if not math.sqrt(2) * amplitude <= limits.current_max_ampere:
        return [
            f"peak current {math.sqrt(2) * amplitude:g} A is beyond the limit of "
            f"{limits.current_max_ampere:g} A"
        ]
    return []


def _range_command(amplitude_ampere: float | None, model: Model) -> str | None:
    """Return the command of the range with that test current, None where there is none."""
    ranges = zip(model.current_ranges_ampere, _RANGE_COMMANDS, strict=True)
    wanted = amplitude_ampere or 0.0
    return next((command for ampere, command in ranges if math.isclose(ampere, wanted)), None)


def _frequencies(sweep: Sweep) -> list[float]:
    """Return the sweep's frequencies on the meter's grid; neighbours may fall on one frequency."""
    steps = max(sweep.points - 1, 1)
    ratio = sweep.stop_hertz / sweep.start_hertz
    return [_on_grid(sweep.start_hertz * ratio ** (step / steps)) for step in range(sweep.points)]


def _on_grid(hertz: float) -> float:
    """Round to 0.1 Hz, 1 Hz from 10 Hz on, 10 Hz from 100 Hz on.

    The meter rounds without saying so, and of its grid only "0.1 Hz class" is known: two digits
    are coarse enough to lie on any such grid, so that the frequency stored is the one measured.
    """
    digits = 1 if hertz < 10 else 0 if hertz < 100 else -1
    return float(round(hertz, digits))
