"""What a channel's wiring must keep to: one cell to an instrument, one path to a scanner, blocked DC.

Asked once while a bench file is read. Knows drivers by their sheets and signatures only.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rig.bench.registry import load_driver
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.protocol.source import Node

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
