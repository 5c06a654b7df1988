"""The relay scanner against SCPI-1999's ROUTe subsystem."""

from __future__ import annotations

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.scpi_matrix import ScpiMatrixFront
from simulators.link import InMemoryLink
from simulators.models.switchboard import Switchboard


class Desk:
    """A scanner with three cells, with somebody who types."""

    def __init__(self) -> None:
        self.board = Switchboard({str(path): IdealCell(ohm=path) for path in (101, 102, 103)})
        self.clock = SimulatedClock()
        self.front = ScpiMatrixFront("mux-1", self.board, seed=7)
        self.link = InMemoryLink(self.front, self.clock, "mux-1")

    def send(self, *messages: str) -> None:
        for message in messages:
            self.link.write(message.encode() + b"\n")

    def ask(self, message: str) -> str:
        self.send(message)
        return self.link.read_until(b"\n", 3.0).decode()

    def error_code(self) -> int:
        return int(self.ask("SYST:ERR?").split(",")[0])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_starts_with_every_path_open(desk):
    assert desk.ask("ROUT:CLOS? (@101:103)") == "0,0,0"
    assert desk.ask("SYST:ERR?") == '0,"No error"'


def test_a_closed_path_connects_its_cell(desk):
    desk.send("ROUT:CLOS (@102)")
    assert desk.ask("ROUT:CLOS? (@101,102,103)") == "0,1,0"
    assert desk.ask("ROUT:OPEN? (@101,102,103)") == "1,0,1"
    assert desk.board.impedance(1000.0, desk.clock.now()) == pytest.approx(102.0)


def test_a_relay_takes_its_time_and_the_next_query_waits_for_it(desk):
    desk.send("ROUT:CLOS (@101)")
    assert desk.ask("*OPC?") == "1"
    assert desk.clock.now() == pytest.approx(0.03)


def test_closing_opens_no_other_path_and_the_short_is_counted(desk):
    desk.send("ROUT:CLOS (@101)", "ROUT:CLOS (@102)")
    assert desk.ask("ROUT:CLOS? (@101:103)") == "1,1,0"
    assert desk.board.conflicts == 1


@pytest.mark.parametrize("message", ["ROUT:OPEN:ALL", "*RST", "ROUTe:OPEN (@101:103)"])
def test_paths_open_again(desk, message):
    desk.send("ROUT:CLOS (@103)", message)
    assert desk.ask("ROUT:CLOS? (@101:103)") == "0,0,0"
    assert desk.board.closed == ()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("ROUT:CLOS (@104)", -222),
        ("ROUT:CLOS (@101,104)", -222),
        ("ROUT:CLOS (@103:101)", -222),
        ("ROUT:CLOS 101", -171),
        ("ROUT:CLOS (@1x1)", -171),
        ("ROUT:CLOS", -109),
        ("ROUT:SHUT (@101)", -113),
    ],
)
def test_a_refused_command_moves_no_relay(desk, message, code):
    desk.send(message)
    assert desk.error_code() == code
    assert desk.board.closed == ()


def test_a_refused_query_gets_no_answer(desk):
    with pytest.raises(LinkTimeout):
        desk.ask("ROUT:CLOS? (@104)")


def test_relays_stay_when_the_link_goes_and_fall_open_when_the_mains_do(desk):
    desk.send("ROUT:CLOS (@101)")
    desk.clock.wait_until(1.0)
    desk.front.disconnected(1.0)
    assert desk.board.closed == ("101",)
    desk.front.power_cycle(2.0)
    assert desk.board.closed == ()


def test_another_model_is_refused():
    with pytest.raises(BadInput, match="model"):
        ScpiMatrixFront("mux-1", Switchboard({}), seed=1, model="3706A")
