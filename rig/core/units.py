"""The one place that reads quantities as people write them: ``4.2 V``, ``30 min``, ``25 degC``.

Text comes in at the file boundary, floats in base units go on: volt, ampere, second, hertz, ohm,
degree Celsius (absolute temperatures), kelvin (differences), square centimetre, centimetre, gram,
ampere hour, watt hour, watt, pascal, newton. A bare number is refused: nobody can know which unit was meant.

pint does the arithmetic and is loaded only when a quantity is read. C-rates and current densities
are ours (``rate_per_hour``, dimension ``current_density``): pint knows no battery.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any

from rig.core.errors import BadInput, Problem

# dimension -> (unit the float is in, spelled for pint; example for messages)
DIMENSIONS: dict[str, tuple[str, str]] = {
    "voltage": ("volt", "4.2 V"),
    "current": ("ampere", "1.5 mA"),
    "current_density": ("ampere / centimeter ** 2", "0.5 mA/cm^2"),
    "power": ("watt", "20 mW"),
    "time": ("second", "30 min"),
    "frequency": ("hertz", "100 kHz"),
    "resistance": ("ohm", "50 ohm"),
    "temperature": ("degree_Celsius", "25 degC"),
    "temperature_difference": ("kelvin", "0.3 K"),
    "length": ("centimeter", "0.5 mm"),
    "area": ("centimeter ** 2", "0.785 cm^2"),
    "mass": ("gram", "80 mg"),
    "capacity": ("ampere * hour", "2 mAh"),
    "energy": ("watt * hour", "7 mWh"),
    "pressure": ("pascal", "50 MPa"),
    "force": ("newton", "100 N"),
    "fraction": ("", "1 %"),
    "temperature_rate": ("kelvin / minute", "2 K/min"),
}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+")
_RATE = re.compile(
    rf"\s*(?:({_NUMBER})\s*C|([+-]?)C\s*/\s*({_NUMBER})|({_NUMBER})\s*C\s*/\s*({_NUMBER}))\s*"
)
# What may be handed to pint: words with small powers, multiplied or divided; pint's own parser takes
# far more than units.
_FACTOR = r"[^\W\d_][^\W\d]*(?:(?:\^|\*\*)[+-]?[1-9])?"
_UNIT = re.compile(rf"{_FACTOR}(?:(?:\s*[*/]\s*|\s+){_FACTOR})*")
_SPELLINGS = {
    "°C": "degC",
    "℃": "degC",
    "Ω": "ohm",
    "Ohm": "ohm",
    "µ": "u",
    "μ": "u",
    "²": "^2",
    "%": "percent",
}
_POWER = re.compile(r"(?<=[A-Za-z])(?=[23]\b)")  # cm2, as our own tables write it
# Another case is another unit, so it is asked and not guessed: the first is what labs mean.
_USUAL = (
    "mV",
    "V",
    "mA",
    "uA",
    "A",
    "kHz",
    "Hz",
    "MHz",
    "mAh",
    "Ah",
    "mWh",
    "degC",
    "MPa",
    "kPa",
    "mohm",
    "kohm",
    "cm",
    "mm",
)


def quantity(text: object, dimension: str, where: str = "value") -> float:
    """Read ``text`` as a quantity of ``dimension`` and return its float in the base unit.

    ``where`` says whose value this is, for the message. Raises BadInput for a bare number, an
    unknown unit, the wrong dimension, or anything that is not a finite number with a unit.

    >>> quantity("1.5 mA", "current")
    0.0015
    """
    example = DIMENSIONS[dimension][1]

    def refuse(message: str, suggestion: str = "") -> BadInput:
        return BadInput(Problem(where, message, example=example, suggestion=suggestion))

    match = _QUANTITY.fullmatch(str(text))
    if (comma := _DECIMAL_COMMA.match(str(text))) is not None:
        point = str(text).strip().replace(",", ".", 1)
        raise refuse(f"got {text!r} with a decimal comma ({comma[0].strip()}), expected {point!r}")
    if match is None:
        raise refuse(f"got {text!r}, expected {_a(dimension)} with its unit")
    number, unit_text = float(match[1]), match[2]
    if not unit_text:
        raise refuse(f"got {text!r} without a unit, expected {_a(dimension)}")
    if not math.isfinite(number):
        raise refuse(f"got {text!r}, which is too large for a number")
    if rate_per_hour(text) is not None:
        raise refuse(f"got the C-rate {text!r}, expected {_a(dimension)}")
    factor = _factor(unit_text, dimension)
    if factor == "unknown":
        raise refuse(f"got {text!r}: unknown unit {unit_text!r}", _usual(unit_text))
    if isinstance(factor, str):
        raise refuse(f"got {text!r}, which is {factor}, expected {_a(dimension)}")
    scale, offset = factor
    return number * scale + offset


def _usual(unit_text: str) -> str:
    """Return the usual unit that is spelled like this but for its case, or nothing."""
    return next((unit for unit in _USUAL if unit.lower() == unit_text.lower()), "")


@functools.cache
def _factor(unit_text: str, dimension: str) -> tuple[float, float] | str:
    """Return (scale, offset) to the base unit, or the word that says why there is none."""
    import pint  # noqa: PLC0415

    registry = _registry()
    for written, meant in _SPELLINGS.items():
        unit_text = unit_text.replace(written, meant)
    unit_text = _POWER.sub("^", unit_text)
    if _UNIT.fullmatch(unit_text) is None:
        return "unknown"
    try:
        parsed = registry.parse_units(unit_text)
        base = registry.parse_units(DIMENSIONS[dimension][0])
        offset = float(registry.Quantity(0.0, parsed).to(base).magnitude)
        if offset and dimension == "temperature_difference":
            return _a("temperature")
        if offset and dimension != "temperature":
            return "unknown"  # pint's decibels have a zero of their own, too; no unit here
        # Over a million degrees the scale does not drown in the offset's rounding.
        span = 1e6 if offset else 1.0
        scale = (float(registry.Quantity(span, parsed).to(base).magnitude) - offset) / span
    except pint.DimensionalityError:
        return _kind_of(parsed)
    except (pint.PintError, AttributeError, KeyError, TypeError, ValueError, AssertionError):
        return "unknown"
    return scale, offset


def _kind_of(unit: Any) -> str:
    for name, (base, _) in DIMENSIONS.items():
        if unit.dimensionality == _registry().parse_units(base).dimensionality:
            return _a(name)
    return f"a quantity in {unit}"


@functools.cache
def _registry() -> Any:
    import pint  # noqa: PLC0415

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _a(dimension: str) -> str:
    """Return the dimension with its article, for messages."""
    article = "an" if dimension[0] in "aeiou" else "a"
    return f"{article} {dimension.replace('_', ' ')}"


def rate_per_hour(text: object) -> float | None:
    """Return a C-rate as multiples of the rated capacity per hour, or None if ``text`` is none.

    ``C/10`` is 0.1, ``2C`` is 2, ``2C/3`` is 0.667. ``5 C`` is a rate here and never a
    temperature, which is written ``5 degC``.
    """
    match = _RATE.fullmatch(str(text))
    if match is None:
        return 1.0 if str(text).strip() == "C" else None
    times, sign, over, numerator, denominator = match.groups()
    if times is not None:
        return float(times)
    divisor = float(over if over is not None else denominator)
    if divisor == 0:
        return None
    return float(f"{sign}1" if over is not None else numerator) / divisor


def show(value: float, unit: str, digits: int = 4) -> str:
    """Write a float with an SI prefix for people: ``show(0.0015, "A")`` is ``1.5 mA``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    rounded = float(f"{value:.{digits}g}")
    exponent = _exponent(rounded)
    return f"{rounded / 10.0**exponent:.{digits}g} {_PREFIXES[exponent]}{unit}"


def show_pair(value: float, bound: float, unit: str) -> str:
    """Write how far a value is on its way to ``bound``, both in the bound's unit and resolution.

    >>> show_pair(4.1304, 4.2, "V"), show_pair(0.00031, 0.0001, "A"), show_pair(43.21, 60, "degC")
    ('4.130 of 4.200 V', '310.0 of 100.0 µA', '43.2 of 60.0 degC')
    """
    if unit == "degC":
        return f"{value:.1f} of {bound:.1f} degC"
    exponent = _exponent(bound or value)
    scaled = [number / 10.0**exponent for number in (value, bound)]
    leading = math.floor(math.log10(abs(scaled[1] or scaled[0] or 1.0)))
    decimals = max(0, 3 - leading)
    return f"{scaled[0]:.{decimals}f} of {scaled[1]:.{decimals}f} {_PREFIXES[exponent]}{unit}"


def duration(second: float) -> str:
    """Write a duration for people: ``3 d 4 h``, ``1 h 05 min``, ``42 s``."""
    if second >= 86_400:
        return f"{int(second // 86_400)} d {int(second % 86_400 // 3600)} h"
    if second >= 3600:
        return f"{int(second // 3600)} h {int(second % 3600 // 60):02d} min"
    if second >= 60:
        return f"{int(second // 60)} min {int(second % 60):02d} s"
    return f"{second:.0f} s"


_PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def _exponent(value: float) -> int:
    """Return the power of ten of the SI prefix that suits a value; 0 for nothing."""
    return max(-12, min(9, 3 * math.floor(math.log10(abs(value)) / 3))) if value else 0
