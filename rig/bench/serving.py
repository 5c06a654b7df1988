"""``rig simulate``: the simulators of a bench on this machine's ports, and a bench file for them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ruamel.yaml import YAML

from rig.bench.file import BenchFile
from rig.bench.registry import load_serve


def serve_simulated(
    bench: BenchFile, *, speed: float, faults: Sequence[str], seed: int
) -> AbstractContextManager[dict[str, str]]:
    """Return a context that serves every instrument of the bench and gives their addresses."""
    return load_serve()(bench.plain, speed=speed, seed=seed, faults=faults)


def bench_for(bench: BenchFile, addresses: Mapping[str, str], speed: float) -> str:
    """Return the text of a bench file that connects to served instruments at their speed."""
    instruments = {
        name: {key: value for key, value in entry.items() if key != "simulate"}
        | {"connect": addresses[name]}
        for name, entry in bench.plain["instruments"].items()
    }
    channels = {
        name: {key: value for key, value in channel.items() if key != "simulate"}
        for name, channel in bench.plain["channels"].items()
    }
    plain: dict[str, Any] = {
        "bench": 1,
        "speed": speed,
        "instruments": instruments,
        "channels": channels,
    }
    if "limits" in bench.plain:
        plain["limits"] = bench.plain["limits"]
    text = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(plain, text)
    return text.getvalue()
