"""The simulated NGU401 and NGM202 against their sheet: transcripts, and what a simulator must show."""

from __future__ import annotations

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.rohde_schwarz_ng import RohdeSchwarzNgFront
from simulators.interfaces import DriveMode
from simulators.link import InMemoryLink

NO_ERROR = '0,"No error"'
CC, CV, OVERVOLTAGE, FUSE = "1", "2", "512", "1024"
CONDITION = "STAT:QUES:INST:ISUM1:COND?"
CHARGE = (
    "*RST", "SOUR:PRI VOLT", "SOUR:VOLT:SENS EXT", "SENS:CURR:RANG:AUTO 1", "SENS:NPLC 1",
    "SOUR:VOLT 4.2", "SOUR:CURR 0.5", "SOUR:CURR:NEG -0.001", "SOUR:VOLT:PROT:LEV 4.3",
    "SOUR:VOLT:PROT:STAT 1", "MEAS:ENER:STAT 1", "OUTP 1",
)  # fmt: skip


class Desk:
    """An instrument on an ideal cell, with somebody who types."""

    def __init__(self, volt: float = 3.6, ohm: float = 0.1, **options) -> None:
        self.cell = IdealCell(volt, ohm)
        self.clock = SimulatedClock()
        options = {"noise": False, **options}
        self.front = RohdeSchwarzNgFront("smu-1", self.cell, seed=7, **options)
        self.link = InMemoryLink(self.front, self.clock, "smu-1")

    def send(self, *messages: str) -> None:
        for message in messages:
            self.link.write(message.encode() + b"\n")

    def ask(self, message: str) -> str:
        self.send(message)
        return self.link.read_until(b"\n", 3.0).decode()

    def numbers(self, message: str) -> list[float]:
        return [float(part) for part in self.ask(message).split(",")]

    def error_code(self) -> int:
        return int(self.ask("SYST:ERR?").split(",")[0])

    def wait(self, second: float) -> None:
        self.clock.wait_until(self.clock.now() + second)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def charging(desk) -> Desk:
    desk.send(*CHARGE)
    assert desk.ask("*OPC?") == "1"
    return desk


@pytest.fixture
def supply() -> Desk:
    return Desk(model="NGM202")


# -- transcripts -----------------------------------------------------------------------------------


def test_it_identifies(desk, supply):
    assert desk.ask("*IDN?") == "Rohde&Schwarz,NGU401,3639.3763k04/101267,03.068"
    assert desk.ask("SYST:ERR?") == NO_ERROR
    assert supply.ask("*IDN?").split(",")[1] == "NGM202"


def test_it_charges_with_constant_current_then_constant_voltage(charging):
    assert charging.ask("READ?") == "3.650000,0.500000000"
    assert charging.ask(CONDITION) == CC
    charging.cell.volt = 4.18
    assert charging.numbers("READ?") == pytest.approx([4.2, 0.2])
    assert charging.ask(CONDITION) == CV
    charging.send("OUTP 0")
    assert charging.ask("OUTP?") == "0"
    assert charging.cell.drives["smu-1"].mode is DriveMode.OPEN
    assert charging.error_code() == 0


def test_it_discharges_to_the_set_voltage_and_holds_it(desk):
    desk.send("*RST", "SOUR:VOLT 3.0", "SOUR:CURR 0.001", "SOUR:CURR:NEG -0.5", "OUTP 1")
    assert desk.numbers("READ?") == pytest.approx([3.55, -0.5])
    assert desk.ask(CONDITION) == CC
    desk.cell.volt = 3.02
    assert desk.numbers("READ?") == pytest.approx([3.0, -0.2])
    assert desk.ask(CONDITION) == CV


def test_the_negative_limit_blocks_a_discharge_below_the_set_voltage(charging):
    charging.cell.volt = 4.25
    assert charging.numbers("READ?") == pytest.approx([4.2499, -0.001])


def test_it_rests_at_zero_current(desk):
    desk.send("SOUR:PRI CURR", "SOUR:CURR 0", "SOUR:VOLT 5", "SOUR:VOLT:NEG 0", "OUTP 1")
    assert desk.ask("READ?") == "3.600000,0.000000000"
    assert desk.ask(CONDITION) == CC
    assert desk.error_code() == 0


def test_current_priority_holds_the_voltage_at_its_limit(desk):
    desk.send("SOUR:PRI CURR", "SOUR:VOLT 3.65", "SOUR:CURR 1", "OUTP 1")
    assert desk.numbers("READ?") == pytest.approx([3.65, 0.5])
    assert desk.ask(CONDITION) == CV


def test_safe_stop(charging):
    charging.send("OUTP 0")
    assert charging.ask("OUTP?") == "0"
    charging.send("FLOG 0", "*CLS")
    assert charging.ask("SYST:ERR?") == NO_ERROR


# -- simulator must show ---------------------------------------------------------------------------


def test_item_1_power_on_is_off_and_without_protections(desk, supply):
    assert desk.ask("OUTP?;:SOUR:VOLT:PROT:STAT?;:FUSE?;:SOUR:PRI?") == "0;0;0;VOLT"
    assert desk.ask("SOUR:VOLT?;:INST:NSEL?") == "0.000000;1"
    assert supply.ask("INST:NSEL?;:OUTP:GEN?;:OUTP:SEL?") == "1;0;0"


def test_item_2_the_overvoltage_protection_latches_until_it_is_cleared(charging):
    charging.send("SOUR:VOLT 4.5")
    charging.cell.volt = 4.35
    charging.wait(1.0)
    assert charging.ask("OUTP?") == "0"
    assert charging.ask(CONDITION) == OVERVOLTAGE
    assert charging.ask("SOUR:VOLT:PROT:TRIP?") == "1"
    charging.send("OUTP 1")
    assert charging.error_code() == -221
    charging.cell.volt = 4.0
    charging.send("SOUR:VOLT:PROT:CLE", "OUTP 1")
    assert charging.ask("OUTP?") == "1"
    assert charging.error_code() == 0


def test_item_2_a_cell_never_passes_the_protection_between_two_polls(charging):
    charging.send("SOUR:VOLT 5")
    charging.cell.volt = 4.29
    voltage, _, _ = charging.cell.terminals(charging.clock.now() + 60.0)
    assert voltage <= 4.3


def test_item_3_the_fuse_opens_after_its_delay(desk):
    desk.send("SOUR:VOLT 4.2", "SOUR:CURR 0.5", "FUSE 1", "FUSE:DEL:INIT 1", "OUTP 1")
    desk.wait(0.5)
    assert desk.ask("OUTP?") == "1"
    desk.wait(1.0)
    assert desk.ask(f"{CONDITION};:OUTP?;:FUSE:TRIP?") == f"{FUSE};0;1"
    desk.send("FUSE:TRIP:CLE", "FUSE 0", "OUTP 1")
    assert desk.ask("OUTP?") == "1"


def test_item_4_safety_limits_refuse_what_lies_beyond(desk):
    desk.send("SOUR:ALIM 1", "SOUR:VOLT:ALIM 4.3", "SOUR:CURR:ALIM 2", "SOUR:VOLT 4.2")
    assert desk.error_code() == 0
    for message in ("SOUR:VOLT 4.4", "SOUR:CURR 3"):
        desk.send(message)
        assert desk.error_code() == -222
    assert desk.ask("SOUR:VOLT?;:SOUR:VOLT:ALIM?") == "4.200000;4.300000"


def test_safety_limits_have_the_manuals_long_headers_too(desk):
    upper = "SOURce:{}:LEVel:IMMediate:ALIMit:UPPer"
    lower = "SOURce:VOLTage:LEVel:IMMediate:ALIMit:LOWer"
    desk.send(f"{upper.format('VOLTage')} 4.3", f"{lower} 2.5", f"{upper.format('CURRent')} 2")
    assert desk.ask(f"{upper.format('VOLTage')}?;:{lower}?") == "4.300000;2.500000"
    assert desk.ask(f"{upper.format('CURRent')}?;:SOUR:CURR:ALIM?") == "2.000000;2.000000"
    assert desk.error_code() == 0


def test_the_fuse_has_the_same_delay_under_both_its_names(desk):
    desk.send("SOUR:CURR:PROT:DEL:INIT 0.5")
    assert desk.ask("FUSE:DEL:INIT?;:SOUR:CURR:PROT:DEL:INIT?") == "0.500000;0.500000"


def test_the_current_range_in_use_is_told(desk):
    desk.send("SENS:CURR:RANG 0.1")
    assert float(desk.ask("SENS:CURR:RANG?")) == 0.1
    desk.send("SENS:CURR:RANG:AUTO 1", "SOUR:VOLT 4.2", "SOUR:CURR 0.5", "OUTP 1")
    assert float(desk.ask("SENS:CURR:RANG:UPP?")) == 1.0


@pytest.mark.parametrize(
    ("message", "question", "kept", "code"),
    [
        ("SOUR:VOLT 21", "SOUR:VOLT?", "0.000000", -222),
        ("SOUR:CURR 8.1", "SOUR:CURR?", "0.000001", -222),
        ("SOUR:CURR 8;:SOUR:VOLT 12", "SOUR:VOLT?", "0.000000", -222),
        ("SOUR:CURR:NEG 0.5", "SOUR:CURR:NEG?", "-3.000000", -222),
        ("SOUR:CURR 0", "SOUR:CURR?", "0.000001", -222),
        ("SENS:NPLC 0", "SENS:NPLC?", "1.000000", -222),
        ("SOUR:PRI POW", "SOUR:PRI?", "VOLT", -224),
        ("INST:NSEL 2", "INST:NSEL?", "1", -222),
        ("SOUR:VOLT 1 2", "SOUR:VOLT?", "0.000000", -224),
        ("VOLT?(@1)", "SOUR:VOLT?", "0.000000", -103),
        ("OUTP:GEN 1", "OUTP?", "0", -113),
        ("BATT:SIM 1", "OUTP?", "0", -113),
        ("FLOG 1", "OUTP?", "0", -200),
    ],
)
def test_item_4_what_is_refused_changes_nothing(desk, message, question, kept, code):
    desk.send(message)
    assert desk.error_code() == code
    assert desk.ask(question) == kept


def test_item_5_settings_apply_to_the_selected_output_and_the_master_switch_gates(supply):
    supply.send("INST:NSEL 2", "VOLT 3.3", "INST OUT1", "VOLT 4.2", "CURR 0.5", "OUTP:SEL 1")
    assert supply.ask("VOLT? (@2)") == "3.300000"
    assert supply.ask("VOLT?") == "4.200000"
    assert supply.cell.terminals(0.0).current_ampere == 0
    supply.send("OUTP:GEN 1")
    assert supply.numbers("MEAS:CURR?") == pytest.approx([0.5])
    assert supply.numbers("MEAS:CURR? (@2)") == [0.0]
    supply.send("OUTP:GEN 0")
    assert supply.ask("OUTP:GEN?;:OUTP:SEL?") == "0;1"
    assert supply.cell.drives["smu-1/1"].mode is DriveMode.OPEN


def test_item_5_two_outputs_drive_two_cells():
    cells = [IdealCell(3.6), IdealCell(3.0)]
    supply = Desk(model="NGM202", cells=cells)
    for channel in (1, 2):
        supply.send(f"INST:NSEL {channel}", "VOLT 4.2", f"CURR {channel / 10}", "OUTP:SEL 1")
    supply.send("OUTP:GEN 1")
    assert supply.numbers("MEAS:CURR? (@1)") == pytest.approx([0.1])
    assert supply.numbers("MEAS:CURR? (@2)") == pytest.approx([0.2])
    assert [cell.conflicts for cell in cells] == [0, 0]


@pytest.mark.parametrize(
    ("mode", "volt", "current"),
    [("AUTO", 3.0, -0.5), ("SINK", 3.0, -0.5), ("SOUR", 3.0, 0.0), ("SINK", 4.2, 0.0)],
)
def test_a_supply_sinks_as_its_mode_says(supply, mode, volt, current):
    supply.send(f"VOLT {volt}", "CURR 0.5", f"OUTP:MODE {mode}", "OUTP:SEL 1", "OUTP:GEN 1")
    assert supply.numbers("MEAS:CURR?") == pytest.approx([current])


@pytest.mark.parametrize("message", ["SOUR:CURR:NEG -1", "SOUR:PRI CURR", "SENS:NPLC 1", "OUTP 1"])
def test_a_supply_has_no_commands_of_a_source_meter(supply, message):
    supply.send(message)
    assert supply.error_code() == -113


def test_a_supply_has_no_combined_reading(supply):
    with pytest.raises(LinkTimeout):
        supply.ask("READ?")


def test_item_7_a_negative_current_sinks(desk):
    desk.send("SOUR:VOLT 3.5", "SOUR:CURR:NEG -1", "OUTP 1")
    assert desk.numbers("MEAS:CURR?") == pytest.approx([-1.0])
    assert desk.numbers("MEAS:POW?") == pytest.approx([-3.5])


def test_item_7_a_forgotten_negative_limit_lets_the_cell_be_discharged(desk):
    desk.send("SOUR:VOLT 2", "SOUR:CURR 0.5", "OUTP 1")
    assert desk.numbers("MEAS:CURR?") == pytest.approx([-3.0])


def test_item_8_the_output_stays_on_when_the_link_goes(charging):
    charging.front.disconnected(charging.clock.now())
    charging.wait(3600.0)
    assert charging.ask("OUTP?;:SOUR:VOLT?") == "1;4.200000"
    assert charging.cell.charge_coulomb == pytest.approx(0.5 * 3600, rel=0.01)


def test_item_9_an_open_sense_lead_drives_the_cell_into_the_protection(charging):
    charging.front.inject("sense_lead", None, charging.clock.now())
    charging.cell.volt = 4.29
    assert charging.numbers("MEAS:VOLT?") == [0.0]
    assert charging.ask(f"OUTP?;:{CONDITION}") == f"0;{OVERVOLTAGE}"
    charging.front.inject("sense_lead", 0, charging.clock.now())
    charging.send("SOUR:VOLT:PROT:CLE", "OUTP 1")
    assert charging.numbers("MEAS:VOLT?") == pytest.approx([4.2899])


def test_item_10_the_answer_after_switching_waits_for_the_relay(desk):
    desk.send("OUTP 1")
    assert desk.ask("*OPC?") == "1"
    assert desk.clock.now() == pytest.approx(0.05)


def test_overtemperature_opens_the_output_until_it_has_cooled(charging):
    charging.front.inject("overtemperature", None, charging.clock.now())
    assert charging.ask(f"OUTP?;:{CONDITION}") == "0;16"
    charging.send("OUTP 1")
    assert charging.error_code() == -221
    charging.front.inject("overtemperature", 0, charging.clock.now())
    charging.send("OUTP 1")
    assert charging.ask("OUTP?") == "1"
    with pytest.raises(BadInput, match="alarm"):
        charging.front.inject("alarm", 1, charging.clock.now())


# -- readings and language -------------------------------------------------------------------------


def test_energy_is_counted_between_polls(charging):
    charging.wait(3600.0)
    assert charging.numbers("MEAS:ENER?") == pytest.approx([3.65 * 0.5], rel=1e-3)
    charging.send("MEAS:ENER:RES")
    assert charging.numbers("MEAS:ENER?") == pytest.approx([0.0], abs=1e-4)


def test_a_reading_takes_its_power_line_cycles(charging):
    before = charging.clock.now()
    charging.send("SENS:NPLC 5")
    charging.ask("READ?")
    assert charging.clock.now() - before == pytest.approx(0.1)


def test_a_fixed_range_that_is_exceeded_reads_as_infinity(charging):
    charging.send("SENS:CURR:RANG 0.1")
    assert charging.ask("READ?") == "3.650000,9.9E37"
    charging.send("SENS:CURR:RANG:AUTO 1")
    assert charging.ask("READ?") == "3.650000,0.500000000"


def test_with_the_output_off_the_terminals_are_not_seen(desk):
    assert desk.numbers("READ?") == [0.0, 0.0]


def test_numbers_may_carry_units_and_words(desk):
    desk.send("VOLT 100mV", "CURR 5 mA")
    assert desk.ask("VOLT?;:CURR?") == "0.100000;0.005000"
    desk.send("SOUR:CURR MAX", "SOUR:CURR:NEG MIN")
    assert desk.ask("SOUR:CURR?;:SOUR:CURR:NEG?") == "8.000000;-3.000000"
    assert desk.ask("SOUR:CURR? MIN;:SOUR:VOLT? MAX") == "0.000001;20.000000"
    desk.send("SOURce:VOLTage:LEVel:IMMediate:AMPLitude 3.5")
    desk.send("APPL 4.0,0.1")
    assert desk.ask("VOLT?;:CURR?") == "4.000000;0.100000"


def test_the_makers_package_finds_the_status_it_polls_for(desk):
    desk.send("*ESE 1", "VOLT 3;*OPC")
    assert desk.ask("*STB?") == "32"
    assert desk.ask("*ESR?") == "129"  # with the power-on bit
    desk.send("NONSENSE")
    assert desk.ask("*STB?") == "4"
    desk.send("*RST")
    assert desk.ask("*ESE?") == "1"


def test_noise_repeats_with_the_seed_and_stays_small():
    readings = []
    for desk in (Desk(noise=True), Desk(noise=True)):
        desk.send(*CHARGE)
        readings.append(desk.numbers("READ?"))
    assert readings[0] == readings[1]
    assert readings[0] == pytest.approx([3.65, 0.5], abs=1e-3)
    assert readings[0] != [3.65, 0.5]


def test_other_models_and_too_many_cells_are_refused():
    with pytest.raises(BadInput, match="NGL202"):
        Desk(model="NGL202")
    with pytest.raises(BadInput, match="3 cells for 2 outputs"):
        Desk(model="NGM202", cells=[IdealCell()] * 3)
