"""Air that does exactly as told, and cells in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulators.models.cell import CircuitCell, Recipe
from simulators.models.fixture import NO_FIXTURE, Fixture


class ToldAir:
    """A chamber without inertia: the air has the last temperature that was set, at once."""

    def __init__(self, celsius: float) -> None:
        self._steps: list[tuple[float, float]] = [(float("-inf"), celsius)]

    def set_point(self, celsius: float | None, now_second: float) -> None:
        assert celsius is not None
        self._steps.append((now_second, celsius))

    def air_temperature_celsius(self, now_second: float) -> float:
        return next(celsius for since, celsius in reversed(self._steps) if since <= now_second)

    def state(self) -> dict[str, Any]:
        return {"steps": self._steps}

    def restore(self, state: dict[str, Any]) -> None:
        self._steps = state["steps"]


MakeCell = Callable[..., CircuitCell]


@pytest.fixture
def told_air() -> ToldAir:
    return ToldAir(25.0)


@pytest.fixture
def make_cell() -> MakeCell:
    """Return a function that makes a cell whose sample has one temperature for ever, 25 degC."""

    def make(
        recipe: Recipe,
        celsius: float = 25.0,
        *,
        fixture: Fixture = NO_FIXTURE,
        drift_per_hour: float = 0.0,
    ) -> CircuitCell:
        return CircuitCell(recipe, ToldAir(celsius), 900.0, fixture, drift_per_hour)

    return make
