"""bench.yaml: everything wrong is told at once, each at its line and column, before a port opens."""

from __future__ import annotations

import re

import pytest

from rig.bench.file import load_bench, parse_bench
from rig.core.errors import BadInput
from rig.engine.channel import OnLinkLoss
from rig.protocol.program import Safety

SMU = "smu-1: {driver: keithley.smu2450, connect: sim}"
GOOD = f"""bench: 1
instruments:
  {SMU}
  pstat-1: {{driver: palmsens.methodscript, connect: sim}}
  oven: {{driver: espec.p300, connect: sim}}
channels:
  A1: {{cell: smu-1, impedance: pstat-1, chamber: oven, leads: 20 mohm}}
limits:
  A1: {{voltage: [2.5 V, 4.3 V], current: 20 mA, temperature: [-20 degC, 60 degC], capacity: 3 mAh}}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_bench(text, "b.yaml")
    return [str(problem) for problem in caught.value.problems]


def only_problem(text: str) -> str:
    found = problems_of(text)
    assert len(found) == 1, found
    return found[0]


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_the_built_in_bench_has_two_pellets_and_two_full_cells():
    bench = load_bench("sim")
    assert list(bench.channels) == ["P1", "P2", "C1", "C2"]
    assert bench.simulated
    for channel in bench.channels.values():
        assert {"cell", "impedance", "chamber"} <= set(channel.instruments)
        assert channel.limits.voltage_max_volt is not None


def test_a_good_file_is_read_in_base_units():
    bench = parse_bench(GOOD, "b.yaml")
    channel = bench.channels["A1"]
    assert channel.instruments == {"cell": "smu-1", "impedance": "pstat-1", "chamber": "oven"}
    assert channel.leads_ohm == pytest.approx(0.02)
    assert channel.on_link_loss is OnLinkLoss.CONTINUE
    limits = channel.limits
    assert (limits.voltage_min_volt, limits.voltage_max_volt) == (2.5, 4.3)
    assert (limits.temperature_min_celsius, limits.temperature_max_celsius) == (-20.0, 60.0)
    assert limits.current_max_ampere == pytest.approx(0.02)
    assert limits.capacity_max_ah == pytest.approx(0.003)
    assert bench.plain["instruments"]["oven"]["driver"] == "espec.p300"


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("bench: 1", "bench: 2", "1:8", "begins with its version"),
        ("bench: 1", "bench: true", "1:8", "begins with its version"),
        ("bench: 1", "bensh: 1\nbench: 1", "1:1", "did you mean 'bench'"),
        ("bench: 1", "bench: 1\nspeed: fast", "2:8", "speed: 20"),
        ("bench: 1", "bench: 1\nspeed: 0", "2:8", "got 0"),
        ("bench: 1", "bench: 1\nspeed: true", "2:8", "got True"),
        ("bench: 1", "bench: 1\nspeed: {x: 2}", "2:8", "got {'x': 2}"),
        ("bench: 1", "bench: 1\ndatabase: 7", "2:11", "expected a database URL"),
        ("keithley.smu2450", "keithley.smu2540", "3:19", "did you mean 'keithley.smu2450'"),
        (SMU, "smu-1: keithley.smu2450", "3:10", "needs a driver and a connect"),
        (SMU, "smu-1: {driver: keithley.smu2450}", "3:10", "needs a connect"),
        (SMU, SMU.replace("sim", "5025"), "3:46", "needs a connect"),
        (SMU, SMU.replace("}", ", conect: x}"), "3:51", "did you mean 'connect'"),
        ("cell: smu-1", "cell: smu-2", "7:14", "did you mean 'smu-1'"),
        ("cell: smu-1", "cell: [smu-1]", "7:14", "expected an instrument"),
        ("cell: smu-1", "cel: smu-1", "7:8", "did you mean 'cell'"),
        ("cell: smu-1", "cell: oven", "7:14", "cannot be cell; it can be: chamber"),
        ("impedance: pstat-1", "impedance: smu-1", "7:32", "cannot be impedance"),
        ("leads: 20 mohm", "leads: 0.02", "7:63", "without a unit"),
        ("leads: 20 mohm", "on_link_loss: save", "7:70", "did you mean 'safe'"),
        ("leads: 20 mohm", "leads: -1 ohm", "7:63", "expected zero or more"),
        ("leads: 20 mohm", "leads: 20 mV", "7:63", "which is a voltage"),
        (
            "  A1: {voltage",
            "  A2: {voltage",
            "9:3",
            "limits for 'A2', but there is no such channel",
        ),
        ("[2.5 V, 4.3 V]", "[4.3 V, 2.5 V]", "9:17", "not below the high one"),
        ("[2.5 V, 4.3 V]", "4.3 V", "9:17", "a pair, low and high"),
        ("[2.5 V, 4.3 V]", "[2.5, 4.3 V]", "9:18", "without a unit"),
        ("current: 20 mA", "current: 20 mV", "9:42", "expected a current"),
        ("current: 20 mA", "current: 0 mA", "9:42", "more than zero"),
        ("current: 20 mA", "current: -20 mA", "9:42", "more than zero"),
        ("current: 20 mA", "current: [20 mA]", "9:42", "expected a current"),
        ("current: 20 mA", "curent: 20 mA", "9:33", "did you mean 'current'"),
        ("capacity: 3 mAh", "capacity: 0 mAh", "9:93", "more than zero"),
    ],
)
def test_one_thing_wrong_is_told_once_with_its_place(old, new, where, words):
    problem = only_problem(changed(old, new))
    assert problem.startswith(f"b.yaml:{where}: "), problem
    assert words in problem


def test_everything_wrong_is_told_at_once():
    text = (
        changed("keithley.smu2450", "keithly.smu2450")
        .replace("cell: smu-1", "cell: smu-9")
        .replace("2.5 V", "2.5")
        .replace("20 mA", "20 C")
        .replace("bench: 1", "bench: 1\nspeed: -2")
    )
    places = [problem.split(" ")[0] for problem in problems_of(text)]
    assert sorted(places) == [
        "b.yaml:10:18:",
        "b.yaml:10:40:",
        "b.yaml:2:8:",
        "b.yaml:4:19:",
        "b.yaml:8:14:",
    ]


def test_a_channel_without_limits_leaves_everything_to_the_protocol():
    of_protocol = Safety(2.5, 4.3, 0.02, check_every_second=30.0)
    without = parse_bench(GOOD.partition("limits:")[0], "b.yaml").channels["A1"].limits
    assert of_protocol.intersect(without) == of_protocol


@pytest.mark.parametrize("limits", ["5", "[A1]", "20 mA", "null"])
def test_limits_that_are_none_are_refused_and_never_taken_for_no_limits(limits):
    text = re.sub(r"limits:\n.*\n", f"limits: {limits}\n", GOOD)
    assert "expected limits by channel" in only_problem(text)


@pytest.mark.parametrize("limits", ["5", "[20 mA]", "20 mA", "null", "{}"])
def test_a_channels_limits_that_are_none_are_refused(limits):
    text = re.sub(r"A1: \{voltage.*\n", f"A1: {limits}\n", GOOD)
    assert "expected the limits of channel 'A1'" in only_problem(text)


def test_one_source_on_two_channels_is_refused():
    text = changed("limits:", "  A2: {cell: smu-1}\nlimits:")
    assert only_problem(text) == "b.yaml:8:3: smu-1 already belongs to channel 'A1'"


def real(*lines: str, roles: str = "cell: a") -> str:
    return "\n".join(["bench: 1", "instruments:", *lines, "channels:", f"  A1: {{{roles}}}", ""])


@pytest.mark.parametrize(
    "address",
    ["TCPIP::10.0.0.5::5025::SOCKET", "socket://10.0.0.5:5025", "tcpip0::10.0.0.5::5025::SOCKET"],
)
def test_two_names_for_one_port_are_refused_however_it_is_spelt(address):
    text = real(
        '  a: {driver: keithley.smu2450, connect: "socket://10.0.0.5:5025"}',
        f'  b: {{driver: keithley.smu2450, connect: "{address}"}}',
    )
    assert only_problem(text) == f"b.yaml:4:3: b connects to {address}, where a is already"


def test_the_channels_of_one_tester_share_its_port():
    text = real(
        '  a: {driver: maccor.macnet, connect: "socket://10.0.0.5:57570", options: {channel: 1}}',
        '  b: {driver: maccor.macnet, connect: "socket://10.0.0.5:57570", options: {channel: 2}}',
    )
    assert set(parse_bench(text, "b.yaml").instruments) == {"a", "b"}
    assert "where a is already" in only_problem(text.replace("channel: 2", "channel: 1"))


def test_a_scanner_never_takes_the_cell_from_the_instrument_that_drives_it():
    text = real(
        "  a: {driver: palmsens.methodscript, connect: sim}",
        "  mux: {driver: scpi.matrix, connect: sim}",
        roles="cell: a, impedance: a, multiplexer: mux/101",
    )
    assert "would take the cell away" in only_problem(text)


def test_one_chamber_may_hold_several_channels():
    more = "  pstat-2: {driver: palmsens.methodscript, connect: sim}\nchannels:"
    text = changed("channels:", more).replace(
        "limits:", "  A2: {cell: pstat-2, impedance: pstat-2, chamber: oven}\nlimits:"
    )
    assert set(parse_bench(text, "b.yaml").channels) == {"A1", "A2"}


def test_simulated_and_real_instruments_do_not_mix():
    problem = only_problem(changed(SMU, SMU.replace("sim", '"TCPIP::10.0.0.5::5025::SOCKET"')))
    assert "time would pass differently" in problem
    assert "rig simulate" in problem


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("serail:///dev/ttyUSB0", "did you mean 'serial://'"),
        ("serial:///dev/ttyUSB0?baudrate=fast", "a positive whole number"),
        ("socket://10.0.0.5", "expected socket://host:port"),
        ("TCPIP::10.0.0.5::99999::SOCKET", "not within 1 to 65535"),
        ("10.0.0.5", "expected the address of a port"),
    ],
)
def test_an_address_that_is_none_is_told_with_its_place(address, words):
    text = f'bench: 1\ninstruments:\n  s: {{driver: keithley.smu2450, connect: "{address}"}}\n'
    problem = only_problem(text + "channels:\n  A1: {cell: s}\n")
    assert problem.startswith("b.yaml:3:42: ")
    assert words in problem


@pytest.mark.parametrize(
    "text",
    ["", "5", "[bench]", "bench: 1", "bench: 1\ninstruments: {}\nchannels: []\n", "a: b: c"],
)
def test_what_is_no_bench_file_at_all_is_refused_with_a_place(text):
    assert all(re.match(r"b\.yaml:\d+:\d+: ", problem) for problem in problems_of(text))


def test_a_key_that_stands_twice_is_refused():
    assert "stands twice" in only_problem(GOOD + "bench: 1\n")


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(tmp_path, kind):
    path = tmp_path / "bench.yaml"
    if kind == "folder":
        path.mkdir()
    if kind == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read") as caught:
        load_bench(str(path))
    assert str(path) in str(caught.value)
    assert "--bench sim" in caught.value.remedy


@pytest.mark.parametrize(
    ("line", "second"),
    [("", 10.0), ("watchdog: 3 s", 3.0), ("watchdog: 1 min", 60.0), ("watchdog: off", None)],
)
def test_the_watchdog_waits_ten_seconds_unless_the_file_says_otherwise(line, second):
    assert parse_bench(f"{GOOD}{line}\n", "b.yaml").watchdog_second == second


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2 s", "expected 3 s or more, or off"),
        ("-10 s", "expected 3 s or more, or off"),
        ("10", "without a unit"),
        ("10 V", "a voltage"),
        ("of", "expected a time"),
        ("false", "expected a time"),
        ("null", "expected a time"),
        ("[10 s]", "expected a time"),
    ],
)
def test_a_watchdog_that_is_no_patience_is_refused_with_an_example(value, words):
    problem = only_problem(f"{GOOD}watchdog: {value}\n")
    assert problem.startswith("b.yaml:10:")
    assert words in problem
    assert "watchdog: 10 s, or watchdog: off" in problem


def test_a_store_is_borne_with_for_a_minute_unless_the_file_says_otherwise() -> None:
    assert parse_bench(GOOD, "b.yaml").store_patience_second == 60.0
    assert parse_bench(f"{GOOD}store_patience: 0 s\n", "b.yaml").store_patience_second == 0.0
    assert "expected zero or more" in only_problem(f"{GOOD}store_patience: -1 s\n")


def test_limits_of_all_channels_hold_for_each_and_the_tighter_one_counts() -> None:
    text = GOOD.replace("limits:", "limits:\n  all: {voltage: [2.6 V, 4.5 V], current: 10 mA}")
    limits = parse_bench(text, "b.yaml").channels["A1"].limits
    assert (limits.voltage_min_volt, limits.voltage_max_volt) == (2.6, 4.3)
    assert limits.current_max_ampere == pytest.approx(0.01)
    assert limits.capacity_max_ah == pytest.approx(0.003)


def test_a_bench_without_a_word_on_time_leaves_that_to_the_protocol() -> None:
    limits = parse_bench(GOOD, "b.yaml").channels["A1"].limits
    asked = Safety(check_every_second=30.0, lasting_second=5.0)
    both = asked.intersect(limits)
    assert (both.check_every_second, both.lasting_second) == (30.0, 5.0)
