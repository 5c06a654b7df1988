"""Which cycles somebody means: ``1, 2, 10-50/10, last``, or a few spread over all there are.

The same words on the page, in REST and on the command line. Knows no samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from rig.core.errors import BadInput, Problem

MOST_CYCLES = 24  # more curves in one picture nobody can tell apart
SPREAD_CYCLES = 6
NOW = "now"
_EXAMPLE = "1, 2, 10-50/10, last"
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})(?:/([0-9]{1,9}))?)?")


def choose_cycles(text: str, ended: Sequence[int], going: int | None, where: str) -> list[int]:
    """Return the numbers that are meant, ascending; ``ended`` are those there are, ``going`` is ``now``.

    An empty text means a few spread over those that have ended. Raises BadInput with everything
    that is wrong: a word, a cycle that is not there, more than can be shown.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        return spread(ended) or ([] if going is None else [going])
    found: set[int] = set()
    problems: list[Problem] = []
    for word in words:
        numbers, problem = _meant(word, ended, going, where)
        found.update(numbers)
        problems += [problem] if problem else []
    if len(found) > MOST_CYCLES:
        message = f"{len(found)} cycles are meant, at most {MOST_CYCLES} can be shown"
        problems.append(Problem(where, message, example=f"{min(found)}-{max(found)}/10"))
    if problems:
        raise BadInput(problems)
    return sorted(found)


def spread(ended: Sequence[int], most: int = SPREAD_CYCLES) -> list[int]:
    """Return at most so many cycles, the first and the last among them, evenly spaced."""
    if not ended:
        return []
    at = np.unique(np.linspace(0, len(ended) - 1, min(most, len(ended))).round().astype(int))
    return [ended[int(i)] for i in at]


def _meant(
    word: str, ended: Sequence[int], going: int | None, where: str
) -> tuple[list[int], Problem | None]:
    known = [*ended, *(() if going is None else (going,))]
    named = {"first": ended[:1], "last": ended[-1:], NOW: [] if going is None else [going]}
    if word in named:
        missing = Problem(where, f"{word}: there is no such cycle; {_there(ended, going)}")
        return list(named[word]), None if named[word] else missing
    match = _RANGE.fullmatch(word)
    if match is None or match[3] == "0":
        return [], Problem(where, f"got {word!r}, expected a cycle or a range", example=_EXAMPLE)
    low, high = int(match[1]), int(match[2] or match[1])
    stride = int(match[3] or 1)
    inside = [n for n in known if low <= n <= high and (n - low) % stride == 0]
    if inside:
        return inside, None
    return [], Problem(where, f"{word}: there is no such cycle; {_there(ended, going)}")


def _there(ended: Sequence[int], going: int | None) -> str:
    return ", ".join(_words(ended, going)) or "no cycle has ended"


def _words(ended: Sequence[int], going: int | None) -> Iterator[str]:
    if ended:
        yield f"ended: {ended[0]} to {ended[-1]}" if len(ended) > 1 else f"ended: {ended[0]}"
    if going is not None:
        yield f"going on: {going}"
