"""The full cell: open-circuit voltage, resistance, efficiency and fade as put in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.interfaces import OPEN, Drive, DriveMode
from simulators.models.cell import CircuitCell
from simulators.models.full_cell import FullCell
from simulators.models.ocv import nmc811_against_lithium

MakeCell = Callable[..., CircuitCell]

# science 3.1, NMC811 against lithium.
PUBLISHED_VOLTAGES = {
    0.0: 3.5614, 0.05: 3.5874, 0.1: 3.6134, 0.2: 3.6654, 0.3: 3.7175, 0.4: 3.7716,
    0.5: 3.8411, 0.6: 3.9408, 0.7: 4.0216, 0.8: 4.1136, 0.9: 4.1861, 1.0: 4.2849,
}  # fmt: skip


def charge(cell: CircuitCell, now: float, current: float, until_volt: float) -> tuple[float, float]:
    """Drive ``current`` in 10 s steps until the voltage is passed; return (time, charge in Ah)."""
    cell.drive("smu", Drive(DriveMode.CURRENT, current, 6.0), now)
    steps = 0
    while (cell.terminals(now + 10.0 * steps).voltage_volt < until_volt) == (current > 0):
        steps += 1
    end = now + 10.0 * steps
    cell.drive("smu", OPEN, end)
    return end, abs(current) * 10.0 * steps / 3600.0


@pytest.mark.parametrize(("state_of_charge", "volt"), PUBLISHED_VOLTAGES.items())
def test_the_open_circuit_voltage_is_the_published_one(state_of_charge: float, volt: float) -> None:
    assert nmc811_against_lithium().at(state_of_charge)[0] == pytest.approx(volt, abs=6e-5)


@given(st.floats(-0.2, 1.5), st.floats(1e-4, 0.1))
def test_more_charge_is_always_more_voltage(state_of_charge: float, more: float) -> None:
    table = nmc811_against_lithium()
    assert table.at(state_of_charge)[0] < table.at(state_of_charge + more)[0]


def test_an_empty_cell_falls_below_2_5_volt_within_two_percent() -> None:
    assert nmc811_against_lithium().at(-0.02)[0] < 2.5


@pytest.mark.parametrize("celsius", [0.0, 25.0, 60.0])
def test_direct_current_and_low_frequency_agree_for_the_full_cell(
    make_cell: MakeCell, celsius: float
) -> None:
    cell = make_cell(FullCell(1.0, state_of_charge=0.3), celsius)
    rest_volt = cell.terminals(0.0).voltage_volt
    current, second = 1e-6, 4000.0  # ten time constants of the diffusion at 0 degC
    slope_volt_per_coulomb = 2 * math.pi * 1e-9 * -cell.impedance(1e-9, 0.0).imag
    cell.drive("smu", Drive(DriveMode.CURRENT, current, 6.0), 0.0)
    rise_volt = cell.terminals(second).voltage_volt - rest_volt
    stored_volt = slope_volt_per_coulomb * current * second * 0.9995
    assert (rise_volt - stored_volt) / current == pytest.approx(
        cell.impedance(1e-6, 0.0).real, rel=0.02
    )


@pytest.mark.parametrize("second", [0.1, 1.0, 10.0])
def test_a_pulse_of_seconds_agrees_with_the_spectrum_within_15_percent(
    make_cell: MakeCell, second: float
) -> None:
    # science 1.9: DCIR(10 s) against Re Z at 0.03-0.1 Hz; here 1/(2 t).
    cell = make_cell(FullCell(1.0, state_of_charge=0.5))
    rest_volt = cell.terminals(0.0).voltage_volt
    cell.drive("smu", Drive(DriveMode.CURRENT, -1e-4, 6.0), 0.0)
    pulse_ohm = (rest_volt - cell.terminals(second).voltage_volt) / 1e-4
    assert pulse_ohm == pytest.approx(cell.impedance(0.5 / second, 0.0).real, rel=0.15)


def test_the_truth_names_the_resistance_before_the_diffusion_tail(make_cell: MakeCell) -> None:
    # science 3.1: separator 1.5, cathode ionic 3, interfaces 6 and 10, transfer 12; no leads.
    truth = make_cell(FullCell(1.0)).truth()
    assert truth["resistance_25_celsius_ohm"] == pytest.approx(32.5)
    assert truth["capacity_ah"] == pytest.approx(5e-3)
    assert make_cell(FullCell(1.0, capacity_ah=0.01)).truth()["capacity_ah"] == 0.01


def test_every_cycle_loses_exactly_its_part_of_the_capacity(make_cell: MakeCell) -> None:
    alpha = 0.01
    cell = make_cell(FullCell(1.0, alpha_per_cycle=alpha, coulombic_efficiency=1.0))
    now, discharged = 0.0, []
    for _ in range(6):
        now, _ = charge(cell, now, 2.5e-3, 4.2)
        now, capacity = charge(cell, now, -2.5e-3, 2.8)
        discharged.append(capacity)
    ratios = [later / earlier for earlier, later in itertools.pairwise(discharged)]
    assert sum(map(math.log, ratios)) / len(ratios) == pytest.approx(-alpha, rel=0.05)
    assert cell.state()["store"]["cycles"] == 5


def test_shallow_discharges_and_pulses_are_no_cycles(make_cell: MakeCell) -> None:
    cell = make_cell(FullCell(1.0, state_of_charge=0.9))
    pulses = [(-5e-3, 600.0), (5e-3, 600.0)] * 3 + [(-5e-3, 1900.0), (5e-3, 10.0), (-5e-3, 60.0)]
    now = 0.0
    for current, second in pulses:
        cell.drive("smu", Drive(DriveMode.CURRENT, current, 6.0), now)
        now += second
        cell.terminals(now)
    assert cell.state()["store"]["cycles"] == 0


def test_the_side_reaction_takes_its_part_of_the_charge(make_cell: MakeCell) -> None:
    cell = make_cell(FullCell(1.0, alpha_per_cycle=0.0, coulombic_efficiency=0.98))
    now, _ = charge(cell, 0.0, 1e-3, 4.1)
    now, _ = charge(cell, now, -1e-3, 3.0)
    now, charged = charge(cell, now, 1e-3, 4.1)
    _, discharged = charge(cell, now, -1e-3, 3.0)
    assert discharged / charged == pytest.approx(0.98, abs=2e-3)


def test_the_cold_shrinks_the_capacity_and_makes_no_step_in_voltage(make_cell: MakeCell) -> None:
    capacities = []
    for celsius in (25.0, 45.0):
        cell = make_cell(FullCell(1.0, coulombic_efficiency=1.0), celsius)
        assert cell.terminals(0.0).voltage_volt == pytest.approx(2.9, abs=0.02)
        _, capacity = charge(cell, 0.0, 1e-4, 4.2)
        capacities.append(capacity)
    assert capacities[1] / capacities[0] == pytest.approx(1.06, abs=0.01)


def test_a_held_voltage_fills_the_cell_alike_in_steps_of_any_length(make_cell: MakeCell) -> None:
    stored = []
    for step in (1.0, 60.0, 3600.0):
        cell = make_cell(FullCell(1.0, state_of_charge=0.8))
        cell.drive("smu", Drive(DriveMode.VOLTAGE, 4.2, 1e-3), 0.0)
        for k in range(1, round(10_800 / step) + 1):
            cell.terminals(k * step)
        stored.append(cell.state()["store"]["state_of_charge"])
    assert stored == pytest.approx([stored[0]] * 3, abs=5e-5)
    assert nmc811_against_lithium().at(stored[0])[0] == pytest.approx(4.2, abs=1e-3)


@pytest.mark.parametrize("state_of_charge", [-0.0178, 0.05, 0.5])
@pytest.mark.parametrize("limit_ampere", [5e-3, math.inf])
@pytest.mark.parametrize("second", [0.1, 1.0, 5.0, 10.0, 60.0, 3600.0])
def test_the_current_of_a_cell_held_empty_fades_and_never_turns_round(
    make_cell: MakeCell, second: float, limit_ampere: float, state_of_charge: float
) -> None:
    # At 2.4 V ten seconds of a current move the store by four times what the resistance drops.
    cell = make_cell(FullCell(1.0, state_of_charge=state_of_charge))
    cell.drive("smu", Drive(DriveMode.VOLTAGE, 2.4, limit_ampere), 0.0)
    looks = max(20, min(1000, round(5000.0 / second)))
    currents = [cell.terminals(k * second).current_ampere for k in range(looks)]
    assert all(-limit_ampere <= current < 1e-10 for current in currents)
    fading = [-current for current in currents if current < -1e-10]
    assert fading == sorted(fading, reverse=True)


def run_to(cell: CircuitCell, now: float, volt: float, second: float) -> tuple[float, float]:
    """C/2 to ``volt``, held to C/20; return (time, charge in C by the trapezoid of the looks)."""
    cell.drive("smu", Drive(DriveMode.VOLTAGE, volt, 2.5e-3), now)
    coulomb, seen = 0.0, cell.terminals(now)
    while seen.limited or abs(seen.current_ampere) > 2.5e-4:
        before, now = seen.current_ampere, now + second
        seen = cell.terminals(now)
        coulomb += 0.5 * (before + seen.current_ampere) * second
    cell.drive("smu", OPEN, now)
    return now, abs(coulomb)


@pytest.mark.parametrize("lowest_volt", [2.4, 2.8, 3.0])
@pytest.mark.parametrize("second", [1.0, 10.0])
def test_an_ammeter_that_looks_every_few_seconds_finds_the_efficiency_put_in(
    make_cell: MakeCell, second: float, lowest_volt: float
) -> None:
    cell = make_cell(FullCell(1.0, alpha_per_cycle=0.0))
    now, _ = run_to(cell, 0.0, 4.2, second)
    now, _ = run_to(cell, now, lowest_volt, second)
    now, charged = run_to(cell, now, 4.2, second)
    now, discharged = run_to(cell, now, lowest_volt, second)
    assert discharged / charged == pytest.approx(cell.truth()["coulombic_efficiency"], abs=1e-4)


def test_charge_that_is_still_owed_to_the_store_survives_a_restart(make_cell: MakeCell) -> None:
    cell = make_cell(FullCell(1.0, state_of_charge=0.05))
    now, _ = run_to(cell, 0.0, 2.4, 10.0)
    saved = cell.state()
    assert saved["owed_coulomb"] < 0.0
    restored = make_cell(FullCell(1.0, state_of_charge=0.05))
    restored.restore(saved)
    for each in (cell, restored):
        run_to(each, now, 4.2, 10.0)
    assert restored.state()["store"] == pytest.approx(cell.state()["store"])
