"""The simulated Rodeostat against its sheet: messages, its one test, and what a host must fear."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ideal_cell import IdealCell

from simulators.fronts.rodeostat import Dialect, RodeostatFront
from simulators.interfaces import Drive, DriveMode

PARAM = {"quietValue": 0, "quietTime": 0, "value": 0.5, "duration": 5000}
OHM = 0.5 / 42.1e-6


class Desk:
    """A Rodeostat on a resistor, with somebody who types; time is moved by hand."""

    def __init__(self, volt: float = 0.0, ohm: float = OHM, **options: Any) -> None:
        options.setdefault("noise", False)
        self.cell = IdealCell(volt, ohm)
        self.front = RodeostatFront("pstat-1", self.cell, seed=1, **options)

    def exchange(self, line: bytes, now: float = 0.0) -> bytes:
        self.front.receive(line, now)
        return self.front.transmit(now)

    def ask(self, command: str, now: float = 0.0, **keys: Any) -> dict[str, Any]:
        """Send a command and return the first line of what comes."""
        line = json.dumps({"command": command, **keys}).encode() + b"\n"
        return json.loads(self.exchange(line, now).split(b"\r\n")[0])

    def do(self, command: str, now: float = 0.0, **keys: Any) -> dict[str, Any]:
        reply = self.ask(command, now, **keys)
        assert reply["success"], reply
        return reply["response"]

    def lines(self, now: float) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.front.transmit(now).splitlines()]

    @property
    def held(self) -> Drive:
        return self.cell.drives["pstat-1"]


def running(desk: Desk, period: int = 1000, **param: Any) -> Desk:
    desk.do("setCurrRange", currRange="1000uA")
    desk.do("setSamplePeriod", samplePeriod=period)
    desk.do("setParam", test="constant", param=PARAM | param)
    desk.do("runTest", test="constant")
    return desk


def test_the_worked_transcript_byte_by_byte():
    desk = Desk()
    constant = b'"param":{"quietValue":0,"quietTime":0,"value":0.5,"duration":5000}'
    for request, response in (
        (b'{"command":"getVersion"}', b'"command":"getVersion","version":"FW0.1.0"'),
        (
            b'{"command":"setCurrRange","currRange":"1000uA"}',
            b'"command":"setCurrRange","currRange":"1000uA"',
        ),
        (
            b'{"command":"setParam","test":"constant",' + constant + b"}",
            b'"command":"setParam","test":"constant",' + constant,
        ),
        (b'{"command":"runTest","test":"constant"}', b'"command":"runTest","test":"constant"'),
    ):
        reply = desk.exchange(request + b"\n")
        assert reply == b'{"success":true,"response":{' + response + b"}}\r\n"
    assert desk.front.transmit(0.01) == b'{"t":10,"v":0.5,"i":42.1}\r\n'
    assert desk.front.transmit(6.0).endswith(b'{"t":5000,"v":0.5,"i":42.1}\r\n{}\r\n')
    stopped = b'{"success":true,"response":{"command":"stopTest"}}\r\n'
    assert desk.exchange(b'{"command":"stopTest"}\n', 6.0) == stopped


def test_a_blank_before_the_message_and_bytes_one_by_one_do_not_matter():
    desk = Desk()
    assert desk.exchange(b' {"command":"getV') == b""
    assert b"FW0.1.0" in desk.exchange(b'ersion"}\r\n')


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b"getVersion", "JSON"),
        (b"[1]", "object"),
        (b"{}", "command"),
        (b'{"command":"fly"}', "fly"),
        (b'{"command":"setVolt"}', "v"),
        (b'{"command":"setVolt","v":"0.1"}', "v"),
        (b'{"command":"setVolt","v":true}', "v"),
        (b'{"command":"setVolt","v":NaN}', "v"),
        (b'{"command":"setVolt","v":1.5}', "v"),
        (b'{"command":"setCurrRange","currRange":"5A"}', "currRange"),
        (b'{"command":"setSamplePeriod","samplePeriod":0}', "samplePeriod"),
        (b'{"command":"setSamplePeriod","samplePeriod":1001}', "samplePeriod"),
        (b'{"command":"setParam","test":"constant"}', "param"),
        (b'{"command":"setParam","test":"constant","param":{"duration":0}}', "duration"),
        (b'{"command":"runTest","test":"cyclic"}', "cyclic"),
        (b'{"command":"runTest"}', "test"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_changes_nothing(line, key):
    desk = Desk()
    reply = json.loads(desk.exchange(line + b"\n"))
    assert (reply["success"], reply["response"]) == (False, {})
    assert key in reply["message"]
    assert desk.held == Drive(DriveMode.VOLTAGE, 0.0, 24e-3)


def test_settings_are_read_back():
    desk = Desk()
    for name, key, value in (
        ("VoltRange", "voltRange", "5V"),
        ("CurrRange", "currRange", "100uA"),
        ("SamplePeriod", "samplePeriod", 20),
        ("DeviceId", "deviceId", 7),
    ):
        desk.do(f"set{name}", **{key: value})
        assert desk.do(f"get{name}")[key] == value
    assert desk.do("getTestDoneTime", test="constant")["testDoneTime"] == 1000
    assert "constant" in desk.do("getTestNames")["testNames"]
    assert "variant" in desk.do("getVariant")


def test_a_multiplexer_is_asked_for_before_every_test_and_is_off():
    assert Desk(hardware="V0.1").do("getMuxEnabled")["muxEnabled"] is False
    assert Desk(hardware="V0.2").do("getMuxEnabled")["muxEnabled"] is False


def test_only_hardware_with_switches_knows_its_own_version():
    assert Desk(hardware="V0.2").do("getHardwareVersion")["version"] == "V0.2"
    assert not Desk(hardware="V0.1").ask("getHardwareVersion")["success"]


def test_a_voltage_is_held_and_current_and_reference_are_measured():
    desk = Desk(volt=0.3, ohm=1000.0)
    desk.do("setCurrRange", currRange="1000uA")
    desk.do("setVolt", v=0.8)
    assert desk.held.level == 0.8
    assert desk.do("getVolt")["v"] == 0.8
    assert desk.do("getCurr")["i"] == pytest.approx(500.0)
    assert desk.do("getRefVolt")["r"] == pytest.approx(0.8)


def test_without_relays_a_connected_cell_feels_0_volt_from_power_up_on():
    desk = Desk(volt=0.5)
    desk.do("getVersion")
    assert desk.held.mode is DriveMode.VOLTAGE
    assert desk.held.level == 0.0


def test_a_voltage_outside_the_range_is_clamped_by_some_firmware():
    desk = Desk(dialect=Dialect(clamps=True))
    assert desk.do("setVolt", v=-1.5)["v"] == -1.0
    desk.do("setVoltRange", voltRange="2V")
    assert desk.do("setVolt", v=-1.5)["v"] == -1.5
    assert not desk.ask("setVoltRange", voltRange="1V")["success"]


def test_samples_carry_their_own_times_however_late_they_are_read():
    desk = running(Desk(), quietValue=-0.1, quietTime=1500)
    assert desk.front.next_output_second() == 1.0
    *samples, end = desk.lines(100.0)
    assert end == {}
    assert [sample["t"] for sample in samples] == [1000, 2000, 3000, 4000, 5000, 6000]
    assert [sample["v"] for sample in samples] == [-0.1] + [0.5] * 5
    assert desk.front.next_output_second() is None


def test_the_last_voltage_stays_when_a_test_is_over():
    desk = running(Desk())
    desk.lines(100.0)
    assert desk.held.level == 0.5


@pytest.mark.parametrize(("marker", "rest"), [(True, [{}]), (False, [])])
def test_a_stopped_test_may_or_may_not_send_its_end_marker(marker, rest):
    desk = running(Desk(dialect=Dialect(ends_stopped_test=marker)))
    desk.front.receive(b'{"command":"stopTest"}\n', 2.5)
    first, second, reply, *others = desk.lines(2.5)
    assert (first["t"], second["t"], reply["success"]) == (1000, 2000, True)
    assert others == rest
    assert desk.lines(100.0) == []
    assert desk.do("stopTest", 100.0) == {"command": "stopTest"}


def test_while_a_test_runs_only_queries_and_its_stop_are_served():
    desk = running(Desk())
    assert not desk.ask("setVolt", 0.1, v=0.0)["success"]
    assert not desk.ask("runTest", 0.1, test="constant")["success"]
    assert desk.do("getVolt", 0.1)["v"] == 0.5


def test_a_test_goes_on_without_a_host_and_its_samples_are_lost():
    desk = running(Desk())
    desk.front.disconnected(1.5)
    assert desk.held.level == 0.5
    assert [line.get("t") for line in desk.lines(3.5)] == []
    assert [line.get("t") for line in desk.lines(6.0)] == [4000, 5000, None]


def test_a_current_beyond_the_range_is_cut_off_and_says_so():
    desk = Desk(ohm=10.0)
    running(desk)
    assert desk.lines(1.0) == [{"t": 1000, "v": 0.5, "i": 1000.0, "le": True}]


def test_noise_is_seeded_and_small():
    outputs = []
    for _ in range(2):
        desk = running(Desk(noise=True), period=100)
        outputs.append([line["i"] for line in desk.lines(4.95)])
    assert outputs[0] == outputs[1]
    assert outputs[0] == pytest.approx([42.1] * 49, abs=1.0)
    assert len(set(outputs[0])) > 40


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_arbitrary_bytes_never_break_it(chunks):
    desk = Desk()
    for now, chunk in enumerate(chunks):
        desk.exchange(chunk + b"\n", float(now))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(
    st.sampled_from(["setVolt", "setParam", "setSamplePeriod", "runTest", "setCurrRange"]),
    st.dictionaries(
        st.sampled_from(["v", "test", "param", "samplePeriod", "currRange"]), json_values
    ),
)
def test_any_values_are_taken_or_refused(command, keys):
    desk = Desk()
    assert desk.ask(command, **keys).keys() <= {"success", "message", "response"}


# --- hardware V0.2: electrode switches -----------------------------------------------------------


def switched(**options: Any) -> Desk:
    return Desk(volt=0.3, ohm=1000.0, hardware="V0.2", **options)


def test_with_switches_a_connected_cell_feels_nothing_from_power_up_on():
    desk = switched()
    assert desk.do("getVariant")["variant"] == "10V_microAmpV0.2"
    assert desk.held.mode is DriveMode.OPEN
    assert not any(
        desk.do(f"get{which}ElectConnected")["connected"] for which in ("Ref", "Ctr", "Wrk", "All")
    )
    assert desk.do("getElectAutoConnect")["autoConnect"]


def test_a_test_connects_the_electrodes_and_its_end_opens_them_at_0_volt():
    desk = running(switched())
    assert desk.held.level == 0.5
    assert desk.do("getAllElectConnected", 0.5)["connected"]
    desk.lines(100.0)
    assert desk.held.mode is DriveMode.OPEN
    assert desk.do("getVolt", 100.0)["v"] == 0.0


def test_without_auto_connect_a_stopped_test_leaves_0_volt_on_the_cell():
    desk = switched()
    desk.do("setElectAutoConnect", autoConnect=False)
    desk.do("setAllElectConnected", connected=True)
    running(desk).ask("stopTest", 0.5)
    assert desk.held == Drive(DriveMode.VOLTAGE, 0.0, 24e-3)


def test_one_open_electrode_stops_the_current_and_is_served_while_a_test_runs():
    desk = running(switched())
    assert desk.do("setWrkElectConnected", 0.5, connected=False) == {
        "command": "setWrkElectConnected",
        "connected": False,
    }
    assert desk.held.mode is DriveMode.OPEN
    assert not desk.do("getAllElectConnected", 0.5)["connected"]


def test_hardware_without_switches_does_not_know_their_commands():
    assert not Desk().ask("setAllElectConnected", connected=False)["success"]
    assert not switched().ask("setAllElectConnected", connected=1)["success"]
