"""Meyer-Neldel compensation and acceleration (case S19)."""

from __future__ import annotations

import numpy as np
import pytest

from rig.analysis.arrhenius import fit_arrhenius
from rig.analysis.compensation import acceleration, harmonic_mean, meyer_neldel
from rig.core.errors import AnalysisError

ENERGIES = np.linspace(0.25, 0.45, 6)


def test_s19_the_compensation_energy_and_isokinetic_temperature_come_back() -> None:
    result = meyer_neldel(ENERGIES, 4.0 + ENERGIES / 0.040, 300.0)
    assert result.energy_electronvolt == pytest.approx(0.040, rel=1e-9)
    assert result.isokinetic_temperature_kelvin == pytest.approx(464.18, abs=0.01)
    assert result.intercept == pytest.approx(4.0)


def test_s19_acceleration_between_25_and_45_degrees() -> None:
    assert acceleration(0.45, 318.15, 298.15) == pytest.approx(3.0073, abs=1e-4)


def test_compensation_that_noise_makes_over_one_temperature_range_is_refused() -> None:
    kelvin = np.arange(273.15, 353.15, 10.0)
    truth = np.exp(5.0 - 0.35 / (8.617333262e-5 * kelvin)) / kelvin
    rng = np.random.default_rng(0)
    lines = [
        fit_arrhenius(kelvin, truth * np.exp(rng.normal(0.0, 0.1, kelvin.size))).segments[0]
        for _ in range(8)
    ]
    energies = np.array([line.activation_energy_electronvolt for line in lines])
    prefactors = np.array([line.ln_prefactor for line in lines])
    with pytest.raises(AnalysisError, match="noise alone compensates"):
        meyer_neldel(energies, prefactors, harmonic_mean(kelvin))
    with pytest.raises(AnalysisError, match="3 samples"):
        meyer_neldel(energies[:3], prefactors[:3], harmonic_mean(kelvin))
