"""A Watlow F4T behind its wires: control loop 1, ramp, profile, events, alarms and units.

Knows no registers, no SCPI and no bytes; both fronts drive it. The air is a model behind
simulators.interfaces.ChamberAir, and moves along a ramp or profile whenever the controller is spoken
to, back to the time it was last spoken to. Values go in and out in the communication units.

Simulator's choices, where the sheet is silent: the air is conditioned while the mode is auto, the
chamber-run event is on and neither alarm nor sensor error stands; manual mode does not heat; the end
of a profile leaves its last set point, its termination the one from before; a profile does not
outlive a power failure; an alarm clears at the panel only; a failed sensor reads NaN.
"""

from __future__ import annotations

import math
import random

from rig.core.errors import BadInput, Problem
from simulators.fronts.watlow_profile import ProfileRun, StepKind
from simulators.fronts.watlow_settings import (
    ALARMS,
    EVENTS,
    Machine,
    Mode,
    ProfileState,
    Ramp,
    RampAction,
    RampScale,
    Units,
    ValueRefused,
)
from simulators.interfaces import ChamberAir

_COURSE_STEP_SECOND = 30.0
_NOISE_KELVIN = 0.03
_FULL_POWER_KELVIN = 5.0  # that far from the set point, heating or cooling is at 100 %


class F4T:
    """The controller; boots at 25 degC in mode auto, ramp off, all events off."""

    def __init__(self, name: str, air: ChamberAir, *, seed: int, machine: Machine) -> None:
        self.machine = machine
        self.units = machine.units
        self.mode = Mode.AUTO
        self.ramp_action = RampAction.OFF
        self.ramp_scale = RampScale.MINUTES
        self.events = [False] * EVENTS
        self.alarms: set[int] = set()
        self.profile_number, self.profile_step = 1, 1  # what the next start begins
        self.profile: ProfileRun | None = None
        self.profile_state = ProfileState.NOT_STARTED
        self._name = name
        self._air = air
        self._gauss = random.Random(seed).gauss
        self._low, self._high = machine.low_celsius, machine.high_celsius
        self._set_point, self._rate_kelvin = 25.0, 1.0
        self._ramp: Ramp | None = None
        self._sensor_failed = False
        self._conditioned = False
        self._now = self._followed = 0.0

    # -- time ----------------------------------------------------------------------------------

    def advance(self, now_second: float) -> None:
        """Move the air's set point along ramp or profile up to ``now_second``."""
        self._now = max(self._now, now_second)
        if self._conditioned != self._is_conditioning():
            self._settle()
        moving = self._moving()
        if moving is not None and self._conditioned:
            until = min(self._now, moving.end_second)
            while self._followed < until:
                self._followed = min(self._followed + _COURSE_STEP_SECOND, until)
                self._air.set_point(moving.celsius(self._followed), self._followed)
        self._followed = self._now
        self._finish_profile()

    def _moving(self) -> ProfileRun | Ramp | None:
        if self.profile is None:
            return self._ramp
        return self.profile if self.profile_state is ProfileState.RUNNING else None

    def _finish_profile(self) -> None:
        run = self.profile
        if run is None or self.profile_state is not ProfileState.RUNNING:
            return
        if run.end_second <= self._now:
            self._set_point, self._ramp = run.last_celsius, None
            self._end_profile(ProfileState.COMPLETE)

    def _settle(self) -> None:
        """Let the air have what the settings ask for now; a ramp may begin with the conditioning."""
        wanted = self._is_conditioning()
        if wanted and not self._conditioned and self._ramps_on(RampAction.STARTUP):
            self._start_ramp(self._air.air_temperature_celsius(self._now))
        self._conditioned = wanted
        self._air.set_point(self._working() if wanted else None, self._now)

    def _is_conditioning(self) -> bool:
        run_event = self.machine.run_event
        switched_on = run_event is None or self.events[run_event - 1]
        healthy = not self.alarms and not self._sensor_failed
        return switched_on and healthy and self.mode is Mode.AUTO

    def _ramps_on(self, occasion: RampAction) -> bool:
        return self.ramp_action in (occasion, RampAction.BOTH)

    def _start_ramp(self, from_celsius: float) -> None:
        minutes = 60.0 if self.ramp_scale is RampScale.MINUTES else 3600.0
        self._ramp = Ramp(from_celsius, self._set_point, self._rate_kelvin / minutes, self._now)

    def _working(self) -> float:
        if self.profile is not None:
            return self.profile.celsius(self._now)
        return self._set_point if self._ramp is None else self._ramp.celsius(self._now)

    # -- loop 1 --------------------------------------------------------------------------------

    @property
    def set_point(self) -> float:
        """The closed-loop set point; a ramp limits how fast the loop follows it, never this."""
        return self._told(self._set_point)

    def change_set_point(self, value: float) -> None:
        """Take a new set point; beyond the limits it is refused, or clamped if the machine does."""
        celsius = self._heard(value)
        if self.machine.clamps:
            celsius = min(max(celsius, self._low), self._high)
        if not self._low <= celsius <= self._high:
            raise ValueRefused
        before = self._working()
        self._set_point, self._ramp = celsius, None
        if self._conditioned and self._ramps_on(RampAction.SETPOINT):
            self._start_ramp(before)
        self._settle()

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest set point."""
        return self._told(self._low), self._told(self._high)

    def change_limits(self, low: float, high: float) -> None:
        """Take new set point limits within the machine's own, on both sides of the set point."""
        low_celsius, high_celsius = self._heard(low), self._heard(high)
        machine = self.machine
        if not machine.low_celsius <= low_celsius <= self._set_point:
            raise ValueRefused
        if not self._set_point <= high_celsius <= machine.high_celsius:
            raise ValueRefused
        self._low, self._high = low_celsius, high_celsius

    @property
    def working_set_point(self) -> float:
        """What the loop is regulating to at this moment."""
        return self._told(self._working())

    def process_value(self) -> float:
        """Return the air temperature as measured; NaN when the sensor is broken."""
        if self._sensor_failed:
            return math.nan
        celsius = self._air.air_temperature_celsius(self._now)
        return self._told(celsius + self._gauss(0.0, _NOISE_KELVIN))

    def power_percent(self) -> float:
        """Return the loop's output, positive when heating; proportional, a likeness only."""
        if not self._conditioned:
            return 0.0
        lacking = self._working() - self._air.air_temperature_celsius(self._now)
        return max(-100.0, min(100.0, 100.0 * lacking / _FULL_POWER_KELVIN))

    def change_mode(self, mode: Mode) -> None:
        """Regulate (auto), or leave the air to itself."""
        self.mode = mode
        self._settle()

    @property
    def ramp_rate(self) -> float:
        """Degrees per ramp scale."""
        return self._rate_kelvin * (1.8 if self.units is Units.FAHRENHEIT else 1.0)

    def change_ramp_rate(self, rate: float) -> None:
        """Take a rate for the next ramp; one that leads nowhere is refused."""
        if not 0.0 < rate < math.inf:
            raise ValueRefused
        self._rate_kelvin = rate / (1.8 if self.units is Units.FAHRENHEIT else 1.0)

    # -- events, alarms, faults ----------------------------------------------------------------

    def switch_event(self, number: int, on: bool) -> None:
        """Switch event output ``number``, from 1."""
        self.events[number - 1] = on
        self._settle()

    @property
    def healthy(self) -> bool:
        """Whether the device status (register 90) is OK."""
        return not self._sensor_failed

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Raise ``alarm`` number ``value``, which stops conditioning; BadInput for other kinds."""
        if kind != "alarm" or value is None or not 1 <= value <= ALARMS:
            message = f"an F4T has no fault {kind!r} of code {value}, alarms are 1 to {ALARMS}"
            raise BadInput(Problem(self._name, message))
        self.advance(now_second)
        self.alarms.add(value)
        self._settle()

    def break_sensor(self, broken: bool, now_second: float) -> None:
        """Cut the sensor's wires, or mend them."""
        self.advance(now_second)
        self._sensor_failed = broken
        self._settle()

    def clear_alarms(self, now_second: float) -> None:
        """Somebody presses the key at the panel."""
        self.advance(now_second)
        self.alarms.clear()
        self._settle()

    def power_cycle(self, now_second: float) -> None:
        """The mains fail and return: the last set point, events off, no profile."""
        self.advance(now_second)
        self.events = [False] * EVENTS
        if self.profile is not None:
            self._end_profile(ProfileState.TERMINATED)
        self._ramp, self._conditioned = None, False
        self._settle()

    # -- profiles ------------------------------------------------------------------------------

    def start_profile(self) -> None:
        """Start the chosen profile at the chosen step; refused when it is not stored."""
        steps = self.machine.profiles.get(self.profile_number, ())
        if not 1 <= self.profile_step <= len(steps):
            raise ValueRefused
        self.profile = ProfileRun(
            self.profile_number, steps, self.profile_step, self._working(), self._now
        )
        self.profile_state = ProfileState.RUNNING
        self._settle()

    def pause_profile(self) -> None:
        """Hold the running profile where it is."""
        if self.profile is not None and self.profile_state is ProfileState.RUNNING:
            self.profile.pause(self._now)
            self.profile_state = ProfileState.PAUSED

    def resume_profile(self) -> None:
        """Let the paused profile go on."""
        if self.profile is not None and self.profile_state is ProfileState.PAUSED:
            self.profile.resume(self._now)
            self.profile_state = ProfileState.RUNNING

    def terminate_profile(self) -> None:
        """End the profile before its time; the loop goes back to the set point from before."""
        if self.profile is not None:
            self._end_profile(ProfileState.TERMINATED)

    def _end_profile(self, state: ProfileState) -> None:
        self.profile, self.profile_state = None, state
        self._settle()

    def profile_step_kind(self) -> StepKind | None:
        """Return what kind of step is running; None when no profile is."""
        return self.profile.leg(self._now).kind if self.profile else None

    def profile_position(self) -> tuple[int, int]:
        """Return number and step of the running profile; zeros when there is none."""
        if self.profile is None:
            return 0, 0
        return self.profile.number, self.profile.leg(self._now).step

    def profile_left_second(self) -> float:
        """Return what is left of the running profile."""
        return self.profile.left_second(self._now) if self.profile else 0.0

    # -- units ---------------------------------------------------------------------------------

    def _told(self, celsius: float) -> float:
        return celsius * 1.8 + 32.0 if self.units is Units.FAHRENHEIT else celsius

    def _heard(self, value: float) -> float:
        if not math.isfinite(value):
            raise ValueRefused
        return (value - 32.0) / 1.8 if self.units is Units.FAHRENHEIT else value
