"""The P300 controller behind its wire: modes, set point, alarms, and what each command does.

Takes one command's text and returns one reply's text; knows no bytes, addresses or spacing. The
air itself is a model behind simulators.interfaces.ChamberAir. A remote one-step program moves the
set point whenever the chamber is spoken to, back to the time it was last spoken to.

Simulator's choices, where the sheet is silent: the TYPE? fields of a P300, power in %?,
CHB NOT READY while an alarm stands, the form of RUN PRGM? and RUN PRGM MON?.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar

from rig.core.errors import BadInput, Problem
from simulators.interfaces import ChamberAir

_PROGRAM_STEP_SECOND = 30.0
_NOISE_KELVIN = 0.03
_FIRST_DATE = datetime(2026, 1, 1, tzinfo=UTC)

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_TEMPERATURE_ITEM = re.compile(rf"([SHL])\s*{_NUMBER}")
_TEMPERATURE = re.compile(rf"(?:\s*[SHL]\s*{_NUMBER})+\s*")
_ONE_STEP = re.compile(rf"\s*TEMP{_NUMBER}\s+TIME(\d+):(\d\d)\s+GOTEMP{_NUMBER}\s*")


Choice = TypeVar("Choice")


class Mode(Enum):
    """Operation modes as ``MODE?`` names them; the last two as ``MODE?,DETAIL`` does."""

    OFF = "OFF"
    STANDBY = "STANDBY"
    CONSTANT = "CONSTANT"
    REMOTE_RUN = "RMT RUN"
    REMOTE_HOLD = "RMT RUN END HOLD"


_RUNNING_PROGRAM = (Mode.REMOTE_RUN, Mode.REMOTE_HOLD)


class Refusal(Exception):
    """A command the controller answers with ``NA:`` and this reason."""


@dataclass(frozen=True, slots=True)
class OneStep:
    """A remote one-step program: ``from_celsius`` to ``to_celsius`` within ``duration_second``."""

    text: str
    from_celsius: float
    to_celsius: float
    duration_second: float
    start_second: float

    def celsius(self, second: float) -> float:
        """Return the set point at ``second``; before the start that of the start."""
        passed = min(max(second - self.start_second, 0.0), self.duration_second)
        share = passed / self.duration_second if self.duration_second else 1.0
        return self.from_celsius + (self.to_celsius - self.from_celsius) * share

    @property
    def end_second(self) -> float:
        """When the ramp is over and the end is held."""
        return self.start_second + self.duration_second


class Controller:
    """The machine's state; boots in STANDBY with the set point at 25 degC.

    ``low`` and ``high`` are the machine's range in degC; the alarm limits start there.
    """

    def __init__(
        self, name: str, air: ChamberAir, *, seed: int, low: float, high: float, rom: str
    ) -> None:
        self.mode = Mode.STANDBY
        self.alarms: list[int] = []
        self.refusals: list[str] = []  # reasons that the next sets are refused with, in order
        self._name = name
        self._air = air
        self._gauss = random.Random(seed).gauss
        self._low, self._high = low, high
        self._set_point, self._high_alarm, self._low_alarm = 25.0, high, low
        self._rom = rom
        self._refrigeration = 9
        self._relays: set[int] = set()
        self._keys_protected = False
        self._program: OneStep | None = None
        self._program_second = 0.0
        self._now = 0.0

    def reply(self, command: str, now_second: float) -> str:
        """Do what ``command`` says and return the reply: data, ``OK:`` or ``NA:``."""
        self.advance(now_second)
        try:
            if "?" in command:
                return self._answer(command)
            self._obey(command)
        except Refusal as refusal:
            return f"NA:{refusal}"
        return f"OK:{command}"

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Raise ``alarm`` of code ``value``, which stops conditioning; BadInput for other kinds."""
        if kind != "alarm" or value is None:
            raise BadInput(Problem(self._name, f"a P300 has no fault {kind!r} of code {value}"))
        self.advance(now_second)
        self.alarms.append(value)
        self._enter(Mode.STANDBY)

    def reset_alarms(self) -> None:
        """Somebody presses the key at the panel: the only way to clear an alarm."""
        self.alarms.clear()

    def advance(self, now_second: float) -> None:
        """Move a running program's set point up to ``now_second``."""
        program = self._program
        self._now = max(self._now, now_second)
        if program is None or self.mode is not Mode.REMOTE_RUN:
            return
        while self._program_second < min(self._now, program.end_second):
            self._program_second = min(
                self._program_second + _PROGRAM_STEP_SECOND, self._now, program.end_second
            )
            self._air.set_point(program.celsius(self._program_second), self._program_second)
        if self._now >= program.end_second:
            self.mode = Mode.REMOTE_HOLD

    def _enter(self, mode: Mode) -> None:
        self.mode = mode
        if mode not in _RUNNING_PROGRAM:
            self._program = None
        self._air.set_point(self._set_point if mode is Mode.CONSTANT else None, self._now)

    def _answer(self, query: str) -> str:
        answer = _QUERIES.get(query)  # as the tables spell it, which is how hosts poll
        if answer is None:
            answer = self._find_answer(re.sub(r"\s*,\s*", ",", query.strip().upper()))
        return answer(self)

    @staticmethod
    def _find_answer(key: str) -> Callable[[Controller], str]:
        if key.startswith(("PRGM USE?,RAM:", "PRGM DATA?")):
            raise Refusal("DATA NOT READY")  # no stored programs
        if key not in _QUERIES:
            raise Refusal("CONT NOT READY-3" if key in _UNSUPPORTED_QUERIES else "CMD ERR")
        return _QUERIES[key]

    def _obey(self, command: str) -> None:
        word, separator, rest = command.partition(",")
        set_to = _SETS.get(word.strip().upper())
        if set_to is None or not separator:
            raise Refusal("CMD ERR")
        if self.refusals:
            raise Refusal(self.refusals.pop(0))
        if self._keys_protected and set_to is not _SETS["KEYPROTECT"]:
            raise Refusal("PROTECT ON")
        set_to(self, rest)

    # -- sets ------------------------------------------------------------------------------------

    def _set_temperature(self, text: str) -> None:
        """Set point and alarm limits, any of them, all or none."""
        if not _TEMPERATURE.fullmatch(text.upper()):
            raise Refusal("PARA ERR")
        wanted = {"S": self._set_point, "H": self._high_alarm, "L": self._low_alarm}
        wanted |= {
            letter: float(value) for letter, value in _TEMPERATURE_ITEM.findall(text.upper())
        }
        if not self._low <= wanted["L"] <= wanted["S"] <= wanted["H"] <= self._high:
            raise Refusal("DATA OUT OF RANGE")
        self._set_point, self._high_alarm, self._low_alarm = wanted["S"], wanted["H"], wanted["L"]
        if self.mode is Mode.CONSTANT:
            self._air.set_point(self._set_point, self._now)

    def _set_power(self, text: str) -> None:
        words = {"ON": Mode.CONSTANT, "OFF": Mode.OFF}
        self._start(self._one_of(text, words))

    def _set_mode(self, text: str) -> None:
        if re.fullmatch(r"\s*RUN\s*\d+\s*", text.upper()):
            raise Refusal("DATA NOT READY")  # no stored programs
        self._start(
            self._one_of(
                text, {mode.value: mode for mode in (Mode.OFF, Mode.STANDBY, Mode.CONSTANT)}
            )
        )

    def _start(self, mode: Mode) -> None:
        if self.alarms and mode is Mode.CONSTANT:
            raise Refusal("CHB NOT READY")
        self._enter(mode)

    def _set_refrigeration(self, text: str) -> None:
        self._refrigeration = self._one_of(
            text, {f"REF{level}": level for level in (0, 1, 3, 6, 9)}
        )

    def _set_relays(self, text: str) -> None:
        switch, *numbers = (part.strip() for part in text.upper().split(","))
        if switch not in ("ON", "OFF") or not numbers or not all(n.isdecimal() for n in numbers):
            raise Refusal("PARA ERR")
        relays = {int(number) for number in numbers}
        self._relays = self._relays | relays if switch == "ON" else self._relays - relays

    def _set_key_protection(self, text: str) -> None:
        protect = self._one_of(text, {"ON": True, "OFF": False})
        if protect and self.mode is Mode.OFF:
            raise Refusal("CONT NOT READY-4")
        self._keys_protected = protect

    def _set_humidity(self, _text: str) -> None:
        raise Refusal("CONT NOT READY-1")  # a dry chamber

    def _run_one_step(self, text: str) -> None:
        match = _ONE_STEP.fullmatch(text.upper())
        if match is None:
            raise Refusal("PARA ERR")
        start, hours, minutes, end = match.groups()
        if int(minutes) > 59:
            raise Refusal("PARA ERR")
        for celsius in (float(start), float(end)):
            if not self._low_alarm <= celsius <= self._high_alarm:
                raise Refusal("DATA OUT OF RANGE")
        if self.alarms:
            raise Refusal("CHB NOT READY")
        duration = int(hours) * 3600.0 + int(minutes) * 60.0
        self._program = OneStep(text.strip(), float(start), float(end), duration, self._now)
        self._program_second = self._now
        self.mode = Mode.REMOTE_RUN
        self._air.set_point(float(start), self._now)

    def _control_program(self, text: str) -> None:
        """``PRGM,END,HOLD|CONST|OFF|STANDBY`` ends the remote program; no others are stored."""
        action, _, end = (part.strip() for part in text.upper().partition(","))
        if action == "RUN":
            raise Refusal("DATA NOT READY")
        if self._program is None:
            raise Refusal("CONT NOT READY-2")
        if action != "END":
            raise Refusal("CONT NOT READY-3")
        ends = {
            "HOLD": Mode.REMOTE_HOLD,
            "CONST": Mode.CONSTANT,
            "OFF": Mode.OFF,
            "STANDBY": Mode.STANDBY,
        }
        mode = self._one_of(end, ends)
        if mode is Mode.REMOTE_HOLD:
            self.mode = mode
        else:
            self._enter(mode)

    @staticmethod
    def _one_of(text: str, choices: dict[str, Choice]) -> Choice:
        try:
            return choices[text.strip().upper()]
        except KeyError:
            raise Refusal("PARA ERR") from None

    # -- queries ---------------------------------------------------------------------------------

    def _measured_celsius(self) -> float:
        return self._air.air_temperature_celsius(self._now) + self._gauss(0.0, _NOISE_KELVIN)

    def _is_running(self) -> bool:
        return self.mode not in (Mode.OFF, Mode.STANDBY)

    def _present_set_point(self) -> float:
        if self._program is not None:
            return self._program.celsius(self._program_second)
        return self._set_point

    def _tell_mode(self) -> str:
        return "RUN" if self.mode in _RUNNING_PROGRAM else self.mode.value

    def _tell_temperature(self) -> str:
        air, set_point = self._measured_celsius(), self._present_set_point()
        return f"{air:.1f},{set_point:.1f},{self._high_alarm:.1f},{self._low_alarm:.1f}"

    def _tell_monitor(self, mode: str) -> str:
        return f"{self._measured_celsius():.1f},{mode},{len(self.alarms)}"

    def _tell_alarms(self) -> str:
        return ",".join(str(number) for number in (len(self.alarms), *self.alarms))

    def _tell_relays(self) -> str:
        return ",".join(str(number) for number in (len(self._relays), *sorted(self._relays)))

    def _tell_heaters(self) -> str:
        lacking = self._present_set_point() - self._measured_celsius()
        percent = min(max(20.0 * lacking, 0.0), 100.0) if self._is_running() else 0.0
        return f"2,{percent:.1f},0.0"

    def _tell_program(self) -> str:
        if self._program is None:
            raise Refusal("CONT NOT READY-2")
        left_second = max(self._program.end_second - self._now, 0.0)
        hours, minutes = divmod(round(left_second / 60.0), 60)
        return f"1,{self._present_set_point():.1f},{hours}:{minutes:02d},0,0"

    def _tell_program_text(self) -> str:
        if self._program is None:
            raise Refusal("CONT NOT READY-2")
        return self._program.text

    def _tell_date(self) -> str:
        return f"{_FIRST_DATE + timedelta(seconds=self._now):%y.%m/%d}"

    def _tell_time(self) -> str:
        return f"{_FIRST_DATE + timedelta(seconds=self._now):%H:%M:%S}"

    def _refuse_without_option(self) -> str:
        raise Refusal("CONT NOT READY-1")  # no humidity, no product temperature control

    def _refuse_without_program(self) -> str:
        raise Refusal("CONT NOT READY-2")


_QUERIES: dict[str, Callable[[Controller], str]] = {
    "ROM?": lambda controller: controller._rom,
    "ROM?,DISP": lambda controller: controller._rom,
    "TYPE?": lambda controller: f"T,P3,{controller._high:.1f}",
    "DATE?": Controller._tell_date,
    "TIME?": Controller._tell_time,
    "ALARM?": Controller._tell_alarms,
    "KEYPROTECT?": lambda controller: "ON" if controller._keys_protected else "OFF",
    "MODE?": Controller._tell_mode,
    "MODE?,DETAIL": lambda controller: controller.mode.value,
    "MON?": lambda controller: controller._tell_monitor(controller._tell_mode()),
    "MON?,DETAIL": lambda controller: controller._tell_monitor(controller.mode.value),
    "TEMP?": Controller._tell_temperature,
    "HUMI?": Controller._refuse_without_option,
    "SET?": lambda controller: f"REF{controller._refrigeration}",
    "REF?": lambda controller: (
        "1,ON1" if controller._is_running() and controller._refrigeration else "0"
    ),
    "RELAY?": Controller._tell_relays,
    "%?": Controller._tell_heaters,
    "PRGM MON?": Controller._tell_program,
    "PRGM SET?": Controller._refuse_without_program,
    "PRGM USE?,RAM": lambda _controller: "0",
    "RUN PRGM?": Controller._tell_program_text,
    "RUN PRGM MON?": Controller._tell_program,
    "TEMP PTC?": Controller._refuse_without_option,
    "MON PTC?": Controller._refuse_without_option,
    "SET PTC?": Controller._refuse_without_option,
    "PTC?": Controller._refuse_without_option,
}

# Real queries whose reply the sheet does not describe well enough to be imitated.
_UNSUPPORTED_QUERIES = frozenset(
    {
        "SRQ?", "MASK?", "IPSET?", "TIMER ON?", "TIMER USE?", "SYSTEM SET?,PTCOPT",
        "CONSTANT SET?,TEMP", "CONSTANT SET?,HUMI", "CONSTANT SET?,REF", "CONSTANT SET?,RELAY",
        "CONSTANT SET?,PTC",
    }
)  # fmt: skip

_SETS: dict[str, Callable[[Controller, str], None]] = {
    "TEMP": Controller._set_temperature,
    "POWER": Controller._set_power,
    "MODE": Controller._set_mode,
    "SET": Controller._set_refrigeration,
    "RELAY": Controller._set_relays,
    "KEYPROTECT": Controller._set_key_protection,
    "HUMI": Controller._set_humidity,
    "RUN PRGM": Controller._run_one_step,
    "PRGM": Controller._control_program,
}
