"""Pressure and named auxiliaries in a protocol: declared, in ends, limits and waits; with whatever is wrong."""

from __future__ import annotations

import pytest

from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.protocol.check import ChannelFacts, check_channel, needs
from rig.protocol.program import (
    UNLIMITED,
    AuxiliaryLimit,
    CellFacts,
    Program,
    Safety,
    SuspendCondition,
)
from rig.protocol.usual import with_usual_limits

HEAD = """protocol: 1
name: dry
cell: {capacity: 2 mAh}
auxiliaries: {dew_point: degC, spring: N}
"""
STEPS = "steps: [{rest: {for: 1 min}}]\n"
SAFETY = "safety: {voltage: [2.5 V, 4.3 V], current: 5 mA"


def program(header: str = "", steps: str = STEPS, cell: CellFacts | None = None) -> Program:
    return loads_protocol(HEAD + header + steps, file_name="p.yaml", cell=cell)


def test_everything_is_read_in_base_units() -> None:
    read = program(
        f"{SAFETY}, pressure: [1 MPa, 12 MPa], auxiliaries: {{dew_point: < -30 degC, "
        "spring: [1 kN, 2 kN]}}\n"
        "suspend: {auxiliaries: {dew_point: {above: -40 degC, resume: -45 degC, settle: 5 min}},"
        " pressure: {below: 2 MPa, resume: 3 MPa, timeout: 1 h}}\n"
    )
    assert read.auxiliaries == {"dew_point": "temperature", "spring": "force"}
    assert (read.safety.pressure_min_pascal, read.safety.pressure_max_pascal) == (1e6, 12e6)
    assert read.safety.auxiliaries == (
        AuxiliaryLimit("dew_point", "temperature", None, -30.0),
        AuxiliaryLimit("spring", "force", 1000.0, 2000.0),
    )
    assert read.suspend is not None
    assert read.suspend.beyond_kelvin == 2.0, "the usual band stays"
    assert read.suspend.conditions == (
        SuspendCondition("pressure", "pressure", "<=", 2e6, 3e6, 600.0, 3600.0, "2 MPa"),
        SuspendCondition(
            "dew_point", "temperature", ">=", -40.0, -45.0, 300.0, 21_600.0, "-40 degC"
        ),
    )


@pytest.mark.parametrize(
    ("until", "quantity", "operator", "value"),
    [
        ("pressure > 11 MPa", "pressure", ">=", 11e6),
        ("> 11 MPa", "pressure", ">=", 11e6),
        ("dew_point > -20 degC", "dew_point", ">=", -20.0),
        ("spring < 500 N", "spring", "<=", 500.0),
    ],
)
def test_a_step_may_end_by_a_pressure_or_an_auxiliary(
    until: str, quantity: str, operator: str, value: float
) -> None:
    read = program(steps=f'steps: [{{rest: {{until: "{until}"}}}}]\n')
    (end,) = read.instructions[0].ends  # type: ignore[union-attr]
    assert (end.quantity, end.operator, end.value) == (quantity, operator, value)


def test_ends_may_stand_by_name_with_what_happens_then() -> None:
    until = 'until: {time: 1 h, auxiliaries: {dew_point: "> -20 degC"}, then: stop}'
    read = program(steps=f"steps: [{{rest: {{{until}}}}}]\n")
    ends = read.instructions[0].ends  # type: ignore[union-attr]
    assert [(end.quantity, end.words, end.target.value) for end in ends] == [
        ("time", "time 1 h", "stop"),
        ("dew_point", "dew_point > -20 degC", "stop"),
    ]


@pytest.mark.parametrize(
    ("header", "steps", "words"),
    [
        ("", 'steps: [{rest: {until: "dew_pont > -20 degC"}}]\n', "did you mean 'dew_point'?"),
        ("", 'steps: [{rest: {until: "dew_point > 3 V"}}]\n', "declared as a temperature"),
        ("", "steps: [{rest: {until: {pressure: 3 MPa}}}]\n", "needs an explicit operator"),
        ("", 'steps: [{rest: {until: "foo > 3 A"}}]\n', "unknown quantity 'foo'"),
        (
            "",
            "steps: [{rest: {until: {auxiliaries: {dew_point: -20 degC}}}}]\n",
            "without an operator",
        ),
        (f"{SAFETY}, auxiliaries: {{ph: < 3 V}}}}\n", STEPS, "unknown quantity 'ph'"),
        (f"{SAFETY}, auxiliaries: {{dew_point: < 3 V}}}}\n", STEPS, "declared as a temperature"),
        (f"{SAFETY}, auxiliaries: {{dew_point: -40 degC}}}}\n", STEPS, "or one bound with its"),
        (f"{SAFETY}, pressure: [12 MPa, 1 MPa]}}\n", STEPS, "expected the lower value first"),
        (
            f"{SAFETY}, pressure: [1 MPa, 10 MPa]}}\n",
            'steps: [{rest: {until: "pressure > 11 MPa"}}]\n',
            "can never be reached: it lies above 10 MPa",
        ),
        (
            f"{SAFETY}, auxiliaries: {{dew_point: < -30 degC}}}}\n",
            'steps: [{rest: {until: "dew_point > -20 degC"}}]\n',
            "can never be reached: it lies above -30 degC",
        ),
        (
            f"{SAFETY}, pressure: [1 MPa, 9 MPa], soft: {{pressure: [1 MPa, 10 MPa]}}}}\n",
            STEPS,
            "a soft limit lies beyond the hard one",
        ),
        (
            f"{SAFETY}, auxiliaries: {{dew_point: < -40 degC}}, "
            "soft: {auxiliaries: {dew_point: < -30 degC}}}\n",
            STEPS,
            "a soft limit lies beyond the hard one",
        ),
        ("suspend: {pressure: {above: 2 MPa, resume: 3 MPa}}\n", STEPS, "has to lie inside"),
        ("suspend: {pressure: {resume: 3 MPa}}\n", STEPS, "needs one of 'above' and 'below'"),
        ("suspend: {pressure: {above: 2 V, resume: 1 V}}\n", STEPS, "expected a pressure"),
        (
            "suspend: {auxiliaries: {dew_point: {above: 2 V, resume: -45 degC}}}\n",
            STEPS,
            "another kind of quantity",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(header: str, steps: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        program(header, steps)
    assert len(caught.value.problems) == 1
    assert words in str(caught.value.problems[0])
    assert caught.value.problems[0].where.startswith("p.yaml:")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("{Dew: degC}", "in small letters"),
        ("{voltage: V}", "every protocol knows"),
        ("{ph: 3}", "expected a unit"),
        ("{ph: Ah}", "expected a unit"),
    ],
)
def test_an_auxiliary_has_a_name_of_its_own_and_a_unit(declared: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        loads_protocol(f"protocol: 1\nname: a\nauxiliaries: {declared}\n{STEPS}")


# --- on a channel --------------------------------------------------------------------------------

FULL = ChannelFacts(
    "A1",
    frozenset({"cell", "temperature", "pressure", "auxiliary dew_point", "auxiliary spring"}),
    auxiliaries={"dew_point": "temperature", "spring": "force"},
)
BARE = ChannelFacts("A1", frozenset({"cell"}))


def test_a_pressure_that_is_watched_has_to_be_read() -> None:
    for header, steps in (
        (f"{SAFETY}, pressure: [1 MPa, 12 MPa]}}\n", STEPS),
        (f"{SAFETY}, soft: {{pressure: [1 MPa, 12 MPa]}}}}\n", STEPS),
        ("suspend: {pressure: {above: 2 MPa, resume: 1 MPa}}\n", STEPS),
        ("", 'steps: [{rest: {until: "pressure > 11 MPa"}}]\n'),
    ):
        read = program(header, steps)
        assert "pressure" in needs(read)
        assert check_channel(read, FULL) == []
        assert any("pressure" in str(problem) for problem in check_channel(read, BARE))


def test_the_cells_own_limits_are_in_force_whatever_the_protocol_says() -> None:
    own = UNLIMITED.intersect(Safety(voltage_max_volt=4.2, pressure_max_pascal=9e6))
    read = program(f"{SAFETY}}}\n", cell=CellFacts(limits=own))
    assert (read.safety.voltage_max_volt, read.safety.pressure_max_pascal) == (4.2, 9e6)
    (problem, _) = check_channel(
        read, ChannelFacts("A1", FULL.roles - {"pressure"}, auxiliaries=FULL.auxiliaries)
    )
    assert "needs a pressure" in str(problem)


def test_a_cell_with_a_thermometer_has_limits_that_nobody_wrote() -> None:
    read = program(f"{SAFETY}}}\n")
    limits = with_usual_limits(read, read.safety, FULL)
    assert (limits.heating_max_kelvin_per_minute, limits.temperature_max_celsius) == (2.0, 80.0)
    assert with_usual_limits(read, read.safety, BARE) == read.safety
    own = program(f"{SAFETY}, temperature: [0 degC, 90 degC], heating: 5 K/min}}\n")
    assert with_usual_limits(own, own.safety, FULL) == own.safety
    hot = program(f"{SAFETY}}}\n", "steps: [{set_temperature: {to: 120 degC}}]\n")
    assert with_usual_limits(hot, hot.safety, FULL).temperature_max_celsius == 125.0
