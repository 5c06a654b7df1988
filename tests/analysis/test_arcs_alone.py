"""Which spectra show a blocking tail, and what is said of a resistance that nothing determines."""

from __future__ import annotations

import numpy as np
import pytest

from rig.analysis.arcs_alone import fit_arcs, shows_tail
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.flags import EIS_CORR, EIS_UNDET
from rig.analysis.pellet import pellet_resistance
from rig.analysis.spectrum import Spectrum

HERTZ = np.geomspace(1e5, 1.0, 51)
ARC = [10.0, 60.0, 1e-6, 0.9]


def measured(circuit: str, values: list[float]) -> Spectrum:
    draws = np.random.default_rng(2).normal(size=(2, HERTZ.size))
    clean = parse_circuit(circuit).impedance(HERTZ, np.array(values))
    return Spectrum(HERTZ, clean * (1.0 + 1e-3 * (draws[0] + 1j * draws[1])))


@pytest.mark.parametrize(
    ("circuit", "values", "tail"),
    [
        ("R0-CPE1", [30.0, 1e-5, 0.9], True),
        ("R0-p(R1,CPE1)-CPE2", [*ARC, 1e-3, 0.8], True),
        ("R0-p(R1,CPE1)", ARC, False),
        ("R0-p(R1,CPE1)-p(R2,CPE2)", [*ARC, 40.0, 1e-4, 0.9], False),
    ],
)
def test_a_tail_is_seen_by_its_height(circuit: str, values: list[float], tail: bool) -> None:
    assert shows_tail(measured(circuit, values)) is tail


@pytest.mark.parametrize("inductance", [False, True])
def test_an_inductance_is_fitted_where_the_leads_show(inductance: bool) -> None:
    circuit, values = ("L0-R0-p(R1,CPE1)", [2e-5, *ARC]) if inductance else ("R0-p(R1,CPE1)", ARC)
    best = fit_arcs(measured(circuit, values)).best
    assert str(best.circuit).startswith("L0-") is inductance
    assert best.sum_of(["R1"])[0] == pytest.approx(60.0, rel=0.01)


def test_a_resistance_that_is_not_determined_is_no_number_below_20_ohm() -> None:
    # both arcs are interfaces' by their capacitances: no resistor is the electrolyte's
    two = measured("R0-p(R1,CPE1)-p(R2,CPE2)", [0.001, 60.0, 1e-6, 0.9, 40.0, 1e-4, 0.9])
    found = pellet_resistance(two)
    assert not found.electrolyte.determined
    codes = [note.code for note in found.flags]
    assert EIS_UNDET in codes
    assert EIS_CORR not in codes
