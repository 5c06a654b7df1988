"""Which rule a family cannot keep, and why; and the decorator that runs a test for every family.

Each exception is a strict expected failure: a gap that has closed fails the suite until its line is
gone, so the list can only shrink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from rig.core.errors import RigError
from rig.core.sheet import Role
from tests.conformance.families import FAMILIES

SET_POINT = "test_a_set_point_reaches_the_cell_and_is_read_as_it_is"
READING = "test_a_damaged_reading_is_that_error_and_then_it_can_be_made_safe"
STRANGER = "test_no_driver_takes_another_familys_instrument_for_its_own"
PALMSENS = "palmsens.methodscript as impedance"
STREAMS = "it streams its points: how long a spectrum may stay silent is the engine's to judge"
NGM202, RODEOSTAT = "rohde_schwarz.ngm202 as cell", "rodeostat.json as cell"
# (family in its role, test, case): reason
EXCEPTIONS: dict[tuple[str, str, str], str] = {
    (NGM202, SET_POINT, "discharge"): "what limits the current of the sink is not known",
    (NGM202, SET_POINT, "rest"): "rest is the output off: the reading has no voltage",
    (RODEOSTAT, SET_POINT, "charge"): "it has no galvanostat",
    (RODEOSTAT, SET_POINT, "discharge"): "it has no galvanostat",
    (RODEOSTAT, SET_POINT, "rest"): "it cannot measure an open-circuit voltage",
    (PALMSENS, READING, "silence"): STREAMS,
    (PALMSENS, READING, "half a reply"): STREAMS,
    ("scpi.matrix as multiplexer", STRANGER, ""): "a generic driver: any *IDN? may be a switch",
}


def each(*roles: Role, cases: Iterable[str] = ("",)) -> Callable[[Any], Any]:
    """Run a test for every family that has one of the roles (none given: every family), case by case."""

    def parametrise(test: Any) -> Any:
        chosen = [
            pytest.param(family, case, id=f"{name}{'-' if case else ''}{case}", marks=marks)
            for name, family in FAMILIES.items()
            if not roles or family.role in roles
            for case in cases
            for marks in [_marks(name, test.__name__, case)]
        ]
        return pytest.mark.parametrize(("family", "case"), chosen)(test)

    return parametrise


def _marks(family: str, test: str, case: str) -> list[pytest.MarkDecorator]:
    reason = EXCEPTIONS.get((family, test, case))
    if reason is None:
        return []
    return [
        pytest.mark.xfail(
            reason=reason, raises=(AssertionError, RigError, pytest.fail.Exception), strict=True
        )
    ]
