"""Kill a run wherever it is, and see that it goes on: ``python benchmarks/kill.py [--json]``.

kill -9 of the engine over real sockets and ptys, of the engine with its cells in the same process,
and of the served simulators; power cuts, as copies of the SQLite files with an unsynced end. Every
run is continued to its end and compared with its own samples and with an undisturbed control of
this same program run. Prints what the kills met and everything that is wrong. Asserts no time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import packages_first  # noqa: F401
from kill_checks import (
    Story,
    capacity_deviations,
    integral_deviation,
    read_story,
    unlike,
    wrong_with,
)
from kill_runs import CURRENT_AMPERE, Kill, Place, Strike, cut_power, kill_engine, suffer
from kill_simulator import served
from kill_watch import Moment, Process
from power_cut import Tail
from this_machine import machine

KILLS_OF_ONE_RUN = 25
# In-process simulated cells come back with the cursor: a cycle is that of the control.
CAPACITY_TOLERANCE = 1e-3
# Over real time, two undisturbed runs differ too: each look is late by what the machine makes it.
LATENESS_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line, where, and with which luck."""

    options: argparse.Namespace
    folder: Path
    chance: random.Random
    controls: dict[tuple[str, ...], Story] = field(default_factory=dict)

    def control(self, words: tuple[str, ...], run: Callable[[], Story]) -> Story:
        """Return the undisturbed run of these settings, which is made once."""
        if words not in self.controls:
            self.controls[words] = run()
        return self.controls[words]

    def words(self, *more: str) -> tuple[str, ...]:
        """Return how the protocol is set, for rig run."""
        options = self.options
        pairs = (f"cycles={options.cycles}", f"longest={options.minutes:g} min", *more)
        return tuple(word for pair in pairs for word in ("--set", pair))

    def moments(self, left: int, *, at_write: bool = False) -> Iterator[Moment]:
        """Yield when to strike at one run, as often as is left; all of them at a write if asked."""
        for _ in range(min(left, KILLS_OF_ONE_RUN)):
            moment = Moment.choose(self.chance, self.options.longest)
            yield replace(moment, at_write=moment.at_write or at_write)


@dataclass
class Part:
    """All runs that were killed in one way; a deviation is None where nothing could be compared."""

    title: str
    kills: list[Kill] = field(default_factory=list)
    runs: int = 0
    samples: int = 0
    control_samples: int = 0
    gaps: int = 0
    integral_deviation: float = 0.0
    capacity_deviation: float | None = None
    allowed_by_gaps: float | None = None
    deviation_without_gap: float | None = None  # of cycles that no gap has touched
    wrong: list[str] = field(default_factory=list)

    def take(self, place: Place, story: Story, control: Story | None) -> None:
        """Add one run that is over, and judge it."""
        self.runs += 1
        self.kills += place.kills
        self.samples += len(story.samples)
        self.gaps += len(story.resumed_second)
        self.integral_deviation = max(self.integral_deviation, integral_deviation(story))
        wrong = [*place.wrong, *wrong_with(story, place.acknowledged)]
        if control is not None:
            self.control_samples += len(control.samples)
            wrong += [*unlike(story, control), *self._compare(place, story, control)]
        self.wrong += [f"{place.folder.name}: {words}" for words in wrong]

    def _compare(self, place: Place, story: Story, control: Story) -> Iterator[str]:
        """Compare capacities by cycle, within what an unwatched cell may have done in the gaps."""
        tolerance = LATENESS_TOLERANCE if place.speed else CAPACITY_TOLERANCE
        for (cycle, name), (off, whole) in capacity_deviations(story, control).items():
            deviation, allowed = abs(off) / whole, allowed_ampere_hour(place, cycle) / whole
            self.capacity_deviation = max(self.capacity_deviation or 0.0, deviation)
            self.allowed_by_gaps = max(self.allowed_by_gaps or 0.0, allowed)
            if not allowed:
                self.deviation_without_gap = max(self.deviation_without_gap or 0.0, deviation)
            if not deviation <= allowed + tolerance:
                yield f"cycle {cycle}, {name}: {off / whole:.2%} off, gaps explain {allowed:.2%}"


def allowed_ampere_hour(place: Place, cycle: int) -> float:
    """Return the charge that passed uncounted at most, in this cycle's gaps or the last one's."""
    second = sum(second for number, second in place.dark if number in {cycle - 1, cycle})
    return CURRENT_AMPERE * second / 3600.0


# --- the parts -----------------------------------------------------------------------------------


def over_sockets(order: Order) -> Part:
    """Engine kills: the simulators live on, and with them the cell, connected or not."""
    options = order.options
    part = Part(f"engine killed, sockets and ptys at speed {options.speed:g}")

    def run(name: str, count: int) -> tuple[Place, Story]:
        place = Place(order.folder / name, order.words(), options.speed)
        with served(place, options.seed):
            suffer(place, kill_engine, order.moments(count))
        return place, read_story(place.database)

    if options.engine:
        _, control = run("control over sockets", 0)
        _until(part, options.engine, "engine", lambda name, left: (*run(name, left), control))
    return part


def simulators_killed(order: Order) -> Part:
    """Simulator kills: the next life meets another cell, so there is no control to compare with."""
    options = order.options
    part = Part(f"simulators killed, sockets and ptys at speed {options.speed:g}")

    def run(name: str, count: int) -> tuple[Place, Story, None]:
        place = Place(order.folder / name, order.words(), options.speed)
        with served(place, options.seed) as simulator:
            suffer(place, simulator.strike, order.moments(count))
        return place, read_story(place.database), None

    _until(part, options.simulator, "simulator", run)
    return part


def in_process(
    title: str, count: int, strikes: Iterator[Strike], order: Order, *, at_write: bool = False
) -> Part:
    """Kills of a rehearsal: its cell is restored with the cursor, so 0.1 % is to hold."""
    part = Part(title)
    cycles = f"cycles={2 * order.options.cycles}"
    words = (*order.words("look=1 s", "longest=2 h", cycles), "--speed", "max")

    def strike(place: Place, process: Process) -> Kill | None:
        return next(strikes)(place, process)

    def run(name: str, left: int) -> tuple[Place, Story]:
        place = Place(order.folder / name, words)
        suffer(place, strike, order.moments(left, at_write=at_write))
        return place, read_story(place.database)

    if count:
        control = order.control(words, lambda: run("control in process", 0)[1])
        _until(part, count, title, lambda name, left: (*run(name, left), control))
    return part


def _until(
    part: Part,
    count: int,
    name: str,
    run: Callable[[str, int], tuple[Place, Story, Story | None]],
) -> None:
    """Run after run, until there were so many kills."""
    for number in itertools.count(1):
        left = count - len(part.kills)
        if left <= 0:
            return
        part.take(*run(f"{name} {number}", left))
        print(f"{part.title}: {len(part.kills)} of {count}", file=sys.stderr, flush=True)


def measure(options: argparse.Namespace, folder: Path) -> list[Part]:
    """Do all four parts, one after the other."""
    order = Order(options, folder, random.Random(options.seed))
    kills = itertools.repeat(kill_engine)
    cuts = (partial(cut_power, tail=tail, chance=order.chance) for tail in itertools.cycle(Tail))
    return [
        over_sockets(order),
        in_process("rehearsal killed", options.rehearsal, kills, order),
        simulators_killed(order),
        in_process("power cut", options.power_cut, cuts, order, at_write=True),
    ]


# --- telling -------------------------------------------------------------------------------------


def as_data(part: Part) -> dict[str, object]:
    """Return a part as plain data."""
    outputs = {True: "on", False: "off", None: "not asked"}
    return {
        "title": part.title,
        "kills": len(part.kills),
        "state_at_the_kill": Counter(kill.state for kill in part.kills),
        "while_committing": sum(kill.committing for kill in part.kills),
        "in_a_checkpoint": sum(kill.checkpoint for kill in part.kills),
        "output_after_the_kill": Counter(outputs[kill.output_on] for kill in part.kills),
        "engine_ended": Counter(kill.ended for kill in part.kills if kill.ended),
        "log_with_unconfirmed_end": sum(kill.unconfirmed_bytes > 0 for kill in part.kills),
        "runs": part.runs,
        "samples": part.samples,
        "control_samples": part.control_samples,
        "gaps": part.gaps,
        "integral_deviation": part.integral_deviation,
        "capacity_deviation": part.capacity_deviation,
        "allowed_by_gaps": part.allowed_by_gaps,
        "deviation_without_gap": part.deviation_without_gap,
        "wrong": part.wrong,
    }


def as_text(part: Part) -> str:
    """Return a part as a table for people."""
    lines = [part.title]
    for key, value in as_data(part).items():
        if key not in {"title", "wrong"} and value not in (None, {}):
            lines.append(f"  {key.replace('_', ' '):26}{_in_words(value)}")
    return "\n".join([*lines, *(f"  WRONG: {words}" for words in part.wrong)])


def _in_words(value: object) -> str:
    if isinstance(value, Counter):
        return ", ".join(f"{word} {count}" for word, count in value.most_common())
    return f"{value:.4%}" if isinstance(value, float) else str(value)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", type=int, default=200, help="kills of the engine over sockets")
    parser.add_argument("--rehearsal", type=int, default=20, help="kills of an in-process run")
    parser.add_argument("--simulator", type=int, default=50, help="kills of the simulators")
    parser.add_argument("--power-cut", type=int, default=20, help="power cuts")
    parser.add_argument("--speed", type=float, default=300.0, help="of the served simulators")
    parser.add_argument("--cycles", type=int, default=3, help="of each run over sockets")
    parser.add_argument("--minutes", type=float, default=120.0, help="of a half cycle, at most")
    parser.add_argument(
        "--longest", type=float, default=3.0, help="seconds of a run's life, at most"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="do it in this new folder, and leave it there")
    parser.add_argument("--json", action="store_true", help="print plain data")
    return parser.parse_args()


def main() -> int:
    """Kill in a temporary folder, print, and return 1 when anything is wrong."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="rig-kill-") as folder:
        parts = measure(options, Path(options.keep or folder))
    if options.json:
        print(json.dumps({"machine": machine(), "parts": [as_data(p) for p in parts]}, indent=2))
    else:
        print(", ".join(f"{name} {value}" for name, value in machine().items()))
        print("\n\n".join(as_text(part) for part in parts if part.kills))
    return 1 if any(part.wrong for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
