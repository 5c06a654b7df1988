"""``rig`` in this process: the console script's own function, with its streams caught."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import Any

from rig.cli import main

PROTOCOL = """protocol: 1
name: two short cycles
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 10 s}
variables: {pause: 2 min}
steps:
  - repeat: 2
    steps:
      - charge: {at: 1C, until: 4.2 V, for: 5 min}
      - rest: {for: $pause}
      - discharge: {at: 1C, until: 2.8 V, for: 5 min}
"""


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return stdout as the one JSON object that it must be; NaN is none of JSON's."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


def rig(*arguments: object) -> Outcome:
    """Run ``rig`` with these arguments."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["rig", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main.run()
    except SystemExit as over:
        return Outcome(int(over.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv = argv
    raise AssertionError("rig returned without an exit code")


def refused(*arguments: object) -> str:
    """Run a command that must be refused as bad input, and return what it complains of."""
    outcome = rig(*arguments)
    assert outcome.code == 2, outcome
    assert outcome.err
    assert "Traceback" not in outcome.err
    assert "Error(" not in outcome.err
    return outcome.err
