"""When is a temperature step over? Chamber in its band for the soak time, then the sample stable.

The sample lags the chamber (science.md S18: 600 s after a 10 K step the pellet is still 6 K
away, and the activation energy comes out 4 % wrong). Where no thermometer sits on the sample,
its own impedance is the thermometer: two successive |Z| at one frequency must agree.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rig.core.instruments import Sweep
from rig.engine.action import Reading
from rig.engine.cursor import Soak
from rig.protocol.program import Stability, TemperatureTarget


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
        return Verdict(
            soak._replace(in_band_since_second=math.nan, probed_second=math.nan, probe_ohm=math.nan)
        )
    if math.isnan(soak.in_band_since_second):
        return Verdict(soak._replace(in_band_since_second=now))
    if now - soak.in_band_since_second < target.soak_second - 1e-6:
        return Verdict(soak)
    if target.stability is None:
        return Verdict(soak, done=f"soaked at {target.celsius:g} degC")
    return _time_to_probe(target.stability, soak, now)


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
    else:
        state = f"the sample's |Z| is not stable (last {soak.probe_ohm:.5g} ohm)"
    return f"{target.celsius:g} degC not reached and soaked within {waited:g} h: {state}"
