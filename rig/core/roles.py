"""What a person may do: three roles, each with all that the one before may."""

from __future__ import annotations

import functools
from enum import Enum


@functools.total_ordering
class Role(Enum):
    """From least to most: looks; starts, steers and acknowledges; lets people in."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def __lt__(self, other: Role) -> bool:
        return _RANK[self] < _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}
