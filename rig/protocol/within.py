"""Do the limits of protocol, cell, bench and instruments leave anything, and do the steps stay within?

Both are asked before anything is switched on: limits without a common value would be refused by the
driver that is armed with them, in the middle of the night. Each message names whose limits it is about.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from rig.core.errors import Problem
from rig.core.fixture import FREQUENCY_TOLERANCE
from rig.core.units import show
from rig.protocol.channel_facts import ChannelFacts, Span
from rig.protocol.program import Galvanostat, Potentiostat, Safety, Step
from rig.protocol.rules import beyond_limit, sweep_beyond
from rig.protocol.words import AUXILIARY_UNITS

BENCH_FILE, INSTRUMENTS = "the bench file", "its instruments"
Bounds = tuple[float | None, float | None]


# --- limits against limits -----------------------------------------------------------------------


def contradictions(
    sources: Sequence[tuple[str, Safety]], where: str, range_volt: Span | None = None
) -> Iterator[Problem]:
    """Yield each pair of sources whose limits have no value in common; nothing could be done within.

    ``range_volt`` is what the instrument at the cell can do. Intervals that overlap by pairs have
    a common value, so pairs are enough.
    """
    spans = [(who, quantity, span) for who, safety in sources for quantity, span in _spans(safety)]
    if range_volt is not None:
        spans.append((INSTRUMENTS, ("voltage", "V"), range_volt))
    for (who, quantity, one), (other, same, two) in itertools.combinations(spans, 2):
        if quantity == same and not _have_common(one, two):
            what, unit = quantity
            yield Problem(
                where,
                f"{who} limits the {what} to {_words(one, unit)}, {other} to {_words(two, unit)}: "
                "no value is within both",
            )


def _spans(safety: Safety) -> Iterator[tuple[tuple[str, str], Bounds]]:
    """Yield ((quantity, unit), (low, high)) of everything that has two sides."""
    yield ("voltage", "V"), (safety.voltage_min_volt, safety.voltage_max_volt)
    celsius = safety.temperature_min_celsius, safety.temperature_max_celsius
    yield ("temperature", "degC"), celsius
    yield ("pressure", "Pa"), (safety.pressure_min_pascal, safety.pressure_max_pascal)
    for limit in safety.auxiliaries:
        yield (limit.name, AUXILIARY_UNITS[limit.dimension]), (limit.low, limit.high)


def _have_common(one: Bounds, two: Bounds) -> bool:
    low = max(-math.inf if span[0] is None else span[0] for span in (one, two))
    high = min(math.inf if span[1] is None else span[1] for span in (one, two))
    return low < high


def _words(span: Bounds, unit: str) -> str:
    low, high = (None if bound is None else show(bound, unit) for bound in span)
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


# --- steps against limits ------------------------------------------------------------------------


def beyond(step: Step, channel: ChannelFacts) -> Iterator[str]:
    """Yield what this step asks for beyond the channel's limits and its instruments' ranges.

    The protocol's own limits, and those of the cell, were asked when it was compiled.
    """
    limits = channel.safety
    bench = _Range(
        BENCH_FILE,
        _span(limits.voltage_min_volt, limits.voltage_max_volt),
        _within(limits.current_max_ampere),
        _span(limits.temperature_min_celsius, limits.temperature_max_celsius),
    )
    own = _Range(INSTRUMENTS, channel.voltage, _within(channel.current_ampere), channel.temperature)
    for allowed in (bench, own):
        yield from allowed.beyond(step)
    yield from _unreachable(step, limits)
    yield from (f"{words}, a limit of {BENCH_FILE}" for _, words in sweep_beyond(step, limits))
    yield from _spectrum_messages(step, channel)


class _Range:
    """What one source allows; None where it allows everything."""

    def __init__(
        self, who: str, volt: Span | None, ampere: Span | None, celsius: Span | None
    ) -> None:
        self._who, self._volt, self._ampere, self._celsius = who, volt, ampere, celsius

    def beyond(self, step: Step) -> Iterator[str]:
        match step.drive:
            case Galvanostat(current, voltage, _):
                yield from _outside(current, self._ampere, "A", self._who)
                yield from _outside(voltage, self._volt, "V", self._who)
            case Potentiostat(voltage, current):
                yield from _outside(voltage, self._volt, "V", self._who)
                yield from _outside(current, self._ampere, "A", self._who)
        if step.temperature is not None:
            yield from _outside(step.temperature.celsius, self._celsius, "degC", self._who)


def _unreachable(step: Step, limits: Safety) -> Iterator[str]:
    """Yield each end beyond the bench's limits: the run would trip before it gets there."""
    armed = step.drive.voltage_limit_volt if isinstance(step.drive, Galvanostat) else math.nan
    for end in step.ends:
        told = end.quantity == "voltage" and end.value == armed
        lies = None if told else beyond_limit(end, limits)
        if lies is not None:
            yield f"until {end.words} can never be reached: it lies {lies}, a limit of {BENCH_FILE}"


def _spectrum_messages(step: Step, channel: ChannelFacts) -> Iterator[str]:
    if step.sweep is not None:
        for hertz in (step.sweep.start_hertz, step.sweep.stop_hertz):
            yield from _outside(hertz, channel.frequency, "Hz")
            yield from _uncorrected(hertz, channel.fixture)
        yield from _outside(step.sweep.amplitude_volt, _up_to(channel.amplitude_volt), "V")
        yield from _outside(step.sweep.amplitude_ampere, _up_to(channel.amplitude_ampere), "A")
    if step.temperature is not None and (stability := step.temperature.stability) is not None:
        yield from _outside(stability.frequency_hertz, channel.frequency, "Hz")
        yield from _outside(stability.amplitude_volt, _up_to(channel.amplitude_volt), "V")


def _outside(
    value: float | None, span: Span | None, unit: str, who: str = INSTRUMENTS
) -> Iterator[str]:
    if value is not None and span is not None and not span[0] <= value <= span[1]:
        allowed = _words((_finite(span[0]), _finite(span[1])), unit)
        yield f"{show(value, unit)} is outside what the channel allows, {allowed} ({who})"


def _uncorrected(hertz: float, fixture: Span | None) -> Iterator[str]:
    if fixture is None:
        return
    low, high = fixture[0] * (1 - FREQUENCY_TOLERANCE), fixture[1] * (1 + FREQUENCY_TOLERANCE)
    if not low <= hertz <= high:
        known = " to ".join(show(bound, "Hz") for bound in fixture)
        yield f"{show(hertz, 'Hz')} lies beyond the open and short that were measured, {known}"


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def _up_to(largest: float | None) -> Span | None:
    return None if largest is None else (0.0, largest)


def _within(largest: float | None) -> Span | None:
    return None if largest is None else (-largest, largest)


def _span(low: float | None, high: float | None) -> Span | None:
    if low is None and high is None:
        return None
    return (-math.inf if low is None else low, math.inf if high is None else high)
