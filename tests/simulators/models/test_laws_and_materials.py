"""Temperature laws and material data against the published and tabulated numbers."""

from __future__ import annotations

import math

import pytest

from simulators.models.laws import Constant, Hopping
from simulators.models.materials import MATERIALS, Conductor, Material
from simulators.models.pellet import Pellet


def conductivity(name: str, celsius: float) -> float:
    return Pellet(MATERIALS[name], 1.0, 0.1).conductivity(celsius)


def test_every_law_is_one_at_25_celsius() -> None:
    laws = [Constant(), Hopping(0.35), MATERIALS["PEO-LiTFSI"].bulk.law]
    assert [law.factor(25.0) for law in laws] == pytest.approx([1.0] * 3, rel=1e-12)


def test_hopping_reproduces_the_exact_conductivities_of_case_s1() -> None:
    # science S1: s = (A'/T) exp(-0.350/kT), A' = 4.916878e5 S K/cm, s25 = 2.000e-3.
    for celsius in range(-20, 81, 10):
        kelvin = celsius + 273.15
        exact = 4.916878e5 / kelvin * math.exp(-0.350 / (8.617333262e-5 * kelvin))
        assert 2.0e-3 / Hopping(0.350).factor(celsius) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(
    ("energy", "specific_ohm", "celsius", "expected"),
    [(0.35, 1.5, 0, 5.219), (0.55, 10, 0, 70.941), (0.35, 1.5, 60, 0.3585), (0.55, 10, 60, 1.0551)],
)
def test_hopping_is_case_s16_times_the_temperature_ratio(
    energy: float, specific_ohm: float, celsius: float, expected: float
) -> None:
    # S16 is in the ln(1/R) convention, which lacks the factor T / 298.15 K.
    ratio = (celsius + 273.15) / 298.15
    assert specific_ohm * Hopping(energy).factor(celsius) / ratio == pytest.approx(
        expected, rel=2e-4
    )


def test_bulk_and_boundary_in_series_reproduce_case_s9() -> None:
    material = Material(
        "S9",
        Conductor(4.6e-4, Hopping(0.34)),
        relative_permittivity=60.0,
        boundary=Conductor(1.2e-3, Hopping(0.43)),
    )
    pellet = Pellet(material, 1.0, 0.1)
    assert pellet.conductivity(25.0) == pytest.approx(3.32530e-4, rel=1e-5)
    truth = pellet.truth([float(celsius) for celsius in range(-40, 101, 10)])
    assert truth["activation_energy_electronvolt"] == pytest.approx(0.36744, abs=1e-5)


def test_one_activation_energy_comes_back_exactly() -> None:
    truth = Pellet(MATERIALS["Li6PS5Cl"], 0.785, 0.08).truth([-20.0, 0.0, 25.0, 60.0])
    assert truth["conductivity_25_celsius_siemens_per_centimetre"] == pytest.approx(2.0e-3)
    assert truth["activation_energy_electronvolt"] == pytest.approx(0.35, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "celsius", "expected"),
    [
        ("Li6PS5Cl", 25.0, 2.0e-3),
        ("LLZO", 25.0, 3.0e-4),
        ("LBPSI", 25.0, 2.4e-3),
        ("PEO-LiTFSI", 60.0, 5.19e-4),
        ("PEO-LiTFSI", 90.0, 1.84e-3),
        ("PEO-LiTFSI", 27.5, 1.0e-5),
    ],
)
def test_materials_have_their_published_conductivity(
    name: str, celsius: float, expected: float
) -> None:
    assert conductivity(name, celsius) == pytest.approx(expected, rel=0.01)


def test_the_polymer_has_a_kink_but_no_jump_at_melting() -> None:
    below, at, above = (math.log(conductivity("PEO-LiTFSI", t)) for t in (59.9, 60.0, 60.1))
    assert below < at < above
    assert (at - below) / (above - at) > 1.5
    assert at - below < 0.02
