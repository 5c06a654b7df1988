"""What every part of reading a bench file shares: problems are collected, none ends the reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity
from rig.protocol.source import Node

Value = TypeVar("Value")


class Collector:
    """Reads pieces of a tree; what is wrong goes into ``problems``, and None comes back."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, node: Node, message: str, example: str = "", suggestion: str = "") -> None:
        self.problems.append(Problem(node.where, message, example, suggestion))

    def keys(self, node: Node, known: tuple[str, ...], what: str) -> None:
        """Refuse every key of a mapping that is not known."""
        if not isinstance(node.value, dict):
            return
        for key, entry in node.value.items():
            if key not in known:
                message = f"{what} has no key {key!r}; known: {', '.join(known)}"
                suggestion = did_you_mean(key, known)
                self.problems.append(Problem(entry.key_where, message, suggestion=suggestion))

    def quantity(self, node: Node, dimension: str) -> float | None:
        return self.collect(lambda: quantity(node.plain(), dimension, node.where))

    def time_above_zero(self, node: Node | None, example: str) -> float | None:
        """Return seconds; None where there is no such node, or it is wrong."""
        second = None if node is None else self.quantity(node, "time")
        if node is not None and second is not None and second <= 0:
            self.refuse(node, f"got {node.plain()!r}, expected more than zero", example)
        return second

    def collect(self, read: Callable[[], Value]) -> Value | None:
        try:
            return read()
        except BadInput as bad:
            self.problems.extend(bad.problems)
            return None
