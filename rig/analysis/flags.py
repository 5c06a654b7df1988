"""The flag codes that a result may carry, as one table: code, default level, what sets it off.

A flag says that the data do not quite support a number, and in which way. Codes come from the
project's science reference, section 6; the few marked "ours" close a gap there. This module knows
no fit: each analysis decides when a flag is due, and words its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.core.errors import did_you_mean


class Level(Enum):
    """How much a flag weighs; ``BLOCK`` withholds the next step (a fit of a bad spectrum)."""

    INFO = "info"
    WARN = "warn"
    BLOCK = "block"
    ERROR = "error"


ARR_CONV = "ARR-CONV"
ARR_KINK = "ARR-KINK"
ARR_HYST = "ARR-HYST"
ARR_FEW = "ARR-FEW"
ARR_EXTRAP = "ARR-EXTRAP"
ARR_WGT = "ARR-WGT"
ARR_TSAMPLE = "ARR-TSAMPLE"
ARR_CURVE = "ARR-CURVE"
GEO = "GEO"
SYM_2 = "SYM-2"
SYM_SMALL = "SYM-SMALL"
EIS_KK = "EIS-KK"
EIS_DRIFT = "EIS-DRIFT"
EIS_IND = "EIS-IND"
EIS_LIN = "EIS-LIN"
EIS_ASSIGN = "EIS-ASSIGN"
EIS_UNDET = "EIS-UNDET"
EIS_CORR = "EIS-CORR"
EIS_FIT = "EIS-FIT"
BV = "BV"
DC_TRANS = "DC-TRANS"
CCD_SOFT = "CCD-SOFT"
CCD_HARD = "CCD-HARD"
CCD_VOID = "CCD-VOID"
CCD_DEF = "CCD-DEF"
CYC_BASE = "CYC-BASE"
CYC_CE = "CYC-CE"
CYC_GAP = "CYC-GAP"
FADE_EXTRAP = "FADE-EXTRAP"
FADE_MODEL = "FADE-MODEL"
FADE_NEVER = "FADE-NEVER"
UNITS = "UNITS"
PROC_PRESS = "PROC-PRESS"
SEED_RANGE = "SEED-RANGE"

# code -> (default level, what sets it off)
FLAGS: dict[str, tuple[Level, str]] = {
    ARR_CONV: (Level.ERROR, "Ea without its convention, or compared across conventions"),
    ARR_KINK: (Level.ERROR, "an accepted split inside the range of one line"),
    ARR_HYST: (Level.WARN, "heating and cooling branch differ by more than 5 %"),
    ARR_FEW: (Level.WARN, "fewer than 5 temperatures or less than 60 K (below 4: error)"),
    ARR_EXTRAP: (Level.WARN, "asked more than 10 K outside the data, or across a transition"),
    ARR_WGT: (Level.WARN, "one point decides the line (Cook), or weights are not 1/u^2"),
    ARR_TSAMPLE: (Level.WARN, "chamber temperature taken for the sample's, or not yet settled"),
    ARR_CURVE: (Level.WARN, "bent beyond scatter and convention, without a kink (ours)"),
    GEO: (Level.WARN, "density, volume or the unit of a length does not fit the others"),
    SYM_2: (Level.ERROR, "symmetric cell whose resistance was not halved"),
    SYM_SMALL: (Level.WARN, "interface below 2 u of the difference: an upper limit only"),
    EIS_KK: (Level.BLOCK, "Kramers-Kronig residual above 1 % and systematic"),
    EIS_DRIFT: (Level.WARN, "repeated points differ by 1 %, or OCV moved by more than 2 mV"),
    EIS_IND: (Level.WARN, "inductive points without an inductance in the circuit"),
    EIS_LIN: (Level.WARN, "amplitude or harmonics beyond the linear range, or a range step"),
    EIS_ASSIGN: (Level.WARN, "effective capacitance does not fit the process it is taken for"),
    EIS_UNDET: (Level.WARN, "parameter uncertain by more than 30 % (100 %: not reported)"),
    EIS_CORR: (Level.WARN, "no open/short correction below 20 ohm or above 1 MHz"),
    EIS_FIT: (Level.BLOCK, "the circuit leaves far more than the spectrum's own noise (ours)"),
    BV: (Level.WARN, "Bruce-Vincent: step too large, inconsistent resistance, t+ outside 0..1"),
    DC_TRANS: (Level.WARN, "electronic current not steady or at the floor: an upper limit only"),
    CCD_SOFT: (Level.WARN, "signs of a soft short"),
    CCD_HARD: (Level.ERROR, "hard short"),
    CCD_VOID: (Level.WARN, "contact loss"),
    CCD_DEF: (Level.ERROR, "critical current density without its definition"),
    CYC_BASE: (Level.ERROR, "rate base, reference cycle or mass basis missing"),
    CYC_CE: (Level.WARN, "coulombic efficiency above 100.5 % or below 95 %"),
    CYC_GAP: (Level.WARN, "samples missing while current flowed (ours)"),
    FADE_EXTRAP: (Level.WARN, "end of life beyond 1.5 times the data, or fade seen below 5 %"),
    FADE_MODEL: (Level.WARN, "the data do not decide between fade laws (AICc within 4)"),
    FADE_NEVER: (Level.INFO, "end of life not reached: a bound, not a number"),
    UNITS: (Level.ERROR, "a unit that the values contradict"),
    PROC_PRESS: (Level.WARN, "stack pressure drifted or differs from fabrication"),
    SEED_RANGE: (Level.INFO, "outside what is known for this kind of material"),
}


@dataclass(frozen=True, slots=True)
class FlagNote:
    """One flag on one result; ``message`` says what was seen, in numbers with units."""

    code: str
    level: Level
    message: str

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "level": self.level.value, "message": self.message}


def flag(code: str, message: str, level: Level | None = None) -> FlagNote:
    """Raise a flag at its default level, or at ``level`` where the reference tells two apart.

    An unknown code is a programming error and raises KeyError.

    >>> flag("ARR-HYST", "cooling lies 7 % below heating").to_dict()["level"]
    'warn'
    """
    if code not in FLAGS:
        raise KeyError(f"no flag {code!r}; nearest is {did_you_mean(code, FLAGS)!r}")
    return FlagNote(code, level or FLAGS[code][0], message)
