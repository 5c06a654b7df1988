"""The sheet beside each driver: facts about an instrument family, as TOML, written once.

Ranges stand here and nowhere else; the driver refuses by them, ``rig drivers show`` prints them,
the bench checks protocols against them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Role(Enum):
    """What an instrument can be on a channel; the key of a channel in the bench file."""

    CELL = "cell"
    IMPEDANCE = "impedance"
    CHAMBER = "chamber"
    TEMPERATURE = "temperature"
    PRESSURE = "pressure"
    RESISTANCE = "resistance"  # a resistance and open-circuit voltage at one fixed frequency
    MULTIPLEXER = "multiplexer"  # connects one instrument to many cells in turn


class Tier(Enum):
    """How well a driver is proven; printed by ``rig drivers``, explained by ``TIERS``."""

    TRANSCRIBED = "transcribed"  # from the manual, against an independent simulator
    RECORDED = "recorded"  # against bytes recorded from real hardware
    PROVEN = "proven"  # months on real cells


TIERS = {
    Tier.TRANSCRIBED: "written from the manual, proven against an independent simulator, "
    "not yet tried on hardware",
    Tier.RECORDED: "proven against bytes recorded from real hardware",
    Tier.PROVEN: "months on real cells",
}


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a family and what it can hold; None where the quantity does not apply.

    Ranges are inclusive (low, high) pairs in base units; ``current_ampere`` is the largest
    magnitude either way.
    """

    name: str
    voltage_volt: tuple[float, float] | None = None
    current_ampere: float | None = None
    temperature_celsius: tuple[float, float] | None = None
    frequency_hertz: tuple[float, float] | None = None
    amplitude_volt: float | None = None
    amplitude_ampere: float | None = None
    impedance_ohm: tuple[float, float] | None = None  # what can be measured, |Z| or R
    voltage_ranges_volt: tuple[float, ...] = ()  # the ladders that set points are put on, ascending
    current_ranges_ampere: tuple[float, ...] = ()
    protection_volt: tuple[float, ...] = ()
    channels: int = 1
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Spacing:
    """Seconds of silence an instrument needs after an exchange before the next byte.

    ``after_query`` where the sent bytes hold a question mark, ``after_set`` otherwise,
    ``after_error`` where the reply holds ``error_mark``.
    """

    after_query_second: float = 0.0
    after_set_second: float = 0.0
    after_error_second: float = 0.0
    error_mark: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Facts about one family; see any ``drivers/**/*.toml`` for the file's shape.

    ``firmware`` holds the versions, as ``identify`` tells them, that the facts were taken from or
    proven with; empty where the sources name none.
    """

    family: str
    maker: str
    title: str
    manual: str
    roles: tuple[Role, ...]
    tier: Tier
    models: tuple[Model, ...]
    terminator: bytes
    baudrate: int | None = None
    port: int | None = None  # of TCP, where it is spoken to by network
    timeout_second: float = 3.0
    spacing: Spacing = Spacing()
    refusals: dict[str, str] = field(default_factory=dict)
    quirks: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    rules: dict[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()  # what a channel must declare before this may touch its cell
    firmware: tuple[str, ...] = ()

    def model(self, name: str) -> Model | None:
        """Return the model of that name, or None."""
        return next((model for model in self.models if model.name == name), None)


def load_sheet(path: Path) -> Sheet:
    """Read a sheet from its TOML file; a key it does not know raises TypeError at import time."""
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    data["roles"] = tuple(Role(role) for role in data["roles"])
    data["tier"] = Tier(data["tier"])
    data["models"] = tuple(_model(entry) for entry in data["models"])
    data["terminator"] = data["terminator"].encode("ascii")
    data["spacing"] = Spacing(**data.get("spacing", {}))
    for key in ("quirks", "unknowns", "requires", "firmware"):
        data[key] = tuple(data.get(key, ()))
    return Sheet(**data)


def _model(entry: dict[str, Any]) -> Model:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return Model(**values)
