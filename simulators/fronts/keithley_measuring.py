"""The 2450's commands that take readings: queries, buffers, trigger model, sweep, digital lines.

One table, like keithley_commands.py. What the sheet marks as unverified is said where it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simulators.fronts import scpi_rows as rows
from simulators.fronts.keithley_buffers import (
    LARGEST_CAPACITY,
    Acquisition,
    ReadingBuffer,
    elements,
    write,
)
from simulators.fronts.keithley_meter import SourceMeter
from simulators.fronts.keithley_settings import Function
from simulators.fronts.scpi import (
    Action,
    Argument,
    Arguments,
    Prepare,
    ScpiError,
    boolean,
    integer,
    keyword,
    number,
    string,
    take,
)

_DEFAULT = "defbuffer1"
_MOST_READINGS = 300_000
# All styles that take the instrument's own readings are alike here.
_STYLES = ("COMPact", "STANdard", "FULL")


def _name(arguments: Arguments) -> str:
    """Return the buffer's name, which may be left out."""
    return string(arguments[0]) if arguments else _DEFAULT


# -- queries that measure --------------------------------------------------------------------------


def _prepare_read(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    name, chosen = _name(arguments), elements(arguments[1:])
    return lambda meter: meter.begin_reading(name, chosen)


def _measure(function: Function) -> Prepare[SourceMeter]:
    """Select ``function``, which stays selected, and read."""

    def prepare(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        read = _prepare_read(arguments, suffixes)

        def measure(meter: SourceMeter) -> str | None:
            meter.stage.settings.sense = function
            return read(meter)

        return measure

    return prepare


def _prepare_fetch(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    name, chosen = _name(arguments), elements(arguments[1:])

    def fetch(meter: SourceMeter) -> str:
        buffer = meter.buffer(name)
        return write(buffer.last(), buffer.first_second, chosen, meter.number_format)

    return fetch


# -- buffers ---------------------------------------------------------------------------------------


def _prepare_data(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    take(arguments, 2, 16)
    first, last = (integer(argument, 1, LARGEST_CAPACITY) for argument in arguments[:2])
    name, chosen = _name(arguments[2:]), elements(arguments[3:])

    def data(meter: SourceMeter) -> str:
        buffer = meter.buffer(name)
        return ",".join(
            write(reading, buffer.first_second, chosen, meter.number_format)
            for reading in buffer.between(first, last)
        )

    return data


def _prepare_make(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    """A name, a size and a style, which QCoDeS sends empty."""
    take(arguments, 2, 3)
    name, capacity = string(arguments[0]), integer(arguments[1], 10, LARGEST_CAPACITY)
    if len(arguments) > 2 and arguments[2].text:
        keyword(arguments[2], _STYLES)

    def make(meter: SourceMeter) -> None:
        if name in meter.buffers:
            raise ScpiError(-224, f"buffer {name!r} exists")
        meter.buffers[name] = ReadingBuffer(capacity)

    return make


def _prepare_delete(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    name = string(take(arguments, 1)[0])

    def delete(meter: SourceMeter) -> None:
        meter.buffer(name)
        if name.startswith("defbuffer"):
            raise ScpiError(-224, f"{name!r} cannot be deleted")
        del meter.buffers[name]

    return delete


def _prepare_resize(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    take(arguments, 1, 2)
    capacity, name = integer(arguments[0], 10, LARGEST_CAPACITY), _name(arguments[1:])

    def resize(meter: SourceMeter) -> None:
        meter.buffer(name)
        meter.buffers[name] = ReadingBuffer(capacity)

    return resize


def _of_buffer(answer: Callable[[ReadingBuffer], int | None]) -> Prepare[SourceMeter]:
    """A command or query on one buffer."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        name = _name(take(arguments, 0, 1))

        def act(meter: SourceMeter) -> str | None:
            value = answer(meter.buffer(name))
            return None if value is None else str(value)

        return act

    return prepare


# -- trigger model and sweep -----------------------------------------------------------------------


def _prepare_load(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
    take(arguments, 2, 4)
    template = keyword(arguments[0], ("SIMPLELOOP", "DURATIONLOOP"))
    how_much = number(arguments[1])
    delay = number(arguments[2]) if len(arguments) > 2 else 0.0
    name = _name(arguments[3:])
    if template == "SIMPLELOOP":
        count, duration = integer(arguments[1], 1, _MOST_READINGS), math.inf
    else:
        count, duration = _MOST_READINGS, rows.within(how_much, 0.5e-6, 100_000.0)
    rows.within(delay, 0.0, 10_000.0)

    def load(meter: SourceMeter) -> None:
        meter.buffer(name)
        meter.loaded = lambda meter: _acquisition(
            meter, name, delay=delay, count=count, duration=duration
        )

    return load


def _acquisition(
    meter: SourceMeter,
    name: str,
    *,
    delay: float,
    count: int,
    duration: float = math.inf,
    levels: tuple[float, ...] = (),
) -> Acquisition:
    """Begin the loaded loop now: clear the buffer, then delay and measure again and again."""
    buffer = meter.buffer(name)
    buffer.clear()
    period = delay + meter.stage.reading_seconds()
    return Acquisition(
        buffer, meter.now + period, period, count, meter.now + duration, iter(levels)
    )


def _sweep(function: Function) -> Prepare[SourceMeter]:
    """``start,stop,points,delay,count,range,failabort,dual,"buffer"``, all but three optional."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        take(arguments, 3, 9)
        start, stop = number(arguments[0]), number(arguments[1])
        points = integer(arguments[2], 2, 1_000_000)
        delay, repeats, dual = _sweep_options(arguments[3:])
        name = _name(arguments[8:])
        step = (stop - start) / (points - 1)
        once = [start + step * index for index in range(points - 1)] + [stop]
        levels = tuple((once + once[::-1] if dual else once) * repeats)

        def load(meter: SourceMeter) -> None:
            meter.buffer(name)
            meter.stage.check_level(function, max(abs(start), abs(stop)))
            meter.loaded = lambda meter: _acquisition(
                meter, name, delay=delay, count=len(levels), levels=levels
            )

        return load

    return prepare


def _sweep_options(arguments: tuple[Argument, ...]) -> tuple[float, int, bool]:
    """Return delay (a negative one is automatic: none here), number of sweeps, both ways."""
    delay = max(0.0, number(arguments[0])) if arguments else 0.0
    repeats = integer(arguments[1], 1, 268_435_455) if len(arguments) > 1 else 1
    if len(arguments) > 2:
        keyword(arguments[2], ("AUTO", "BEST", "FIXed"))
    if len(arguments) > 3:
        boolean(arguments[3])
    return delay, repeats, boolean(arguments[4]) if len(arguments) > 4 else False


def _trigger_state(meter: SourceMeter) -> str:
    """Return the state twice and a number; the third field's meaning is to be verified."""
    state = "IDLE" if meter.loop is None else "RUNNING"
    return f"{state};{state};{meter.loop_done}"


def _abort(meter: SourceMeter) -> None:
    meter.loop = None


# -- digital lines: kept and told, nothing is wired to them ([V] in the sheet) -----------------------


def _keep(name: str) -> Prepare[SourceMeter]:
    def prepare(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        take(arguments, 1, 2)
        line, value = suffixes[0], ",".join(argument.text.upper() for argument in arguments)
        if not 1 <= line <= 6:
            raise ScpiError(-222, f"line {line}")

        def keep(meter: SourceMeter) -> None:
            meter.lines[f"{name}{line}"] = value

        return keep

    return prepare


def _tell(name: str) -> Prepare[SourceMeter]:
    def prepare(arguments: Arguments, suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        take(arguments, 0)
        return lambda meter: meter.lines.get(f"{name}{suffixes[0]}", "0")

    return prepare


def _set_precision(meter: SourceMeter, digits: int) -> None:
    meter.number_format = f"%.{digits - 1 if digits else 6}E"


TABLE: dict[str, Prepare[SourceMeter]] = {
    "READ?": _prepare_read,
    "MEASure?": _prepare_read,  # with the present function; on a 2450 the output stays as it is
    "MEASure:VOLTage[:DC]?": _measure(Function.VOLTAGE),
    "MEASure:CURRent[:DC]?": _measure(Function.CURRENT),
    "MEASure:RESistance?": _measure(Function.RESISTANCE),
    "FETCh?": _prepare_fetch,
    "FORMat:ASCii:PRECision": rows.set_integer(0, 16, _set_precision),
    "TRACe:MAKE": _prepare_make,
    "TRACe:DELete": _prepare_delete,
    "TRACe:CLEar": _of_buffer(lambda buffer: buffer.clear()),
    "TRACe:POINts": _prepare_resize,
    "TRACe:POINts?": _of_buffer(lambda buffer: buffer.capacity),
    "TRACe:ACTual?": _of_buffer(len),
    "TRACe:DATA?": _prepare_data,
    "TRIGger:LOAD": _prepare_load,
    "TRIGger:STATe?": rows.ask(_trigger_state),
    "INITiate[:IMMediate]": rows.do(lambda meter: meter.begin_loop()),
    "ABORt": rows.do(_abort),
    "SOURce#:SWEep:VOLTage:LINear": _sweep(Function.VOLTAGE),
    "SOURce#:SWEep:CURRent:LINear": _sweep(Function.CURRENT),
    "DIGital:LINE#:MODE": _keep("mode"),
    "DIGital:LINE#:MODE?": _tell("mode"),
    "DIGital:LINE#:STATe": _keep("state"),
    "DIGital:LINE#:STATe?": _tell("state"),
    "TRIGger:DIGital#:OUT:STIMulus": _keep("stimulus"),
    "TRIGger:DIGital#:IN:EDGE": _keep("edge"),
}
