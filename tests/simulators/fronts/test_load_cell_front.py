"""The simulated load cell against its reference: boot, lines, tare, saturation, a port nobody reads."""

from __future__ import annotations

import pytest
from steady_load import SteadyLoad

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput
from simulators.fronts.load_cell import LoadCellFront
from simulators.link import InMemoryLink


class Desk:
    """A board under 100 N, with somebody who listens."""

    def __init__(self, *, line_format: str = "raw", noise: bool = False) -> None:
        self.clock = SimulatedClock()
        self.load = SteadyLoad(1e6)
        self.front = LoadCellFront(
            "load-1",
            self.load,
            area_square_metre=1e-4,
            seed=9,
            line_format=line_format,
            noise=noise,
        )
        self.link = InMemoryLink(self.front, self.clock, "load-1")

    def line(self) -> bytes:
        return self.link.read_until(b"\r\n", 3.0)

    def lines(self, count: int) -> list[bytes]:
        return [self.line() for _ in range(count)]

    def booted(self) -> Desk:
        self.lines(3)
        return self


def test_opening_gives_the_tail_of_a_line_then_boot_text_then_lines_after_two_seconds():
    desk = Desk()
    assert desk.lines(4) == [b"417", b"HX711 load cell", b"ready", b"108000"]
    assert desk.clock.now() == pytest.approx(2.0)
    desk.lines(10)
    assert desk.clock.now() == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("line_format", "shown"),
    [
        ("raw", b"108000"),
        ("raw_and_gram", b"108000\t10197.2"),
        ("sentence", b"Reading: 10197.16 g"),
    ],
)
def test_its_line_formats(line_format, shown):
    assert Desk(line_format=line_format).booted().line() == shown


def test_tare_sets_the_gram_to_zero_and_leaves_the_converter_alone():
    desk = Desk(line_format="raw_and_gram").booted()
    desk.link.write(b"tare\n")
    assert desk.line() == b"108000\t0.0"


def test_a_port_that_nobody_reads_keeps_the_oldest_and_loses_the_rest():
    desk = Desk().booted()
    desk.load.pascal = 1e6
    desk.clock.wait_until(3600.0)
    kept = desk.link.read_exactly(4096, 0.0)
    assert kept.startswith(b"108000\r\n")
    desk.load.pascal = 0.0
    assert desk.lines(2)[1] == b"8000"


def test_a_converter_at_its_end_and_beyond():
    desk = Desk().booted()
    desk.front.inject("saturate", None, desk.clock.now())
    assert desk.line() == b"8388607"
    desk.front.inject("saturate", 0, desk.clock.now())
    desk.load.pascal = 1e12
    assert desk.line() == b"8388607"


def test_it_drifts_and_knows_no_other_fault():
    desk = Desk().booted()
    desk.front.inject("drift", 10, 0.0)
    desk.clock.wait_until(3600.0)
    desk.link.read_exactly(4096, 0.0)
    assert int(desk.lines(2)[1]) == pytest.approx(118_000, abs=2)
    with pytest.raises(BadInput, match="has no fault"):
        desk.front.inject("alarm", 1, 0.0)


def test_opening_the_port_again_starts_the_board_anew():
    desk = Desk().booted()
    desk.lines(5)
    desk.link.close()
    desk.clock.wait_until(60.0)
    desk.link = InMemoryLink(desk.front, desk.clock, "load-1")
    assert desk.lines(2) == [b"417", b"HX711 load cell"]


def test_noise_repeats_with_the_seed():
    one, same = (Desk(noise=True).booted().lines(3) for _ in range(2))
    assert one == same
    assert len(set(one)) > 1
