"""Small things that every route says alike: what is not there, JSON without NaN, ids that are text."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, StringConstraints

from rig.core.plain import finite
from rig.web.house import Found, House
from rig.web.problems import Refusal

RunId = Annotated[
    str, Path(description="A run's id, a unique beginning of it, or `last`.", max_length=64)
]
ChannelName = Annotated[str, Path(description="A channel's name.", max_length=100)]


def _without_nul(text: str) -> str:
    """PostgreSQL keeps no text with a NUL in it."""
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


WithoutNul = AfterValidator(_without_nul)
Line = Annotated[str, StringConstraints(max_length=500), WithoutNul]

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="How many to leave out first.")]

# What every route may answer besides its success; the body is always a problem (RFC 9457).
PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"description": "nobody knows who you are"},
    403: {"description": "your role may not"},
    404: {"description": "not there"},
    422: {"description": "bad input, with every problem"},
    503: {"description": "the database cannot be reached"},
}


class Plain(JSONResponse):
    """JSON in which what nobody has measured is null."""

    def render(self, content: Any) -> bytes:
        return super().render(finite(content))


def run_of(house: House, wanted: str) -> Found:
    """Return the run, or refuse with 404."""
    found = house.find(wanted)
    if found is None:
        raise Refusal(404, f"run {wanted!r}: no such run in this database", remedy="GET /api/runs")
    return found
