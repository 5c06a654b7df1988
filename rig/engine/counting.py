"""What a reading adds to the counters: charge and energy, by the trapezoid, never where nobody looked."""

from __future__ import annotations

import math
from math import isnan

from rig.core.instruments import Flag
from rig.engine.action import Reading
from rig.engine.cursor import Progress

NAN = math.nan
_UNMEASURED = Flag.OVERLOAD.value


def counted(before: Progress, reading: Reading) -> Progress:
    """Integrate charge and energy by the trapezoid with the real times of both readings.

    Split by sign of the mean current. Nothing is counted where one end is unknown (NaN).
    """
    time, volt, ampere = reading.test_time_second, reading.voltage_volt, reading.current_ampere
    if isnan(volt) or isnan(ampere):
        bad = before.bad_readings + 1 if reading.flags & _UNMEASURED else before.bad_readings
        # Counted again from the next good reading on, by the trapezoid from the last good one.
        return before._replace(test_time_second=time, bad_readings=bad)
    hours = (time - before.counted_second) / 3600.0
    mean = 0.5 * (before.current_ampere + ampere)
    charge = mean * hours
    if isnan(charge):
        charge = 0.0
    energy = charge * 0.5 * (before.voltage_volt + volt) if charge else 0.0
    charged, discharged = (charge, 0.0) if charge > 0 else (0.0, -charge)
    stored, released = (energy, 0.0) if charge > 0 else (0.0, -energy)
    return Progress(
        time,
        before.seq,
        volt,
        ampere,
        before.charging_capacity_ah + charged,
        before.discharging_capacity_ah + discharged,
        before.charging_energy_wh + stored,
        before.discharging_energy_wh + released,
        before.step_capacity_ah + charge,
        before.step_energy_wh + energy,
        before.recorded_second,
        before.recorded_volt,
        before.recorded_ampere,
        0,
        time,
    )


def blind(progress: Progress) -> Progress:
    """Forget the last reading: nobody knows what the current was since."""
    return progress._replace(
        voltage_volt=NAN, current_ampere=NAN, bad_readings=0, recorded_second=NAN
    )


def kept(progress: Progress, reading: Reading) -> Progress:
    return Progress(  # spelled out: once a sample, and _replace takes twice as long
        progress.test_time_second,
        progress.seq + 1,
        progress.voltage_volt,
        progress.current_ampere,
        progress.charging_capacity_ah,
        progress.discharging_capacity_ah,
        progress.charging_energy_wh,
        progress.discharging_energy_wh,
        progress.step_capacity_ah,
        progress.step_energy_wh,
        reading.test_time_second,
        reading.voltage_volt,
        reading.current_ampere,
        progress.bad_readings,
        progress.counted_second,
    )
