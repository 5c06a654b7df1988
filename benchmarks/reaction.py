"""How fast is a limit obeyed? ``python benchmarks/reaction.py [--rounds N] [--json]``.

From the reply that breaks a limit, as it goes on the wire, to the first byte of the make-safe
command that comes back: real time, real TCP sockets, the engine in a process of its own (``rig
run``, watchdog included), the simulated source meters in this one. Both moments are taken here, by
one clock, at the instruments' end of the wire. 1 channel and 64, each looked at once a second.
Asserts no time: a busy machine is no error.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import packages_first  # noqa: F401
from reaction_wire import Echo, Pings, Tap
from this_machine import machine

from rig.core.clock import RealClock
from simulators.interfaces import Front
from simulators.server import Transport, serve
from simulators.world import SimulatedWorld

CHECK_EVERY_SECOND = 1.0  # the protocol's default, and hence not written there
SETTLED_SECOND = 3.0  # after the last channel has begun
SPREAD_SECOND = 10.0  # over which the channels break their limits, one here, one there
PATIENCE_SECOND = 60.0

PROTOCOL = """
protocol: 1
name: reaction
cell: {area: 1 cm^2, capacity: 5 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 20 mA}
record: {every: 1 s}
steps:
  - charge: {at: C/5, until: 4.2 V, for: 1 h}
"""


# --- one round -----------------------------------------------------------------------------------


@dataclass
class Round:
    """What one start of the engine gave."""

    reactions: list[float]
    round_trips: list[float]


def plain_bench(channels: int) -> dict[str, dict[str, dict[str, object]]]:
    """Return full cells at half charge, each on a Keithley 2450 of its own."""
    numbers = range(1, channels + 1)
    high = {"saved_off_state": "high_impedance"}
    smu = {"driver": "keithley.smu2450", "connect": "sim", "simulate": high}
    cell = {"cell": "full_cell", "area": "1 cm^2", "state_of_charge": "50 %"}
    return {
        "instruments": {f"smu-{n}": dict(smu) for n in numbers},
        "channels": {f"C{n}": {"cell": f"smu-{n}", "simulate": cell} for n in numbers},
    }


def write_files(folder: Path, bench: Mapping[str, object], addresses: Mapping[str, str]) -> None:
    """Write the protocol, and a bench file that connects to the served instruments."""
    channels = len(addresses) - 1  # one of them is the echo
    instruments = {
        f"smu-{n}": {"driver": "keithley.smu2450", "connect": addresses[f"smu-{n}"]}
        for n in range(1, channels + 1)
    }
    places = {f"C{n}": {"cell": f"smu-{n}"} for n in range(1, channels + 1)}
    served = {"bench": 1, "instruments": instruments, "channels": places}
    (folder / "bench.yaml").write_text(json.dumps(served), encoding="utf-8")  # JSON is YAML
    (folder / "reaction.yaml").write_text(PROTOCOL, encoding="utf-8")


def one_round(channels: int, folder: Path, chance: random.Random) -> Round:
    """Start the engine, let every channel break its limit at a moment of its own, and wait."""
    folder.mkdir()
    clock = RealClock()
    plain = plain_bench(channels)
    world = SimulatedWorld(plain, clock)
    taps = {name: Tap(front) for name, (front, _) in world.fronts.items()}
    fronts: dict[str, tuple[Front, Transport | str]] = {
        name: (tap, Transport.TCP) for name, tap in taps.items()
    }
    with serve({**fronts, "echo": (Echo(), Transport.TCP)}, clock) as server:
        write_files(folder, plain, server.addresses)
        with Pings(server.addresses["echo"]) as pings:
            run_engine(folder, list(taps.values()), chance)
    return Round([tap.reaction_second for tap in taps.values()], pings.second)


def run_engine(folder: Path, taps: Sequence[Tap], chance: random.Random) -> None:
    """Run the engine until every run has tripped; raises RuntimeError when one has not."""
    command = [sys.executable, "-m", "rig", "run", "reaction.yaml", "--bench", "bench.yaml"]
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        engine = subprocess.Popen(
            [*command, "--channel", "all"], cwd=folder, stdout=said, stderr=said
        )
        try:
            _wait(lambda: all(tap.readings > 1 for tap in taps) or engine.poll() is not None)
            from_second = time.monotonic() + SETTLED_SECOND / len(taps) ** 0.5
            spread = CHECK_EVERY_SECOND if len(taps) == 1 else SPREAD_SECOND
            for tap in taps:
                tap.breaks_at_ns = int((from_second + chance.uniform(0.0, spread)) * 1e9)
            _wait(lambda: engine.poll() is not None)
        finally:
            engine.kill()
            engine.wait()
    words = (folder / "said.txt").read_text("utf-8")
    safe = sum(tap.safe_ns > 0 for tap in taps)
    tripped = words.count("tripped: voltage 4.5 V")
    if not safe == tripped == len(taps):
        raise RuntimeError(f"of {len(taps)}, {safe} made safe, {tripped} tripped: {words[-500:]}")


def _wait(condition: Callable[[], bool]) -> None:
    """Return when the condition is true, or when all patience is over."""
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE_SECOND
    while not condition() and time.monotonic() < deadline:
        pause.wait(0.05)


# --- telling -------------------------------------------------------------------------------------


def quantile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that this part of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def as_data(channels: int, rounds: Sequence[Round]) -> dict[str, object]:
    """Return one line of the table as plain data, units in the keys."""
    reactions = [second for each in rounds for second in each.reactions]
    trips = [second for each in rounds for second in each.round_trips]
    reference = CHECK_EVERY_SECOND + 2 * quantile(trips, 0.5)
    return {
        "channels": channels,
        "reactions": len(reactions),
        "p50_second": quantile(reactions, 0.5),
        "p99_second": quantile(reactions, 0.99),
        "largest_second": max(reactions),
        "round_trip_p50_second": quantile(trips, 0.5),
        "round_trip_p99_second": quantile(trips, 0.99),
        "reference_second": reference,
        "p99_to_reference": quantile(reactions, 0.99) / reference,
    }


def as_text(lines: Sequence[Mapping[str, object]]) -> str:
    """Return everything as a table for people."""
    columns = list(lines[0])
    width = max(len(name) for name in columns) + 2
    table = [", ".join(f"{name} {value}" for name, value in machine().items()), ""]
    for name in columns:
        cells = (line[name] for line in lines)
        table.append(
            f"{name:{width}}"
            + "".join(f"{c:12.5f}" if isinstance(c, float) else f"{c!s:>12}" for c in cells)
        )
    return "\n".join(table)


def measure(rounds: Mapping[int, int], seed: int, folder: Path) -> list[dict[str, object]]:
    """Return a line for each number of channels; ``rounds`` says how often each is done."""
    chance, lines = random.Random(seed), []
    for channels, count in rounds.items():
        done: list[Round] = []
        for number in range(count):
            done.append(one_round(channels, folder / f"{channels}-{number}", chance))
            print(f"{channels} channels: {number + 1} of {count}", file=sys.stderr, flush=True)
        lines.append(as_data(channels, done))
    return lines


def main() -> int:
    """Measure in a temporary folder and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="with one channel")
    parser.add_argument("--rounds-64", type=int, default=4, help="with 64 channels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print plain data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rig-reaction-") as folder:
        lines = measure({1: options.rounds, 64: options.rounds_64}, options.seed, Path(folder))
    told = {"machine": machine(), "lines": lines}
    print(json.dumps(told, indent=2) if options.json else as_text(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
