"""Conductivity of a pellet and the geometry errors that the literature holds."""

from __future__ import annotations

import math

import pytest

from rig.analysis.conductivity import Disc, check_pellet, conductivity, relative_density
from rig.analysis.flags import Level
from rig.core.errors import BadInput


def test_s3_a_pellet_has_its_conductivity_and_every_uncertainty_in_it() -> None:
    disc = Disc(0.1000, 1.000, 0.05, 0.01)
    result = conductivity(
        63.66,
        disc.thickness_centimetre,
        disc.area_square_centimetre,
        resistance_relative_uncertainty=0.01,
        thickness_relative_uncertainty=disc.thickness_relative_uncertainty,
        area_relative_uncertainty=disc.area_relative_uncertainty,
    )
    assert result.conductivity_siemens_per_centimetre == pytest.approx(2.00006e-3, rel=1e-5)
    assert result.relative_uncertainty == pytest.approx(0.05477, abs=1e-5)
    assert result.standard_error == pytest.approx(1.0955e-4, rel=1e-4)
    assert result.geometry_relative_uncertainty == pytest.approx(math.hypot(0.05, 0.02))
    assert result.flags == ()


@pytest.mark.parametrize(
    ("mass", "thickness", "volume", "theoretical", "density_as_radius"),
    [(0.1035, 0.082, 0.093, 1.03, 1.083), (0.1175, 0.134, 0.152, 1.15, 0.67)],
)
def test_r9_a_radius_published_as_diameter_is_named(
    mass: float, thickness: float, volume: float, theoretical: float, density_as_radius: float
) -> None:
    disc = Disc(thickness, 0.6)
    notes = check_pellet(
        disc,
        mass_gram=mass,
        theoretical_density=theoretical,
        volume_cubic_centimetre=volume,
    )
    assert notes[0].code == "GEO"
    assert notes[0].level is Level.ERROR
    assert "radius" in notes[0].message
    assert relative_density(disc, mass, theoretical) == pytest.approx(
        4.0 * density_as_radius, rel=0.01
    )
    assert f"{density_as_radius:.2f}" in notes[1].message  # still dense above 1, or porous below


def test_a_density_above_one_suggests_the_radius_when_that_would_fit() -> None:
    notes = check_pellet(Disc(0.082, 0.6), mass_gram=0.1035, theoretical_density=1.03)
    assert [note.level for note in notes] == [Level.ERROR]
    assert "with the diameter as the radius it would be 1.08" in notes[0].message


def test_a_consistent_pellet_is_not_flagged_and_a_porous_one_only_warned() -> None:
    disc = Disc(0.05, 1.0)
    volume = disc.volume_cubic_centimetre
    assert check_pellet(disc, volume_cubic_centimetre=volume) == ()
    assert check_pellet(disc, mass_gram=0.9 * volume * 1.86, theoretical_density=1.86) == ()
    porous = check_pellet(disc, mass_gram=0.6 * volume * 1.86, theoretical_density=1.86)
    assert [note.level for note in porous] == [Level.WARN]


def test_an_implausible_thickness_or_conductivity_is_said_and_not_refused() -> None:
    assert "micrometre" in conductivity(100.0, 500.0, 0.785).flags[0].message
    assert conductivity(100.0, 1e-3, 0.785, material="sulfide").flags[0].code == "SEED-RANGE"
    assert conductivity(63.66, 0.1, 0.785, material="sulfide").flags == ()


def test_all_impossible_values_are_named_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        conductivity(0.0, math.nan, -1.0)
    assert [problem.where for problem in caught.value.problems] == [
        "resistance_ohm",
        "thickness_centimetre",
        "area_square_centimetre",
    ]
