"""What a channel of a bench can do, as a program is checked against it. Knows no bench file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.protocol.program import Safety

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What a channel can do; None where its instruments set no limit. Spans are (lowest, highest).

    ``roles`` are the keys of the channel in the bench file: cell, impedance, chamber, ...
    """

    name: str
    roles: frozenset[str]
    voltage: Span | None = None
    current_ampere: float | None = None
    temperature: Span | None = None
    frequency: Span | None = None
    safety: Safety = field(default_factory=Safety)
    amplitude_volt: float | None = None
    amplitude_ampere: float | None = None
    fixture: Span | None = None  # the frequencies that its open and short were measured at
    auxiliaries: Mapping[str, str] = field(default_factory=dict)  # name -> dimension
