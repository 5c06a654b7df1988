"""The list of instruments in the reference says what the sheets say."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.registry import driver_names, load_driver
from rig.core.sheet import Model, Sheet

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/instruments.md"


def row(sheet: Sheet) -> str:
    """Return the family's line of the page's first table."""
    models = ", ".join(model.name for model in sheet.models)
    roles = ", ".join(role.value for role in sheet.roles)
    return f"| `{sheet.family}` | {sheet.maker} {models} | {roles} | {sheet.tier.value} |"


def ranges(sheet: Sheet, model: Model) -> str:
    """Return the model's line of the table of ranges; empty where a quantity does not apply."""
    cells = (
        _between(model.voltage_volt, "V"),
        _spoken(model.current_ampere, "A") if model.current_ampere else "",
        _between(model.frequency_hertz, "Hz"),
        _between(model.temperature_celsius, "°C"),
    )
    return f"| `{sheet.family}` | {model.name} | {' | '.join(cells)} |"


def has_ranges(model: Model) -> bool:
    """Say whether the sheet gives the model any range of this table."""
    return any((model.voltage_volt, model.frequency_hertz, model.temperature_celsius))


def _between(bounds: tuple[float, float] | None, unit: str) -> str:
    if bounds is None:
        return ""
    low, high = (_spoken(bound, unit) for bound in bounds)
    return low if low == high else f"{low} to {high}"


def _spoken(value: float, unit: str) -> str:
    """Write a quantity with the prefix that suits it; volt and degrees have none here."""
    prefixes = {"A": ((1.0, ""), (1e-3, "m"), (1e-6, "µ")), "Hz": ((1e6, "M"), (1e3, "k"))}
    fitting = (pair for pair in prefixes.get(unit, ()) if value >= pair[0])
    factor, prefix = next(fitting, (1.0, ""))
    return f"{value / factor:g} {prefix}{unit}"


@pytest.mark.parametrize("family", driver_names())
def test_every_family_and_every_range_stands_on_the_page_as_in_its_sheet(family: str) -> None:
    sheet = load_driver(family).sheet
    wanted = [row(sheet)]
    wanted += [ranges(sheet, model) for model in sheet.models if has_ranges(model)]
    page = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in wanted if line not in page] == []


@pytest.mark.parametrize("family", driver_names())
def test_every_family_says_what_is_left_out(family: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"\n**`{family}`**" in page


def test_the_readme_counts_the_families_right() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"[{len(driver_names())} instrument families]" in readme
