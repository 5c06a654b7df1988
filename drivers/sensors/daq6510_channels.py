"""What hangs on each channel of a scanning multimeter: read from the bench's ``options:``.

Makes of every channel the commands that set it up and the meaning of its number. Knows no link.

    channels:
      101: thermocouple K
      102: pt100 four-wire
      103: {dew_point: {0 V: -100 degC, 10 V: 20 degC}}
      104: volts
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.instruments import Flag, Quantity, SensorReading
from rig.core.scale import Scale, read_scale

# Two slots of up to twenty channels; a 7700 pairs a four-wire channel with the one ten above it.
CHANNELS = tuple(str(slot + number) for slot in (100, 200) for number in range(1, 21))
_PAIRED, _PAIRING = range(1, 11), 10
THERMOCOUPLES = ("B", "E", "J", "K", "N", "R", "S", "T")
_SCALED = {
    "dew_point": (
        Quantity.DEW_POINT,
        "temperature",
        "{dew_point: {0 V: -100 degC, 10 V: 20 degC}}",
    ),
    "temperature": (
        Quantity.TEMPERATURE,
        "temperature",
        "{temperature: {1 V: 0 degC, 5 V: 100 degC}}",
    ),
    "pressure": (Quantity.PRESSURE, "pressure", "{pressure: {1 V: 0 MPa, 5 V: 10 MPa}}"),
    "force": (Quantity.FORCE, "force", "{force: {1 V: 0 N, 5 V: 5 kN}}"),
}
EXAMPLE = "channels: {101: thermocouple K, 102: pt100 four-wire}"
# NAMUR NE 43: beyond 3.6 and 21 mA a transmitter of 4 to 20 mA says that it has failed.
_LEAST_PART, _MOST_PART = -0.025, 1.0625


@dataclass(frozen=True, slots=True)
class ScannedChannel:
    """One channel: ``commands`` set it up, ``scale`` leads from volt to its quantity."""

    path: str
    quantity: Quantity
    commands: tuple[str, ...]
    scale: Scale | None = None
    four_wire: bool = False

    def reading(self, number: float) -> SensorReading:
        """Return what the instrument's number means; overflow, or a failed transmitter, is NaN."""
        if math.isfinite(number) and self.scale is not None:
            in_range = _LEAST_PART <= self.scale.part(number) <= _MOST_PART
            number = self.scale.value(number) if in_range else math.nan
        if not math.isfinite(number):
            return SensorReading(math.nan, int(Flag.OVERLOAD))
        return SensorReading(number)


def read_channels(content: object, where: str) -> dict[str, ScannedChannel]:
    """Read the option ``channels``, in scanning order; raises BadInput with every problem of it."""
    if not isinstance(content, Mapping) or not content:
        message = f"got {content!r}, expected what hangs on each channel"
        raise BadInput(Problem(where, message, example=EXAMPLE))
    problems: list[Problem] = []
    channels = {}
    for path, meaning in sorted(content.items(), key=lambda item: str(item[0])):
        try:
            channels[str(path)] = _channel(str(path), meaning, f"{where}, {path}")
        except BadInput as bad:
            problems.extend(bad.problems)
    problems.extend(_pairing_problems(channels.values(), where))
    if problems:
        raise BadInput(problems)
    return channels


def _channel(path: str, meaning: object, where: str) -> ScannedChannel:
    if path not in CHANNELS:
        message = f"got channel {path!r}, expected 101 to 120 or 201 to 220"
        raise BadInput(Problem(where, message, example=EXAMPLE))
    if isinstance(meaning, Mapping):
        return _scaled(path, meaning, where)
    words = str(meaning).split()
    kind = " ".join(words)
    if kind == "volts":
        return ScannedChannel(path, Quantity.VOLTAGE, _volts(path))
    if len(words) == 2 and words[0] == "thermocouple" and words[1] in THERMOCOUPLES:
        return ScannedChannel(path, Quantity.TEMPERATURE, _thermocouple(path, words[1]))
    if kind in ("pt100 four-wire", "pt100 two-wire"):
        four_wire = kind == "pt100 four-wire"
        return ScannedChannel(
            path, Quantity.TEMPERATURE, _resistor(path, four_wire), four_wire=four_wire
        )
    raise BadInput(_unknown(kind, where))


def _unknown(kind: str, where: str) -> Problem:
    known = [f"thermocouple {letter}" for letter in THERMOCOUPLES]
    known += ["pt100 four-wire", "pt100 two-wire", "volts"]
    message = (
        f"got {kind!r}, expected thermocouple {'|'.join(THERMOCOUPLES)}, pt100 four-wire, "
        f"pt100 two-wire, volts, or two points of a transmitter of {', '.join(_SCALED)}"
    )
    near = next((word for word in known if word.lower() == kind.lower()), "")
    if not kind.startswith("thermocouple "):  # which letter was meant nobody can know
        near = near or did_you_mean(kind, known)
    return Problem(where, message, example=EXAMPLE, suggestion=near)


def _scaled(path: str, meaning: Mapping[str, object], where: str) -> ScannedChannel:
    name = str(next(iter(meaning), ""))
    if len(meaning) != 1 or name not in _SCALED:
        message = f"got {dict(meaning)!r}, expected one of {', '.join(_SCALED)}"
        suggestion = did_you_mean(name, _SCALED)
        example = _SCALED["dew_point"][2]
        raise BadInput(Problem(where, message, example=example, suggestion=suggestion))
    quantity, dimension, example = _SCALED[name]
    scale = read_scale(meaning[name], "voltage", dimension, f"{where}, {name}", example)
    return ScannedChannel(path, quantity, _volts(path), scale)


def _volts(path: str) -> tuple[str, ...]:
    return (f'SENS:FUNC "VOLT",(@{path})',)


def _thermocouple(path: str, letter: str) -> tuple[str, ...]:
    return (
        f'SENS:FUNC "TEMP",(@{path})',
        f"SENS:TEMP:UNIT CELS,(@{path})",
        f"SENS:TEMP:TRAN TC,(@{path})",
        f"SENS:TEMP:TC:TYPE {letter},(@{path})",
        f"SENS:TEMP:TC:RJUN:RSEL INT,(@{path})",
    )


def _resistor(path: str, four_wire: bool) -> tuple[str, ...]:
    transducer, wires = ("FRTD", "FOUR") if four_wire else ("RTD", "TWO")
    return (
        f'SENS:FUNC "TEMP",(@{path})',
        f"SENS:TEMP:UNIT CELS,(@{path})",
        f"SENS:TEMP:TRAN {transducer},(@{path})",
        f"SENS:TEMP:RTD:{wires} PT100,(@{path})",
    )


def _pairing_problems(channels: Iterable[ScannedChannel], where: str) -> list[Problem]:
    """A four-wire channel takes a second one for its sense leads."""
    taken = {channel.path for channel in channels}
    problems = []
    for channel in channels:
        if not channel.four_wire:
            continue
        pair = str(int(channel.path) + _PAIRING)
        if int(channel.path) % 100 not in _PAIRED:
            message = "four wires need a channel of 01 to 10 of a card, and the one ten above it"
            problems.append(Problem(f"{where}, {channel.path}", message, example=EXAMPLE))
        elif pair in taken:
            message = f"four wires take channel {pair} as well, which is given to something else"
            problems.append(Problem(f"{where}, {channel.path}", message))
    return problems
