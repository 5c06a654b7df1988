"""A maker's column headers in our words: ``Current(mA)`` is ``current_ampere``, times 0.001.

A maker is a table from the header's bare words to a machine name; the unit in brackets or after a
slash says the factor. Makers change spaces, brackets and hashes between versions, words hardly ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# unit, as written in lower case -> what its number is multiplied by to be in base units
UNIT_FACTORS: dict[str, float] = {
    **{"v": 1.0, "mv": 1e-3, "uv": 1e-6, "a": 1.0, "ma": 1e-3, "ua": 1e-6, "µa": 1e-6, "na": 1e-9},
    **{"ah": 1.0, "mah": 1e-3, "uah": 1e-6, "a.h": 1.0, "ma.h": 1e-3, "as": 1 / 3600, "c": 1.0},
    **{"mas": 1e-3 / 3600, "wh": 1.0, "mwh": 1e-3, "w.h": 1.0, "mw.h": 1e-3, "mws": 1e-3 / 3600},
    **{"w": 1.0, "mw": 1e-3, "s": 1.0, "sec": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "hz": 1.0},
    **{"ohm": 1.0, "ohms": 1.0, "mohm": 1e-3, "deg": 1.0, "degc": 1.0, "°c": 1.0, "pa": 1.0},
    **{"℃": 1.0, "celsius": 1.0, "deg c": 1.0, "ω": 1.0, "hours": 3600.0, "seconds": 1.0},
}
_IN_BRACKETS = re.compile(r"^(?P<words>.*?)\s*[(\[]\s*(?P<unit>[^)\]]*)\s*[)\]]\s*$")
_AFTER_SLASH = re.compile(r"^(?P<words>.*?)\s*/\s*(?P<unit>[^/]*)$")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


class Header(NamedTuple):
    """A header taken apart: its bare words, and its unit as written (empty where there is none)."""

    words: str
    unit: str


def take_apart(header: str) -> Header:
    """Return the words and the unit of a header.

    >>> take_apart("Charge_Capacity(Ah)"), take_apart("Rec#")
    (Header(words='charge capacity', unit='Ah'), Header(words='rec', unit=''))
    """
    text = header.strip().lstrip("~").strip()
    for pattern in (_IN_BRACKETS, _AFTER_SLASH):
        match = pattern.match(text)
        if match and (pattern is _IN_BRACKETS or match["unit"].lower() in UNIT_FACTORS):
            return Header(_bare(match["words"]), match["unit"].replace("�", "°"))
    return Header(_bare(text), "")


def _bare(words: str) -> str:
    return _NOT_WORD.sub(" ", words.lower()).strip()


class Column(NamedTuple):
    """Where a column of the file goes: its machine name, and its factor to base units."""

    header: str
    name: str
    factor: float


def known_columns(headers: Sequence[str], words: Mapping[str, str]) -> list[Column]:
    """Return the columns that a maker's ``words`` know, each machine name once, in their order.

    Where two headers mean the same, the one whose words come first in the table wins. A unit that
    nobody here knows keeps its column out: a factor is never guessed.
    """
    taken = [take_apart(header) for header in headers]
    order = {word: rank for rank, word in enumerate(words)}
    found: dict[str, tuple[int, int, Column]] = {}
    for place, (header, (bare, unit)) in enumerate(zip(headers, taken, strict=True)):
        factor = UNIT_FACTORS.get(unit.strip().lower(), None if unit.strip() else 1.0)
        if bare not in words or factor is None:
            continue
        candidate = (order[bare], place, Column(header, words[bare], factor))
        found[words[bare]] = min(found.get(words[bare], candidate), candidate)
    return [column for _, _, column in sorted(found.values(), key=lambda one: one[1])]
