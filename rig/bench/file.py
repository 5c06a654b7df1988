"""bench.yaml: which instruments there are, how they are reached, and which make up a channel.

Read strictly: everything wrong is reported at once, with line and column, before a port is opened.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from rig.bench.collecting import Collector
from rig.bench.correction import read_correction
from rig.bench.limits import LimitsReader
from rig.bench.notify_file import NotifyEntry, masked, read_notify
from rig.bench.registry import load_driver
from rig.bench.sensing import (
    AUX,
    SENSOR_ROLES,
    SensorReader,
    SensorSpec,
    is_sensor,
    sensor_problems,
)
from rig.bench.settings_file import (
    SERVER_PATIENCE_SECOND,
    STORE_PATIENCE_SECOND,
    WATCHDOG_SECOND,
    read_settings,
)
from rig.bench.wiring import option_problems, wiring_problems
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.fixture import Fixture
from rig.core.sheet import Role
from rig.engine.channel import OnLinkLoss
from rig.engine.sensors import PATIENCE_PERIODS, READ_EVERY_SECOND
from rig.protocol.program import Safety
from rig.protocol.source import Node, read_source
from rig.wire.address import parse_address

BUILT_IN = "sim"
SIMULATED = "sim"
ROLES = tuple(role.value for role in Role)
_TOP = (
    "bench",
    "database",
    "speed",
    "watchdog",
    "store_patience",
    "server_patience",
    "instruments",
    "channels",
    "limits",
    "notify",
)
_INSTRUMENT = ("driver", "connect", "options", "every", "patience", "simulate")
_CHANNEL = (*ROLES, AUX, "leads", "correction", "dc_blocking", "on_link_loss", "simulate")
# Roles of instruments that touch the cell or its chamber; sensors are read by sensing.py.
_WIRED = tuple(role.value for role in Role if role not in SENSOR_ROLES)
_EXAMPLE = 'smu-1: {driver: keithley.smu2450, connect: "TCPIP::192.168.0.5::5025::SOCKET"}'


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """One instrument of the bench; ``connect`` is an address or ``sim``.

    ``options`` are handed to the driver's constructor: which channel of a tester, which range. A
    sensor is read every ``every_second``, and silent after ``patience_second``.
    """

    name: str
    driver: str
    connect: str
    where: str
    options: dict[str, Any] = field(default_factory=dict)
    every_second: float = READ_EVERY_SECOND
    patience_second: float = PATIENCE_PERIODS * READ_EVERY_SECOND


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One place for a cell: which instrument has which role there.

    ``leads_ohm`` is the resistance of leads and contacts as a short in place of the cell showed
    it; None where nobody has measured it. ``path`` is the multiplexer's way to this cell.
    """

    name: str
    instruments: dict[str, str]  # role -> instrument, sensors among them
    limits: Safety
    leads_ohm: float | None
    where: str
    path: str = ""
    dc_blocking: bool = False
    fixture: Fixture | None = None  # the open and short that impedances are corrected with
    on_link_loss: OnLinkLoss = OnLinkLoss.CONTINUE
    sensors: tuple[SensorSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchFile:
    """A checked bench file. ``plain`` is its content as read, kept with every run as a snapshot.

    The URLs of ``notify`` are secrets, and no part of ``plain``.
    """

    file: str
    instruments: dict[str, InstrumentSpec]
    channels: dict[str, ChannelSpec]
    database: str | None
    speed: float | None
    plain: dict[str, Any]
    sha256: str
    watchdog_second: float | None = WATCHDOG_SECOND  # None: off
    store_patience_second: float = STORE_PATIENCE_SECOND
    notify: tuple[NotifyEntry, ...] = ()
    server_patience_second: float = SERVER_PATIENCE_SECOND

    @property
    def simulated(self) -> bool:
        """Say whether the instruments are simulated in this process."""
        return all(spec.connect == SIMULATED for spec in self.instruments.values())


def load_bench(name: str) -> BenchFile:
    """Read a bench file, or the built-in bench ``sim``. Raises BadInput with every problem."""
    if name == BUILT_IN:
        text = resources.files("rig.bench").joinpath("sim.yaml").read_text(encoding="utf-8")
        return parse_bench(text, "sim")
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(
            Problem(f"bench {name}", f"cannot be read: {reason}", example="--bench bench.yaml"),
            remedy="name a bench file, or the built-in one: --bench sim",
        ) from error
    return parse_bench(text, name)


def parse_bench(text: str, file: str) -> BenchFile:
    """Read a bench file's text; see load_bench."""
    return _Reader(read_source(text, file), file).bench(text)


class _Reader(Collector):
    """Walks the tree once and collects what is wrong."""

    def __init__(self, root: Node, file: str) -> None:
        super().__init__()
        self._root, self._file = root, file

    def bench(self, text: str) -> BenchFile:
        self.keys(self._root, _TOP, "a bench file")
        version = self._root.get("bench")
        if version is None or version.text != "1":
            self.refuse(version or self._root, "a bench file begins with its version", "bench: 1")
        instruments = {spec.name: spec for spec in self._instruments()}
        channels = {spec.name: spec for spec in self._channels(instruments)}
        self.problems += wiring_problems(channels.values(), instruments)
        self.problems += sensor_problems(channels)
        self._all_or_none_simulated(instruments)
        settings, notify = read_settings(self, self._root), read_notify(self, self._root)
        if self.problems:
            raise BadInput(list(dict.fromkeys(self.problems)))
        return BenchFile(
            self._file,
            instruments,
            channels,
            settings.database,
            settings.speed,
            masked(self._root.plain()),
            hashlib.sha256(text.encode()).hexdigest(),
            settings.watchdog_second,
            settings.store_patience_second,
            notify,
            settings.server_patience_second,
        )

    def _entries(self, node: Node | None, what: str, example: str) -> Iterator[tuple[str, Node]]:
        if node is None or not isinstance(node.value, dict) or not node.value:
            self.refuse(node or self._root, f"expected {what}", example)
            return
        yield from node.value.items()

    def _instruments(self) -> Iterator[InstrumentSpec]:
        node = self._root.get("instruments")
        for name, entry in self._entries(
            node, "instruments by name", f"instruments: {{{_EXAMPLE}}}"
        ):
            if not isinstance(entry.value, dict):
                self.refuse(entry, f"instrument {name!r} needs a driver and a connect", _EXAMPLE)
                continue
            self.keys(entry, _INSTRUMENT, f"instrument {name!r}")
            driver, connect = self._text(entry, "driver", name), self._text(entry, "connect", name)
            if driver:
                where = entry.child("driver").where
                self.collect(functools.partial(load_driver, driver, where))
            if connect and connect != SIMULATED:
                self._require_address(connect, entry.child("connect").where)
            options = entry.get("options")
            if driver and options is not None:
                self.problems += option_problems(driver, options)
            if driver and connect:
                plain = options.plain() if options and isinstance(options.value, dict) else {}
                times = self._times(entry, name, driver)
                yield InstrumentSpec(name, driver, connect, entry.key_where, plain, *times)

    def _times(self, entry: Node, name: str, driver: str) -> tuple[float, float]:
        """Return how often a sensor is read, and after how long without a value it is silent."""
        every, patience = entry.get("every"), entry.get("patience")
        for node in (every, patience):
            if node is not None and not is_sensor(driver):
                message = (
                    f"instrument {name!r} ({driver}) is no sensor: it is read as a cell needs it"
                )
                self.refuse(node, message)
        every_second = self.time_above_zero(every, "every: 5 s") or READ_EVERY_SECOND
        usual_second = PATIENCE_PERIODS * every_second
        patience_second = self.time_above_zero(patience, "patience: 15 s") or usual_second
        if patience is not None and patience_second < every_second:
            message = f"got {patience.plain()!r}, which is over before the next reading comes"
            self.refuse(patience, message, f"patience: {usual_second:g} s")
        return every_second, patience_second

    def _require_address(self, connect: str, where: str) -> None:
        try:
            parse_address(connect)
        except BadInput as bad:
            self.problems += [replace(problem, where=where) for problem in bad.problems]

    def _text(self, entry: Node, key: str, name: str) -> str:
        node = entry.get(key)
        if node is None or not isinstance(node.value, str):
            self.refuse(node or entry, f"instrument {name!r} needs a {key}", _EXAMPLE)
            return ""
        return node.value

    def _channels(self, instruments: dict[str, InstrumentSpec]) -> Iterator[ChannelSpec]:
        example = "A1: {cell: smu-1, impedance: pstat-1, chamber: chamber-1}"
        limits = LimitsReader(self, self._root.get("limits"), self._root.get("channels"))
        sensors = SensorReader(self, instruments, self._named_instruments())
        for name, entry in self._entries(self._root.get("channels"), "channels by name", example):
            if not isinstance(entry.value, dict):
                self.refuse(entry, f"channel {name!r} needs its instruments by role", example)
                continue
            self.keys(entry, _CHANNEL, f"channel {name!r}")
            read = sensors.of(name, entry)
            yield self._channel(name, entry, instruments, limits.of(name), read)

    def _channel(
        self,
        name: str,
        entry: Node,
        instruments: dict[str, InstrumentSpec],
        limits: Safety,
        sensors: tuple[SensorSpec, ...],
    ) -> ChannelSpec:
        roles = {role: self._role(entry, role, name, instruments) for role in _WIRED}
        roles |= {sensor.role: sensor.instrument for sensor in sensors}
        leads, fixture = self._leads(entry), self._fixture(entry)
        if leads is not None and fixture is not None and fixture.short is not None:
            message = "the short already takes the leads away; give 'leads' or 'short', not both"
            self.refuse(entry.child("leads"), message)
        return ChannelSpec(
            name,
            {role: instrument for role, instrument in roles.items() if instrument},
            limits,
            leads,
            entry.key_where,
            path=str(entry.child("multiplexer").value).partition("/")[2],
            dc_blocking=self._yes(entry.get("dc_blocking")),
            fixture=fixture,
            on_link_loss=self._on_link_loss(entry.get("on_link_loss")),
            sensors=sensors,
        )

    def _on_link_loss(self, node: Node | None) -> OnLinkLoss:
        if node is None:
            return OnLinkLoss.CONTINUE
        words = [policy.value for policy in OnLinkLoss]
        if node.value not in words:
            message = f"got {node.plain()!r}, expected one of {', '.join(words)}"
            suggestion = did_you_mean(str(node.value), words)
            self.refuse(node, message, "on_link_loss: safe", suggestion)
            return OnLinkLoss.CONTINUE
        return OnLinkLoss(node.value)

    def _yes(self, node: Node | None) -> bool:
        if node is not None and not isinstance(node.value, bool):
            self.refuse(node, f"got {node.value!r}, expected true or false", "dc_blocking: true")
        return node is not None and node.value is True

    def _leads(self, channel: Node) -> float | None:
        node = channel.get("leads")
        ohm = None if node is None else self.quantity(node, "resistance")
        if node is not None and ohm is not None and ohm < 0:
            self.refuse(node, f"got {node.value!r}, expected zero or more", "leads: 0.2 ohm")
        return ohm

    def _fixture(self, channel: Node) -> Fixture | None:
        node = channel.get("correction")
        return None if node is None else read_correction(self, node, Path(self._file).parent)

    def _role(
        self, entry: Node, role: str, channel: str, instruments: dict[str, InstrumentSpec]
    ) -> str:
        node = entry.get(role)
        if node is None:
            return ""
        if not isinstance(node.value, str):
            message = f"channel {channel!r}, {role}: got {node.plain()!r}, expected an instrument"
            self.refuse(node, message, f"{role}: smu-1")
            return ""
        name = node.value.partition("/")[0]  # a scanner's path stands behind a slash
        if name not in instruments:
            self._require_named(name, node, f"channel {channel!r}, {role}")
            return ""
        driver = self._quietly(instruments[name].driver)
        if driver is not None and Role(role) not in driver.sheet.roles:
            able = ", ".join(able.value for able in driver.sheet.roles)
            self.refuse(
                node, f"{name} ({instruments[name].driver}) cannot be {role}; it can be: {able}", ""
            )
        return name

    def _require_named(self, name: str, node: Node, who: str) -> None:
        """Refuse a name that nothing has; one with an entry of its own is refused there."""
        known = self._named_instruments()
        if name not in known:
            message = f"{who}: there is no instrument {name!r} on this bench"
            self.refuse(node, message, suggestion=did_you_mean(name, known))

    def _named_instruments(self) -> dict[str, Node]:
        section = self._root.get("instruments")
        return section.value if section and isinstance(section.value, dict) else {}

    def _quietly(self, driver: str) -> Any:
        try:
            return load_driver(driver)
        except BadInput:
            return None  # reported where the instrument stands

    def _all_or_none_simulated(self, instruments: dict[str, InstrumentSpec]) -> None:
        kinds = {spec.connect == SIMULATED for spec in instruments.values()}
        if len(kinds) > 1:
            message = "some instruments are simulated and some are real; time would pass differently for them"
            example = (
                "serve the simulated ones with `rig simulate` and connect to the printed addresses"
            )
            self.refuse(self._root.child("instruments"), message, example)
