"""The simulated P300 against its sheet: the worked transcript, refusals, and section 8."""

from __future__ import annotations

import pytest
from ideal_cell import IdealAir

from rig.core.clock import SimulatedClock
from rig.core.errors import BadInput, LinkTimeout
from simulators.fronts.espec_p300 import EspecP300Front
from simulators.link import InMemoryLink


class Desk:
    """A chamber of ideal air, with somebody who types."""

    def __init__(self, **options) -> None:
        self.air = IdealAir()
        self.clock = SimulatedClock()
        self.front = EspecP300Front("chamber-1", self.air, seed=3, **options)
        self.link = InMemoryLink(self.front, self.clock, "chamber-1")

    def ask(self, line: str) -> str:
        self.link.write(line.encode() + b"\r\n")
        return self.link.read_until(b"\r\n", 3.0).decode()

    def wait(self, seconds: float) -> None:
        self.clock.wait_until(self.clock.now() + seconds)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_worked_transcript(desk):
    assert desk.ask("ROM?").startswith("P3")
    assert desk.ask("TYPE?").endswith(",180.0")
    assert desk.ask("MODE?") == "STANDBY"
    present, *settings = desk.ask("TEMP?").split(",")
    assert float(present) == pytest.approx(22.0, abs=0.2)
    assert settings == ["25.0", "180.0", "-70.0"]
    for command in ("TEMP, S60.0 H85.0 L-20.0", "SET,REF9", "POWER,ON", "MODE,CONSTANT"):
        assert desk.ask(command) == f"OK:{command}"
    present, mode, alarms = desk.ask("MON?").split(",")
    assert float(present) == pytest.approx(60.0, abs=0.2)
    assert (mode, alarms) == ("CONSTANT", "0")
    assert desk.ask("RUN PRGM, TEMP23.0 TIME1:30 GOTEMP60.0").startswith("OK:")
    assert desk.ask("MODE?,DETAIL") == "RMT RUN"
    assert desk.ask("ALARM?") == "0"
    assert desk.ask("TEMP, S999.0") == "NA:DATA OUT OF RANGE"
    assert desk.ask("FOO?") == "NA:CMD ERR"
    assert desk.ask("MODE,STANDBY") == "OK:MODE,STANDBY"
    assert desk.ask("POWER,OFF") == "OK:POWER,OFF"
    assert desk.air.celsius is None


@pytest.mark.parametrize("command", ["TEMP, S25.5", "TEMP,S25.5", "TEMP, S 25.5"])
def test_the_set_point_is_taken_in_both_forms_and_echoed_with_its_blanks(desk, command):
    assert desk.ask(command) == f"OK:{command}"
    assert desk.ask("TEMP?").split(",")[1] == "25.5"


def test_alarm_limits_are_set_one_at_a_time(desk):
    assert desk.ask("TEMP, H 95.0") == "OK:TEMP, H 95.0"
    assert desk.ask("TEMP, L 5.0") == "OK:TEMP, L 5.0"
    assert desk.ask("TEMP?").split(",")[1:] == ["25.0", "95.0", "5.0"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("TEMP, S181.0", "DATA OUT OF RANGE"),
        ("TEMP, S-70.1", "DATA OUT OF RANGE"),
        ("TEMP, S60.0 H50.0", "DATA OUT OF RANGE"),
        ("TEMP, X60.0", "PARA ERR"),
        ("TEMP, S", "PARA ERR"),
        ("TEMP", "CMD ERR"),
        ("MODE,FAST", "PARA ERR"),
        ("MODE,RUN3", "DATA NOT READY"),
        ("POWER,MAYBE", "PARA ERR"),
        ("SET,REF5", "PARA ERR"),
        ("HUMI, S50", "CONT NOT READY-1"),
        ("HUMI?", "CONT NOT READY-1"),
        ("PRGM MON?", "CONT NOT READY-2"),
        ("PRGM,END,STANDBY", "CONT NOT READY-2"),
        ("PRGM,RUN,RAM:1,STEP1", "DATA NOT READY"),
        ("PRGM USE?,RAM:1", "DATA NOT READY"),
        ("RUN PRGM, TEMP23.0 GOTEMP60.0", "PARA ERR"),
        ("RUN PRGM, TEMP23.0 TIME1:30 GOTEMP600.0", "DATA OUT OF RANGE"),
        ("SRQ?", "CONT NOT READY-3"),
        ("1,TEMP?", "CMD ERR"),
    ],
)
def test_what_is_refused_names_its_reason_and_changes_nothing(desk, command, reason):
    before = desk.ask("TEMP?").split(",")[1:]
    assert desk.ask(command) == f"NA:{reason}"
    assert desk.ask("TEMP?").split(",")[1:] == before
    assert desk.ask("MODE?") == "STANDBY"


def test_key_protection_refuses_every_set_but_its_own_end(desk):
    assert desk.ask("KEYPROTECT,ON") == "OK:KEYPROTECT,ON"
    assert desk.ask("TEMP, S30.0") == "NA:PROTECT ON"
    assert desk.ask("KEYPROTECT?") == "ON"
    assert desk.ask("KEYPROTECT,OFF") == "OK:KEYPROTECT,OFF"
    desk.ask("POWER,OFF")
    assert desk.ask("KEYPROTECT,ON") == "NA:CONT NOT READY-4"


def test_standby_stops_conditioning_and_constant_starts_it(desk):
    desk.ask("TEMP, S60.0")
    assert desk.air.celsius is None
    desk.ask("MODE,CONSTANT")
    assert desk.air.celsius == 60.0
    desk.ask("TEMP, S40.0")
    assert desk.air.celsius == 40.0
    desk.ask("MODE,STANDBY")
    assert desk.air.celsius is None


def test_a_remote_program_ramps_counts_down_and_holds_its_end(desk):
    desk.ask("RUN PRGM, TEMP20.0 TIME1:00 GOTEMP60.0")
    desk.wait(1800.0)
    assert desk.ask("PRGM MON?") == "1,40.0,0:30,0,0"
    assert desk.air.celsius == pytest.approx(40.0, abs=0.01)
    assert desk.ask("MON?").split(",")[1] == "RUN"
    desk.wait(1800.0)
    assert desk.ask("MODE?,DETAIL") == "RMT RUN END HOLD"
    assert desk.air.celsius == 60.0
    assert desk.ask("PRGM,END,CONST") == "OK:PRGM,END,CONST"
    assert desk.ask("MODE?") == "CONSTANT"


def test_an_alarm_stops_the_run_and_is_only_reset_at_the_panel(desk):
    desk.ask("POWER,ON")
    desk.front.inject("alarm", 46, desk.clock.now())
    assert desk.ask("ALARM?") == "1,46"
    assert desk.ask("MON?").split(",")[1:] == ["STANDBY", "1"]
    assert desk.ask("MODE,CONSTANT") == "NA:CHB NOT READY"
    desk.front.controller.reset_alarms()
    assert desk.ask("MODE,CONSTANT") == "OK:MODE,CONSTANT"


def test_a_reason_can_be_injected_for_the_next_set(desk):
    desk.front.controller.refusals.append("CHB NOT READY")
    assert desk.ask("POWER,ON") == "NA:CHB NOT READY"
    assert desk.ask("POWER,ON") == "OK:POWER,ON"


def test_with_strict_spacing_a_command_that_comes_too_soon_is_lost():
    desk = Desk(strict_spacing=True)
    desk.ask("MODE?")
    with pytest.raises(LinkTimeout):
        desk.ask("MODE?")
    desk.ask("POWER,ON")
    desk.wait(0.3)
    with pytest.raises(LinkTimeout):
        desk.ask("MODE?")
    assert desk.ask("MODE?") == "CONSTANT"


def test_with_an_address_only_its_own_prefix_is_answered():
    desk = Desk(address=3)
    assert desk.ask("3,MODE?") == "STANDBY"
    assert desk.ask("3,TEMP, S30.0") == "OK:TEMP, S30.0"
    for line in ("MODE?", "1,MODE?"):
        with pytest.raises(LinkTimeout):
            desk.ask(line)


def test_a_lost_link_leaves_the_chamber_running(desk):
    desk.ask("TEMP, S60.0")
    desk.ask("POWER,ON")
    desk.link.close()
    assert desk.air.celsius == 60.0


def test_a_fault_that_a_chamber_cannot_have_is_bad_input(desk):
    with pytest.raises(BadInput, match="interlock"):
        desk.front.inject("interlock", None, 0.0)


def test_other_queries_have_the_form_of_the_sheet(desk):
    desk.ask("RELAY,ON,1,2")
    assert desk.ask("RELAY?") == "2,1,2"
    desk.ask("RELAY,OFF,1")
    assert desk.ask("RELAY?") == "1,2"
    assert desk.ask("%?").startswith("2,")
    assert desk.ask("DATE?") == "26.01/01"
    assert desk.ask("SET?") == "REF9"
