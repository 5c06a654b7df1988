"""Every driver on its simulator: one suite of house rules, family by family.

Driver, simulator and transcript are three readings of a manual; here two of them meet. What a
family cannot do stands in ``exceptions`` with its reason, what it is in ``families``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest

from rig.bench.registry import driver_names, load_driver
from rig.core.errors import (
    InstrumentError,
    LinkError,
    LinkTimeout,
    RigError,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import (
    ConstantCurrent,
    ConstantVoltage,
    Limits,
    OpenCircuit,
    Quantity,
    Regulation,
)
from rig.core.sheet import Role
from simulators.families import FAMILIES as SIMULATED
from tests.conformance.exceptions import EXCEPTIONS, each
from tests.conformance.families import FAMILIES, LIMITS, SETPOINTS, Family
from tests.conformance.operating import (
    assert_recovers,
    assert_refused,
    assert_works,
    command,
    command_and_look,
    is_safe,
    is_what_is_there,
    look,
    look_for_two_minutes,
    model_of,
    spectrum,
    too_large,
    window_of,
)
from tests.conformance.stands import INSTRUMENT, Damage, driver_on, stand_of

# What acts on a cell or beside it. A sensor that does not answer leaves no cell in danger.
DRIVING = (Role.CELL, Role.IMPEDANCE, Role.CHAMBER, Role.RESISTANCE, Role.MULTIPLEXER)
SENSING = (Role.TEMPERATURE, Role.PRESSURE)
DAMAGES = (Damage.GARBAGE, Damage.SILENCE, Damage.HALF)
EXPECTED_ERRORS: dict[Damage, tuple[type[RigError], ...]] = {
    Damage.GARBAGE: (UnreadableReply,),
    Damage.SILENCE: (LinkTimeout,),
    Damage.HALF: (LinkTimeout, UnreadableReply),
}


# --- the table itself ------------------------------------------------------------------------------


def test_every_registered_family_has_a_simulator_and_a_row_here() -> None:
    assert set(SIMULATED) == set(driver_names())
    rows = {(family.name, family.role) for family in FAMILIES.values()}
    assert rows == {
        (name, role) for name in driver_names() for role in load_driver(name).sheet.roles
    }


def test_every_exception_names_a_test_a_family_and_a_case_that_exist() -> None:
    known = {
        (family.row, name, case)
        for name, test in globals().items()
        for mark in getattr(test, "pytestmark", [])
        for family, case in (parameters.values for parameters in mark.args[1])
    }
    assert set(EXCEPTIONS) <= known


# --- identity --------------------------------------------------------------------------------------


@each()
def test_a_new_driver_sends_nothing_and_then_identifies_its_instrument(
    family: Family, case: str
) -> None:
    stand = stand_of(family, identified=False)
    assert stand.wire.sent == []
    identity = stand.driver.identify()
    assert identity.model
    assert identity == stand.driver.identify()


@each()
def test_an_instrument_that_says_it_is_another_is_refused(family: Family, case: str) -> None:
    stand = stand_of(family, identified=False)
    stand.wire.disguise = family.imposter
    with pytest.raises(WrongInstrument):
        stand.driver.identify()


@each()
def test_no_driver_takes_another_familys_instrument_for_its_own(family: Family, case: str) -> None:
    for other in FAMILIES.values():
        if other.name == family.name:
            continue
        stand = stand_of(other, identified=False)
        stranger = driver_on(family, stand.wire, stand.clock)
        with pytest.raises((InstrumentError, LinkError)):  # before the message is complete
            raise AssertionError(f"{family.name} took {other.name} for {stranger.identify()}")


# --- cells -----------------------------------------------------------------------------------------


@each(Role.CELL, cases=SETPOINTS)
def test_a_set_point_reaches_the_cell_and_is_read_as_it_is(family: Family, case: str) -> None:
    stand, setpoint = stand_of(family), SETPOINTS[case]
    stand.driver.apply(setpoint, LIMITS)
    stand.pass_second(30.0)
    reading = stand.driver.measure()
    truth = stand.cell.terminals(stand.clock.now())
    match setpoint:
        case ConstantCurrent(ampere):
            assert truth.current_ampere == pytest.approx(ampere, rel=1e-3)
            assert reading.regulation is Regulation.CURRENT
        case ConstantVoltage(volt):
            assert truth.voltage_volt == pytest.approx(volt, abs=1e-3)
            assert reading.regulation is Regulation.VOLTAGE
        case OpenCircuit():
            assert truth.current_ampere == pytest.approx(0.0, abs=1e-9)
            assert reading.regulation is Regulation.OPEN
    assert reading.voltage_volt == pytest.approx(truth.voltage_volt, abs=family.volt)
    assert reading.current_ampere == pytest.approx(truth.current_ampere, abs=family.ampere)


@each(Role.CELL)
def test_what_lies_just_outside_the_sheet_or_the_limits_is_refused_before_a_byte_is_sent(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    low, high, largest = window_of(stand)
    wide = Limits(-math.inf, math.inf, math.inf, 600.0)
    volt, ampere = (low + high) / 2, largest / 2
    beyond = [
        (ConstantVoltage(high + 0.01, ampere), wide),
        (ConstantVoltage(low - 0.01, ampere), wide),
        (ConstantVoltage(math.nan, ampere), wide),
        (ConstantVoltage(volt, 1.001 * largest), wide),
        (ConstantVoltage(volt, math.nan), wide),
        (ConstantCurrent(1.001 * largest, volt), wide),
        (ConstantCurrent(-1.001 * largest, volt), wide),
        (ConstantCurrent(ampere, high + 0.01), wide),
        (ConstantCurrent(math.nan, volt), wide),
        (ConstantVoltage(LIMITS.voltage_max_volt + 0.01, 1e-3), LIMITS),
        (ConstantVoltage(3.8, 1.001 * LIMITS.current_max_ampere), LIMITS),
        (ConstantCurrent(-1.001 * LIMITS.current_max_ampere, 3.0), LIMITS),
    ]
    assert_refused(stand, [partial(stand.driver.apply, *pair) for pair in beyond])


# --- impedance -------------------------------------------------------------------------------------


@each(Role.IMPEDANCE)
def test_a_spectrum_is_the_cells_own_within_the_instruments_accuracy(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    points = spectrum(stand)
    assert len(points) == family.sweep.points
    assert points[0].frequency_hertz == pytest.approx(1000.0)
    assert points[-1].frequency_hertz == pytest.approx(100.0)
    for frequency, real, imaginary, flags in points:
        truth = stand.cell.impedance(frequency, stand.clock.now())
        allowed = family.impedance_relative * abs(truth) + family.impedance_ohm
        assert abs(complex(real, imaginary) - truth) < allowed
        assert flags == 0
    assert is_safe(stand)


@each(Role.IMPEDANCE)
def test_a_sweep_just_outside_the_sheet_is_refused_before_a_byte_is_sent(
    family: Family, case: str
) -> None:
    stand, sweep = stand_of(family), family.sweep
    model = model_of(stand)
    assert model.frequency_hertz is not None
    low, high = model.frequency_hertz
    beyond = [
        replace(sweep, start_hertz=1.001 * high),
        replace(sweep, stop_hertz=low - 0.001),
        replace(sweep, start_hertz=math.nan),
        replace(sweep, points=0),
        replace(sweep, amplitude_volt=None, amplitude_ampere=None),
        replace(sweep, amplitude_volt=0.01, amplitude_ampere=0.05),
        *too_large(sweep, model),
    ]
    wide = Limits(-math.inf, math.inf, math.inf, 600.0)
    assert_refused(stand, [partial(stand.driver.begin, one, wide) for one in beyond])


# --- chambers, resistance, switches ----------------------------------------------------------------


@each(Role.CHAMBER)
def test_a_temperature_is_set_soaked_and_read(family: Family, case: str) -> None:
    stand = stand_of(family)
    stand.driver.set_temperature(40.0)
    stand.pass_second(3600.0)
    reading = stand.driver.read_temperature()
    assert (reading.setpoint_celsius, reading.running, reading.alarms) == (40.0, True, ())
    # Five times the sensor's 0.03 K, and a digit.
    assert reading.temperature_celsius == pytest.approx(stand.air_celsius, abs=0.25)
    assert stand.air_celsius == pytest.approx(40.0, abs=0.5)


@each(Role.CHAMBER)
def test_a_temperature_just_outside_the_sheet_is_refused_before_a_byte_is_sent(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    bounds = model_of(stand).temperature_celsius
    assert bounds is not None
    beyond = [bounds[0] - 0.1, bounds[1] + 0.1, math.nan]
    calls = [partial(stand.driver.set_temperature, celsius) for celsius in beyond]
    assert_refused(stand, calls)


@each(Role.RESISTANCE)
def test_resistance_and_voltage_are_the_cells_own(family: Family, case: str) -> None:
    stand = stand_of(family)
    reading = stand.driver.read_resistance()
    now = stand.clock.now()
    ohm = stand.cell.impedance(1000.0, now).real
    allowed = family.impedance_relative * ohm + family.impedance_ohm
    assert reading.resistance_ohm == pytest.approx(ohm, abs=allowed)
    volt = stand.cell.terminals(now).voltage_volt
    assert reading.voltage_volt == pytest.approx(volt, abs=family.volt)
    assert is_safe(stand)


@each(Role.MULTIPLEXER)
def test_one_path_at_a_time_is_closed(family: Family, case: str) -> None:
    stand = stand_of(family)
    for path in ("101", "102"):
        stand.driver.connect(path)
        assert stand.paths_closed == [path]
    assert_refused(stand, [partial(stand.driver.connect, path) for path in ("all", "")])


# --- sensors ---------------------------------------------------------------------------------------


@each(*SENSING)
def test_a_sensor_reads_what_is_there_in_the_unit_of_its_quantity(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    wanted = Quantity.TEMPERATURE if family.role is Role.TEMPERATURE else Quantity.PRESSURE
    assert stand.driver.quantity(family.path) is wanted
    command(stand)
    for _ in range(3):
        stand.pass_second(600.0)
        assert is_what_is_there(stand, look(stand))


@each(*SENSING)
def test_a_path_that_a_sensor_has_not_is_refused_before_a_byte_is_sent(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    assert_refused(
        stand,
        [partial(ask, "1000") for ask in (stand.driver.quantity, stand.driver.read)],
    )


@each(*SENSING)
def test_a_sensor_that_drifts_shows_it_and_one_that_is_silent_is_told(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    command(stand)
    front = stand.world.front(INSTRUMENT)
    front.inject("drift", 50, stand.clock.now())  # type: ignore[attr-defined]
    stand.pass_second(3600.0)
    drifted = family.role is Role.TEMPERATURE or family.name != "keithley.daq6510"
    assert is_what_is_there(stand, look(stand)) is not drifted  # a transmitter is no thermometer
    stand.wire.damage = Damage.SILENCE
    with pytest.raises(LinkTimeout):
        look(stand)


# --- the safe state --------------------------------------------------------------------------------


@each()
def test_making_safe_disconnects_whatever_ran_and_again_changes_nothing(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    for _ in range(2):
        command(stand)
        stand.pass_second(10.0)
        for _ in range(2):
            stand.driver.make_safe()
            assert is_safe(stand)


@each(*DRIVING, cases=[damage.value for damage in DAMAGES])
def test_a_safe_state_that_nobody_confirms_is_the_loudest_error(family: Family, case: str) -> None:
    stand = stand_of(family)
    command(stand)
    stand.wire.damage = Damage(case)
    with pytest.raises(UnconfirmedSafeState):
        stand.driver.make_safe()


# --- a busy machine --------------------------------------------------------------------------------


@each()
def test_a_machine_that_comes_late_finds_every_reply_that_a_quick_one_finds(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    stand.wire.late = True
    command_and_look(stand)
    stand.driver.make_safe()
    assert is_safe(stand)
    assert_works(stand)


# --- a broken wire ---------------------------------------------------------------------------------


@each(cases=[damage.value for damage in DAMAGES])
def test_a_damaged_reply_to_a_command_is_that_error_and_then_it_can_be_made_safe(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    stand.wire.damage = Damage(case)
    with pytest.raises(EXPECTED_ERRORS[Damage(case)]):
        command_and_look(stand)
    assert_recovers(stand)


@each(
    Role.CELL,
    Role.IMPEDANCE,
    Role.CHAMBER,
    Role.RESISTANCE,
    *SENSING,
    cases=[damage.value for damage in DAMAGES],
)
def test_a_damaged_reading_is_that_error_and_then_it_can_be_made_safe(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    command(stand)
    stand.wire.damage = Damage(case)
    with pytest.raises(EXPECTED_ERRORS[Damage(case)]):
        look_for_two_minutes(stand)
    assert_recovers(stand)


@each()
def test_a_cable_that_came_out_and_went_in_again_is_taken_up_where_it_was_safe(
    family: Family, case: str
) -> None:
    stand = stand_of(family)
    identity = stand.driver.identify()
    command(stand)
    stand.wire.reopen()
    stand.pass_second(5.0)
    assert stand.driver.identify() == identity
    stand.driver.make_safe()
    assert is_safe(stand)
    assert_works(stand)
    assert stand.family.channel == "" or stand.cell.conflicts == 0
