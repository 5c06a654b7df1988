"""The flat program that a checked protocol compiles to, and that the engine folds over.

Plain frozen data in base units, nothing of YAML in it. ``for_each`` is unrolled by the compiler;
``repeat`` and ``if`` are instructions, because their number of passes is only known while the
cell runs. Addresses are indices into ``Program.instructions``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from rig.core.instruments import Sweep

# --- expressions: conditions that refer to results and counters; never executed as code ----------


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A value known while running: ``cycle``, ``capacity_retention``, ``last.discharge.capacity``..."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """``operator`` is one of + - * / % < <= > >= == != and or not neg; comparisons give 1.0 or 0.0."""

    operator: str
    operands: tuple[Expression, ...]


Expression = Number | Name | Operation

# The names that an expression may use, with their units (shown by error messages and the schema).
NAMES: dict[str, str] = {
    "cycle": "1, counts from 1 in the loop that counts cycles",
    "pass": "1, counts from 1 in the innermost repeat",
    "capacity_retention": "fraction of the first cycle after formation",
    "last.charge.capacity": "Ah, of the last finished charge",
    "last.discharge.capacity": "Ah, of the last finished discharge",
    "last.coulombic_efficiency": "fraction, last discharge over last charge",
    "test_time": "s since the start of the run",
}

# --- steps ---------------------------------------------------------------------------------------


class StepKind(Enum):
    REST = "rest"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    HOLD = "hold"
    CCCV = "cccv"
    EIS = "eis"
    RESISTANCE = "resistance"
    SET_TEMPERATURE = "set_temperature"


class Target(Enum):
    """What happens when an end is reached."""

    NEXT = "next"
    BREAK = "break"  # leave the innermost repeat
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class End:
    """A step ends when ``quantity operator value``; ``words`` is the protocol's own text.

    ``quantity`` is one of ``QUANTITIES`` or the name of an auxiliary. ``current`` compares the
    magnitude; ``temperature`` is the cell's own where the channel reads one, else the chamber's.
    """

    quantity: str
    operator: str  # ">=" or "<="
    value: float
    target: Target = Target.NEXT
    words: str = ""


# The quantities an end may watch, with their units.
QUANTITIES: dict[str, str] = {
    "voltage": "V",
    "current": "A, magnitude",
    "power": "W, magnitude",
    "time": "s since the step began",
    "capacity": "Ah, magnitude, since the step began",
    "energy": "Wh, magnitude, since the step began",
    "temperature": "degC",
    "pressure": "Pa, on the cell",
}


@dataclass(frozen=True, slots=True)
class RecordPhase:
    """Keep a sample every ``every_second``, and whenever a delta is exceeded; the last phase has no end.

    ``for_second`` counts from the beginning of the step. The first and last point of a step are
    always kept.
    """

    every_second: float
    for_second: float | None = None
    voltage_delta_volt: float | None = None
    current_delta_fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Galvanostat:
    """Drive a signed current; charge until the voltage end, hold it there if ``hold``.

    ``voltage_limit_volt`` is what the instrument is armed with: the voltage end of the step, or
    the safety limit where the step has none.
    """

    current_ampere: float
    voltage_limit_volt: float
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Potentiostat:
    """Hold a voltage; ``limit_of_safety``: the step gives no current limit, so safety's is its own."""

    voltage_volt: float
    current_limit_ampere: float
    limit_of_safety: bool = field(default=False, compare=False)


Drive = Galvanostat | Potentiostat | None  # None: open circuit


@dataclass(frozen=True, slots=True)
class Stability:
    """Successive |Z| at ``frequency_hertz``, every ``every_second``, within ``fraction`` of each other."""

    fraction: float
    frequency_hertz: float
    every_second: float
    amplitude_volt: float


@dataclass(frozen=True, slots=True)
class TemperatureTarget:
    """Chamber in ``within_kelvin`` for ``soak_second`` without a break, then stable if asked.

    Not reached within ``timeout_second``: the run goes safe and says why.
    """

    celsius: float
    within_kelvin: float
    soak_second: float
    timeout_second: float
    stability: Stability | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One primitive step. ``drive`` for rest..cccv, ``sweep`` for eis, ``temperature`` for set_temperature."""

    kind: StepKind
    words: str  # shown to people: "charge at 1 mA until 4.2 V"
    ends: tuple[End, ...] = ()
    record: tuple[RecordPhase, ...] = (RecordPhase(10.0),)
    drive: Drive = None
    sweep: Sweep | None = None
    repeat: Sweep | None = None  # the part of the sweep that is measured again at its end
    repeat_if_invalid: int = 0  # how often a spectrum that is objected to is begun again, at most
    temperature: TemperatureTarget | None = None
    phase: str = ""
    tag: str = ""
    name: str = ""  # `as:`: later steps and conditions refer to its results by this name
    restart_on_resume: bool = (
        False  # True: begin again after an outage; False: continue what remains
    )
    line: int = 0


@dataclass(frozen=True, slots=True)
class LoopStart:
    """Begin a repeat; ``end`` is the address of its LoopEnd. ``count`` None: until only."""

    end: int
    count: int | None
    counts_cycles: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class LoopEnd:
    """Go back to ``start`` + 1 unless the count is reached or ``until`` is true."""

    start: int
    until: Expression | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """Go on with the next instruction when ``when`` is true, else jump to ``otherwise``.

    A name without a value yet (no cycle finished, a result with a failing flag) makes the
    condition false: what is missing never triggers anything.
    """

    when: Expression
    otherwise: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Jump:
    to: int


Instruction = Step | LoopStart | LoopEnd | Branch | Jump


@dataclass(frozen=True, slots=True)
class AuxiliaryLimit:
    """Bounds of a named auxiliary, in the base unit of its ``dimension``; None where there is none."""

    name: str
    dimension: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Safety:
    """Hard limits: beyond any of them the run trips. None: not limited by this source.

    ``check_every_second`` is the longest time between two looks at the cell.
    """

    voltage_min_volt: float | None = None
    voltage_max_volt: float | None = None
    current_max_ampere: float | None = None
    temperature_min_celsius: float | None = None
    temperature_max_celsius: float | None = None
    capacity_max_ah: float | None = None
    check_every_second: float = 1.0
    heating_max_kelvin_per_minute: float | None = None  # while the chamber holds its set point
    lasting_second: float = 0.0  # how long a limit has to be broken
    pressure_min_pascal: float | None = None
    pressure_max_pascal: float | None = None
    auxiliaries: tuple[AuxiliaryLimit, ...] = ()

    def intersect(self, other: Safety) -> Safety:
        """Return the tighter of both in every limit; never looser than either."""
        return Safety(
            _tighter(max, self.voltage_min_volt, other.voltage_min_volt),
            _tighter(min, self.voltage_max_volt, other.voltage_max_volt),
            _tighter(min, self.current_max_ampere, other.current_max_ampere),
            _tighter(max, self.temperature_min_celsius, other.temperature_min_celsius),
            _tighter(min, self.temperature_max_celsius, other.temperature_max_celsius),
            _tighter(min, self.capacity_max_ah, other.capacity_max_ah),
            min(self.check_every_second, other.check_every_second),
            _tighter(min, self.heating_max_kelvin_per_minute, other.heating_max_kelvin_per_minute),
            min(self.lasting_second, other.lasting_second),
            _tighter(max, self.pressure_min_pascal, other.pressure_min_pascal),
            _tighter(min, self.pressure_max_pascal, other.pressure_max_pascal),
            _tighter_auxiliaries((*self.auxiliaries, *other.auxiliaries)),
        )

    @property
    def limits_temperature(self) -> bool:
        """Say whether a temperature can trip the run."""
        bounds = self.temperature_min_celsius, self.temperature_max_celsius
        return bounds != (None, None) or self.heating_max_kelvin_per_minute is not None

    @property
    def limits_pressure(self) -> bool:
        """Say whether a pressure can trip the run."""
        return (self.pressure_min_pascal, self.pressure_max_pascal) != (None, None)


# Limits nothing and hurries nobody: what a source without a word of its own adds.
UNLIMITED = Safety(check_every_second=math.inf, lasting_second=math.inf)


def _tighter(
    choose: Callable[[Iterable[float]], float], one: float | None, two: float | None
) -> float | None:
    present = [value for value in (one, two) if value is not None]
    return choose(present) if present else None


def _tighter_auxiliaries(limits: tuple[AuxiliaryLimit, ...]) -> tuple[AuxiliaryLimit, ...]:
    """Return one limit for each auxiliary; one that was given in two dimensions stays two."""
    merged: dict[tuple[str, str], AuxiliaryLimit] = {}
    for limit in limits:
        key = limit.name, limit.dimension
        before = merged.get(key, limit)
        low, high = _tighter(max, before.low, limit.low), _tighter(min, before.high, limit.high)
        merged[key] = AuxiliaryLimit(*key, low, high)
    return tuple(merged.values())


@dataclass(frozen=True, slots=True)
class SuspendCondition:
    """A run waits while ``quantity operator beyond``, until it has been back at ``resume``.

    ``quantity`` is ``pressure`` or the name of an auxiliary; values in the base unit of
    ``dimension``. ``words`` is the protocol's own text of the threshold.
    """

    quantity: str
    dimension: str
    operator: str  # ">=" or "<="
    beyond: float
    resume: float
    settle_second: float = 600.0
    timeout_second: float = 21_600.0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Suspend:
    """When a run waits, for its temperature or another condition; see rig/engine/suspend.py."""

    beyond_kelvin: float = 2.0
    resume_kelvin: float = 1.0
    settle_second: float = 600.0
    timeout_second: float = 21_600.0  # then it is paused: a person has to look
    conditions: tuple[SuspendCondition, ...] = ()


class OnGap(Enum):
    """What a run that nobody drove for a while does by itself, when its engine is there again."""

    CONTINUE = "continue"  # each step as its own on_resume says
    RESTART_STEP = "restart_step"
    PAUSE = "pause"  # the cell stays disconnected; a person decides
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class CellFacts:
    """What is known of the cell; None where nobody said. Areas in cm^2, thickness in cm, Ah, g.

    ``limits`` are what its record allows, whatever a protocol says.
    """

    area_square_centimetre: float | None = None
    thickness_centimetre: float | None = None
    capacity_ah: float | None = None
    mass_gram: float | None = None
    symmetric: bool | None = None
    limits: Safety | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A whole protocol, ready to run."""

    name: str
    instructions: tuple[Instruction, ...]
    safety: Safety
    cell: CellFacts = CellFacts()
    text: str = ""  # the file as written, kept with the run
    sha256: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    on_gap: OnGap = OnGap.CONTINUE
    soft: Safety | None = (
        None  # a voltage or capacity beyond it ends the step, anything else pauses
    )
    suspend: Suspend | None = None
    auxiliaries: dict[str, str] = field(default_factory=dict)  # name -> dimension, as declared
