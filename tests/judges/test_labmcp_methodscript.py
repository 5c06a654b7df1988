"""labmcp-palmsens 0.1, written by others from the manuals, drives the simulated MethodSCRIPT devices.

Its driver, without the server around it, over a real pseudo terminal. It is imported where it is used:
with the server's own packages it takes as long as a sixth of all other imports of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from ideal_cell import IdealCell

from rig.core.clock import RealClock
from simulators.fronts.methodscript import MethodScriptFront
from simulators.interfaces import OPEN, DriveMode
from simulators.server import serve

if TYPE_CHECKING:
    from labmcp_palmsens import driver as palmsens

MODELS = {
    "espico": "EmStat Pico", "es4_lr": "EmStat4 LR", "es4_hr": "EmStat4 HR", "nexus1": "Nexus",
}  # fmt: skip
VOLT, OHM = 0.3, 1000.0
SPECTRUM = [
    "var f", "var r", "var j", "set_pgstat_chan 0", "set_pgstat_mode 3", "set_max_bandwidth 200k",
    "set_range_minmax da 300m 300m", "set_range ba 1m", "set_e 300m", "cell_on",
    "meas_loop_eis f r j 10m 10k 100 5 300m",
    "pck_start", "pck_add f", "pck_add r", "pck_add j", "pck_end", "endloop",
    "on_finished:", "cell_off",
]  # fmt: skip


@pytest.fixture
def cell() -> IdealCell:
    return IdealCell(VOLT, OHM)


@pytest.fixture(params=MODELS)
def model(request) -> str:
    return request.param


@pytest.fixture
def device(cell, model) -> Iterator[palmsens.MethodScriptDevice]:
    import labmcp
    from labmcp_palmsens.driver import MethodScriptDevice

    front = MethodScriptFront("pstat-1", cell, model=model, seed=5, noise=False)
    with serve({"pstat-1": (front, "pty")}, RealClock(speed=100.0)) as server:
        transport = labmcp.open_transport(server.addresses["pstat-1"], baudrate=230400)
        instrument = MethodScriptDevice(transport)
        instrument.identify()
        yield instrument
        instrument.close()
    assert cell.drives.get("pstat-1", OPEN).mode is DriveMode.OPEN


def script(device: palmsens.MethodScriptDevice, loop: str, *, timed: bool = False) -> list[str]:
    """Let the package write a whole script around its measurement loop."""
    from labmcp_palmsens import driver as palmsens

    return palmsens.build_script(
        loop,
        begin_potential_v=VOLT,
        e_min=0.0,
        e_max=0.5,
        pgstat_mode=palmsens.select_pgstat_mode(device.device_type, 0.0, 0.5, 60.0),
        bandwidth_hz=60.0,
        current_range_a=1e-3,
        autorange=False,
        equilibration_s=0.1,
        with_timer=timed,
    )


def columns(result: palmsens.ScriptResult) -> dict[str, list[float]]:
    """Return a result's values by the type of their variable."""
    assert (result.error, result.malformed) == (None, [])
    return {
        first.type: [variables[index].value for _, variables in result.packets]
        for index, first in enumerate(result.packets[0][1])
    }


def test_it_identifies(device, model):
    assert device.info["model"] == MODELS[model]
    assert device.info["serial"] == "NEX1SIM0001"


def test_it_holds_a_voltage(device):
    result = device.execute(script(device, "meas_loop_ca p c 500m 100m 1", timed=True), 10.0)
    read = columns(result)
    assert read["eb"] == pytest.approx([0.1 * (index + 1) for index in range(10)])
    assert read["da"] == pytest.approx([0.5] * 10)
    assert read["ba"] == pytest.approx([0.2e-3] * 10, rel=1e-4)


def test_it_sweeps_and_counts_the_scans(device):
    result = device.execute(script(device, "meas_loop_cv p c 0 500m 0 100m 1 nscans(2)"), 10.0)
    read = columns(result)
    assert max(read["da"]) == pytest.approx(0.5)
    assert read["ba"] == pytest.approx([(volt - VOLT) / OHM for volt in read["da"]], abs=1e-7)
    assert [scan for scan, _ in result.packets] == [0] * 11 + [1] * 11


def test_it_takes_a_spectrum(device):
    read = columns(device.execute(SPECTRUM, 10.0))
    assert read["dc"] == pytest.approx([1e4, 3162.28, 1e3, 316.228, 1e2], rel=1e-4)
    assert read["cc"] == pytest.approx([OHM] * 5, rel=0.02)
    assert read["cd"] == pytest.approx([0.0] * 5, abs=0.02 * OHM)


def test_it_aborts_a_script_that_takes_too_long_and_the_cell_is_off(device, cell):
    result = device.execute(script(device, "meas_loop_ca p c 500m 1 10000"), 0.2)
    assert (result.timed_out, result.aborted, result.error) == (True, True, None)
    assert cell.drives["pstat-1"].mode is DriveMode.OPEN


def test_it_sees_a_script_refused_and_an_idle_abort(device):
    import labmcp

    with pytest.raises(labmcp.InstrumentProtocolError, match=r"line 2, column 1 .* 0x4001"):
        device.execute(["cell_off", "fantasy"], 2.0)
    assert device.abort() == {"was_running": False, "stopped": True, "note": "cell switched off"}


def test_it_switches_the_cell_off_after_an_error_at_run_time(device, cell):
    result = device.execute(["var p", "set_pgstat_mode 2", "set_e 0", "cell_on", "set_e 11"], 2.0)
    assert "0x000F at script line 5" in result.error
    assert result.cell_off_sent
    assert cell.drives["pstat-1"].mode is DriveMode.OPEN
