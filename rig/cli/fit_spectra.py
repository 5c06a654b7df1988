"""``rig fit interface``: spectra or resistances in, resistance of one interface out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.fit_options import (
    Area,
    AreaUncertainty,
    Database,
    Diameter,
    Json,
    Thickness,
    area_of,
    fraction_of,
    length_of,
)
from rig.cli.fit_output import complain_of, show_result, with_error
from rig.cli.tables import load_source, numbers
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    import pandas as pd

    from rig.analysis.adequacy import Adequacy
    from rig.analysis.capacitance import Geometry
    from rig.analysis.interface import InterfaceResistance
    from rig.analysis.spectrum import Spectrum

SPECTRUM_COLUMNS = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")


def interface(
    sources: Annotated[
        list[str], typer.Argument(help="One table of resistances, or one spectrum per file.")
    ],
    symmetric: Annotated[
        bool, typer.Option(help="Two like interfaces in series; off: one interface.")
    ] = True,
    thickness: Thickness = None,
    area: Area = None,
    diameter: Diameter = None,
    area_uncertainty: AreaUncertainty = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Area-specific resistance per interface, at one or several temperatures.

    A table has temperature_celsius and either interfaces_resistance_ohm or total_resistance_ohm and
    electrolyte_resistance_ohm, each with an optional ..._standard_error_ohm. Ends with 1 where no
    circuit describes a spectrum.
    """
    from rig.analysis.capacitance import Geometry
    from rig.analysis.interface import interface_series

    relative = fraction_of(area_uncertainty)
    found: list[InterfaceResistance] = []
    judged: list[tuple[str, Adequacy]] = []
    celsius: list[float] = []
    described: list[bool] = []
    for source in sources:
        frame = load_source(source, db, "interface", SPECTRUM_COLUMNS)
        own_area = None if diameter else frame.attrs.get("area")
        square_centimetre = area_of(area or own_area, diameter)
        if "frequency_hertz" not in frame.columns:
            rows = _from_table(frame, source, square_centimetre, relative, symmetric=symmetric)
            described += [True] * len(rows)
        elif symmetric:
            centimetre = length_of(thickness, "--thickness", _TO_TELL_APART)
            geometry = Geometry(centimetre, square_centimetre)
            one, adequate = _from_spectrum(frame, source, geometry, relative)
            rows = [one]
            judged.append((source, adequate))
            described.append(adequate.described)
        else:
            raise BadInput(
                Problem(source, "a spectrum of two unlike electrodes cannot be split"),
                remedy="use a third electrode, or give a table of resistances",
            )
        found.extend(rows)
        celsius.extend(_temperatures(frame, source, len(rows)))
    code = complain_of(judged)
    values = interface_series(celsius, found).to_dict()
    shown = [
        (
            "interface" if math.isnan(temperature) else f"{temperature:.1f} degC",
            _in_words(one) if is_good else "none, see EIS-FIT",
        )
        for temperature, one, is_good in zip(celsius, found, described, strict=True)
    ]
    show_result(values, "Resistance of one interface", shown, as_json=json)
    return code


_TO_TELL_APART = "to tell an interface from the electrolyte by its capacitance"


def _spectrum(frame: pd.DataFrame, source: str) -> Spectrum:
    from rig.analysis.spectrum import spectrum

    columns = numbers(frame, source, SPECTRUM_COLUMNS)
    return spectrum(*(columns[name] for name in SPECTRUM_COLUMNS))


def geometry_of(thickness: str | None, area: str | None, diameter: str | None) -> Geometry | None:
    """Return the geometry, or None when nothing of it was given; half of one is refused."""
    from rig.analysis.capacitance import Geometry

    if thickness is None and area is None and diameter is None:
        return None
    return Geometry(length_of(thickness, "--thickness"), area_of(area, diameter))


def _from_spectrum(
    frame: pd.DataFrame, source: str, geometry: Geometry, area_relative: float
) -> tuple[InterfaceResistance, Adequacy]:
    from rig.analysis.adequacy import adequacy
    from rig.analysis.pellet import symmetric_cell

    measured = _spectrum(frame, source)
    cell = symmetric_cell(measured, geometry, area_relative_uncertainty=area_relative)
    judged = adequacy(measured, cell.fit)
    return replace(cell.interface, flags=(*judged.flags, *cell.flags)), judged


def _from_table(
    frame: pd.DataFrame,
    source: str,
    square_centimetre: float,
    area_relative: float,
    *,
    symmetric: bool,
) -> list[InterfaceResistance]:
    from rig.analysis.interface import (
        interface_from_difference,
        interface_resistance,
    )

    direct = "interfaces_resistance_ohm" in frame.columns
    names = ["interfaces"] if direct else ["total", "electrolyte"]
    values = numbers(frame, source, [f"{name}_resistance_ohm" for name in names])
    given = numbers(frame, source, [], [f"{name}_standard_error_ohm" for name in names])
    table = [
        (column, given.get(f"{name}_standard_error_ohm", 0.0 * column))
        for name, column in zip(names, values.values(), strict=True)
    ]
    if direct:
        ((both, both_error),) = table
        return [
            interface_resistance(
                float(ohm),
                float(error),
                square_centimetre,
                symmetric=symmetric,
                area_relative_uncertainty=area_relative,
            )
            for ohm, error in zip(both, both_error, strict=True)
        ]
    (total, total_error), (inner, inner_error) = table
    return [
        interface_from_difference(
            float(total[row]),
            float(inner[row]),
            square_centimetre,
            total_standard_error_ohm=float(total_error[row]),
            electrolyte_standard_error_ohm=float(inner_error[row]),
            symmetric=symmetric,
            area_relative_uncertainty=area_relative,
        )
        for row in range(total.size)
    ]


def _temperatures(frame: pd.DataFrame, source: str, rows: int) -> list[float]:
    """One sample temperature per result; of a spectrum the mean, nan where nobody wrote it down."""
    if "temperature_celsius" not in frame.columns:
        return [math.nan] * rows
    celsius = numbers(frame, source, ["temperature_celsius"])["temperature_celsius"]
    return [float(celsius.mean())] if rows == 1 else [float(value) for value in celsius]


def _in_words(one: InterfaceResistance) -> str:
    limit = one.upper_limit_ohm_square_centimetre
    if limit is not None:
        return f"below {limit:.3g} ohm cm2"
    return with_error(
        one.area_specific_resistance_ohm_square_centimetre,
        one.combined_standard_error_ohm_square_centimetre,
        "ohm cm2",
    )
