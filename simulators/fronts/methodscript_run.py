"""A running script: a counter over a flat program, moved to the times that are handed in.

Knows the language and the potentiostat, no bytes and no host. Every command is a bound function;
one that waits moves ``time`` on, one that jumps moves the counter. Commands themselves take no
time, so that points lie on their grid; only ``endloop`` does, because a loop that never waits
would never let simulated time pass.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulators.fronts.methodscript_arithmetic import ARITHMETIC
from simulators.fronts.methodscript_commands import MEASUREMENT_LOOPS, Kind
from simulators.fronts.methodscript_device import PgStat
from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_language import Argument, Literal, Name, Program, Text
from simulators.fronts.methodscript_output import ScriptOutput
from simulators.fronts.methodscript_packages import Variable
from simulators.fronts.methodscript_settings import SETTINGS
from simulators.fronts.methodscript_techniques import TECHNIQUES, Points

_ENDLOOP_SECOND = 1e-4
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the firmware settles what the sheet leaves open; a driver must live with all of it.

    ``current_type_in_cp``: ``db`` reports the applied current (as in the sheet's transcript),
    ``ba`` the measured one. ``joined_acknowledge``: ``eM0007`` instead of ``e`` on its own line.
    ``empty_line_after_error``: an empty line follows a runtime error.
    """

    current_type_in_cp: str = "db"
    joined_acknowledge: bool = False
    empty_line_after_error: bool = False


@dataclass(slots=True)
class _Loop:
    """A loop that has been entered; ``points`` is None for a plain one."""

    end: str
    exit_at: int
    points: Points | None = None
    measure: Step | None = None
    finishes_point: bool = False


class Run:
    """One execution of a program, started at ``now_second``, with ``devices`` by channel number.

    Chosen where the sheet is silent: a script begins at channel 0, whatever the one before
    selected, and a measurement loop keeps its channel (400C); mode, ranges and relay are each
    channel's own.
    ``send`` takes a line without its line feed. ``packages_left`` counts down to a critical
    overload (a fault switch); None: never.
    """

    def __init__(
        self,
        program: Program,
        devices: Sequence[PgStat],
        send: Callable[[str], None],
        now_second: float,
        *,
        dialect: Dialect,
        packages_left: int | None = None,
    ) -> None:
        self.device = devices[0]
        self.time = now_second
        self.late = False
        self.in_scan = False
        self.current_type_in_cp = dialect.current_type_in_cp
        self.finished = False
        self.failed = False
        self._empty_line_after_error = dialect.empty_line_after_error
        self._devices = devices
        self._send = send
        self._output = ScriptOutput(send, packages_left)
        self._output_commands = self._output.commands()
        self._held = 0.0
        self._hold_began: float | None = None
        self._loops: list[_Loop] = []
        self._timer_began = now_second
        self._tick_second = 0.0
        self._next_tick = 0.0
        self._variables = {name: Variable() for name in program.variables}
        self._arrays = {name: [0.0] * length for name, length in program.arrays.items()}
        self._lines = [command.line for command in program.commands]
        self._at = 0
        self._finished_at = program.finished_at
        self._steps = self._bind(program)

    # What the front does with a run

    @property
    def next_second(self) -> float | None:
        """When the next command is due; None when held or finished."""
        if self.finished or self._hold_began is not None:
            return None
        return self.time + self._held

    def advance(self, now_second: float) -> None:
        """Run every command that is due up to and at ``now_second``."""
        if self._hold_began is not None:
            return
        steps = self._steps
        try:
            # Exactly the sum that next_second returns, or the two could differ in the last bit
            # and a host that jumps there would find nothing done.
            while not self.finished and self.time + self._held <= now_second:
                step = steps[self._at]
                self._at += 1
                step()
        except ScriptError as error:
            self._fail(error.code)

    def abort(self, now_second: float, delay_second: float = 0.0) -> None:
        """End all loops, then run what stands after ``on_finished:``."""
        self.resume(now_second)
        # What stands after on_finished: is never cut short, nor is an abort that is under way.
        if self._at <= self._finished_at or self._at == self._unwind_at + 1:
            self._interrupt(self._unwind_at, now_second + delay_second)

    def break_measurement(self, now_second: float) -> bool:
        """End the present measurement loop only; False when there is none."""
        if all(loop.points is None for loop in self._loops):
            return False
        self.resume(now_second)
        self._interrupt(self._unwind_at + 1, now_second)
        return True

    def hold(self, now_second: float) -> bool:
        """Stop the script's time, cell as it is; False when it is held already."""
        if self._hold_began is not None:
            return False
        self._hold_began = now_second
        return True

    def resume(self, now_second: float) -> bool:
        """Let the script's time go on; False when it is not held."""
        if self._hold_began is None:
            return False
        self._held += now_second - self._hold_began
        self._hold_began = None
        return True

    # What techniques see (their Script interface)

    def now(self) -> float:
        return self.time + self._held

    def emit(self, line: str) -> None:
        self._output.emit(line)

    def select_channel(self, number: float) -> None:
        if any(loop.points is not None for loop in self._loops):
            raise ScriptError(Code.NOT_HERE)
        if number not in range(len(self._devices)):
            raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)
        self.device = self._devices[int(number)]

    # From commands to steps

    def _bind(self, program: Program) -> list[Step]:
        steps = [
            self._step(command.name, command.arguments, target)
            for command, target in zip(program.commands, program.targets, strict=True)
        ]
        self._unwind_at = len(steps) + 1
        return [*steps, self._finish, self._unwind, self._leave_measurement]

    def _step(self, name: str, arguments: tuple[Argument, ...], target: int) -> Step:
        operands: list[Any] = [self._operand(argument) for argument in arguments]
        if name in TECHNIQUES:
            return partial(self._begin_measurement, name, target, *operands)
        if name in ARITHMETIC:
            return partial(ARITHMETIC[name], *operands)
        if name in self._output_commands:
            return partial(self._output_commands[name], *operands)
        if name in SETTINGS:
            return partial(SETTINGS[name], self, *operands)
        return partial(_FLOW[name], self, *([target] if target >= 0 else []), *operands)

    def _operand(self, argument: Argument) -> object:
        match argument:
            case Literal(value):
                return Variable("aa", value)
            case Name(text):
                return self._arrays[text] if text in self._arrays else self._variables[text]
            case Text(parts):
                return [self._operand(p) if isinstance(p, Name) else p for p in parts]
            case _:
                return _COMPARISONS.get(argument, argument)

    # Ends

    def _finish(self) -> None:
        self.finished = True
        self._send("")

    def _fail(self, code: Code) -> None:
        # As the manual warns: on_finished is not run, the cell stays as it is.
        self.finished = self.failed = True
        self._send(f"!{code.value}: Line {self._lines[self._at - 1]}")
        if self._empty_line_after_error:
            self._send("")

    def _interrupt(self, at: int, now_second: float) -> None:
        """Go on at step ``at``: now, or when a point that must be finished is over."""
        now = now_second - self._held
        finishing = any(loop.finishes_point for loop in self._loops)
        self.time = max(now, self.time) if finishing else now
        self._at = at

    def _unwind(self) -> None:
        while self._loops:
            self._leave()
        self._output.drop_package()
        self._at = self._finished_at

    def _leave_measurement(self) -> None:
        while self._loops[-1].points is None:
            self._leave()
        self._leave()

    def _leave(self) -> None:
        loop = self._loops.pop()
        if loop.points is not None and self.in_scan:
            self.emit("-")
            self.in_scan = False
        self.emit(loop.end)
        self._at = loop.exit_at

    # Flow

    def _jump(self, target: int) -> None:
        self._at = target

    def _if(
        self, target: int, a: Variable, holds: Callable[[float, float], bool], b: Variable
    ) -> None:
        if not holds(a.value, b.value):
            self._at = target

    def _loop(self, target: int) -> None:
        self.emit("L")
        self._loops.append(_Loop("+", target))

    def _test(self, a: Variable, holds: Callable[[float, float], bool], b: Variable) -> None:
        if not holds(a.value, b.value):
            self._leave()

    def _endloop(self, target: int) -> None:
        self.time += _ENDLOOP_SECOND
        self._at = target

    def _breakloop(self) -> None:
        self._leave()

    def _abort(self) -> None:
        in_last_part = self._at > self._finished_at
        self._unwind()
        if in_last_part:
            self._at = self._unwind_at - 1

    def _wait(self, second: Variable) -> None:
        if second.value < 0:
            raise ScriptError(Code.INVALID_TIME)
        self.time += second.value

    def _set_int(self, second: Variable) -> None:
        if not second.value > 0:
            raise ScriptError(Code.INVALID_TIME)
        self._tick_second = second.value
        self._next_tick = self.time + second.value

    def _await_int(self) -> None:
        if not self._tick_second:
            raise ScriptError(Code.NOT_HERE)
        missed = math.ceil((self.time - self._next_tick) / self._tick_second)
        self._next_tick += max(0, missed) * self._tick_second
        self.time = self._next_tick
        self._next_tick += self._tick_second

    def _timer_start(self) -> None:
        self._timer_began = self.now()

    def _timer_get(self, t: Variable) -> None:
        t.put("eb", self.time + self._held - self._timer_began)

    # Measuring

    def _begin_measurement(self, name: str, exit_at: int, *operands: Variable) -> None:
        technique = TECHNIQUES[name]
        self.late = False
        count = MEASUREMENT_LOOPS[name].count(Kind.OUT)
        values = [operand.value for operand in operands[count:]]
        points = technique.points(self, operands[:count], values)
        self.emit(f"M{technique.code}")
        loop = _Loop("*", exit_at, points, finishes_point=technique.finishes_point)
        self._loops.append(loop)
        self._next_point(self._at)

    def _point(self) -> None:
        measure = self._loops[-1].measure
        assert measure is not None
        measure()

    def _next_point(self, target: int) -> None:
        loop = self._loops[-1]
        assert loop.points is not None
        point = next(loop.points, None)
        if point is None:
            self._leave()
        else:
            self.time, loop.measure = point
            self._at = target


_FLOW: dict[str, Callable[..., None]] = {
    "jump": Run._jump,
    "if": Run._if,
    "loop": Run._loop,
    "test": Run._test,
    "endloop": Run._endloop,
    "breakloop": Run._breakloop,
    "abort": Run._abort,
    "wait": Run._wait,
    "set_int": Run._set_int,
    "await_int": Run._await_int,
    "timer_start": Run._timer_start,
    "timer_get": Run._timer_get,
    "point": Run._point,
    "next_point": Run._next_point,
}
