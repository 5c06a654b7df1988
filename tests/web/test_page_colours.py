"""Every pair of colours that meets on a page can be told apart by most people: WCAG 2.2, level AA."""

from __future__ import annotations

import re
from importlib import resources

import pytest

CSS = resources.files("rig.web.pages").joinpath("assets", "colours.css").read_text("utf-8")
SCHEMES = {
    name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for name, block in re.findall(r'\[data-theme="(\w+)"\] \{(.*?)\}', CSS, re.DOTALL)
}
STATES = ("running", "waiting", "trouble", "done", "idle", "coming")
GROUNDS = ("ground", "surface", "sunken", "button")
TEXT = [(ink, ground) for ink in ("ink", "soft", "link", "trouble") for ground in GROUNDS]
TEXT += [("on-state", state) for state in (*STATES, "link")]
TEXT += [
    (ink, f"{look}-ground")
    for look in ("trouble", "waiting", "done")
    for ink in ("ink", "soft", look)
]
TEXT += [("waiting", "ground"), ("waiting", "surface"), ("running", "ground"), ("ground", "ink")]
# What is no text needs 3:1 (1.4.11): edges of controls, focus, progress, the line of a plot.
SHAPES = [
    ("button-line", "surface"),
    ("focus", "ground"),
    ("focus", "surface"),
    ("trace", "surface"),
]
SHAPES += [(state, "surface") for state in STATES]
SHAPES += [(f"cycle-{place}", "surface") for place in ("first", "middle", "last")]


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2, relative luminance)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(scheme: str) -> None:
    colours = SCHEMES[scheme]
    low = {pair: contrast(*(colours[one] for one in pair)) for pair in TEXT}
    assert {pair: round(value, 2) for pair, value in low.items() if value < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shapes_have_a_contrast_of_at_least_three(scheme: str) -> None:
    colours = SCHEMES[scheme]
    low = {pair: contrast(*(colours[one] for one in pair)) for pair in SHAPES}
    assert {pair: round(value, 2) for pair, value in low.items() if value < 3.0} == {}


def test_both_schemes_name_the_same_colours_and_no_other_file_has_one() -> None:
    assert SCHEMES["light"].keys() == SCHEMES["dark"].keys()
    assets = resources.files("rig.web.pages").joinpath("assets")
    others = [one for one in assets.iterdir() if one.name.endswith(".css")]
    for one in others:
        if one.name != "colours.css":
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*[{,])", one.read_text("utf-8"))
