"""How long a program will take, before it runs: an estimate with rules that can be read here.

- a step with a time end takes at most that; a charge or discharge also at most the time to pass
  its capacity end or the rated capacity at its current; the CV part of cccv and a hold without a
  time end count half an hour;
- a spectrum takes three periods and 0.2 s per point, the repeated ones too; it is valid at once,
  or, for the longest time, as often again as the step allows;
- a temperature change takes 1 K/min, then the soak, then two intervals of the stability check, at
  most the timeout;
- ``repeat`` takes its count; without a count, once: then the estimate is a lower bound;
- ``if`` is decided by ``cycle``, ``pass`` and ``test_time``; what only the cell can tell is false.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rig.core.instruments import Sweep
from rig.protocol.expressions import is_true
from rig.protocol.program import (
    Branch,
    CellFacts,
    Galvanostat,
    Instruction,
    Jump,
    LoopStart,
    Program,
    Step,
    TemperatureTarget,
)

_CV_SECOND = 1800.0
_ROOM_CELSIUS = 25.0
_PERIODS_PER_POINT = 3.0
_POINT_SECOND = 0.2
_KELVIN_PER_SECOND = 1.0 / 60.0
# Passes of all loops that are walked one by one; further ones count as the average of these.
_WALKED_PASSES = 5000


def estimate_duration_second(
    program: Program, cell: CellFacts | None = None, *, all_invalid: bool = False
) -> float:
    """Return the seconds that the program will probably take; see the rules above.

    ``all_invalid``: with every spectrum repeated as often as its step allows.
    """
    walk = _Walk(program.instructions, cell or program.cell, all_invalid)
    walk.block(0, len(program.instructions))
    return walk.elapsed_second


@dataclass(slots=True)
class _Walk:
    instructions: tuple[Instruction, ...]
    cell: CellFacts
    all_invalid: bool = False
    elapsed_second: float = 0.0
    celsius: float = _ROOM_CELSIUS
    passes_left: int = _WALKED_PASSES
    counters: dict[str, float] = field(default_factory=lambda: {"cycle": 0.0, "pass": 0.0})

    def block(self, address: int, end: int) -> None:
        """Walk the instructions from ``address`` up to, not including, ``end``."""
        while address < end:
            item = self.instructions[address]
            match item:
                case Step():
                    self._step(item)
                case LoopStart():
                    self._loop(address, item)
                    address = item.end
                case Branch():
                    now = {**self.counters, "test_time": self.elapsed_second}
                    if not is_true(item.when, now):
                        address = item.otherwise - 1
                case Jump():
                    address = item.to - 1
            address += 1

    def _loop(self, address: int, loop: LoopStart) -> None:
        outer_pass = self.counters["pass"]
        count = loop.count or 1
        walked = 0
        began = self.elapsed_second
        while walked < count and (walked == 0 or self.passes_left > 0):
            walked += 1
            self.passes_left -= 1
            self.counters["pass"] = float(walked)
            self.counters["cycle"] += loop.counts_cycles
            self.block(address + 1, loop.end)
        self.elapsed_second += (self.elapsed_second - began) / walked * (count - walked)
        self.counters["cycle"] += (count - walked) * loop.counts_cycles
        self.counters["pass"] = outer_pass

    def _step(self, step: Step) -> None:
        if step.temperature is not None:
            self.elapsed_second += _soak_second(step.temperature, self.celsius)
            self.celsius = step.temperature.celsius
        elif step.sweep is not None:
            second = sweep_second(step.sweep) + (sweep_second(step.repeat) if step.repeat else 0.0)
            self.elapsed_second += second * (1 + self.all_invalid * step.repeat_if_invalid)
        else:
            self.elapsed_second += _drive_second(step, self.cell)


def sweep_second(sweep: Sweep) -> float:
    """Return the time of one spectrum, three periods and 0.2 s per point."""
    ratio = math.log(sweep.stop_hertz / sweep.start_hertz) / max(1, sweep.points - 1)
    frequencies = (sweep.start_hertz * math.exp(ratio * index) for index in range(sweep.points))
    return sum(_PERIODS_PER_POINT / frequency + _POINT_SECOND for frequency in frequencies)


def _soak_second(target: TemperatureTarget, from_celsius: float) -> float:
    second = abs(target.celsius - from_celsius) / _KELVIN_PER_SECOND + target.soak_second
    if target.stability is not None:
        second += 2 * target.stability.every_second
    return min(second, target.timeout_second)


def _drive_second(step: Step, cell: CellFacts) -> float:
    candidates = [end.value for end in step.ends if end.quantity == "time"]
    match step.drive:
        case Galvanostat(current, _, hold) if current:
            charges = [end.value for end in step.ends if end.quantity == "capacity"]
            charges += [cell.capacity_ah] if cell.capacity_ah is not None else []
            tail = _CV_SECOND if hold else 0.0
            candidates += [charge / abs(current) * 3600.0 + tail for charge in charges]
        case None:
            pass
        case _:
            candidates.append(_CV_SECOND)
    return min(candidates, default=0.0)
