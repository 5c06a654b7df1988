"""Reading `simulate:` blocks: everything wrong at once, with the place and the nearest word."""

from __future__ import annotations

import pytest

from rig.core.errors import Problem
from simulators.models.blocks import read_cell, read_chamber
from simulators.models.full_cell import FullCell
from simulators.models.pellet import SymmetricPellet

SYMMETRIC = {
    "cell": "symmetric_pellet",
    "material": "Li6PS5Cl",
    "area": "0.785 cm^2",
    "thickness": "0.8 mm",
    "interface_resistance": "10 ohm*cm^2",
    "interface_activation_energy": "0.50 eV",
}


def problems_of(content: dict[str, object]) -> list[str]:
    problems: list[Problem] = []
    read_cell(content, "channels.X.simulate", problems)
    return [str(problem) for problem in problems]


def test_a_whole_block_becomes_a_recipe_in_base_units() -> None:
    problems: list[Problem] = []
    recipe, lag_second = read_cell(SYMMETRIC | {"thermal_lag": "20 min"}, "here", problems)
    assert problems == []
    assert isinstance(recipe, SymmetricPellet)
    assert recipe.pellet.thickness_centimetre == pytest.approx(0.08)
    assert recipe.interface_resistance_ohm_square_centimetre == 10.0
    assert lag_second == 1200.0


@pytest.mark.parametrize("text", ["10 ohm*cm^2", "10 ohm cm^2", "10 Ω·cm²", "0.01 kohm*cm^2"])
def test_area_specific_resistance_is_read_in_the_field_s_spellings(text: str) -> None:
    recipe, _ = read_cell(SYMMETRIC | {"interface_resistance": text}, "here", [])
    assert isinstance(recipe, SymmetricPellet)
    assert recipe.interface_resistance_ohm_square_centimetre == pytest.approx(10.0)


@pytest.mark.parametrize("text", ["0.5 eV", "500 meV", "48.242665 kJ/mol"])
def test_activation_energy_is_read_in_the_field_s_units(text: str) -> None:
    recipe, _ = read_cell(SYMMETRIC | {"interface_activation_energy": text}, "here", [])
    assert isinstance(recipe, SymmetricPellet)
    assert recipe.interface_activation_energy_electronvolt == pytest.approx(0.5)


@pytest.mark.parametrize("alpha", [5e-4, "5e-4"])
def test_a_plain_number_may_come_as_yaml_number_or_text(alpha: object) -> None:
    content: dict[str, object] = {"cell": "full_cell", "area": "1 cm^2", "alpha_per_cycle": alpha}
    recipe, _ = read_cell(content, "here", [])
    assert isinstance(recipe, FullCell)
    assert recipe.alpha_per_cycle == 5e-4


def test_everything_wrong_is_reported_at_once() -> None:
    found = problems_of(
        SYMMETRIC
        | {
            "material": "Li6PS5CI",
            "area": 0.785,
            "thickness": "-1 mm",
            "interface_resistance": "10 ohm",
            "interfacial_growth": "1 ohm*cm^2/h^0.5",
        }
    )
    assert len(found) == 5
    assert any("material" in text and "did you mean 'Li6PS5Cl'" in text for text in found)
    assert any("area" in text and "without a unit" in text for text in found)
    assert any("thickness" in text and "above zero" in text for text in found)
    assert any("'10 ohm'" in text and "example: 10 ohm*cm^2" in text for text in found)
    assert any("interfacial_growth" in text and "'interface_growth'" in text for text in found)


def test_an_unknown_kind_of_cell_is_refused_with_the_nearest() -> None:
    (found,) = problems_of({"cell": "fullcell", "area": "1 cm^2"})
    assert "did you mean 'full_cell'" in found


def test_what_is_missing_is_named() -> None:
    found = problems_of({"cell": "full_cell"})
    assert found == ["channels.X.simulate.area: missing"]


@pytest.mark.parametrize("bad", [True, "many", "nan", "inf", None])
def test_a_plain_number_that_is_none_is_refused(bad: object) -> None:
    (found,) = problems_of({"cell": "full_cell", "area": "1 cm^2", "alpha_per_cycle": bad})
    assert "expected a plain number" in found


def test_an_efficiency_above_one_is_refused() -> None:
    (found,) = problems_of({"cell": "full_cell", "area": "1 cm^2", "coulombic_efficiency": 1.2})
    assert "at most 1" in found


def test_a_chamber_s_traits_are_read_with_units() -> None:
    problems: list[Problem] = []
    content = {"ripple": "0.2 K", "heating_rate": "2 K/min", "ambient": "20 degC"}
    traits = read_chamber(content, "instruments.c.simulate", problems)
    assert problems == []
    assert (traits.ripple_kelvin, traits.heating_kelvin_per_minute) == (0.2, 2.0)
    assert traits.ambient_celsius == pytest.approx(20.0)
