"""The runs that ``kill.py`` disturbs: where they live, how they are struck down, how they go on."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kill_watch import (
    CHECKPOINT,
    WRITING,
    Look,
    Moment,
    Process,
    Row,
    freeze,
    holds_lock,
    is_running,
    kill,
    lives_in,
    look,
    output_is_on,
    rig,
    runs_in,
    wait_for,
)
from power_cut import Tail, copy_after_power_cut

CHANNEL, LONGEST_SECOND, CURRENT_AMPERE = "C1", 600.0, 2e-3
PROTOCOL = """\
protocol: 1
name: To be killed
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 3C, temperature: [15 degC, 35 degC], check_every: $look}
record: {every: $look, on_change: {voltage: 0.1 mV}}
variables: {cycles: 2, look: 10 s, longest: 2 h}
steps:
  - set_temperature: {to: 25 degC, within: 1 K, soak: 2 min, timeout: 3 h}
  - repeat: $cycles
    steps:
      - cccv: {at: 1C, to: 4.2 V, until: C/5, for: $longest}
      - eis: {from: 100 kHz, to: 20 mHz, points_per_decade: 5, amplitude: 10 mV}
      - discharge: {at: 1C, until: 3.0 V, for: $longest}
      - eis: {from: 100 kHz, to: 20 mHz, points_per_decade: 5, amplitude: 10 mV}
      - rest: {for: 5 min}
"""
BENCH = """\
bench: 1
instruments:
  smu: {driver: keithley.smu2450, connect: sim, simulate: {saved_off_state: high_impedance}}
  pstat: {driver: palmsens.methodscript, connect: sim}
  chamber: {driver: espec.p300, connect: sim}
channels:
  C1:
    cell: smu
    impedance: pstat
    chamber: chamber
    simulate: {cell: full_cell, area: 0.785 cm^2, capacity: 2 mAh, alpha_per_cycle: 5.0e-4}
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill and what it met."""

    state: str
    committing: bool
    checkpoint: bool
    rows: int
    output_on: bool | None = None
    ended: str = ""  # of a simulator's: what became of the engine
    unconfirmed_bytes: int = 0


@dataclass
class Place:
    """A folder with one run in it, and all that was seen of it.

    ``dark`` are the cycles and the simulated seconds in which no engine looked at the cell.
    """

    folder: Path
    words: tuple[str, ...]  # beside those that every run has: protocol, channel, database
    speed: float = 0.0  # of served instruments; 0: they are simulated in the run's own process
    database: Path = field(init=False)
    address: str = ""  # of the source meter, where it is served
    acknowledged: tuple[Row, ...] = ()
    lives: int = 0
    kills: list[Kill] = field(default_factory=list)
    dark: list[tuple[int, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _dark_since: tuple[int, float] | None = None  # cycle, moment

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.database = self.folder / "rig.db"
        (self.folder / "killed.yaml").write_text(PROTOCOL, encoding="utf-8")
        (self.folder / "sim.yaml").write_text(BENCH, encoding="utf-8")

    def go_on(self) -> Process:
        """Begin the run, or continue it; one that was killed too early to be known begins."""
        bench = "bench.yaml" if self.speed else "sim.yaml"
        new = ("killed.yaml", "--channel", CHANNEL, *self.words)
        what = ("--resume", "last") if runs_in(self.database) else new
        url = f"sqlite:///{self.database}"
        return rig(self.folder, ("run", *what, "--bench", bench, "--db", url))

    def wait(self, moment: Moment, process: Process) -> None:
        """Wait for the moment, and note meanwhile when the cell is looked at again."""
        if moment.of_the_run:
            begun = self.lives
            wait_for(lambda: process.poll() is not None or lives_in(self.database) > begun, 30.0)
        wait_for(lambda: self._seen_again() and process.poll() is not None, moment.second, 0.05)
        moment.wait_for_write(self.database, process)

    def finish(self) -> None:
        """Let the run go on to its end, undisturbed."""
        process = self.go_on()

        def over() -> bool:
            return self._seen_again() and process.poll() is not None

        if not wait_for(over, LONGEST_SECOND, 0.05):
            kill(process)
        if process.returncode:
            self.wrong.append(f"its last life ended with {process.returncode}: {self.said()}")

    def said(self) -> str:
        return (self.folder / "said.txt").read_text("utf-8").strip().rpartition("\n")[2]

    def _seen_again(self) -> bool:
        if self._dark_since is not None and is_running(self.database, self.lives):
            cycle, since = self._dark_since
            self.dark.append((cycle, (time.monotonic() - since) * self.speed))
            self._dark_since = None
        return True

    def see(self) -> Look:
        """Look at the database; whatever was seen before must be there still.

        Where it is locked, that is compared after the next kill, and at the end.
        """
        seen = look(self.database)
        if seen.rows[: len(self.acknowledged)] == self.acknowledged:
            self.acknowledged = seen.rows
        elif not seen.is_locked:
            self.wrong.append(f"after kill {len(self.kills)}: acknowledged samples are gone")
        if self._dark_since is None:
            self._dark_since = seen.cycle, time.monotonic()
        return seen

    def state(self, seen: Look) -> str:
        """Say in one word what this life of the run was at; ``lives`` counts those before it."""
        if seen.is_locked:
            return "opening or closing the database"
        if seen.lives <= self.lives:
            return "loading"
        self.lives = seen.lives
        if not seen.states[-1].startswith("running"):
            return seen.states[-1].partition(":")[0]
        return "in a spectrum" if seen.in_spectrum else "running"

    @property
    def is_over(self) -> bool:
        states = look(self.database).states
        return bool(states) and states[-1].startswith("finished")


# --- the three kinds of kill ---------------------------------------------------------------------

# Strikes at a run that is alive; None when the run had ended by itself.
Strike = Callable[[Place, Process], Kill | None]


def kill_engine(place: Place, process: Process) -> Kill | None:
    """kill -9; then ask the source meter what its output does now that nobody is there."""
    if not freeze(process):
        return None
    locks = _locks(place, process)
    seen = place.see()
    kill(process)
    on = output_is_on(place.address) if place.address else None
    return Kill(place.state(seen), *locks, len(seen.rows), output_on=on)


def _locks(place: Place, process: Process) -> tuple[bool, bool]:
    """Return whether it was in a commit, and in a checkpoint."""
    writing, checkpoint = (holds_lock(process, place.database, b) for b in (WRITING, CHECKPOINT))
    return writing, checkpoint


def cut_power(place: Place, process: Process, *, tail: Tail, chance: random.Random) -> Kill | None:
    """The run dies, and of its database there is what the disk may hold: a copy, in a new folder."""
    if not freeze(process):
        return None
    locks = _locks(place, process)
    seen = place.see()
    copy, unconfirmed = place.folder / f"after power cut {len(place.kills) + 1}.db", 0
    if place.database.exists():
        unconfirmed = copy_after_power_cut(place.database, copy, tail, chance)
        place.wrong += _wrong_with_copy(copy, place.acknowledged)
    kill(process)
    place.database = copy
    return Kill(place.state(seen), *locks, len(seen.rows), unconfirmed_bytes=unconfirmed)


def _wrong_with_copy(copy: Path, acknowledged: tuple[Row, ...]) -> list[str]:
    """Open a copy of the copy, as SQLite does after a crash; the copy itself is for rig to open."""
    probe = copy.with_name("probe.db")
    for end in ("", "-wal"):
        Path(f"{probe}{end}").unlink(missing_ok=True)
        if Path(f"{copy}{end}").exists():
            shutil.copyfile(f"{copy}{end}", f"{probe}{end}")
    with contextlib.closing(sqlite3.connect(probe)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
        has_tables = bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    wrong = [] if said == [("ok",)] else [f"{copy.name}: integrity_check says {said[:3]}"]
    kept = look(probe).rows[: len(acknowledged)] if has_tables else ()
    return wrong if kept == acknowledged else [*wrong, f"{copy.name}: acknowledged samples lost"]


def suffer(place: Place, strike: Strike, moments: Iterator[Moment]) -> None:
    """Begin the run, strike at each moment and let it go on, to its end; it may be over before."""
    for moment in moments:
        process = place.go_on()
        place.wait(moment, process)
        struck = strike(place, process)
        if struck is not None:
            place.kills.append(struck)
        if place.is_over:
            return
        if struck is None:
            place.wrong.append(f"a life ended by itself: {place.said()}")
            return
    place.finish()
