"""``rig run``: what is refused before anything happens, and runs from their start to their end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest

from tests.cli.commands import PROTOCOL, refused, rig
from tests.cli.served import Overheard, Stranger, bench_at, served, source_meter

# --- refused -------------------------------------------------------------------------------------

# what is changed in the protocol or the bench -> words that say who, where, got and expected
REFUSALS = {
    "an unknown key": ("p.yaml", "until: 4.2 V", "utnil: 4.2 V", ["p.yaml:10:", "'utnil'"]),
    "a missing unit": ("p.yaml", "until: 4.2 V", "until: 4.2", ["p.yaml:10:", "unit", "4.2 V"]),
    "a wrong dimension": ("p.yaml", "$pause}", "2 mA}", ["p.yaml:11:", "2 mA", "time"]),
    "an unreachable end": ("p.yaml", "4.2 V", "4.5 V", ["p.yaml:10:", "never", "4.3 V"]),
    "beyond the source": (
        "p.yaml",
        "capacity: 2 mAh",
        "capacity: 20 mAh",
        ["20 mA", "10 mA"],
    ),
    "beyond the channel": (
        "bench.yaml",
        "speed:",
        "limits: {A1: {voltage: [2 V, 4.1 V]}}\nspeed:",
        ["A1, line 10", "4.2 V is outside", "4.1 V"],
    ),
    "no chamber": (
        "p.yaml",
        "  - repeat",
        "  - set_temperature: {to: 25 degC, within: 1 K, soak: 1 min, timeout: 1 h}\n  - repeat",
        ["chamber"],
    ),
    "a misspelt driver": (
        "bench.yaml",
        "keithley.smu2450",
        "keithley.smu2540",
        ["bench.yaml:3:", "'keithley.smu2540'", "did you mean 'keithley.smu2450'"],
    ),
    "an unknown instrument": (
        "bench.yaml",
        "cell: smu-1",
        "cell: smu-2",
        ["bench.yaml:5:", "smu-1"],
    ),
}


@pytest.mark.parametrize("mistake", REFUSALS)
def test_bad_input_is_refused_before_a_byte_is_sent_to_a_cell(folder, protocol, mistake):
    file, old, new, words = REFUSALS[mistake]
    smu = source_meter()
    with served({"smu-1": smu}) as addresses:
        bench = bench_at(folder, addresses["smu-1"])
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        complaint = refused("run", protocol, "--bench", bench)
    for word in words:
        assert word in complaint, complaint
    assert not smu.was_switched_on
    assert sorted(entry.name for entry in folder.iterdir()) == ["bench.yaml", "p.yaml"]


@pytest.mark.parametrize("channel", [None, "A1"])
def test_a_channel_without_a_chamber_is_refused_named_or_not(folder, protocol, channel):
    text = PROTOCOL.replace("  - repeat", "  - set_temperature: {to: 25 degC}\n  - repeat", 1)
    protocol.write_text(text, encoding="utf-8")
    bench = bench_at(folder, "TCPIP::127.0.0.1::1::SOCKET")
    arguments = ["--channel", channel] if channel else []
    assert "chamber" in refused("run", protocol, "--bench", bench, *arguments)
    assert not (folder / "rig.db").exists()


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("kind", ["tcp", "serial"])
def test_a_port_that_does_not_open_is_named_with_its_instrument(folder, protocol, kind):
    addresses = {
        "tcp": f"TCPIP::127.0.0.1::{closed_port()}::SOCKET",
        "serial": "serial:///dev/no-such-port",
    }
    bench = bench_at(folder, addresses[kind])
    complaint = refused("run", protocol, "--bench", bench)
    assert f"{bench}:3:3 instrument smu-1" in complaint
    assert addresses[kind].removeprefix("serial://") in complaint
    assert "nothing was switched on" in complaint
    assert not (folder / "rig.db").exists()


@pytest.mark.parametrize(
    "answer",
    [b"ACME,MODEL 9,42,1.0\n", b"KEITHLEY INSTRUMENTS,MODEL 6517,42,1.0\n", b"P3F00021\n"],
)
def test_an_instrument_that_is_something_else_is_refused_with_what_it_said(
    folder, protocol, answer
):
    stranger = Overheard(Stranger(answer))
    with served({"smu-1": stranger}) as addresses:
        complaint = refused("run", protocol, "--bench", bench_at(folder, addresses["smu-1"]))
    assert "smu-1" in complaint
    assert "*IDN?" in complaint
    assert answer.decode().strip() in complaint
    assert "expected" in complaint
    assert not stranger.was_switched_on
    assert not (folder / "rig.db").exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///none/rig.db", "'none' does not exist"),
        ("sqlite:///.", "folder"),
        ("sqlite:///p.yaml", "not a database"),
        ("rig.db", "URL"),
    ],
)
def test_a_database_that_cannot_be_written_is_refused_before_the_cell_is_touched(
    folder, protocol, url, words
):
    smu = source_meter()
    with served({"smu-1": smu}) as addresses:
        bench = bench_at(folder, addresses["smu-1"])
        complaint = refused("run", protocol, "--bench", bench, "--db", url)
    assert url in complaint
    assert words in complaint
    assert "sqlite:///rig.db" in complaint
    assert not smu.was_switched_on
    assert protocol.read_text(encoding="utf-8") == PROTOCOL


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--resume RUN"),
        (["p.yaml", "--resume", "last"], "--resume RUN"),
        (["p.yaml", "--channel", "C9"], "it has: P1, P2, C1, C2"),
        (["p.yaml", "--channel", "C1,C1,c2"], "has no channel 'c2'; it has: P1"),
        (["p.yaml", "--speed", "fast"], "above 0 or max"),
        (["p.yaml", "--speed", "-1"], "above 0 or max"),
        (["p.yaml", "--speed", "nan"], "above 0 or max"),
        (["p.yaml", "--seed", "-1"], "--seed"),
        (["p.yaml", "--seed", "9" * 30], "--seed"),
        (["p.yaml", "--set", "pause"], "name=value"),
        (["p.yaml", "--cell", "LPS-1", "--channel", "C1,C2"], "cannot be on 2 channels"),
        (["p.yaml", "--bench", "none.yaml"], "cannot be read"),
        (["none.yaml"], "cannot be read"),
        (["none.yaml", "--cell", "LPS-1"], "cannot be read"),
        (["p.yaml", "--colour"], "No such option"),
        (["--resume", "last"], "no such file"),
    ],
)
def test_a_command_line_that_makes_no_sense_leaves_no_file(folder, protocol, arguments, words):
    assert words in refused("run", *arguments)
    assert list(folder.iterdir()) == [protocol]


# --- run -----------------------------------------------------------------------------------------


def test_a_run_over_a_real_socket_ends_with_the_cell_disconnected(folder, protocol):
    smu = source_meter()
    with served({"smu-1": smu}) as addresses:
        bench = bench_at(folder, addresses["smu-1"])
        outcome = rig("run", protocol, "--bench", bench, "--json", "--set", "pause=30 s")
    assert outcome.code == 0, outcome.err
    (one,) = outcome.json()["runs"]
    assert (one["state"], one["cycles"], one["alarm"]) == ("finished", 2, "")
    assert one["samples"] > 50
    assert smu.was_switched_on
    assert smu.heard.rfind(b"OUTP OFF") > smu.heard.rfind(b"OUTP ON")


def test_real_instruments_are_never_run_faster_than_their_bench_says(folder, protocol):
    bench = bench_at(folder, "TCPIP::127.0.0.1::1::SOCKET")
    complaint = refused("run", protocol, "--bench", bench, "--speed", "20")
    assert "--speed: got 20, expected 500: real instruments live in real time" in complaint


def test_without_a_channel_the_first_that_fits_is_taken_and_told(protocol):
    outcome = rig("run", protocol)
    assert outcome.code == 0
    assert "channel C1 (simulated), the first that has what the protocol needs" in outcome.err
    words = r"C1 \(simulated\)  run \w{12}  finished: protocol finished  \(\d+ samples\)"
    assert re.search(words, outcome.out)


def test_several_channels_run_together_and_the_json_has_each(protocol):
    outcome = rig("run", protocol, "--channel", "C1,C2", "--json")
    runs = outcome.json()["runs"]
    assert [(one["channel"], one["state"]) for one in runs] == [
        ("C1", "finished"),
        ("C2", "finished"),
    ]
    assert runs[0]["run_id"] != runs[1]["run_id"]


def test_the_record_of_a_cell_wins_over_the_protocol(protocol):
    assert rig("run", protocol, "--cell", "ASSB-1").code == 0
    smaller = PROTOCOL.replace("capacity: 2 mAh", "capacity: 1 mAh")
    protocol.write_text(smaller, encoding="utf-8")
    assert rig("run", protocol, "--cell", "ASSB-1").code == 0
    from rig.store import queries
    from rig.store.database import open_database
    from rig.store.samples import sample_frame

    engine = open_database("sqlite:///rig.db", create=False)
    currents = [
        sample_frame(engine, run.run_id)["current_ampere"].max()
        for run in queries.list_runs(engine)
    ]
    engine.dispose()
    assert currents == pytest.approx([0.002, 0.002], rel=0.01)


def test_a_tripped_run_is_work_that_failed(protocol):
    tight = PROTOCOL.replace("current: 10 mA", "current: 10 mA, capacity: 0.1 mAh")
    protocol.write_text(tight, encoding="utf-8")
    outcome = rig("run", protocol, "--json")
    assert outcome.code == 1
    assert outcome.json()["runs"][0]["state"] == "tripped"
    assert "Traceback" not in outcome.err


def test_a_finished_run_cannot_be_resumed(protocol):
    assert rig("run", protocol).code == 0
    assert "is finished: there is nothing to continue" in refused("run", "--resume", "last")


def test_a_channel_that_another_process_runs_is_refused_and_resumed_when_that_is_gone(protocol):
    """What is let go of before it ran is as if its process had been killed in its first second."""
    from rig.bench.file import load_bench
    from rig.bench.starting import Job, start
    from rig.protocol import load_protocol

    bench = load_bench("sim")
    job = Job(load_protocol(str(protocol)), str(protocol), bench.channels["C1"])
    other = start([job], bench, database="sqlite:///rig.db")
    for arguments in ([protocol], ["--resume", "last"]):
        complaint = refused("run", *arguments)
        assert "channel C1" in complaint
        assert "another process is running it" in complaint
        assert "nothing was switched on" in complaint
    other.locks.close()
    other.engine.dispose()
    outcome = rig("run", "--resume", "last", "--json")
    assert outcome.code == 0, outcome.err
    (one,) = outcome.json()["runs"]
    assert (one["run_id"], one["state"]) == (other.runs[0].run_id, "finished")


def test_a_simulated_run_is_never_continued_on_real_instruments(folder, protocol):
    tight = PROTOCOL.replace("current: 10 mA", "current: 10 mA, capacity: 0.1 mAh")
    protocol.write_text(tight, encoding="utf-8")
    rig("run", protocol)
    bench = bench_at(folder, "TCPIP::127.0.0.1::1::SOCKET")
    bench.write_text(bench.read_text().replace("A1:", "C1:"), encoding="utf-8")
    complaint = refused("run", "--resume", "last", "--bench", bench)
    assert "ran on simulated instruments" in complaint
    assert "are real" in complaint


def test_ctrl_c_in_a_real_process_disconnects_and_resume_last_goes_on(folder, protocol):
    """Paced, so that there is a moment to interrupt; resumed at full speed."""
    command = [sys.executable, "-m", "rig", "run", str(protocol), "--speed", "50"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stderr is not None
        progress = (line for line in process.stderr if "%" in line)
        next(progress), next(progress)  # one at the very beginning, one when it is under way
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 1
    assert "disconnecting cells" in rest
    assert "Traceback" not in rest
    shown = rig("runs", "show", "last", "--json").json()
    assert (shown["state"], shown["reason"]) == ("paused", "Ctrl-C")
    outcome = rig("run", "--resume", "last", "--speed", "max", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json()["runs"][0]["run_id"] == shown["run_id"]
    assert outcome.json()["runs"][0]["cycles"] == 2
