"""Ideal cell, chamber and keeper, for tests of the engine alone: no bytes, no physics, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rig.core.alarms import Alarm
from rig.core.clock import SimulatedClock
from rig.core.errors import LinkClosed, LinkTimeout
from rig.core.instruments import (
    CellReading,
    ChamberReading,
    ConstantCurrent,
    ConstantVoltage,
    Identity,
    ImpedancePoint,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
    Sweep,
    SweepProgress,
)
from rig.core.records import RunState
from rig.engine.chamber import SharedChamber
from rig.engine.channel import Channel
from rig.engine.cursor import Cursor
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule
from rig.protocol.program import (
    End,
    Galvanostat,
    LoopEnd,
    LoopStart,
    Program,
    RecordPhase,
    Safety,
    Step,
    StepKind,
    TemperatureTarget,
)


@dataclass
class IdealChannel:
    """A capacitor of ``capacity_ah`` per volt above 3 V, with a resistance, driven ideally."""

    clock: SimulatedClock
    capacity_ah: float = 1.0
    resistance_ohm: float = 0.1
    charge_ah: float = 0.5
    setpoint: Setpoint | None = None
    connected: bool = False
    current_ampere: float = 0.0
    calls: list[str] = field(default_factory=list)
    fail_at: int = -1
    fail_for: int = 1
    limits: Limits | None = None
    points: list[ImpedancePoint] = field(default_factory=list)
    overload: bool = False
    stalled: bool = False
    _second: float = 0.0

    def identify(self) -> Identity:
        return Identity("ideal", "channel", "1", "1")

    def _count(self, call: str) -> None:
        self.calls.append(call)
        number = len(self.calls) - 1
        if self.fail_at >= 0 and self.fail_at <= number < self.fail_at + self.fail_for:
            error = LinkTimeout if number % 2 else LinkClosed
            raise error(f"operation {number} ({call}) failed on purpose")

    def _advance(self) -> None:
        now = self.clock.now()
        if now > self._second:
            self.charge_ah += self.current_ampere * (now - self._second) / 3600
            self._second = now

    def _solve(self) -> tuple[float, float, Regulation]:
        ocv = 3.0 + self.charge_ah / self.capacity_ah
        match self.setpoint:
            case ConstantCurrent(ampere, limit, _):
                volt = ocv + ampere * self.resistance_ohm
                if (ampere > 0 and volt >= limit) or (ampere < 0 and volt <= limit):
                    return limit, (limit - ocv) / self.resistance_ohm, Regulation.VOLTAGE
                return volt, ampere, Regulation.CURRENT
            case ConstantVoltage(volt, limit):
                wanted = (volt - ocv) / self.resistance_ohm
                ampere = max(-limit, min(limit, wanted))
                regulation = Regulation.VOLTAGE if ampere == wanted else Regulation.CURRENT
                return ocv + ampere * self.resistance_ohm, ampere, regulation
        return ocv, 0.0, Regulation.OPEN

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        self._count("apply")
        self._advance()
        self.setpoint, self.limits = setpoint, limits
        self.connected = not isinstance(setpoint, OpenCircuit)
        self.current_ampere = self._solve()[1]

    def measure(self) -> CellReading:
        self._count("measure")
        self._advance()
        volt, ampere, regulation = self._solve()
        self.current_ampere = ampere
        if self.overload:
            return CellReading(float("nan"), float("nan"), regulation, 1)
        return CellReading(volt, ampere, regulation)

    def begin(self, sweep: Sweep, limits: Limits) -> None:
        self._count("begin")
        self._advance()
        self.current_ampere, self.limits, self.connected = 0.0, limits, True
        self.points = [
            ImpedancePoint(sweep.start_hertz / 2**n, 10.0, -1.0) for n in range(sweep.points)
        ]

    def poll(self) -> SweepProgress:
        self._count("poll")
        self._advance()
        if self.stalled:
            return SweepProgress((), done=False)
        now, self.points = self.points[:3], self.points[3:]
        self.connected = bool(self.points)
        return SweepProgress(tuple(now), not self.points)

    def make_safe(self) -> None:
        self._count("make_safe")
        self._advance()
        self.connected, self.current_ampere, self.setpoint = False, 0.0, None


@dataclass
class IdealChamber:
    """Goes to its set point at once; ``stuck`` stays at 20 degC."""

    celsius: float = 20.0
    stuck: bool = False
    alarms: tuple[int, ...] = ()
    commands: list[float] = field(default_factory=list)
    safe: bool = False

    def identify(self) -> Identity:
        return Identity("ideal", "chamber", "1", "1")

    def set_temperature(self, temperature_celsius: float) -> None:
        self.commands.append(temperature_celsius)
        if not self.stuck:
            self.celsius = temperature_celsius

    def read_temperature(self) -> ChamberReading:
        return ChamberReading(self.celsius, self.celsius, True, self.alarms)

    def make_safe(self) -> None:
        self.safe = True


@dataclass
class ListKeeper:
    """Fulfils Keeper with lists."""

    samples: list[tuple[object, ...]] = field(default_factory=list)
    rows: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    states: list[tuple[str, str]] = field(default_factory=list)
    cursors: dict[str, Callable[[], str]] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    protocols: list[dict[str, object]] = field(default_factory=list)
    answers: dict[int, tuple[str, str]] = field(default_factory=dict)

    def sample(self, row: tuple[object, ...]) -> None:
        self.samples.append(row)

    def row(self, table: str, values: dict[str, object]) -> None:
        self.rows.append((table, values))

    def cursor(self, run_id: str, text: Callable[[], str]) -> None:
        self.cursors[run_id] = text

    def state(self, run_id: str, state: RunState, wall_us: int, reason: str) -> None:
        self.states.append((state.value, reason))

    def protocol(self, run_id: str, values: Mapping[str, object]) -> None:
        self.protocols.append(dict(values))

    def alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)

    def answer(self, order_id: int, outcome: str, words: str, wall_us: int) -> None:
        assert order_id not in self.answers, "an order is answered once"
        self.answers[order_id] = outcome, words

    def commit(self) -> None:
        pass

    def events(self, kind: str) -> list[str]:
        return [str(v["message"]) for t, v in self.rows if t == "event" and v["kind"] == kind]


def looped_program(cycles: int = 2, check_every_second: float = 10.0) -> Program:
    """CC-CV, rest, discharge in a counting loop after a soak; then one spectrum."""
    charge = Step(
        StepKind.CCCV,
        "charge to 4.2 V",
        ends=(End("current", "<=", 0.05, words="current <= 50 mA"),),
        drive=Galvanostat(0.5, 4.2, hold=True),
        record=(RecordPhase(60.0),),
        phase="ageing",
    )
    rest = Step(StepKind.REST, "rest", ends=(End("time", ">=", 600.0, words="10 min"),))
    discharge = Step(
        StepKind.DISCHARGE,
        "discharge to 3 V",
        ends=(End("voltage", "<=", 3.0, words="voltage <= 3 V"),),
        drive=Galvanostat(-0.5, 3.0),
        record=(RecordPhase(60.0),),
    )
    soak = Step(
        StepKind.SET_TEMPERATURE,
        "set 25 degC",
        temperature=TemperatureTarget(25.0, 0.3, 600.0, 3600.0),
    )
    eis = Step(StepKind.EIS, "EIS", sweep=Sweep(1e5, 1.0, 20, amplitude_volt=0.01))
    body = (
        soak,
        LoopStart(5, cycles, counts_cycles=True),
        charge,
        rest,
        discharge,
        LoopEnd(1),
        eis,
    )
    safety = Safety(2.5, 4.3, 1.0, -30.0, 80.0, 2.0, check_every_second)
    return Program("looped", body, safety)


def run_on_ideal(
    program: Program, *, cursor: Cursor | None = None, state: RunState = RunState.QUEUED
) -> tuple[Run, IdealChannel, ListKeeper, SimulatedSchedule, SharedChamber]:
    """A run on an ideal channel and chamber, not yet begun."""
    clock = SimulatedClock()
    channel, keeper = IdealChannel(clock), ListKeeper()
    chamber = SharedChamber("oven", IdealChamber(), "oven", clock, lambda _port: None)
    on = Channel("A1", channel, "a", channel, "a", chamber)
    run = Run("r1", program, on, keeper, clock, state, cursor)
    return run, channel, keeper, SimulatedSchedule(clock), chamber
