"""A MultiEmStat4: one port, one script at a time, several cells by channel number."""

from __future__ import annotations

import pytest
from methodscript_bench import CHARGE, IdealCell, ask, execute, fields, front, lines

from rig.core.errors import BadInput
from simulators.fronts.methodscript import MethodScriptFront
from simulators.interfaces import OPEN, Drive, DriveMode

CELLS = 3


def bench(model: str = "mes4hr") -> tuple[MethodScriptFront, list[IdealCell]]:
    cells = [IdealCell(volt=3.0 + channel) for channel in range(CELLS)]
    return front(cells[0], model=model, cells=cells), cells


def test_a_script_drives_the_cell_of_its_channel_and_no_other() -> None:
    instrument, cells = bench()
    ask(instrument, execute(CHARGE.replace("set_pgstat_chan 0", "set_pgstat_chan 2")), 0.0)
    assert cells[2].driven == Drive(DriveMode.CURRENT, 0.1, 6.0)
    assert fields(lines(instrument, 1.0)[0])[1].value == pytest.approx(5.1)
    assert cells[0].driven is OPEN
    assert cells[1].driven is OPEN


def test_every_channel_keeps_its_own_mode_and_relay() -> None:
    instrument, cells = bench()
    ask(
        instrument,
        execute("""set_pgstat_chan 1
            set_pgstat_mode 2
            set_e 4
            cell_on
            set_pgstat_chan 2
            set_pgstat_mode 6
            set_i 0
            cell_on"""),
        0.0,
    )
    modes = [cell.driven.mode for cell in cells]
    assert modes == [DriveMode.OPEN, DriveMode.VOLTAGE, DriveMode.CURRENT]
    assert ask(instrument, execute("set_pgstat_chan 1\ncell_off"), 1.0) == ["e", ""]
    modes = [cell.driven.mode for cell in cells]
    assert modes == [DriveMode.OPEN, DriveMode.OPEN, DriveMode.CURRENT]


def test_a_script_begins_at_channel_0_so_cell_off_alone_leaves_the_others_on() -> None:
    instrument, cells = bench()
    ask(instrument, execute("set_pgstat_chan 1\nset_pgstat_mode 2\nset_e 4\ncell_on"), 0.0)
    assert ask(instrument, execute("cell_off"), 1.0) == ["e", ""]
    assert cells[1].driven.mode is DriveMode.VOLTAGE


def test_an_abort_switches_the_channel_off_that_the_script_selected() -> None:
    instrument, cells = bench()
    ask(instrument, execute(CHARGE.replace("set_pgstat_chan 0", "set_pgstat_chan 1")), 0.0)
    assert ask(instrument, "Z\n", 0.5) == ["Z", "*", ""]
    assert cells[1].driven is OPEN


@pytest.mark.parametrize("channel", ["3", "-1", "500m"])
def test_a_channel_that_is_not_there_ends_the_script(channel: str) -> None:
    instrument, _ = bench()
    assert ask(instrument, execute(f"set_pgstat_chan {channel}"), 0.0)[-1] == "!4003: Line 1"


def test_a_measurement_loop_keeps_its_channel() -> None:
    instrument, _ = bench()
    script = CHARGE.replace("timer_get t", "set_pgstat_chan 1\ntimer_get t", 1)
    ask(instrument, execute(script), 0.0)
    assert lines(instrument, 1.0) == ["!400C: Line 13"]


def test_channels_have_noise_of_their_own() -> None:
    cells = [IdealCell(), IdealCell()]
    instrument = front(cells[0], model="mes4hr", cells=cells, noise=True)
    voltages = []
    for channel in (0, 1):
        body = "var p\nset_pgstat_mode 3\nmeas 100m p ab\npck_start\npck_add p\npck_end"
        ask(instrument, execute(f"set_pgstat_chan {channel}\n{body}"), float(channel))
        voltages.append(fields(lines(instrument, channel + 0.5)[0])[0].value)
    assert voltages[0] != voltages[1]


def test_only_a_multiemstat_takes_several_cells_and_the_first_is_that_of_channel_0() -> None:
    with pytest.raises(BadInput, match="mes4lr, mes4hr"):
        bench("nexus1")
    with pytest.raises(BadInput, match="channel 0"):
        front(IdealCell(), model="mes4hr", cells=[IdealCell(), IdealCell()])
