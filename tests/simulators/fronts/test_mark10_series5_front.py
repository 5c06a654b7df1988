"""The simulated force gauge against its reference: the transcript, and what a simulator must show."""

from __future__ import annotations

import pytest
from steady_load import SteadyLoad

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.mark10_series5 import Mark10Series5Front
from simulators.link import InMemoryLink


class Desk:
    """A gauge under 100 N, with somebody who types."""

    def __init__(self, *, noise: bool = False, compression: str = "positive") -> None:
        self.clock = SimulatedClock()
        self.load = SteadyLoad(1e6)
        self.front = Mark10Series5Front(
            "load-1",
            self.load,
            area_square_metre=1e-4,
            seed=3,
            compression=compression,
            noise=noise,
        )
        self.link = InMemoryLink(self.front, self.clock, "load-1")

    def send(self, line: str) -> None:
        self.link.write(line.encode() + b"\r")

    def ask(self, line: str) -> str:
        self.send(line)
        return self.link.read_until(b"\r\n", 1.0).decode()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_transcript_with_its_status_its_units_and_an_error(desk):
    assert desk.ask("LIST") == "V1.00;LBF;CUR;FLTC8;FLTP1;AOUT00;AOFF5;FULL;MIT;POL;B0"
    assert desk.ask("?") == "22.48 lbF"
    desk.send("N")
    assert desk.ask("?") == "100.00 N"
    desk.load.pascal = 0.0
    assert desk.ask("?") == "0.00 N"
    assert desk.ask("XYZ") == "*10"


@pytest.mark.parametrize(("line", "number"), [("AOFFx", "*12"), ("AOFF", "*12"), ("AOFF99", "*22")])
def test_error_numbers(desk, line, number):
    assert desk.ask(line) == number


def test_it_goes_off_by_itself_unless_told_not_to(desk):
    desk.ask("?")
    desk.clock.wait_until(310.0)
    with pytest.raises(LinkTimeout):
        desk.ask("?")


def test_told_not_to_it_stays_on_for_a_night(desk):
    desk.send("AOFF0")
    desk.clock.wait_until(40_000.0)
    assert desk.ask("?") == "22.48 lbF"
    assert "AOFF0" in desk.ask("LIST")


def test_a_gauge_that_went_off_has_forgotten_its_settings_when_somebody_switched_it_on(desk):
    desk.send("N")
    desk.ask("?")
    desk.clock.wait_until(400.0)
    desk.link.close()
    desk.link = InMemoryLink(desk.front, desk.clock, "load-1")
    assert "LBF" in desk.ask("LIST")


def test_the_sign_can_be_switched_and_peaks_are_kept():
    desk = Desk(compression="negative")
    desk.send("N")
    assert desk.ask("?") == "-100.00 N"
    desk.load.pascal = 5e5
    assert desk.ask("?C") == "-50.00 N"
    assert desk.ask("?PC") == "-100.00 N"
    assert desk.ask("?PT") == "0.00 N"


def test_it_drifts_and_knows_no_other_fault(desk):
    desk.send("N")
    desk.send("AOFF0")
    desk.front.inject("drift", 10, 0.0)
    desk.clock.wait_until(3600.0)
    assert desk.ask("?") == "110.00 N"
    with pytest.raises(BadInput, match="has no fault"):
        desk.front.inject("open", 1, 0.0)


def test_noise_repeats_with_the_seed():
    courses = []
    for desk in (Desk(noise=True), Desk(noise=True)):
        desk.send("N")
        courses.append([desk.ask("?") for _ in range(5)])
    assert courses[0] == courses[1]
    assert len(set(courses[0])) > 1
