"""PalmSens potentiostats that speak MethodSCRIPT: EmStat Pico, EmStat4, MultiEmStat4, Nexus.

The device runs a script and streams its points; this driver chooses scripts and reads points. It
knows no port, no time and no protocol. How a script is started, followed and ended stands in
``methodscript_conversation``, which script a set point needs in ``methodscript_scripts``, what a
model cannot do in ``methodscript_limits``, the text of packages in ``methodscript_packages``.
"""

from __future__ import annotations

import re
from pathlib import Path

from drivers.potentiostats.methodscript_conversation import ABORT_SECOND, Conversation
from drivers.potentiostats.methodscript_limits import (
    objections_to_bias,
    objections_to_setpoint,
    objections_to_sweep,
)
from drivers.potentiostats.methodscript_packages import Variable, decode_package
from drivers.potentiostats.methodscript_scripts import (
    INTERVAL_SECOND,
    script_of_cell_off,
    script_of_open_circuit_voltage,
    script_of_setpoint,
    script_of_sweep,
)
from rig.core.errors import (
    InstrumentError,
    LinkError,
    OutOfRange,
    UnconfirmedSafeState,
    WrongInstrument,
)
from rig.core.instruments import (
    CellReading,
    Flag,
    Identity,
    ImpedancePoint,
    Limits,
    Regulation,
    Setpoint,
    Sweep,
    SweepProgress,
)
from rig.core.link import Link
from rig.core.sheet import Model, load_sheet

# The first line of a measurement loop tells the technique; these are the ones our scripts use.
REGULATIONS = {
    "M0007": Regulation.VOLTAGE,  # CA
    "M000A": Regulation.CURRENT,  # CP
    "M000B": Regulation.OPEN,  # OCP
}
SPECTRA = frozenset({"M000D", "M000E"})  # EIS, GEIS
LOOP_END = "*"

NEXT_POINT_SECOND = 3 * INTERVAL_SECOND

_TYPE = re.compile(r"(.{6})(.*)#.*")


class PalmSensMethodScript:
    """One potentiostat in both roles of a channel: it drives the cell, or it measures a spectrum.

    ``channel`` is which of a MultiEmStat4's channels: every script selects it, the one that
    switches the cell off too. The device runs one script at a time.
    """

    sheet = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, *, channel: int = 0) -> None:
        self._device = Conversation(link, name, self.sheet, script_of_cell_off(channel))
        self._channel = channel
        self._model: Model | None = None
        self._sweeping = False
        self._regulation = Regulation.OPEN
        self._newest: CellReading | None = None
        self._points: list[ImpedancePoint] = []
        self._ranges: dict[str, int] = {}  # of the newest value of each type, by its number

    def identify(self) -> Identity:
        """End whatever runs, then ask for type, serial number and MethodSCRIPT version."""
        self._forget()
        self._device.abort()
        first, release = self._device.ask("t"), self._device.read_line()
        match = _TYPE.fullmatch(first)
        if match is None or not release.endswith("*"):
            got = f"{first}, then {release}"
            raise self._device.unreadable("t", got, "<type><version>#<date>, then R*")
        model = self._model = self._model_of(match[1])
        serial, version = self._device.ask("i"), self._device.ask("v")
        firmware = f"{match[2]} {release}, MethodSCRIPT {version}"
        return Identity(self.sheet.maker, model.name, serial, firmware)

    def _model_of(self, type_name: str) -> Model:
        model = self.sheet.model(type_name)
        if model is None:
            known = ", ".join(entry.name for entry in self.sheet.models)
            raise WrongInstrument(
                f"{self._device.where}: sent 't', got {type_name!r}, expected one of {known}",
                remedy="correct the driver or the connection of this instrument in the bench file",
            )
        if not 0 <= self._channel < model.channels:
            raise OutOfRange(
                f"{self._device.where}: channel {self._channel} was asked for, "
                f"{model.name} has 0 to {model.channels - 1}",
                remedy="correct the channel of this instrument in the bench file",
            )
        return model

    def _identified(self) -> Model:
        if self._model is None:
            raise InstrumentError(
                f"{self._device.where}: the model is not known yet: nothing to check ranges by",
                remedy="call identify() first",
            )
        return self._model

    # --- cell channel ----------------------------------------------------------------------------

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        """Replace what runs by the script of this set point, up to the start of its measurement.

        The script carries the voltage and current limits and ends by itself after the longest
        time. Raises OutOfRange with every objection; Refused with the device's error.
        """
        model = self._identified()
        self._refuse_if(objections_to_setpoint(setpoint, limits, model))
        script = script_of_setpoint(setpoint, limits, model, self._channel)
        self._start(script, ABORT_SECOND, sweeping=False)

    def measure(self) -> CellReading:
        """Return the newest point, waiting for the next one when none has come since the last call.

        STOPPED with the last values once the script has ended; one open-circuit voltage, cell off,
        when there was no set point yet. Raises LinkTimeout when points stay away.
        """
        if self._sweeping and self._device.running:
            raise InstrumentError(
                f"{self._device.where}: a spectrum is being measured",
                remedy="poll it to its end, or make safe first",
            )
        if self._newest is None and not self._device.running:
            return self._measure_open_circuit()
        before = self._newest
        self._take_arrived()
        while self._device.running and self._newest is before:
            self._take(self._device.next_line(NEXT_POINT_SECOND))
        if self._newest is None:
            raise InstrumentError(f"{self._device.where}: the script ended before its first point")
        if not self._device.running:
            self._newest = self._newest._replace(regulation=Regulation.STOPPED)
        return self._newest

    def _measure_open_circuit(self) -> CellReading:
        """Measure the open-circuit voltage once, cell off."""
        line = self._device.run(script_of_open_circuit_voltage(self._channel))
        voltage = self._value(decode_package(line, self._device.where), line, "ab")
        end = self._device.next_line(self.sheet.timeout_second)
        if end:
            raise self._device.unreadable("meas 100m p ab", end, "an empty line after one package")
        return CellReading(voltage.value, 0.0, Regulation.OPEN, voltage.flags)

    # --- impedance analyser ----------------------------------------------------------------------

    def begin(self, sweep: Sweep, limits: Limits) -> None:
        """Start a spectrum; without a bias, measure the open-circuit voltage first and check it.

        Raises OutOfRange with every objection before any byte is sent, InstrumentError when the
        open-circuit voltage lies outside the limits, Refused with the device's error.
        """
        model = self._identified()
        self._refuse_if(objections_to_sweep(sweep, limits, model))
        bias = sweep.bias_volt
        if bias is None:
            bias = self._open_circuit_bias(sweep, limits, model)
        lowest_hertz = min(sweep.start_hertz, sweep.stop_hertz)
        script = script_of_sweep(sweep, bias, limits, model, self._channel)
        self._start(script, max(ABORT_SECOND, 3 / lowest_hertz), sweeping=True)

    def _open_circuit_bias(self, sweep: Sweep, limits: Limits, model: Model) -> float:
        self._forget()
        reading = self._measure_open_circuit()
        objections = objections_to_bias(sweep, reading.voltage_volt, limits, model)
        if reading.flags & Flag.OVERLOAD:
            objections.append("the potential input is overloaded")
        if objections:
            raise InstrumentError(
                f"{self._device.where}: no spectrum at open circuit: {'; '.join(objections)}",
                remedy="check the cell's leads and the limits of the channel",
            )
        return reading.voltage_volt

    def poll(self) -> SweepProgress:
        """Return the points that have arrived since the last call, and whether the script ended."""
        if not self._sweeping:
            raise InstrumentError(f"{self._device.where}: no spectrum runs", remedy="begin one")
        try:
            self._take_arrived()
        finally:  # a script that died is over: the next poll must not take it for a whole spectrum
            self._sweeping = self._device.running
        points, self._points = tuple(self._points), []
        return SweepProgress(points, done=not self._sweeping)

    # --- safe state ------------------------------------------------------------------------------

    def make_safe(self) -> None:
        """Abort whatever runs, then switch the cell off by a script of its own and see it end."""
        self._forget()
        try:
            self._device.abort()
            self._device.switch_cell_off()
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self._device.where}: cell off not confirmed: {problem}",
                remedy="disconnect the cell by hand",
            ) from problem

    # --- the stream of a running script ----------------------------------------------------------

    def _start(self, script: tuple[str, ...], abort_second: float, *, sweeping: bool) -> None:
        """Run a script and read on until its measurement has begun."""
        self._forget()
        line = self._device.run(script, abort_second)
        if line not in REGULATIONS and line not in SPECTRA:
            raise self._device.unreadable("e", line, "the start of a measurement, such as M000A")
        self._sweeping = sweeping
        self._take(line)

    def _forget(self) -> None:
        self._sweeping, self._newest, self._points, self._ranges = False, None, [], {}

    def _take_arrived(self) -> None:
        while self._device.running:
            line = self._device.next_line_if_any()
            if line is None:
                return
            self._take(line)

    def _take(self, line: str) -> None:
        """Take one line of the running script into account."""
        if line.startswith("P"):
            self._keep(decode_package(line, self._device.where), line)
        elif line in REGULATIONS:
            self._regulation = REGULATIONS[line]
        elif line and line != LOOP_END and line not in SPECTRA:
            raise self._device.unreadable("a script", line, "a package, a marker or the end")

    def _keep(self, package: dict[str, Variable], line: str) -> None:
        flags = self._settling(package)
        for variable in package.values():
            flags |= variable.flags
        if self._sweeping:
            frequency, real, imaginary = (
                self._value(package, line, kind).value for kind in ("dc", "cc", "cd")
            )
            self._points.append(ImpedancePoint(frequency, real, imaginary, flags))
            return
        # The measured value where there is one, else the set value (da in CA, db in CP).
        voltage = self._value(package, line, "ab", "da").value
        current = 0.0
        if self._regulation is not Regulation.OPEN:
            current = self._value(package, line, "ba", "db").value
        self._newest = CellReading(voltage, current, self._regulation, flags)

    def _settling(self, package: dict[str, Variable]) -> int:
        """Return SETTLING where a value is in another range than the last of its type in this script.

        By type, because a hold at the limit goes from the applied current (db) to a measured one
        (ba), which have ranges of their own. A value that names no range says nothing about it.
        """
        named = {
            kind: variable.range_index
            for kind, variable in package.items()
            if variable.range_index is not None
        }
        changed = any(self._ranges.get(kind, index) != index for kind, index in named.items())
        self._ranges.update(named)
        return int(Flag.SETTLING) if changed else 0

    def _value(self, package: dict[str, Variable], line: str, *kinds: str) -> Variable:
        for kind in kinds:
            if kind in package:
                return package[kind]
        raise self._device.unreadable("a script", line, f"a package with {' or '.join(kinds)}")

    def _refuse_if(self, objections: list[str]) -> None:
        if objections:
            raise OutOfRange(f"{self._device.where}: nothing sent: {'; '.join(objections)}")
