"""Tables beside the impedance figures: one row per spectrum, its parameters, the temperature series."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rig.analysis.flags import FlagNote
from rig.analysis.impedance_fit import FittedParameter
from rig.analysis.interface import InterfaceResistance
from rig.report.findings import PelletFinding, SpectrumFinding
from rig.report.numbers import NOT_DETERMINED, NOTHING, concise, exact
from rig.report.spectra import Series, total_resistance

_UNITS = {
    "1": "",
    "ohm": "Ω",
    "ohm^-1 s^alpha": "Ω⁻¹ s^α",
    "ohm s^-0.5": "Ω s^−½",
}


@dataclass(frozen=True, slots=True)
class ParameterRow:
    name: str
    value: str
    unit: str
    process: str


@dataclass(frozen=True, slots=True)
class SpectrumRow:
    """One spectrum as it is printed; ``problem`` says why there is no fit."""

    number: int
    label: str
    temperature: str
    points: str
    circuit: str
    resistance: str
    residual: str
    starts: str
    flag_codes: str
    problem: str
    parameters: tuple[ParameterRow, ...]
    flags: tuple[FlagNote, ...]


@dataclass(frozen=True, slots=True)
class TemperatureRow:
    """One temperature of a pellet; ``interface`` is the ASR of one interface, or its upper limit."""

    number: int
    temperature: str
    conductivity: str
    interface: str


def spectrum_rows(series: Series) -> tuple[SpectrumRow, ...]:
    """Return one row per spectrum in the order of measurement."""
    return tuple(
        _spectrum_row(one, label) for one, label in zip(series.spectra, series.labels, strict=True)
    )


def _spectrum_row(one: SpectrumFinding, label: str) -> SpectrumRow:
    fit, measured = one.fit, len(one.spectrum)
    common = (one.spectrum_count, label, _celsius(one.temperature_celsius))
    if fit is None:
        problem = one.problem or "not fitted"
        empty = (NOTHING,) * 4
        return SpectrumRow(
            *common, str(measured), *empty, _codes(one.flags), problem, (), one.flags
        )
    value, error = total_resistance(fit)
    return SpectrumRow(
        *common,
        points=f"{fit.points} of {measured}",
        circuit=str(fit.circuit),
        resistance=concise(value, error) if error <= abs(value) else NOT_DETERMINED,
        residual=f"{100.0 * fit.residual_rms_relative:.2f} %",
        starts=f"{fit.starts_agreeing} of {fit.starts}",
        flag_codes=_codes((*one.flags, *fit.flags)),
        problem="",
        parameters=tuple(_parameter_row(p, fit.assignment) for p in fit.parameters),
        flags=(*one.flags, *fit.flags),
    )


def _codes(flags: Iterable[FlagNote]) -> str:
    counts = Counter(note.code for note in flags)
    return ", ".join(f"{code} ×{n}" if n > 1 else code for code, n in counts.items())


def _parameter_row(parameter: FittedParameter, assignment: dict[str, str]) -> ParameterRow:
    value = concise(parameter.value, parameter.standard_error)
    if not parameter.determined:
        value = NOT_DETERMINED
    elif parameter.standard_error == 0:
        value = f"{exact(parameter.value)} (fixed)"
    element = parameter.name.partition("_")[0]
    process = assignment.get(element, "") if parameter.name in {element, f"{element}_Q"} else ""
    return ParameterRow(parameter.name, value, _UNITS.get(parameter.unit, parameter.unit), process)


def temperature_rows(pellet: PelletFinding) -> tuple[TemperatureRow, ...]:
    """Return conductivity and interface at each temperature, in the order of measurement."""
    temperatures = pellet.temperature_celsius
    interfaces = pellet.interfaces.interfaces if pellet.interfaces else (None,) * len(temperatures)
    rows = zip(
        temperatures,
        pellet.conductivity_siemens_per_centimetre,
        pellet.relative_uncertainty,
        interfaces,
        strict=True,
    )
    return tuple(
        TemperatureRow(
            number, _celsius(celsius), concise(sigma, sigma * relative), _interface(interface)
        )
        for number, (celsius, sigma, relative, interface) in enumerate(rows, start=1)
    )


def _interface(one: InterfaceResistance | None) -> str:
    if one is None:
        return NOTHING
    if one.upper_limit_ohm_square_centimetre is not None:
        return f"< {exact(one.upper_limit_ohm_square_centimetre, 2)}"
    return concise(
        one.area_specific_resistance_ohm_square_centimetre, one.standard_error_ohm_square_centimetre
    )


def _celsius(celsius: float) -> str:
    """Write a chamber temperature to the tenth of a degree that it is worth."""
    return f"{celsius:.1f}".replace("-", "−") if math.isfinite(celsius) else NOTHING
