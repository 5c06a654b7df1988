"""Circuits as impedance.py writes them, read into a tree and never evaluated as code.

Elements joined by ``-`` are in series, ``p(a,b)`` puts chains in parallel, so
``R0-p(R1,CPE1)-p(R2-Wo1,C2)``. Knows the names of elements and nothing of their physics.
"""

from __future__ import annotations

import functools
import re

from rig.analysis.circuit import Circuit, Element, Parallel, Series, elements_of
from rig.analysis.circuit_elements import KINDS
from rig.core.errors import BadInput, Problem


@functools.lru_cache(maxsize=256)
def parse_circuit(text: str) -> Circuit:
    """Read a circuit such as ``R0-p(R1,CPE1)-CPE2``; raises BadInput with the column.

    >>> parse_circuit("R0 - p(R1, C1)").names
    ('R0', 'R1', 'C1')
    """
    reader = _Reader(text)
    chain = reader.whole()
    names = [element.name for element in elements_of(chain)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    reader.problems += [
        Problem(f"circuit {text!r}", f"{name} stands {names.count(name)} times, expected once")
        for name in repeated
    ]
    if reader.problems:
        raise BadInput(reader.problems)
    return Circuit(chain)


_TOKEN = re.compile(r"\s*(p\s*\(|[A-Za-z]\w*|\S|$)")
_EXAMPLE = "R0-p(R1,CPE1)-CPE2"


def _element() -> re.Pattern[str]:
    """Built anew each time, because elements may be registered: ``re`` keeps what it has seen."""
    return re.compile(rf"({'|'.join(KINDS)})(?:\d*|_\w+)")


class _Reader:
    """Recursive descent over ``series := term ('-' term)*``, ``term := element | p(series,...)``.

    An unknown element is noted and reading goes on, so that all of them come in one message; a
    misplaced bracket ends the reading.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self._at = 0

    def whole(self) -> Series:
        chain = self._series()
        if self._peek():
            raise self._misplaced("'-' or the end")
        return chain

    def _series(self) -> Series:
        parts = [self._term()]
        while self._peek() == "-":
            self._next()
            parts.append(self._term())
        return Series(tuple(parts))

    def _term(self) -> Element | Parallel:
        token = self._peek()
        if token.endswith("("):
            return self._parallel()
        if not token[:1].isalpha():
            raise self._misplaced("an element or p(")
        where = self._column()
        self._next()
        match = _element().fullmatch(token)
        if match is None:
            message = f"got {token!r}, expected one of {', '.join(KINDS)} with a number"
            self.problems.append(Problem(where, message, example=_EXAMPLE))
        return Element(match[1] if match else "R", token)

    def _parallel(self) -> Parallel:
        self._next()
        branches = [self._series()]
        while self._peek() == ",":
            self._next()
            branches.append(self._series())
        if self._peek() != ")" or len(branches) == 1:
            raise self._misplaced("',' and another branch" if len(branches) == 1 else "',' or ')'")
        self._next()
        return Parallel(tuple(branches))

    def _peek(self) -> str:
        match = _TOKEN.match(self.text, self._at)
        return match[1] if match else ""

    def _next(self) -> None:
        match = _TOKEN.match(self.text, self._at)
        self._at = match.end() if match else len(self.text)

    def _column(self) -> str:
        blanks = len(self.text[self._at :]) - len(self.text[self._at :].lstrip())
        return f"circuit {self.text!r}, column {self._at + blanks + 1}"

    def _misplaced(self, expected: str) -> BadInput:
        got = repr(self._peek()) if self._peek() else "the end"
        problem = Problem(self._column(), f"got {got}, expected {expected}", example=_EXAMPLE)
        return BadInput([*self.problems, problem])
