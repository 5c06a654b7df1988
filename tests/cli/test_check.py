"""``rig check``: everything that is wrong with a protocol, before anybody touches a cell."""

from __future__ import annotations

import pytest

from tests.cli.commands import PROTOCOL, refused, rig

BIG_STEP = """protocol: 1
name: a loud spectrum
safety: {voltage: [-1 V, 5 V]}
steps:
  - eis: {from: 100 kHz, to: 1 Hz, amplitude: 1 V}
"""


def test_a_check_against_a_bench_knows_the_amplitudes_that_a_run_refuses(tmp_path):
    file = tmp_path / "loud.yaml"
    file.write_text(BIG_STEP, encoding="utf-8")
    said = refused("run", file, "--channel", "C1")
    assert "1 V is outside what the channel allows" in said
    assert refused("check", file, "--bench", "sim", "--channel", "C1").splitlines()[0] in said


def test_without_a_channel_every_channel_that_could_hold_it_says_why_not(tmp_path):
    file = tmp_path / "loud.yaml"
    file.write_text(BIG_STEP, encoding="utf-8")
    said = refused("check", file, "--bench", "sim")
    named = said.partition(", line 5")[0]
    assert all(name in named for name in ("P1", "P2", "C1", "C2")), said


@pytest.mark.parametrize("written", ["capacity: 2 mV", "capcity: 2 mAh"])
def test_one_mistake_in_the_capacity_is_one_problem(protocol, written):
    """Not one more for each rate of the protocol."""
    protocol.write_text(PROTOCOL.replace("capacity: 2 mAh", written), encoding="utf-8")
    (complaint,) = refused("check", protocol).splitlines()
    assert written.split()[0].rstrip(":") in complaint


def test_a_whole_file_is_never_printed_back(protocol):
    protocol.write_text("frequency,real\n" + "1000,12\n" * 5000, encoding="utf-8")
    assert len(refused("check", protocol)) < 500


# what a person writes -> where it is refused, and words that must be in the message
MISTAKES = {
    "an unknown key": ("until: 4.2 V", "utnil: 4.2 V", "10:26", ["'utnil'", "until"]),
    "an unknown step": ("- rest:", "- reset:", "11:9", ["'reset'", "rest"]),
    "a missing unit": ("until: 4.2 V", "until: 4.2", "10:33", ["4.2", "unit"]),
    "a wrong dimension": ("voltage: [2.5 V,", "voltage: [2.5 A,", "4:19", ["2.5 A", "voltage"]),
    "an unreachable end": ("until: 4.2 V", "until: 4.5 V", "10:33", ["4.5 V", "never", "4.3 V"]),
    "an unset variable": ("$pause", "$paus", "11:21", ["paus", "pause"]),
    "a wrong version": ("protocol: 1", "protocol: 9", "1:11", ["9", "1"]),
    "a tab": ("  - repeat", "\t- repeat", "8:", ["tab"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_to_write(protocol, mistake):
    old, new, place, words = MISTAKES[mistake]
    protocol.write_text(PROTOCOL.replace(old, new), encoding="utf-8")
    complaint = refused("check", protocol)
    assert f"{protocol}:{place}" in complaint
    for word in words:
        assert word in complaint, complaint
    assert rig("check", protocol).out == ""


def test_all_mistakes_are_told_in_one_go(protocol):
    text = PROTOCOL
    for mistake in ("a missing unit", "an unset variable", "a wrong dimension"):
        old, new, *_ = MISTAKES[mistake]
        text = text.replace(old, new)
    protocol.write_text(text, encoding="utf-8")
    complaint = refused("check", protocol)
    assert sum(f"{protocol}:" in line for line in complaint.splitlines()) >= 3


def test_a_good_protocol_is_shown_as_its_steps_and_how_long_they_take(protocol):
    outcome = rig("check", protocol)
    assert outcome.code == 0
    assert "charge at 1C until 4.2 V or for 5 min" in outcome.out
    assert "24 min" in outcome.out
    assert "needs: cell" in outcome.out


def test_the_same_as_json(protocol):
    checked = rig("check", protocol, "--json").json()
    assert checked["name"] == "two short cycles"
    assert checked["needs"] == ["cell"]
    assert checked["duration_second"] == pytest.approx(1440.0)
    assert [row["depth"] for row in checked["steps"]] == [0, 1, 1, 1]
    assert checked["warnings"] == []


def test_a_variable_is_set_on_the_command_line(protocol):
    longer = rig("check", protocol, "--set", "pause=1 h", "--json").json()
    assert longer["duration_second"] == pytest.approx(1440.0 + 2 * 58 * 60)
    assert "name=value" in refused("check", protocol, "--set", "pause")
    assert "pause" in refused("check", protocol, "--set", "pose=1 h")
    assert "unit" in refused("check", protocol, "--set", "pause=60")


def test_against_a_bench_the_channels_range_counts(protocol):
    assert rig("check", protocol, "--bench", "sim", "--json").code == 0
    complaint = refused("check", protocol, "--bench", "sim", "--channel", "P1")
    assert "P1, line 10" in complaint
    assert "4.2 V is outside what the channel allows" in complaint
    assert "it has: P1, P2, C1, C2" in refused(
        "check", protocol, "--bench", "sim", "--channel", "X"
    )


REST = """protocol: 1
name: rest
safety: {voltage: [2.5 V, 4.3 V]}
steps:
  - rest: {for: 1 h}
"""


@pytest.mark.parametrize("command", ["check", "run"])
def test_limits_that_contradict_those_of_the_channel_are_refused_before_a_driver_has_them(
    protocol, command
):
    protocol.write_text(REST, encoding="utf-8")
    complaint = refused(command, protocol, "--bench", "sim", "--channel", "P1")
    assert "P1: the protocol limits the voltage to 2.5 V to 4.3 V" in complaint
    assert "the bench file to -1.5 V to 1.5 V: no value is within both" in complaint
    assert rig("check", protocol, "--bench", "sim", "--channel", "C1").code == 0


@pytest.mark.parametrize("kind", ["missing", "folder", "binary", "empty"])
def test_a_protocol_that_cannot_be_read_is_named(folder, kind):
    path = folder / "p.yaml"
    if kind == "folder":
        path.mkdir()
    if kind in {"binary", "empty"}:
        path.write_bytes(b"\xff\xfe" if kind == "binary" else b"")
    assert str(path) in refused("check", path)


def test_the_schema_is_json_and_knows_protocols_only():
    assert "properties" in rig("schema", "protocol").json()
    assert "expected protocol" in refused("schema", "coffee")
