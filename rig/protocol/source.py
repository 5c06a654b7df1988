"""YAML text -> a tree that knows where everything stands. Knows nothing of protocols.

ruamel's composer is used, not its constructor: nothing in a file can make an object. Anchors,
aliases, tags and merge keys are refused: `$variables` are the one way to say a thing twice.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from rig.core.errors import BadInput, Problem

Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
# What ruamel resolves to when no tag is written.
_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
}
_LONGEST_INTEGER = 18  # digits; a longer one stays text and is refused where a number is wanted


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place: ``where`` is ``file:line:column`` of it, ``key_where`` of its key.

    ``text`` is a scalar as written. ``line`` counts from 1.
    """

    value: dict[str, Node] | list[Node] | Scalar
    where: str
    key_where: str
    line: int
    text: str = ""

    def child(self, *path: str | int) -> Node:
        """Return the node at ``path``, or the nearest one above it that exists."""
        node = self
        for step in path:
            match node.value, step:
                case dict() as entries, str() if step in entries:
                    node = entries[step]
                case list() as entries, int() if step < len(entries):
                    node = entries[step]
                case _:
                    break
        return node

    def get(self, key: str) -> Node | None:
        """Return the value of ``key`` in a mapping, or None."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> list[Node]:
        """Return the items of a list; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """Return the value without its places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def with_text(self, text: str) -> Node:
        """Return a scalar of another text at the same place."""
        return replace(self, value=scalar(text), text=text)

    def without_items(self, *path: str) -> Node:
        """Return a copy in which the list at ``path``, if there is one, is empty."""
        if not path:
            return replace(self, value=[]) if isinstance(self.value, list) else self
        inner = self.get(path[0])
        if inner is None or not isinstance(self.value, dict):
            return self
        return replace(self, value=self.value | {path[0]: inner.without_items(*path[1:])})


def scalar(text: str) -> Scalar:
    """Return what an unquoted scalar means in YAML 1.2; ``on`` and ``12:30`` are text there."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def read_source(text: str, file_name: str) -> Node:
    """Read YAML text; raises BadInput with every problem of its form, each at its place."""
    root = _compose(text, file_name)
    problems: list[Problem] = []
    try:
        node = _Builder(file_name, problems).build(root, root)
    except RecursionError:
        raise _nested_too_deeply(file_name) from None
    if problems:
        raise BadInput(list(dict.fromkeys(problems)))
    return node


def _compose(text: str, file_name: str) -> Any:
    try:
        with warnings.catch_warnings():
            # A reused anchor warns; anchors are refused below with a place.
            warnings.simplefilter("ignore")
            root = YAML(typ="rt", pure=True).compose(text)
    except RecursionError:
        raise _nested_too_deeply(file_name) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise BadInput(_syntax_problem(error, text, file_name)) from None
    if root is None:
        raise BadInput(Problem(f"{file_name}:1:1", "the file is empty", example="protocol: 1"))
    return root


def _nested_too_deeply(file_name: str) -> BadInput:
    return BadInput(Problem(f"{file_name}:1:1", "nested too deeply to be a protocol"))


def _syntax_problem(error: Exception, text: str, file_name: str) -> Problem:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        return Problem(f"{file_name}:{line}:{column}", f"not YAML: character {error.character!r}")
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem(f"{file_name}:1:1", f"not YAML: {error}")
    mark = error.problem_mark
    where = f"{file_name}:{mark.line + 1}:{mark.column + 1}"
    lines = text.splitlines()
    if mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return Problem(where, "a tab; YAML is indented with spaces only")
    context = f"{error.context}, " if error.context else ""
    return Problem(where, f"not YAML: {context}{error.problem}")


class _Builder:
    """Turns ruamel's nodes into ours, collecting problems."""

    def __init__(self, file_name: str, problems: list[Problem]) -> None:
        self._file_name = file_name
        self._problems = problems

    def build(self, node: Any, key: Any) -> Node:
        where, key_where = self._where(node), self._where(key)
        line = node.start_mark.line + 1
        if node.anchor is not None:
            # Not built: an anchor may contain itself.
            self._refuse(node, f"the anchor '&{node.anchor}'", "use $variables")
            return Node(None, where, key_where, line)
        if str(node.tag) not in _TAGS:
            self._refuse(node, f"the tag {str(node.tag)!r}", "write the value alone")
        if isinstance(node, MappingNode):
            return Node(dict(self._entries(node)), where, key_where, line)
        if isinstance(node, SequenceNode):
            return Node([self.build(item, item) for item in node.value], where, key_where, line)
        quoted = node.style in ('"', "'", "|", ">")
        value = node.value if quoted else scalar(node.value)
        return Node(value, where, key_where, line, text=node.value)

    def _entries(self, node: Any) -> Iterator[tuple[str, Node]]:
        seen: dict[str, str] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, "a key that is not a word", "write 'key: value'")
                continue
            name = str(key.value)
            if name in seen:
                where = self._where(key)
                self._problems.append(
                    Problem(where, f"the key {name!r} stands twice, first at {seen[name]}")
                )
            seen.setdefault(name, self._where(key))
            yield name, self.build(value, key)

    def _where(self, node: Any) -> str:
        mark = node.start_mark
        return f"{self._file_name}:{mark.line + 1}:{mark.column + 1}"

    def _refuse(self, node: Any, what: str, instead: str) -> None:
        message = f"{what} is not part of the protocol language; {instead}"
        self._problems.append(Problem(self._where(node), message))
