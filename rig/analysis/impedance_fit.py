"""Fit equivalent circuits to spectra by complex least squares, with honest uncertainties.

One spectrum or a thousand: ``fit_spectra`` runs them down together, ``fit_circuit`` is the same for
one. No guess is needed (``impedance_start``). The covariance is scaled by the residual variance,
because the noise of an impedance analyser is rarely known; where the caller gives standard
uncertainties it is not scaled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from rig.analysis.capacitance import Geometry
from rig.analysis.circuit import Circuit
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.impedance_batch import CircuitFits
from rig.analysis.impedance_minima import find_minima
from rig.analysis.impedance_problem import Bounds, CircuitProblem, Start, Weights
from rig.analysis.impedance_result import CircuitFit, FittedParameter
from rig.analysis.impedance_uncertainty import Intervals
from rig.analysis.spectrum import Spectrum
from rig.analysis.time_constants import is_even
from rig.core.errors import AnalysisError, BadInput, Problem

__all__ = ["CircuitFit", "CircuitFits", "FittedParameter", "fit_circuit", "fit_spectra"]

STARTS_OF_ARCS, STARTS = 4, 6  # measured: an even chain of arcs needs fewer for the same minima


def fit_circuit(
    spectrum: Spectrum,
    circuit: str | Circuit,
    *,
    weights: Weights = "modulus",
    standard_uncertainty_ohm: NDArray[np.float64] | None = None,
    start: Start | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Bounds | None = None,
    geometry: Geometry | None = None,
    starts: int | None = None,
    intervals: Intervals = "curvature",
) -> CircuitFit:
    """Fit ``circuit`` (text or parsed) to ``spectrum``.

    ``weights``: residuals divided by |Z| (modulus), by nothing (unit), or each part by its own
    magnitude (proportional); ``standard_uncertainty_ohm``, one per point for both parts, replaces
    them and is taken at its word. ``start`` in the order of the text, or some values by name;
    a complete one is the only start tried. ``fixed`` values stay. ``geometry`` scales capacitances
    for the assignment. Like arcs come out in the order of their time constants, fast ones first,
    unless start, bounds or fixed values name them. ``intervals``: by curvature, valley and rivals,
    or, dearer, by the profile likelihood of every value. Raises BadInput for what cannot be fitted,
    AnalysisError when no start leads to a minimum.
    """
    known = None if standard_uncertainty_ohm is None else [standard_uncertainty_ohm]
    return fit_spectra(
        [spectrum],
        circuit,
        weights=weights,
        standard_uncertainties_ohm=known,
        start=start,
        fixed=fixed,
        bounds=bounds,
        geometry=geometry,
        starts=starts,
        intervals=intervals,
    )[0]


def fit_spectra(
    spectra: Sequence[Spectrum],
    circuit: str | Circuit,
    *,
    weights: Weights = "modulus",
    standard_uncertainties_ohm: Sequence[NDArray[np.float64]] | None = None,
    start: Start | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Bounds | None = None,
    geometry: Geometry | None = None,
    starts: int | None = None,
    intervals: Intervals = "curvature",
) -> CircuitFits:
    """Fit one circuit to many spectra, each by itself, all at once: a thousand take a second or two.

    As ``fit_circuit``; frequencies may differ from spectrum to spectrum, and it is fastest where
    they do not.
    """
    if not spectra:
        raise BadInput(Problem("spectra", "got none, expected one or more"))
    if intervals not in get_args(Intervals):
        raise BadInput(Problem("intervals", f"got {intervals!r}, expected curvature or profile"))
    parsed = parse_circuit(circuit) if isinstance(circuit, str) else circuit
    problem = CircuitProblem(
        parsed,
        spectra,
        weights,
        known=standard_uncertainties_ohm,
        bounds=bounds,
        fixed=fixed,
        in_order=start is None,
    )
    minima = find_minima(problem, start, _usual_starts(problem) if starts is None else starts)
    if not np.all(np.isfinite(minima.objective)):
        which = (
            "" if len(spectra) == 1 else f", spectrum {np.argmax(~np.isfinite(minima.objective))}"
        )
        message = f"circuit {parsed}{which}: the fit failed from each of {minima.starts[0]} starts"
        raise AnalysisError(message, remedy="give --start values, or a simpler circuit")
    named = "given" if problem.known else weights
    return CircuitFits.of(
        problem, minima, named, geometry, may_leave=start is None, intervals=intervals
    )


def _usual_starts(problem: CircuitProblem) -> int:
    """Return few for elements and arcs in a chain; the search knows times, not names of arcs."""
    return STARTS_OF_ARCS if is_even(problem.circuit) and not problem.named else STARTS
