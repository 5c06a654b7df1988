"""What a channel reads beside its cell, as the bench file says: temperature, pressure, named auxiliaries.

What a path measures is asked of the driver itself, which sends nothing for it; so a force where a
pressure is meant is refused before a port is opened. Knows no engine and no protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from rig.bench.collecting import Collector
from rig.bench.registry import load_driver
from rig.core.errors import BadInput, InstrumentError, LinkClosed, Problem, did_you_mean
from rig.core.instruments import Quantity, Sensor
from rig.core.sheet import Role
from rig.protocol.auxiliaries import name_problem
from rig.protocol.check import AUXILIARY
from rig.protocol.source import Node

if TYPE_CHECKING:
    from rig.bench.file import ChannelSpec, InstrumentSpec

SENSOR_ROLES = (Role.TEMPERATURE, Role.PRESSURE)
AUX = "aux"
_EXAMPLES = {
    "temperature": "temperature: daq-1/101",
    "pressure": "pressure: load-1",
    AUX: "aux: {dew_point: daq-1/103}",
}
DIMENSIONS = {
    Quantity.TEMPERATURE: "temperature",
    Quantity.DEW_POINT: "temperature",
    Quantity.PRESSURE: "pressure",
    Quantity.FORCE: "force",
    Quantity.VOLTAGE: "voltage",
}
_WANTED = {"temperature": Quantity.TEMPERATURE, "pressure": Quantity.PRESSURE}
_AREA = "options: {area: 78.5 mm^2} makes a pressure of it, where the driver has that option"


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """One thing that is read beside a cell: its ``name`` is temperature, pressure, or the lab's own."""

    name: str
    instrument: str
    path: str
    quantity: Quantity
    where: str = ""

    @property
    def role(self) -> str:
        """How a channel's instruments and a protocol's needs call it."""
        return self.name if self.name in _WANTED else f"{AUXILIARY}{self.name}"

    @property
    def dimension(self) -> str:
        return DIMENSIONS[self.quantity]


def is_sensor(driver: str) -> bool:
    """Say whether instruments of this family read something beside a cell."""
    try:
        return bool(set(load_driver(driver).sheet.roles) & set(SENSOR_ROLES))
    except BadInput:
        return False  # reported where the driver stands


class SensorReader:
    """Reads the sensors of one channel after the other; problems go to the collector.

    ``known`` are all names of the section ``instruments``: one with an entry of its own that is
    wrong is refused there.
    """

    def __init__(
        self, to: Collector, instruments: Mapping[str, InstrumentSpec], known: Mapping[str, object]
    ) -> None:
        self._to, self._instruments, self._known = to, instruments, known
        self._drivers: dict[str, Sensor | None] = {}

    def of(self, channel: str, entry: Node) -> tuple[SensorSpec, ...]:
        """Return what a channel reads: temperature, pressure, then its auxiliaries."""
        found = [
            self._sensor(role, node, f"channel {channel!r}, {role}", _EXAMPLES[role])
            for role in _WANTED
            if (node := entry.get(role)) is not None
        ]
        for name, node in self._auxiliaries(entry.get(AUX)):
            who = f"channel {channel!r}, {AUX} {name}"
            found.append(self._sensor(name, node, who, _EXAMPLES[AUX]))
        return tuple(spec for spec in found if spec is not None)

    def _auxiliaries(self, node: Node | None) -> Iterator[tuple[str, Node]]:
        if node is None:
            return
        if not isinstance(node.value, dict):
            message = f"got {node.plain()!r}, expected sensors by a name of your own"
            self._to.refuse(node, message, _EXAMPLES[AUX])
            return
        for name, entry in node.value.items():
            if message := name_problem(name):
                problem = Problem(entry.key_where, message, example=_EXAMPLES[AUX])
                self._to.problems.append(problem)
            else:
                yield name, entry

    def _sensor(self, name: str, node: Node, who: str, example: str) -> SensorSpec | None:
        if not isinstance(node.value, str):
            message = f"{who}: got {node.plain()!r}, expected a sensor and its path"
            self._to.refuse(node, message, example)
            return None
        instrument, _, path = node.value.partition("/")
        spec = self._instruments.get(instrument)
        if spec is None:
            self._require_named(instrument, node, who)
            return None
        if not is_sensor(spec.driver):
            self._refuse_role(spec, node, who, example)
            return None
        return self._of_quantity(name, spec, path, node, who)

    def _require_named(self, instrument: str, node: Node, who: str) -> None:
        if instrument not in self._known:
            message = f"{who}: there is no instrument {instrument!r} on this bench"
            self._to.refuse(node, message, suggestion=did_you_mean(instrument, self._known))

    def _refuse_role(self, spec: InstrumentSpec, node: Node, who: str, example: str) -> None:
        try:
            able = ", ".join(role.value for role in load_driver(spec.driver).sheet.roles)
        except BadInput:
            return  # reported where the instrument stands
        message = f"{who}: {spec.name} ({spec.driver}) is no sensor; it can be: {able}"
        self._to.refuse(node, message, example)

    def _of_quantity(
        self, name: str, spec: InstrumentSpec, path: str, node: Node, who: str
    ) -> SensorSpec | None:
        driver = self._driver(spec)
        if driver is None:
            return None
        try:
            quantity = driver.quantity(path)
        except InstrumentError as refusal:
            self._to.refuse(node, f"{who}: {refusal}", f"{spec.name}/101")
            return None
        wanted = _WANTED.get(name, quantity)
        if quantity is not wanted:
            measured, meant = DIMENSIONS[quantity], wanted.name.lower()
            message = f"{who}: {node.value} reads a {_words(quantity)}, expected a {meant}"
            example = _AREA if measured == "force" and meant == "pressure" else _EXAMPLES[AUX]
            self._to.refuse(node, message, example)
            return None
        return SensorSpec(name, spec.name, path, quantity, node.where)

    def _driver(self, spec: InstrumentSpec) -> Sensor | None:
        """Return the driver on no link at all, to be asked what its paths measure."""
        if spec.name not in self._drivers:
            self._drivers[spec.name] = None
            try:
                made = load_driver(spec.driver)(_NoLink(spec.name), spec.name, **spec.options)
            except BadInput as bad:
                self._to.problems += [
                    Problem(f"{spec.where} {problem.where}", *_rest_of(problem))
                    for problem in bad.problems
                ]
            except TypeError:
                pass  # an option that it has not: reported where the options stand
            else:
                self._drivers[spec.name] = cast(Sensor, made)
        return self._drivers[spec.name]


def _rest_of(problem: Problem) -> tuple[str, str, str]:
    return problem.message, problem.example, problem.suggestion


def _words(quantity: Quantity) -> str:
    return quantity.name.lower().replace("_", " ")


class _NoLink:
    """What a driver is made on to be asked about itself: it sends nothing for that."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, data: bytes) -> None:
        self._refuse()

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        self._refuse()

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        self._refuse()

    def close(self) -> None:
        """There is nothing to close."""

    def _refuse(self) -> NoReturn:
        raise LinkClosed(f"{self.name}: is only asked what it is, on no port")


def sensor_problems(channels: Mapping[str, ChannelSpec]) -> Iterator[Problem]:
    """Yield what is wrong between channels and within: a thermometer is on one cell, limits are read."""
    owners: dict[tuple[str, str], str] = {}
    for channel in channels.values():
        for sensor in channel.sensors:
            if sensor.name != Role.TEMPERATURE.value:
                continue
            owner = owners.setdefault((sensor.instrument, sensor.path), channel.name)
            if owner != channel.name:
                at = f"{sensor.instrument}/{sensor.path}"
                yield Problem(sensor.where, f"{at} is the temperature of channel {owner!r} already")
        dimensions = {sensor.name: sensor.dimension for sensor in channel.sensors}
        yield from _limit_problems(channel, dimensions)


def _limit_problems(channel: ChannelSpec, dimensions: Mapping[str, str]) -> Iterator[Problem]:
    who = f"limits of {channel.name!r}"
    if channel.limits.limits_pressure and Role.PRESSURE.value not in dimensions:
        yield Problem(channel.where, f"{who}: a pressure, which nothing reads on this channel")
    for limit in channel.limits.auxiliaries:
        known = dimensions.get(limit.name)
        if known is None:
            message = f"{who}: {limit.name}, which nothing reads on this channel"
            suggestion = did_you_mean(limit.name, dimensions)
            yield Problem(channel.where, message, _EXAMPLES[AUX], suggestion)
        elif known != limit.dimension:
            message = f"{who}: {limit.name} is a {known}, and the limit a {limit.dimension}"
            yield Problem(channel.where, message)


def sensor_snapshot(channel: ChannelSpec) -> dict[str, Any]:
    """Return what each value beside a cell is and who reads it, as plain data for a run's record."""
    return {
        sensor.name: {
            "instrument": sensor.instrument,
            "path": sensor.path,
            "unit": sensor.quantity.value.removeprefix("dew point "),
            "quantity": _words(sensor.quantity),
        }
        for sensor in channel.sensors
    }
