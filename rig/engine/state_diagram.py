"""The table of run states as a diagram and as a matrix, for docs/reference/run-states.md.

``python -m rig.engine.state_diagram`` writes both; a test compares the page with it.
"""

from __future__ import annotations

from collections import defaultdict

from rig.core.records import RunState
from rig.engine.states import TRANSITIONS, Verb

VERBS = tuple(verb.value for verb in Verb)


def diagram() -> str:
    """Return a Mermaid state diagram; what changes no state is left to the matrix."""
    arrows: defaultdict[tuple[RunState, RunState], list[str]] = defaultdict(list)
    for (before, event), following in TRANSITIONS.items():
        if following is not before:
            arrows[before, following].append(event)
    order = {state: place for place, state in enumerate(RunState)}
    lines = [
        f"    {before.value} --> {following.value}: {', '.join(events)}"
        for (before, following), events in sorted(
            arrows.items(), key=lambda item: (order[item[0][0]], order[item[0][1]])
        )
    ]
    return "\n".join(["stateDiagram-v2", "    [*] --> queued", *lines, "    finished --> [*]"])


def matrix() -> str:
    """Return which verb is possible in which state, and where it leads, as a Markdown table."""
    head = f"| state | {' | '.join(VERBS)} |"
    rule = f"|---|{'---|' * len(VERBS)}"
    rows = [
        f"| **{state.value}** | {' | '.join(_cell(state, verb) for verb in VERBS)} |"
        for state in RunState
    ]
    return "\n".join([head, rule, *rows])


def _cell(state: RunState, verb: str) -> str:
    following = TRANSITIONS.get((state, verb))
    if following is None:
        return "-"
    return "stays" if following is state else following.value


if __name__ == "__main__":
    print(f"```mermaid\n{diagram()}\n```\n\n{matrix()}")
