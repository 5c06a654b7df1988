"""``$name`` in a value -> the text it stands for, before any quantity is read.

Knows nodes and texts; knows no step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rig.core.errors import Problem, did_you_mean
from rig.protocol.source import Node

_REFERENCE = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True)
class Variables:
    """The names known at one place of the file; ``used`` and ``problems`` are shared by all places."""

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def binding(self, name: str, value: str) -> Variables:
        """Return the names known inside a for_each."""
        return replace(self, values={**self.values, name: value})

    def fill(self, node: Node, *, leave: str = "") -> Node:
        """Return ``node`` with every ``$name`` in its values replaced, but under the key ``leave``."""
        value = node.value
        if isinstance(value, dict):
            filled = {key: i if key == leave else self.fill(i) for key, i in value.items()}
            return replace(node, value=filled)
        if isinstance(value, list):
            return replace(node, value=[self.fill(item) for item in value])
        if not isinstance(value, str) or "$" not in value:
            return node
        return node.with_text(_REFERENCE.sub(lambda match: self._value(match[1], node), value))

    def _value(self, name: str, node: Node) -> str:
        self.used.add(name)
        if name in self.values:
            return self.values[name]
        known = ", ".join(f"${known}" for known in self.values) or "none"
        self.problems.append(
            Problem(
                node.where,
                f"unknown variable '${name}', known here: {known}",
                example=f"variables: {{{name}: ...}}",
                suggestion=did_you_mean(name, self.values),
            )
        )
        return f"${name}"


def default_values(root: Node) -> dict[str, str]:
    """Return what a file's own ``variables:`` say, as text."""
    return {name: node.text for name, node in _written(root).items()}


def _written(root: Node) -> dict[str, Node]:
    block = root.get("variables")
    return block.value if block is not None and isinstance(block.value, dict) else {}


def global_variables(root: Node, given: Mapping[str, str]) -> Variables:
    """Return the file's ``variables:`` with the values that ``--set`` gives instead."""
    written = _written(root)
    variables = Variables({**default_values(root), **given})
    for name, node in written.items():
        if "$" in node.text:
            message = f"the value of {name!r} is itself a variable; write the value"
            example = f"variables: {{{name}: 200}}"
            variables.problems.append(Problem(node.where, message, example=example))
    return variables


def check_all_used(root: Node, given: Mapping[str, str], variables: Variables) -> None:
    """Add a problem for every variable that changes nothing: usually a slip of the pen."""
    written = _written(root)
    known = sorted(variables.used | set(written))
    for name in given:
        if name not in variables.used and name not in written:
            message = f"the protocol has no variable '${name}'"
            problem = Problem(f"--set {name}={given[name]}", message)
            variables.problems.append(replace(problem, suggestion=did_you_mean(name, known)))
    for name, node in written.items():
        if name not in variables.used:
            message = f"the variable {name!r} is never used"
            variables.problems.append(Problem(node.key_where, message, example=f"repeat: ${name}"))
