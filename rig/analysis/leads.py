"""Are the leads on the cell as they should be? What voltage, high frequencies and a pulse say of it.

A cell that is measured with two current and two sense leads can be wrong in ways that no later fit
forgives: a sense lead off, a pair crossed, the whole cell the wrong way round, a short. Each shows in
something that costs seconds. Nothing here proves that all is well: what cannot be seen is said, too.
Knows arrays and numbers only.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Scatter about a straight line: a rested cell on its leads is quieter than a tenth of this, an input
# that floats picks up the mains. Drift is no fault of a lead.
SCATTER_VOLT = 2e-3
NO_VOLTAGE_VOLT = 5e-3
# science.md section 3: leads have 0.3 to 1 uH; a loop of 1 m has a few.
INDUCTANCE_HENRY = 2e-6
# A bulk of a pellet has 3e-11 to 6e-11 F (science.md section 3), and shows its resistance at 1 kHz.
# What is nothing but so small a capacitor down there is two open leads beside each other.
STRAY_FARAD = 2e-10
CAPACITIVE_DEGREE = -80.0
SHORT_OHM = 1e-3
# A pulse of seconds sees all that high frequencies see, and more.
PULSE_OF_HIGH_FREQUENCY = 0.5
SMALLEST_STEP_VOLT = 1e-5

Array = NDArray[np.float64]
WELL, ILL, UNSEEN = "well", "ill", "not seen"


class Pulse(NamedTuple):
    """Voltage before and at the end of a current pulse, and its current; volt, ampere."""

    before_volt: float
    during_volt: float
    current_ampere: float


@dataclass(frozen=True)
class LeadReadings:
    """What was measured; what was not is empty or None.

    ``voltage_volt`` at open circuit against ``second``; ``window_volt`` is what the cell may have;
    the spectrum with its imaginary part as measured; ``leads_ohm`` what a short in place of the cell
    has shown. ``overloaded``: an instrument flagged a value as beyond its range.
    """

    second: Array
    voltage_volt: Array
    window_volt: tuple[float, float] | None = None
    frequency_hertz: Array | None = None
    impedance_ohm: NDArray[np.complex128] | None = None
    pulse: Pulse | None = None
    leads_ohm: float | None = None
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class LeadVerdict:
    """One thing that was looked at: ``well``, ``ill`` or ``not seen``, and why, for people."""

    what: str
    verdict: str
    words: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def judge_leads(readings: LeadReadings) -> tuple[LeadVerdict, ...]:
    """Return what each reading says of the leads; the first that is ill is the one to see to."""
    high = _highest(readings)
    return (
        _voltage(readings),
        _steadiness(readings),
        _impedance(readings, high),
        _inductance(high),
        _pulse(readings, high),
    )


def all_is_well(verdicts: tuple[LeadVerdict, ...]) -> bool:
    """Say whether nothing is ill; what was not seen is not."""
    return all(one.verdict != ILL for one in verdicts)


# --- open circuit ---------------------------------------------------------------------------------


def _voltage(readings: LeadReadings) -> LeadVerdict:
    what, volt = "voltage", readings.voltage_volt[np.isfinite(readings.voltage_volt)]
    if readings.overloaded:
        return LeadVerdict(what, ILL, "beyond the instrument's range: a sense lead is off the cell")
    if not len(volt):
        return LeadVerdict(what, UNSEEN, "no voltage was measured")
    mean, window = float(np.mean(volt)), readings.window_volt
    if window is None or window[0] <= mean <= window[1]:
        words = f"{mean:.4f} V" + ("" if window is None else f", within {_span(window)}")
        return LeadVerdict(what, WELL, words)
    if window[0] <= -mean <= window[1]:
        words = (
            f"{mean:.4f} V is the mirror image of {_span(window)}: the cell is the wrong way round"
        )
    elif abs(mean) < NO_VOLTAGE_VOLT:
        words = f"{mean:.4f} V: a lead is off, or the cell is shorted; expected {_span(window)}"
    else:
        words = f"{mean:.4f} V is outside {_span(window)}"
    return LeadVerdict(what, ILL, words)


def _steadiness(readings: LeadReadings) -> LeadVerdict:
    what, good = "steadiness", np.isfinite(readings.voltage_volt)
    second, volt = readings.second[good], readings.voltage_volt[good]
    if len(volt) < 4:
        return LeadVerdict(what, UNSEEN, "too few readings")
    line = np.polynomial.Polynomial.fit(second, volt, 1)
    scatter = float(np.std(volt - line(second)))
    words = f"scatter {1e3 * scatter:.3g} mV about a straight line"
    if scatter > SCATTER_VOLT:
        return LeadVerdict(what, ILL, f"{words}: an input floats, or a contact is loose")
    return LeadVerdict(what, WELL, words)


def _span(window: tuple[float, float]) -> str:
    return f"{window[0]:g} to {window[1]:g} V"


# --- high frequencies -----------------------------------------------------------------------------


class _High(NamedTuple):
    frequency_hertz: float
    impedance_ohm: complex
    lowest_hertz: float
    lowest_ohm: complex


def _highest(readings: LeadReadings) -> _High | None:
    frequency, impedance = readings.frequency_hertz, readings.impedance_ohm
    if frequency is None or impedance is None:
        return None
    good = np.isfinite(impedance) & np.isfinite(frequency)
    if not good.any():
        return None
    frequency, impedance = frequency[good], impedance[good]
    top, bottom = int(np.argmax(frequency)), int(np.argmin(frequency))
    return _High(
        float(frequency[top]),
        complex(impedance[top]),
        float(frequency[bottom]),
        complex(impedance[bottom]),
    )


def _impedance(readings: LeadReadings, high: _High | None) -> LeadVerdict:
    what = "impedance"
    if high is None:
        measured = readings.frequency_hertz is not None
        words = "no point has a number: a lead is off the cell" if measured else "not measured"
        return LeadVerdict(what, ILL if measured else UNSEEN, words)
    real = high.impedance_ohm.real
    words = f"{real:.4g} ohm at {high.frequency_hertz:g} Hz"
    fault = _impedance_fault(high, readings.leads_ohm)
    return LeadVerdict(what, ILL if fault else WELL, f"{words}{': ' if fault else ''}{fault}")


def _impedance_fault(high: _High, leads_ohm: float | None) -> str:
    real, low = high.impedance_ohm.real, high.lowest_ohm
    angle = math.degrees(math.atan2(low.imag, low.real))
    if low.imag < 0 and angle < CAPACITIVE_DEGREE:
        farad = -1.0 / (2.0 * math.pi * high.lowest_hertz * low.imag)
        if farad < STRAY_FARAD:
            return f"at {high.lowest_hertz:g} Hz only {1e12 * farad:.3g} pF: a lead is off the cell"
    if real < -SHORT_OHM:
        return "a resistance below zero: one pair of leads is crossed"
    if abs(high.impedance_ohm) < SHORT_OHM:
        return "the leads are shorted"
    if leads_ohm is not None and real < 0.9 * leads_ohm:
        return f"less than the leads alone ({leads_ohm:g} ohm, as a short has shown)"
    if leads_ohm is not None and abs(low) < 1.1 * leads_ohm:
        return f"no more than the leads alone ({leads_ohm:g} ohm): the cell is shorted"
    return ""


def _inductance(high: _High | None) -> LeadVerdict:
    what = "lead inductance"
    if high is None:
        return LeadVerdict(what, UNSEEN, "not measured")
    henry = high.impedance_ohm.imag / (2.0 * math.pi * high.frequency_hertz)
    if henry <= 0:
        return LeadVerdict(what, UNSEEN, f"hidden by the cell at {high.frequency_hertz:g} Hz")
    words = f"{1e6 * henry:.3g} uH"
    if henry > INDUCTANCE_HENRY:
        return LeadVerdict(what, ILL, f"{words}: twist current and sense leads, each with its pair")
    return LeadVerdict(what, WELL, words)


# --- a pulse --------------------------------------------------------------------------------------


def _pulse(readings: LeadReadings, high: _High | None) -> LeadVerdict:
    what, pulse = "pulse", readings.pulse
    if pulse is None or pulse.current_ampere == 0:
        return LeadVerdict(what, UNSEEN, "none was wanted")
    step = pulse.during_volt - pulse.before_volt
    ohm = step / pulse.current_ampere
    words = f"{ohm:.4g} ohm"
    if abs(step) < SMALLEST_STEP_VOLT:
        fault = "the voltage does not follow the current: sense leads off, or a short"
    elif ohm < 0:
        fault = "the voltage goes the wrong way: one pair of leads is crossed"
    elif high is not None and ohm < PULSE_OF_HIGH_FREQUENCY * high.impedance_ohm.real:
        real = high.impedance_ohm.real
        fault = f"less than {real:.4g} ohm at high frequency: sense leads are not where current is"
    else:
        fault = ""
    return LeadVerdict(what, ILL if fault else WELL, f"{words}{': ' if fault else ''}{fault}")
