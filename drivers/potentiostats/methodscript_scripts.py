"""The scripts that make a PalmSens potentiostat do what a set point or a sweep asks, as text.

Pure: knows no link, sends nothing, and takes values that were checked before. Scripts follow the
vendor's worked examples line by line where there is one; each deviation says why. Every script
switches the cell off before it sets anything up, because an earlier script may have died with the
cell on, and again in ``on_finished:``.
"""

from __future__ import annotations

import math

from drivers.potentiostats.methodscript_packages import script_number
from rig.core.instruments import (
    ConstantCurrent,
    ConstantVoltage,
    Limits,
    OpenCircuit,
    Setpoint,
    Sweep,
)
from rig.core.sheet import Model

Script = tuple[str, ...]

INTERVAL_SECOND = 1.0  # between two points of a set point; also how often its limits are looked at

# The smallest current range that every model of the family has, and each model's largest.
SMALLEST_RANGE_AMPERE = 100e-9
LARGEST_RANGE_AMPERE = {
    "espico": 5e-3,
    "es4_lr": 10e-3,
    "es4_hr": 100e-3,
    "mes4lr": 10e-3,
    "mes4hr": 100e-3,
    "nexus1": 1.0,
}

ON_FINISHED: Script = ("on_finished:", "cell_off")

# 6 x data rate is the vendor's rule of thumb; its examples round up to these.
SLOW, QUIET, SPECTRUM = "10", "60", "1M"
POTENTIAL_RANGE: Script = ("set_range ab 5", "set_autoranging ab 5 5")
SPECTRUM_POTENTIAL_RANGE: Script = ("set_range ab 5", "set_autoranging ab 100m 5")


def script_of_cell_off(channel: int) -> Script:
    """Return the script that switches the cell off; channel 0 is the one after power-on."""
    return ("cell_off",) if channel == 0 else (_select(channel), "cell_off")


def script_of_open_circuit_voltage(channel: int) -> Script:
    """Return one open-circuit voltage, nothing more: the first of the two scripts of a spectrum.

    A measured variable as argument of set_e, the one-script way, is not verified on hardware.
    """
    return (
        "var p",
        *_open_circuit_setup(channel),
        "meas 100m p ab",
        "pck_start",
        "pck_add p",
        "pck_end",
        *ON_FINISHED,
    )


def script_of_setpoint(
    setpoint: Setpoint, limits: Limits, model: Model, channel: int = 0
) -> Script:
    """Return the lines between ``e`` and the empty line, without line ends."""
    match setpoint:
        case OpenCircuit():
            return _open_circuit(limits, channel)
        case ConstantCurrent():
            return _constant_current(setpoint, limits, model, channel)
        case ConstantVoltage():
            return _constant_voltage(setpoint, limits, model, channel)


def _select(channel: int) -> str:
    return f"set_pgstat_chan {channel}"


def _open_circuit_setup(channel: int) -> Script:
    return (
        _select(channel),
        "set_pgstat_mode 3",
        f"set_max_bandwidth {QUIET}",
        *POTENTIAL_RANGE,
        "cell_off",
    )


def _open_circuit(limits: Limits, channel: int) -> Script:
    return (
        "var p",
        "var t",
        *_open_circuit_setup(channel),
        "timer_start",
        f"meas_loop_ocp p {_interval_and_duration(limits)}",
        *_timed_package("p"),
        "endloop",
        *ON_FINISHED,
    )


def _constant_current(
    setpoint: ConstantCurrent, limits: Limits, model: Model, channel: int
) -> Script:
    """The limit in the direction of the current is the set point's, the other one is absolute."""
    lower, upper = limits.voltage_min_volt, setpoint.voltage_limit_volt
    if setpoint.current_ampere < 0:
        lower, upper = setpoint.voltage_limit_volt, limits.voltage_max_volt
    return (
        "var p",
        "var c",
        "var t",
        _select(channel),
        "cell_off",
        *_galvanostat(abs(setpoint.current_ampere), model, SLOW, POTENTIAL_RANGE),
        "timer_start",
        f"meas_loop_cp p c {script_number(setpoint.current_ampere)} {_interval_and_duration(limits)}",
        *_timed_package("p", "c"),
        *_break_if("p", ">", upper),
        *_break_if("p", "<", lower),
        "endloop",
        *(_hold_at_limit(setpoint, limits, model) if setpoint.hold_at_limit else ()),
        *ON_FINISHED,
    )


def _hold_at_limit(setpoint: ConstantCurrent, limits: Limits, model: Model) -> Script:
    """Go on at constant voltage, but only if it was the set point's limit that ended the loop.

    The condition is not in the vendor's example: without it the hold would also follow when the
    time ran out or the opposite limit was crossed.
    """
    beyond = ">" if setpoint.current_ampere > 0 else "<"
    hold = ConstantVoltage(setpoint.voltage_limit_volt, limits.current_max_ampere)
    return (
        "cell_off",  # the vendor's sequence changes the mode with the cell off
        f"if p {beyond} {script_number(setpoint.voltage_limit_volt)}",
        *_voltage_loop(hold, limits, model),
        "endif",
    )


def _constant_voltage(
    setpoint: ConstantVoltage, limits: Limits, model: Model, channel: int
) -> Script:
    return (
        "var p",
        "var c",
        "var t",
        _select(channel),
        "cell_off",
        "timer_start",
        *_voltage_loop(setpoint, limits, model),
        *ON_FINISHED,
    )


def _voltage_loop(setpoint: ConstantVoltage, limits: Limits, model: Model) -> Script:
    voltage = script_number(setpoint.voltage_volt)
    return (
        "set_pgstat_mode 2",
        f"set_max_bandwidth {SLOW}",
        *_potentiostat(voltage, setpoint.current_limit_ampere, model),
        f"meas_loop_ca p c {voltage} {_interval_and_duration(limits)}",
        *_timed_package("p", "c"),
        *_break_if("c", ">", setpoint.current_limit_ampere),
        *_break_if("c", "<", -setpoint.current_limit_ampere),
        # t counts from the beginning of the script: a CC part before this one shares the time
        *_break_if("t", ">", limits.longest_second),
        "endloop",
    )


def script_of_sweep(
    sweep: Sweep, bias_volt: float, limits: Limits, model: Model, channel: int = 0
) -> Script:
    """Return the script of a spectrum around ``bias_volt`` (or around zero current)."""
    if sweep.amplitude_ampere is not None:
        peak_ampere = math.sqrt(2) * sweep.amplitude_ampere
        setup = _galvanostat(peak_ampere, model, SPECTRUM, SPECTRUM_POTENTIAL_RANGE)
        loop = (
            f"meas_loop_geis f r j {script_number(sweep.amplitude_ampere)} {_frequencies(sweep)} 0"
        )
    else:
        bias = script_number(bias_volt)
        setup = (
            "set_pgstat_mode 3",
            f"set_max_bandwidth {SPECTRUM}",
            *_potentiostat(bias, limits.current_max_ampere, model, SPECTRUM_POTENTIAL_RANGE),
        )
        loop = f"meas_loop_eis f r j {script_number(sweep.amplitude_volt or 0.0)} {_frequencies(sweep)} {bias}"
    return (
        "var f",
        "var r",
        "var j",
        _select(channel),
        "cell_off",
        *setup,
        loop,
        "pck_start",
        "pck_add f",
        "pck_add r",
        "pck_add j",
        "pck_end",
        "endloop",
        *ON_FINISHED,
    )


def _frequencies(sweep: Sweep) -> str:
    return f"{script_number(sweep.start_hertz)} {script_number(sweep.stop_hertz)} {sweep.points}i"


def _galvanostat(
    largest_ampere: float, model: Model, bandwidth: str, potential_range: Script
) -> Script:
    """Mode 6 at zero current, cell on; the range is fixed, so that no range change disturbs."""
    current_range = script_number(_current_range_ampere(largest_ampere, model))
    return (
        "set_pgstat_mode 6",
        f"set_max_bandwidth {bandwidth}",
        *potential_range,
        f"set_range db {current_range}",
        f"set_autoranging db {current_range} {current_range}",
        "set_i 0",
        "cell_on",
    )


def _potentiostat(
    voltage: str, largest_ampere: float, model: Model, potential_range: Script = ()
) -> Script:
    """Ranges, set potential, cell on; autoranging down to what a leakage current needs."""
    largest = script_number(_current_range_ampere(largest_ampere, model))
    return (
        f"set_range_minmax da {voltage} {voltage}",
        f"set_range ba {largest}",
        f"set_autoranging ba {script_number(SMALLEST_RANGE_AMPERE)} {largest}",
        *potential_range,
        f"set_e {voltage}",
        "cell_on",
    )


def _current_range_ampere(largest_ampere: float, model: Model) -> float:
    """Return the decade that holds the current, at most the model's largest range.

    Nominal ranges are decades on EmStat4 and Nexus. A range measures to about 3 times its nominal
    value, so that the largest covers what the model can drive (HR: 200 mA on 100 mA).
    """
    decade = 10.0 ** math.ceil(math.log10(largest_ampere) - 1e-9)
    return min(max(decade, SMALLEST_RANGE_AMPERE), LARGEST_RANGE_AMPERE[model.name])


def _interval_and_duration(limits: Limits) -> str:
    return f"{script_number(INTERVAL_SECOND)} {script_number(limits.longest_second)}"


def _timed_package(*variables: str) -> Script:
    added = (f"pck_add {variable}" for variable in ("t", *variables))
    return ("timer_get t", "pck_start", *added, "pck_end")


def _break_if(variable: str, comparison: str, bound: float) -> Script:
    return (f"if {variable} {comparison} {script_number(bound)}", "breakloop", "endif")
