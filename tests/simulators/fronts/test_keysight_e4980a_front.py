"""The simulated E4980A against its sheet: transcripts, and "Simulator must show", item by item."""

from __future__ import annotations

import cmath
import math

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.keysight_e4980a import KeysightE4980AFront
from simulators.fronts.keysight_e4980a_quantities import (
    FUNCTIONS,
    OVERFLOW,
    measuring_second,
)
from simulators.link import InMemoryLink
from simulators.models.switchboard import Switchboard

NO_ERROR = '+0,"No error"'
OVERLOADED = "+9.90000E+37,+9.90000E+37,+1"
BUS = (":FUNC:IMP RX", ":APER LONG,1", ":INIT:CONT ON", ":TRIG:SOUR BUS")


class ReactiveCell(IdealCell):
    """An ideal cell whose impedance is what a test says."""

    def __init__(self, volt: float, impedance_ohm: complex) -> None:
        super().__init__(volt, impedance_ohm.real)
        self.impedance_ohm = impedance_ohm

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        return self.impedance_ohm


class Desk:
    """An E4980A on a cell without voltage, with somebody who types."""

    def __init__(self, cell=None, *, noise: bool = False, **options) -> None:
        self.cell = cell or IdealCell(0.0, 50.0)
        self.clock = SimulatedClock()
        self.front = KeysightE4980AFront("lcr-1", self.cell, seed=7, noise=noise, **options)
        self.link = InMemoryLink(self.front, self.clock, "lcr-1")

    def send(self, *messages: str) -> None:
        for message in messages:
            self.link.write(message.encode() + b"\n")

    def ask(self, message: str, timeout_second: float = 30.0) -> str:
        self.send(message)
        return self.link.read_until(b"\n", timeout_second).decode()

    def error_code(self) -> int:
        return int(self.ask(":SYST:ERR?").split(",")[0])

    def measured(self, *messages: str) -> str:
        self.send(*BUS, *messages, ":TRIG:IMM")
        return self.ask(":FETC:IMP:FORM?")


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- transcripts -----------------------------------------------------------------------------------


def test_it_identifies(desk):
    assert desk.ask("*IDN?") == "Keysight Technologies,E4980A,MY46516036,A.02.10"
    assert desk.ask("*OPT?") == "001"
    desk.send("*RST;*CLS", "FORM ASC")
    assert desk.ask(":SYST:ERR?") == NO_ERROR


def test_the_voltage_of_a_cell_behind_a_large_resistance_is_shown_by_vdid():
    desk = Desk(IdealCell(4.0, 100.0))
    desk.send(":BIAS:STAT OFF", ":INIT:CONT ON", ":FUNC:IMP VDID", ":TRIG:SOUR BUS", ":TRIG:IMM")
    assert desk.ask(":FETC:IMP:FORM?") == "+2.00000E+00,-2.00000E-02,+0"


def test_a_host_stepped_spectrum_at_the_cells_own_voltage():
    desk = Desk(ReactiveCell(3.9876, 0.0405 - 0.0053j))
    desk.send(
        ":BIAS:VOLT 3.9876", ":BIAS:STAT ON", ":FUNC:IMP RX", ":FUNC:IMP:RANG:AUTO ON",
        ":CURR 0.01", ":APER LONG,1", ":INIT:CONT ON", ":TRIG:SOUR BUS",
    )  # fmt: skip
    for frequency in (100000, 1000):
        desk.send(f":FREQ {frequency}", ":TRIG:IMM")
        assert desk.ask(":FETC:IMP:FORM?") == "+4.05000E-02,-5.30000E-03,+0"
    assert desk.error_code() == 0


def test_safe_stop_leaves_no_error_and_no_bias():
    desk = Desk(IdealCell(3.7, 1.0))
    desk.send(":BIAS:VOLT 3.7", ":BIAS:STAT ON")
    desk.send(":ABOR", ":TRIG:SOUR HOLD", ":BIAS:STAT OFF", ":VOLT 0.0")
    assert desk.ask(":SYST:ERR?") == NO_ERROR
    assert desk.ask(":BIAS:STAT?;:VOLT?") == "0;+0.00000E+00"


# -- the dc path: what burns cells -----------------------------------------------------------------


def test_a_charged_cell_without_a_dc_block_is_discharged_through_the_meter():
    desk = Desk(IdealCell(3.7, 0.1))
    desk.ask("*IDN?")
    desk.clock.wait_until(3600.0)
    desk.ask("*OPC?")
    assert desk.cell.charge_coulomb == pytest.approx(-3.7 / 100.1 * 3600, rel=0.01)


def test_a_dc_block_keeps_the_charge_in_the_cell():
    desk = Desk(IdealCell(3.7, 0.1), dc_blocked=True)
    assert desk.measured(":BIAS:VOLT 2", ":BIAS:STAT ON").endswith(",+0")
    desk.clock.wait_until(3600.0)
    desk.ask("*OPC?")
    assert desk.cell.charge_coulomb == 0.0


def test_a_bias_at_the_cells_own_voltage_stops_the_discharge():
    desk = Desk(IdealCell(3.7, 0.1))
    desk.send(":BIAS:VOLT 3.7", ":BIAS:STAT ON")
    before = desk.cell.charge_coulomb
    desk.clock.wait_until(3600.0)
    desk.ask("*OPC?")
    assert desk.cell.charge_coulomb == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("ohm", [0.1, 50.0, 300.0, 1e5])
def test_the_current_of_the_dc_path_is_that_of_100_ohm_and_the_cell(ohm):
    desk = Desk(IdealCell(1.0, ohm))
    desk.ask("*IDN?")
    desk.clock.wait_until(60.0)
    desk.ask("*OPC?")
    _, current, _ = desk.cell.terminals(60.0)
    assert current == pytest.approx(-1.0 / (100.0 + ohm), rel=1e-6)


def test_item_8_a_dc_current_above_the_ranges_table_is_an_overload():
    desk = Desk(IdealCell(3.7, 10.0))
    assert desk.measured() == OVERLOADED
    assert desk.ask(":FETC:IMP:CORR?") == "+9.90000E+37,+9.90000E+37"


def test_item_8_isolation_bears_more_dc_current():
    desk = Desk(IdealCell(3.7, 10.0))
    desk.send(":OUTP:DC:ISOL ON")
    assert desk.measured() == "+1.00000E+01,+0.00000E+00,+0"


def test_item_8_the_table_follows_the_range_in_use():
    desk = Desk(IdealCell(0.5, 50.0))
    assert desk.measured().endswith("+0")
    assert desk.measured(":FUNC:IMP:RANG 1000") == OVERLOADED
    assert desk.measured(":FUNC:IMP:RANG:AUTO ON").endswith("+0")


def test_item_9_a_bias_off_the_cells_voltage_is_an_overload():
    desk = Desk(IdealCell(3.7, 0.1))
    assert desk.measured(":BIAS:VOLT 0.5", ":BIAS:STAT ON") == OVERLOADED


def test_item_9_without_option_001_there_are_three_biases():
    desk = Desk(option_001=False)
    desk.send(":BIAS:VOLT 1.5", ":BIAS:VOLT 3.7")
    assert desk.error_code() == -222
    assert desk.ask(":BIAS:VOLT?") == "+1.50000E+00"
    assert desk.ask("*OPT?") == "0"
    for message in (":FUNC:IMP VDID", ":OUTP:DC:ISOL ON"):
        desk.send(message)
        assert desk.error_code() == -241


def test_item_10_the_bias_stays_on_the_cell_when_the_link_goes():
    desk = Desk(IdealCell(3.7, 0.1))
    desk.send(":BIAS:VOLT 4.0", ":BIAS:STAT ON")
    desk.front.disconnected(0.0)
    desk.clock.wait_until(10.0)
    assert desk.ask(":BIAS:STAT?") == "1"
    assert desk.cell.charge_coulomb > 0


# -- power-on, reset, levels -----------------------------------------------------------------------


def test_item_1_power_on(desk):
    assert desk.ask(":BIAS:STAT?;:TRIG:SOUR?;:FUNC:IMP?") == "0;INT;CPD"
    assert desk.ask(":FREQ?;:VOLT?") == "+1.00000E+03;+1.00000E+00"
    assert desk.ask(":APER?;:FUNC:IMP:RANG:AUTO?") == "MED,+1;1"


@pytest.mark.parametrize("function", ["RX", "CPD", "ZTD"])
def test_the_function_tells_itself_by_its_short_name(desk, function):
    desk.send(f":FUNC:IMP {function}")
    assert desk.ask(":FUNC:IMP?") == function


@pytest.mark.parametrize("message", ["*RST", "*SAV 1;*RCL 1"])
def test_item_2_reset_and_recall_take_the_bias_off(message):
    desk = Desk(IdealCell(3.7, 0.1))
    desk.send(":BIAS:VOLT 3.7", ":BIAS:STAT ON", message)
    assert desk.ask(":BIAS:STAT?") == "0"
    desk.clock.wait_until(1.0)
    desk.ask("*OPC?")
    assert desk.cell.charge_coulomb == pytest.approx(-0.037, rel=0.01)


def test_item_3_a_level_is_a_voltage_or_a_current(desk):
    desk.send(":CURR 0.005")
    assert desk.ask(":CURR?") == "+5.00000E-03"
    with pytest.raises(LinkTimeout):
        desk.ask(":VOLT?")
    assert desk.error_code() == -221
    desk.send(":VOLT 0.01")
    assert desk.ask(":VOLT?") == "+1.00000E-02"


@pytest.mark.parametrize(
    ("message", "question", "kept", "code"),
    [
        (":FREQ 1", ":FREQ?", "+1.00000E+03", -222),
        (":FREQ 2.1E6", ":FREQ?", "+1.00000E+03", -222),
        (":VOLT 21", ":VOLT?", "+1.00000E+00", -222),
        (":FUNC:IMP:RANG 5", ":FUNC:IMP:RANG:AUTO?", "1", -222),
        (":FUNC:IMP LSRD", ":FUNC:IMP?", "CPD", -224),
        (":APER LONG,300", ":APER?", "MED,+1", -222),
        (":BIAS:VOLT 41", ":BIAS:VOLT?", "+0.00000E+00", -222),
        (":FORM REAL,64", ":FORM?", "ASC", -108),
        ("*RCL 3", ":FREQ?", "+1.00000E+03", -224),
        (":IMP:FREQ 100", ":FREQ?", "+1.00000E+03", -113),
    ],
)
def test_item_6_what_is_refused_changes_nothing(desk, message, question, kept, code):
    desk.send(message)
    assert desk.error_code() == code
    assert desk.ask(question) == kept


def test_an_al_stops_at_a_lower_frequency():
    desk = Desk(model="E4980AL")
    desk.send(":FREQ 300000", ":FREQ 1000000")
    assert desk.error_code() == -222
    assert desk.ask(":FREQ?") == "+3.00000E+05"


def test_another_model_is_refused():
    with pytest.raises(BadInput, match="4284A"):
        Desk(model="4284A")


# -- trigger and time ------------------------------------------------------------------------------


def test_item_4_a_fetch_waits_for_the_data(desk):
    desk.send(*BUS, ":TRIG:IMM")
    with pytest.raises(LinkTimeout):
        desk.ask(":FETC:IMP:FORM?", timeout_second=0.1)
    assert desk.link.read_until(b"\n", 1.0) == b"+5.00000E+01,+0.00000E+00,+0"
    assert desk.clock.now() == pytest.approx(0.24)


def test_item_4_without_a_trigger_a_fetch_has_no_answer_until_one_comes(desk):
    desk.send(*BUS)
    with pytest.raises(LinkTimeout):
        desk.ask(":FETC:IMP:FORM?")
    desk.send(":TRIG:IMM")
    assert desk.link.read_until(b"\n", 1.0).endswith(b",+0")


def test_another_query_takes_the_place_of_one_that_waits(desk):
    desk.send(*BUS, ":FETC:IMP:FORM?")
    assert desk.ask(":FREQ?") == "+1.00000E+03"
    assert desk.error_code() == -410
    desk.send(":TRIG:IMM")
    with pytest.raises(LinkTimeout):
        desk.link.read_until(b"\n", 30.0)


def test_data_do_not_survive_a_change_of_frequency(desk):
    assert desk.measured().endswith(",+0")
    desk.send(":FREQ 2000")
    with pytest.raises(LinkTimeout):
        desk.ask(":FETC:IMP:FORM?")


def test_an_abort_stops_the_measurement(desk):
    desk.send(*BUS, ":TRIG:IMM", ":ABOR")
    with pytest.raises(LinkTimeout):
        desk.ask(":FETC:IMP:FORM?")


@pytest.mark.parametrize("messages", [(":INIT:CONT OFF", ":TRIG:IMM"), (":TRIG:IMM", ":TRIG:IMM")])
def test_a_trigger_that_nothing_waits_for_is_ignored(desk, messages):
    desk.send(*BUS, *messages)
    assert desk.error_code() == -211


def test_after_reset_triggering_is_not_continuous(desk):
    desk.send("*RST", ":TRIG:SOUR BUS", ":TRIG:IMM")
    assert desk.error_code() == -211
    desk.send(":INIT", "*TRG")
    assert desk.link.read_until(b"\n", 1.0).endswith(b",+0")


def test_internally_triggered_it_measures_again_and_again(desk):
    desk.send(":FUNC:IMP RX")
    assert desk.ask(":FETC?") == "+5.00000E+01,+0.00000E+00,+0"
    assert desk.clock.now() == pytest.approx(0.11)
    desk.cell.ohm = 60.0
    desk.clock.wait_until(0.3)
    assert desk.ask(":FETC?") == "+6.00000E+01,+0.00000E+00,+0"
    assert desk.clock.now() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("hertz", "speed", "averages", "second"),
    [(20, "LONG", 1, 0.48), (1000, "SHOR", 4, 0.08), (2e6, "MED", 1, 0.088), (100, "MED", 2, 0.36)],
)
def test_item_7_the_time_of_a_measurement(hertz, speed, averages, second):
    assert measuring_second(hertz, speed, averages) == pytest.approx(second)


def test_item_7_the_host_waits_for_all_averages(desk):
    desk.measured(":FREQ 100", ":APER LONG,10", ":TRIG:DEL 0.5")
    assert desk.clock.now() == pytest.approx(3.5)


def test_item_5_a_list_sweep_has_four_numbers_a_point(desk):
    desk.send(*BUS, ":DISP:PAGE LIST", ":LIST:MODE SEQ", ":LIST:FREQ 1000,10000", ":TRIG:IMM")
    with pytest.raises(LinkTimeout):
        desk.ask(":FETC:IMP:FORM?", timeout_second=0.3)
    point = "+5.00000E+01,+0.00000E+00,+0,+0"
    assert desk.link.read_until(b"\n", 1.0).decode() == f"{point},{point}"
    desk.send(":LIST:FREQ " + ",".join(["1000"] * 202))
    assert desk.error_code() == -223


# -- values ----------------------------------------------------------------------------------------


def test_an_open_circuit_is_an_overload():
    assert Desk(Switchboard({})).measured() == OVERLOADED


def test_level_control_that_cannot_reach_the_level_says_so_and_the_values_stay():
    desk = Desk(IdealCell(0.0, 0.01), option_001=False)
    reply = desk.measured(":AMPL:ALC ON", ":VOLT 1")
    assert reply == "+1.00000E-02,+0.00000E+00,+4"
    assert desk.measured(":CURR 0.01").endswith(",+0")


def test_the_long_format_has_nine_decimals(desk):
    assert desk.measured(":FORM:ASC:LONG ON") == "+5.000000000E+01,+0.000000000E+00,+0"


def test_noise_is_within_the_accuracy_and_averages_away():
    reals = {}
    for averages in (1, 256):
        desk = Desk(noise=True)
        reals[averages] = [
            float(desk.measured(f":APER MED,{averages}").split(",")[0]) for _ in range(40)
        ]
    spread = {n: max(values) - min(values) for n, values in reals.items()}
    assert 0 < spread[256] < spread[1] / 4
    assert max(abs(value - 50.0) for value in reals[1]) < 0.15


def test_every_function_agrees_with_the_impedance_it_shows():
    impedance, omega = 3.0 - 4.0j, 2 * math.pi * 1000.0
    shown = {name: show(omega, impedance) for name, show in FUNCTIONS.items()}
    capacitance, loss = shown["CSD"]
    assert complex(loss, -1) / (omega * capacitance) == pytest.approx(impedance)
    capacitance, resistance = shown["CPRP"]
    assert 1 / (1 / resistance + 1j * omega * capacitance) == pytest.approx(impedance)
    inductance, resistance = shown["LSRS"]
    assert resistance + 1j * omega * inductance == pytest.approx(impedance)
    inductance, conductance = shown["LPG"]
    assert 1 / (conductance - 1j / (omega * inductance)) == pytest.approx(impedance)
    magnitude, degrees = shown["ZTD"]
    assert cmath.rect(magnitude, math.radians(degrees)) == pytest.approx(impedance)
    assert complex(*shown["GB"]) == pytest.approx(1 / impedance)
    for capacitive in ("CSD", "CPD"):
        assert shown[capacitive][1] * shown[capacitive.replace("D", "Q")][1] == pytest.approx(1)
    assert shown["LSQ"][1] == pytest.approx(-shown["CSQ"][1])


def test_a_pure_resistance_has_no_series_capacitance():
    assert abs(FUNCTIONS["CSD"](1.0, 50 + 0j)[0]) == OVERFLOW
