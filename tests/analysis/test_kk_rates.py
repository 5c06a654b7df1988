"""How often the verdict is wrong over many kinds of cell: a small go of benchmarks/kk_rates.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
CELLS = 30
WITHIN = 1 / CELLS + 1e-9  # one cell of them


@pytest.fixture(scope="module")
def kk_rates() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import kk_rates  # type: ignore[import-not-found]

        yield kk_rates


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.005, 0.01])
def test_sound_spectra_are_neither_refused_nor_suspected(
    kk_rates: ModuleType, noise: float
) -> None:
    random = np.random.default_rng(11)
    cells = [kk_rates.drawn_cell(random) for _ in range(CELLS)]
    found = kk_rates.rates(cells, noise, random, lambda cell: cell.ohm)
    assert found.refused <= (WITHIN if noise < 0.01 else 3 * WITHIN)
    assert found.hinted + found.z_hit_alone <= WITHIN


@pytest.mark.parametrize(
    ("fault", "size", "missed"),
    [
        ("drift, even by point", 0.2, 0),
        ("drift, even in time", 0.1, 1),
        ("step", 0.05, 1),
        ("wrong factor of a range", 0.05, 1),
        ("one bad point", 0.1, 0),
        ("saturation", 0.1, 6),  # where little of the spectrum is beyond the limit
    ],
)
def test_a_fault_that_matters_is_refused_or_named(
    kk_rates: ModuleType, fault: str, size: float, missed: int
) -> None:
    random = np.random.default_rng(12)
    cells = [kk_rates.drawn_cell(random) for _ in range(CELLS)]
    spoil, _ = kk_rates.FAULTS[fault]
    found = kk_rates.rates(cells, 0.002, random, lambda cell: spoil(cell, size, random))
    assert found.missed * CELLS <= missed + 1e-6
