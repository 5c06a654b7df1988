"""``rig record``: one instrument's bytes in a file that a lab can send in."""

from __future__ import annotations

from rig.core.clock import RealClock
from rig.wire import load_transcript
from simulators.server import Transport, serve
from tests.cli.commands import refused, rig
from tests.cli.served import Stranger, bench_at, served, source_meter


def test_the_file_is_named_after_the_instrument(folder):
    outcome = rig("record", "chamber-p")
    assert outcome.code == 0, outcome.err
    assert "make_safe: done" in outcome.out
    assert (b"ROM?\r\n", b"P3F00021\r\n") in load_transcript(folder / "chamber-p.transcript")


def test_the_same_as_json(folder):
    recorded = rig("record", "smu-c1", "--out", "smu.txt", "--json").json()
    assert (recorded["file"], recorded["driver"]) == ("smu.txt", "keithley.smu2450")
    assert [step["name"] for step in recorded["steps"]] == ["identify", "make_safe"]
    assert recorded["identity"]["model"] == "2450"


def test_a_second_recording_does_not_overwrite_the_first(folder):
    assert rig("record", "smu-c1").code == 0
    before = (folder / "smu-c1.transcript").read_bytes()
    assert "never overwrites" in refused("record", "smu-c1")
    assert (folder / "smu-c1.transcript").read_bytes() == before


def test_what_cannot_be_recorded_is_refused_and_leaves_no_file(folder):
    assert "did you mean 'smu-c1'" in refused("record", "smu-x1", "--bench", "sim")
    assert "does not exist" in refused("record", "smu-c1", "--out", "none/smu.txt")
    bench_at(folder, "serial:///dev/no-such-port")
    assert "no-such-port" in refused("record", "smu-1", "--bench", "bench.yaml")
    assert [path.name for path in folder.iterdir()] == ["bench.yaml"]


def test_an_instrument_on_a_socket_is_recorded_and_never_switched_on(folder):
    instrument = source_meter()
    with served({"smu-1": instrument}) as addresses:
        bench = bench_at(folder, addresses["smu-1"])
        outcome = rig("record", "smu-1", "--bench", bench)
    assert outcome.code == 0, outcome.err
    assert not instrument.was_switched_on
    assert load_transcript(folder / "smu-1.transcript")[0][0] == b"*IDN?\n"


def test_what_a_stranger_said_stays_in_the_file(folder):
    with serve({"smu-1": (Stranger(b"ACME,TOASTER,1,1\n"), Transport.TCP)}, RealClock()) as s:
        bench_at(folder, s.addresses["smu-1"])
        assert "TOASTER" in refused("record", "smu-1", "--bench", "bench.yaml")
    exchanges = load_transcript(folder / "smu-1.transcript")
    assert exchanges[0] == (b"*IDN?\n", b"ACME,TOASTER,1,1\n")
