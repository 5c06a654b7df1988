"""``rig fit eis``: circuits fitted to one spectrum, to several, or to a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.fit_options import (
    Area,
    AreaUncertainty,
    Database,
    Diameter,
    Json,
    Thickness,
    ThicknessUncertainty,
    fraction_of,
)
from rig.cli.fit_output import Row, show_flags, show_result, show_table, with_error
from rig.cli.fit_spectra import geometry_of
from rig.cli.output import picture_file, print_json
from rig.cli.spectra_source import (
    Negated,
    SpectrumNumber,
    as_spectrum,
    chosen,
    load_measured,
    the_only,
)
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from rig.analysis.capacitance import Geometry
    from rig.analysis.cell_quantities import Sample
    from rig.analysis.impedance_fit import CircuitFit
    from rig.analysis.spectrum import Spectrum

Values = Annotated[
    list[str] | None, typer.Option(help="name=value in base units, for example R0=12.5; repeat.")
]


@dataclass(frozen=True, slots=True)
class _Measured:
    name: str
    spectrum: Spectrum
    temperature_celsius: float | None


def eis(
    sources: Annotated[list[str], typer.Argument(help="Files of spectra, or run ids.")],
    circuit: Annotated[
        list[str] | None,
        typer.Option(
            help="For example R0-p(R1,CPE1)-CPE2; several are compared; default: a family."
        ),
    ] = None,
    series: Annotated[
        bool, typer.Option(help="All spectra of all sources, in order, as one series.")
    ] = False,
    start: Values = None,
    fix: Values = None,
    weights: Annotated[str, typer.Option(help="modulus, unit or proportional.")] = "modulus",
    capacitive: Annotated[
        bool, typer.Option(help="Leave out inductive points (Im Z > 0); the result says so.")
    ] = False,
    figure: Annotated[
        str | None, typer.Option(help="Draw curve and residuals: .png, .svg or .pdf.")
    ] = None,
    spectrum: SpectrumNumber = None,
    negated: Negated = False,
    thickness: Thickness = None,
    area: Area = None,
    diameter: Diameter = None,
    thickness_uncertainty: ThicknessUncertainty = None,
    area_uncertainty: AreaUncertainty = None,
    symmetric: Annotated[
        bool, typer.Option("--symmetric", help="Two like interfaces in series; off: one.")
    ] = False,
    db: Database = None,
    json: Json = False,
) -> None:
    """Fit an equivalent circuit to a spectrum, to several, or to a series; no guess is needed."""
    from rig.bench.element_plugins import load_elements

    load_elements()
    _refuse(weights, circuit, start, fix, several=series or len(sources) > 1)
    path = None if figure is None else picture_file("--figure", figure)
    sample = _sample(
        geometry_of(thickness, area, diameter),
        thickness_uncertainty,
        area_uncertainty,
        symmetric=symmetric,
    )
    measured = [
        one
        for source in sources
        for one in _measured(source, db, spectrum, negated=negated, series=series)
    ]
    if capacitive:
        measured = [
            _Measured(one.name, one.spectrum.capacitive(), one.temperature_celsius)
            for one in measured
        ]
    options: dict[str, Any] = {
        "weights": weights,
        "start": _pairs(start, "--start") or None,
        "fixed": _pairs(fix, "--fix"),
        "geometry": sample.geometry if sample else None,
    }
    if series or len(measured) > 1:
        fits = _fit_all(measured, (circuit or [""])[0], options, series=series)
        _show_all(measured, fits, sample, as_json=json)
    else:
        fit, extra = _fit_one(measured[0].spectrum, circuit, sample, options)
        fits = [fit]
        _show_one(fit, extra, sources[0], as_json=json)
    if path is not None:
        from rig.report.figures_fit import draw_fits

        spectra = [one.spectrum for one in measured]
        draw_fits(path, spectra, fits, [one.name for one in measured])


def _refuse(
    weights: str,
    circuits: list[str] | None,
    start: list[str] | None,
    fix: list[str] | None,
    *,
    several: bool,
) -> None:
    """Raise BadInput with everything about the options that cannot be meant."""
    problems = []
    if weights not in ("modulus", "unit", "proportional"):
        problems.append(Problem("--weights", f"got {weights!r}, expected modulus, unit ..."))
    if several and len(circuits or []) != 1:
        message = f"got {len(circuits or [])}, expected one circuit for several spectra"
        problems.append(Problem("--circuit", message, example='--circuit "R0-p(R1,CPE1)"'))
    elif (start or fix) and len(circuits or []) != 1:
        problems.append(Problem("--start and --fix", "belong to one circuit: give --circuit once"))
    if problems:
        raise BadInput(problems)


def _measured(
    source: str, db: str | None, number: int | None, *, negated: bool, series: bool
) -> list[_Measured]:
    """Return the spectra that are meant: of a series all, of a run the newest, of a file the one."""
    found = load_measured(source, db, negated=negated)
    if series:
        found = chosen(found, number, source)
    elif number is None and not Path(source).is_file():
        found = found[-1:]
    else:
        found = [the_only(found, number, source)]
    return [
        _Measured(
            source if len(found) == 1 else f"{source} {one.number}",
            as_spectrum(one),
            one.temperature_celsius,
        )
        for one in found
    ]


def _fit_one(
    measured: Spectrum,
    circuits: list[str] | None,
    sample: Sample | None,
    options: dict[str, Any],
) -> tuple[CircuitFit, dict[str, Any]]:
    """Return the fit, and what else is said: of the family, the circuits compared, the material."""
    from rig.analysis.circuit_family import compare_circuits
    from rig.analysis.impedance_fit import fit_circuit
    from rig.analysis.pellet import pellet_resistance

    if circuits is None:
        pellet = pellet_resistance(measured, options["geometry"])
        known = pellet.electrolyte.resistance_ohm, pellet.electrolyte.standard_error_ohm
        said = {k: v for k, v in pellet.to_dict().items() if k != "fit"}
        return pellet.fit, said | _of_material(pellet.fit, sample, known)
    if len(circuits) == 1:
        fit = fit_circuit(measured, circuits[0], **options)
        return fit, _of_material(fit, sample)
    family = compare_circuits(measured, circuits, **options)
    compared = {"candidates": [one.to_dict() for one in family.candidates]}
    return family.best, compared | _of_material(family.best, sample)


def _sample(
    geometry: Geometry | None, thickness: str | None, area: str | None, *, symmetric: bool
) -> Sample | None:
    """Return geometry and its uncertainties; BadInput for what needs a geometry and has none."""
    from rig.analysis.cell_quantities import Sample

    if geometry is not None:
        return Sample(geometry, symmetric, fraction_of(thickness), fraction_of(area))
    if symmetric or thickness or area:
        message = "--symmetric and uncertainties need --thickness and --area or --diameter"
        raise BadInput(Problem("geometry", message, example="--thickness 0.5mm --diameter 10mm"))
    return None


def _of_material(
    fit: CircuitFit, sample: Sample | None, electrolyte: tuple[float, float] | None = None
) -> dict[str, Any]:
    from rig.analysis.cell_quantities import cell_quantities

    return cell_quantities(fit, sample, electrolyte) if sample else {}


def _material_rows(said: dict[str, Any]) -> list[Row]:
    """Return conductivity and interfaces as a person reads them."""
    rows: list[Row] = []
    if (value := said.get("conductivity_siemens_per_centimetre")) is not None:
        error = said["conductivity_standard_error_siemens_per_centimetre"]
        rows.append(("conductivity", with_error(value, error, "S/cm")))
    name = "area_specific_resistance"
    for resistor, ohm in said.get(f"{name}_ohm_square_centimetre", {}).items():
        error = said[f"{name}_standard_error_ohm_square_centimetre"][resistor]
        limit = said[f"{name}_upper_limit_ohm_square_centimetre"][resistor]
        text = with_error(ohm, error, "ohm cm2") if limit is None else f"below {limit:.3g} ohm cm2"
        rows.append((f"one interface, {resistor}", text))
    return rows


def _fit_all(
    measured: Sequence[_Measured], circuit: str, options: dict[str, Any], *, series: bool
) -> list[CircuitFit]:
    from rig.analysis.impedance_fit import fit_spectra
    from rig.analysis.impedance_series import fit_series

    spectra = [one.spectrum for one in measured]
    fit = fit_series if series else fit_spectra
    return list(fit(spectra, circuit, **options))


def _show_one(fit: CircuitFit, extra: dict[str, Any], source: str, *, as_json: bool) -> None:
    rows: list[Row] = [
        (one.name, with_error(one.value if one.determined else None, one.standard_error, one.unit))
        for one in fit.parameters
    ]
    rows += [(" + ".join(s.names), with_error(s.value, s.standard_error, "ohm")) for s in fit.sums]
    rows += _material_rows(extra)
    rows.append(("residual, rms of |Z|", f"{100 * fit.residual_rms_relative:.3g} %"))
    rows.append(("starts that end here", f"{fit.starts_agreeing} of {fit.starts}"))
    rows += [
        (f"AICc weight of {one['circuit']}", f"{one['weight']:.3f}")
        for one in extra.get("candidates", ())
    ]
    show_result({**fit.to_dict(), **extra}, f"{fit.circuit}, {source}", rows, as_json=as_json)


def _show_all(
    measured: Sequence[_Measured],
    fits: Sequence[CircuitFit],
    sample: Sample | None,
    *,
    as_json: bool,
) -> None:
    """Print one row a spectrum: what is determined, with its error; and the flags of all."""
    flags = list(dict.fromkeys(note for fit in fits for note in fit.flags))
    if as_json:
        rows = [
            {
                "source": one.name,
                "temperature_celsius": one.temperature_celsius,
                **fit.to_dict(),
                **_of_material(fit, sample),
            }
            for one, fit in zip(measured, fits, strict=True)
        ]
        notes = [note.to_dict() for note in flags]
        print_json({"circuit": str(fits[0].circuit), "spectra": rows, "flags": notes})
        return
    headers = ["spectrum", *(f"{p.name} / {p.unit}" for p in fits[0].parameters), "residual"]
    table = [
        [
            one.name,
            *(
                with_error(p.value if p.determined else None, p.standard_error, "")
                for p in fit.parameters
            ),
            f"{100 * fit.residual_rms_relative:.2g} %",
        ]
        for one, fit in zip(measured, fits, strict=True)
    ]
    show_table(str(fits[0].circuit), headers, table)
    show_flags([note.to_dict() for note in flags])


def _pairs(texts: list[str] | None, option: str) -> dict[str, float]:
    """Read name=value options; BadInput with all that are none."""
    values: dict[str, float] = {}
    problems = []
    for text in (part for given in texts or [] for part in given.split(",")):
        name, _, number = text.partition("=")
        try:
            values[name.strip()] = float(number)
        except ValueError:
            message = f"got {text!r}, expected name=number"
            problems.append(Problem(option, message, example=f"{option} R0=12.5"))
    if problems:
        raise BadInput(problems)
    return values
