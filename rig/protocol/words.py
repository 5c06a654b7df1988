"""The words of the protocol language that are not keys of a model. Standard library only.

``LATER`` holds what the language will have and this version has not: such a word gets an honest
answer instead of "unknown key".
"""

from __future__ import annotations

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
        "auxiliaries",
        "limits",
        # ends, conditions and targets
        "soc",
        "pressure",
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
