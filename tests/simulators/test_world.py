"""The simulated world: a bench file in, wired instruments out, state kept, mistakes named."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput
from rig.core.simulation import World
from simulators.families import FAMILIES
from simulators.interfaces import Drive, DriveMode
from simulators.server import Transport
from simulators.world import SimulatedWorld

BENCH: dict[str, Any] = {
    "bench": 1,
    "instruments": {
        "pstat-p1": {"driver": "palmsens.methodscript", "connect": "sim"},
        "pstat-p2": {"driver": "palmsens.methodscript", "connect": "sim"},
        "smu-c1": {"driver": "keithley.smu2450", "connect": "sim"},
        "pstat-c1": {"driver": "palmsens.methodscript", "connect": "sim"},
        "chamber-p": {"driver": "espec.p300", "connect": "sim"},
        "chamber-c": {"driver": "espec.p300", "connect": "sim"},
    },
    "channels": {
        "P1": {
            "cell": "pstat-p1",
            "impedance": "pstat-p1",
            "chamber": "chamber-p",
            "simulate": {
                "cell": "blocking_pellet",
                "material": "Li6PS5Cl",
                "area": "0.785 cm^2",
                "thickness": "0.8 mm",
            },
        },
        "P2": {
            "cell": "pstat-p2",
            "impedance": "pstat-p2",
            "chamber": "chamber-p",
            "simulate": {
                "cell": "symmetric_pellet",
                "material": "Li6PS5Cl",
                "area": "0.785 cm^2",
                "thickness": "0.8 mm",
                "interface_resistance": "10 ohm*cm^2",
                "interface_activation_energy": "0.50 eV",
            },
        },
        "C1": {
            "cell": "smu-c1",
            "impedance": "pstat-c1",
            "chamber": "chamber-c",
            "simulate": {"cell": "full_cell", "area": "1 cm^2", "alpha_per_cycle": 5e-4},
        },
    },
    "limits": {"C1": {"voltage": ["2.0 V", "4.4 V"]}},
}


def bench() -> dict[str, Any]:
    return copy.deepcopy(BENCH)


def test_the_built_in_bench_becomes_a_world_with_its_truth() -> None:
    world: World = SimulatedWorld(bench(), SimulatedClock())
    assert world.truth("P1")["activation_energy_electronvolt"] == pytest.approx(0.35)
    assert world.truth("P2")["area_specific_resistance_ohm_square_centimetre"] == 10.0
    assert world.truth("C1")["alpha_per_cycle"] == 5e-4


def test_every_instrument_answers_over_its_link_with_its_own_bytes() -> None:
    clock = SimulatedClock()
    world = SimulatedWorld(bench(), clock)
    smu = world.link("smu-c1")
    smu.write(b"*IDN?\n")
    assert b"2450" in smu.read_until(b"\n", 1.0)
    chamber = world.link("chamber-p")
    chamber.write(b"MODE?\r\n")
    assert b"STANDBY" in chamber.read_until(b"\r\n", 2.0)


def test_instruments_of_one_channel_are_connected_to_one_cell() -> None:
    world = SimulatedWorld(bench(), SimulatedClock())
    cell = world.cell("C1")
    cell.drive("by hand", Drive(DriveMode.CURRENT, 1e-3, 5.0), 0.0)
    smu = world.link("smu-c1")
    smu.write(b":SENS:FUNC 'VOLT'\n:OUTP:SMOD HIMP\n:OUTP ON\n:READ?\n")
    smu.read_until(b"\n", 5.0)
    assert cell.conflicts > 0


def test_channels_of_one_chamber_share_its_air_and_others_do_not() -> None:
    clock = SimulatedClock()
    world = SimulatedWorld(bench(), clock)
    for name in ("P1", "P2", "C1"):
        world.cell(name).sample_temperature_celsius(0.0)
    chamber = world.link("chamber-p")
    for command in (b"TEMP, S60.0\r\n", b"POWER, ON\r\n", b"MODE, CONSTANT\r\n"):
        chamber.write(command)
        assert chamber.read_until(b"\r\n", 5.0).startswith(b"OK")
        clock.wait_until(clock.now() + 1.0)
    warm = [world.cell(name).sample_temperature_celsius(9000.0) for name in ("P1", "P2", "C1")]
    assert warm[0] == warm[1] == pytest.approx(60.0, abs=1.0)
    assert warm[2] < 30.0


def test_the_server_is_told_how_each_instrument_is_reached() -> None:
    fronts = SimulatedWorld(bench(), SimulatedClock()).fronts
    assert {name: transport for name, (_, transport) in fronts.items()} == {
        "pstat-p1": Transport.PTY,
        "pstat-p2": Transport.PTY,
        "smu-c1": Transport.TCP,
        "pstat-c1": Transport.PTY,
        "chamber-p": Transport.PTY,
        "chamber-c": Transport.PTY,
    }


def test_saved_state_is_plain_data_and_puts_everything_back() -> None:
    clock = SimulatedClock()
    first = SimulatedWorld(bench(), clock)
    first.cell("C1").drive("by hand", Drive(DriveMode.CURRENT, 2e-3, 5.0), 0.0)
    clock.wait_until(3600.0)
    assert first.state() == first.state(), "asking for the state moves nothing"
    first.cell("C1").terminals(3600.0)
    saved = json.loads(json.dumps(first.state()))
    second = SimulatedWorld(bench(), SimulatedClock())
    second.restore(saved)
    assert second.state() == saved
    assert second.cell("C1").terminals(0.0).voltage_volt > 3.7


def drifting_bench(**fixture: str) -> dict[str, Any]:
    content = bench()
    for channel in content["channels"].values():
        channel["simulate"] |= {"drift": "0.5 %/h"}
        if fixture:
            channel["simulate"]["fixture"] = fixture
    return content


def spectra(world: SimulatedWorld, second: float) -> list[complex]:
    cells = [world.cell(name) for name in ("P1", "P2", "C1")]
    return [cell.impedance(hertz, second) for cell in cells for hertz in (1e5, 10.0)]


def test_a_drift_goes_on_from_a_saved_state_and_repeats_to_the_bit() -> None:
    hour = 3600.0
    first, same = (SimulatedWorld(drifting_bench(), SimulatedClock()) for _ in range(2))
    for world in (first, same):
        spectra(world, 0.0)
    assert spectra(first, 6 * hour) == spectra(same, 6 * hour)
    saved = json.loads(json.dumps(first.state()))
    second = SimulatedWorld(drifting_bench(), SimulatedClock())
    second.restore(saved)
    assert second.state() == saved
    assert spectra(second, 0.0) == pytest.approx(spectra(first, 6 * hour))
    assert second.truth("P1")["resistance_drift_per_hour"] == pytest.approx(0.005)
    later = [world.cell("P1").state()["age_second"] for world in (first, second)]
    assert later == [6 * hour] * 2


def test_a_fixture_is_seen_by_every_instrument_of_its_channel_and_kept_out_of_the_state() -> None:
    leads = {"resistance": "0.5 ohm", "inductance": "300 nH", "capacitance": "8 pF"}
    seen = SimulatedWorld(drifting_bench(**leads), SimulatedClock())
    alone = SimulatedWorld(drifting_bench(resistance="0 ohm", inductance="0 H"), SimulatedClock())
    omega = 2e5 * math.pi
    bare = alone.cell("P2").impedance(1e5, 0.0)
    expected = complex(0.5, omega * 300e-9) + 1.0 / (1j * omega * 8e-12 + 1.0 / bare)
    assert seen.cell("P2").impedance(1e5, 0.0) == pytest.approx(expected, rel=1e-12)
    assert seen.truth("P2")["fixture_capacitance_farad"] == pytest.approx(8e-12)
    empty = SimulatedWorld(drifting_bench(**leads, state="open"), SimulatedClock())
    seen.cell("C1").terminals(0.0)
    empty.restore(seen.state())
    assert empty.state()["cells"]["C1"]["store"] == seen.state()["cells"]["C1"]["store"]


def test_a_state_of_another_bench_is_refused_whole() -> None:
    saved = SimulatedWorld(bench(), SimulatedClock()).state()
    smaller = bench()
    del smaller["channels"]["P2"]
    with pytest.raises(BadInput, match="no simulated channel P2"):
        SimulatedWorld(smaller, SimulatedClock()).restore(saved)
    whole = SimulatedWorld(bench(), SimulatedClock())
    with pytest.raises(BadInput, match="chamber chamber-c is missing"):
        whole.restore({"cells": saved["cells"], "chambers": {"chamber-p": {}}})


def test_the_same_seed_is_the_same_world_and_a_new_instrument_changes_no_other() -> None:
    larger = bench()
    larger["instruments"]["spare"] = {"driver": "espec.p300", "connect": "sim"}
    courses = []
    for content, seed in ((bench(), 1), (larger, 1), (bench(), 2)):
        cell = SimulatedWorld(content, SimulatedClock(), seed).cell("P1")
        courses.append([cell.sample_temperature_celsius(1000.0 * k) for k in range(5)])
    assert courses[0] == courses[1] != courses[2]


def test_an_instrument_without_a_channel_measures_its_dummy() -> None:
    content = bench()
    content["instruments"]["spare"] = {"driver": "keithley.smu2450", "connect": "sim"}
    link = SimulatedWorld(content, SimulatedClock()).link("spare")
    link.write(b"*IDN?\n")
    assert b"2450" in link.read_until(b"\n", 1.0)


def test_real_instruments_are_left_alone() -> None:
    content = bench()
    content["instruments"]["daq"] = {"driver": "acme.daq", "connect": "serial:///dev/null"}
    content["channels"]["C1"]["temperature"] = "daq/101"
    assert "daq" not in SimulatedWorld(content, SimulatedClock()).fronts


def test_a_2400_may_be_any_of_its_series_with_the_terminator_of_its_menu() -> None:
    content = bench()
    choices = {"model": "2420", "terminator": "cr", "saved_off_state": "high_impedance"}
    content["instruments"]["smu-c1"] = {
        "driver": "keithley.smu2400",
        "connect": "sim",
        "simulate": choices,
    }
    link = SimulatedWorld(content, SimulatedClock()).link("smu-c1")
    link.write(b"*IDN?\r")
    assert link.read_until(b"\r", 1.0).startswith(b"KEITHLEY INSTRUMENTS INC.,MODEL 2420,")
    link.write(b":OUTP:SMOD?\r")
    assert link.read_until(b"\r", 1.0) == b"HIMP"


def test_a_2400_is_the_plain_one_in_its_factory_state_unless_told_otherwise() -> None:
    instrument = {"driver": "keithley.smu2400", "connect": "sim"}
    world = SimulatedWorld({"instruments": {"smu": instrument}, "channels": {}}, SimulatedClock())
    link = world.link("smu")
    link.write(b"*IDN?\n")
    assert b",MODEL 2400," in link.read_until(b"\n", 1.0)
    link.write(b":OUTP:SMOD?\n")
    assert link.read_until(b"\n", 1.0) == b"NORM"


@pytest.mark.parametrize(
    ("key", "value", "nearest"),
    [("model", "2402", "2400"), ("terminator", "lfc", "lfcr"), ("saved_off_state", "norm", "")],
)
def test_a_2400_refuses_a_choice_that_its_series_does_not_have(
    key: str, value: str, nearest: str
) -> None:
    instrument = {"driver": "keithley.smu2400", "connect": "sim", "simulate": {key: value}}
    with pytest.raises(
        BadInput, match=rf"instruments\.x\.simulate\.{key}: got '{value}'.*{nearest}"
    ):
        SimulatedWorld({"instruments": {"x": instrument}, "channels": {}}, SimulatedClock())


@pytest.mark.parametrize("driver", FAMILIES)
def test_every_family_refuses_an_option_it_does_not_have(driver: str) -> None:
    instrument = {"driver": driver, "connect": "sim", "simulate": {"colour": "red"}}
    with pytest.raises(BadInput, match=r"instruments\.x\.simulate\.colour: unknown key"):
        SimulatedWorld({"instruments": {"x": instrument}, "channels": {}}, SimulatedClock())


def test_everything_wrong_with_a_bench_is_reported_at_once() -> None:
    content = bench()
    content["instruments"]["pstat-p1"]["driver"] = "palmsens.metodscript"
    content["instruments"]["pstat-c1"]["simulate"] = {"model": "nexus2"}
    content["channels"]["P2"]["chamber"] = "chamber-q"
    content["channels"]["P2"]["simulate"]["material"] = "LLTO"
    content["channels"]["C1"]["chamber"] = "smu-c1"
    content["channels"]["C1"]["impedance"] = "pstat-p2"
    content["channels"]["C2"] = {
        "cell": "smu-c1",
        "simulate": {"cell": "full_cell", "area": "1 cm^2"},
    }
    content["channels"]["C3"] = {"cell": "pstat-c1"}
    with pytest.raises(BadInput) as caught:
        SimulatedWorld(content, SimulatedClock())
    text = str(caught.value)
    for part in (
        "did you mean 'palmsens.methodscript'",
        "instruments.pstat-c1.simulate.model: got 'nexus2'",
        "channels.P2.chamber: no instrument is called 'chamber-q'",
        "channels.P2.simulate.material: got 'LLTO'",
        "channels.C1.chamber: smu-c1 is no chamber",
        "channels.C2: smu-c1 is already connected to the cell of channel C1",
        "channels.C3: the channel's instruments are simulated: say which cell is in it",
    ):
        assert part in text


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    world = SimulatedWorld(bench(), SimulatedClock())
    with pytest.raises(BadInput, match="did you mean 'smu-c1'"):
        world.link("smu-c2")
    with pytest.raises(BadInput, match="no simulated channel is called 'X9'"):
        world.truth("X9")
