"""What a pellet's laws say in numbers: conductivity, activation energies, interfaces, as quantities."""

from __future__ import annotations

import math

from rig.analysis.arrhenius_result import ROOM_KELVIN, ArrheniusResult, Convention
from rig.report.findings import Quantity

_PLOTTED = {Convention.LN_SIGMA_T: ("ln σT", "ln T/ASR"), Convention.LN_SIGMA: ("ln σ", "ln 1/ASR")}


def arrhenius_quantities(fitted: ArrheniusResult) -> list[Quantity]:
    """Return the conductivity at 25 °C and, where one line serves, its activation energy."""
    sigma, relative = fitted.conductivity(ROOM_KELVIN)
    quantities = [
        Quantity(
            "conductivity_25_celsius_siemens_per_centimetre",
            "ionic conductivity at 25 °C",
            sigma,
            sigma * relative,
            "S/cm",
            flags=fitted.flags,
        )
    ]
    plotted = _PLOTTED[fitted.convention][0]
    energy = _energy(fitted, "activation_energy_electronvolt", f"activation energy ({plotted})")
    return [*quantities, *energy]


def _energy(fitted: ArrheniusResult, key: str, title: str) -> list[Quantity]:
    segment = fitted.only_segment
    if segment is None:
        return []
    error = segment.activation_energy_standard_error_electronvolt
    # Where the scatter is larger than the errors that were given, believe the scatter.
    error *= math.sqrt(max(1.0, fitted.reduced_chi_squared))
    return [
        Quantity(
            key, title, segment.activation_energy_electronvolt, error, "eV", flags=fitted.flags
        )
    ]


def interface_quantities(fitted: ArrheniusResult) -> list[Quantity]:
    """Return the resistance of one interface at 25 °C, and its activation energy."""
    conductance, relative = fitted.conductivity(ROOM_KELVIN)
    asr = Quantity(
        "area_specific_resistance_ohm_square_centimetre",
        "interface resistance at 25 °C, per interface",
        1.0 / conductance,
        relative / conductance,
        "Ω cm²",
        flags=fitted.flags,
    )
    key, title = (
        "interface_activation_energy_electronvolt",
        f"activation energy of the interface ({_PLOTTED[fitted.convention][1]})",
    )
    return [asr, *_energy(fitted, key, title)]
