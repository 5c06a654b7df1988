"""What a bench file promises before anything is plugged in: the sheets' ranges, the widest model's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rig.bench.file import BenchFile, ChannelSpec
from rig.bench.registry import load_driver
from rig.core.sheet import Model
from rig.protocol.check import ChannelFacts


def sheet_facts(
    bench: BenchFile, spec: ChannelSpec, seen: Mapping[str, str] = MappingProxyType({})
) -> ChannelFacts:
    """Return what a protocol can be checked against without opening a port.

    ``seen`` is which model an instrument was when it last answered, for those that ever have. Which
    it really is shows at the start of a run, when the instruments are asked: the check is then made
    again, with that model's ranges.
    """
    cell, analyser, chamber = (
        _models(bench, spec, role, seen) for role in ("cell", "impedance", "chamber")
    )
    currents = [model.current_ampere for model in cell if model.current_ampere is not None]
    return ChannelFacts(
        spec.name,
        frozenset(spec.instruments),
        _widest(model.voltage_volt for model in cell),
        max(currents, default=None),
        _widest(model.temperature_celsius for model in chamber),
        _widest(model.frequency_hertz for model in analyser),
        spec.limits,
        _largest(model.amplitude_volt for model in analyser),
        _largest(model.amplitude_ampere for model in analyser),
        spec.fixture.span if spec.fixture else None,
        {sensor.name: sensor.dimension for sensor in spec.sensors},
    )


def _models(
    bench: BenchFile, spec: ChannelSpec, role: str, seen: Mapping[str, str]
) -> tuple[Model, ...]:
    name = spec.instruments.get(role)
    if name is None:
        return ()
    sheet = load_driver(bench.instruments[name].driver).sheet
    known = sheet.model(seen.get(name, ""))
    return sheet.models if known is None else (known,)


def _largest(amplitudes: Iterable[float | None]) -> float | None:
    """Return the largest amplitude, or None where one of the models states none."""
    stated = list(amplitudes)
    known = [amplitude for amplitude in stated if amplitude is not None]
    return max(known) if known and len(known) == len(stated) else None


def _widest(ranges: Iterable[tuple[float, float] | None]) -> tuple[float, float] | None:
    known = [pair for pair in ranges if pair is not None]
    if not known:
        return None
    return min(low for low, _ in known), max(high for _, high in known)
