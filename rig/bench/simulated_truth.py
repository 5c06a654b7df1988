"""What was put into the cells of a rehearsal, from the bench snapshot that its run carries."""

from __future__ import annotations

from rig.bench.file import ROLES, SIMULATED
from rig.bench.registry import load_world
from rig.core.clock import SimulatedClock
from rig.store.queries import RunRecord


def truth_of(run: RunRecord) -> dict[str, float]:
    """Return the truth of the run's simulated cell by quantity key; empty for a real cell."""
    content = run.values["bench"].get("content", {})
    instruments = content.get("instruments", {})
    channel = content.get("channels", {}).get(run.channel, {})
    named = (channel[role] for role in ROLES if role in channel)
    names = [str(name).partition("/")[0] for name in named]
    if not names or any(instruments.get(name, {}).get("connect") != SIMULATED for name in names):
        return {}
    return load_world()(content, SimulatedClock(), run.values["seed"]).truth(run.channel)
