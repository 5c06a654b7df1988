"""A plain PyVISA script, as a lab writes it, against the simulated 2450 over a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pyvisa
from ideal_cell import IdealCell
from pyvisa.resources import MessageBasedResource

from rig.core.clock import RealClock
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.server import serve


@pytest.fixture
def smu() -> Iterator[MessageBasedResource]:
    front = Keithley2450Front("smu-1", IdealCell(volt=3.7, ohm=0.2), seed=5)
    with serve({"smu-1": (front, "tcp")}, RealClock(speed=100.0)) as server:
        manager = pyvisa.ResourceManager("@py")
        resource = manager.open_resource(
            server.addresses["smu-1"], read_termination="\n", write_termination="\n", timeout=5000
        )
        assert isinstance(resource, MessageBasedResource)
        yield resource
        resource.close()
        manager.close()


def test_it_identifies(smu):
    assert smu.query("*IDN?").split(",")[1] == "MODEL 2450"
    assert smu.query("*LANG?") == "SCPI"


def test_it_charges_at_the_limit_and_then_holds_the_voltage(smu):
    for line in (
        "*RST", "OUTP:SMOD HIMP", "SOUR:FUNC VOLT", "SOUR:VOLT:RANG 20", "SOUR:VOLT:ILIM 0.5",
        "SOUR:VOLT 4.2", 'SENS:FUNC "CURR"', "SENS:CURR:RANG 1", "SENS:CURR:RSEN ON", "OUTP ON",
    ):  # fmt: skip
        smu.write(line)
    voltage, current = smu.query_ascii_values('READ? "defbuffer1",SOUR,READ')
    assert (voltage, current) == pytest.approx((3.8, 0.5), rel=1e-3)
    assert smu.query("SOUR:VOLT:ILIM:TRIP?") == "1"
    smu.write("SOUR:VOLT 3.75")
    voltage, current = smu.query_ascii_values('READ? "defbuffer1",SOUR,READ')
    assert (voltage, current) == pytest.approx((3.75, 0.25), rel=1e-3)
    smu.write("OUTP OFF")
    assert smu.query("SYST:ERR?") == '0,"No error;0;0 0"'


def test_a_fast_series_is_read_from_the_buffer(smu):
    smu.write('SENS:FUNC "VOLT";:SOUR:FUNC CURR;:SOUR:CURR:VLIM 10;:OUTP ON')
    smu.write('TRIG:LOAD "SimpleLoop",20,0,"defbuffer1";:INIT;*WAI')
    volts = smu.query_ascii_values('TRAC:DATA? 1,20,"defbuffer1",READ')
    assert volts == pytest.approx([3.7] * 20, rel=1e-4)


def test_a_timeout_is_a_timeout_and_the_next_query_is_answered(smu):
    smu.timeout = 200
    with pytest.raises(pyvisa.VisaIOError, match="VI_ERROR_TMO"):
        smu.query("FOO?")
    smu.timeout = 5000
    assert smu.query("SYST:ERR?").startswith('-113,"Undefined header')
