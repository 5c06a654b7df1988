"""Whether a circuit describes its spectrum: by what it leaves, beside what any linear cell leaves."""

from __future__ import annotations

import numpy as np
import pytest

from rig.analysis.adequacy import adequacy, undescribed
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.flags import EIS_FIT, EIS_KK, Level
from rig.analysis.impedance_fit import fit_circuit
from rig.analysis.spectrum import Spectrum

HERTZ = np.geomspace(1e6, 0.1, 71)
TWO_ARCS = "R0-p(R1,CPE1)-p(R2,CPE2)"
VALUES = [20.0, 100.0, 2e-8, 0.95, 60.0, 3e-6, 0.85]


def measured(noise: float, seed: int = 1, circuit: str = TWO_ARCS, values=VALUES) -> Spectrum:
    clean = parse_circuit(circuit).impedance(HERTZ, np.array(values))
    draws = np.random.default_rng(seed).normal(size=(2, clean.size))
    return Spectrum(HERTZ, clean + noise * np.abs(clean) * (draws[0] + 1j * draws[1]))


@pytest.mark.parametrize("noise", [1e-4, 0.003, 0.01])
def test_the_right_circuit_leaves_what_kramers_kronig_leaves(noise: float) -> None:
    for seed in range(5):
        spectrum = measured(noise, seed)
        judged = adequacy(spectrum, fit_circuit(spectrum, TWO_ARCS))
        # both parts together: sqrt(2) times the noise of one
        assert judged.noise_rms_relative == pytest.approx(1.414 * noise, rel=0.3)
        assert judged.residual_rms_relative == pytest.approx(1.414 * noise, rel=0.3)
        assert (judged.described, judged.flags) == (True, ())


def test_a_wrong_circuit_blocks() -> None:
    spectrum = measured(0.003)
    judged = adequacy(spectrum, fit_circuit(spectrum, "R0-C1"))
    (note,) = judged.flags
    assert (judged.described, note.code, note.level) == (False, EIS_FIT, Level.BLOCK)
    assert "R0-C1 does not describe this spectrum" in note.message
    assert undescribed([judged]) == note.message
    assert judged.to_dict()["described"] is False


def test_a_circuit_that_is_nearly_right_warns() -> None:
    # one depressed arc for two that lie near each other
    near = [20.0, 100.0, 2e-8, 0.95, 30.0, 1e-6, 0.9]
    spectrum = measured(0.001, values=near)
    judged = adequacy(spectrum, fit_circuit(spectrum, "R0-p(R1,CPE1)"))
    (note,) = judged.flags
    assert (judged.described, note.code, note.level) == (True, EIS_FIT, Level.WARN)
    assert "only roughly" in note.message
    assert undescribed([judged]) == ""


def test_loud_noise_is_not_the_circuits_fault() -> None:
    spectrum = measured(0.06)
    judged = adequacy(spectrum, fit_circuit(spectrum, TWO_ARCS))
    assert judged.residual_rms_relative > 0.05
    assert judged.described
    assert not judged.kramers_kronig_valid
    assert [(note.code, note.level) for note in judged.flags] == [(EIS_KK, Level.WARN)]


def test_a_residual_of_a_third_is_absurd_however_loud_the_noise() -> None:
    spectrum = measured(0.5)
    judged = adequacy(spectrum, fit_circuit(spectrum, TWO_ARCS))
    assert judged.residual_rms_relative < 3 * judged.noise_rms_relative
    assert not judged.described
    assert "and Kramers-Kronig itself" in undescribed([judged])


def test_unit_weights_are_judged_in_ohm() -> None:
    # 1e5 ohm of blocking tail beside 30 ohm: even noise in ohm says nothing of the small end
    circuit, values = "R0-CPE1", [30.0, 1e-5, 1.0]
    clean = parse_circuit(circuit).impedance(HERTZ, np.array(values))
    draws = np.random.default_rng(3).normal(size=(2, clean.size))
    spectrum = Spectrum(HERTZ, clean + 8.0 * (draws[0] + 1j * draws[1]))
    fit = fit_circuit(spectrum, circuit, weights="unit")
    judged = adequacy(spectrum, fit)
    assert fit.residual_rms_relative > 0.2
    assert judged.residual_rms_relative < 0.01
    assert judged.described
