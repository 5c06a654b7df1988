"""``rig record``: what one instrument of a bench says for itself, as a transcript that travels.

Asks only what drives no cell: who it is, what it reads, and its safe state last. The same steps
replay the transcript against a driver. Knows roles and interfaces, no instrument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TextIO, cast

from rig import __version__
from rig.bench.file import SIMULATED, BenchFile, ChannelSpec
from rig.bench.instruments import OpenBench, open_bench
from rig.core.clock import Clock, RealClock, SimulatedClock
from rig.core.errors import BadInput, InstrumentError, LinkError, Problem, did_you_mean
from rig.core.instruments import (
    CellChannel,
    Chamber,
    Driver,
    Identity,
    Limits,
    OpenCircuit,
    ResistanceMeter,
    Sensor,
)
from rig.core.link import Link
from rig.core.sheet import Role
from rig.wire import RecordingLink
from rig.wire.transcript import COMMENT

# A step: what the transcript's comment calls it, and what is done.
Step = tuple[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step: ``got`` in words, or what went wrong."""

    name: str
    got: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """Who was recorded, and how each step went; the bytes are in the file."""

    instrument: str
    driver: str
    identity: Identity
    steps: tuple[StepOutcome, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(f"{step.name}: {step.problem}" for step in self.steps if step.problem)


def harmless_steps(
    driver: Driver, rest: Limits | None = None, paths: Sequence[str] = ("",)
) -> Iterator[Step]:
    """Yield what can be asked without driving a cell, the safe state last.

    ``rest`` are the limits to rest and measure a cell channel with; None leaves its cell alone.
    ``paths`` are those that a sensor is read at.
    """
    yield "identify", driver.identify
    roles = driver.sheet.roles
    if Role.CHAMBER in roles:
        yield "read_temperature", cast(Chamber, driver).read_temperature
    if Role.RESISTANCE in roles:
        yield "read_resistance", cast(ResistanceMeter, driver).read_resistance
    if Role.TEMPERATURE in roles or Role.PRESSURE in roles:
        sensor = cast(Sensor, driver)
        for path in paths:
            yield f"read {path}".strip(), partial(sensor.read, path)
    if rest is not None:
        channel, limits = cast(CellChannel, driver), rest
        yield "apply OpenCircuit", lambda: channel.apply(OpenCircuit(), limits)
        yield "measure", channel.measure
    yield "make_safe", driver.make_safe


def record_instrument(
    bench: BenchFile, name: str, path: Path, *, with_rest: bool = False
) -> Recording:
    """Record instrument ``name`` into ``path``, which must not exist yet.

    A step that fails is noted and the next one tried, the safe state always. Where the instrument
    does not identify itself BadInput is raised and what did pass stays in the file; a port that
    never opened leaves no file. Raises BadInput for a name the bench has not.
    """
    _require_named(bench, name)
    resting = _resting_channel(bench, name) if with_rest else None
    sink = _create(path)
    try:
        with sink:
            return _record(bench, name, sink, resting)
    except BadInput:
        if not path.stat().st_size:
            path.unlink()
        raise


def _paths(bench: BenchFile, name: str) -> list[str]:
    """Return where the channels of the bench read a sensor; one that none names is read as a whole."""
    sensors = [sensor for channel in bench.channels.values() for sensor in channel.sensors]
    paths = [sensor.path for sensor in sensors if sensor.instrument == name]
    return list(dict.fromkeys(paths)) or [""]


def _create(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError:
        message = f"{path} exists, and a recording never overwrites"
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
    raise BadInput(Problem("--out", message, example="--out another.transcript"))


def _record(bench: BenchFile, name: str, sink: TextIO, resting: ChannelSpec | None) -> Recording:
    spec = bench.instruments[name]

    def recording(_name: str, link: Link, _clock: Clock) -> Link:
        _note(sink, f"rig {__version__}, driver {spec.driver}")
        _note(sink, "identify")
        return RecordingLink(link, sink)

    opened = open_bench(bench, _clock(bench, name), [name], wrap=recording)
    driver = opened.drivers[name]
    try:
        limits = opened.channel(resting).limits if resting else None
        # open_bench has identified it
        _, *steps = harmless_steps(driver, limits, _paths(bench, name))
        outcomes = tuple(_take(step, sink) for step in steps)
    except BaseException:  # Ctrl-C, too, must not leave a cell connected
        driver.make_safe()
        raise
    finally:
        opened.close()
    identified = StepOutcome("identify", _words(opened, name))
    return Recording(name, spec.driver, opened.identities[name], (identified, *outcomes))


def _take(step: Step, sink: TextIO) -> StepOutcome:
    """Take one step; an instrument's failure is what the recording is for, and is told."""
    name, act = step
    _note(sink, name)
    try:
        got = act()
    except (InstrumentError, LinkError) as error:
        _note(sink, f"{name} failed: {type(error).__name__}")
        remedy = f"; {error.remedy}" if error.remedy else ""
        return StepOutcome(name, problem=f"{type(error).__name__}: {error}{remedy}")
    return StepOutcome(name, "done" if got is None else str(got))


def _note(sink: TextIO, words: str) -> None:
    print(COMMENT, words, file=sink, flush=True)


def _words(opened: OpenBench, name: str) -> str:
    identity = opened.identities[name]
    return f"{identity.maker} {identity.model}, firmware {identity.firmware}"


def _clock(bench: BenchFile, name: str) -> Clock:
    if bench.instruments[name].connect == SIMULATED:
        return SimulatedClock()
    return RealClock(bench.speed or 1.0)


def _require_named(bench: BenchFile, name: str) -> None:
    known = bench.instruments
    if name not in known:
        message = f"there is no instrument {name!r} on this bench; there are: {', '.join(known)}"
        raise BadInput(Problem(bench.file, message, suggestion=did_you_mean(name, known)))


def _resting_channel(bench: BenchFile, name: str) -> ChannelSpec:
    """Return the channel whose cell ``name`` holds, reduced to it: a rest needs its limits."""
    for channel in bench.channels.values():
        if channel.instruments.get(Role.CELL.value) == name:
            return replace(channel, instruments={Role.CELL.value: name})
    message = f"{name} is not the cell: instrument of any channel, so there is nothing to rest"
    raise BadInput(Problem("--with-rest", message))
