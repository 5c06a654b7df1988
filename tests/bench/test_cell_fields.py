"""What a person writes of a cell: read with its unit, refused all at once."""

from __future__ import annotations

import math

import pytest

from rig.bench.cell_fields import MASSES, read_cell_fields, read_cell_name
from rig.core.errors import BadInput


def test_fields_are_read_into_the_columns_of_a_cell() -> None:
    given = {"chemistry": "LFP | LPS | Li", "diameter": "10 mm", "thickness": "0.5 mm", "note": ""}
    masses = {"mass": "12.3 mg", "negative_mass": "20 mg", "cell_mass": "4.2 g"}
    found = read_cell_fields({**given, **masses, "capacity": "2 mAh", "symmetric": "no"})
    assert found.pop("area_square_centimetre") == pytest.approx(math.pi / 4)
    assert found == {
        "chemistry": "LFP | LPS | Li",
        "thickness_centimetre": pytest.approx(0.05),
        "mass_gram": pytest.approx(0.0123),
        "capacity_ah": pytest.approx(0.002),
        "symmetric": False,
        "meta": {MASSES: {"negative": pytest.approx(0.02), "cell": pytest.approx(4.2)}},
    }


def test_everything_that_is_wrong_is_told_at_once_with_an_example() -> None:
    wrong = {"area": "0.785", "mass": "3 V", "capacity": "-2 mAh", "symmetric": "perhaps"}
    with pytest.raises(BadInput) as caught:
        read_cell_fields({**wrong, "diameter": "1 cm", "thicknes": "1 mm"}, "--")
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 6
    assert all("example" in line or "did you mean" in line for line in said)
    assert any("did you mean 'thickness'" in line for line in said)


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "x" * 101])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        read_cell_name(name)
