"""A cell as instruments meet it: a circuit in series with a charge store, in a fixture with leads.

Advanced lazily, to the time of each call, with the exact exponential of every branch; a held
voltage is solved implicitly, so steps from milliseconds to an hour are stable. The one model class
behind pellets, full cells and dummies. Knows no bytes and no chemistry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add, mul
from typing import Any, Protocol

from simulators.interfaces import OPEN, ChamberAir, Drive, DriveMode, Terminals
from simulators.models.circuit import Circuit
from simulators.models.elements import Ladder
from simulators.models.fixture import NO_FIXTURE, Fixture
from simulators.models.storage import ChargeStore
from simulators.models.thermal import ThermalLag

# The longest step while a current flows.
LONGEST_DRIVEN_STEP_SECOND = 10.0
# Two temperatures or ages within one bucket share their parameters (0.01 K is 0.07 % of R).
BUCKETS_PER_KELVIN = 100
AGE_BUCKET_SECOND = 600.0
# A cell that drifts has shorter ones: a resistance moves by no more than this part in one.
LARGEST_DRIFT_IN_BUCKET = 5e-4
# Steps are told apart to 0.1 us: float noise in equal steps must not make them different.
STEPS_PER_SECOND = 1e7
LARGEST_CACHE = 500  # temperatures of a cell; and step lengths, at all of them together
NOT_BEGUN = math.inf  # the time of a cell that nobody has asked yet
VOLTAGE_TOLERANCE_VOLT = 1e-10
MOST_ITERATIONS = 50
# How far the charge of a step may carry the store past what was solved for, as part of what the
# resistance drops: from 1 on the current would turn round in the next step.
LARGEST_PART_BEYOND = 0.5

# Truths of a temperature dependence refer to these unless the caller measured at others.
DEFAULT_TEMPERATURES_CELSIUS = tuple(float(celsius) for celsius in range(-20, 71, 10))


class Recipe(Protocol):
    """What a cell is made of; frozen, so that two cells of one recipe are alike."""

    def circuit(self) -> Circuit: ...

    def store(self) -> ChargeStore:
        """Return a new store at its initial state."""
        ...

    def truth(self, temperatures_celsius: Sequence[float]) -> dict[str, float]: ...


class _Tuning:
    """The circuit at one temperature and age, with the branch factors of each step length."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self.steps: dict[int, tuple[list[float], list[float], float]] = {}

    def add_step(self, key: int) -> tuple[list[float], list[float], float]:
        """Return (decays, gains in ohm, resistance over the whole step in ohm) for a new length."""
        second = key / STEPS_PER_SECOND
        decays = [math.exp(-second / tau) for _, tau in self._ladder.branches]
        gains = [
            elastance * (second if math.isinf(tau) else -tau * math.expm1(-second / tau))
            for elastance, tau in self._ladder.branches
        ]
        self.steps[key] = decays, gains, self._ladder.series_ohm + sum(gains)
        return self.steps[key]


class CircuitCell:
    """Implements Cell. Time begins at the first call, so any clock will do.

    ``drift_per_hour`` is the part of its first value by which every resistance of the cell, and
    none of the fixture, rises in an hour from then on. From a bare fixture the cell is missing: it
    lies beside it, keeps its state and relaxes.
    """

    def __init__(
        self,
        recipe: Recipe,
        air: ChamberAir,
        thermal_lag_second: float,
        fixture: Fixture = NO_FIXTURE,
        drift_per_hour: float = 0.0,
    ) -> None:
        self._recipe = recipe
        self._fixture = fixture
        self._is_bare = fixture.is_bare
        self._drift_per_hour = drift_per_hour
        self._circuit = recipe.circuit().drifting(drift_per_hour)
        self._age_bucket_second = _age_bucket(self._circuit.grows, drift_per_hour)
        self._store = recipe.store()
        self._sample = ThermalLag(air, thermal_lag_second)
        self._branch_volts = [0.0] * len(self._circuit.ladder(25.0).branches)
        self._tunings: dict[tuple[int, int], _Tuning] = {}
        self._tuning = _Tuning(Ladder())  # replaced at the first node, before the first step
        self._step_lengths = 0
        self._drives: dict[str, Drive] = {}
        self._drive = OPEN
        self._conflicts = 0
        self._now_second = NOT_BEGUN
        self._age_second = 0.0
        self._next_node_second = -math.inf
        self._longest_step_second = math.inf
        self._last: Terminals | None = None
        self._flowing_ampere: float | None = None  # at the end of the last step of this drive
        self._owed_coulomb = 0.0  # see _passed

    # --- the interface that fronts use -----------------------------------------------------------

    @property
    def conflicts(self) -> int:
        return self._conflicts

    def drive(self, source: str, drive: Drive, now_second: float) -> None:
        self.terminals(now_second)
        self._drives.pop(source, None)
        if drive.mode is not DriveMode.OPEN:
            if self._drives:
                self._conflicts += 1
            self._drives[source] = drive
        self._drive = next(reversed(self._drives.values()), OPEN)
        self._longest_step_second = self._longest_step()
        self._last, self._flowing_ampere = None, None

    def terminals(self, now_second: float) -> Terminals:
        if self._now_second == NOT_BEGUN:
            self._now_second = now_second
        left = now_second - self._now_second
        if left <= 0.0:
            if self._last is None:
                self._last = self._advance(0.0)
            return self._last
        if left > self._longest_step_second:
            count = math.ceil(left / self._longest_step_second)
            for _ in range(count - 1):
                self._advance(left / count)
            left = now_second - self._now_second
        self._last = self._advance(left)
        self._now_second = now_second
        return self._last

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        self.terminals(now_second)
        celsius = self.sample_temperature_celsius(now_second)
        circuit_ohm = self._circuit.impedance(frequency_hertz, celsius, self._age_second)
        store_ohm = self._store.slope_volt_per_coulomb / (2j * math.pi * frequency_hertz)
        return self._fixture.impedance(frequency_hertz, circuit_ohm + store_ohm)

    def sample_temperature_celsius(self, now_second: float) -> float:
        return self._sample.at(now_second)

    def truth(
        self, temperatures_celsius: Sequence[float] = DEFAULT_TEMPERATURES_CELSIUS
    ) -> dict[str, float]:
        """Return what went in, keys with units; energies as a fit over these temperatures finds them.

        A bare fixture shows nothing of the cell, so only the fixture's truth is there.
        """
        if self._is_bare:
            return self._fixture.truth()
        drift = {"resistance_drift_per_hour": self._drift_per_hour}
        return self._recipe.truth(temperatures_celsius) | drift | self._fixture.truth()

    def state(self) -> dict[str, Any]:
        """Return plain data; no absolute time in it, for the clock that restores may be another."""
        begun, celsius = self._now_second != NOT_BEGUN, self._sample.celsius
        if begun:
            celsius = self._sample.at(self._now_second)
        return {
            "age_second": self._age_second,
            "sample_celsius": None if math.isnan(celsius) else celsius,
            "branch_volts": list(self._branch_volts),
            "store": self._store.state(),
            "owed_coulomb": self._owed_coulomb,
            "conflicts": self._conflicts,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put the cell back, driven by nobody; its time goes on with the next call."""
        self._age_second = float(state["age_second"])
        self._sample.restore(state["sample_celsius"])
        self._branch_volts = [float(volt) for volt in state["branch_volts"]]
        self._store.restore(state["store"])
        self._owed_coulomb = float(state["owed_coulomb"])
        self._conflicts = int(state["conflicts"])
        self._drives, self._drive = {}, OPEN
        self._now_second, self._last, self._flowing_ampere = NOT_BEGUN, None, None
        self._next_node_second, self._longest_step_second = -math.inf, math.inf

    # --- physics ---------------------------------------------------------------------------------

    def _longest_step(self) -> float:
        if self._drive.mode is DriveMode.OPEN:
            return math.inf  # relaxation is exact over any time
        longest = LONGEST_DRIVEN_STEP_SECOND
        if self._drive.mode is DriveMode.CURRENT and self._drive.level:
            longest = min(longest, self._store.largest_charge_coulomb / abs(self._drive.level))
        return longest

    def _advance(self, second: float) -> Terminals:
        """Go ``second`` on under the present drive, with the parameters of the step's end."""
        self._now_second += second
        self._age_second += second
        if self._now_second >= self._next_node_second:
            self._retune()
        key = int(second * STEPS_PER_SECOND + 0.5)
        step = self._tuning.steps.get(key)
        if step is None:
            step = self._add_step(key)
        decays, gains, resistance_ohm = step
        relaxed = list(map(mul, decays, self._branch_volts))
        if self._is_bare:
            self._branch_volts = relaxed
            return self._fixture.terminals(self._drive)
        reading = self._solve(sum(relaxed), resistance_ohm, second)
        current = reading[1]
        if current:
            relaxed = list(map(add, relaxed, [gain * current for gain in gains]))
            self._store.accept(self._passed(current, resistance_ohm, second))
        self._flowing_ampere = current
        self._branch_volts = relaxed
        return reading

    def _add_step(self, key: int) -> tuple[list[float], list[float], float]:
        """Make room first: near a step's end no look is as long as another, for months."""
        if self._step_lengths >= LARGEST_CACHE:
            self._step_lengths = 0
            for tuning in self._tunings.values():
                tuning.steps.clear()
        self._step_lengths += 1
        return self._tuning.add_step(key)

    def _passed(self, current: float, resistance_ohm: float, second: float) -> float:
        """Return the charge in coulomb that the store takes in a step that ends with ``current``.

        A held voltage lets the current fall within the step: what an ammeter integrates from look
        to look is what the store takes, or efficiencies are 0.1 % wrong. But the current was found
        as if it were constant. Where the store is steep (an empty cell) the ammeter's charge would
        carry it past the held voltage, and the current would change its sign from step to step:
        there the difference is owed, until the store is flat enough to take it.
        """
        constant = current * second
        before = current if self._flowing_ampere is None else self._flowing_ampere
        if before == current and not self._owed_coulomb:
            return constant
        integrated = 0.5 * (before + current) * second + self._owed_coulomb
        beyond_volt = self._store.after(integrated)[0] - self._store.after(constant)[0]
        if abs(beyond_volt) <= LARGEST_PART_BEYOND * resistance_ohm * abs(current):
            self._owed_coulomb = 0.0
            return integrated
        self._owed_coulomb = integrated - constant
        return constant

    def _solve(self, relaxed_volt: float, resistance_ohm: float, second: float) -> Terminals:
        """Find voltage and current at the end of a step through which the current is constant."""
        mode, level, limit = self._drive.mode, self._drive.level, self._drive.limit
        store = self._store
        if mode is DriveMode.CURRENT:
            voltage = store.after(level * second)[0] + relaxed_volt + resistance_ohm * level
            if -limit <= voltage <= limit:
                return Terminals(voltage, level, False)
            clamped = math.copysign(limit, voltage)
            return Terminals(
                clamped, self._current_at(clamped - relaxed_volt, resistance_ohm, second), True
            )
        if mode is DriveMode.VOLTAGE:
            if limit < math.inf:
                # The limit first: where it acts (all of CC) there is no equation to solve.
                most = math.copysign(limit, level - relaxed_volt - store.voltage_volt)
                voltage = store.after(most * second)[0] + relaxed_volt + resistance_ohm * most
                if voltage < level if most > 0.0 else voltage > level:
                    return Terminals(voltage, most, True)
            current = self._current_at(level - relaxed_volt, resistance_ohm, second)
            return Terminals(level, current, False)
        return Terminals(store.voltage_volt + relaxed_volt, 0.0, False)

    def _current_at(self, voltage_volt: float, resistance_ohm: float, second: float) -> float:
        """Return the current that leaves store and resistance at ``voltage_volt`` after the step.

        Newton's method. The voltage rises with the current everywhere and is flat in the middle
        and steep at both ends, the shape for which the iteration cannot run away.
        """
        store = self._store
        slope = store.slope_volt_per_coulomb
        current = (voltage_volt - store.voltage_volt) / (resistance_ohm + slope * second)
        for _ in range(MOST_ITERATIONS):
            voltage, slope = store.after(current * second)
            missing = voltage_volt - voltage - resistance_ohm * current
            if abs(missing) < VOLTAGE_TOLERANCE_VOLT:
                break
            current += missing / (resistance_ohm + slope * second)
        return current

    def _retune(self) -> None:
        """Take the parameters of the sample's present temperature and the cell's age."""
        celsius = self._sample.advance(self._now_second)
        self._next_node_second = self._sample.next_node_second
        # Of a cell that stays as it is the bucket has no end, and its number is always 0.
        age_bucket = int(self._age_second / self._age_bucket_second)
        bucket = round(celsius * BUCKETS_PER_KELVIN), age_bucket
        tuning = self._tunings.get(bucket)
        if tuning is None:
            if len(self._tunings) >= LARGEST_CACHE:
                self._tunings.clear()
            age_second = age_bucket * self._age_bucket_second if age_bucket else 0.0
            cell = self._circuit.ladder(bucket[0] / BUCKETS_PER_KELVIN, age_second)
            tuning = _Tuning(Ladder(self._fixture.resistance_ohm) + cell)
            self._tunings[bucket] = tuning
        self._tuning = tuning
        self._store.set_temperature(celsius)


def _age_bucket(grows: bool, drift_per_hour: float) -> float:
    """Return for how many seconds one set of parameters is good enough."""
    if not grows:
        return math.inf
    if not drift_per_hour:
        return AGE_BUCKET_SECOND
    return min(AGE_BUCKET_SECOND, LARGEST_DRIFT_IN_BUCKET / drift_per_hour * 3600.0)
