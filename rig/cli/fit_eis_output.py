"""How ``rig fit eis`` shows fits: one in a table of its parameters, several in a row each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rig.cli.fit_output import Row, show_flags, show_result, show_table, with_error
from rig.cli.output import print_json
from rig.cli.spectra_words import origin, print_statements

if TYPE_CHECKING:
    from rig.analysis.adequacy import Adequacy
    from rig.analysis.flags import FlagNote
    from rig.analysis.impedance_fit import CircuitFit
    from rig.formats.eis import MeasuredSpectrum


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit with the spectrum it is of; ``extra``: the circuits compared, the material."""

    name: str
    measured: MeasuredSpectrum
    fit: CircuitFit
    judged: Adequacy
    flags: tuple[FlagNote, ...]
    extra: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {
            **origin(self.measured),
            **self.fit.to_dict(),
            **self.judged.to_dict(),
            **self.extra,
            "flags": [note.to_dict() for note in self.flags],
        }


def show_one(fitted: Fitted, *, as_json: bool) -> None:
    """Print the parameters of one fit, what follows from them, and its flags."""
    fit = fitted.fit
    rows: list[Row] = [
        (one.name, with_error(one.value if one.determined else None, one.standard_error, one.unit))
        for one in fit.parameters
    ]
    rows += _profile_rows(fit)
    rows += [(" + ".join(s.names), with_error(s.value, s.standard_error, "ohm")) for s in fit.sums]
    rows += _material_rows(fitted.extra)
    rows.append(("residual, rms of |Z|", f"{100 * fit.residual_rms_relative:.3g} %"))
    rows.append(("noise by Kramers-Kronig", f"{100 * fitted.judged.noise_rms_relative:.3g} %"))
    alone = "" if not fit.rivals else "; other minima agree with the data"
    rows.append(("starts that end here", f"{fit.starts_agreeing} of {fit.starts}{alone}"))
    rows += [
        (f"AICc weight of {one['circuit']}", f"{one['weight']:.3f}")
        for one in fitted.extra.get("candidates", ())
    ]
    show_result(fitted.to_dict(), f"{fit.circuit}, {fitted.name}", rows, as_json=as_json)
    if not as_json:
        _print_origin(fitted)


def _print_origin(fitted: Fitted) -> None:
    print(f" info read as: {fitted.measured.vendor}, {len(fitted.measured)} points")
    print_statements(fitted.measured.number, list(fitted.measured.statements))


def _profile_rows(fit: CircuitFit) -> list[Row]:
    """Return the profile's intervals, one-sided ones in words; none unless it was asked for."""
    if fit.interval_method != "profile":
        return []
    rows: list[Row] = []
    for one in fit.parameters:
        low, high = one.interval_95
        if low > 0 and math.isfinite(high):
            rows.append((f"{one.name}, 95 %", f"{low:.4g} to {high:.4g} {one.unit}"))
        elif low > 0:
            rows.append((f"{one.name}, 95 %", f"above {low:.3g} {one.unit}"))
        elif math.isfinite(high):
            rows.append((f"{one.name}, 95 %", f"below {high:.3g} {one.unit}"))
    return rows


def _material_rows(said: Mapping[str, Any]) -> list[Row]:
    """Return conductivity and interfaces as a person reads them."""
    rows = _conductivity_rows(said)
    name = "area_specific_resistance"
    for resistor, ohm in said.get(f"{name}_ohm_square_centimetre", {}).items():
        error = said[f"{name}_standard_error_ohm_square_centimetre"][resistor]
        limit = said[f"{name}_upper_limit_ohm_square_centimetre"][resistor]
        text = with_error(ohm, error, "ohm cm2") if limit is None else f"below {limit:.3g} ohm cm2"
        rows.append((f"one interface, {resistor}", text))
    return rows


def _conductivity_rows(said: Mapping[str, Any]) -> list[Row]:
    doubtful = ", ".join(said.get("doubtful_resistors", ()))
    rows: list[Row] = []
    for kind, words in (
        ("conductivity", "conductivity"),
        ("conductivity_without_doubtful", f"if {doubtful} is no electrolyte"),
    ):
        if (value := said.get(f"{kind}_siemens_per_centimetre")) is not None:
            error = said[f"{kind}_standard_error_siemens_per_centimetre"]
            rows.append((words, with_error(value, error, "S/cm")))
    return rows


def show_all(fits: Sequence[Fitted], *, as_json: bool) -> None:
    """Print one row a spectrum: what is determined, with its error; and the flags of all."""
    circuit = str(fits[0].fit.circuit)
    flags = [note.to_dict() for note in dict.fromkeys(n for one in fits for n in one.flags)]
    if as_json:
        rows = [
            {
                **one.to_dict(),
                "source": one.name,
                "temperature_celsius": one.measured.temperature_celsius,
            }
            for one in fits
        ]
        print_json({"circuit": circuit, "spectra": rows, "flags": flags})
        return
    headers = [f"{p.name} / {p.unit}" for p in fits[0].fit.parameters]
    table = [_row(one) for one in fits]
    show_table(circuit, ["spectrum", *headers, "residual"], table)
    for one in fits:
        print_statements(one.measured.number, list(one.measured.statements))
    show_flags(flags)


def _row(fitted: Fitted) -> list[str]:
    values = [
        with_error(p.value if p.determined else None, p.standard_error, "")
        for p in fitted.fit.parameters
    ]
    return [fitted.name, *values, f"{100 * fitted.fit.residual_rms_relative:.2g} %"]
