"""RsNgx 3.1, Rohde & Schwarz's own package for this family, drives the simulated NGU401 and NGM202.

Not judged: ``source.priority.get``, which puts a word behind the question mark that the manual text
above it has for the set command only, ``output.set_state`` and ``read`` on an NGM202, which the sheet
does not have for it, and all that the front leaves out (FastLog, arbitrary sequences, statistics).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ideal_cell import IdealCell
from RsNgx import RsNgx
from RsNgx.Internal.InstrumentErrors import StatusException

from rig.core.clock import RealClock
from simulators.fronts.rohde_schwarz_ng import RohdeSchwarzNgFront
from simulators.interfaces import DriveMode
from simulators.server import serve

CONSTANT_CURRENT, CONSTANT_VOLTAGE = 1, 2


@pytest.fixture
def cell() -> IdealCell:
    return IdealCell(volt=3.7, ohm=0.1)


@pytest.fixture
def other() -> IdealCell:
    return IdealCell(volt=3.2, ohm=0.2)


def driven(front: RohdeSchwarzNgFront) -> Iterator[RsNgx]:
    with serve({"smu-1": (front, "tcp")}, RealClock(speed=100.0)) as server:
        instrument = RsNgx(server.addresses["smu-1"], reset=True, options="SelectVisa=socket")
        yield instrument
        assert instrument.utilities.query_all_errors() is None
        instrument.close()


@pytest.fixture
def smu(cell) -> Iterator[RsNgx]:
    yield from driven(RohdeSchwarzNgFront("smu-1", cell, seed=5))


@pytest.fixture
def supply(cell, other) -> Iterator[RsNgx]:
    front = RohdeSchwarzNgFront("smu-1", cell, seed=5, model="NGM202", cells=(cell, other))
    yield from driven(front)


def set_levels(instrument: RsNgx, volt: float, ampere: float) -> None:
    instrument.source.voltage.level.immediate.set_amplitude(volt)
    instrument.source.current.level.immediate.set_amplitude(ampere)


def condition(instrument: RsNgx) -> int:
    return instrument.status.questionable.instrument.isummary.condition.get()


def test_it_identifies_and_is_off_after_a_reset(smu, cell):
    assert smu.utilities.manufacturer == "Rohde&Schwarz"
    assert smu.utilities.full_instrument_model_name == "NGU401"
    assert not smu.output.get_state()
    assert "smu-1" not in cell.drives


def test_it_charges_with_constant_current_then_constant_voltage(smu, cell):
    smu.source.priority.set("VOLT")
    smu.source.voltage.sense.set_source("EXT")
    set_levels(smu, 4.2, 0.5)
    smu.source.current.negative.level.immediate.set_amplitude(-0.001)
    smu.sense.current.range.set_auto(True)
    smu.sense.nplCycles.set(1.0)
    smu.output.set_state(True)
    reading = smu.read()
    assert (reading.Voltage, reading.Current) == pytest.approx((3.75, 0.5), rel=1e-4)
    assert condition(smu) == CONSTANT_CURRENT
    assert smu.sense.current.range.get_upper() == 1.0
    cell.volt = 4.19
    reading = smu.read()
    assert (reading.Voltage, reading.Current) == pytest.approx((4.2, 0.1), rel=1e-4)
    assert smu.measure.scalar.power.get_value() == pytest.approx(0.42, rel=1e-3)
    assert condition(smu) == CONSTANT_VOLTAGE
    smu.output.set_state(False)
    assert not smu.output.get_state()
    assert cell.drives["smu-1"].mode is DriveMode.OPEN


def test_it_discharges_through_the_negative_limit_and_counts_the_energy(smu, cell):
    set_levels(smu, 3.0, 0.001)
    smu.source.current.negative.level.immediate.set_amplitude(-0.5)
    smu.measure.scalar.energy.set_state(True)
    smu.output.set_state(True)
    assert smu.measure.scalar.current.dc.get_value() == pytest.approx(-0.5, rel=1e-4)
    assert smu.measure.scalar.voltage.dc.get_value() == pytest.approx(3.65, rel=1e-4)
    smu.output.set_state(False)
    joule = 3600.0 * smu.measure.scalar.energy.get_value()
    assert joule == pytest.approx(3.65 * cell.charge_coulomb, abs=0.01)
    assert cell.charge_coulomb < 0.0
    assert cell.drives["smu-1"].mode is DriveMode.OPEN


def test_current_priority_holds_the_current(smu, cell):
    smu.source.priority.set("CURR")
    set_levels(smu, 4.2, 0.2)
    smu.source.voltage.negative.level.immediate.set_amplitude(0.0)
    smu.output.set_state(True)
    reading = smu.read()
    assert (reading.Voltage, reading.Current) == pytest.approx((3.72, 0.2), rel=1e-4)
    smu.output.set_state(False)
    assert cell.drives["smu-1"].mode is DriveMode.OPEN


def test_settings_read_back_as_they_were_set(smu):
    smu.source.voltage.protection.set_level(4.4)
    smu.source.current.protection.delay.set_initial(0.5)
    smu.sense.current.range.set_upper(0.1)
    smu.output.mode.set_value("SINK")
    assert smu.source.voltage.protection.get_level() == 4.4
    assert smu.fuse.delay.get_initial() == 0.5
    assert smu.sense.current.range.get_upper() == 0.1
    assert smu.sense.current.range.get_auto() is False
    assert smu.output.mode.get_value() == "SINK"


def test_the_overvoltage_protection_opens_the_output_and_latches(smu, cell):
    set_levels(smu, 4.2, 0.5)
    smu.source.voltage.protection.set_level(3.72)
    smu.source.voltage.protection.set_state(True)
    smu.output.set_state(True)
    assert not smu.output.get_state()
    assert smu.source.voltage.protection.get_tripped()
    assert cell.drives["smu-1"].mode is DriveMode.OPEN
    smu.source.voltage.protection.clear()
    assert not smu.source.voltage.protection.get_tripped()


def test_the_fuse_opens_the_output(smu, cell):
    set_levels(smu, 4.2, 0.5)
    smu.fuse.delay.set_initial(0.0)
    smu.fuse.set_state(True)
    smu.output.set_state(True)
    assert smu.fuse.tripped.get_value()
    assert cell.drives["smu-1"].mode is DriveMode.OPEN


def test_it_sees_a_level_beyond_the_safety_limits_refused(smu):
    limits = smu.source.voltage.level.immediate.alimit
    limits.upper.set(4.3)
    limits.lower.set(2.5)
    smu.source.current.level.immediate.alimit.upper.set(2.0)
    smu.source.alimit.set_state(True)
    assert (limits.upper.get(), limits.lower.get()) == (4.3, 2.5)
    set_levels(smu, 4.2, 0.5)
    with pytest.raises(StatusException, match="-222"):
        smu.source.voltage.level.immediate.set_amplitude(4.4)
    assert smu.source.voltage.level.immediate.get_amplitude() == 4.2


def test_its_apply_sends_a_switch_where_its_own_manual_text_wants_an_output(smu):
    """The third parameter is ``OUT1``, ``OUT2``, ... and RsNgx sends ``1``: the package is wrong."""
    with pytest.raises(StatusException, match="-108"):
        smu.apply.set(4.2, 0.5, True)
    assert smu.source.voltage.level.immediate.get_amplitude() == 0.0


def test_two_outputs_on_two_cells(supply, cell, other):
    for channel, volt, ampere in ((1, 4.2, 0.5), (2, 3.0, 0.4)):
        supply.instrument.select.set(channel)
        set_levels(supply, volt, ampere)
        supply.output.set_select(True)
    assert "smu-1/1" not in cell.drives
    supply.output.general.set_state(True)
    supply.set_persistent_channel(1)
    assert supply.measure.scalar.voltage.dc.get_value() == pytest.approx(3.75, rel=1e-4)
    assert supply.measure.scalar.current.dc.get_value() == pytest.approx(0.5, rel=1e-4)
    supply.set_persistent_channel(2)
    assert supply.measure.scalar.voltage.dc.get_value() == pytest.approx(3.12, rel=1e-4)
    assert supply.measure.scalar.current.dc.get_value() == pytest.approx(-0.4, rel=1e-4)
    supply.output.general.set_state(False)
    assert not supply.output.general.get_state()
    assert cell.drives["smu-1/1"].mode is DriveMode.OPEN
    assert other.drives["smu-1/2"].mode is DriveMode.OPEN
