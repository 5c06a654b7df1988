"""What a column is, read from its label as instruments and people write it. Knows no file.

``Freq/Hz``, ``Frequency (Hz)``, ``Zre (ohms)``, ``-Im(Z)/Ohm``, ``Z'' (kΩ)``, ``Phase(Z)/deg`` and
``real_impedance_ohm`` all become a quantity, a factor to base units, and a sign. A unit that is
written but not understood is refused, never assumed: ohm cm² is another quantity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FREQUENCY, REAL, IMAGINARY, MODULUS, PHASE = (
    "frequency_hertz",
    "real_impedance_ohm",
    "imaginary_impedance_ohm",
    "modulus_ohm",
    "phase_degree",
)
TIME, LOOP, REPEATED, TEMPERATURE = "time_second", "loop", "repeated", "temperature_celsius"
REPEAT_OF = "repeat_of"  # our own export: the number of the spectrum that this one was repeated for


@dataclass(frozen=True, slots=True)
class Column:
    """``factor`` turns the file's number into base units, its sign included.

    ``unit`` is as written, "" where none was; ``understood`` is False for a unit of something else.
    """

    quantity: str
    factor: float = 1.0
    unit: str = ""
    understood: bool = True


_PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "u": 1e-6, "µ": 1e-6}
_WHOLE = re.compile(
    r"(?P<prefix>[kKMGmuµ]?)(?P<rest>ohms?|hertz|hz|Ω|s|sec|seconds?)", re.IGNORECASE
)
_DEGREES = {"deg", "degree", "degrees", "°", "grad"}
_RADIANS = {"rad", "radian", "radians"}
_FRAME = re.compile(
    r"^(?P<name>.*?)\s*(?:/\s*(?P<slash>[^/]+)|\((?P<round>[^()]*)\)|\[(?P<square>[^\]]*)\])$"
)
# "Re(Z)" and the like are names, not a name with a unit.
_OF_Z = re.compile(r"\b(re|im|real|imag|phase|phi|theta|abs|mod)\s*\(\s*z\s*\)", re.IGNORECASE)

# names without blanks, dots, underscores and prefixes such as "data:", in lower case
_NAMES: dict[str, tuple[str, ...]] = {
    FREQUENCY: ("f", "freq", "frequency", "frequencies", "appliedfrequency"),
    REAL: (
        "z'", "re", "rez", "realz", "zre", "zreal", "zr", "z1", "real", "realimpedance", "zprime",
        "impedancereal", "realpart", "realpartofimpedance",
    ),
    IMAGINARY: (
        "z''", "im", "imz", "imagz", "zim", "zimg", "zimag", "zi", "z2", "imag", "imaginary",
        "imaginaryimpedance", "zdoubleprime", "impedanceimag", "imaginarypart", "zimaginary",
        "imagimpedance",
    ),
    MODULUS: ("|z|", "z", "zmod", "absz", "modz", "modulus", "impedance", "zabs", "absimpedance",
              "impedancemodulus", "magnitude", "zmagnitude", "absoluteimpedance"),
    PHASE: ("phase", "phasez", "zphz", "theta", "thetaz", "phiz", "phi", "phaseangle", "zphase",
            "phaseofz", "phasedegree", "impedancephase"),
    TIME: ("time", "t", "elapsedtime", "testtime", "timestamp"),
    LOOP: ("cyclenumber", "loop", "loopnumber", "segment#", "spectrumcount", "spectrum", "scan"),
    REPEATED: ("repeated",),
    REPEAT_OF: ("repeatof",),
    TEMPERATURE: ("temperature", "ambienttemperature", "samplet", "surfacetemperature"),
}  # fmt: skip
_QUANTITY = {name: quantity for quantity, names in _NAMES.items() for name in names}
_MACHINE_UNITS = ("_hertz", "_ohm", "_second", "_celsius", "_degree", "_hz", "_kiloohm")


def column(label: str) -> Column | None:
    """Return what a column holds, or None for one that no spectrum needs.

    >>> column("-Im(Z)/Ohm").factor, column("Z' (kΩ)").factor, column("Comment")
    (-1.0, 1000.0, None)
    """
    name, unit = _name_and_unit(label)
    negative = name[:1] in {"-", "−", "–"}
    quantity = _QUANTITY.get(_plain(name.lstrip("-−– ")))
    if quantity is None:
        return None
    factor = _factor(quantity, unit)
    if factor is None:
        return Column(quantity, unit=unit, understood=False)
    return Column(quantity, -factor if negative else factor, unit)


def _name_and_unit(label: str) -> tuple[str, str]:
    text = label.strip().strip('"').strip()
    text = text.removeprefix("Data:").strip()
    text = _OF_Z.sub(lambda match: f"{match[1]}Z", text)
    text = text.replace("′′", "''").replace("″", "''").replace("′", "'").replace('"', "''")
    text = text.replace("’’", "''").replace("’", "'").replace("Ω", "Ω")
    for ending in _MACHINE_UNITS:
        if text.lower().endswith(ending):
            return text[: -len(ending)], ending[1:].replace("kiloohm", "kohm")
    framed = _FRAME.match(text)
    if framed is None:
        return text, ""
    unit = framed["slash"] or framed["round"] or framed["square"] or ""
    return framed["name"], unit.strip()


def _plain(name: str) -> str:
    return re.sub(r"[\s._:]+", "", name).lower().replace("applied", "")


def _factor(quantity: str, unit: str) -> float | None:
    """Return the factor to the base unit; None where the unit is of something else."""
    if quantity in {LOOP, REPEATED, REPEAT_OF, TEMPERATURE}:
        return 1.0
    if quantity == PHASE:
        return 180.0 / 3.141592653589793 if unit.lower() in _RADIANS else _or_none(unit, _DEGREES)
    if not unit:
        return 1.0
    match = _WHOLE.fullmatch(unit)
    if match is None:
        return None
    rest = match["rest"].lower()
    expected = {FREQUENCY: ("hz", "hertz"), TIME: ("s", "sec", "second", "seconds")}
    if rest not in expected.get(quantity, ("ohm", "ohms", "ω")):
        return None
    return _PREFIXES[match["prefix"]]


def _or_none(unit: str, known: set[str]) -> float | None:
    return 1.0 if not unit or unit.lower() in known else None
