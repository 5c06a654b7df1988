"""Opening what the bench file names: a link for each address, a driver on each link.

Nothing is switched on here. Whatever cannot be opened or is something else is reported together,
before anything happens to a cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, cast

from rig.bench.file import SIMULATED, BenchFile, ChannelSpec
from rig.bench.judging import objection_to
from rig.bench.registry import load_driver, load_world
from rig.bench.sensing import SensorSpec
from rig.core.clock import Clock
from rig.core.errors import BadInput, Problem, RigError, WrongInstrument
from rig.core.instruments import (
    CellChannel,
    Chamber,
    Driver,
    Identity,
    ImpedanceAnalyser,
    Limits,
    Multiplexer,
    ResistanceMeter,
    Sensor,
)
from rig.core.link import Link
from rig.core.sheet import Model, Role, Sheet
from rig.core.simulation import World
from rig.engine.chamber import SharedChamber
from rig.engine.channel import Channel
from rig.engine.scanner import Scanner
from rig.engine.sensors import SensorPath, SharedSensor
from rig.protocol.check import ChannelFacts
from rig.wire import LinkHealths, ReopeningLink, open_link, spaced

_REMEDY = "nothing was switched on; see: rig bench check"

WrapLink = Callable[[str, Link, Clock], Link]


class Plugged(NamedTuple):
    """An instrument that is open and has said who it is."""

    link: ReopeningLink
    driver: Driver
    identity: Identity


@dataclass
class OpenBench:
    """Open links and drivers of (some channels of) a bench; close() gives every port back."""

    bench: BenchFile
    clock: Clock
    world: World | None
    drivers: dict[str, Driver] = field(default_factory=dict)
    links: dict[str, ReopeningLink] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    chambers: dict[str, SharedChamber] = field(default_factory=dict)
    scanners: dict[str, Scanner] = field(default_factory=dict)
    sensors: dict[str, SharedSensor] = field(default_factory=dict)
    before_opening: Callable[[str], None] = lambda _name: None  # told of a port opened anew
    healths: LinkHealths = field(default_factory=LinkHealths)  # of what was ever open here
    answered: dict[str, Identity] = field(default_factory=dict)  # likewise: who it was

    def close(self) -> None:
        for link in self.links.values():
            link.close()

    @property
    def shared(self) -> list[SharedChamber | SharedSensor]:
        """What several runs may use at once, each with a task of its own."""
        return [*self.chambers.values(), *self.sensors.values()]

    def plug(self, name: str, plugged: Plugged) -> None:
        """Count an instrument that ``plug_in`` has opened among those of this bench."""
        self.links[name], self.drivers[name], self.identities[name] = plugged
        self.answered[name] = plugged.identity

    def unplug(self, name: str) -> ReopeningLink:
        """Count it no more, with what was built on it; returns its link, still to be closed."""
        built_on = (self.drivers, self.identities, self.chambers, self.scanners, self.sensors)
        for known in built_on:
            known.pop(name, None)
        return self.links.pop(name)

    def reopen(self, name: str) -> None:
        """Open an instrument's port anew and see that the very same instrument answers.

        Runs in the thread that owns the port. Raises LinkError, or WrongInstrument when somebody
        plugged in another one.
        """
        self.before_opening(name)
        self.healths.of(name).reopened += 1
        self.links[name].reopen()
        found, before = self.drivers[name].identify(), self.identities[name]
        if found != before:
            raise WrongInstrument(
                f"{name} ({self.links[name].name}): came back as {found.model} {found.serial!r}, "
                f"was {before.model} {before.serial!r}"
            )

    def note_failure(self, port: str, failure: Exception) -> None:
        """Count what a driver could not do with what is known of its link; called in the port's thread."""
        if port in self.bench.instruments and isinstance(failure, RigError):
            self.healths.of(port).failed(failure, self.clock.wall_us())

    def disconnect_shared(self, channels: Iterable[ChannelSpec]) -> None:
        """Switch off every analyser behind a scanner, then open all its paths, confirmed.

        Once, before any run begins: a run looks after them only while it is its turn, and what a
        killed process left connected must not meet the first cell. Raises UnconfirmedSafeState.
        """
        scanned = [spec.instruments for spec in channels if "multiplexer" in spec.instruments]
        for role in ("impedance", "multiplexer"):
            for name in dict.fromkeys(roles[role] for roles in scanned if role in roles):
                self.drivers[name].make_safe()

    def channel(self, spec: ChannelSpec) -> Channel:
        """Return what a run works on; one SharedChamber per chamber, whoever asks."""
        cell, analyser, meter = (
            spec.instruments.get(role) for role in ("cell", "impedance", "resistance")
        )
        return Channel(
            spec.name,
            cast(CellChannel, self.drivers[cell]) if cell else None,
            cell or "",
            cast(ImpedanceAnalyser, self.drivers[analyser]) if analyser else None,
            analyser or "",
            self.shared_chamber(spec.instruments.get("chamber")),
            self._limits(spec),
            self.reopen,
            self._scanner(spec.instruments.get("multiplexer")),
            spec.path,
            cast(ResistanceMeter, self.drivers[meter]) if meter else None,
            meter or "",
            spec.fixture,
            spec.on_link_loss,
            tuple(self._sensor_path(sensor) for sensor in spec.sensors),
            objection_to,
        )

    def _sensor_path(self, spec: SensorSpec) -> SensorPath:
        """Return what a channel looks at; one SharedSensor per instrument, whoever looks."""
        name = spec.instrument
        if name not in self.sensors:
            driver, instrument = cast(Sensor, self.drivers[name]), self.bench.instruments[name]
            times = instrument.every_second, instrument.patience_second
            self.sensors[name] = SharedSensor(name, driver, name, self.clock, self.reopen, *times)
        return SensorPath(spec.name, self.sensors[name], spec.path)

    def shared_chamber(self, name: str | None) -> SharedChamber | None:
        """Return the one owner of an open chamber's set point, whoever asks."""
        if name is None:
            return None
        if name not in self.chambers:
            driver = cast(Chamber, self.drivers[name])
            self.chambers[name] = SharedChamber(name, driver, name, self.clock, self.reopen)
        return self.chambers[name]

    def _scanner(self, name: str | None) -> Scanner | None:
        if name is None:
            return None
        driver = cast(Multiplexer, self.drivers[name])
        return self.scanners.setdefault(name, Scanner(name, driver, name))

    def _limits(self, spec: ChannelSpec) -> Limits:
        safety = spec.limits
        model = self._model(spec.instruments.get("cell"))
        low, high = (model.voltage_volt if model else None) or (-math.inf, math.inf)
        largest = model.current_ampere if model and model.current_ampere else math.inf
        return Limits(
            low if safety.voltage_min_volt is None else max(low, safety.voltage_min_volt),
            high if safety.voltage_max_volt is None else min(high, safety.voltage_max_volt),
            min(largest, safety.current_max_ampere or math.inf),
        )

    def _model(self, instrument: str | None) -> Model | None:
        if instrument is None:
            return None
        return self.drivers[instrument].sheet.model(self.identities[instrument].model)

    def facts(self, spec: ChannelSpec) -> ChannelFacts:
        """Return what a protocol can be checked against: ranges of these very instruments."""
        cell = self._model(spec.instruments.get("cell"))
        analyser = self._model(spec.instruments.get("impedance"))
        chamber = self._model(spec.instruments.get("chamber"))
        return ChannelFacts(
            spec.name,
            frozenset(spec.instruments),
            cell.voltage_volt if cell else None,
            cell.current_ampere if cell else None,
            chamber.temperature_celsius if chamber else None,
            analyser.frequency_hertz if analyser else None,
            spec.limits,
            analyser.amplitude_volt if analyser else None,
            analyser.amplitude_ampere if analyser else None,
            spec.fixture.span if spec.fixture else None,
            {sensor.name: sensor.dimension for sensor in spec.sensors},
        )


def open_bench(
    bench: BenchFile,
    clock: Clock,
    instruments: Iterable[str],
    *,
    seed: int = 1,
    wrap: WrapLink = lambda _name, link, _clock: link,
) -> OpenBench:
    """Open and identify these instruments.

    ``wrap`` may put another link around each instrument's: one that records, or one that fails.
    Raises BadInput with all that cannot be opened, do not answer, or are something else; then
    every port that did open is closed again.
    """
    world = load_world()(bench.plain, clock, seed) if bench.simulated else None
    opened = OpenBench(bench, clock, world)
    problems: list[Problem] = []
    for name in dict.fromkeys(instruments):
        try:
            opened.plug(name, plug_in(opened, name, wrap))
        except BadInput as bad:
            problems += bad.problems
    if problems:
        opened.close()
        raise BadInput(problems, remedy=_REMEDY)
    return opened


def plug_in(
    opened: OpenBench,
    name: str,
    wrap: WrapLink,
    at_once: Callable[[Driver], None] = lambda _driver: None,
) -> Plugged:
    """Open and identify one instrument, and do ``at_once`` with it; changes nothing in ``opened``.

    Raises BadInput with what went wrong; the port is closed again then.
    """
    spec = opened.bench.instruments[name]
    where = f"{spec.where} instrument {name}"
    with ExitStack() as undo:
        try:
            driver_class = load_driver(spec.driver, where)
            sheet = driver_class.sheet
            link = ReopeningLink(lambda: _measured_port(opened, name, sheet, wrap))
            undo.callback(link.close)
            options = _paths(opened.bench, name, sheet) | spec.options
            driver = driver_class(spaced(link, opened.clock, sheet.spacing), name, **options)
            identity = driver.identify()
            at_once(driver)
        except BadInput:
            raise
        except RigError as error:
            message = f"{error}{'; ' + error.remedy if error.remedy else ''}"
            raise BadInput(Problem(where, message), remedy=_REMEDY) from error
        undo.pop_all()
    return Plugged(link, driver, identity)


def _paths(bench: BenchFile, name: str, sheet: Sheet) -> dict[str, Any]:
    """Tell a scanner every path of the bench, so that all of them are read back from the start."""
    if Role.MULTIPLEXER not in sheet.roles:
        return {}
    channels = bench.channels.values()
    return {"paths": tuple(c.path for c in channels if c.instruments.get("multiplexer") == name)}


def _measured_port(opened: OpenBench, name: str, sheet: Sheet, wrap: WrapLink) -> Link:
    link = wrap(name, _port(opened, name, sheet), opened.clock)
    return opened.healths.measured(name, link, opened.clock)


def _port(opened: OpenBench, name: str, sheet: Sheet) -> Link:
    connect = opened.bench.instruments[name].connect
    if connect != SIMULATED:
        return open_link(connect, sheet.terminator, sheet.baudrate)
    assert opened.world is not None
    return opened.world.link(name)


def identity_snapshot(opened: OpenBench) -> dict[str, Any]:
    """Return who answered, as plain data for the run's record."""
    return {name: asdict(identity) for name, identity in opened.identities.items()}
