"""Reading `simulate:` blocks: everything wrong at once, with the place and the nearest word."""

from __future__ import annotations

import pytest

from rig.core.errors import Problem
from simulators.models.blocks import CellSetup, read_cell, read_chamber
from simulators.models.fixture import NO_FIXTURE, USUAL_FIXTURE, Fixture, FixtureState
from simulators.models.full_cell import FullCell
from simulators.models.pellet import SymmetricPellet

SYMMETRIC: dict[str, object] = {
    "cell": "symmetric_pellet",
    "material": "Li6PS5Cl",
    "area": "0.785 cm^2",
    "thickness": "0.8 mm",
    "interface_resistance": "10 ohm*cm^2",
    "interface_activation_energy": "0.50 eV",
}


DUMMY: dict[str, object] = {"cell": "dummy", "resistance": "100 ohm"}


def problems_of(content: dict[str, object]) -> list[str]:
    problems: list[Problem] = []
    assert read_cell(content, "channels.X.simulate", problems) is None
    return [str(problem) for problem in problems]


def setup_of(content: dict[str, object]) -> CellSetup:
    problems: list[Problem] = []
    setup = read_cell(content, "here", problems)
    assert problems == []
    assert setup is not None
    return setup


def test_a_whole_block_becomes_a_recipe_in_base_units() -> None:
    setup = setup_of(SYMMETRIC | {"thermal_lag": "20 min"})
    recipe = setup.recipe
    assert isinstance(recipe, SymmetricPellet)
    assert recipe.pellet.thickness_centimetre == pytest.approx(0.08)
    assert recipe.interface_resistance_ohm_square_centimetre == 10.0
    assert setup.thermal_lag_second == 1200.0
    assert (setup.fixture, setup.drift_per_hour) == (USUAL_FIXTURE, 0.0)


@pytest.mark.parametrize("text", ["10 ohm*cm^2", "10 ohm cm^2", "10 Ω·cm²", "0.01 kohm*cm^2"])
def test_area_specific_resistance_is_read_in_the_field_s_spellings(text: str) -> None:
    recipe = setup_of(SYMMETRIC | {"interface_resistance": text}).recipe
    assert isinstance(recipe, SymmetricPellet)
    assert recipe.interface_resistance_ohm_square_centimetre == pytest.approx(10.0)


@pytest.mark.parametrize("text", ["0.5 eV", "500 meV", "48.242665 kJ/mol"])
def test_activation_energy_is_read_in_the_field_s_units(text: str) -> None:
    recipe = setup_of(SYMMETRIC | {"interface_activation_energy": text}).recipe
    assert isinstance(recipe, SymmetricPellet)
    assert recipe.interface_activation_energy_electronvolt == pytest.approx(0.5)


@pytest.mark.parametrize("alpha", [5e-4, "5e-4"])
def test_a_plain_number_may_come_as_yaml_number_or_text(alpha: object) -> None:
    content: dict[str, object] = {"cell": "full_cell", "area": "1 cm^2", "alpha_per_cycle": alpha}
    recipe = setup_of(content).recipe
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


def test_a_fixture_is_read_with_units() -> None:
    fixture = {"resistance": "500 mohm", "inductance": "0.3 µH", "capacitance": "8 pF"}
    setup = setup_of(DUMMY | {"fixture": fixture | {"state": "open"}})
    read = setup.fixture
    assert read.resistance_ohm == pytest.approx(0.5)
    assert read.inductance_henry == pytest.approx(300e-9)
    assert read.capacitance_farad == pytest.approx(8e-12)
    assert read.state is FixtureState.OPEN


def test_what_a_fixture_does_not_say_is_as_usual_for_that_kind_of_cell() -> None:
    assert setup_of(DUMMY | {"fixture": {}}).fixture == NO_FIXTURE
    fixture = setup_of(SYMMETRIC | {"fixture": {"capacitance": "8 pF"}}).fixture
    assert fixture == Fixture(0.2, 0.5e-6, 8e-12)


def test_lead_resistance_is_the_resistance_of_the_fixture_alone() -> None:
    setup = setup_of(SYMMETRIC | {"lead_resistance": "5 mohm", "fixture": {"inductance": "0 nH"}})
    assert setup.fixture == Fixture(pytest.approx(5e-3))


@pytest.mark.parametrize("text", ["0.5 %/h", "0.005 1/h", "0.5%/h"])
def test_a_drift_is_a_part_per_hour(text: str) -> None:
    assert setup_of(DUMMY | {"drift": text}).drift_per_hour == pytest.approx(0.005)


def test_everything_wrong_with_a_fixture_is_reported_at_once() -> None:
    found = problems_of(
        DUMMY
        | {
            "fixture": {
                "resistence": "0.5 ohm",
                "resistance": "-1 ohm",
                "inductance": 3e-7,
                "capacitance": "8 mAh",
                "state": "opened",
            },
            "drift": 0.005,
        }
    )
    assert len(found) == 6
    assert any("fixture.resistence" in text and "'resistance'" in text for text in found)
    assert any("fixture.resistance" in text and "zero or more" in text for text in found)
    assert any("fixture.inductance" in text and "example: 300 nH" in text for text in found)
    assert any("fixture.capacitance" in text and "example: 8 pF" in text for text in found)
    assert any("fixture.state" in text and "'open'" in text for text in found)
    assert any("simulate.drift" in text and "example: 0.5 %/h" in text for text in found)


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ({"fixture": "0.5 ohm"}, "simulate.fixture:", "expected a mapping"),
        ({"fixture": None}, "simulate.fixture:", "expected a mapping"),
        ({"fixture": {"state": "short"}}, "simulate.fixture.state:", "some resistance"),
        ({"fixture": {"inductance": "-1 nH"}}, "simulate.fixture.inductance:", "zero or more"),
        ({"fixture": {"capacitance": "-1 pF"}}, "simulate.fixture.capacitance:", "zero or more"),
        ({"fixture": {"capacitance": "1e999 pF"}}, "simulate.fixture.capacitance:", "too large"),
        ({"drift": "-0.5 %/h"}, "simulate.drift:", "from 0 to 1000 %/h"),
        ({"drift": "1e6 %/h"}, "simulate.drift:", "from 0 to 1000 %/h"),
        ({"drift": "0.5 %"}, "simulate.drift:", "%/h, 1/h"),
        ({"fixture_state": "open"}, "simulate.fixture_state:", "unknown key"),
        (
            {"lead_resistance": "1 ohm", "fixture": {"resistance": "1 ohm"}},
            "simulate.lead_resistance:",
            "given twice",
        ),
    ],
)
def test_a_fixture_or_drift_that_cannot_be_is_refused(
    content: dict[str, object], place: str, words: str
) -> None:
    (found,) = problems_of(DUMMY | content)
    assert place in found
    assert words in found
