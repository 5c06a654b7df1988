"""Area-specific resistance of an electrode interface, from resistances of a whole cell.

ASR = R A, in ohm cm2 and *per interface*: a symmetric cell shows two in series, so its resistance
is halved. Where the interface drowns in the uncertainty of what was subtracted there is an upper
limit and no value. Knows resistances and areas; no spectra, no temperatures' law.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rig.analysis.flags import SYM_SMALL, FlagNote, flag
from rig.core.errors import BadInput, Problem

COVERAGE = 2.0  # of standard errors: below it no value, and the width of the upper limit


@dataclass(frozen=True, slots=True)
class InterfaceResistance:
    """Resistance of one interface, ohm cm2, with standard errors.

    ``standard_error_...`` is of this measurement alone. ``area_relative_uncertainty`` is common to
    all temperatures of a cell: it moves a prefactor and no activation energy, so it is kept apart.
    ``upper_limit_...`` is given instead of a trustworthy value when the interface is too small.
    """

    area_specific_resistance_ohm_square_centimetre: float
    standard_error_ohm_square_centimetre: float
    area_relative_uncertainty: float
    interfaces: int
    upper_limit_ohm_square_centimetre: float | None
    flags: tuple[FlagNote, ...]

    @property
    def resolved(self) -> bool:
        return self.upper_limit_ohm_square_centimetre is None

    @property
    def combined_standard_error_ohm_square_centimetre(self) -> float:
        """The measurement and the area together: for one value on its own, not for a regression."""
        by_area = (
            self.area_specific_resistance_ohm_square_centimetre * self.area_relative_uncertainty
        )
        return math.hypot(self.standard_error_ohm_square_centimetre, by_area)

    def to_dict(self) -> dict[str, object]:
        value = self.area_specific_resistance_ohm_square_centimetre
        return {
            "area_specific_resistance_ohm_square_centimetre": value if self.resolved else None,
            "standard_error_ohm_square_centimetre": self.standard_error_ohm_square_centimetre,
            "area_relative_uncertainty": self.area_relative_uncertainty,
            "upper_limit_ohm_square_centimetre": self.upper_limit_ohm_square_centimetre,
            "interfaces": self.interfaces,
            "flags": [note.to_dict() for note in self.flags],
        }


def interface_resistance(
    resistance_ohm: float,
    standard_error_ohm: float,
    area_square_centimetre: float,
    *,
    symmetric: bool = True,
    area_relative_uncertainty: float = 0.0,
) -> InterfaceResistance:
    """Return the resistance of one interface from that of all interfaces of the cell, ohm.

    ``symmetric``: two like interfaces share ``resistance_ohm``; otherwise it is that of one.
    """
    _check(standard_error_ohm, area_square_centimetre, area_relative_uncertainty)
    interfaces = 2 if symmetric else 1
    scale = area_square_centimetre / interfaces
    limit, flags = None, list[FlagNote]()
    if resistance_ohm < COVERAGE * standard_error_ohm or resistance_ohm <= 0:
        limit = scale * (max(resistance_ohm, 0.0) + COVERAGE * standard_error_ohm)
        message = (
            f"interface {resistance_ohm:.3g} ohm, below 2 u = {2 * standard_error_ohm:.3g} ohm"
        )
        flags.append(flag(SYM_SMALL, f"{message}: at most {limit:.3g} ohm cm2"))
    return InterfaceResistance(
        scale * resistance_ohm,
        scale * standard_error_ohm,
        area_relative_uncertainty,
        interfaces,
        limit,
        tuple(flags),
    )


def interface_from_difference(
    total_ohm: float,
    electrolyte_ohm: float,
    area_square_centimetre: float,
    *,
    total_standard_error_ohm: float = 0.0,
    electrolyte_standard_error_ohm: float = 0.0,
    symmetric: bool = True,
    area_relative_uncertainty: float = 0.0,
) -> InterfaceResistance:
    """Return A (R_total - R_electrolyte) / 2, the two resistances being measured independently."""
    return interface_resistance(
        total_ohm - electrolyte_ohm,
        math.hypot(total_standard_error_ohm, electrolyte_standard_error_ohm),
        area_square_centimetre,
        symmetric=symmetric,
        area_relative_uncertainty=area_relative_uncertainty,
    )


def _check(standard_error: float, area: float, area_uncertainty: float) -> None:
    problems = []
    if not (area > 0 and math.isfinite(area)):
        problems.append(Problem("area", f"got {area:g} cm2, expected above zero"))
    for name, value in (
        ("standard error", standard_error),
        ("relative uncertainty of the area", area_uncertainty),
    ):
        if not value >= 0:
            problems.append(Problem(name, f"got {value:g}, expected zero or more"))
    if problems:
        raise BadInput(problems)


@dataclass(frozen=True, slots=True)
class InterfaceSeries:
    """One cell's interface at several temperatures: the rows that an Arrhenius fit takes."""

    temperature_celsius: tuple[float, ...]
    interfaces: tuple[InterfaceResistance, ...]

    def resolved(self) -> InterfaceSeries:
        """Return the rows that have a value; upper limits cannot enter a regression."""
        kept = [row for row in zip(*self._columns, strict=True) if row[1].resolved]
        return InterfaceSeries(tuple(t for t, _ in kept), tuple(one for _, one in kept))

    @property
    def area_specific_resistance_ohm_square_centimetre(self) -> tuple[float, ...]:
        return tuple(one.area_specific_resistance_ohm_square_centimetre for one in self.interfaces)

    @property
    def relative_uncertainty(self) -> tuple[float, ...]:
        """Standard errors over values, without the area's: what weights a regression."""
        return tuple(
            one.standard_error_ohm_square_centimetre
            / one.area_specific_resistance_ohm_square_centimetre
            for one in self.interfaces
        )

    @property
    def _columns(self) -> tuple[tuple[float, ...], tuple[InterfaceResistance, ...]]:
        return self.temperature_celsius, self.interfaces

    def to_dict(self) -> dict[str, object]:
        rows = [one.to_dict() for one in self.interfaces]
        keys = [key for key in (rows[0] if rows else {}) if key != "flags"]
        columns: dict[str, object] = {key: [row[key] for row in rows] for key in keys}
        flags = [note.to_dict() for one in self.interfaces for note in one.flags]
        return {"temperature_celsius": list(self.temperature_celsius), **columns, "flags": flags}


def interface_series(
    temperature_celsius: Sequence[float], interfaces: Sequence[InterfaceResistance]
) -> InterfaceSeries:
    """Put one cell's results beside the sample temperatures they were measured at."""
    if len(temperature_celsius) != len(interfaces):
        message = f"got {len(temperature_celsius)} temperatures for {len(interfaces)} results"
        raise BadInput(Problem("interface series", message))
    return InterfaceSeries(tuple(temperature_celsius), tuple(interfaces))
