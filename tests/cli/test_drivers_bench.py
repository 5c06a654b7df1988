"""``rig drivers``, ``rig bench check`` and ``rig simulate``: what is supported and what is there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from rig.bench.registry import driver_names
from rig.wire.address import SerialAddress, SocketAddress, parse_address
from tests.cli.commands import PROTOCOL, refused, rig
from tests.cli.served import Stranger, served

FAMILIES = driver_names()


def test_every_family_is_listed_with_how_well_it_is_proven():
    listed = rig("drivers", "list")
    assert listed.code == 0
    assert all(family in listed.out for family in FAMILIES)
    assert "transcribed" in listed.out


def test_the_same_as_json():
    drivers = rig("drivers", "list", "--json").json()["drivers"]
    assert [driver["family"] for driver in drivers] == FAMILIES
    assert all({"models", "quirks", "unknowns", "rules"} <= set(driver) for driver in drivers)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_shown_with_what_nobody_knows_yet(family):
    shown = rig("drivers", "show", family).out
    assert shown.startswith(f"{family}: ")
    assert "quirks:" in shown
    assert "house rules:" in shown
    assert rig("drivers", "show", family, "--json").json()["family"] == family


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_shown_with_an_address_that_a_bench_file_takes(family):
    [line] = [one for one in rig("drivers", "show", family).out.splitlines() if "connect:" in one]
    address = parse_address(line.partition('connect: "')[2].partition('"')[0])
    assert isinstance(address, SerialAddress | SocketAddress)


def test_the_address_shown_has_the_speed_of_a_serial_line_and_the_port_of_a_network():
    assert "serial:///dev/ttyUSB0?baudrate=9600" in rig("drivers", "show", "espec.p300").out
    assert "TCPIP::192.168.0.5::502::SOCKET" in rig("drivers", "show", "watlow.f4t").out


def test_how_well_a_family_is_proven_is_explained_where_it_is_said():
    words = "not yet tried on hardware"
    assert words in rig("drivers", "show", "espec.p300").out
    assert words in rig("drivers", "list").out


def test_no_maker_is_named_twice():
    for family in FAMILIES:
        [maker, *title] = (
            rig("drivers", "show", family).out.splitlines()[0].split(": ", 1)[1].split()
        )
        assert maker != title[0]


def test_a_family_that_is_not_there_is_refused_with_the_nearest():
    assert "did you mean 'espec.p300'" in refused("drivers", "show", "espec.p200")


def test_the_built_in_bench_identifies_itself():
    checked = rig("bench", "check", "--json").json()["instruments"]
    assert [one["problem"] for one in checked] == [""] * 8
    assert all(one["identity"] for one in checked)
    assert "ok" in rig("bench", "check").out


LCR_METER = """bench: 1
instruments:
  lcr-1: {{driver: keysight.e4980a, connect: "{address}"}}
channels:
  P1: {{impedance: lcr-1, dc_blocking: true}}
"""


@pytest.mark.parametrize(
    ("firmware", "note"),
    [
        ("A.02.10", ""),
        ("A.06.15", "firmware A.06.15; the sheet's facts are from A.02.10"),
        ("", "firmware not told; the sheet's facts are from A.02.10"),
    ],
)
def test_a_firmware_that_the_sheet_does_not_know_is_a_note_and_no_failure(folder, firmware, note):
    bench = folder / "bench.yaml"
    meter = Stranger(f"Keysight Technologies,E4980A,MY46516036,{firmware}\n".encode())
    with served({"lcr-1": meter}) as addresses:
        bench.write_text(LCR_METER.format(address=addresses["lcr-1"]), encoding="utf-8")
        as_json = rig("bench", "check", "--bench", bench, "--json")
        tree = rig("bench", "check", "--bench", bench)
    assert (as_json.code, tree.code) == (0, 0)
    [found] = as_json.json()["instruments"]
    assert (found["note"], found["problem"]) == (note, "")
    assert ("note" in tree.out) is bool(note)
    assert note in tree.out


def test_a_family_without_a_known_firmware_makes_no_note():
    checked = rig("bench", "check", "--json").json()["instruments"]
    assert [one["note"] for one in checked] == [""] * 8


def test_the_firmware_of_the_facts_is_shown_where_the_sources_name_one():
    assert "facts from firmware: FW0.0.9, FW0.1.0\n" in rig("drivers", "show", "rodeostat.json").out
    assert "facts from firmware" not in rig("drivers", "show", "keithley.smu2450").out


def test_what_an_instrument_says_is_shown_with_its_brackets(folder):
    bench = folder / "bench.yaml"
    with served({"lcr-1": Stranger(b"a [bold]stranger[/]\n")}) as addresses:
        bench.write_text(LCR_METER.format(address=addresses["lcr-1"]), encoding="utf-8")
        assert "a [bold]stranger[/]" in rig("bench", "check", "--bench", bench).out


def test_all_that_does_not_answer_is_told_in_one_go(folder):
    bench = folder / "bench.yaml"
    bench.write_text(
        "bench: 1\n"
        "instruments:\n"
        '  smu-1: {driver: keithley.smu2450, connect: "serial:///dev/no-such-port-1"}\n'
        '  oven: {driver: espec.p300, connect: "serial:///dev/no-such-port-2"}\n'
        "channels:\n"
        "  A1: {cell: smu-1, chamber: oven}\n",
        encoding="utf-8",
    )
    outcome = rig("bench", "check", "--bench", bench, "--json")
    assert outcome.code == 1
    assert "2 of 2 failed: smu-1, oven" in outcome.err
    problems = [one["problem"] for one in outcome.json()["instruments"]]
    assert ["no-such-port-1" in problems[0], "no-such-port-2" in problems[1]] == [True, True]
    tree = rig("bench", "check", "--bench", bench)
    assert tree.out.count("FAILED") == 2
    assert "Traceback" not in tree.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "0"], "above 0"),
        (["--fault", "smu-c9:drop@1"], "smu-c9"),
        (["--fault", "smu-c1:explode@1"], "explode"),
        (["--fault", "nonsense"], "nonsense"),
        (["--write-bench", "none/bench.yaml"], "'none' does not exist"),
        (["--write-bench", "."], "expected a file"),
        (["--bench", "none.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_simulated_is_refused_and_leaves_no_file(folder, arguments, words):
    assert words in refused("simulate", *arguments)
    assert list(folder.iterdir()) == []


def test_a_protocol_runs_on_instruments_that_another_process_serves(folder):
    """The whole way over real sockets and pseudo terminals, with the bench file that was written."""
    (folder / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    command = [sys.executable, "-m", "rig", "simulate", "--speed", "500", "--json"]
    server = subprocess.Popen(
        [*command, "--write-bench", "bench.yaml"], stdout=subprocess.PIPE, text=True
    )
    with server:
        assert server.stdout is not None
        printed = ""
        while not printed.endswith("}\n"):
            printed += server.stdout.readline()
        assert len(json.loads(printed + server.stdout.readline() or "")["instruments"]) == 8
        checked = rig("bench", "check", "--bench", "bench.yaml", "--json")
        outcome = rig("run", "p.yaml", "--bench", "bench.yaml", "--channel", "C1", "--json")
        server.send_signal(signal.SIGTERM)
    assert checked.code == 0, checked.err
    assert outcome.code == 0, outcome.err
    assert outcome.json()["runs"][0]["state"] == "finished"
    assert server.returncode == 0
