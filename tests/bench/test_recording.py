"""``rig record``: every family's own bytes, and that they replay against its driver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rig.bench.file import BenchFile, parse_bench
from rig.bench.recording import harmless_steps, record_instrument
from rig.bench.registry import load_driver
from rig.bench.serving import bench_for, serve_simulated
from rig.core.errors import BadInput
from rig.core.instruments import Limits
from rig.wire import TranscriptLink, load_transcript
from simulators.families import FAMILIES
from simulators.wiring import SIMULATED

LIMITS = Limits(2.0, 4.4, 0.02)
SPEED = 500.0
CELL = "{cell: full_cell, area: 1 cm^2}"
# The simulated Rodeostat has the hardware that its driver refuses: no switch between it and the cell.
RECORDED = sorted(set(FAMILIES) - {"rodeostat.json"})
# What the bench tells a driver besides its link: a switch knows the paths that lead to cells.
OPTIONS: dict[str, dict[str, Any]] = {"scpi.matrix": {"paths": ("101",)}}
# A sensor's own options, and where a channel reads it.
SENSORS: dict[str, tuple[dict[str, Any], str]] = {
    "keithley.daq6510": ({"channels": {"101": "thermocouple K"}}, "101"),
    "mark10.series5": ({"area": "78.5 mm^2"}, ""),
    "omega.usbh": ({}, ""),
    "serial.load_cell": ({"scale": {"8412": "0 MPa", "152034": "10 MPa"}}, ""),
}
RESTING = ("keithley.smu2450", "palmsens.methodscript", "rohde_schwarz.ngu401", "maccor.macnet")


def bench_of(family: str) -> BenchFile:
    role = load_driver(family).sheet.roles[0].value
    channel = {
        "chamber": "chamber: one",
        "multiplexer": f"multiplexer: one/101, cell: smu-1, simulate: {CELL}",
    }.get(role, f"{role}: one, dc_blocking: true, simulate: {CELL}")
    options, path = SENSORS.get(family, ({}, ""))
    if family in SENSORS:
        at = f"one/{path}" if path else "one"
        channel = f"{role}: {at}, cell: smu-1, simulate: {CELL}"
    return parse_bench(
        "bench: 1\n"
        "instruments:\n"
        f"  one: {{driver: {family}, connect: {SIMULATED}, options: {json.dumps(options)}}}\n"
        f"  smu-1: {{driver: keithley.smu2450, connect: {SIMULATED}}}\n"
        f"channels: {{A1: {{{channel}}}}}\n"
        "limits: {A1: {voltage: [2.0 V, 4.4 V], current: 20 mA}}\n",
        "bench.yaml",
    )


def replay(family: str, path: Path, rest: Limits | None) -> None:
    """Take the same steps with the transcript in place of the instrument, to its last byte."""
    link = TranscriptLink(load_transcript(path))
    driver_class: Any = load_driver(family)
    options, at = SENSORS.get(family, ({}, ""))
    driver = driver_class(link, "one", **OPTIONS.get(family, {}), **options)
    for _, act in harmless_steps(driver, rest, [at]):
        act()
    link.assert_used_up()


@pytest.mark.parametrize("family", RECORDED)
def test_what_was_recorded_replays_against_the_driver(family: str, tmp_path: Path) -> None:
    path = tmp_path / "one.transcript"
    recording = record_instrument(bench_of(family), "one", path)
    assert recording.problems == ()
    assert recording.steps[0].name == "identify"
    assert recording.steps[-1].name == "make_safe"
    replay(family, path, rest=None)


@pytest.mark.parametrize("family", RESTING)
def test_a_rest_that_was_recorded_replays_too(family: str, tmp_path: Path) -> None:
    path = tmp_path / "one.transcript"
    recording = record_instrument(bench_of(family), "one", path, with_rest=True)
    assert recording.problems == ()
    assert [step.name for step in recording.steps][1:3] == ["apply OpenCircuit", "measure"]
    replay(family, path, LIMITS)


def test_a_chamber_says_its_temperature(tmp_path: Path) -> None:
    path = tmp_path / "one.transcript"
    recording = record_instrument(bench_of("espec.p300"), "one", path)
    assert "temperature_celsius=" in recording.steps[1].got
    assert "# read_temperature\n> TEMP?\\r\\n\n" in path.read_text(encoding="utf-8")


def test_a_step_that_fails_is_told_and_the_safe_state_still_comes(tmp_path: Path) -> None:
    bench, path = bench_of("espec.p300"), tmp_path / "one.transcript"
    with serve_simulated(bench, speed=SPEED, faults=["one:mute@4"], seed=1) as addresses:
        served = parse_bench(bench_for(bench, addresses, SPEED), "served.yaml")
        recording = record_instrument(served, "one", path)
    assert [step.name for step in recording.steps if step.problem] == ["read_temperature"]
    assert recording.problems[0].startswith("read_temperature: LinkTimeout: ")
    assert recording.steps[-1].got == "done"
    assert "# read_temperature failed: LinkTimeout\n# make_safe\n" in path.read_text("utf-8")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "one.transcript"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(BadInput, match="never overwrites"):
        record_instrument(bench_of("espec.p300"), "one", path)
    assert path.read_text(encoding="utf-8") == "precious"


def test_a_chamber_has_no_cell_to_rest(tmp_path: Path) -> None:
    path = tmp_path / "one.transcript"
    with pytest.raises(BadInput, match="nothing to rest"):
        record_instrument(bench_of("espec.p300"), "one", path, with_rest=True)
    assert not path.exists()
