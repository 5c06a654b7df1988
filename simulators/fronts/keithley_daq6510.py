"""A Keithley DAQ6510 with a 20-channel relay card on its wire: scans channels into a buffer.

Each channel's wires go to one probe: a thermocouple or Pt100, or a voltage. Only what the sheet
gives is there: it names no command that closes a relay for another instrument, so this front
connects none. Knows probes by their temperature and voltage only.

Simulator's choices: 50 ms for a channel's relay and reading; noise of 20 mK and 5 uV; the layout of
time stamps; 9.9E37 for a thermometer that is not there ([mem] in the sheet), nothing but noise for
a voltage; a full buffer loses its oldest readings; ``*RST`` deletes the buffers that were made.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rig.core.errors import BadInput, Problem
from simulators.fronts import scpi_rows as rows
from simulators.fronts.keithley_buffers import date_at
from simulators.fronts.scpi import (
    Action,
    Arguments,
    CommandTree,
    Prepare,
    ScpiError,
    integer,
    keyword,
    string,
    take,
)
from simulators.fronts.scpi_front import COMMON, ScpiFront, ScpiInstrument
from simulators.interfaces import Probe

_MODEL = "DAQ6510"
CHANNELS = {str(channel): None for channel in range(101, 121)}
OVERFLOW = 9.9e37
_CHANNEL_SECOND = 0.05
_KELVIN_SIGMA, _VOLT_SIGMA = 0.02, 5e-6
_LARGEST_BUFFER = 1_000_000
_DEFAULT = "defbuffer1"
_HOUR_SECOND = 3600.0
_TRANSDUCERS = ("TC", "RTD", "FRTD")
_THERMOCOUPLES = ("B", "E", "J", "K", "N", "R", "S", "T")


class Reading(NamedTuple):
    """One entry of a buffer; ``value`` in degC or volt."""

    channel: str
    second: float
    value: float


@dataclass(slots=True)
class Scan:
    """A scan under way: its channels one after the other, again and again."""

    channels: tuple[str, ...]
    period_second: float
    left: float  # scans still to do, this one included; infinity is endless
    begun_second: float
    place: int = 0

    @property
    def due_second(self) -> float:
        """When the next reading is complete."""
        return self.begun_second + (self.place + 1) * _CHANNEL_SECOND

    def step(self) -> None:
        """Go on to the next channel, or to the next scan."""
        self.place += 1
        if self.place == len(self.channels):
            self.place, self.left = 0, self.left - 1
            self.begun_second += self.period_second


class Scanner(ScpiInstrument):
    """The instrument: what each channel measures, the scan list, the buffers."""

    def __init__(
        self, identity: str, probes: Mapping[str, Probe], *, seed: int, noise: bool
    ) -> None:
        super().__init__(identity)
        self._probes = dict(probes)
        self._drift_kelvin_per_hour = 0.0
        self._drifts_since_second = 0.0
        self._gauss = random.Random(seed).gauss
        self._noise = 1.0 if noise else 0.0
        self.reset()

    def reset(self) -> None:
        self.buffers: dict[str, deque[Reading]] = {_DEFAULT: deque(maxlen=100_000)}
        self.functions = dict.fromkeys(CHANNELS, "VOLT")
        self.list: tuple[str, ...] = ()
        self.list_buffer = _DEFAULT
        self.scan_count = 1
        self.interval_second = 0.0
        self.scan: Scan | None = None

    def advance(self, now_second: float) -> None:
        super().advance(now_second)
        scan = self.scan
        while scan is not None and scan.left > 0 and scan.due_second <= self.now:
            second, channel = scan.due_second, scan.channels[scan.place]
            value = self._measure(channel, second)
            self.buffers[self.list_buffer].append(Reading(channel, second, value))
            scan.step()
        if scan is not None and scan.left <= 0:
            self.scan = None

    def _measure(self, channel: str, second: float) -> float:
        probe = self._probes.get(channel)
        if self.functions[channel] == "TEMP":
            return self._celsius(probe, second)
        volt = probe.voltage_volt(second) if probe else 0.0
        return volt + self._noise * self._gauss(0.0, _VOLT_SIGMA)

    def _celsius(self, probe: Probe | None, second: float) -> float:
        celsius = probe.temperature_celsius(second) if probe else math.nan
        if math.isnan(celsius):
            return OVERFLOW
        hours = max(0.0, second - self._drifts_since_second) / _HOUR_SECOND
        drifted = celsius + self._drift_kelvin_per_hour * hours
        return drifted + self._noise * self._gauss(0.0, _KELVIN_SIGMA)

    def break_wires(self, channel: str) -> None:
        """Let the wires of a channel break."""
        self._probes.pop(channel, None)

    def drift(self, kelvin_per_hour: float) -> None:
        """Let all thermometers drift from now on; 0 ends it, back to the truth."""
        self._drift_kelvin_per_hour = kelvin_per_hour
        self._drifts_since_second = self.now

    def begin(self) -> None:
        """Start the scan; raises -221 when there is no scan list, -213 while one runs."""
        if not self.list:
            raise ScpiError(-221, "no scan list")
        if self.scan is not None:
            raise ScpiError(-213, "Init ignored")
        period = max(self.interval_second, len(self.list) * _CHANNEL_SECOND)
        self.scan = Scan(self.list, period, self.scan_count or math.inf, self.now)

    def abort(self) -> None:
        """Stop the scan; what was read stays in its buffer."""
        self.scan = None

    def buffer(self, name: str) -> deque[Reading]:
        """Return the buffer of that name; raises -224."""
        if name not in self.buffers:
            raise ScpiError(-224, f"no buffer {name!r}")
        return self.buffers[name]

    def make_buffer(self, name: str, size: int) -> None:
        """Make a buffer; raises -224 when there is one of that name."""
        if name in self.buffers:
            raise ScpiError(-224, f"buffer {name!r} exists")
        self.buffers[name] = deque(maxlen=size)

    def use_buffer(self, name: str) -> None:
        """Let scans fill this buffer; raises -221 while one runs."""
        self.buffer(name)
        if self.scan is not None:
            raise ScpiError(-221, "a scan is running")
        self.list_buffer = name


# -- commands --------------------------------------------------------------------------------------

_Setting = Callable[[Scanner, tuple[str, ...]], None]


def _on_channels(read: Callable[[Arguments], tuple[int, _Setting]]) -> Prepare[Scanner]:
    """A command on a channel list; ``read`` takes what stands before the list, and says how much."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Scanner]:
        count, put = read(arguments)
        numbers = rows.channel_list(arguments[count:])
        return lambda scanner: put(scanner, rows.known_channels(numbers, CHANNELS))

    return prepare


def _function(arguments: Arguments) -> tuple[int, _Setting]:
    word = string(take(arguments, 2, len(arguments))[0]).upper().removesuffix(":DC")
    functions = {"TEMP": "TEMP", "TEMPERATURE": "TEMP", "VOLT": "VOLT", "VOLTAGE": "VOLT"}
    if word not in functions:
        raise ScpiError(-224, word)

    def put(scanner: Scanner, channels: tuple[str, ...]) -> None:
        scanner.functions.update(dict.fromkeys(channels, functions[word]))

    return 1, put


def _checked_word(choices: tuple[str, ...]) -> Callable[[Arguments], tuple[int, _Setting]]:
    """Read a word that says what hangs on a temperature channel: it is checked, and that is all.

    The simulated transducer is always the one that was said.
    """

    def read(arguments: Arguments) -> tuple[int, _Setting]:
        keyword(take(arguments, 2, len(arguments))[0], choices)
        return 1, lambda _scanner, _channels: None

    return read


def _create(scanner: Scanner, channels: tuple[str, ...]) -> None:
    if scanner.scan is not None:
        raise ScpiError(-221, "a scan is running")
    scanner.list = channels


def _interval(scanner: Scanner, seconds: float) -> None:
    scanner.interval_second = rows.within(seconds, 0.0, 100_000.0)


def _make(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Scanner]:
    take(arguments, 2)
    name, size = string(arguments[0]), integer(arguments[1], 10, _LARGEST_BUFFER)
    return lambda scanner: scanner.make_buffer(name, size)


def _use(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Scanner]:
    name = string(take(arguments, 1)[0])
    return lambda scanner: scanner.use_buffer(name)


def _name(arguments: Arguments) -> str:
    return string(arguments[0]) if take(arguments, 0, 1) else _DEFAULT


def _count(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Scanner]:
    name = _name(arguments)
    return lambda scanner: str(len(scanner.buffer(name)))


def _clear(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Scanner]:
    name = _name(arguments)
    return lambda scanner: scanner.buffer(name).clear()


_ELEMENTS: dict[str, Callable[[Reading], str]] = {
    "CHAN": lambda reading: reading.channel,
    "TST": lambda reading: f"{date_at(reading.second):%m/%d/%Y %H:%M:%S.%f}",
    "READ": lambda reading: f"{reading.value:.8E}",
}


def _data(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[Scanner]:
    """``first,last,"buffer",elements``; readings count from 1."""
    take(arguments, 3, 3 + len(_ELEMENTS))
    first, last = (integer(argument, 1, _LARGEST_BUFFER) for argument in arguments[:2])
    name = string(arguments[2])
    elements = [
        keyword(argument, ("CHANnel", "TSTamp", "READing")) for argument in arguments[3:]
    ] or ["READ"]

    def data(scanner: Scanner) -> str:
        readings = list(scanner.buffer(name))
        if not first <= last <= len(readings):
            raise ScpiError(-222, f"{first} to {last} of {len(readings)}")
        chosen = readings[first - 1 : last]
        return ",".join(_ELEMENTS[element](reading) for reading in chosen for element in elements)

    return data


_SCANNING: dict[str, Prepare[Scanner]] = {
    "TRACe:MAKE": _make,
    "TRACe:ACTual?": _count,
    "TRACe:DATA?": _data,
    "TRACe:CLEar": _clear,
    "SENSe:FUNCtion": _on_channels(_function),
    "SENSe:TEMPerature:UNIT": _on_channels(_checked_word(("CELSius",))),
    "SENSe:TEMPerature:TRANsducer": _on_channels(_checked_word(_TRANSDUCERS)),
    "SENSe:TEMPerature:TC:TYPE": _on_channels(_checked_word(_THERMOCOUPLES)),
    "SENSe:TEMPerature:TC:RJUNction:RSELect": _on_channels(_checked_word(("INTernal",))),
    "SENSe:TEMPerature:RTD:FOUR": _on_channels(_checked_word(("PT100",))),
    "SENSe:TEMPerature:RTD:TWO": _on_channels(_checked_word(("PT100",))),
    # Outside of a scan no relay is ever closed here.
    "ROUTe:CHANnel:OPEN": _on_channels(lambda _arguments: (0, lambda _scanner, _channels: None)),
    "ROUTe:SCAN:BUFFer": _use,
    "ROUTe:SCAN:CREate": _on_channels(lambda _arguments: (0, _create)),
    "ROUTe:SCAN:COUNt:SCAN": rows.set_integer(
        0, 100_000_000, lambda scanner, count: setattr(scanner, "scan_count", count)
    ),
    "ROUTe:SCAN:INTerval": rows.set_number(_interval),
    "INITiate[:IMMediate]": rows.do(lambda scanner: scanner.begin()),
    "ABORt": rows.do(lambda scanner: scanner.abort()),
}
_TREE: CommandTree[Scanner] = CommandTree({**COMMON, **_SCANNING})


class KeithleyDaq6510Front(ScpiFront[Scanner]):
    """The instrument as a Front; ``probes`` by the channel that is wired to them (``101``)."""

    def __init__(
        self,
        name: str,
        probes: Mapping[str, Probe],
        *,
        seed: int,
        model: str = _MODEL,
        noise: bool = True,
        serial: str = "04300000",
        firmware: str = "1.7.0b",
    ) -> None:
        problems = [
            Problem(name, f"a DAQ6510 has no channel {channel}", example="101")
            for channel in probes
            if channel not in CHANNELS
        ]
        if model != _MODEL:
            problems.append(Problem(name, f"got model {model!r}", example=f"model: {_MODEL}"))
        if problems:
            raise BadInput(problems)
        identity = f"KEITHLEY INSTRUMENTS,MODEL {model},{serial},{firmware}"
        super().__init__(Scanner(identity, probes, seed=seed, noise=noise), _TREE)
        self._name = name

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``open`` (of a channel), ``stall`` or ``drift`` (kelvin an hour) happen.

        Raises BadInput for any other kind, or a channel that does not exist.
        """
        self._switch_on(now_second)
        self._run(now_second)
        if kind == "open" and str(value) in CHANNELS:
            self.instrument.break_wires(str(value))
        elif kind == "drift":
            self.instrument.drift(float(value or 0))
        elif kind == "stall":
            self.instrument.abort()
        else:
            what = kind if value is None else f"{kind}={value}"
            raise BadInput(Problem(self._name, f"a DAQ6510 has no fault {what!r}"))
