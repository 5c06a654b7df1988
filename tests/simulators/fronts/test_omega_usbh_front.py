"""The simulated pressure transducer against its reference: the transcript, and its 20 ms."""

from __future__ import annotations

import pytest
from steady_load import SteadyLoad

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput
from simulators.fronts.omega_usbh import OmegaUsbhFront
from simulators.link import InMemoryLink


class Desk:
    """A transducer with somebody who types slowly, or not."""

    def __init__(self, pascal: float = 0.0, **choices: str) -> None:
        self.clock = SimulatedClock()
        self.load = SteadyLoad(pascal)
        self.front = OmegaUsbhFront("press-1", self.load, seed=42, noise=False, **choices)
        self.link = InMemoryLink(self.front, self.clock, "press-1")

    def ask(self, line: str, *, after_second: float = 0.02) -> bytes:
        self.clock.wait_until(self.clock.now() + after_second)
        self.link.write(line.encode() + b"\r\n")
        return self.link.read_until(b">", 1.0)


def test_the_transcript():
    assert Desk(reference="absolute").ask("P") == b"101.33 kPa A\r\n"


def test_serial_number_and_range_which_stands_on_the_third_line():
    desk = Desk()
    assert desk.ask("SNR") == b"serial = 000042\r\n"
    assert desk.ask("ENQ").split(b"\r\n")[2] == b"0.00 to 10000.00 kPa G"


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("kPa", b"5000.00 kPa G"),
        ("MPa", b"5.00000 MPa G"),
        ("bar", b"50.0000 bar G"),
        ("psi", b"725.189 psi G"),
    ],
)
def test_its_units(unit, shown):
    assert Desk(5e6, unit=unit).ask("P") == shown + b"\r\n"


def test_who_asks_too_soon_gets_a_damaged_unit():
    desk = Desk(1e6)
    desk.ask("P")
    assert desk.ask("P", after_second=0.0) == b"1000.00 kP G\r\n"
    assert desk.ask("P") == b"1000.00 kPa G\r\n"


def test_beyond_its_range_it_stays_at_the_end():
    assert Desk(50e6).ask("P") == b"11000.00 kPa G\r\n"


def test_what_it_does_not_know_gets_the_prompt_alone():
    assert Desk().ask("HELP") == b""


def test_it_drifts_and_knows_no_other_fault():
    desk = Desk(1e6)
    desk.front.inject("drift", -5, 0.0)
    desk.clock.wait_until(7200.0)
    assert desk.ask("P") == b"900.00 kPa G\r\n"
    with pytest.raises(BadInput, match="has no fault"):
        desk.front.inject("stall", None, 0.0)


def test_choices_that_it_has_not_are_refused_together():
    with pytest.raises(BadInput) as caught:
        Desk(reference="vacuum", unit="torr")
    assert len(caught.value.problems) == 2
