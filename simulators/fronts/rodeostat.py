"""A Rodeostat on its wire: one JSON object a line, both ways; samples come while a test runs.

Knows messages and their keys; the potentiostat and its test are in rodeostat_cell. Volt stay volt
on the wire, current is in microampere, time in milliseconds.

Hardware V0.2 knows the commands of its electrode switches (the maker's docs/json.rst) and its own
version, V0.1 neither: the maker's firmware compiles them in for V0.2 only (ps_system_state.cpp).
The maker's package asks before every test whether a multiplexer is on; here it never is.

Simulator's choices where the sheet is silent: the texts of refusals, what is served while a test
runs (queries, ``stopTest`` and the electrodes, which the firmware serves at any time), and ``"le"``
being true; Dialect holds what a driver must take either way. Left out for want of facts: tests other
than ``constant``, the multiplexer's other commands.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulators.fronts.rodeostat_cell import (
    CURRENT_RANGES,
    ELECTRODES,
    VOLTAGE_RANGES,
    ConstantTest,
    Rodeostat,
    Sample,
)
from simulators.fronts.rodeostat_messages import (
    Message,
    Refusal,
    boolean,
    integer,
    member,
    number,
    parsed,
)
from simulators.interfaces import Cell

_VERSION = "FW0.1.0"
# What getVariant says on each hardware, as the maker's Python package lists them.
HARDWARE = {"V0.1": "microAmpV0.1", "V0.2": "10V_microAmpV0.2"}
_TESTS = (
    "cyclic", "sinusoid", "constant", "squareWave", "linearSweep", "chronoamp", "multiStep",
)  # fmt: skip
_SIMULATED_TEST = "constant"
_LONGEST_LINE = 4096
_LONGEST_TEST_MILLISECOND = 2**32 - 1
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the firmware settles what the sheet leaves open.

    ``clamps``: a voltage outside the range is cut to it without a word, else refused.
    ``ends_stopped_test``: the end marker ``{}`` follows the reply to ``stopTest``, too.
    """

    clamps: bool = False
    ends_stopped_test: bool = True


class RodeostatFront:
    """One Rodeostat on one cell; switched on when it is first spoken to. Implements ``Front``.

    A running test goes on without a host, and what it sends then is lost.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        seed: int,
        noise: bool = True,
        hardware: str = "V0.1",
        dialect: Dialect = Dialect(),
    ) -> None:
        switched = hardware == "V0.2"
        self.stage = Rodeostat(name, cell, seed, noise, switched=switched)
        self._hardware, self._variant = hardware, HARDWARE[hardware]
        self._commands = _COMMANDS | _SWITCHES if switched else _COMMANDS
        self._dialect = dialect
        self._powered = False
        self._connected = True
        self._now = 0.0
        self._unread = b""
        self._output: deque[bytes] = deque()
        self._device_id = 0
        self._test = ConstantTest()

    def receive(self, data: bytes, now_second: float) -> None:
        """Take lines of one JSON object each; blanks around it do not matter."""
        if not self._powered:
            self._powered = True
            self.stage.switch_on(now_second)
        self._advance(now_second)
        self._connected = True
        *lines, self._unread = (self._unread + data).split(b"\n")
        self._unread = self._unread[-_LONGEST_LINE:]
        for line in lines:
            if line.strip():
                self._answer(line)

    def transmit(self, now_second: float) -> bytes:
        """Return replies and samples up to now."""
        self._advance(now_second)
        self._connected = True
        sent = b"".join(self._output)
        self._output.clear()
        return sent

    def next_output_second(self) -> float | None:
        """Return when the next sample is due, or its test's next change."""
        return self._now if self._output else self.stage.next_second

    def disconnected(self, now_second: float) -> None:
        """Nothing changes for the cell: voltage and test stay; unread output is lost."""
        self._advance(now_second)
        self._connected = False
        self._unread = b""
        self._output.clear()

    def _advance(self, now_second: float) -> None:
        self._now = max(self._now, now_second)
        while (due := self.stage.next_second) is not None and due <= self._now:
            sample = self.stage.step()
            if sample is not None:
                self._send(_sample_fields(sample))
            if not self.stage.is_running:
                self._send({})

    def _send(self, message: Message) -> None:
        if self._connected:
            self._output.append(json.dumps(message, separators=(",", ":")).encode() + b"\r\n")

    def _answer(self, line: bytes) -> None:
        try:
            message = parsed(line)
            command = member(message, "command", self._commands)
            if self.stage.is_running and not _is_served_while_running(command):
                raise Refusal(f"{command} is not available while a test is running")
            was_running = self.stage.is_running
            values = self._commands[command](self, message)
        except Refusal as refusal:
            self._send({"success": False, "message": str(refusal), "response": {}})
            return
        self._send({"success": True, "response": {"command": command, **values}})
        if was_running and not self.stage.is_running and self._dialect.ends_stopped_test:
            self._send({})

    # Commands; each returns the keys of its response

    def _get_hardware_version(self, _message: Message) -> Values:
        return {"version": self._hardware}

    def _get_variant(self, _message: Message) -> Values:
        return {"variant": self._variant}

    def _get_multiplexer(self, _message: Message) -> Values:
        return {"muxEnabled": False}

    def _get_volt(self, _message: Message) -> Values:
        return {"v": self.stage.voltage_volt}

    def _set_volt(self, message: Message) -> Values:
        volt = self._reachable(number(message, "v"), "v")
        self.stage.set_voltage(volt, self._now)
        return {"v": volt}

    def _get_current(self, _message: Message) -> Values:
        return {"i": _microampere(self.stage.current_ampere(self._now)[0])}

    def _get_reference(self, _message: Message) -> Values:
        return {"r": self.stage.reference_volt(self._now)}

    def _get_voltage_range(self, _message: Message) -> Values:
        return {"voltRange": self.stage.voltage_range}

    def _set_voltage_range(self, message: Message) -> Values:
        chosen = member(message, "voltRange", VOLTAGE_RANGES)
        if abs(self.stage.voltage_volt) > VOLTAGE_RANGES[chosen]:
            raise Refusal("voltRange is too small for the present voltage")
        self.stage.voltage_range = chosen
        return {"voltRange": chosen}

    def _get_current_range(self, _message: Message) -> Values:
        return {"currRange": self.stage.current_range}

    def _set_current_range(self, message: Message) -> Values:
        self.stage.current_range = member(message, "currRange", CURRENT_RANGES)
        return {"currRange": self.stage.current_range}

    def _get_sample_period(self, _message: Message) -> Values:
        return {"samplePeriod": self.stage.sample_millisecond}

    def _set_sample_period(self, message: Message) -> Values:
        self.stage.sample_millisecond = integer(message, "samplePeriod", 1, 1000)
        return {"samplePeriod": self.stage.sample_millisecond}

    def _get_device_id(self, _message: Message) -> Values:
        return {"deviceId": self._device_id}

    def _set_device_id(self, message: Message) -> Values:
        self._device_id = integer(message, "deviceId", 0, 2**16 - 1)
        return {"deviceId": self._device_id}

    def _get_param(self, message: Message) -> Values:
        return {"test": _simulated(message), "param": _parameters(self._test)}

    def _set_param(self, message: Message) -> Values:
        name = _simulated(message)
        given = message.get("param")
        if not isinstance(given, dict):
            raise Refusal("param is missing or no object")
        wanted = _parameters(self._test) | given
        self._test = ConstantTest(
            quiet_volt=self._reachable(number(wanted, "quietValue"), "quietValue"),
            quiet_millisecond=integer(wanted, "quietTime", 0, _LONGEST_TEST_MILLISECOND),
            volt=self._reachable(number(wanted, "value"), "value"),
            duration_millisecond=integer(wanted, "duration", 1, _LONGEST_TEST_MILLISECOND),
        )
        return {"test": name, "param": _parameters(self._test)}

    def _get_done_time(self, message: Message) -> Values:
        return {"test": _simulated(message), "testDoneTime": self._test.total_millisecond}

    def _run_test(self, message: Message) -> Values:
        name = _simulated(message)
        # The range may have changed since the parameters were taken.
        self._reachable(self._test.quiet_volt, "quietValue")
        self._reachable(self._test.volt, "value")
        self.stage.start(self._test, self._now)
        return {"test": name}

    def _stop_test(self, _message: Message) -> Values:
        self.stage.stop(self._now)
        return {}

    def _get_connected(self, _message: Message, *, electrodes: tuple[str, ...]) -> Values:
        return {"connected": all(self.stage.connected(electrode) for electrode in electrodes)}

    def _set_connected(self, message: Message, *, electrodes: tuple[str, ...]) -> Values:
        closed = boolean(message, "connected")
        for electrode in electrodes:
            self.stage.connect(electrode, closed, self._now)
        return {"connected": closed}

    def _get_auto_connect(self, _message: Message) -> Values:
        return {"autoConnect": self.stage.auto_connect}

    def _set_auto_connect(self, message: Message) -> Values:
        self.stage.auto_connect = boolean(message, "autoConnect")
        return {"autoConnect": self.stage.auto_connect}

    def _reachable(self, volt: float, key: str) -> float:
        """Return ``volt``, or what the range makes of it."""
        if self.stage.holds(volt):
            return volt
        full_scale = VOLTAGE_RANGES[self.stage.voltage_range]
        if not self._dialect.clamps:
            raise Refusal(f"{key} is outside +-{full_scale:g} V")
        return full_scale if volt > 0 else -full_scale


_COMMANDS: dict[str, Callable[[RodeostatFront, Message], Values]] = {
    "getVersion": lambda _front, _message: {"version": _VERSION},
    "getVariant": RodeostatFront._get_variant,
    "getMuxEnabled": RodeostatFront._get_multiplexer,
    "getTestNames": lambda _front, _message: {"testNames": list(_TESTS)},
    "getVolt": RodeostatFront._get_volt,
    "setVolt": RodeostatFront._set_volt,
    "getCurr": RodeostatFront._get_current,
    "getRefVolt": RodeostatFront._get_reference,
    "getVoltRange": RodeostatFront._get_voltage_range,
    "setVoltRange": RodeostatFront._set_voltage_range,
    "getCurrRange": RodeostatFront._get_current_range,
    "setCurrRange": RodeostatFront._set_current_range,
    "getSamplePeriod": RodeostatFront._get_sample_period,
    "setSamplePeriod": RodeostatFront._set_sample_period,
    "getDeviceId": RodeostatFront._get_device_id,
    "setDeviceId": RodeostatFront._set_device_id,
    "getParam": RodeostatFront._get_param,
    "setParam": RodeostatFront._set_param,
    "getTestDoneTime": RodeostatFront._get_done_time,
    "runTest": RodeostatFront._run_test,
    "stopTest": RodeostatFront._stop_test,
}

_GROUPS = {"All": ELECTRODES} | {electrode: (electrode,) for electrode in ELECTRODES}
_SWITCHES: dict[str, Callable[[RodeostatFront, Message], Values]] = {
    "getHardwareVersion": RodeostatFront._get_hardware_version,
    "getElectAutoConnect": RodeostatFront._get_auto_connect,
    "setElectAutoConnect": RodeostatFront._set_auto_connect,
}
for _name, _electrodes in _GROUPS.items():
    _SWITCHES[f"get{_name}ElectConnected"] = partial(
        RodeostatFront._get_connected, electrodes=_electrodes
    )
    _SWITCHES[f"set{_name}ElectConnected"] = partial(
        RodeostatFront._set_connected, electrodes=_electrodes
    )


def _is_served_while_running(command: str) -> bool:
    return command.startswith("get") or command == "stopTest" or command in _SWITCHES


def _simulated(message: Message) -> str:
    name = member(message, "test", dict.fromkeys(_TESTS))
    if name != _SIMULATED_TEST:
        raise Refusal(f"test {name} is not simulated, only {_SIMULATED_TEST}")
    return name


def _parameters(test: ConstantTest) -> Values:
    return {
        "quietValue": test.quiet_volt,
        "quietTime": test.quiet_millisecond,
        "value": test.volt,
        "duration": test.duration_millisecond,
    }


def _sample_fields(sample: Sample) -> Values:
    fields: Values = {
        "t": sample.time_millisecond,
        "v": sample.voltage_volt,
        "i": _microampere(sample.current_ampere),
    }
    return fields | {"le": True} if sample.beyond_range else fields


def _microampere(ampere: float) -> float:
    return round(ampere * 1e6, 6)
