"""Closed formulas of ion transport: transference number, diffusivities, mobility.

SI inside: volt, ampere, ohm, kelvin; conductivity in S/cm and diffusivity in cm2/s, as the field
quotes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.analysis.flags import BV, FlagNote, Level, flag
from rig.core.errors import BadInput, Problem

BOLTZMANN_JOULE_PER_KELVIN = 1.380649e-23
ELEMENTARY_CHARGE_COULOMB = 1.602176634e-19

_LARGEST_STEP_VOLT = 0.0105
_CONSISTENT = 0.10


@dataclass(frozen=True, slots=True)
class TransferenceResult:
    """t+ by Bruce, Vincent and Evans; ``current_ratio`` is the uncorrected Is/I0.

    ``electrolyte_resistance_ohm`` is dV/I0 - R0, which has to agree with impedance.
    """

    transference_number: float
    current_ratio: float
    electrolyte_resistance_ohm: float
    flags: tuple[FlagNote, ...]

    def to_dict(self) -> dict[str, object]:
        return {
            "transference_number": self.transference_number,
            "current_ratio": self.current_ratio,
            "electrolyte_resistance_ohm": self.electrolyte_resistance_ohm,
            "flags": [note.to_dict() for note in self.flags],
        }


def bruce_vincent(
    voltage_step_volt: float,
    initial_current_ampere: float,
    initial_resistance_ohm: float,
    steady_current_ampere: float,
    steady_resistance_ohm: float,
    *,
    electrolyte_resistance_ohm: float | None = None,
) -> TransferenceResult:
    """Return t+ = Is (dV - I0 R0) / (I0 (dV - Is Rs)), R of both interfaces before and after.

    ``electrolyte_resistance_ohm`` from impedance (or a repeat of the same cell) exposes a misread
    current. Source: Evans, Vincent, Bruce, Polymer 28, 2324 (1987).

    >>> round(bruce_vincent(10e-3, 20e-6, 150.0, 12e-6, 180.0).transference_number, 6)
    0.535714
    """
    values = {
        "voltage_step_volt": voltage_step_volt,
        "initial_current_ampere": initial_current_ampere,
        "initial_resistance_ohm": initial_resistance_ohm,
        "steady_current_ampere": steady_current_ampere,
        "steady_resistance_ohm": steady_resistance_ohm,
    }
    problems = [
        Problem(name, f"got {value:g}, expected a positive finite number")
        for name, value in values.items()
        if not (math.isfinite(value) and value > 0)
    ]
    if problems:
        raise BadInput(problems)
    first = voltage_step_volt - initial_current_ampere * initial_resistance_ohm
    last = voltage_step_volt - steady_current_ampere * steady_resistance_ohm
    ratio = steady_current_ampere / initial_current_ampere
    number = ratio * first / last if last else math.inf
    electrolyte = voltage_step_volt / initial_current_ampere - initial_resistance_ohm
    return TransferenceResult(
        transference_number=number,
        current_ratio=ratio,
        electrolyte_resistance_ohm=electrolyte,
        flags=_check(voltage_step_volt, number, electrolyte, electrolyte_resistance_ohm),
    )


def conductivity_diffusivity(
    conductivity_siemens_per_centimetre: float,
    carriers_per_cubic_centimetre: float,
    temperature_kelvin: float,
) -> float:
    """Return the Nernst-Einstein D = s k T/(n q^2) in cm2/s of singly charged carriers."""
    thermal = BOLTZMANN_JOULE_PER_KELVIN * temperature_kelvin
    charge = carriers_per_cubic_centimetre * ELEMENTARY_CHARGE_COULOMB**2
    return conductivity_siemens_per_centimetre * thermal / charge


def mobility(
    conductivity_siemens_per_centimetre: float, carriers_per_cubic_centimetre: float
) -> float:
    """Return the drift mobility s/(n q) in cm2/(V s)."""
    return conductivity_siemens_per_centimetre / (
        carriers_per_cubic_centimetre * ELEMENTARY_CHARGE_COULOMB
    )


def pulse_diffusivity(
    diffusion_length_centimetre: float,
    pulse_second: float,
    steady_change_volt: float,
    transient_change_volt: float,
) -> float:
    """Return D = 4/(pi tau) L^2 (dEs/dEt)^2 in cm2/s from a titration pulse; L is V/S, r/3 of a sphere.

    ``transient_change_volt`` is that during the pulse without the ohmic drop. Only for
    tau << L^2/D. Source: Weppner and Huggins, J. Electrochem. Soc. 124, 1569 (1977).
    """
    ratio = steady_change_volt / transient_change_volt
    return 4.0 / (math.pi * pulse_second) * (diffusion_length_centimetre * ratio) ** 2


def _check(
    step_volt: float, number: float, electrolyte: float, expected_ohm: float | None
) -> tuple[FlagNote, ...]:
    notes = []
    if step_volt > _LARGEST_STEP_VOLT:
        notes.append(flag(BV, f"step of {step_volt * 1e3:.1f} mV, expected at most 10 mV"))
    if not 0.0 <= number <= 1.0:
        notes.append(flag(BV, f"t+ = {number:.3f} lies outside 0 to 1", Level.ERROR))
    if electrolyte <= 0:
        notes.append(flag(BV, "the initial current is larger than dV/R0 allows", Level.ERROR))
    if expected_ohm is not None and abs(electrolyte / expected_ohm - 1.0) > _CONSISTENT:
        message = f"dV/I0 - R0 is {electrolyte:.4g} ohm against {expected_ohm:.4g} ohm"
        notes.append(flag(BV, f"{message}: is a current misread?"))
    return tuple(notes)
