"""Values as JSON can say them: the same for the command line and for REST."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def finite(value: Any) -> Any:
    """Return ``value`` with NaN and infinities as None, keys as text: JSON knows neither.

    >>> finite({1: [math.nan, 2.0]})
    {'1': [None, 2.0]}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
