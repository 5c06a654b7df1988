"""A Rodeostat's potentiostat and its test, moved to the times that are handed in; knows no text.

It holds a voltage and measures the current; there is no current control. Hardware V0.2 has a switch
in each electrode's lead (the maker's firmware, ps_system_state.cpp: open at power-up; the end of a
test sets 0 V and, with auto-connect, opens them), V0.1 has none. What neither the sheet nor the
firmware gives is chosen here: the names of the variant and of the ranges beside ``100uA`` and
``1000uA``, the range at power-on, the current the output can give, the noise, that samples come
from the start of the quiet time on, that current flows while counter and working electrode are
connected, and that without switches the last voltage stays when a test is over, the choice that is
hardest on a driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulators.interfaces import OPEN, Cell, Drive, DriveMode

VOLTAGE_RANGES: Mapping[str, float] = {"1V": 1.0, "2V": 2.0, "5V": 5.0, "10V": 10.0}
CURRENT_RANGES: Mapping[str, float] = {"1uA": 1e-6, "10uA": 1e-5, "100uA": 1e-4, "1000uA": 1e-3}
ELECTRODES = ("Ref", "Ctr", "Wrk")
_MOST_CURRENT_AMPERE = 24e-3
_CURRENT_NOISE_OF_RANGE = 1e-4


@dataclass(frozen=True, slots=True)
class ConstantTest:
    """The test ``constant``: one voltage for a while, another before it; volt and ms, at least one."""

    quiet_volt: float = 0.0
    quiet_millisecond: int = 0
    volt: float = 0.0
    duration_millisecond: int = 1000

    @property
    def total_millisecond(self) -> int:
        """How long it takes with its quiet time."""
        return self.quiet_millisecond + self.duration_millisecond

    def voltage_volt(self, elapsed_millisecond: float) -> float:
        """Return the voltage so long after the start."""
        quiet = elapsed_millisecond < self.quiet_millisecond
        return self.quiet_volt if quiet else self.volt


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of a test; ``beyond_range``: the current is cut off at the range."""

    time_millisecond: int
    voltage_volt: float
    current_ampere: float
    beyond_range: bool


class Rodeostat:
    """The output on its cell: switched on, it holds 0 V, and a cell that is connected feels it."""

    def __init__(
        self, name: str, cell: Cell, seed: int, noise: bool, *, switched: bool = False
    ) -> None:
        self.voltage_range = "1V"
        self.current_range = "1uA"
        self.sample_millisecond = 10
        self.voltage_volt = 0.0
        self.auto_connect = switched
        self._switched = switched
        self._connected = dict.fromkeys(ELECTRODES, not switched)
        self._name = name
        self._cell = cell
        self._random = Random(seed)
        self._noise = float(noise)
        self._test: ConstantTest | None = None
        self._began = 0.0
        self._done_millisecond = 0

    @property
    def is_running(self) -> bool:
        return self._test is not None

    @property
    def next_second(self) -> float | None:
        """When the next event of the test is due; None when none runs."""
        test = self._test
        return None if test is None else self._second(self._next_millisecond(test))

    def switch_on(self, now_second: float) -> None:
        """Begin to hold 0 V, as at power-up."""
        self.set_voltage(0.0, now_second)

    def holds(self, volt: float) -> bool:
        """Return whether the present voltage range reaches ``volt``."""
        return abs(volt) <= VOLTAGE_RANGES[self.voltage_range]

    def set_voltage(self, volt: float, now_second: float) -> None:
        """Hold ``volt``, which the caller has checked."""
        self.voltage_volt = volt
        self._drive(now_second)

    def connected(self, electrode: str) -> bool:
        """Return whether an electrode's switch is closed."""
        return self._connected[electrode]

    def connect(self, electrode: str, closed: bool, now_second: float) -> None:
        """Close or open an electrode's switch."""
        self._connected[electrode] = closed
        self._drive(now_second)

    def connect_all(self, closed: bool, now_second: float) -> None:
        """Close or open all electrodes' switches."""
        self._connected = dict.fromkeys(ELECTRODES, closed)
        self._drive(now_second)

    def _drive(self, now_second: float) -> None:
        flows = self._connected["Ctr"] and self._connected["Wrk"]
        held = Drive(DriveMode.VOLTAGE, self.voltage_volt, _MOST_CURRENT_AMPERE)
        self._cell.drive(self._name, held if flows else OPEN, now_second)

    def reference_volt(self, now_second: float) -> float:
        """Return the voltage at the reference electrode: that of the cell."""
        return self._cell.terminals(now_second).voltage_volt

    def current_ampere(self, now_second: float) -> tuple[float, bool]:
        """Return the current as the range shows it, and whether it is cut off."""
        full_scale = CURRENT_RANGES[self.current_range]
        current = self._cell.terminals(now_second).current_ampere
        current += self._noise * self._random.gauss(0.0, _CURRENT_NOISE_OF_RANGE * full_scale)
        shown = min(max(current, -full_scale), full_scale)
        return shown, shown != current

    def start(self, test: ConstantTest, now_second: float) -> None:
        """Begin a test, whose voltages the caller has checked."""
        if self.auto_connect:
            self.connect_all(True, now_second)
        self._test, self._began, self._done_millisecond = test, now_second, 0
        self.set_voltage(test.voltage_volt(0), now_second)

    def stop(self, now_second: float) -> None:
        """End the test; without switches the present voltage stays."""
        self._test = None
        if self._switched:
            self.set_voltage(0.0, now_second)
        if self.auto_connect:
            self.connect_all(False, now_second)

    def step(self) -> Sample | None:
        """Do what is due at ``next_second``: change the voltage, or measure and return that."""
        assert self._test is not None
        test, elapsed = self._test, self._next_millisecond(self._test)
        second = self._second(elapsed)
        self._done_millisecond = elapsed
        sample = None
        if elapsed % self.sample_millisecond == 0:
            current, cut_off = self.current_ampere(second)
            sample = Sample(elapsed, self.voltage_volt, current, cut_off)
        if elapsed >= test.total_millisecond:
            self.stop(second)
        elif test.voltage_volt(elapsed) != self.voltage_volt:
            self.set_voltage(test.voltage_volt(elapsed), second)
        return sample

    def _next_millisecond(self, test: ConstantTest) -> int:
        """Return when, in ms from the start, the next sample, voltage or end is due."""
        done, every = self._done_millisecond, self.sample_millisecond
        ahead = [(done // every + 1) * every, test.quiet_millisecond, test.total_millisecond]
        return min(moment for moment in ahead if moment > done)

    def _second(self, elapsed_millisecond: int) -> float:
        return self._began + elapsed_millisecond / 1000
