"""``rig fit``: the analyses on a file or a run, each a thin door to ``rig.analysis``.

Here quantities are read from text, columns are picked and results shown; no formula lives here.
numpy, pandas and scipy load inside a command, so that ``rig --help`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.cycling_source import GIVEN, Count, load_cycling
from rig.cli.fit_conductivity import all_flags, fit_rows, with_fits
from rig.cli.fit_eis import eis
from rig.cli.fit_options import (
    Area,
    AreaUncertainty,
    Database,
    Diameter,
    Json,
    Source,
    Thickness,
    ThicknessUncertainty,
    area_of,
    fraction_of,
    length_of,
)
from rig.cli.fit_output import Row, show_flags, show_result, show_table, with_error
from rig.cli.fit_spectra import interface
from rig.cli.fit_transport import diffusion, transference
from rig.cli.output import print_json
from rig.cli.tables import (
    load_source,
    numbers,
    read_both,
    refuse_wrong_conductivity,
    temperatures_kelvin,
)
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity

if TYPE_CHECKING:
    import pandas as pd

    from rig.analysis.arrhenius import ArrheniusResult
    from rig.analysis.regression import FloatArray

app = typer.Typer(
    name="fit",
    help="Fit logged data: activation energy, conductivity, spectra, interface, fade, cycles.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("eis")(eis)
app.command("interface")(interface)
app.command("transference")(transference)
app.command("diffusion")(diffusion)

_CONDUCTIVITY, _RESISTANCE = "conductivity_siemens_per_centimetre", "resistance_ohm"


@app.command("arrhenius")
def arrhenius(
    source: Source,
    convention: Annotated[
        str, typer.Option(help="ln_sigma_t (hopping) or ln_sigma (data sheets).")
    ] = "ln_sigma_t",
    model: Annotated[str, typer.Option(help="auto, arrhenius, two_segment or vtf.")] = "auto",
    thickness: Thickness = None,
    area: Area = None,
    diameter: Diameter = None,
    thickness_uncertainty: ThicknessUncertainty = None,
    area_uncertainty: AreaUncertainty = None,
    temperature_uncertainty: Annotated[
        str | None, typer.Option(help="One standard deviation, for example 0.3 K.")
    ] = None,
    glass_transition: Annotated[
        str | None, typer.Option(help="Tg of a polymer, for example -40 degC; bounds T0 of VTF.")
    ] = None,
    db: Database = None,
    json: Json = False,
) -> None:
    """Activation energy and conductivity at 25 degC from a temperature series."""
    from rig.analysis.arrhenius import Convention, fit_arrhenius

    _refuse_unknown(
        ("--convention", convention, [one.value for one in Convention]),
        ("--model", model, ["auto", "arrhenius", "two_segment", "vtf"]),
    )
    frame = load_source(source, db, "arrhenius")
    temperature_uncertainty = temperature_uncertainty or frame.attrs.get("temperature_uncertainty")
    area_uncertainty = area_uncertainty or frame.attrs.get("area_uncertainty")
    (kelvin, column), sigma = read_both(
        lambda: temperatures_kelvin(frame, source),
        lambda: _conductivities(frame, source, thickness, area, diameter),
    )
    optional = numbers(frame, source, [], ["relative_uncertainty"])
    common = fraction_of(thickness_uncertainty, area_uncertainty)
    result = fit_arrhenius(
        kelvin,
        sigma,
        optional.get("relative_uncertainty"),
        convention=Convention(convention),
        model=model,  # type: ignore[arg-type]  # checked above
        temperature_uncertainty_kelvin=(
            quantity(temperature_uncertainty, "temperature_difference", "--temperature-uncertainty")
            if temperature_uncertainty
            else 0.0
        ),
        common_relative_uncertainty=common,
        glass_transition_kelvin=(
            quantity(glass_transition, "temperature", "--glass-transition") + 273.15
            if glass_transition
            else None
        ),
    )
    values = result.to_dict()
    flags = [*values["flags"], *_temperature_flags(column, frame, source)]  # type: ignore[misc]
    show_result(
        {**values, "flags": flags}, f"Arrhenius, {source}", _arrhenius_rows(result), as_json=json
    )


@app.command("conductivity")
def conductivity(
    source: Source,
    thickness: Thickness = None,
    area: Area = None,
    diameter: Diameter = None,
    thickness_uncertainty: ThicknessUncertainty = None,
    area_uncertainty: AreaUncertainty = None,
    material: Annotated[
        str | None, typer.Option(help="sulfide, oxide or polymer: says what is plausible.")
    ] = None,
    db: Database = None,
    json: Json = False,
) -> None:
    """Conductivity from geometry and resistances: a column resistance_ohm, or spectra.

    Of a spectrum between blocking electrodes it takes the resistance of bulk and grain boundaries,
    and says which circuit and resistors that was, and which arcs it left out as an interface's.
    """
    from rig.analysis import conductivity as pellets

    if material is not None:
        _refuse_unknown(("--material", material, list(pellets.PLAUSIBLE_SIEMENS_PER_CENTIMETRE)))
    frame = load_source(source, db, "conductivity")
    thickness, area = _own_geometry(frame, thickness, area, diameter)
    columns = numbers(
        frame,
        source,
        [_RESISTANCE],
        ["relative_uncertainty", "temperature_celsius"],
    )
    resistances = columns[_RESISTANCE]
    relative = columns.get("relative_uncertainty", 0.0 * resistances)
    results = [
        pellets.conductivity(
            float(resistance),
            length_of(thickness, "--thickness"),
            area_of(area, diameter),
            resistance_relative_uncertainty=float(u),
            thickness_relative_uncertainty=fraction_of(thickness_uncertainty),
            area_relative_uncertainty=fraction_of(area_uncertainty),
            material=material,  # type: ignore[arg-type]  # checked above
        )
        for resistance, u in zip(resistances, relative, strict=True)
    ]
    entries = with_fits([one.to_dict() for one in results], frame.attrs.get("fits", []))
    for entry, celsius in zip(entries, columns.get("temperature_celsius", ()), strict=False):
        entry["temperature_celsius"] = float(celsius)
    rows: list[Row] = []
    for result, entry in zip(results, entries, strict=True):
        value = result.conductivity_siemens_per_centimetre
        sigma = with_error(value, result.standard_error, "S/cm")
        rows.append((f"{result.resistance_ohm:.6g} ohm", sigma))
        rows.extend(fit_rows(entry, alone=len(entries) == 1))
    single = entries[0] if len(entries) == 1 else {}
    values = {**single, "rows": entries, "n": len(entries), "flags": all_flags(entries)}
    show_result(values, f"Conductivity, {source}", rows, as_json=json)


@app.command("fade")
def fade(
    source: Source,
    end_of_life: Annotated[
        str, typer.Option(help="A fraction (0.8 or 80 %) or a capacity (1.4 Ah).")
    ] = "0.8",
    law: Annotated[
        str | None, typer.Option(help="exponential, linear, sqrt or power; default: by AICc.")
    ] = None,
    reference_cycle: Annotated[
        int | None, typer.Option(help="Cycle that retention refers to; earlier ones are formation.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Predict beyond 3 times the data.")] = False,
    count: Count = GIVEN,
    db: Database = None,
    json: Json = False,
) -> None:
    """Fade law, end of life with its interval, knee and regeneration."""
    from rig.analysis.fade import fit_fade
    from rig.bench.analysis_settings import read_end_of_life

    cycles, capacity = _capacities(load_cycling(source, db, "fade", count), source)
    if reference_cycle is not None:
        if reference_cycle not in cycles:
            message = f"cycle {reference_cycle} is not in {source}"
            raise BadInput(Problem("--reference-cycle", message))
        cycles, capacity = cycles[cycles >= reference_cycle], capacity[cycles >= reference_cycle]
    fraction, threshold = read_end_of_life(end_of_life, "--end-of-life")
    result = fit_fade(
        cycles,
        capacity,
        end_of_life_fraction=fraction,
        end_of_life_capacity=threshold,
        law=law,
        force=force,
    )
    values = result.to_dict()
    end = result.end_of_life
    interval = end.interval_95 or (None, None)
    rows: list[Row] = [
        *(
            (name, with_error(entry["value"], entry["standard_error"], str(entry["unit"])))  # type: ignore[arg-type]
            for name, entry in result.selected.parameters(result.inflation).items()
        ),
        ("end of life at", f"{end.capacity_ah:.6g} Ah"),
        ("first cycle below", _cycle(end.first_below)),
        ("last cycle above", _cycle(end.last_above)),
        ("predicted", _cycle(end.predicted)),
        ("95 % interval", f"{_cycle(interval[0])} to {_cycle(interval[1])}"),
        ("knee", _cycle(result.knee.cycle if result.knee else None)),
        ("regenerations", ", ".join(f"{n:g}" for n in result.regeneration_cycles) or "none"),
    ]
    show_result(values, f"Fade ({result.selected.name}), {source}", rows, as_json=json)


@app.command("cycles")
def cycles(source: Source, count: Count = GIVEN, db: Database = None, json: Json = False) -> None:
    """One row per cycle: capacities, energies, efficiencies, mean voltages, resistance."""
    from rig.analysis.cycles import cycle_table
    from rig.cli.cycles_table import cycle_columns

    table = cycle_table(load_cycling(source, db, "cycles", count))
    values = table.to_dict()
    if json:
        print_json(values)
        return
    show_table(f"Cycles, {source}", *cycle_columns(table.cycles))
    show_flags([note.to_dict() for note in table.flags])


def _refuse_unknown(*choices: tuple[str, str, list[str]]) -> None:
    problems = [
        Problem(where, f"got {got!r}, expected one of {known}", suggestion=did_you_mean(got, known))
        for where, got, known in choices
        if got not in known
    ]
    if problems:
        raise BadInput(problems)


def _own_geometry(
    frame: pd.DataFrame, thickness: str | None, area: str | None, diameter: str | None
) -> tuple[str | None, str | None]:
    """Return thickness and area as given, else those of the run's own cell."""
    own_area = None if diameter else frame.attrs.get("area")
    return thickness or frame.attrs.get("thickness"), area or own_area


def _conductivities(
    frame: pd.DataFrame,
    source: str,
    thickness: str | None,
    area: str | None,
    diameter: str | None,
) -> FloatArray:
    """Return S/cm from the conductivity column, or from resistances and geometry."""
    asked = any(str(name).startswith("resistance") for name in frame.columns)
    if _CONDUCTIVITY in frame.columns or not asked:
        sigma = numbers(frame, source, [_CONDUCTIVITY])[_CONDUCTIVITY]
    else:
        resistance = numbers(frame, source, [_RESISTANCE])[_RESISTANCE]
        sigma = length_of(thickness, "--thickness") / (resistance * area_of(area, diameter))
    refuse_wrong_conductivity(sigma, f"{source}: {_CONDUCTIVITY}")
    return sigma


def _temperature_flags(column: str, frame: pd.DataFrame, source: str) -> list[dict[str, str]]:
    """ARR-TSAMPLE: the chamber's temperature instead of the sample's, or a sample off its set point."""
    from rig.analysis.flags import ARR_TSAMPLE, flag

    notes = []
    if column.startswith("ambient"):
        notes.append(flag(ARR_TSAMPLE, "temperatures are the chamber's, not the sample's"))
    if "set_temperature_celsius" in frame.columns and column == "temperature_celsius":
        pair = numbers(frame, source, [column, "set_temperature_celsius"])
        off = float(abs(pair[column] - pair["set_temperature_celsius"]).max())
        if off > 1.0:
            notes.append(flag(ARR_TSAMPLE, f"sample up to {off:.2f} K from its set point"))
    return [note.to_dict() for note in notes]


def _arrhenius_rows(result: ArrheniusResult) -> list[Row]:
    sigma, relative = result.conductivity(298.15)
    rows = [("model", f"{result.model}, {result.convention.value}")]
    for part in result.segments:
        low, high = part.temperature_min_kelvin - 273.15, part.temperature_max_kelvin - 273.15
        energy = with_error(
            part.activation_energy_electronvolt,
            part.activation_energy_standard_error_electronvolt,
            "eV",
        )
        rows.append((f"Ea, {low:.0f} to {high:.0f} degC", energy))
        prefactor = with_error(part.ln_prefactor, part.ln_prefactor_standard_error, "")
        rows.append(("ln prefactor", prefactor))
    vtf: Any = result.to_dict()["vtf"]
    if vtf:
        for name, key in (("B", "pseudo_activation_energy"), ("T0", "t0")):
            unit = "electronvolt" if name == "B" else "kelvin"
            error = vtf[f"{key}_standard_error_{unit}"]
            symbol = "eV" if name == "B" else "K"
            rows.append((name, with_error(vtf[f"{key}_{unit}"], error, symbol)))
    rows.append(("conductivity at 25 degC", with_error(sigma, sigma * relative, "S/cm")))
    rows.append(("points", str(result.n)))
    return rows


def _capacities(frame: pd.DataFrame, source: str) -> tuple[FloatArray, FloatArray]:
    """Return cycles and discharge capacities, from a per-cycle table or from samples."""
    if {"voltage_volt", "current_ampere"} <= set(frame.columns):
        from rig.analysis.cycles import cycle_table

        table = cycle_table(frame)
        count, capacity = table.column("cycle_count"), table.column("discharging_capacity_ah")
        return count[capacity > 0], capacity[capacity > 0]
    columns = numbers(frame, source, ["cycle_count", "discharging_capacity_ah"])
    return columns["cycle_count"], columns["discharging_capacity_ah"]


def _cycle(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f}"
