"""The switchboard between one instrument and many cells."""

from __future__ import annotations

import math

import pytest

from simulators.interfaces import OPEN, Drive, DriveMode, Terminals
from simulators.models.cell import CircuitCell
from simulators.models.dummy import Dummy
from simulators.models.switchboard import OPEN_CIRCUIT_OHM, Switchboard


@pytest.fixture
def cells(make_cell) -> dict[str, CircuitCell]:
    return {"101": make_cell(Dummy(10.0)), "102": make_cell(Dummy(20.0))}


@pytest.fixture
def board(cells) -> Switchboard:
    return Switchboard(cells)


CURRENT = Drive(DriveMode.CURRENT, 0.1, 5.0)


def test_without_a_path_an_instrument_sees_an_open_circuit(board):
    assert board.impedance(1000.0, 0.0) == OPEN_CIRCUIT_OHM
    assert board.terminals(0.0) == Terminals(0.0, 0.0, False)
    board.drive("smu", CURRENT, 0.0)
    assert board.terminals(0.0) == Terminals(5.0, 0.0, True)
    board.drive("smu", Drive(DriveMode.VOLTAGE, 3.0, 0.1), 0.0)
    assert board.terminals(0.0) == Terminals(3.0, 0.0, False)
    assert board.truth() == {}


def test_an_instrument_sees_the_cell_whose_path_is_closed(board, cells):
    board.close("102", 0.0)
    assert board.impedance(1000.0, 0.0) == pytest.approx(20.0)
    assert board.truth() == cells["102"].truth()
    board.open("102", 1.0)
    board.close("101", 1.0)
    assert board.impedance(1000.0, 1.0) == pytest.approx(10.0)
    assert board.conflicts == 0


def test_a_drive_goes_with_the_path_and_leaves_no_cell_behind(board, cells):
    board.drive("smu", CURRENT, 0.0)
    board.close("101", 0.0)
    assert board.terminals(1.0).voltage_volt == pytest.approx(1.0)
    board.open_all(2.0)
    board.close("102", 2.0)
    assert cells["101"].terminals(3.0).current_ampere == 0.0
    assert cells["102"].terminals(3.0).voltage_volt == pytest.approx(2.0)
    board.drive("smu", OPEN, 4.0)
    assert cells["102"].terminals(5.0).current_ampere == 0.0


def test_two_closed_paths_are_counted_as_a_short_and_the_newest_is_seen(board, cells):
    board.drive("smu", CURRENT, 0.0)
    board.close("101", 0.0)
    board.close("102", 0.0)
    assert board.conflicts == 1
    assert board.closed == ("101", "102")
    assert board.impedance(1000.0, 0.0) == pytest.approx(20.0)
    board.open("102", 1.0)
    assert board.terminals(2.0).voltage_volt == pytest.approx(1.0)
    assert [cell.conflicts for cell in cells.values()] == [0, 0]


def test_closing_a_closed_path_is_no_conflict(board):
    board.close("101", 0.0)
    board.close("101", 1.0)
    assert board.conflicts == 0


def test_after_a_mains_failure_every_path_is_open_and_conflicts_are_remembered(board):
    board.drive("smu", CURRENT, 0.0)
    board.close("101", 0.0)
    board.close("102", 0.0)
    state = board.state()
    board.restore(state)
    assert board.closed == ()
    assert board.conflicts == 1
    assert board.terminals(0.0).current_ampere == 0.0
    assert math.isfinite(abs(board.impedance(1.0, 0.0)))
