"""``rig fit eis``: circuits fitted to one spectrum, to several, or to a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.cli.fit_eis_options import (
    Capacitive,
    Circuits,
    Figure,
    Profile,
    Series,
    Sources,
    Symmetric,
    Values,
    Weights,
    pairs,
    refuse_options,
)
from rig.cli.fit_eis_output import Fitted, show_all, show_one
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
from rig.cli.fit_output import complain_of
from rig.cli.fit_spectra import geometry_of
from rig.cli.output import picture_file
from rig.cli.spectra_of_run import standing
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
    from rig.analysis.flags import FlagNote
    from rig.analysis.impedance_fit import CircuitFit
    from rig.analysis.spectrum import Spectrum
    from rig.formats.eis import MeasuredSpectrum

Named = tuple[str, "MeasuredSpectrum"]
Said = tuple["CircuitFit", tuple["FlagNote", ...], dict[str, Any]]


def eis(
    sources: Sources,
    circuit: Circuits = None,
    series: Series = False,
    start: Values = None,
    fix: Values = None,
    weights: Weights = "modulus",
    capacitive: Capacitive = False,
    profile: Profile = False,
    figure: Figure = None,
    spectrum: SpectrumNumber = None,
    negated: Negated = False,
    thickness: Thickness = None,
    area: Area = None,
    diameter: Diameter = None,
    thickness_uncertainty: ThicknessUncertainty = None,
    area_uncertainty: AreaUncertainty = None,
    symmetric: Symmetric = False,
    db: Database = None,
    json: Json = False,
) -> int:
    """Fit an equivalent circuit to a spectrum, to several, or to a series; no guess is needed.

    Without --circuit: a pellet between blocking electrodes, or one or two arcs where no blocking
    tail shows; any other cell needs a --circuit. Ends with 1 where a circuit does not describe its
    spectrum: its values are shown, not to be trusted.
    """
    refuse_options(
        weights, circuit, start, fix, several=series or len(sources) > 1, profile=profile
    )
    path = None if figure is None else picture_file("--figure", figure)
    geometry = geometry_of(thickness, area, diameter)
    sample = _sample(geometry, thickness_uncertainty, area_uncertainty, symmetric=symmetric)
    options: dict[str, Any] = {
        "weights": weights,
        "start": pairs(start, "--start") or None,
        "fixed": pairs(fix, "--fix"),
        "geometry": geometry,
        "intervals": "profile" if profile else "curvature",
    }
    found = [
        one
        for source in sources
        for one in _meant(source, db, spectrum, negated=negated, series=series)
    ]
    taken = [as_spectrum(one) for _, one in found]
    taken = [one.capacitive() for one in taken] if capacitive else taken
    fits = _fits(found, taken, circuit, sample, options, series=series)
    code = complain_of([(one.name, one.judged) for one in fits])
    if series or len(fits) > 1:
        show_all(fits, as_json=json)
    else:
        show_one(fits[0], as_json=json)
    if path is not None:
        _draw(path, taken, fits)
    return code


def _draw(path: Path, taken: Sequence[Spectrum], fits: Sequence[Fitted]) -> None:
    from rig.report.figures_fit import draw_fits

    draw_fits(path, list(taken), [one.fit for one in fits], [one.name for one in fits])


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


def _meant(
    source: str, db: str | None, number: int | None, *, negated: bool, series: bool
) -> list[Named]:
    """Return the spectra that are meant: of a series all, of a run the newest, of a file the one.

    Of a series those that were measured again are left out, unless one is asked for by its number.
    """
    found = load_measured(source, db, negated=negated)
    if series:
        found = standing(found) if number is None else chosen(found, number, source)
    elif number is None and not Path(source).is_file():
        found = found[-1:]
    else:
        found = [the_only(found, number, source)]
    alone = len(found) == 1
    return [(source if alone else f"{source} {one.number}", one) for one in found]


def _fits(
    found: Sequence[Named],
    taken: Sequence[Spectrum],
    circuits: list[str] | None,
    sample: Sample | None,
    options: Mapping[str, Any],
    *,
    series: bool,
) -> list[Fitted]:
    """Return a judged fit for each spectrum: one circuit for several, any number for one."""
    from rig.bench.element_plugins import load_elements

    load_elements()
    if series or len(taken) > 1:
        several = _fit_all(taken, (circuits or [""])[0], options, series=series)
        said = [_with_material(fit, fit.flags, {}, sample) for fit in several]
    else:
        said = [_fit_one(taken[0], circuits, sample, options)]
    return [_judged(*one) for one in zip(found, taken, said, strict=True)]


def _judged(named: Named, taken: Spectrum, said: Said) -> Fitted:
    from rig.analysis.adequacy import adequacy

    (name, measured), (fit, flags, extra) = named, said
    judged = adequacy(taken, fit)
    if not judged.described:  # its resistances are nobody's: neither material nor interface
        extra = {key: value for key, value in extra.items() if key == "candidates"}
        flags = tuple(note for note in flags if note in fit.flags)
    return Fitted(name, measured, fit, judged, (*judged.flags, *flags), extra)


def _fit_one(
    taken: Spectrum,
    circuits: list[str] | None,
    sample: Sample | None,
    options: Mapping[str, Any],
) -> Said:
    """Return the fit, its flags, and what else is said: the circuits compared, the material."""
    from rig.analysis.circuit_family import compare_circuits
    from rig.analysis.impedance_fit import fit_circuit

    if circuits is None:
        return _fit_unnamed(taken, sample, options["geometry"])
    if len(circuits) == 1:
        fit = fit_circuit(taken, circuits[0], **options)
        return _with_material(fit, fit.flags, {}, sample)
    family = compare_circuits(taken, circuits, **options)
    compared = {"candidates": [one.to_dict() for one in family.candidates]}
    return _with_material(family.best, family.best.flags, compared, sample)


def _fit_unnamed(taken: Spectrum, sample: Sample | None, geometry: Geometry | None) -> Said:
    """Return the fit of a pellet between blocking electrodes, or of arcs where no tail shows."""
    from rig.analysis.adequacy import adequacy
    from rig.analysis.arcs_alone import fit_arcs, shows_tail
    from rig.analysis.pellet import pellet_resistance

    pellet = pellet_resistance(taken, geometry)
    if not shows_tail(taken) and not adequacy(taken, pellet.fit).described:
        family = fit_arcs(taken)
        compared = {"candidates": [one.to_dict() for one in family.candidates]}
        return _with_material(family.best, family.best.flags, compared, sample)
    known = pellet.electrolyte.resistance_ohm, pellet.electrolyte.standard_error_ohm
    said = {k: v for k, v in pellet.to_dict().items() if k not in {"fit", "flags"}}
    return _with_material(pellet.fit, pellet.flags, said, sample, known)


def _with_material(
    fit: CircuitFit,
    flags: tuple[FlagNote, ...],
    said: dict[str, Any],
    sample: Sample | None,
    electrolyte: tuple[float, float] | None = None,
) -> Said:
    """Add conductivity and interfaces, with their flags, where the sample's geometry is known."""
    from rig.analysis.cell_quantities import cell_quantities

    if sample is None:
        return fit, flags, said
    material = cell_quantities(fit, sample, electrolyte)
    return fit, (*flags, *material.flags), said | material.to_dict()


def _fit_all(
    taken: Sequence[Spectrum], circuit: str, options: Mapping[str, Any], *, series: bool
) -> list[CircuitFit]:
    from rig.analysis.impedance_fit import fit_spectra
    from rig.analysis.impedance_series import fit_series

    return list((fit_series if series else fit_spectra)(taken, circuit, **options))
