"""Faults: what a specification means, and what each kind does to a link and to an instrument."""

from __future__ import annotations

import pytest
from ideal_cell import IdealAir, IdealCell
from steady_load import SteadyLoad

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkClosed, LinkTimeout
from simulators.faults import KINDS, Fault, FaultyFront, FaultyLink, parse_fault
from simulators.fronts.espec_p300 import EspecP300Front
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.fronts.load_cell import LoadCellFront
from simulators.interfaces import DriveMode
from simulators.link import InMemoryLink


def smu(clock: SimulatedClock) -> Keithley2450Front:
    return Keithley2450Front("smu-1", IdealCell(), seed=1)


def faulty_link(spec: str) -> tuple[FaultyLink, SimulatedClock]:
    clock = SimulatedClock()
    return FaultyLink(InMemoryLink(smu(clock), clock, "smu-1"), parse_fault(spec), clock), clock


def faulty_instrument(spec: str) -> tuple[InMemoryLink, SimulatedClock]:
    clock = SimulatedClock()
    return InMemoryLink(FaultyFront(smu(clock), parse_fault(spec)), clock, "smu-1"), clock


def ask(link, message: bytes = b"*LANG?") -> bytes:
    link.write(message + b"\n")
    return link.read_until(b"\n", 3.0)


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("smu-1:drop@100", Fault("smu-1", "drop", 100)),
        ("pstat-1:mute@20+", Fault("pstat-1", "mute", 20, lasting=True)),
        ("chamber-1:alarm=46@5", Fault("chamber-1", "alarm", 5, value=46)),
        ("daq-1:open=101@5", Fault("daq-1", "open", 5, value=101)),
    ],
)
def test_a_specification_names_instrument_kind_and_operation(spec, fault):
    assert parse_fault(spec) == fault


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("smu-1", "expected NAME:KIND"),
        ("smu-1:drop", "expected NAME:KIND"),
        ("smu-1:drop@-3", "expected NAME:KIND"),
        ("smu-1:dorp@3", "did you mean 'drop'"),
        ("smu-1:drop@0", "count from 1"),
        ("smu-1:drop=5@3", "takes no code"),
        ("chamber-1:alarm@3", "needs its code"),
        ("chamber-1:alarm=x@3", "needs its code"),
    ],
)
def test_a_wrong_specification_is_refused_with_an_example(spec, said):
    with pytest.raises(BadInput, match="example") as refused:
        parse_fault(spec)
    assert said in str(refused.value)


def test_all_problems_of_a_specification_come_in_one_go():
    with pytest.raises(BadInput) as refused:
        parse_fault("smu-1:explode@0")
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("operation", [1, 2, 3, 4])
def test_a_pulled_cable_fails_at_its_operation_only_and_then_works_again(operation):
    link, _ = faulty_link(f"smu-1:drop@{operation}")
    failed = 0
    for _ in range(3):
        try:
            ask(link)
        except LinkClosed:
            failed += 1
    assert failed == 1


def test_a_lasting_fault_stays():
    link, _ = faulty_link("smu-1:drop@3+")
    assert ask(link) == b"SCPI"
    for _ in range(2):
        with pytest.raises(LinkClosed, match="smu-1"):
            link.write(b"*LANG?\n")


@pytest.mark.parametrize(("kind", "received"), [("mute", b""), ("half", b"SC"), ("late", b"")])
def test_a_reply_that_is_lost_costs_the_whole_timeout(kind, received):
    link, clock = faulty_link(f"smu-1:{kind}@2")
    with pytest.raises(LinkTimeout) as silence:
        ask(link)
    assert silence.value.received == received
    assert clock.now() == pytest.approx(3.0)


def test_a_late_reply_meets_the_next_question():
    link, _ = faulty_link("smu-1:late@2")
    with pytest.raises(LinkTimeout):
        ask(link)
    assert ask(link, b":OUTP?") == b"SCPI"
    assert link.read_until(b"\n", 1.0) == b"0"


def test_a_damaged_reply_has_its_length_and_none_of_its_bytes():
    link, _ = faulty_link("smu-1:garble@2")
    damaged = ask(link)
    assert len(damaged) == 4
    assert not set(damaged) & set(b"SCPI")
    assert ask(link) == b"SCPI"


@pytest.mark.parametrize("kind", ["mute", "half", "garble"])
def test_a_damaged_command_does_not_get_its_answer(kind):
    link, _ = faulty_link(f"smu-1:{kind}@1")
    with pytest.raises(LinkTimeout):
        ask(link)


def test_a_link_cannot_have_an_instruments_fault():
    with pytest.raises(BadInput, match="interlock"):
        faulty_link("smu-1:interlock@1")


@pytest.mark.parametrize("kind", ["mute", "half", "late"])
def test_an_instrument_that_does_not_answer_in_full_is_a_timeout(kind):
    link, _ = faulty_instrument(f"smu-1:{kind}@2")
    assert ask(link) == b"SCPI"
    with pytest.raises(LinkTimeout):
        ask(link)


def test_an_instrument_that_hangs_up_closes_the_link():
    link, _ = faulty_instrument("smu-1:drop@2")
    ask(link)
    with pytest.raises(LinkClosed):
        ask(link)


def test_an_instrument_that_garbles_recovers():
    link, _ = faulty_instrument("smu-1:garble@1")
    assert ask(link) != b"SCPI"
    assert ask(link) == b"SCPI"


@pytest.mark.parametrize("kind", ["interlock", "overtemperature"])
def test_a_source_meters_own_fault_opens_its_relay(kind):
    clock = SimulatedClock()
    cell = IdealCell()
    front = Keithley2450Front("smu-1", cell, seed=1)
    link = InMemoryLink(FaultyFront(front, parse_fault(f"smu-1:{kind}@2")), clock, "smu-1")
    link.write(b":OUTP ON\n")
    assert cell.drives["smu-1"].mode is DriveMode.VOLTAGE
    assert ask(link, b":OUTP?") == b"0"
    assert cell.drives["smu-1"].mode is DriveMode.OPEN


def test_a_chambers_alarm_appears_with_its_code():
    clock = SimulatedClock()
    front = FaultyFront(EspecP300Front("c", IdealAir(), seed=1), parse_fault("c:alarm=46@1"))
    link = InMemoryLink(front, clock, "c")
    link.write(b"ALARM?\r\n")
    assert link.read_until(b"\r\n", 1.0) == b"1,46"


def test_every_kind_says_what_it_means():
    assert all(kind.meaning for kind in KINDS.values())


# --- a stream, which nobody asks -------------------------------------------------------------------


def faulty_stream(spec: str) -> InMemoryLink:
    """A load cell whose faults count the packets that it sends: the tail, the boot text, then lines."""
    board = LoadCellFront("load-1", SteadyLoad(), area_square_metre=1e-4, seed=1, noise=False)
    return InMemoryLink(FaultyFront(board, parse_fault(spec)), SimulatedClock(), "load-1")


def lines(link: InMemoryLink, count: int) -> list[bytes]:
    return [link.read_until(b"\r\n", 3.0) for _ in range(count)]


def test_a_stream_can_fall_silent_for_good_or_lose_a_packet():
    silent = faulty_stream("load-1:mute@4+")
    assert lines(silent, 4)[3] == b"108000"
    with pytest.raises(LinkTimeout):
        silent.read_until(b"\r\n", 60.0)
    assert lines(faulty_stream("load-1:late@4"), 5)[4] == b"108000"


def test_a_stream_can_be_damaged_and_cut():
    assert lines(faulty_stream("load-1:garble@4"), 5)[4] != b"108000"
    cut = faulty_stream("load-1:drop@4+")
    with pytest.raises(LinkClosed):
        lines(cut, 9)


def test_a_fault_of_the_board_itself_happens_at_its_packet():
    assert lines(faulty_stream("load-1:saturate@4"), 6)[5] == b"8388607"
