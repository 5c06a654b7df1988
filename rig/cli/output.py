"""How the command line speaks: results on stdout, one line of cause and one of remedy on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rig.core.errors import BadInput, RigError


def print_json(values: Any) -> None:
    """Print one JSON object; NaN and infinities become null, as JSON knows neither."""
    print(json.dumps(_finite(values), indent=2, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def reporting_errors(command: Callable[[], int | None], *, debug: bool) -> int:
    """Run ``command`` and return the exit code: 0, 1 the work failed, 2 bad input."""
    try:
        return command() or 0
    except BadInput as bad:
        if debug:
            raise
        _complain([str(problem) for problem in bad.problems], bad.remedy)
        return 2
    except RigError as error:
        if debug:
            raise
        _complain([str(error)], error.remedy)
        return 1


def _complain(causes: list[str], remedy: str) -> None:
    for cause in causes:
        print(f"rig: {cause}", file=sys.stderr)
    if remedy:
        print(f"     {remedy}", file=sys.stderr)


def duration(second: float) -> str:
    """Write a duration for people: ``3 d 4 h``, ``1 h 05 min``, ``42 s``."""
    if second >= 86_400:
        return f"{int(second // 86_400)} d {int(second % 86_400 // 3600)} h"
    if second >= 3600:
        return f"{int(second // 3600)} h {int(second % 3600 // 60):02d} min"
    if second >= 60:
        return f"{int(second // 60)} min {int(second % 60):02d} s"
    return f"{second:.0f} s"
