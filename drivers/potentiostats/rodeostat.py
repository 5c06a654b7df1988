"""IO Rodeo's Rodeostat as a cell channel that holds voltages: hardware V0.2, which has electrode switches.

A potentiostat without galvanostat, for leakage and polarisation currents of small cells. A held
voltage is the device's own test ``constant``: it ends by itself after the longest time and opens
the electrodes, even when nobody listens. Knows no port and no time; messages stand in
``rodeostat_messages``, facts in ``rodeostat.toml``.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

from drivers.potentiostats.rodeostat_messages import Conversation, Json, Message
from rig.core.errors import (
    InstrumentError,
    LinkError,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    WrongInstrument,
)
from rig.core.instruments import (
    CellReading,
    ConstantCurrent,
    ConstantVoltage,
    Flag,
    Identity,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
)
from rig.core.link import Link
from rig.core.sheet import Model, Sheet, load_sheet
from rig.core.units import show

ELECTRODES = ("Ref", "Ctr", "Wrk")
TEST = "constant"

SAMPLE_PERIOD_MS = 1000  # the longest that the device takes
NEXT_SAMPLE_SECOND = 3.0
LONGEST_SECOND = (1.0, (2**32 - 1) / 1000)  # what a 32-bit number of milliseconds holds

# Currents travel in microampere.
_AMPERE = 1e-6
# The converter stops at the end of its range: what reads as the end may be anything beyond.
_FULL_SCALE = 0.999
# The device rounds a voltage to a step of its range and says what it took.
_STEP_OF_RANGE = 1e-3


class Rodeostat:
    """One device, two-electrode: WRK to cell +, REF and CTR together to cell -."""

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._device = Conversation(link, name, self.sheet)
        self._model: Model | None = None
        self._held: ConstantVoltage | None = None  # what runs; None: nothing does
        self._full_scale_ampere = 0.0
        self._newest: CellReading | None = None

    def identify(self) -> Identity:
        """Ask for the hardware variant, the number that its owner gave it, and the firmware."""
        variant = self._device.text(self._device.ask("getVariant"), "variant", "getVariant")
        self._model = self._model_of(variant)
        number = self._device.number(self._device.ask("getDeviceId"), "deviceId", "getDeviceId")
        firmware = self._device.text(self._device.ask("getVersion"), "version", "getVersion")
        return Identity(self.sheet.maker, variant, f"{number:.0f}", firmware)

    def _model_of(self, variant: str) -> Model:
        model = self.sheet.model(variant)
        if model is None:
            known = ", ".join(entry.name for entry in self.sheet.models)
            raise WrongInstrument(
                f"{self._device.where}: sent 'getVariant', got {variant!r}, expected one of {known}",
                remedy="correct the bench file; hardware V0.1 cannot disconnect a cell and is not driven",
            )
        return model

    # --- cell channel ----------------------------------------------------------------------------

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        """Hold a voltage. Raises OutOfRange for anything else, before any byte is sent; Refused.

        The device has no current limit: ``measure`` opens the cell when the current passes it.
        """
        model = self._identified()
        objections = _objections(setpoint, limits, model)
        if objections or not isinstance(setpoint, ConstantVoltage):
            raise OutOfRange(f"{self._device.where}: nothing sent: {'; '.join(objections)}")
        self._forget()
        self._open()
        self._prepare(setpoint, limits, model)
        self._device.ask("runTest", test=TEST)
        self._held = setpoint

    def measure(self) -> CellReading:
        """Return the newest sample, waiting for the next one when none has come since the last call.

        The voltage is the one that is set. STOPPED, electrodes open and confirmed, once the test
        has ended or the current has passed its limit. Raises LinkTimeout when samples stay away.
        """
        if self._held is None:
            return self._ended()
        sample, over = self._newest_sample()
        if sample is not None:
            self._newest = self._reading(sample, self._held.current_limit_ampere)
        if over:
            self._held = None
            self._confirm_open()
        elif self._newest is not None and self._newest.flags & Flag.COMPLIANCE:
            self._held = None
            self._open()
        return self._ended() if self._held is None or self._newest is None else self._newest

    def make_safe(self) -> None:
        """Open all electrodes, end the test, and have the electrodes confirmed open one by one."""
        self._forget()
        try:
            self._open()
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self._device.where}: electrodes not confirmed open: {problem}",
                remedy="disconnect the cell by hand",
            ) from problem

    # --- setting up ------------------------------------------------------------------------------

    def _identified(self) -> Model:
        if self._model is None:
            raise InstrumentError(
                f"{self._device.where}: the variant is not known yet: nothing to check ranges by",
                remedy="call identify() first",
            )
        return self._model

    def _open(self) -> None:
        """The electrodes first: ``stopTest`` sets 0 V, which a connected cell would feel."""
        self._device.ask("setAllElectConnected", connected=False)
        self._device.ask("stopTest")
        self._confirm_open()

    def _confirm_open(self) -> None:
        """Ask electrode by electrode: the question for all is true only if all are connected."""
        for electrode in ELECTRODES:
            command = f"get{electrode}ElectConnected"
            response = self._device.ask(command)
            if response.get("connected") is not False:
                raise Refused(f"{self._device.where}: sent {command!r}, got {response!r}")

    def _prepare(self, setpoint: ConstantVoltage, limits: Limits, model: Model) -> None:
        """Set everything with the electrodes open and read it back.

        The output stands at the voltage, in the range that the test itself will choose, before
        the test connects the cell: nothing else ever reaches it.
        """
        volt = setpoint.voltage_volt
        span = _smallest(model.voltage_ranges_volt, volt)
        full_scale = _smallest(model.current_ranges_ampere, setpoint.current_limit_ampere)
        duration_ms = round(1000 * limits.longest_second)
        self._set("setElectAutoConnect", autoConnect=True)
        self._set("setSamplePeriod", samplePeriod=SAMPLE_PERIOD_MS)
        self._set("setVoltRange", voltRange=f"{span:g}V")
        self._set("setCurrRange", currRange=_range_name(full_scale))
        self._confirm(self._device.ask("setVolt", v=volt), "v", volt, _STEP_OF_RANGE * span)
        parameters: Message = {
            "quietValue": volt,
            "quietTime": 0,
            "value": volt,
            "duration": duration_ms,
        }
        kept = self._device.ask("setParam", test=TEST, param=parameters).get("param")
        kept = kept if isinstance(kept, dict) else {}
        self._confirm(kept, "value", volt, _STEP_OF_RANGE * span)
        self._confirm(kept, "duration", duration_ms, 0.0)
        self._full_scale_ampere = full_scale

    def _set(self, command: str, **setting: Json) -> None:
        """Send one setting and see it in the response."""
        response = self._device.ask(command, **setting)
        for key, wanted in setting.items():
            if response.get(key) != wanted:
                raise Refused(
                    f"{self._device.where}: sent {command!r} {key} {wanted!r}, "
                    f"the device kept {response.get(key)!r}"
                )

    def _confirm(self, response: Message, key: str, wanted: float, tolerance: float) -> None:
        kept = self._device.number(response, key, "a setting")
        if not abs(kept - wanted) <= tolerance:
            raise Refused(f"{self._device.where}: set {key} {wanted:g}, the device kept {kept:g}")

    # --- the stream of a running test ------------------------------------------------------------

    def _newest_sample(self) -> tuple[Message | None, bool]:
        """Return the last sample that has come, waited for if need be, and whether the test is over."""
        sample, timeout_second = None, NEXT_SAMPLE_SECOND
        try:
            while message := self._device.next_sample(timeout_second):
                sample, timeout_second = message, 0.0
        except LinkTimeout:
            if sample is None:
                raise
            return sample, False
        return sample, True

    def _reading(self, sample: Message, limit_ampere: float) -> CellReading:
        """COMPLIANCE flags a current beyond its limit, which the end of the range is, too."""
        volt = self._device.number(sample, "v", "runTest")
        ampere = _AMPERE * self._device.number(sample, "i", "runTest")
        flags = Flag.VOLTAGE_HELD
        if sample.get("le") or not abs(ampere) < _FULL_SCALE * self._full_scale_ampere:
            ampere, flags = math.nan, flags | Flag.OVERLOAD
        if not abs(ampere) <= limit_ampere:
            flags |= Flag.COMPLIANCE
        return CellReading(volt, ampere, Regulation.VOLTAGE, int(flags))

    def _ended(self) -> CellReading:
        if self._newest is None:
            raise InstrumentError(
                f"{self._device.where}: nothing is held, and no sample has come",
                remedy="apply a voltage first: the electrodes are open and the cell is not seen",
            )
        self._newest = self._newest._replace(regulation=Regulation.STOPPED)
        return self._newest

    def _forget(self) -> None:
        self._held, self._newest = None, None


def _objections(setpoint: Setpoint, limits: Limits, model: Model) -> list[str]:
    """Return everything about a set point that device or limits cannot hold; NaN is in no range."""
    match setpoint:
        case OpenCircuit():
            return ["the device cannot measure an open-circuit voltage: make_safe opens the cell"]
        case ConstantCurrent():
            return ["the device has no galvanostat: it can hold a voltage, not a current"]
        case ConstantVoltage(voltage, current_limit):
            lowest, highest = model.voltage_volt or (0.0, 0.0)
            largest = min(model.current_ampere or 0.0, limits.current_max_ampere)
            allowed = (max(lowest, limits.voltage_min_volt), min(highest, limits.voltage_max_volt))
            return [
                *_outside("voltage", voltage, allowed, "V"),
                *_outside("current limit", current_limit, (_AMPERE * 1e-3, largest), "A"),
                *_outside("longest time", limits.longest_second, LONGEST_SECOND, "s"),
            ]


def _outside(what: str, value: float, bounds: tuple[float, float], unit: str) -> list[str]:
    if bounds[0] <= value <= bounds[1]:
        return []
    return [
        f"{what} {show(value, unit)} is not from {show(bounds[0], unit)} to {show(bounds[1], unit)}"
    ]


def _smallest(ranges: tuple[float, ...], value: float) -> float:
    """Return the smallest range that holds a value that was not refused."""
    return next(span for span in ranges if span >= abs(value))


def _range_name(ampere: float) -> str:
    return f"{1e9 * ampere:.0f}nA" if ampere < _AMPERE else f"{1e6 * ampere:.0f}uA"
