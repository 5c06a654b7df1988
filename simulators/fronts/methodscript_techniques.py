"""The measurement loops: from a loop's arguments to its points in time. Knows no text and no bytes.

A technique checks its arguments, applies the first level and returns an iterator of points: when
a point is due (script time) and what then measures it. Asking for the next point is what starts
it, so a sweep steps its level there.

Chosen where the sheet has no answer: a sweep point and an impedance point take the times below,
the levels of a sweep start at its first value, scans count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Protocol

from simulators.fronts.methodscript_device import PgStat
from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_models import GALVANOSTAT, HIGH_SPEED
from simulators.fronts.methodscript_packages import Variable

_IMPEDANCE_PERIODS = 3.0
_SHORTEST_IMPEDANCE_POINT_SECOND = 0.15
# Shorter points are refused (000D): the device's own limit is not in the sheet, and without one a
# script could ask for more points than anybody can simulate.
_SHORTEST_POINT_SECOND = 1e-4
# Counting steps as duration / interval must not lose one to the last bit of a float.
_COUNT_TOLERANCE = 1e-6

Points = Iterator[tuple[float, Callable[[], None]]]
# A loop's arguments in the manual's order: first the variables it writes, then numbers.
Outputs = Sequence[Variable]
Values = Sequence[float]


class Script(Protocol):
    """What a technique sees of the script that runs it."""

    device: PgStat  # that of the selected channel
    time: float  # script time: stands still while the script is held
    late: bool  # the body took longer than the interval
    in_scan: bool  # a scan has been started and not yet ended
    current_type_in_cp: str

    def now(self) -> float:
        """Return the time for the cell, which goes on while a script is held."""
        ...

    def emit(self, line: str) -> None:
        """Send a line, unless the script has switched its output off."""
        ...

    def select_channel(self, number: float) -> None:
        """Let ``device`` be that of channel ``number``; raises ScriptError."""
        ...


@dataclass(frozen=True, slots=True)
class Technique:
    """A measurement loop: the id on the wire, and how an abort meets it.

    ``finishes_point``: an abort waits for the present point. ([V] in the sheet: here impedance
    does, waiting between two points of the others is interrupted.)
    """

    code: str
    points: Callable[[Script, Outputs, Values], Points]
    finishes_point: bool = False


def chronoamperometry(script: Script, outputs: Outputs, values: Values) -> Points:
    """Hold a potential: ``p`` is the set potential, ``c`` the measured current."""
    p, c = outputs
    level, interval, duration = values
    device = script.device
    device.require_potentiostat()
    device.require_cell_on()
    count = _count(interval, duration)
    device.set_potential(level, script.now())
    return _paced(script, interval, count, partial(_measure_current, script, p, c, level))


def chronopotentiometry(script: Script, outputs: Outputs, values: Values) -> Points:
    """Hold a current: ``p`` is the measured potential, ``c`` the current."""
    p, c = outputs
    level, interval, duration = values
    device = script.device
    device.require_mode(GALVANOSTAT)
    device.require_cell_on()
    count = _count(interval, duration)
    device.set_current(level, script.now())
    return _paced(script, interval, count, partial(_measure_potential, script, p, c, level))


def open_circuit(script: Script, outputs: Outputs, values: Values) -> Points:
    """Watch the potential of a cell that is off."""
    (p,) = outputs
    interval, duration = values
    device = script.device
    device.require_cell_off()

    def measure() -> None:
        reading = device.measure(script.now(), script.late)
        p.put("ab", reading.voltage_volt, reading.voltage_metadata)

    return _paced(script, interval, _count(interval, duration), measure)


def linear_sweep(script: Script, outputs: Outputs, values: Values) -> Points:
    """Sweep the potential once."""
    begin, end, step, rate = values
    device = script.device
    device.require_potentiostat()
    device.require_cell_on()
    _check_sweep(step, rate)
    device.check_potential(begin)
    device.check_potential(end)
    return _potential_sweep(script, outputs, _levels(begin, end, step), step / rate)


def cyclic_sweep(script: Script, outputs: Outputs, values: Values) -> Points:
    """Sweep from the first level over both vertices and back; a fifth value is the number of scans."""
    begin, vertex_1, vertex_2, step, rate, *optional = values
    scans = optional[0] if optional else 1
    device = script.device
    device.require_potentiostat()
    device.require_cell_on()
    _check_sweep(step, rate)
    if scans < 1:
        raise ScriptError(Code.NEEDS_ONE_STEP)
    for level in (begin, vertex_1, vertex_2):
        device.check_potential(level)

    def one_scan() -> Points:
        levels = chain(
            _levels(begin, vertex_1, step, last=False),
            _levels(vertex_1, vertex_2, step, last=False),
            _levels(vertex_2, begin, step),
        )
        return _potential_sweep(script, outputs, levels, step / rate)

    return one_scan() if scans < 2 else _scans(script, one_scan, int(scans))


def current_sweep(script: Script, outputs: Outputs, values: Values) -> Points:
    """Sweep the current once."""
    p, c = outputs
    begin, end, step, rate = values
    device = script.device
    device.require_mode(GALVANOSTAT)
    device.require_cell_on()
    _check_sweep(step, rate)
    device.check_current(begin)
    device.check_current(end)

    def points() -> Points:
        for level in _levels(begin, end, step):
            device.set_current(level, script.now())
            measure = partial(_measure_potential, script, p, c, level)
            yield script.time + step / rate, measure

    return points()


def impedance(script: Script, outputs: Outputs, values: Values) -> Points:
    """Measure a potentiostatic spectrum around ``bias`` volt."""
    *sweep, bias = values
    script.device.require_mode(HIGH_SPEED)
    script.device.require_cell_on()
    points = _spectrum(script, outputs, sweep)
    script.device.set_potential(bias, script.now())
    return points


def galvanostatic_impedance(script: Script, outputs: Outputs, values: Values) -> Points:
    """Measure a galvanostatic spectrum around ``bias`` ampere."""
    *sweep, bias = values
    script.device.require_mode(GALVANOSTAT)
    script.device.require_cell_on()
    points = _spectrum(script, outputs, sweep)
    script.device.set_current(bias, script.now())
    return points


def _measure_current(script: Script, p: Variable, c: Variable, level: float) -> None:
    reading = script.device.measure(script.now(), script.late)
    p.put("da", level)
    c.put("ba", reading.current_ampere, reading.current_metadata)


def _measure_potential(script: Script, p: Variable, c: Variable, level: float) -> None:
    reading = script.device.measure(script.now(), script.late)
    p.put("ab", reading.voltage_volt, reading.voltage_metadata)
    kind = script.current_type_in_cp
    c.put(kind, level if kind == "db" else reading.current_ampere, reading.current_metadata)


def _paced(script: Script, interval: float, count: int, measure: Callable[[], None]) -> Points:
    """Yield points on a fixed grid; a body that takes longer than it makes its next point late."""
    due = script.time
    for _ in range(count):
        due += interval
        script.late = script.time > due
        due = max(due, script.time)
        yield due, measure


def _count(interval: float, duration: float) -> int:
    if not interval >= _SHORTEST_POINT_SECOND:
        raise ScriptError(Code.INVALID_TIME)
    count = int(duration / interval + _COUNT_TOLERANCE)
    if count < 1:
        raise ScriptError(Code.NEEDS_ONE_STEP)
    return count


def _check_sweep(step: float, rate: float) -> None:
    if not step > 0:
        raise ScriptError(Code.NEEDS_ONE_STEP)
    if not rate > 0:
        raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)
    if step / rate < _SHORTEST_POINT_SECOND:
        raise ScriptError(Code.INVALID_TIME)


def _levels(begin: float, end: float, step: float, *, last: bool = True) -> Iterator[float]:
    """Yield the levels from ``begin`` to ``end``; without the last where the next part starts."""
    signed = step if end >= begin else -step
    count = int((end - begin) / signed + _COUNT_TOLERANCE)
    return (begin + index * signed for index in range(count + last))


def _potential_sweep(
    script: Script, outputs: Outputs, levels: Iterable[float], second: float
) -> Points:
    p, c = outputs
    for level in levels:
        script.device.set_potential(level, script.now())
        yield script.time + second, partial(_measure_current, script, p, c, level)


def _scans(script: Script, one_scan: Callable[[], Points], count: int) -> Points:
    for scan in range(count):
        script.emit(f"C{scan:04d}")
        script.in_scan = True
        yield from one_scan()
        script.emit("-")
        script.in_scan = False


def _spectrum(script: Script, outputs: Outputs, values: Values) -> Points:
    amplitude, start, stop, count = values
    if count < 1:
        raise ScriptError(Code.NEEDS_ONE_STEP)
    script.device.check_amplitude(amplitude)
    script.device.check_frequency(start)
    script.device.check_frequency(stop)
    return _impedance_points(script, outputs, amplitude, _log_spaced(start, stop, int(count)))


def _log_spaced(start: float, stop: float, count: int) -> Iterator[float]:
    """Yield frequencies from start to stop, both exactly; start alone when there is one."""
    ratio, last = stop / start, count - 1
    yield start
    yield from (start * ratio ** (index / last) for index in range(1, last))
    if last:
        yield stop


def _impedance_points(
    script: Script, outputs: Outputs, amplitude: float, frequencies: Iterable[float]
) -> Points:
    f, zr, zi = outputs

    def measure(frequency: float) -> None:
        reading = script.device.impedance(frequency, amplitude, script.now())
        f.put("dc", frequency)
        zr.put("cc", reading.impedance_ohm.real, reading.current_metadata)
        zi.put("cd", reading.impedance_ohm.imag, reading.voltage_metadata)

    for frequency in frequencies:
        yield script.time + impedance_point_second(frequency), partial(measure, frequency)


def impedance_point_second(frequency_hertz: float) -> float:
    """Return how long one impedance point takes: three periods, at least 0.15 s.

    The sheet says only "at least one period"; this is the simulator's choice.
    """
    return max(_IMPEDANCE_PERIODS / frequency_hertz, _SHORTEST_IMPEDANCE_POINT_SECOND)


TECHNIQUES: dict[str, Technique] = {
    "meas_loop_lsv": Technique("0000", linear_sweep),
    "meas_loop_cv": Technique("0005", cyclic_sweep),
    "meas_loop_ca": Technique("0007", chronoamperometry),
    "meas_loop_cp": Technique("000A", chronopotentiometry),
    "meas_loop_ocp": Technique("000B", open_circuit),
    "meas_loop_eis": Technique("000D", impedance, finishes_point=True),
    "meas_loop_geis": Technique("000E", galvanostatic_impedance, finishes_point=True),
    "meas_loop_lsp": Technique("000F", current_sweep),
}
