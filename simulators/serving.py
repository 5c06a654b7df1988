"""A whole simulated bench on this machine's ports: what ``rig simulate`` serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from rig.core.clock import RealClock
from rig.core.errors import BadInput, Problem, did_you_mean
from simulators.faults import KINDS, Breakable, Fault, FaultyFront, parse_fault
from simulators.interfaces import Front
from simulators.server import Server
from simulators.world import SimulatedWorld


@contextmanager
def serve_bench(
    bench: Mapping[str, Any], *, speed: float, seed: int, faults: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Serve every instrument of ``bench`` until the context ends; gives addresses by name.

    Fulfils rig.core.simulation.ServeWorld. An instrument's ``connect`` does not matter here: all
    are simulated.
    """
    instruments = bench.get("instruments", {})
    simulated = {name: {**entry, "connect": "sim"} for name, entry in instruments.items()}
    clock = RealClock(speed)
    world = SimulatedWorld({**bench, "instruments": simulated}, clock, seed)
    fronts = dict(world.fronts)
    for fault in _checked(faults, fronts):
        front, transport = fronts[fault.instrument]
        fronts[fault.instrument] = (FaultyFront(cast(Breakable, front), fault), transport)
    with Server(fronts, clock) as server:
        yield server.addresses


def _checked(specs: Sequence[str], fronts: Mapping[str, tuple[Front, Any]]) -> list[Fault]:
    faults: list[Fault] = []
    problems: list[Problem] = []
    for spec in specs:
        try:
            fault = parse_fault(spec)
        except BadInput as bad:
            problems.extend(bad.problems)
            continue
        problems.extend(_problems(fault, fronts))
        faults.append(fault)
    if problems:
        raise BadInput(problems)
    return faults


def _problems(fault: Fault, fronts: Mapping[str, tuple[Front, Any]]) -> list[Problem]:
    if fault.instrument not in fronts:
        near = did_you_mean(fault.instrument, fronts)
        return [
            Problem("--fault", f"no instrument is called {fault.instrument!r}", suggestion=near)
        ]
    front = fronts[fault.instrument][0]
    if not KINDS[fault.kind].on_wire and not hasattr(front, "inject"):
        return [Problem("--fault", f"{fault.instrument} cannot have the fault {fault.kind!r}")]
    return []
