"""Sensors of a simulated bench feel the cell, the air and the press that the bench file puts them to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rig.bench.registry import load_driver
from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput
from rig.core.instruments import Flag
from rig.wire import spaced
from simulators.world import SimulatedWorld

CHANNELS = {
    "101": "thermocouple K",
    "102": "thermocouple K",
    "103": {"dew_point": {"0 V": "-100 degC", "10 V": "20 degC"}},
    "104": {"pressure": {"1 V": "0 MPa", "5 V": "10 MPa"}},
    "105": "volts",
    "106": {"force": {"0 V": "0 N", "10 V": "1 kN"}},
    "107": {"temperature": {"0 V": "-50 degC", "10 V": "150 degC"}},
    "108": "pt100 two-wire",
}
PRESS = "stack"


def bench(**simulate: Any) -> dict[str, Any]:
    return {
        "instruments": {
            "daq-1": {
                "driver": "keithley.daq6510",
                "connect": "sim",
                "options": {"channels": CHANNELS},
                "simulate": simulate,
            },
            "load-1": {
                "driver": "serial.load_cell",
                "connect": "sim",
                "options": {"scale": {"8412": "0 N", "152034": "100 N"}, "area": "10 mm^2"},
            },
            "gauge-1": {
                "driver": "mark10.series5",
                "connect": "sim",
                "options": {"area": "1 cm^2"},
            },
            "press-1": {"driver": "omega.usbh", "connect": "sim", "simulate": {"unit": "bar"}},
            "smu-1": {"driver": "keithley.smu2450", "connect": "sim"},
            "oven": {"driver": "espec.p300", "connect": "sim"},
        },
        "channels": {
            "A1": {
                "cell": "smu-1",
                "chamber": "oven",
                "temperature": "daq-1/101",
                "pressure": "load-1",
                "aux": {
                    "dew_point": "daq-1/103",
                    "gas": "daq-1/104",
                    "terminals": "daq-1/105",
                    "force": "daq-1/106",
                    "surface": "daq-1/107",
                    "air": "daq-1/102",
                    "gauge": "gauge-1",
                    "oil": "press-1",
                },
                "simulate": {"cell": "full_cell", "area": "1 cm^2"},
            }
        },
    }


class Rig:
    """A simulated bench with its drivers, each made as the bench makes it."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.clock = SimulatedClock()
        self.world = SimulatedWorld(content, self.clock)
        self._drivers: dict[str, Any] = {}

    def driver(self, name: str) -> Any:
        if name not in self._drivers:
            entry = self.content["instruments"][name]
            made: Any = load_driver(entry["driver"])
            link = spaced(self.world.link(name), self.clock, made.sheet.spacing)
            self._drivers[name] = made(link, name, **entry.get("options", {}))
            self._drivers[name].identify()
        return self._drivers[name]

    def read(self, place: str) -> float:
        """Return the newest value, looking twice: a scanner begins at the first look."""
        name, _, path = place.partition("/")
        value, flags = self.driver(name).read(path)
        if flags & Flag.STALE:
            self.clock.wait_until(self.clock.now() + 5.0)
            value, flags = self.driver(name).read(path)
        assert flags == 0
        return value

    def warm_up(self, celsius: float, second: float) -> None:
        self.world.chamber("oven").set_point(celsius, self.clock.now())
        self.clock.wait_until(self.clock.now() + second)


def test_a_thermometer_is_on_the_sample_which_lags_the_chamber():
    rig = Rig(bench(channels={"102": "chamber"}))
    rig.read("daq-1/101")
    rig.warm_up(60.0, 1200.0)
    sample, air = rig.read("daq-1/101"), rig.read("daq-1/102")
    truth = rig.world.cell("A1").sample_temperature_celsius(rig.clock.now())
    assert sample == pytest.approx(truth, abs=0.2)
    assert air == pytest.approx(60.0, abs=1.0)
    assert sample < air - 5.0
    assert rig.read("daq-1/107") == pytest.approx(truth, abs=0.2)


def test_all_pressure_sensors_feel_the_same_press_through_their_own_wires():
    rig = Rig(bench())
    truth = rig.world.stack("A1").pressure_pascal(0.0)
    seen = [rig.read(place) for place in ("load-1", "gauge-1", "press-1", "daq-1/104")]
    assert seen == pytest.approx([truth] * 4, rel=5e-3)
    assert rig.read("daq-1/106") == pytest.approx(truth * 0.785e-4, rel=5e-3)


def test_the_press_relaxes_and_rises_when_its_cell_is_warm():
    content = bench()
    press = {"pressure": "2 MPa", "relaxation": "20 %", "relaxation_time": "30 min"}
    content["channels"]["A1"]["simulate"][PRESS] = press | {"per_kelvin": "0.05 MPa/K"}
    rig = Rig(content)
    closed = rig.read("gauge-1")
    assert closed == pytest.approx(2e6, rel=5e-3)
    rig.clock.wait_until(4 * 3600.0)
    relaxed = rig.read("gauge-1")
    assert relaxed < 0.85 * closed
    rig.warm_up(60.0, 4 * 3600.0)
    assert rig.read("gauge-1") > relaxed + 35 * 0.05e6 * 0.9


def test_other_paths_see_dry_air_and_the_cells_own_terminals():
    rig = Rig(bench(dew_point="-70 degC"))
    assert rig.read("daq-1/103") == pytest.approx(-70.0, abs=5.0)
    volt = rig.world.cell("A1").terminals(rig.clock.now()).voltage_volt
    assert rig.read("daq-1/105") == pytest.approx(volt, abs=1e-3)


def test_a_channel_that_nobody_names_is_open_unless_it_is_in_the_room():
    for simulate, flags in (({}, int(Flag.OVERLOAD)), ({"channels": {"108": "room"}}, 0)):
        rig = Rig(bench(**simulate))
        rig.read("daq-1/101")
        assert rig.driver("daq-1").read("108").flags == flags


def test_a_bench_of_sensors_alone_works_and_its_press_can_be_chosen():
    content = bench()
    content["channels"]["A1"] = {
        "chamber": "oven",
        "temperature": "daq-1/101",
        "pressure": "load-1",
        "simulate": {PRESS: {"pressure": "1 MPa"}},
    }
    rig = Rig(content)
    assert rig.read("load-1") == pytest.approx(1e6, rel=5e-3)
    assert 15.0 < rig.read("daq-1/101") < 30.0
    assert rig.read("press-1") == pytest.approx(5e6, rel=5e-3)  # nobody's: its own press


def test_an_area_that_is_not_the_one_in_the_options_shows_as_another_pressure():
    content = bench()
    content["instruments"]["gauge-1"]["simulate"] = {"area": "2 cm^2"}
    rig = Rig(content)
    truth = rig.world.stack("A1").pressure_pascal(0.0)
    assert rig.read("gauge-1") == pytest.approx(2 * truth, rel=5e-3)


def test_the_press_is_part_of_the_state_and_an_older_state_without_one_can_be_restored():
    first = Rig(bench())
    first.read("load-1")
    first.clock.wait_until(7200.0)
    left = first.read("gauge-1")
    saved = json.loads(json.dumps(first.world.state()))
    second = Rig(bench())
    second.world.restore(saved)
    assert second.world.state() == saved
    assert second.read("gauge-1") == pytest.approx(left, rel=2e-3)
    del saved["presses"]
    Rig(bench()).world.restore(saved)


def test_everything_wrong_with_the_blocks_is_reported_at_once():
    content = bench(channels={"102": "outside", "300": "room"}, dew_point="-60 m")
    content["channels"]["A1"]["simulate"][PRESS] = {"pressure": "5 V", "creep": "1 %"}
    content["instruments"]["load-1"]["simulate"] = {"area": "0 cm^2", "format": "rav"}
    with pytest.raises(BadInput) as caught:
        SimulatedWorld(content, SimulatedClock())
    text = str(caught.value)
    for part in (
        "instruments.daq-1.simulate.channels.102: got 'outside'",
        "instruments.daq-1.simulate.channels.300: unknown key",
        "instruments.daq-1.simulate.dew_point",
        "instruments.load-1.simulate.area: got '0 cm^2', must be above zero",
        "did you mean 'raw'",
        "channels.A1.simulate.stack.pressure: got '5 V'",
        "channels.A1.simulate.stack.creep: unknown key",
    ):
        assert part in text
