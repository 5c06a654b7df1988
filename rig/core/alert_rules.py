"""What a lab wants to be told of results: the words of a rule. Knows no database, no run and no clock.

A rule looks at one quantity of each cycle of the runs that it names, and fires where that breaks a
threshold in so many cycles in a row. The quantity ``silence`` has no cycles: it is the time for which
nothing new came of a run that is going on (a dead-man's switch).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from rig.core.alarms import RULE_KIND, SILENCE_KIND, Severity
from rig.core.units import DIMENSIONS, duration, show

SILENCE = "silence"
LEAST_SILENCE_SECOND = 30.0
_NO_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a rule may look at; ``dimension`` is one of rig.core.units, or empty for a count.

    ``symbol`` is the unit for people, of the float as it is kept.
    """

    words: str
    dimension: str
    symbol: str

    @property
    def example(self) -> str:
        """A threshold as somebody would write it."""
        return _EXAMPLES.get(self.dimension) or DIMENSIONS[self.dimension][1]


_EXAMPLES = {"": "0.5", "fraction": "99.5 %", "time": "10 min", "capacity": "1.8 mAh"}

# Names are those of ``rig fit cycles``; a count and the silence have none there.
QUANTITIES: dict[str, Quantity] = {
    "discharging_capacity_ah": Quantity("discharge capacity", "capacity", "Ah"),
    "charging_capacity_ah": Quantity("charge capacity", "capacity", "Ah"),
    "coulombic_efficiency": Quantity("coulombic efficiency", "fraction", "%"),
    "energy_efficiency": Quantity("energy efficiency", "fraction", "%"),
    "discharging_energy_wh": Quantity("discharge energy", "energy", "Wh"),
    "charging_energy_wh": Quantity("charge energy", "energy", "Wh"),
    "mean_discharging_voltage_volt": Quantity("mean discharge voltage", "voltage", "V"),
    "mean_charging_voltage_volt": Quantity("mean charge voltage", "voltage", "V"),
    "dc_resistance_ohm": Quantity("dc resistance (10 s pulse)", "resistance", "ohm"),
    "refused_spectra": Quantity("spectra that Kramers-Kronig refuses", "", ""),
    SILENCE: Quantity("time without data", "time", "s"),
}


class Statistic(Enum):
    """What of the quantity is compared: itself, or how it stands to another cycle or to other cells.

    The group of a median are all runs that the rule names, at the same cycle number.
    """

    VALUE = "value"
    RATIO_TO_CYCLE = "ratio to cycle"
    DIFFERENCE_TO_CYCLE = "difference to cycle"
    RATIO_TO_MEDIAN = "ratio to median"
    DIFFERENCE_TO_MEDIAN = "difference to median"

    @property
    def is_ratio(self) -> bool:
        return self in (Statistic.RATIO_TO_CYCLE, Statistic.RATIO_TO_MEDIAN)

    @property
    def needs_cycle(self) -> bool:
        return self in (Statistic.RATIO_TO_CYCLE, Statistic.DIFFERENCE_TO_CYCLE)

    @property
    def needs_group(self) -> bool:
        return self in (Statistic.RATIO_TO_MEDIAN, Statistic.DIFFERENCE_TO_MEDIAN)


class Comparison(Enum):
    """On which side of the threshold it is an alarm; at the threshold itself it is none."""

    BELOW = "below"
    ABOVE = "above"

    def holds(self, value: float, threshold: float) -> bool:
        """Say whether a value is on that side; one that is not there (NaN) never is."""
        return value < threshold if self is Comparison.BELOW else value > threshold


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule; ``threshold`` is in the base unit of what is compared (a ratio is a fraction).

    ``runs_where`` is a condition as for ``rig analyse --where``, empty for every run. Cycles before
    ``first_cycle`` are not looked at. ``recipients`` are names from ``notify:``; none means all, from
    their own severity on. Times are UTC microseconds.
    """

    rule_id: str
    name: str
    runs_where: str
    quantity: str
    statistic: Statistic
    reference_cycle: int | None
    first_cycle: int
    comparison: Comparison
    threshold: float
    consecutive: int
    severity: Severity
    recipients: tuple[str, ...]
    enabled: bool
    made_by: str
    made_us: int
    changed_us: int

    @property
    def is_silence(self) -> bool:
        """Say whether it is about data that do not come, not about results."""
        return self.quantity == SILENCE

    @property
    def kind(self) -> str:
        """The kind of its alarms: one rule is one thing wrong."""
        return kind_of(self.name, silence=self.is_silence)

    @property
    def words(self) -> str:
        """The rule as a sentence's end, for people.

        >>> "coulombic efficiency below 99.5 % in 3 cycles in a row, from cycle 4 on"
        """
        if self.is_silence:
            return f"no data for {duration(self.threshold)}"
        words = f"{self.compared} {self.comparison.value} {self.shown(self.threshold)}"
        if self.consecutive > 1:
            words += f" in {self.consecutive} cycles in a row"
        return words + (f", from cycle {self.first_cycle} on" if self.first_cycle > 1 else "")

    @property
    def compared(self) -> str:
        """What is compared with the threshold, in words."""
        words, cycle = QUANTITIES[self.quantity].words, self.reference_cycle
        return {
            Statistic.VALUE: words,
            Statistic.RATIO_TO_CYCLE: f"{words} relative to cycle {cycle}",
            Statistic.DIFFERENCE_TO_CYCLE: f"{words} minus that of cycle {cycle}",
            Statistic.RATIO_TO_MEDIAN: f"{words} relative to the median of its group",
            Statistic.DIFFERENCE_TO_MEDIAN: f"{words} minus the median of its group",
        }[self.statistic]

    def shown(self, value: float) -> str:
        """Write a value of what is compared with its unit, for people."""
        if self.is_silence:
            return duration(value)
        scaled, unit = self.in_unit(value)
        return f"{scaled:.5g} {unit}".rstrip() if unit in ("%", "") else show(scaled, unit)

    def in_unit(self, value: float) -> tuple[float, str]:
        """Return a value with the unit that an alarm carries it in: ratios as per cent."""
        symbol = "%" if self.statistic.is_ratio else QUANTITIES[self.quantity].symbol
        return (100.0 * value, symbol) if symbol == "%" else (value, symbol)

    @property
    def threshold_text(self) -> str:
        """The threshold as somebody could write it, to the last digit that matters."""
        if self.is_silence:
            return f"{self.threshold / 60.0:.12g} min"
        scaled, unit = self.in_unit(self.threshold)
        return f"{scaled:.12g} {unit}".rstrip() if unit in ("%", "") else show(scaled, unit, 12)

    def plain(self) -> dict[str, Any]:
        """Return it as a row of the table ``alert_rule``; ``rule_of`` is the way back."""
        return asdict(self) | {
            "statistic": self.statistic.value,
            "comparison": self.comparison.value,
            "severity": self.severity.value,
            "recipients": list(self.recipients),
        }


def rule_of(row: Mapping[str, Any]) -> AlertRule:
    """Return the rule that ``AlertRule.plain`` made this row of."""
    return AlertRule(
        **{
            **row,
            "statistic": Statistic(row["statistic"]),
            "comparison": Comparison(row["comparison"]),
            "severity": Severity(row["severity"]),
            "recipients": tuple(row["recipients"]),
        }
    )


def kind_of(name: str, *, silence: bool = False) -> str:
    """Return the kind of the alarms of a rule of this name; its family alone for a name without letters.

    >>> kind_of("Low efficiency (NMC)")
    'rule-low-efficiency-nmc'
    """
    return (SILENCE_KIND if silence else RULE_KIND) + _NO_NAME.sub("-", name.lower()).strip("-")
