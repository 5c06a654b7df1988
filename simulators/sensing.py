"""Sensors of a simulated bench: which are there, and what each is attached to.

A channel's ``temperature``, ``pressure`` and ``aux`` say which sensor is beside its cell. Unless a
``simulate:`` block says otherwise a thermometer is on the cell itself and a pressure sensor in the
press around it; a transmitter has the two points that the bench's options give it. Knows models
and fronts, no driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rig.core.errors import BadInput, Problem
from rig.core.scale import Scale, read_scale
from rig.core.units import quantity
from simulators.fronts.keithley_daq6510 import CHANNELS, KeithleyDaq6510Front
from simulators.fronts.load_cell import FORMATS, USUAL_COUNTS, LoadCellFront
from simulators.fronts.mark10_series5 import Mark10Series5Front
from simulators.fronts.omega_usbh import REFERENCES, UNITS, OmegaUsbhFront
from simulators.interfaces import Cell, ChamberAir, Front, Load, Probe
from simulators.models.block import ANY, Block
from simulators.models.probes import DRY_BOX_CELSIUS, DryBox, InAir, OnCell, Transmitter
from simulators.models.stack import StackPressure, StackTraits
from simulators.server import Transport

SENSOR_ROLES = ("temperature", "pressure")
AUXILIARY = "aux"
# A die of 10 mm; square centimetre.
USUAL_AREA = 0.785
_SQUARE_METRE_PER_SQUARE_CENTIMETRE = 1e-4
_PLACES = ("sample", "chamber", "room", "open")
_TRANSMITTED = {
    "dew_point": "temperature",
    "temperature": "temperature",
    "pressure": "pressure",
    "force": "force",
}


@dataclass(frozen=True, slots=True)
class PressureFamily:
    """A driver's sensors of force or pressure; ``choices`` as of a CellFamily.

    ``build`` takes name, load, area in square metre, choices, the bench's options, and seed.
    """

    transport: Transport
    choices: Mapping[str, tuple[str, ...]]
    build: Callable[[str, Load, float, Mapping[str, str], Mapping[str, Any], int], Front]
    has_area: bool = True


@dataclass(frozen=True, slots=True)
class ScannerFamily:
    """A driver's scanning thermometers; ``build`` takes name, probes by channel, and seed."""

    transport: Transport
    build: Callable[[str, Mapping[str, Probe], int], Front]


def _counts(options: Mapping[str, Any], chosen: Mapping[str, str], area: float) -> Scale:
    """Return how a load cell was built: as the bench calibrates it, where its lines are counts."""
    if chosen["format"] != "raw":
        return USUAL_COUNTS
    for dimension, newton in (("force", 1.0), ("pressure", area)):
        try:
            line = read_scale(options.get("scale"), "", dimension, "scale", "")
        except BadInput:
            continue  # the driver says what is wrong with it
        low, high = newton * line.value_low, newton * line.value_high
        return Scale(line.raw_low, low, line.raw_high, high)
    return USUAL_COUNTS


SENSORS: dict[str, PressureFamily | ScannerFamily] = {
    "keithley.daq6510": ScannerFamily(
        Transport.TCP, lambda name, probes, seed: KeithleyDaq6510Front(name, probes, seed=seed)
    ),
    "mark10.series5": PressureFamily(
        Transport.PTY,
        {"compression": ("positive", "negative")},
        lambda name, load, area, chosen, _options, seed: Mark10Series5Front(
            name, load, area_square_metre=area, compression=chosen["compression"], seed=seed
        ),
    ),
    "omega.usbh": PressureFamily(
        Transport.PTY,
        {"reference": tuple(REFERENCES), "unit": tuple(UNITS)},
        lambda name, load, _area, chosen, _options, seed: OmegaUsbhFront(
            name, load, reference=chosen["reference"], unit=chosen["unit"], seed=seed
        ),
        has_area=False,
    ),
    "serial.load_cell": PressureFamily(
        Transport.PTY,
        {"format": FORMATS},
        lambda name, load, area, chosen, options, seed: LoadCellFront(
            name,
            load,
            area_square_metre=area,
            counts=_counts(options, chosen, area),
            line_format=chosen["format"],
            seed=seed,
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is around a channel's sensors."""

    channel: str
    cell: Cell
    air: ChamberAir
    press: StackTraits


@dataclass
class _Scanner:
    """One scanning thermometer: where its channels end, as its block and its options say."""

    family: ScannerFamily
    places: dict[str, str]
    box: DryBox
    options: Mapping[str, Any]
    probes: dict[str, Probe] = field(default_factory=dict)


@dataclass
class _Sensor:
    """One sensor of force or pressure, in the press of whoever names it first."""

    family: PressureFamily
    chosen: dict[str, str]
    area_square_metre: float
    options: Mapping[str, Any]
    load: StackPressure | None = None


class Sensing:
    """The sensors of a bench being read; ``seed_of`` gives each name its own seed."""

    def __init__(
        self,
        problems: list[Problem],
        seed_of: Callable[[str], int],
        room: Callable[[str], ChamberAir],
    ) -> None:
        self.stacks: dict[str, StackPressure] = {}  # by channel, where a sensor feels it
        self._problems = problems
        self._seed_of = seed_of
        self._room = room
        self._scanners: dict[str, _Scanner] = {}
        self._sensors: dict[str, _Sensor] = {}

    def add(
        self,
        name: str,
        family: PressureFamily | ScannerFamily,
        simulate: Mapping[str, Any],
        options: object,
    ) -> None:
        """Read the blocks of one instrument."""
        given: Mapping[str, Any] = options if isinstance(options, Mapping) else {}
        block = Block(simulate, f"instruments.{name}.simulate", self._problems)
        if isinstance(family, ScannerFamily):
            self._scanners[name] = self._scanner(name, family, block, given)
        else:
            self._sensors[name] = self._sensor(family, block, given)
        block.finish()

    def names(self, content: Mapping[str, Any]) -> bool:
        """Say whether a channel names any of these sensors."""
        return any(name in self._sensors or name in self._scanners for name, _ in _named(content))

    def attach(self, content: Mapping[str, Any], here: Surroundings) -> None:
        """Attach the sensors that a channel names to its cell, its air and its press."""
        for name, path in _named(content):
            if name in self._sensors:
                sensor = self._sensors[name]
                sensor.load = sensor.load or self._stack(here)
            elif name in self._scanners:
                scanner = self._scanners[name]
                probe = self._probe(scanner, path, here)
                if probe is not None:
                    scanner.probes.setdefault(path, probe)

    def front(self, name: str) -> Front:
        """Build one instrument."""
        seed = self._seed_of(name)
        if name in self._scanners:
            scanner = self._scanners[name]
            for path, place in scanner.places.items():
                if place == "room":
                    scanner.probes.setdefault(path, InAir(self._room(name)))
            return scanner.family.build(name, scanner.probes, seed)
        sensor = self._sensors[name]
        load = sensor.load or StackPressure(StackTraits(), self._room(name).air_temperature_celsius)
        area = sensor.area_square_metre
        return sensor.family.build(name, load, area, sensor.chosen, sensor.options, seed)

    def _scanner(
        self, name: str, family: ScannerFamily, block: Block, options: Mapping[str, Any]
    ) -> _Scanner:
        inner = block.inner("channels", "channels: {106: room}")
        known = {place: place for place in _PLACES}
        places = {path: inner.choice(path, known, "sample") for path in CHANNELS if inner.has(path)}
        inner.finish()
        dew_point = block.quantity("dew_point", "temperature", DRY_BOX_CELSIUS, ANY)
        box = DryBox(self._seed_of(f"{name}/box"), dew_point)
        channels = options.get("channels")
        return _Scanner(family, places, box, channels if isinstance(channels, Mapping) else {})

    def _sensor(self, family: PressureFamily, block: Block, options: Mapping[str, Any]) -> _Sensor:
        chosen = {
            key: block.choice(key, {word: word for word in words}, words[0])
            for key, words in family.choices.items()
        }
        area = USUAL_AREA
        if family.has_area:
            area = block.quantity("area", "area", _area_of(options))
        return _Sensor(family, chosen, area * _SQUARE_METRE_PER_SQUARE_CENTIMETRE, options)

    def _stack(self, here: Surroundings) -> StackPressure:
        temperature = here.cell.sample_temperature_celsius
        return self.stacks.setdefault(here.channel, StackPressure(here.press, temperature))

    def _probe(self, scanner: _Scanner, path: str, here: Surroundings) -> Probe | None:
        """Return what hangs on a scanner's channel; None: nothing does."""
        place = scanner.places.get(path, "sample")
        if place == "open":
            return None
        if place != "sample":
            return InAir(here.air if place == "chamber" else self._room(here.channel))
        transmitted = _transmitted(scanner.options.get(path))
        if transmitted is None:
            return OnCell(here.cell)
        name, scale = transmitted
        return Transmitter(self._value(name, scanner, here), scale)

    def _value(self, name: str, scanner: _Scanner, here: Surroundings) -> Callable[[float], float]:
        """Return what a transmitter of this quantity measures here, by time."""
        if name == "dew_point":
            return scanner.box.dew_point_celsius
        if name == "temperature":
            return here.cell.sample_temperature_celsius
        pressure_pascal = self._stack(here).pressure_pascal
        if name == "pressure":
            return pressure_pascal
        area = USUAL_AREA * _SQUARE_METRE_PER_SQUARE_CENTIMETRE
        return lambda now_second: pressure_pascal(now_second) * area


def _named(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield instrument and path of every sensor that a channel names."""
    auxiliary = content.get(AUXILIARY)
    named = [content.get(role) for role in SENSOR_ROLES]
    named += auxiliary.values() if isinstance(auxiliary, Mapping) else ()
    for text in named:
        if isinstance(text, str):
            name, _, path = text.partition("/")
            yield name, path


def _transmitted(meaning: object) -> tuple[str, Scale] | None:
    """Return the transmitter that a scanner's option describes; None where it is none to be read."""
    if not isinstance(meaning, Mapping) or len(meaning) != 1:
        return None
    ((name, points),) = meaning.items()
    try:
        return name, read_scale(points, "voltage", _TRANSMITTED[name], str(name), "")
    except (KeyError, BadInput):
        return None  # the driver says what is wrong with it


def _area_of(options: Mapping[str, Any]) -> float:
    """Return the area that the bench gives the driver, so that both agree unless told not to."""
    try:
        return quantity(options["area"], "area") if "area" in options else USUAL_AREA
    except BadInput:
        return USUAL_AREA  # the driver says what is wrong with it
