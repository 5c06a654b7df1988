"""DC resistance from current pulses: R(t) = |V(t) - V(0-)| / |I - I(0-)|.

Arrays of time (s), voltage (V) and current (A) in, ohm out. Resistance grows with the time after
the step (ohmic part, interface, diffusion), so it is never given without that time.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rig.analysis.regression import FloatArray

DEFAULT_AFTER_SECOND = 10.0

_REST, _PULSE = 0.01, 0.05  # of the largest current: at rest below, a pulse above
_STEADY = 0.05  # relative change of current within a pulse


def pulse_resistance(
    time_second: FloatArray,
    voltage_volt: FloatArray,
    current_ampere: FloatArray,
    after_second: float = DEFAULT_AFTER_SECOND,
) -> float:
    """Return the resistance ``after_second`` into a pulse, in ohm; nan where it was not sampled.

    The first sample is the last one at rest; the pulse begins there. Voltage is interpolated
    between the two samples around that time, both within the same pulse and not further apart than
    the time itself.
    """
    since = time_second - time_second[0]
    later = int(np.searchsorted(since, after_second * (1 - 1e-9)))
    if later == 0 or later >= since.size:
        return math.nan
    earlier = later if math.isclose(since[later], after_second, rel_tol=1e-6) else later - 1
    pulse = current_ampere[1 : later + 1]
    steady = np.ptp(pulse) <= _STEADY * np.abs(pulse).max()
    dense = since[later] - since[earlier] <= after_second
    if earlier == 0 or not steady or not dense:
        return math.nan
    voltage = float(
        np.interp(after_second, since[[earlier, later]], voltage_volt[[earlier, later]])
    )
    if earlier == later:
        voltage = float(voltage_volt[later])
    return abs(voltage - float(voltage_volt[0])) / abs(float(pulse[-1] - current_ampere[0]))


def first_pulse_resistance(
    time_second: FloatArray,
    voltage_volt: FloatArray,
    current_ampere: FloatArray,
    starts: NDArray[np.int64],
    after_second: float = DEFAULT_AFTER_SECOND,
) -> FloatArray:
    """Return the resistance of the first step from rest in each cycle that allows one, else nan."""
    largest = max(float(current_ampere.max()), -float(current_ampere.min()))
    magnitude = np.abs(current_ampere)
    from_rest = (magnitude[:-1] <= _REST * largest) & (magnitude[1:] > _PULSE * largest)
    onsets = np.flatnonzero(from_rest)
    owner = np.searchsorted(starts, onsets + 1, side="right") - 1
    result = np.full(starts.size, math.nan)
    for onset, cycle in zip(onsets, owner, strict=True):
        if math.isnan(result[cycle]):
            end = int(np.searchsorted(time_second, time_second[onset] + 3.0 * after_second)) + 1
            part = slice(int(onset), end)
            result[cycle] = pulse_resistance(
                time_second[part], voltage_volt[part], current_ampere[part], after_second
            )
    return result
