"""When is a temperature step over? Chamber in its band for the soak time, then the sample stable.

The sample lags the chamber (science.md S18: 600 s after a 10 K step the pellet is still 6 K
away, and the activation energy comes out 4 % wrong). Where a sensor sits on the sample, a soak is
over only when it drifts by less than 0.1 K in 5 min (science 2.1): the mean of five minutes against
that of the five before, so that a thermometer's noise is no drift. Its offset from the set point is
no matter here; the analysis tells of it. Where none does, the sample's impedance is the thermometer:
two successive |Z| at one frequency must agree.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rig.core.instruments import Sweep
from rig.engine.action import Reading
from rig.engine.cursor import Soak
from rig.engine.surroundings import TEMPERATURE, cell_celsius
from rig.protocol.program import Stability, TemperatureTarget

WINDOW_SECOND = 300.0
MOST_DRIFT_KELVIN = 0.1


class Verdict(NamedTuple):
    """What a reading means for the soak: exactly one of done, failed, probe, or go on."""

    soak: Soak
    done: str = ""
    failed: str = ""
    probe: Sweep | None = None
    probe_over: bool = False


def soak_begins(now_second: float) -> Soak:
    """The chamber has taken the set point: the timeout counts from here."""
    return Soak(granted_second=now_second)


def soak_goes_on(target: TemperatureTarget, soak: Soak, reading: Reading) -> Verdict:
    """Judge one reading; the soak clock restarts whenever the chamber leaves its band."""
    now = reading.test_time_second
    if math.isnan(soak.granted_second):
        return Verdict(soak)
    if now - soak.granted_second > target.timeout_second:
        return Verdict(soak, failed=_too_late(target, soak, reading))
    if soak.probing:
        return _probing(target, soak, reading)
    if not abs(reading.temperature_celsius - target.celsius) <= target.within_kelvin:
        return Verdict(Soak(granted_second=soak.granted_second))
    if math.isnan(soak.in_band_since_second):
        return Verdict(soak._replace(in_band_since_second=now))
    watched = target.soak_second > 0 and _is_sensed(reading)
    if watched:
        soak = _sample_seen(soak, now, cell_celsius(reading))
    if now - soak.in_band_since_second < target.soak_second - 1e-6:
        return Verdict(soak)
    if watched and not soak.drift_kelvin <= MOST_DRIFT_KELVIN:
        return Verdict(soak)
    if target.stability is None:
        return Verdict(soak, done=f"soaked at {target.celsius:g} degC{_sample_words(soak)}")
    return _time_to_probe(target.stability, soak, now)


def _is_sensed(reading: Reading) -> bool:
    return reading.sensed is not None and TEMPERATURE in reading.sensed.values


def _sample_seen(soak: Soak, now_second: float, celsius: float) -> Soak:
    """Add what the cell's sensor says; a window that is full is compared with the one before."""
    if math.isnan(soak.window_second):
        soak = soak._replace(window_second=now_second)
    if now_second - soak.window_second >= WINDOW_SECOND - 1e-6:
        count = soak.window_count
        mean = soak.window_sum / count if count else math.nan
        drift = abs(mean - soak.mean_celsius)
        soak = soak._replace(
            window_second=now_second,
            window_sum=0.0,
            window_count=0,
            mean_celsius=mean,
            drift_kelvin=drift,
        )
    if math.isnan(celsius):
        return soak
    return soak._replace(window_sum=soak.window_sum + celsius, window_count=soak.window_count + 1)


def _sample_words(soak: Soak) -> str:
    if math.isnan(soak.drift_kelvin):
        return ""
    return f", cell at {soak.mean_celsius:.2f} degC, drift {soak.drift_kelvin:.2g} K in 5 min"


def _time_to_probe(stability: Stability, soak: Soak, now_second: float) -> Verdict:
    if now_second - soak.probed_second < stability.every_second - 1e-6:
        return Verdict(soak)
    frequency = stability.frequency_hertz
    probe = Sweep(frequency, frequency, 1, amplitude_volt=stability.amplitude_volt)
    return Verdict(soak._replace(probing=True, probed_second=now_second), probe=probe)


def _probing(target: TemperatureTarget, soak: Soak, reading: Reading) -> Verdict:
    assert target.stability is not None
    if not reading.sweep_done:
        return Verdict(soak)
    before, after = soak.probe_ohm, reading.probe_ohm
    soak = soak._replace(probing=False, probe_ohm=after)
    if abs(after - before) <= target.stability.fraction * before:
        percent = 100 * abs(after - before) / before
        return Verdict(
            soak, done=f"soaked at {target.celsius:g} degC, |Z| stable to {percent:.2g} %"
        )
    return Verdict(soak, probe_over=True)


def _too_late(target: TemperatureTarget, soak: Soak, reading: Reading) -> str:
    waited = target.timeout_second / 3600
    if math.isnan(soak.in_band_since_second):
        state = f"the chamber reads {reading.temperature_celsius:.2f} degC"
    elif not math.isnan(soak.window_second) and not soak.drift_kelvin <= MOST_DRIFT_KELVIN:
        drift = soak.drift_kelvin
        known = "not known yet" if math.isnan(drift) else f"{drift:.2g} K in 5 min"
        state = f"the drift of the cell's own temperature is {known}"
    else:
        state = f"the sample's |Z| is not stable (last {soak.probe_ohm:.5g} ohm)"
    return f"{target.celsius:g} degC not reached and soaked within {waited:g} h: {state}"
