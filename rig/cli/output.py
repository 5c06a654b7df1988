"""How the command line speaks: results on stdout, one line of cause and one of remedy on stderr."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.core.errors import BadInput, Problem, RigError
from rig.core.plain import finite
from rig.core.units import duration

__all__ = [
    "channel_words",
    "complain",
    "duration",
    "output_file",
    "picture_file",
    "print_json",
    "reporting_errors",
]

_PICTURES = (".png", ".svg", ".pdf")


def channel_words(channel: str, *, simulated: bool) -> str:
    """Return how a channel is named to people: no simulated number is to be taken for a measured one."""
    return f"{channel} (simulated)" if simulated else channel


def print_json(values: Any) -> None:
    """Print one JSON object; NaN and infinities become null, as JSON knows neither."""
    print(json.dumps(finite(values), indent=2, default=str))


def reporting_errors(command: Callable[[], int | None], *, debug: bool) -> int:
    """Run ``command`` and return the exit code: 0, 1 the work failed, 2 bad input.

    The code is the same with ``debug``; only the traceback comes before the cause then.
    """
    try:
        return command() or 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _explain(error)


def _explain(error: Exception) -> int:
    """Print cause and remedy on stderr and return the exit code."""
    if isinstance(error, BadInput):
        complain([str(problem) for problem in error.problems], error.remedy)
        return 2
    if isinstance(error, RigError):
        complain([str(error)], error.remedy)
        return 1
    cause = f"internal error: {type(error).__name__}: {error}"
    complain([cause], "this should not happen; rig --debug shows where it did")
    return 1


def complain(causes: list[str], remedy: str) -> None:
    """Print on stderr what is wrong, a line each, and what to do about it."""
    for cause in causes:
        print(f"rig: {cause}", file=sys.stderr)
    if remedy:
        print(f"     {remedy}", file=sys.stderr)


def output_file(option: str, name: str) -> Path:
    """Return the path of a file to be written; raises BadInput where there cannot be one."""
    path = Path(name)
    if path.is_dir() or not path.name:
        raise BadInput(Problem(option, f"got {name!r}, which is a folder, expected a file"))
    if not path.parent.is_dir():
        raise BadInput(Problem(option, f"the folder {str(path.parent)!r} does not exist"))
    return path


def picture_file(option: str, name: str) -> Path:
    """Return the path of a picture to be written; raises BadInput for an ending that is none."""
    path = output_file(option, name)
    if path.suffix.lower() not in _PICTURES:
        message = f"got {name!r}, expected a name that ends in {', '.join(_PICTURES)}"
        raise BadInput(Problem(option, message, example=f"{option} spectrum.png"))
    return path
