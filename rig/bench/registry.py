"""The only dynamic import: drivers and simulators come in through entry points.

The same door for ours and for anybody else's package; a driver that does not load is reported
with its reason and does not stop the others.
"""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.instruments import Driver
from rig.core.simulation import ServeWorld, World


def driver_names() -> list[str]:
    """Return the names of all registered driver families, sorted."""
    return sorted(_entries("rig.drivers"))


def load_driver(name: str, where: str = "driver") -> type[Driver]:
    """Return the driver class of that family; raises BadInput with the nearest name."""
    entry = _entries("rig.drivers").get(name)
    if entry is None:
        known = driver_names()
        message = f"no driver is called {name!r}; there are: {', '.join(known)}"
        raise BadInput(Problem(where, message, suggestion=did_you_mean(name, known)))
    try:
        return cast(type[Driver], entry.load())
    except (ImportError, AttributeError, OSError, TypeError, ValueError) as error:
        raise BadInput(
            Problem(where, f"driver {name!r} ({entry.value}) cannot be loaded: {error}")
        ) from error


def load_world() -> type[World]:
    """Return the class of the simulated world; raises BadInput when none is installed."""
    return cast(type[World], _simulator("world"))


def load_serve() -> ServeWorld:
    """Return the function that serves a simulated bench; raises BadInput when none is installed."""
    return cast(ServeWorld, _simulator("serve"))


def _simulator(name: str) -> object:
    entry = _entries("rig.simulators").get(name)
    if entry is None:
        raise BadInput(
            Problem("bench", f"no simulators are installed (entry point rig.simulators: {name})"),
            remedy="install cellrig whole, with its simulators package",
        )
    return entry.load()


@functools.cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
