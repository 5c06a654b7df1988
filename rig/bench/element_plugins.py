"""Circuit elements of other packages: entry points ``rig.elements``, each an ElementKind.

The one way in that needs no line of Python at the bench; in a notebook ``register_element`` does it.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from rig.analysis.circuit_elements import ElementKind, register_element
from rig.core.errors import BadInput, Problem

GROUP = "rig.elements"


def load_elements() -> None:
    """Register every installed element; BadInput names those that cannot be loaded, and why."""
    problems = []
    for point in entry_points(group=GROUP):
        where = f"entry point {point.name} = {point.value}"
        try:
            kind = point.load()
        except (ImportError, AttributeError) as error:
            problems.append(Problem(where, str(error)))
            continue
        if not isinstance(kind, ElementKind):
            message = f"is a {type(kind).__name__}, expected an ElementKind"
            problems.append(Problem(where, message))
            continue
        try:
            register_element(kind)
        except BadInput as refusal:
            problems += refusal.problems
    if problems:
        raise BadInput(problems, remedy="uninstall or mend the package that brings the element")
