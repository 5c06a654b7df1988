"""PyMeasure's KeithleyDAQ6510, written by others, drives the simulated DAQ6510.

Of its own commands the reference sheet has the scan's start and end and the error queue; what scans
is set up with the sheet's words through PyMeasure's own link and parsers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from ideal_cell import IdealCell

from rig.core.clock import RealClock
from simulators.fronts.keithley_daq6510 import KeithleyDaq6510Front
from simulators.models.probes import OnCell
from simulators.server import serve

if TYPE_CHECKING:
    from pymeasure.instruments.keithley import KeithleyDAQ6510


@pytest.fixture
def scanner() -> Iterator[KeithleyDAQ6510]:
    from pymeasure.instruments.keithley import KeithleyDAQ6510  # slow, and used here alone

    front = KeithleyDaq6510Front("daq-1", {"101": OnCell(IdealCell())}, seed=5, noise=False)
    with serve({"daq-1": (front, "tcp")}, RealClock(speed=20.0)) as server:
        instrument = KeithleyDAQ6510(
            server.addresses["daq-1"],
            visa_library="@py",
            read_termination="\n",
            write_termination="\n",
            timeout=5000,
        )
        yield instrument
        instrument.adapter.close()
        instrument.adapter.manager.close()


def test_it_identifies(scanner):
    assert "MODEL DAQ6510" in scanner.id


def test_it_scans_and_reads_the_buffer(scanner):
    scanner.reset()
    scanner.write(':SENS:FUNC "TEMP",(@101)')
    scanner.write(":ROUT:SCAN:CRE (@101:102)")
    scanner.write(":ROUT:SCAN:COUN:SCAN 1")
    scanner.start_buffer()
    while scanner.values(":TRAC:ACT?") != [2.0]:
        assert scanner.check_errors() == []
    rows = scanner.values(':TRAC:DATA? 1,2,"defbuffer1",CHAN,READ')
    assert rows == [101.0, 25.0, 102.0, pytest.approx(0.0)]
    scanner.stop_buffer()
    assert scanner.check_errors() == []


def test_it_sees_what_is_refused(scanner):
    scanner.start_buffer()  # no scan list
    (error,) = scanner.check_errors()
    assert int(error[0]) == -221
