"""The simulated MacNet against its sheet: framing, worked transcripts, and section 9 item by item."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.maccor_codes import Status
from simulators.fronts.maccor_json import ObjectReader, single
from simulators.fronts.maccor_macnet import MacNetFront
from simulators.fronts.maccor_tester import MaccorSetup
from simulators.interfaces import DriveMode
from simulators.link import InMemoryLink

CHANNEL = 3
IGNORED = 65_536.0


class Desk:
    """A tester with an ideal cell on channel 3, and somebody who types JSON."""

    def __init__(self, volt: float = 3.7, ohm: float = 0.1, *, setup=None, **options) -> None:
        self.cell = IdealCell(volt, ohm)
        self.clock = SimulatedClock()
        setup = setup or MaccorSetup(noise=False)
        self.front = MacNetFront(
            "maccor-1", self.cell, seed=7, channel=CHANNEL, setup=setup, **options
        )
        self.link = InMemoryLink(self.front, self.clock, "maccor-1")
        self.binary = InMemoryLink(self.front.binary(), self.clock, "maccor-1 binary")

    def send(self, text: str) -> dict:
        self.link.write(text.encode())
        return self.read()

    def read(self) -> dict:
        text = b""
        while True:
            text += self.link.read_until(b"\r\n", 2.0)
            try:
                return json.loads(text)
            except ValueError:
                continue

    def ask(self, f_class: int, f_num: int, number: int = 1987, **params) -> dict:
        params = {"FClass": f_class, "FNum": f_num, **params}
        request = {"jsonrpc": "2.0", "method": "MacNet", "params": params, "id": number}
        return self.send(json.dumps(request, indent=4))

    def result(self, f_class: int, f_num: int, **params) -> dict:
        return self.ask(f_class, f_num, **{"Chan": CHANNEL, **params})["result"]

    def do(self, f_class: int, f_num: int, **params) -> object:
        return self.result(f_class, f_num, **params)["Result"]

    def complaint(self, f_class: int, f_num: int, **params) -> str:
        return self.ask(f_class, f_num, **params)["error"]["message"]

    def reading(self) -> dict:
        return self.result(4, 7)

    def state(self) -> tuple[int, int, int]:
        one = self.result(4, 1, Len=1)["Status"][0]
        return one["Stat"], one["RF1"], one["RF2"]

    def wait(self, seconds: float) -> None:
        self.clock.wait_until(self.clock.now() + seconds)

    def open_direct(self, **changes) -> object:
        """Start direct mode with current, voltage and power within range."""
        return self.do(6, 7, **{**DIRECT, "TestName": "Random", "DataTime": 1.0, "DataV": 0,
                                "DataI": 0, **changes})  # fmt: skip

    def put_out(self, **changes) -> object:
        return self.do(6, 8, **{**DIRECT, **changes})

    def charge(self, **changes) -> None:
        assert self.open_direct() == "OK"
        self.wait(1.0)
        assert self.put_out(Current=1.0, **changes) == "OK"


DIRECT = {
    "Current": 0,
    "Voltage": 4.2,
    "Power": 50,
    "Resistance": 0,
    "CurrentRange": 4,
    "ChMode": "C",
}
START = {
    "ProcName": "CCCV_1A", "Comment": "", "Crate": 1, "ChamberNum": 0, "StartCycle": 0,
    "TotCycles": 0, "Mass": 1, "VGain": 0, "AbsTRepAlign": 0, "ParallelR": 0, "VDivHiR": 0,
    "VDivLoR": 0, "CANpos": -1, "CANprof": "", "RegimeName": "",
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- framing ---------------------------------------------------------------------------------------


def test_the_reply_is_indented_over_several_lines_and_ends_with_cr_lf(desk):
    desk.link.write(b'{"jsonrpc":"2.0","method":"MacNet","params":{"FClass":1,"FNum":2},"id":5}')
    desk.wait(1.0)
    reply = desk.front.transmit(desk.clock.now())
    assert reply.endswith(b"}\r\n")
    assert reply.count(b"\n") > 5
    assert json.loads(reply)["id"] == 5


def test_a_request_split_over_many_segments_and_two_in_one_are_both_answered_in_order(desk):
    request = '{"jsonrpc":"2.0","method":"MacNet","params":{"FClass":0,"FNum":0,"x":"}{"},"id":%d}'
    for byte in (request % 1).encode():
        desk.link.write(bytes([byte]))
    assert desk.read()["id"] == 1
    desk.link.write((request % 2 + request % 3).encode())
    assert [desk.read()["id"], desk.read()["id"]] == [2, 3]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.integers(1, 7))
def test_objects_are_found_wherever_the_stream_is_cut(texts, size):
    objects = [
        json.dumps({"text": text, "more": {}}, ensure_ascii=False).encode() for text in texts
    ]
    stream = b" \r\n".join(objects)
    reader = ObjectReader()
    found = [one for i in range(0, len(stream), size) for one in reader.feed(stream[i : i + size])]
    assert found == objects


@given(st.binary(max_size=200))
def test_no_bytes_can_break_the_listeners(data):
    desk = Desk()
    desk.link.write(data)
    desk.binary.write(data)
    desk.wait(1.0)
    desk.front.transmit(desk.clock.now())


def test_floats_are_those_of_32_bits_printed_with_15_digits():
    assert (single(0.1), single(4.3), single(2.4)) == (
        0.100000001490116, 4.30000019073486, 2.40000009536743,
    )  # fmt: skip
    assert repr(single(15.0)) == "15"


def test_the_echo_is_the_request_unchanged(desk):
    request = {"jsonrpc": "2.0", "method": "MacNet", "params": {"FClass": 0, "FNum": 0, "Any": [1]},
               "id": 12}  # fmt: skip
    assert desk.send(json.dumps(request)) == request


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{nonsense}", "Parse error"),
        ("hello", "Parse error"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "Parse error"),
        ('{"jsonrpc":"2.0","params":{},"id":1}', "Method MacNet, jsonrpc 2.0 or id not found"),
        ('{"jsonrpc":"2.0","method":"MacNet","params":{}}',
         "Method MacNet, jsonrpc 2.0 or id not found"),
        ('{"jsonrpc":"2.0","method":"MacNet","id":1}', "Invalid params"),
        ('{"jsonrpc":"2.0","method":"MacNet","params":{"fclass":1,"FNum":1},"id":1}',
         '"FClass" key does not exist or value syntax error'),
        ('{"jsonrpc":"2.0","method":"MacNet","params":{"FClass":1,"FNum":"1"},"id":1}',
         '"FNum" key does not exist or value syntax error'),
    ],
)  # fmt: skip
def test_what_is_no_request_is_answered_with_an_error_object(desk, text, message):
    assert desk.send(text)["error"]["message"] == message


@pytest.mark.parametrize(
    ("function", "params", "message"),
    [
        ((2, 1), {}, "Invalid FClass"),
        ((4, 99), {}, "Invalid FNum"),
        ((7, 1), {}, "MacNet error"),
        ((1, 5), {}, "MacNet error"),
        ((4, 7), {}, "Missing object"),
        ((4, 7), {"chan": 0}, "Missing object"),
        ((4, 7), {"Chan": 8}, "Illegal value"),
        ((4, 7), {"Chan": -1}, "Illegal value"),
        ((4, 7), {"Chan": "3"}, "Illegal value"),
        ((4, 7), {"Chan": 10**400}, "Illegal value"),
        ((4, 1), {"Chan": 4, "Len": 5}, "Illegal value"),
        ((4, 1), {"Chan": 0, "Len": 129}, "Illegal value"),
        ((6, 9), {"Chan": 0, "VarNum": 16, "Value": 1}, "Illegal value"),
        ((6, 8), {"Chan": 0, **DIRECT, "ChMode": "X"}, "Illegal value"),
        ((6, 8), {"Chan": 0, **DIRECT, "CurrentRange": 5}, "Illegal value"),
        ((6, 8), {"Chan": 0, **DIRECT, "Current": math.nan}, "Illegal value"),
        ((6, 8), {"Chan": 0, **DIRECT, "Current": 1, "Resistance": 5}, "Illegal value"),
    ],
)
def test_a_request_that_cannot_be_met_says_why_and_echoes_its_id(desk, function, params, message):
    reply = desk.ask(*function, number=77, **params)
    assert reply["error"]["message"] == message
    assert reply["id"] == 77


# -- readings and settings -------------------------------------------------------------------------


def test_the_tester_introduces_itself(desk):
    assert desk.ask(1, 1)["result"]["MacTest32EXEversionMajor"] == 3
    system = desk.ask(1, 2)["result"]
    assert (system["SystemType"], system["TestChannels"]) == (0, 8)
    spec = desk.result(3, 1)
    assert [spec[f"IR{n}Chg"] for n in (4, 3, 2, 1)] == [
        5, 0.150000005960464, 0.00499999988824129, 0.000150000007124618,
    ]  # fmt: skip
    assert desk.result(4, 4)["AuxValues"] == []


def test_an_idle_channel_shows_the_open_circuit_voltage_and_no_current(desk):
    reading = desk.reading()
    assert (reading["Stat"], reading["RF1"], reading["RF2"]) == (0, 0, 0)
    assert (reading["Voltage"], reading["Current"]) == (3.70000004768372, 0)
    assert desk.result(4, 2, Chan=2, Len=2)["Voltage"] == [0, 3.70000004768372]
    assert desk.result(4, 1, Chan=4, Len=2)["Status"] == [{"RF1": 0, "RF2": 0, "Stat": 0}] * 2
    assert reading["TesterTime"].count("-") == 2
    assert not reading["TesterTime"].endswith("Z")


def test_safety_limits_are_echoed_as_32_bit_floats(desk):
    limits = {"VSafeMax": 4.3, "VSafeMin": 2.4, "ISafeChg": 1.5, "ISafeDis": 1.5, "PBatSafeChg": 0,
              "PBatSafeDis": 0}  # fmt: skip
    result = desk.result(6, 10, **limits)
    assert (result["VSafeMax"], result["VSafeMin"]) == (4.30000019073486, 2.40000009536743)
    assert result["ISafeChg"] == 1.5
    assert desk.result(3, 1)["VSafeMax"] == 4.30000019073486


def test_variables_and_flags_are_kept(desk):
    assert desk.do(6, 9, VarNum=2, Value=0.01) == "OK"
    assert desk.result(5, 1, GlobFlags="0x00000020")["New GlobFlags"] == "0x00000020"
    result = desk.result(4, 8)
    assert result["GlobFlags"] == "0x00000020"
    assert result["VARs"][1] == pytest.approx(0.01)
    assert desk.complaint(5, 1, Chan=0, GlobFlags="blue") == "Illegal value"


# -- direct mode -----------------------------------------------------------------------------------


def test_direct_mode_charges_with_constant_current_and_then_holds_the_voltage(desk):
    desk.charge()
    desk.wait(10.0)
    reading = desk.reading()
    assert (reading["Stat"], reading["RF1"]) == (2, 1)
    assert reading["Current"] == 1
    assert reading["Voltage"] == pytest.approx(3.8)
    assert reading["Capacity"] == pytest.approx(10.0 / 3600.0, rel=0.02)
    assert reading["Energy"] == pytest.approx(38.0 / 3600.0, rel=0.02)
    desk.cell.volt = 4.15
    assert desk.reading()["Current"] == pytest.approx(0.5)
    assert desk.reading()["Voltage"] == pytest.approx(4.2)
    assert desk.do(6, 5) == "OK"
    assert desk.cell.drives["maccor-1"].mode is DriveMode.OPEN
    assert desk.state() == (0, 0, 0)


def test_a_discharge_is_told_by_rf1_and_stops_at_its_lower_voltage(desk):
    desk.charge()
    desk.wait(0.2)
    desk.put_out(Current=2.0, Voltage=3.0, ChMode="D")
    reading = desk.reading()
    assert (reading["RF1"], reading["Current"]) == (2, 2)
    assert desk.cell.terminals(desk.clock.now()).current_ampere == -2.0
    desk.cell.volt = 2.9
    desk.wait(2.0)
    assert desk.reading()["Current"] == 0


def test_the_sign_of_a_discharge_is_a_setting_because_nobody_knows_it():
    desk = Desk(setup=MaccorSetup(noise=False, discharge_is_negative=True))
    desk.charge()
    desk.wait(0.2)
    desk.put_out(Current=2.0, Voltage=3.0, ChMode="D")
    assert desk.reading()["Current"] == -2


def test_a_charger_does_not_discharge_a_cell_above_its_voltage(desk):
    desk.charge()
    desk.cell.volt = 4.25
    desk.wait(2.0)
    assert desk.reading()["Current"] == 0
    desk.cell.volt = 4.1
    desk.wait(2.0)
    assert desk.reading()["Current"] == pytest.approx(1.0)


def test_the_set_points_limit_each_other(desk):
    desk.charge(Power=1.9)
    desk.wait(5.0)
    assert desk.reading()["Current"] == pytest.approx(0.5, rel=0.02)
    desk.put_out(Current=1.0, CurrentRange=3, Power=IGNORED)
    assert desk.reading()["Current"] == pytest.approx(0.15)


def test_a_value_out_of_range_means_ignore_and_a_negative_current_is_one(desk):
    desk.charge(Voltage=4900)
    desk.cell.volt = 4.5
    desk.wait(2.0)
    assert desk.reading()["Current"] == pytest.approx(1.0)
    desk.cell.volt = 3.7
    desk.put_out(Current=-1.0, Power=IGNORED)
    assert desk.reading()["Current"] == pytest.approx(5.0)


def test_what_the_start_did_not_open_stays_ignored(desk):
    assert desk.open_direct(Current=IGNORED, Power=2.0) == "OK"
    desk.wait(1.0)
    desk.put_out(Current=0.1, Power=2.0)
    desk.wait(5.0)
    assert desk.reading()["Current"] == pytest.approx(2.0 / 3.75, rel=0.03)


def test_a_setting_is_refused_when_it_comes_at_the_wrong_time(desk):
    assert desk.put_out() == 2
    assert desk.open_direct() == "OK"
    assert desk.state() == (12, 0, 0)
    assert desk.put_out() == 5
    desk.wait(1.0)
    assert desk.put_out() == "OK"
    assert desk.put_out() == 3
    desk.wait(0.1)
    assert desk.put_out() == "OK"
    desk.do(6, 5)
    desk.do(6, 2, TestName="a", **START)
    desk.wait(1.0)
    assert desk.put_out() == 4


def test_direct_mode_is_refused_on_other_systems_and_busy_channels(desk):
    other = Desk(setup=MaccorSetup(system_type=3))
    assert other.open_direct() == 1
    assert other.put_out() == 1
    desk.open_direct()
    assert desk.open_direct() == 2
    desk.do(6, 5)
    assert desk.open_direct(TestName="twice") == "OK"
    desk.do(6, 5)
    assert desk.open_direct(TestName="twice") == 3


def test_a_failure_can_be_spelled_as_text():
    assert Desk(failures_as_text=True).put_out() == "2"


def test_rest_switches_the_output_off_and_keeps_the_test(desk):
    desk.charge()
    desk.wait(0.2)
    assert desk.put_out(ChMode="R") == "OK"
    assert desk.state() == (2, 4, 0)
    assert desk.cell.drives["maccor-1"].mode is DriveMode.OPEN


def test_with_the_defect_rest_by_json_does_nothing_and_rest_by_binary_does():
    desk = Desk(json_rest_defect=True)
    desk.charge()
    desk.wait(0.2)
    assert desk.put_out(ChMode="R") == "OK"
    assert desk.state()[1] == 1
    desk.binary.write(bytes.fromhex("0600080003001200 00000000 00000000 00008047 00000000 0452"))
    assert desk.binary.read_exactly(10, 1.0).hex(" ") == "06 00 08 00 03 00 02 00 00 00"
    assert desk.state()[1] == 4


# -- what protects the cell when nobody listens ----------------------------------------------------


def test_the_watchdog_suspends_a_channel_that_is_not_updated():
    desk = Desk(setup=MaccorSetup(noise=False, watchdog_second=10.0))
    desk.charge()
    for _ in range(3):
        desk.wait(8.0)
        desk.put_out(Current=1.0)
    assert desk.state() == (2, 1, 0)
    charge_before = desk.cell.charge_coulomb
    desk.wait(60.0)
    assert desk.state() == (3, 30, 192)
    assert desk.cell.charge_coulomb - charge_before == pytest.approx(10.0, abs=0.2)
    assert desk.do(6, 4) == "OK"
    assert desk.state()[:2] == (2, 1)


def test_reading_does_not_feed_the_watchdog():
    desk = Desk(setup=MaccorSetup(noise=False, watchdog_second=10.0))
    desk.charge()
    for _ in range(12):
        desk.wait(1.0)
        desk.reading()
    assert desk.state()[0] == 3


@pytest.mark.parametrize(("tripped", "doing"), [(Status.PROBLEM, 29), (Status.SUSPENDED, 30)])
def test_a_voltage_beyond_the_safeties_ends_the_test_in_the_tester_itself(tripped, doing):
    desk = Desk(setup=MaccorSetup(noise=False, tripped=tripped))
    desk.result(6, 10, VSafeMax=4.0, VSafeMin=2.5, ISafeChg=2, ISafeDis=2, PBatSafeChg=0,
                PBatSafeDis=0)  # fmt: skip
    desk.charge()
    desk.cell.volt = 3.95
    desk.wait(3.0)
    assert desk.state() == (tripped, doing, 197)
    assert desk.cell.drives["maccor-1"].mode is DriveMode.OPEN
    assert desk.put_out(Current=0.5) == 2


@pytest.mark.parametrize(
    "limits",
    [
        {"ISafeChg": 0.5, "ISafeDis": 2, "PBatSafeChg": 0, "PBatSafeDis": 0},
        {"ISafeChg": 2, "ISafeDis": 2, "PBatSafeChg": 3.0, "PBatSafeDis": 0},
    ],
)
def test_current_and_power_have_their_safeties_too(desk, limits):
    desk.result(6, 10, VSafeMax=5, VSafeMin=2.5, **limits)
    desk.charge()
    desk.wait(2.0)
    stat, doing, reason = desk.state()
    assert (stat, doing) == (5, 29)
    assert 189 <= reason <= 191


def test_closing_the_socket_stops_nothing(desk):
    desk.charge()
    desk.link.close()
    desk.wait(30.0)
    later = InMemoryLink(desk.front, desk.clock, "later")
    later.write(b'{"jsonrpc":"2.0","method":"MacNet","params":{"FClass":4,"FNum":3,"Chan":3,"Len":1'
                b'},"id":1}')  # fmt: skip
    desk.link = later
    assert desk.read()["result"]["Current"] == [1]
    assert desk.cell.charge_coulomb == pytest.approx(30.0, rel=0.02)


def test_the_tester_asks_to_be_looked_at_while_a_test_runs_and_not_otherwise(desk):
    desk.reading()
    assert desk.front.next_output_second() is None
    desk.charge()
    assert desk.front.next_output_second() == pytest.approx(desk.clock.now() + 1.0)


def test_a_fault_of_the_channel_is_a_problem_with_its_code(desk):
    desk.charge()
    desk.front.inject("alarm", 253, desk.clock.now())
    assert desk.state() == (5, 29, 253)
    assert desk.cell.drives["maccor-1"].mode is DriveMode.OPEN
    with pytest.raises(BadInput, match="interlock"):
        desk.front.inject("interlock", None, 0.0)


# -- procedures ------------------------------------------------------------------------------------


def test_a_procedure_starts_runs_and_completes(desk):
    assert desk.result(1, 3, ProcName="CCCV_1A")["ProcedurExists"] == "TRUE"
    assert desk.do(6, 11, TestName="cell01_a", **START) == "OK"
    assert desk.do(6, 2, TestName="cell01_a", **START) == "OK"
    assert desk.state() == (12, 0, 0)
    desk.wait(5.0)
    assert desk.state() == (2, 1, 0)
    assert desk.result(4, 6)["TestName"] == "cell01_a"
    desk.cell.volt = 4.199
    desk.wait(5.0)
    assert desk.state() == (2, 4, 0)
    desk.wait(600.0)
    assert desk.reading()["Step"] == 3
    desk.cell.volt = 2.85
    desk.wait(605.0)
    assert desk.state() == (4, 31, 193)
    assert desk.do(6, 2, TestName="cell01_b", **START) == 23
    assert desk.do(6, 6) == "OK"
    assert desk.do(6, 2, TestName="cell01_b", **START) == "OK"


@pytest.mark.parametrize(
    ("changes", "start", "check"),
    [
        ({"ProcName": "NONE"}, 14, 2),
        ({"TestName": "used"}, 19, 4),
        ({"TestName": "x" * 251}, 18, 5),
        ({"TestName": ""}, 22, 5),
    ],
)
def test_a_start_that_cannot_be_is_refused_with_its_code(desk, changes, start, check):
    desk.do(6, 2, **{**START, "TestName": "used"})
    desk.do(6, 5)
    params = {**START, "TestName": "new", **changes}
    assert desk.do(6, 2, **params) == start
    assert desk.do(6, 11, **params) == check


def test_selected_channels_start_together(desk):
    assert desk.do(6, 2, Chan=65_535, TestName="none", **START) == 24
    assert desk.do(6, 1, Chans=[2, 3]) == "OK"
    assert desk.state()[0] == 1
    assert desk.do(6, 2, Chan=65_535, TestName="both", **START) == "OK"
    assert [one["Stat"] for one in desk.result(4, 1, Chan=2, Len=2)["Status"]] == [12, 12]
    assert desk.do(6, 1, Chans=[3]) == 23


def test_suspend_resume_and_archive_need_the_right_state(desk):
    assert desk.do(6, 3) == 15
    assert desk.do(6, 4) == 17
    assert desk.do(6, 6) == 22
    desk.charge()
    assert desk.do(6, 3) == "OK"
    assert desk.state() == (3, 30, 192)
    assert desk.reading()["Current"] == 0
    assert desk.do(6, 4) == "OK"
    assert desk.reading()["Current"] == 1


# -- the binary listener ---------------------------------------------------------------------------


def test_the_binary_status_and_reading_have_the_sheets_layout(desk):
    desk.charge()
    desk.wait(9.0)
    desk.binary.write(bytes.fromhex("0400010002000200"))
    assert desk.binary.read_exactly(16, 1.0).hex(" ") == (
        "04 00 01 00 02 00 08 00 00 00 00 00 01 00 02 00"
    )
    desk.binary.write(bytes.fromhex("04000700 03000000"))
    reply = desk.binary.read_exactly(8 + 46, 1.0)
    assert reply[:12].hex(" ") == "04 00 07 00 03 00 2e 00 01 00 02 00"
    assert reply[38:46].hex(" ") == "00 00 80 3f 33 33 73 40"  # 1 A, 3.8 V


def test_a_binary_echo_comes_back_and_an_unknown_function_does_not(desk):
    desk.binary.write(bytes.fromhex("0000000003000200") + b"hi")
    assert desk.binary.read_exactly(10, 1.0).endswith(b"hi")
    desk.binary.write(bytes.fromhex("0900010000000000"))
    with pytest.raises(LinkTimeout):
        desk.binary.read_exactly(8, 1.0)
