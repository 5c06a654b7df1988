"""Two programs' limits side by side: which became tighter, which wider, in words.

The limits compared are those in force, the intersection of protocol, cell and channel: one that the
protocol widens and the bench file holds has not changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from rig.core.units import show
from rig.protocol.program import Program, Safety, Suspend, SuspendCondition
from rig.protocol.words import AUXILIARY_UNITS


class Effect(Enum):
    """What a change does to a limit; ``NONE`` where it is about none."""

    NONE = ""
    TIGHTER = "tighter"
    WIDER = "wider"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: ``step 7 (charge at C/2): until 4.2 V -> until 4.15 V``."""

    where: str
    words: str
    effect: Effect = Effect.NONE
    line: int = 0  # of the new text; 0: of none

    def __str__(self) -> str:
        said = f" ({self.effect.value})" if self.effect is not Effect.NONE else ""
        return f"{self.where}: {self.words}{said}"


UPPER, LOWER = math.inf, -math.inf  # the value of a bound that is not there


@dataclass(frozen=True, slots=True)
class _Bound:
    """One limit by its name; ``absent`` is infinite on the side where it does not limit."""

    name: str
    value: float | None
    unit: str
    absent: float = UPPER

    @property
    def number(self) -> float:
        return self.absent if self.value is None else self.value

    @property
    def words(self) -> str:
        if not math.isfinite(self.number):
            return "none"
        shown = show(self.number, self.unit) if self.unit not in _PLAIN else ""
        return shown or f"{self.number:g} {self.unit}"


_PLAIN = frozenset({"degC", "K", "K/min", "s"})  # units that are written without a prefix


def limit_changes(old: Program, new: Program) -> Iterator[Change]:
    """Yield every limit that is not what it was; ``safety`` of both is what is in force."""
    yield from _compared("safety", _bounds(old.safety), _bounds(new.safety))
    nothing = Safety(check_every_second=0.0)
    softs = [_bounds(program.soft or nothing) for program in (old, new)]
    yield from _compared("safety.soft", *softs)
    yield from _compared("suspend", _waits(old.suspend), _waits(new.suspend))


def _compared(block: str, old: dict[str, _Bound], new: dict[str, _Bound]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        before, now = old.get(name), new.get(name)
        known = before or now
        assert known is not None
        missing = _Bound(name, None, known.unit, known.absent)
        before, now = before or missing, now or missing
        if before.number == now.number:
            continue
        outward = now.number > before.number if known.absent > 0 else now.number < before.number
        effect = Effect.WIDER if outward else Effect.TIGHTER
        yield Change(f"{block}.{name}", f"{before.words} -> {now.words}", effect)


def _bounds(safety: Safety) -> dict[str, _Bound]:
    found = [
        _Bound("voltage lower", safety.voltage_min_volt, "V", LOWER),
        _Bound("voltage upper", safety.voltage_max_volt, "V"),
        _Bound("current", safety.current_max_ampere, "A"),
        _Bound("temperature lower", safety.temperature_min_celsius, "degC", LOWER),
        _Bound("temperature upper", safety.temperature_max_celsius, "degC"),
        _Bound("capacity", safety.capacity_max_ah, "Ah"),
        _Bound("heating", safety.heating_max_kelvin_per_minute, "K/min"),
        _Bound("pressure lower", safety.pressure_min_pascal, "Pa", LOWER),
        _Bound("pressure upper", safety.pressure_max_pascal, "Pa"),
        _Bound("check_every", safety.check_every_second, "s"),
        _Bound("lasting", safety.lasting_second, "s"),
    ]
    for limit in safety.auxiliaries:
        unit = AUXILIARY_UNITS[limit.dimension]
        found.append(_Bound(f"{limit.name} lower", limit.low, unit, LOWER))
        found.append(_Bound(f"{limit.name} upper", limit.high, unit))
    return {bound.name: bound for bound in found}


def _waits(suspend: Suspend | None) -> dict[str, _Bound]:
    """Beyond which temperature or condition a run is disconnected and waits: that protects, too."""
    if suspend is None:
        return {}
    found = [_Bound("temperature beyond", suspend.beyond_kelvin, "K")]
    found += [_wait(condition) for condition in suspend.conditions]
    return {bound.name: bound for bound in found}


def _wait(condition: SuspendCondition) -> _Bound:
    above = condition.operator == ">="
    name = f"{condition.quantity} {'above' if above else 'below'}"
    unit = AUXILIARY_UNITS[condition.dimension]
    return _Bound(name, condition.beyond, unit, UPPER if above else LOWER)
