"""Closed transport formulas against the original tables."""

from __future__ import annotations

import pytest

from rig.analysis.flags import Level
from rig.analysis.transport import (
    bruce_vincent,
    conductivity_diffusivity,
    mobility,
    pulse_diffusivity,
)
from rig.core.errors import BadInput


def test_r1_transference_numbers_of_the_original_paper() -> None:
    repeat = bruce_vincent(10e-3, 17.54e-6, 243, 10.78e-6, 250)
    first = bruce_vincent(10.2e-3, 21.0e-6, 150, 10.10e-6, 249)
    assert repeat.transference_number == pytest.approx(0.4827, abs=5e-4)
    assert first.transference_number == pytest.approx(0.4412, abs=5e-4)
    assert repeat.current_ratio == pytest.approx(0.6146, abs=1e-4)
    assert repeat.electrolyte_resistance_ohm == pytest.approx(327, abs=0.5)


def test_r1_the_misprinted_current_is_exposed_by_the_repeat_of_the_same_cell() -> None:
    misread = bruce_vincent(10e-3, 30e-6, 156, 10.15e-6, 250, electrolyte_resistance_ohm=327)
    assert misread.transference_number == pytest.approx(0.2412, abs=5e-4)
    assert [note.code for note in misread.flags] == ["BV"]
    assert "177" in misread.flags[0].message
    assert bruce_vincent(10e-3, 20e-6, 156, 10.15e-6, 250).transference_number == pytest.approx(
        0.4679, abs=5e-4
    )


def test_s10_diffusivity_mobility_and_transference() -> None:
    assert conductivity_diffusivity(2e-3, 2e22, 298.15) == pytest.approx(1.60360e-8, rel=1e-5)
    assert mobility(2e-3, 2e22) == pytest.approx(6.24151e-7, rel=1e-5)
    result = bruce_vincent(10e-3, 20e-6, 150, 12e-6, 180)
    assert result.transference_number == pytest.approx(0.535714, abs=1e-6)
    assert result.flags == ()


def test_s14_titration_pulse_gives_the_diffusivity() -> None:
    assert pulse_diffusivity(2.0e-4, 1200, 4e-3, 12e-3) == pytest.approx(4.71570e-12, rel=1e-5)
    sphere = pulse_diffusivity(5e-4 / 3, 1200, 4e-3, 12e-3)
    assert sphere == pytest.approx(3.27479e-12, rel=1e-5)


def test_impossible_results_are_errors_and_impossible_inputs_refused() -> None:
    flags = bruce_vincent(100e-3, 20e-6, 6000, 12e-6, 180).flags
    assert {note.level for note in flags} == {Level.ERROR, Level.WARN}
    with pytest.raises(BadInput) as caught:
        bruce_vincent(0.0, -1.0, 150, 12e-6, 180)
    assert len(caught.value.problems) == 2
