"""What speaks against a spectrum that has just been measured, for the engine, which knows no analysis.

Asked in the thread of the analyser's port while the run waits: 6 ms for 71 points, measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.linalg import LinAlgError

from rig.analysis.kramers_kronig import objection


def objection_to(points: Sequence[tuple[float, float, float]]) -> str:
    """Return why Kramers-Kronig refuses these points (hertz, ohm, ohm), "" when it does not.

    A spectrum that the check cannot cope with is no reason to lose a run: that, too, is an objection.
    """
    try:
        return objection(points)
    except (ArithmeticError, LinAlgError) as error:
        return f"the Kramers-Kronig check fails: {error}"
