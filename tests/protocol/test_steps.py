"""Each step of the language becomes the right primitive step, in base units."""

import math

import pytest

from rig.core.errors import BadInput
from rig.core.instruments import Sweep
from rig.protocol.program import (
    CellFacts,
    End,
    Galvanostat,
    Potentiostat,
    RecordPhase,
    Stability,
    StepKind,
    Target,
    TemperatureTarget,
)


def only_step(program):
    (step,) = program.instructions
    return step


@pytest.mark.parametrize(
    ("at", "ampere"),
    [("C/2", 0.001), ("2C", 0.004), ("1.5 mA", 0.0015), ("1 mA/cm^2", 0.0005)],
)
def test_a_charge_drives_a_positive_current_to_its_voltage_end(load_steps, at, ampere):
    step = only_step(load_steps(f"- charge: {{at: {at}, until: 4.2 V}}"))
    assert step.kind is StepKind.CHARGE
    assert step.drive.current_ampere == pytest.approx(ampere)
    assert step.drive.voltage_limit_volt == 4.2
    assert step.ends == (End("voltage", ">=", 4.2, words="4.2 V"),)
    assert step.words == f"charge at {at} until 4.2 V"
    assert step.line == 6


def test_a_discharge_drives_a_negative_current_and_ends_downwards(load_steps):
    step = only_step(load_steps("- discharge: {at: C/2, until: 0 V}"))
    assert step.drive == Galvanostat(-0.001, 0.0)
    assert step.ends == (End("voltage", "<=", 0.0, words="0 V"),)


def test_a_charge_by_time_alone_is_armed_with_the_safety_limit(load_steps):
    assert only_step(load_steps("- charge: {at: 1 mA, for: 2 h}")).drive.voltage_limit_volt == 5.0
    assert only_step(load_steps("- discharge: {at: 1 mA, for: 2 h}")).drive.voltage_limit_volt == -1


def test_ends_can_be_a_mapping_or_a_list_each_with_its_action(load_steps):
    step = only_step(
        load_steps("""
        - charge:
            at: 1 mA
            until:
              - {voltage: 4.2 V, capacity: 2 mAh}
              - {temperature: "> 45 degC", then: stop}
              - 3 h
            """)
    )
    found = [(end.quantity, end.operator, end.value, end.target) for end in step.ends]
    assert found == [
        ("voltage", ">=", 4.2, Target.NEXT),
        ("capacity", ">=", 0.002, Target.NEXT),
        ("temperature", ">=", 45.0, Target.STOP),
        ("time", ">=", 10800.0, Target.NEXT),
    ]


def test_an_end_against_the_direction_never_becomes_the_voltage_limit(load_steps):
    step = only_step(load_steps('- charge: {at: 1 mA, until: [4.2 V, "voltage < 0.1 V"]}'))
    assert step.drive.voltage_limit_volt == 4.2
    assert step.ends[1] == End("voltage", "<=", 0.1, words="voltage < 0.1 V")


def test_a_hold_ends_when_the_current_has_fallen(load_steps):
    step = only_step(load_steps("- hold: {at: 4.2 V, until: C/20, for: 2 h}"))
    assert step.drive == Potentiostat(4.2, 0.02)
    assert step.ends == (
        End("current", "<=", 0.0001, words="C/20"),
        End("time", ">=", 7200.0, words="for 2 h"),
    )
    assert step.words == "hold 4.2 V until C/20 or for 2 h"


def test_a_hold_may_have_a_current_limit_of_its_own(load_steps):
    step = only_step(load_steps("- hold: {at: -0.1 V, for: 2 h, limit: 1C}"))
    assert step.drive == Potentiostat(-0.1, 0.002)


@pytest.mark.parametrize(("direction", "ampere"), [("charge", 0.001), ("discharge", -0.001)])
def test_cccv_is_one_drive_that_holds_at_its_voltage(load_steps, direction, ampere):
    step = only_step(
        load_steps(f"- cccv: {{at: C/2, to: 3 V, until: C/20, direction: {direction}}}")
    )
    assert step.drive == Galvanostat(ampere, 3.0, hold=True)
    assert step.ends == (End("current", "<=", 0.0001, words="C/20"),)


def test_a_rest_needs_an_operator_for_a_voltage(load_steps):
    step = only_step(load_steps('- rest: {until: "voltage > -0.5 V", for: 10 min}'))
    assert step.drive is None
    assert step.ends[0] == End("voltage", ">=", -0.5, words="voltage > -0.5 V")


def test_a_spectrum_has_its_points_per_decade_and_both_ends(load_steps):
    step = only_step(load_steps("- eis: {from: 1 MHz, to: 0.1 Hz, amplitude: 10 mV, bias: 0 V}"))
    assert step.sweep == Sweep(1e6, 0.1, 71, amplitude_volt=0.01, bias_volt=0.0)
    assert step.restart_on_resume


def test_a_spectrum_that_is_refused_may_be_measured_again(load_steps):
    step = only_step(load_steps("- eis: {from: 1 kHz, to: 1 Hz, amplitude: 5 mV}"))
    assert step.repeat_if_invalid == 0
    eis = "- eis: {from: 1 kHz, to: 1 Hz, amplitude: 5 mV, repeat_if_invalid: 2}"
    step = only_step(load_steps(eis))
    assert step.repeat_if_invalid == 2
    assert step.words.endswith("5 mV, again up to 2 times if invalid")


@pytest.mark.parametrize("most", ["-1", "6", "1.5", "yes", "2 s"])
def test_how_often_a_spectrum_is_repeated_is_a_small_whole_number(load_steps, most):
    with pytest.raises(BadInput, match="repeat_if_invalid"):
        load_steps(f"- eis: {{from: 1 kHz, to: 1 Hz, amplitude: 5 mV, repeat_if_invalid: {most}}}")


def test_an_amplitude_in_ampere_makes_a_spectrum_galvanostatic(load_steps):
    steps = "- eis: {from: 1 Hz, to: 1 kHz, points_per_decade: 5, amplitude: 1 mA}"
    assert only_step(load_steps(steps)).sweep == Sweep(1.0, 1e3, 16, amplitude_ampere=0.001)


def test_a_temperature_is_soaked_until_the_sample_is_stable(load_steps):
    step = only_step(
        load_steps("""
        - set_temperature:
            to: -20 degC
            within: 0.3 K
            soak: 60 min
            timeout: 6 h
            stable: {impedance: 0.5 %, at: 10 kHz, every: 10 min}
        """)
    )
    stability = Stability(0.005, 1e4, 600.0, 0.01)
    assert step.temperature == TemperatureTarget(-20.0, 0.3, 3600.0, 21600.0, stability)


def test_the_cell_record_wins_over_the_file(load_steps):
    program = load_steps("- charge: {at: 1C, until: 4 V}", cell=CellFacts(capacity_ah=0.005))
    assert only_step(program).drive.current_ampere == 0.005
    assert program.cell == CellFacts(area_square_centimetre=0.5, capacity_ah=0.005)


def test_safety_may_be_told_by_the_cell(load_steps):
    header = "protocol: 1\nname: x\ncell: {capacity: 2 mAh}\n"
    header += "safety: {voltage: [2 V, 4 V], current: 3C, capacity: 125 %}\n"
    safety = load_steps("- rest: {for: 1 s}", header=header).safety
    assert safety.current_max_ampere == pytest.approx(0.006)
    assert safety.capacity_max_ah == pytest.approx(0.0025)


# --- labels and recording ------------------------------------------------------------------------


def test_blocks_hand_their_labels_on_and_the_step_s_own_win(load_steps):
    program = load_steps("""
        - repeat: 2
          phase: formation
          tag: slow
          on_resume: restart
          record: {every: 1 s}
          steps:
            - {rest: {for: 1 min}, as: first}
            - {rest: {for: 1 min}, phase: check, on_resume: continue, record: {every: 2 s}}
        """)
    _, first, second, _ = program.instructions
    assert (first.phase, first.tag, first.name) == ("formation", "slow", "first")
    assert first.restart_on_resume
    assert first.record == (RecordPhase(1.0),)
    assert (second.phase, second.tag, second.name) == ("check", "slow", "")
    assert not second.restart_on_resume
    assert second.record == (RecordPhase(2.0),)


def test_recording_in_phases_counts_from_the_beginning_of_the_step(load_steps):
    step = only_step(
        load_steps("""
        - rest: {for: 1 h}
          record:
            - {for: 60 s, every: 1 s}
            - {for: 9 min, every: 10 s, on_change: {voltage: 5 mV, current: 1 %}}
            - {every: 60 s}
        """)
    )
    assert step.record == (
        RecordPhase(1.0, 60.0),
        RecordPhase(10.0, 600.0, 0.005, 0.01),
        RecordPhase(60.0),
    )


def test_without_a_rule_a_sample_is_kept_every_ten_seconds(load_steps):
    assert only_step(load_steps("- rest: {for: 1 h}")).record == (RecordPhase(10.0),)


def test_no_number_of_a_compiled_program_is_nan(load_steps):
    step = only_step(load_steps("- cccv: {at: C/2, to: 4.2 V, until: C/20}"))
    numbers = (step.drive.current_ampere, step.drive.voltage_limit_volt, step.ends[0].value)
    assert all(math.isfinite(number) for number in numbers)
