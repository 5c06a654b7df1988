"""The words of the protocol language that are not keys of a model. Standard library only.

``LATER`` holds what the language will have and this version has not: such a word gets an honest
answer instead of "unknown key".
"""

from __future__ import annotations

import re

# What an auxiliary may measure, and the unit it is shown in: what drivers of sensors can say.
AUXILIARY_UNITS = {"temperature": "degC", "pressure": "Pa", "force": "N", "voltage": "V"}
AUXILIARY_NAME = re.compile(r"[a-z][a-z0-9_]*")
AUXILIARY_EXAMPLE = "auxiliaries: {dew_point: degC}"

STEP_WORDS = ("rest", "charge", "discharge", "hold", "cccv", "eis", "resistance", "set_temperature")
BLOCK_WORDS = ("repeat", "for_each", "if")
VERBS = STEP_WORDS + BLOCK_WORDS

LATER = frozenset(
    {
        # steps
        "sweep",
        "prompt",
        "pulse",
        "dcir",
        "hppc",
        "gitt",
        "plate_strip",
        "critical_current_density",
        "polarise",
        "capacity_check",
        "include",
        "let",
        "set",
        "wait",
        "call",
        "notify",
        # the protocol as a whole
        "finally",
        "on_trip",
        "on_pause",
        "blocks",
        "limits",
        # ends, conditions and targets
        "soc",
        "dvdt",
        "dV/dt",
        "total_capacity",
        "total_energy",
        "any",
        "all",
        "lasting",
        "after",
        "since",
        "rise",
        "drop",
        "repeat_step",
        "continue",
        "fail",
        # options of steps
        "power",
        "frequencies",
        "measures_per_point",
        "slope",
        "band",
        "guard",
        "burst",
    }
)


def not_yet(what: str) -> str:
    """Return the sentence for something of the language that this version does not have."""
    return f"{what} is not supported yet in this version"
