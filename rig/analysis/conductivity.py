"""Conductivity of a pellet or film from resistance and geometry, with the doubts about geometry.

sigma = L / (R A). Lengths in centimetre, areas in square centimetre, resistance in ohm,
conductivity in S/cm; uncertainties are relative standard uncertainties. Knows no spectrum: the
resistance comes from whoever fitted it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rig.analysis.flags import GEO, SEED_RANGE, FlagNote, Level, flag
from rig.core.errors import BadInput, Problem

Material = Literal["sulfide", "oxide", "polymer"]

# Where such materials are usually found, S/cm (polymers at 60 degC); outside is said, never refused.
PLAUSIBLE_SIEMENS_PER_CENTIMETRE: dict[Material, tuple[float, float]] = {
    "sulfide": (1e-3, 1e-2),
    "oxide": (1e-6, 1e-3),
    "polymer": (1e-5, 1e-3),
}

_VOLUME_TOLERANCE = 0.05
_DENSEST, _LOOSEST = 1.02, 0.75
_TYPICAL_THICKNESS_CENTIMETRE = (1e-4, 1.0)


@dataclass(frozen=True, slots=True)
class Disc:
    """A round sample: thickness and diameter in cm with relative standard uncertainties."""

    thickness_centimetre: float
    diameter_centimetre: float
    thickness_relative_uncertainty: float = 0.0
    diameter_relative_uncertainty: float = 0.0

    @property
    def area_square_centimetre(self) -> float:
        return math.pi * self.diameter_centimetre**2 / 4.0

    @property
    def area_relative_uncertainty(self) -> float:
        """Twice that of the diameter, which enters squared."""
        return 2.0 * self.diameter_relative_uncertainty

    @property
    def volume_cubic_centimetre(self) -> float:
        return self.area_square_centimetre * self.thickness_centimetre


@dataclass(frozen=True, slots=True)
class ConductivityResult:
    """Conductivity in S/cm with its relative standard uncertainty and the part geometry has in it.

    The geometry's part is common to all temperatures of one sample.
    """

    conductivity_siemens_per_centimetre: float
    relative_uncertainty: float
    geometry_relative_uncertainty: float
    resistance_ohm: float
    thickness_centimetre: float
    area_square_centimetre: float
    flags: tuple[FlagNote, ...]

    @property
    def standard_error(self) -> float:
        return self.conductivity_siemens_per_centimetre * self.relative_uncertainty

    def to_dict(self) -> dict[str, object]:
        return {
            "conductivity_siemens_per_centimetre": self.conductivity_siemens_per_centimetre,
            "conductivity_standard_error_siemens_per_centimetre": self.standard_error,
            "relative_uncertainty": self.relative_uncertainty,
            "geometry_relative_uncertainty": self.geometry_relative_uncertainty,
            "resistance_ohm": self.resistance_ohm,
            "thickness_centimetre": self.thickness_centimetre,
            "area_square_centimetre": self.area_square_centimetre,
            "flags": [note.to_dict() for note in self.flags],
        }


def conductivity(
    resistance_ohm: float,
    thickness_centimetre: float,
    area_square_centimetre: float,
    *,
    resistance_relative_uncertainty: float = 0.0,
    thickness_relative_uncertainty: float = 0.0,
    area_relative_uncertainty: float = 0.0,
    material: Material | None = None,
) -> ConductivityResult:
    """Return L/(R A) with (u_s/s)^2 = (u_L/L)^2 + (u_R/R)^2 + (u_A/A)^2; u_A/A = 2 u_d/d of a disc.

    Raises BadInput with every value that is not a positive finite number.

    >>> round(conductivity(63.66, 0.1, math.pi / 4).conductivity_siemens_per_centimetre, 8)
    0.00200006
    """
    _refuse_impossible(
        resistance_ohm=resistance_ohm,
        thickness_centimetre=thickness_centimetre,
        area_square_centimetre=area_square_centimetre,
    )
    sigma = thickness_centimetre / (resistance_ohm * area_square_centimetre)
    geometry = math.hypot(thickness_relative_uncertainty, area_relative_uncertainty)
    return ConductivityResult(
        conductivity_siemens_per_centimetre=sigma,
        relative_uncertainty=math.hypot(geometry, resistance_relative_uncertainty),
        geometry_relative_uncertainty=geometry,
        resistance_ohm=resistance_ohm,
        thickness_centimetre=thickness_centimetre,
        area_square_centimetre=area_square_centimetre,
        flags=(*_check_thickness(thickness_centimetre), *_check_plausible(sigma, material)),
    )


def check_pellet(
    disc: Disc,
    *,
    mass_gram: float | None = None,
    theoretical_density: float | None = None,
    volume_cubic_centimetre: float | None = None,
) -> tuple[FlagNote, ...]:
    """GEO: do volume, mass and density (g/cm3) fit thickness and diameter?

    When they only fit with the stated diameter taken as the radius, the flag says so: that mistake
    makes area and conductivity wrong by a factor of four (a published case is in the tests).
    """
    notes = []
    stated = volume_cubic_centimetre
    if stated is not None and not _close(stated, disc.volume_cubic_centimetre):
        notes.append(flag(GEO, _volume_message(disc, stated), Level.ERROR))
    if mass_gram is not None and theoretical_density is not None:
        volume = stated if stated is not None else disc.volume_cubic_centimetre
        notes.extend(_check_density(mass_gram / volume / theoretical_density, stated is None))
    return tuple(notes)


def relative_density(disc: Disc, mass_gram: float, theoretical_density: float) -> float:
    """Return the fraction of the theoretical density (g/cm3) that the pellet has."""
    return mass_gram / disc.volume_cubic_centimetre / theoretical_density


def _refuse_impossible(**values: float) -> None:
    problems = [
        Problem(name, f"got {value:g}, expected a positive finite number")
        for name, value in values.items()
        if not (math.isfinite(value) and value > 0)
    ]
    if problems:
        raise BadInput(problems)


def _volume_message(disc: Disc, stated: float) -> str:
    computed = disc.volume_cubic_centimetre
    message = f"volume {stated:.4g} cm3 against {computed:.4g} cm3 from diameter and thickness"
    if _close(stated, 4.0 * computed):
        message += "; it fits with the stated diameter as the radius: area and sigma are off by 4"
    return message


def _check_density(ratio: float, volume_from_diameter: bool) -> tuple[FlagNote, ...]:
    if _LOOSEST <= ratio <= _DENSEST:
        return ()
    message = f"relative density {ratio:.3f}, expected {_LOOSEST} to {_DENSEST}"
    if volume_from_diameter and _LOOSEST <= ratio / 4.0 <= 1.1:
        message += f"; with the diameter as the radius it would be {ratio / 4.0:.3f}"
    return (flag(GEO, message, Level.ERROR if ratio > _DENSEST else Level.WARN),)


def _check_thickness(thickness_centimetre: float) -> tuple[FlagNote, ...]:
    thinnest, thickest = _TYPICAL_THICKNESS_CENTIMETRE
    if thinnest <= thickness_centimetre <= thickest:
        return ()
    message = f"thickness {thickness_centimetre:g} cm; were micrometre or millimetre meant?"
    return (flag(GEO, message),)


def _check_plausible(sigma: float, material: Material | None) -> tuple[FlagNote, ...]:
    if material is None:
        return ()
    low, high = PLAUSIBLE_SIEMENS_PER_CENTIMETRE[material]
    if low <= sigma <= high:
        return ()
    message = f"{sigma:.3g} S/cm; a {material} usually has {low:g} to {high:g} S/cm"
    return (flag(SEED_RANGE, message),)


def _close(value: float, expected: float) -> bool:
    return abs(value / expected - 1.0) <= _VOLUME_TOLERANCE
