"""What wiring must keep to: one cell to an instrument, one instrument to a port, one path, blocked DC.

Asked once while a bench file is read. Knows drivers by their sheets and signatures only.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rig.bench.registry import load_driver
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.protocol.source import Node
from rig.wire.address import SerialAddress, SocketAddress, VisaAddress, parse_address

if TYPE_CHECKING:
    from rig.bench.file import ChannelSpec, InstrumentSpec

# The parameters of every driver's constructor; what comes after them is an option.
_GIVEN = ("self", "link", "name")


def option_problems(driver: str, options: Node) -> Iterator[Problem]:
    """Yield what is wrong with an instrument's ``options:``, by the driver's own constructor."""
    try:
        driver_class = load_driver(driver)
    except BadInput:
        return  # reported where the driver stands
    parameters = inspect.signature(driver_class.__init__).parameters
    known = [name for name in parameters if name not in _GIVEN]
    if not isinstance(options.value, dict):
        yield Problem(options.where, f"options are a mapping; {driver} has: {_listed(known)}")
        return
    for name, node in options.value.items():
        if name not in known:
            message = f"{driver} has no option {name!r}; it has: {_listed(known)}"
            yield Problem(node.key_where, message, suggestion=did_you_mean(name, known))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def wiring_problems(
    channels: Iterable[ChannelSpec], instruments: Mapping[str, InstrumentSpec]
) -> Iterator[Problem]:
    """Yield what is wrong between channels.

    An instrument drives one cell: two channels on one SMU would be one cell's burnt tabs. An
    analyser may serve several cells when the same scanner leads to it by a path of each.
    """
    owners: dict[str, ChannelSpec] = {}
    paths: dict[str, str] = {}
    for channel in channels:
        for role in ("cell", "impedance", "resistance"):
            name = channel.instruments.get(role)
            owner = owners.setdefault(name, channel) if name else channel
            if owner.name != channel.name and not (
                role == "impedance" and _in_turn(owner, channel)
            ):
                yield Problem(channel.where, f"{name} already belongs to channel {owner.name!r}")
        yield from _path_problems(channel, paths)
        yield from _declaration_problems(channel, instruments)
    yield from _port_problems(instruments.values())


def _port_problems(instruments: Iterable[InstrumentSpec]) -> Iterator[Problem]:
    """Two names on one port are one instrument that two threads would talk to at once.

    Unless their options tell them apart: the channels of one tester.
    """
    owners: dict[tuple[str, str], str] = {}
    for spec in instruments:
        port = port_of(spec.connect)
        if port is None:
            continue
        options = json.dumps(spec.options, sort_keys=True, default=str)
        owner = owners.setdefault((port, options), spec.name)
        if owner != spec.name:
            message = f"{spec.name} connects to {spec.connect}, where {owner} is already"
            yield Problem(spec.where, message)


def port_of(connect: str) -> str | None:
    """Return what all spellings of one port's address have in common; None where there is no port.

    >>> port_of("socket://10.0.0.5:5025") == port_of("TCPIP::10.0.0.5::5025::SOCKET")
    True
    """
    try:
        address = parse_address(connect)
    except BadInput:
        return None  # simulated; or reported where the address stands
    match address:
        case SocketAddress(host=host, port=port):
            return f"{host.lower()}:{port}"
        case SerialAddress(url=url):
            return url
        case VisaAddress(name=name):
            return name.upper()


def _in_turn(one: ChannelSpec, other: ChannelSpec) -> bool:
    scanner = one.instruments.get("multiplexer")
    return scanner is not None and scanner == other.instruments.get("multiplexer")


def _path_problems(channel: ChannelSpec, paths: dict[str, str]) -> Iterator[Problem]:
    scanner = channel.instruments.get("multiplexer")
    if scanner is None:
        return
    if not channel.path:
        message = (
            f"channel {channel.name!r}: the multiplexer needs the path that leads to this cell"
        )
        yield Problem(channel.where, message, example=f"multiplexer: {scanner}/101")
        return
    cell = channel.instruments.get("cell")
    if cell is not None and cell == channel.instruments.get("impedance"):
        message = (
            f"channel {channel.name!r}: {cell} is cell and impedance here, and the multiplexer "
            "would take the cell away from it between two steps"
        )
        yield Problem(channel.where, message, example="two instruments, or no multiplexer")
    owner = paths.setdefault(f"{scanner}/{channel.path}", channel.name)
    if owner != channel.name:
        yield Problem(channel.where, f"path {scanner}/{channel.path} already leads to {owner!r}")


def _declaration_problems(
    channel: ChannelSpec, instruments: Mapping[str, InstrumentSpec]
) -> Iterator[Problem]:
    """A meter that a charged cell would destroy needs the channel to say that DC is blocked."""
    for role, name in channel.instruments.items():
        try:
            sheet = load_driver(instruments[name].driver).sheet
        except BadInput:
            continue
        if "dc_blocking" in sheet.requires and not channel.dc_blocking:
            message = (
                f"channel {channel.name!r}, {role}: {name} ({sheet.family}) must not see a cell's DC "
                "voltage; put blocking capacitors in and declare them"
            )
            yield Problem(channel.where, message, example="dc_blocking: true")
