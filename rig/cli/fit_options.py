"""The options that the commands of ``rig fit`` share: source, output, and a sample's geometry."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from rig.core.errors import BadInput, Problem
from rig.core.units import DIMENSIONS, quantity

Source = Annotated[str, typer.Argument(help="A file (csv, BDF) or a run id.")]
Database = Annotated[str | None, typer.Option("--db", help="Database URL for run ids.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Thickness = Annotated[str | None, typer.Option(help="Of the sample, for example 0.5 mm.")]
Area = Annotated[str | None, typer.Option(help="Of one electrode, for example 0.785 cm^2.")]
Diameter = Annotated[str | None, typer.Option(help="Instead of --area, for example 10 mm.")]
ThicknessUncertainty = Annotated[
    str | None, typer.Option(help="One standard deviation, for example 5 %.")
]
AreaUncertainty = Annotated[
    str | None, typer.Option(help="One standard deviation, for example 2 %.")
]


def length_of(text: str | None, option: str, purpose: str = "for a conductivity") -> float:
    """Read a length in cm that the command needs; BadInput says what for when it is missing."""
    if text is None:
        raise BadInput(Problem(option, f"is needed {purpose}", example=f"{option} 0.5mm"))
    return _above_zero(text, "length", option)


def area_of(area: str | None, diameter: str | None) -> float:
    """Read an area in cm2 from ``--area`` or from the diameter of a disc; exactly one is needed."""
    if (area is None) == (diameter is None):
        message = "give exactly one of --area and --diameter"
        raise BadInput(Problem("--area", message, example="--area 0.785cm^2"))
    if diameter is not None:
        return math.pi * _above_zero(diameter, "length", "--diameter") ** 2 / 4.0
    return _above_zero(area, "area", "--area")


def _above_zero(text: str | None, dimension: str, option: str) -> float:
    """Read a size that has to be above zero; BadInput names its option."""
    value = quantity(text, dimension, option)
    if value <= 0:
        example = f"{option} {DIMENSIONS[dimension][1].replace(' ', '')}"
        raise BadInput(Problem(option, f"got {text!r}, expected above zero", example=example))
    return value


def fraction_of(*texts: str | None) -> float:
    """Return the root sum square of the relative uncertainties given, 0 for none."""
    return math.hypot(*(quantity(text, "fraction", "uncertainty") for text in texts if text))
