"""The potentiostat behind the script: modes, relay, ranges, noise. Knows no text and no bytes.

What the sheet does not give is chosen here: the noise of a reading, that a potential overloads at
the mode's window, and how long an overload lasts before the measurement is aborted (0032).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_models import GALVANOSTAT, HIGH_SPEED, Model, Range, Window
from simulators.fronts.methodscript_packages import Status, metadata
from simulators.fronts.methodscript_ranging import FULL_SCALE, Ranging, range_status, suitable
from simulators.interfaces import OPEN, Cell, Drive, DriveMode

_POTENTIAL_NOISE_VOLT = 20e-6
_CURRENT_NOISE_OF_RANGE = 1e-5
_CRITICAL_OVERLOAD_SECOND = 2.0
_SQRT2 = math.sqrt(2.0)


class Reading(NamedTuple):
    """One measured point with the metadata of both signals."""

    voltage_volt: float
    current_ampere: float
    voltage_metadata: str
    current_metadata: str


class ImpedanceReading(NamedTuple):
    """One measured impedance with the metadata of both signals."""

    impedance_ohm: complex
    voltage_metadata: str
    current_metadata: str


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations, switched on or off as a whole.

    Real and imaginary impedance each get ``impedance_relative * |Z| + impedance_ohm``.
    """

    on: bool = True
    impedance_relative: float = 0.003
    impedance_ohm: float = 1e-3


class PgStat:
    """The output stage on its cell. All times are real (cell) seconds, handed in.

    After power-up: mode 0, cell off, largest ranges.
    """

    def __init__(self, name: str, cell: Cell, model: Model, noise: Noise, seed: int) -> None:
        self.model = model
        self.mode = 0
        self.cell_is_on = False
        self._name = name
        self._cell = cell
        self._noise = noise
        self._random = Random(seed)
        self._potential_volt = 0.0
        self._current_ampere = 0.0
        self._limited_since: float | None = None
        self._signals = {
            "ba": Ranging(model.current_ranges[-1:]),
            "db": Ranging(model.galvanostat_ranges[-1:]),
            "ab": Ranging(model.potential_ranges[-1:]),
        }

    # Settings

    def set_mode(self, mode: float) -> None:
        """Switch the PGStat mode, which puts the current back to its largest range.

        Strict where the sheet is open: a mode is not changed while the cell is on.
        """
        if mode != 0 and mode not in self.model.windows:
            raise ScriptError(Code.UNKNOWN_MODE)
        if mode == self.mode:
            return
        if self.cell_is_on:
            raise ScriptError(Code.NEEDS_CELL_OFF)
        self.mode = int(mode)
        self._signals["ba"] = Ranging(self._table("ba")[-1:])

    def set_range(self, kind: str, low: float, high: float) -> None:
        """Let the signal ``ba``, ``db`` or ``ab`` use the ranges for values from low to high."""
        if kind not in self._signals:
            raise ScriptError(Code.INVALID_TYPE)
        table = self._table(kind)
        if not table:
            raise ScriptError(Code.NOT_SUPPORTED)
        # Which values `set_range ab` takes is an open point of the sheet: any is.
        if kind != "ab" and high > max(self.model.current_ampere, table[-1].nominal) * (1 + 1e-6):
            raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)
        self._signals[kind].narrow(table, low, high)

    def set_window(self, low_volt: float, high_volt: float) -> None:
        """Declare the potentials a script needs; refused when the mode cannot span them."""
        self.check_potential(low_volt)
        self.check_potential(high_volt)
        if high_volt < low_volt or high_volt - low_volt > self._window().span_volt:
            raise ScriptError(Code.INVALID_POTENTIAL)

    def set_potential(self, level_volt: float, now_second: float) -> None:
        """Set the potential that is or will be applied."""
        self.require_potentiostat()
        self.check_potential(level_volt)
        self._potential_volt = level_volt
        if self.cell_is_on:
            self._drive(now_second)

    def set_current(self, level_ampere: float, now_second: float) -> None:
        """Set the current that is or will be applied."""
        self.require_mode(GALVANOSTAT)
        self.check_current(level_ampere)
        self._current_ampere = level_ampere
        if self.cell_is_on:
            self._drive(now_second)

    def cell_on(self, now_second: float) -> None:
        """Close the relay at the potential or current that was set."""
        self._window()
        self.cell_is_on = True
        self._limited_since = None
        self._drive(now_second)

    def cell_off(self, now_second: float) -> None:
        """Open the relay; allowed in every mode."""
        self.cell_is_on = False
        self._limited_since = None
        self._cell.drive(self._name, OPEN, now_second)

    # Conditions; each raises ScriptError

    def require_mode(self, mode: int) -> None:
        if self.mode != mode:
            raise ScriptError(Code.INVALID_IN_MODE)

    def require_potentiostat(self) -> None:
        if self.mode in (0, GALVANOSTAT):
            raise ScriptError(Code.INVALID_IN_MODE)

    def require_cell_on(self) -> None:
        if not self.cell_is_on:
            raise ScriptError(Code.NEEDS_CELL_ON)

    def require_cell_off(self) -> None:
        self._window()
        if self.cell_is_on:
            raise ScriptError(Code.OCP_WITH_CELL_ON)

    def check_potential(self, level_volt: float) -> None:
        window = self._window()
        if not window.low_volt <= level_volt <= window.high_volt:
            raise ScriptError(Code.INVALID_POTENTIAL)

    def check_current(self, level_ampere: float) -> None:
        full_scale = FULL_SCALE * self._signals["db"].allowed[-1].nominal
        if not abs(level_ampere) <= min(self.model.current_ampere, full_scale):
            raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)

    def check_frequency(self, frequency_hertz: float) -> None:
        if not 0 < frequency_hertz <= self.model.frequency_hertz:
            raise ScriptError(Code.INVALID_FREQUENCY)

    def check_amplitude(self, amplitude: float) -> None:
        """Check an rms amplitude: volt, or ampere in the galvanostatic mode.

        The largest galvanostatic amplitude is not in the sheet; here its peak is held to the
        model's current.
        """
        galvanostatic = self.mode == GALVANOSTAT
        largest = self.model.current_ampere / _SQRT2 if galvanostatic else self.model.amplitude_volt
        if not 0 < amplitude <= largest:
            raise ScriptError(Code.INVALID_AMPLITUDE)

    # Measuring

    def measure(self, now_second: float, late: bool = False) -> Reading:
        """Return potential and current at ``now_second``, with noise and status."""
        voltage, current, limited = self._cell.terminals(now_second)
        status = Status.TIMING.value if late else 0
        if limited:
            status |= Status.OVERLOAD.value
        self._watch_overload(limited, now_second)
        current_range = self._current_ranging().pick(abs(current))
        if self._noise.on:
            gauss = self._random.gauss
            voltage += gauss(0.0, _POTENTIAL_NOISE_VOLT)
            current += gauss(0.0, _CURRENT_NOISE_OF_RANGE * current_range.nominal)
        full_scale = FULL_SCALE * current_range.nominal
        window = self._window()
        voltage_status = status | self._window_status(voltage, voltage)
        current_status = status | range_status(abs(current), current_range)
        return Reading(
            min(max(voltage, window.low_volt), window.high_volt),
            min(max(current, -full_scale), full_scale),
            # As in the sheet's transcripts, a potential carries metadata only when it has to.
            self._voltage_metadata(voltage_status, abs(voltage)) if voltage_status else "",
            metadata(current_status, current_range.index),
        )

    def impedance(
        self, frequency_hertz: float, amplitude: float, now_second: float
    ) -> ImpedanceReading:
        """Return the impedance at ``now_second``; amplitude in volt, in mode 6 in ampere (rms)."""
        voltage, current, limited = self._cell.terminals(now_second)
        self._watch_overload(limited, now_second)
        impedance = self._cell.impedance(frequency_hertz, now_second)
        size = abs(impedance)
        galvanostatic = self.mode == GALVANOSTAT
        current_peak = _SQRT2 * (amplitude if galvanostatic else amplitude / size)
        voltage_peak = _SQRT2 * (amplitude * size if galvanostatic else amplitude)
        current_range = self._current_ranging().pick(abs(current) + current_peak)
        status = Status.OVERLOAD.value if limited else 0
        voltage_status = status | self._window_status(
            voltage - voltage_peak, voltage + voltage_peak
        )
        current_status = status | range_status(abs(current) + current_peak, current_range)
        # A current that the range cuts off looks like a larger impedance.
        cut_off = max(1.0, current_peak / (FULL_SCALE * current_range.nominal))
        return ImpedanceReading(
            self._with_noise(impedance) * cut_off,
            self._voltage_metadata(voltage_status, voltage_peak),
            metadata(current_status, current_range.index),
        )

    def _with_noise(self, impedance: complex) -> complex:
        if not self._noise.on:
            return impedance
        deviation = self._noise.impedance_relative * abs(impedance) + self._noise.impedance_ohm
        gauss = self._random.gauss
        return impedance + complex(gauss(0.0, deviation), gauss(0.0, deviation))

    # Workings

    def _window(self) -> Window:
        window = self.model.windows.get(self.mode)
        if window is None:
            raise ScriptError(Code.INVALID_IN_MODE)
        return window

    def _table(self, kind: str) -> tuple[Range, ...]:
        if kind == "ab":
            return self.model.potential_ranges
        if kind == "db":
            return self.model.galvanostat_ranges
        return (
            self.model.high_speed_ranges if self.mode == HIGH_SPEED else self.model.current_ranges
        )

    def _window_status(self, lowest_volt: float, highest_volt: float) -> int:
        window = self._window()
        inside = window.low_volt <= lowest_volt and highest_volt <= window.high_volt
        return 0 if inside else Status.OVERLOAD.value

    def _current_ranging(self) -> Ranging:
        return self._signals["db" if self.mode == GALVANOSTAT else "ba"]

    def _voltage_metadata(self, status: int, magnitude: float) -> str:
        allowed = self._signals["ab"].allowed
        return metadata(status, allowed[suitable(allowed, magnitude)].index)

    def _drive(self, now_second: float) -> None:
        if self.mode == GALVANOSTAT:
            limit = self._window().high_volt
            drive = Drive(DriveMode.CURRENT, self._current_ampere, limit)
        else:
            full_scale = FULL_SCALE * self._signals["ba"].allowed[-1].nominal
            limit = min(full_scale, self.model.current_ampere)
            drive = Drive(DriveMode.VOLTAGE, self._potential_volt, limit)
        self._cell.drive(self._name, drive, now_second)

    def _watch_overload(self, limited: bool, now_second: float) -> None:
        if not limited:
            self._limited_since = None
        elif self._limited_since is None:
            self._limited_since = now_second
        elif now_second - self._limited_since >= _CRITICAL_OVERLOAD_SECOND:
            raise ScriptError(Code.CRITICAL_OVERLOAD)
