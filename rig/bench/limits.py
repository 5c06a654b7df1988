"""The ``limits:`` of a bench file, and of a cell's record. One that cannot be read is refused.

It must never be none.
"""

from __future__ import annotations

import math

from pydantic_core import PydanticCustomError

from rig.bench.collecting import Collector
from rig.core.errors import Problem, did_you_mean
from rig.protocol.auxiliaries import (
    SPAN_EXAMPLE,
    AuxiliarySpan,
    limits_of,
    read_auxiliary_span,
)
from rig.protocol.program import UNLIMITED, AuxiliaryLimit, Safety
from rig.protocol.source import Node

_KNOWN = ("voltage", "current", "temperature", "capacity", "pressure", "heating", "auxiliaries")
ALL = "all"  # channels
_EXAMPLE = "limits: {A1: {voltage: [2.5 V, 4.3 V], current: 20 mA}}"

Span = tuple[float | None, float | None]


class LimitsReader:
    """Reads the limits of one channel after the other; problems go to the collector."""

    def __init__(self, collector: Collector, limits: Node | None, channels: Node | None) -> None:
        self._to, self._limits = collector, limits
        if limits is not None:
            self._require_channels(limits, channels)

    def _require_channels(self, limits: Node, channels: Node | None) -> None:
        if not isinstance(limits.value, dict):
            self._to.refuse(limits, f"got {limits.plain()!r}, expected limits by channel", _EXAMPLE)
            return
        known = channels.value if channels and isinstance(channels.value, dict) else {}
        self._to.problems += [
            Problem(
                entry.key_where,
                f"limits for {name!r}, but there is no such channel",
                suggestion=did_you_mean(name, known),
            )
            for name, entry in limits.value.items()
            if name not in known and name != ALL
        ]

    def of(self, channel: str) -> Safety:
        """Return a channel's limits: its own and those for ``all``, the tighter of both."""
        return self._of(channel).intersect(self._of(ALL))

    def _of(self, channel: str) -> Safety:
        node = self._limits.get(channel) if self._limits is not None else None
        return UNLIMITED if node is None else read_limits(self._to, node, f"channel {channel!r}")


def read_limits(to: Collector, node: Node, whose: str) -> Safety:
    """Return the limits that stand at ``node``; what is wrong goes to the collector."""
    if not isinstance(node.value, dict) or not node.value:
        to.refuse(node, f"got {node.plain()!r}, expected the limits of {whose}", _EXAMPLE)
        return UNLIMITED
    to.keys(node, _KNOWN, f"the limits of {whose}")
    return _Limits(to).at(node)


class _Limits:
    """Reads one mapping of limits."""

    def __init__(self, to: Collector) -> None:
        self._to = to

    def at(self, node: Node) -> Safety:
        low, high = self._pair(node, "voltage", "[2.5 V, 4.3 V]")
        cold, hot = self._pair(node, "temperature", "[-20 degC, 80 degC]")
        least, most = self._pair(node, "pressure", "[1 MPa, 12 MPa]")
        return Safety(
            low,
            high,
            self._largest(node, "current", "20 mA"),
            cold,
            hot,
            self._largest(node, "capacity", "3 mAh"),
            check_every_second=math.inf,
            heating_max_kelvin_per_minute=self._largest(
                node, "heating", "2 K/min", "temperature_rate"
            ),
            lasting_second=math.inf,
            pressure_min_pascal=least,
            pressure_max_pascal=most,
            auxiliaries=self._auxiliaries(node.get("auxiliaries")),
        )

    def _auxiliaries(self, node: Node | None) -> tuple[AuxiliaryLimit, ...]:
        if node is None:
            return ()
        if not isinstance(node.value, dict) or not node.value:
            self._to.refuse(node, f"got {node.plain()!r}, expected limits by name", SPAN_EXAMPLE)
            return ()
        spans: dict[str, AuxiliarySpan] = {}
        for name, entry in node.value.items():
            try:
                spans[name] = read_auxiliary_span(entry.plain())
            except PydanticCustomError as refusal:
                self._to.refuse(entry, f"{name}: {refusal.message()}", SPAN_EXAMPLE)
        return limits_of(spans)

    def _pair(self, node: Node, key: str, example: str) -> Span:
        entry = node.get(key)
        if entry is None:
            return None, None
        items = entry.items()
        if len(items) != 2:
            message = f"got {entry.plain()!r}; {key} limits are a pair, low and high"
            self._to.refuse(entry, message, f"{key}: {example}")
            return None, None
        low, high = (self._to.quantity(item, key) for item in items)
        if low is not None and high is not None and low >= high:
            message = "the low limit is not below the high one"
            self._to.refuse(entry, message, f"{key}: {example}")
        return low, high

    def _largest(self, node: Node, key: str, example: str, dimension: str = "") -> float | None:
        entry = node.get(key)
        largest = None if entry is None else self._to.quantity(entry, dimension or key)
        if entry is not None and largest is not None and largest <= 0:
            message = f"got {entry.plain()!r}, expected more than zero"
            self._to.refuse(entry, message, f"{key}: {example}")
        return largest
