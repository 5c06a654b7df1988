"""The script commands that set up the potentiostat or ask it once; know no jumps and no bytes."""

from __future__ import annotations

from collections.abc import Callable

from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_packages import Variable
from simulators.fronts.methodscript_techniques import Script


def _channel(script: Script, channel: Variable) -> None:
    script.select_channel(channel.value)


def _mode(script: Script, mode: Variable) -> None:
    script.device.set_mode(mode.value)


def _bandwidth(script: Script, hertz: Variable) -> None:
    # Checked and without effect: the noise of this simulator has no bandwidth.
    if not hertz.value > 0:
        raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)


def _acquisition(script: Script, percent: Variable) -> None:
    if not 0 <= percent.value <= 100:
        raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)


def _range(script: Script, kind: str, value: Variable) -> None:
    script.device.set_range(kind, value.value, value.value)


def _autoranging(script: Script, kind: str, low: Variable, high: Variable) -> None:
    script.device.set_range(kind, low.value, high.value)


def _window(script: Script, kind: str, low: Variable, high: Variable) -> None:
    if kind != "da":
        raise ScriptError(Code.INVALID_TYPE)
    script.device.set_window(low.value, high.value)


def _potential(script: Script, level: Variable) -> None:
    script.device.set_potential(level.value, script.now())


def _current(script: Script, level: Variable) -> None:
    script.device.set_current(level.value, script.now())


def _cell_on(script: Script, ocp: Variable | None = None) -> None:
    if ocp is not None:
        script.device.set_potential(ocp.value, script.now())
    script.device.cell_on(script.now())


def _cell_off(script: Script) -> None:
    script.device.cell_off(script.now())


def _meas(script: Script, x: Variable, kind: str) -> None:
    # The parser has put the averaging time into a wait before this.
    if kind not in ("ab", "ba"):
        raise ScriptError(Code.NOT_SUPPORTED)
    reading = script.device.measure(script.now())
    if kind == "ab":
        x.put(kind, reading.voltage_volt, reading.voltage_metadata)
    else:
        x.put(kind, reading.current_ampere, reading.current_metadata)


SETTINGS: dict[str, Callable[..., None]] = {
    "set_pgstat_chan": _channel,
    "set_pgstat_mode": _mode,
    "set_max_bandwidth": _bandwidth,
    "set_acquisition_frac_autoadjust": _acquisition,
    "set_range": _range,
    "set_autoranging": _autoranging,
    "set_range_minmax": _window,
    "set_e": _potential,
    "set_i": _current,
    "cell_on": _cell_on,
    "cell_off": _cell_off,
    "meas": _meas,
}
