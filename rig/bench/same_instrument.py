"""Making safe what another process has left: by the very same instrument that it had, or by none.

A port is a place, not an instrument. Whoever was plugged in there since may hold somebody else's cell,
and is told nothing: it is only asked who it is.
"""

from __future__ import annotations

from contextlib import closing

from rig.bench.file import BenchFile, ChannelSpec
from rig.bench.instruments import open_bench
from rig.core.clock import Clock
from rig.core.errors import WrongInstrument
from rig.core.instruments import Identity

# All that can drive a cell, then the scanners that lead it there.
DRIVING = (("cell", "impedance", "resistance"), ("multiplexer",))


def driving(channel: ChannelSpec) -> list[str]:
    """Return what can drive a channel's cell, each once, in the order in which it is made safe."""
    roles = [role for phase in DRIVING for role in phase if role in channel.instruments]
    return list(dict.fromkeys(channel.instruments[role] for role in roles))


def make_same_safe(bench: BenchFile, name: str, before: Identity | None, clock: Clock) -> None:
    """Open one instrument, see that it is the one that was there, make it safe, close its port.

    ``before`` None: nobody has ever asked who it is. Raises BadInput where it cannot be opened,
    WrongInstrument, LinkError, UnconfirmedSafeState.
    """
    with closing(open_bench(bench, clock, [name])) as opened:
        if before is not None:
            _require_same(name, opened.identities[name], before)
        opened.drivers[name].make_safe()


def _require_same(name: str, found: Identity, before: Identity) -> None:
    if found != before:
        raise WrongInstrument(
            f"{name}: is {found.model} {found.serial!r}, was {before.model} {before.serial!r}; "
            "it was left alone, for its cell is somebody else's"
        )
