"""Through a series in which arcs come near each other, every arc keeps its own label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.analysis.circuit_text import parse_circuit
from rig.analysis.impedance_series import fit_series
from rig.analysis.spectrum import Spectrum

CIRCUIT = "R0-p(R1,CPE1)-p(R2,CPE2)"
HERTZ = np.geomspace(1e6, 0.1, 57)
KELVIN = np.linspace(253.0, 343.0, 7)
BOLTZMANN = 8.617333262e-5  # eV/K
PER_KELVIN = (1.0 / KELVIN - 1.0 / 298.15) / BOLTZMANN


@dataclass(frozen=True)
class TwoArcs:
    """A cell from -20 to 70 degC whose time constants come near each other, and never cross."""

    ohm: tuple[float, float]  # at 25 degC
    energy_electronvolt: tuple[float, float]
    alpha: tuple[float, float]
    nearest_decades: float

    @property
    def resistances(self) -> np.ndarray:
        """Shape (temperatures, 2), as all that follows."""
        return np.array(self.ohm) * np.exp(np.outer(PER_KELVIN, self.energy_electronvolt))

    @property
    def taus(self) -> np.ndarray:
        grow = np.exp(np.outer(PER_KELVIN, self.energy_electronvolt))
        apart = grow[:, 1] / grow[:, 0]
        fast = 3e-6 * grow[:, 0]
        return np.stack([fast, fast * 10.0**self.nearest_decades * apart / apart.min()], axis=1)

    def spectra(self, seed: int) -> list[Spectrum]:
        """Return what is measured, with 0.3 % of noise."""
        random, circuit = np.random.default_rng(seed), parse_circuit(CIRCUIT)
        alpha, ohm = np.array(self.alpha), self.resistances
        q = self.taus**alpha / ohm
        found = []
        for (r1, r2), (q1, q2) in zip(ohm, q, strict=True):
            values = np.array([2.0, r1, q1, alpha[0], r2, q2, alpha[1]])
            clean = circuit.impedance(HERTZ, values)
            noise = random.standard_normal((2, clean.size))
            found.append(Spectrum(HERTZ, clean * (1 + 0.003 * (noise[0] + 1j * noise[1]))))
        return found


def fitted_taus(values: np.ndarray) -> np.ndarray:
    columns = [(values[:, r] * values[:, r + 1]) ** (1 / values[:, r + 2]) for r in (1, 4)]
    return np.stack(columns, 1)


CELLS = st.builds(
    TwoArcs,
    st.tuples(st.floats(20.0, 200.0), st.floats(20.0, 200.0)),
    st.tuples(st.floats(0.25, 0.45), st.floats(0.25, 0.6)),
    st.tuples(st.floats(0.85, 1.0), st.floats(0.85, 1.0)),
    st.floats(0.8, 1.5),
)


@settings(max_examples=12, deadline=None)
@given(CELLS, st.integers(0, 2**20), st.sampled_from([1, -1]))
def test_labels_never_swap_however_near_the_arcs_come(
    cell: TwoArcs, seed: int, direction: int
) -> None:
    fits = fit_series(cell.spectra(seed)[::direction], CIRCUIT)
    found, taus = fitted_taus(fits.values), cell.taus[::direction]
    assert np.all(np.abs(np.log(found / taus)) < np.abs(np.log(found / taus[:, ::-1])))
    # and what is under a label is what belongs there
    off = np.abs(fits.values[:, [1, 4]] - cell.resistances[::direction])
    assert np.mean(off < 4.0 * fits.standard_errors[:, [1, 4]]) >= 0.9


def test_resistances_that_cross_do_not_take_their_labels_along() -> None:
    # R1 is the larger one in the heat, the smaller one in the cold; R2 stays the slow arc
    cell = TwoArcs((60.0, 60.0), (0.25, 0.55), (0.9, 0.9), 1.2)
    assert set(np.sign(np.diff(cell.resistances)).ravel()) == {-1.0, 1.0}
    fits = fit_series(cell.spectra(7), CIRCUIT)
    np.testing.assert_allclose(fits.values[:, [1, 4]], cell.resistances, rtol=0.1)
    slopes = np.polyfit(PER_KELVIN, np.log(fits.values[:, [1, 4]]), 1)[0]
    np.testing.assert_allclose(slopes, (0.25, 0.55), atol=0.01)
