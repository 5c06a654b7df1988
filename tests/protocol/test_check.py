"""A program against a channel, as a table, and its duration."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.protocol.check import (
    ChannelFacts,
    check_channel,
    estimate_duration_second,
    needs,
    step_table,
    warnings,
)
from rig.protocol.program import CellFacts, Safety
from rig.protocol.within import contradictions
from tests.protocol.conftest import HEADER

UNWATCHED = HEADER.replace(", temperature: [-40 degC, 100 degC]", "")
ALL_ROLES = frozenset({"cell", "impedance", "chamber"})
EIS = "eis: {from: 1 MHz, to: 1 Hz, amplitude: 50 mV}"
STABLE = "stable: {impedance: 1 %, at: 10 kHz, every: 10 min}"


@pytest.mark.parametrize(
    ("step", "roles"),
    [
        ("rest: {for: 1 s}", {"cell"}),
        (EIS, {"impedance"}),
        ("set_temperature: {to: 25 degC}", {"chamber"}),
        (f"set_temperature: {{to: 25 degC, {STABLE}}}", {"chamber", "impedance"}),
    ],
)
def test_a_program_says_what_it_needs(load_steps, step, roles):
    program = load_steps(f"- {step}", header=UNWATCHED)
    assert needs(program) == roles
    channel = ChannelFacts("A1", ALL_ROLES - roles)
    told = [problem.message for problem in check_channel(program, channel)]
    articles = {"impedance": "an"}
    assert told == [
        f"the protocol needs {articles.get(role, 'a')} {role}, the channel has none"
        for role in sorted(roles)
    ]


def test_a_channel_that_can_do_everything_has_no_problem(load_steps):
    program = load_steps(f"- charge: {{at: 1 mA, until: 4 V}}\n- {EIS}")
    assert check_channel(program, ChannelFacts("A1", ALL_ROLES)) == []


@pytest.mark.parametrize(
    ("step", "facts", "message"),
    [
        ("charge: {at: 10 mA, until: 4 V}", {"current_ampere": 0.005}, "10 mA is outside"),
        ("charge: {at: 1 mA, until: 4 V}", {"voltage": (-2.0, 2.0)}, "4 V is outside"),
        ("hold: {at: 4 V, for: 1 h}", {"voltage": (-2.0, 2.0)}, "4 V is outside"),
        ("hold: {at: 4 V, for: 1 h}", {"current_ampere": 0.005}, "20 mA is outside"),
        ("charge: {at: 1 mA, until: 4 V}", {"safety": Safety(0.0, 3.9)}, "4 V is outside"),
        ("set_temperature: {to: -30 degC}", {"temperature": (-20.0, 100.0)}, "-30 degC is outside"),
        (EIS, {"frequency": (0.1, 2e5)}, "1 MHz is outside"),
        (EIS, {"amplitude_volt": 0.02}, "50 mV is outside"),
        (f"set_temperature: {{to: 0 degC, {STABLE}}}", {"frequency": (1.0, 1e3)}, "10 kHz is"),
    ],
)
def test_what_a_channel_cannot_do_is_said_with_the_step(load_steps, step, facts, message):
    program = load_steps(f"- {step}")
    channel = ChannelFacts("A1", ALL_ROLES, **facts)
    problems = check_channel(program, channel)
    assert any(message in problem.message for problem in problems), problems
    assert problems[0].where.startswith("A1, line 6 (")


@pytest.mark.parametrize(
    ("step", "safety", "message"),
    [
        (
            "rest: {for: 1 h, until: {voltage: '> 4 V'}}",
            Safety(0.0, 3.9),
            "until voltage > 4 V can never be reached: it lies above 3.9 V, a limit of the bench file",
        ),
        (
            "charge: {at: 1 mA, until: [4 V, {capacity: 2 mAh}]}",
            Safety(capacity_max_ah=1e-3),
            "until capacity 2 mAh can never be reached: it lies above 1 mAh, a limit of the bench file",
        ),
        (
            "charge: {at: 1 mA, until: 4 V}",
            Safety(0.0, 3.9),
            "4 V is outside what the channel allows, 0 V to 3.9 V (the bench file)",
        ),
        (
            EIS.replace("}", ", bias: 3.9 V}"),
            Safety(0.0, 3.95),
            "bias and amplitude reach above 3.95 V, a limit of the bench file",
        ),
        (
            EIS.replace("50 mV", "10 mA"),
            Safety(current_max_ampere=0.01),
            "peak 14.14 mA lies above 10 mA, a limit of the bench file",
        ),
    ],
)
def test_what_a_step_asks_for_beyond_the_benchs_limits_is_refused(
    load_steps, step, safety, message
):
    program = load_steps(f"- {step}")
    (problem,) = check_channel(program, ChannelFacts("A1", ALL_ROLES, safety=safety))
    assert problem.message == message


def test_limits_that_leave_no_value_are_refused_with_both_sources(load_steps):
    header = HEADER.replace("voltage: [-1 V, 5 V]", "voltage: [2.5 V, 4.3 V]")
    program = load_steps("- rest: {for: 1 h}", header=header)
    bench = Safety(-1.5, 1.5, temperature_min_celsius=100.0)
    channel = ChannelFacts("A1", ALL_ROLES, voltage=(-2.0, 2.0), safety=bench)
    assert [str(problem) for problem in check_channel(program, channel)] == [
        "A1: the protocol limits the voltage to 2.5 V to 4.3 V, the bench file to -1.5 V to 1.5 V: "
        "no value is within both",
        "A1: the protocol limits the voltage to 2.5 V to 4.3 V, its instruments to -2 V to 2 V: "
        "no value is within both",
        "A1: the protocol limits the temperature to -40 degC to 100 degC, the bench file to at least "
        "100 degC: no value is within both",
    ]


def test_limits_of_a_cell_that_contradict_the_protocol_are_refused_with_the_place(load_steps):
    cell = CellFacts(limits=Safety(6.0, 7.0))
    with pytest.raises(BadInput) as refusal:
        load_steps("- rest: {for: 1 h}", cell=cell)
    (problem,) = refusal.value.problems
    assert problem.where.startswith("f.yaml:4:")
    assert "the protocol limits the voltage to -1 V to 5 V, the cell's record to 6 V to" in str(
        problem
    )


@given(
    st.lists(
        st.tuples(st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5)).filter(
            lambda span: None in span or span[0] < span[1]
        ),
        min_size=1,
        max_size=4,
    )
)
def test_limits_contradict_each_other_just_when_their_intersection_is_empty(spans):
    sources = [(str(who), Safety(low, high)) for who, (low, high) in enumerate(spans)]
    both = functools.reduce(Safety.intersect, (safety for _, safety in sources))
    low, high = both.voltage_min_volt, both.voltage_max_volt
    empty = low is not None and high is not None and low >= high
    assert bool(list(contradictions(sources, "A1"))) is empty


WITHOUT_CHAMBER = ALL_ROLES - {"chamber"}


def test_a_temperature_limit_is_refused_where_nobody_reads_a_temperature(load_steps):
    program = load_steps("- rest: {for: 1 s}")
    (problem,) = check_channel(program, ChannelFacts("A1", WITHOUT_CHAMBER))
    assert str(problem).startswith("A1: the protocol limits the temperature, but the channel has")
    assert check_channel(program, ChannelFacts("A1", ALL_ROLES)) == []


def test_a_temperature_limit_of_the_bench_is_refused_there_as_well(load_steps):
    program = load_steps("- rest: {for: 1 s}", header=UNWATCHED)
    warm = Safety(temperature_max_celsius=60.0)
    (problem,) = check_channel(program, ChannelFacts("A1", WITHOUT_CHAMBER, safety=warm))
    assert "the bench file limits the temperature" in problem.message
    assert check_channel(program, ChannelFacts("A1", WITHOUT_CHAMBER)) == []


def test_an_end_by_temperature_is_refused_where_nobody_reads_one(load_steps):
    step = "- rest: {until: {temperature: '> 45 degC'}, for: 1 h}"
    program = load_steps(step, header=UNWATCHED)
    (problem,) = check_channel(program, ChannelFacts("A1", WITHOUT_CHAMBER))
    assert problem.where.startswith("A1, line 6 (rest")
    assert "ends by temperature" in problem.message


def test_a_hold_at_another_voltage_than_the_charge_before_is_a_warning(load_steps):
    charge = "- charge: {at: 1 mA, until: 4.2 V}\n"
    assert warnings(load_steps(charge + "- hold: {at: 4.2 V, for: 1 h}")) == []
    (warning,) = warnings(load_steps(charge + "- hold: {at: 4.1 V, for: 1 h}"), "f.yaml")
    assert warning.where == "f.yaml:7"
    assert warning.message == "holds 4.1 V after a step that ends at 4.2 V"


def test_the_table_is_indented_by_loops_and_conditions(load_steps):
    program = load_steps("""
        - repeat: 500
          until: capacity_retention < 80 %
          steps:
            - charge: {at: C/2, until: 4.2 V}
            - if:
                when: pass % 50 == 0
                then: [{eis: {from: 100 kHz, to: 0.1 Hz, amplitude: 5 mV}, phase: check}]
                else: [{rest: {for: 5 min}}]
            - discharge: {at: C/2, until: 2.8 V}
        - rest: {for: 10 min}
        """)
    assert [(row.depth, row.words) for row in step_table(program)] == [
        (0, "repeat 500 times until capacity_retention < 80 %, counts cycles"),
        (1, "charge at C/2 until 4.2 V"),
        (1, "if pass % 50 == 0"),
        (2, "EIS 100 kHz to 0.1 Hz, 10 points per decade, 5 mV"),
        (1, "else"),
        (2, "rest for 5 min"),
        (1, "discharge at C/2 until 2.8 V"),
        (0, "rest for 10 min"),
    ]
    assert step_table(program)[3].phase == "check"
    assert step_table(program)[1].record == "every 10 s"


SLOW_SPECTRUM = "from: 1 Hz, to: 1 mHz, points_per_decade: 1, amplitude: 9 mV"

# --- duration ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "second"),
    [
        ("- rest: {for: 10 min}", 600),
        ("- charge: {at: C/2, until: 4 V}", 7200),
        ("- charge: {at: C/2, until: 4 V, for: 1 h}", 3600),
        ("- charge: {at: 1 mA, until: {voltage: 4 V, capacity: 1 mAh}}", 3600),
        ("- cccv: {at: 1C, to: 4 V, until: C/20}", 3600 + 1800),
        ("- hold: {at: 4 V, until: C/20}", 1800),
        ("- hold: {at: 4 V, until: C/20, for: 10 min}", 600),
        ("- repeat: 100\n  steps: [{rest: {for: 1 min}}]", 6000),
        ("- repeat: 20000\n  steps: [{rest: {for: 1 s}}]", 20_000),
        ("- repeat:\n  steps: [{rest: {for: 1 min}}]\n  until: cycle == 3", 60),
        ("- set_temperature: {to: 35 degC, soak: 1 h}", 600 + 3600),
        (f"- set_temperature: {{to: 25 degC, soak: 1 h, {STABLE}}}", 3600 + 1200),
        ("- set_temperature: {to: 85 degC, timeout: 30 min}", 1800),
        (f"- eis: {{{SLOW_SPECTRUM}, repeat_lowest: 0}}", 3 * 1111 + 4 * 0.2),
        (f"- eis: {{{SLOW_SPECTRUM}}}", 3 * (1111 + 1110) + 7 * 0.2),  # the three lowest again
    ],
)
def test_the_duration_follows_the_written_rules(load_steps, steps, second):
    assert estimate_duration_second(load_steps(steps)) == pytest.approx(second)


def test_the_longest_time_counts_every_spectrum_as_often_as_its_step_allows(load_steps):
    steps = f"""
        - eis: {{{SLOW_SPECTRUM}, repeat_lowest: 0, repeat_if_invalid: 2}}
        - eis: {{{SLOW_SPECTRUM}, repeat_lowest: 0}}
    """
    program, once = load_steps(steps), 3 * 1111 + 4 * 0.2
    assert estimate_duration_second(program) == pytest.approx(2 * once)
    assert estimate_duration_second(program, all_invalid=True) == pytest.approx(4 * once)


def test_conditions_on_counters_are_walked_through(load_steps):
    program = load_steps("""
        - repeat: 100
          steps:
            - if: {when: pass % 50 == 0, then: [{rest: {for: 1 h}}], else: [{rest: {for: 1 s}}]}
        """)
    assert estimate_duration_second(program) == 2 * 3600 + 98


def test_another_cell_takes_another_time(load_steps):
    program = load_steps("- charge: {at: 1 mA, until: 4 V}")
    assert estimate_duration_second(program, CellFacts(capacity_ah=0.001)) == 3600


def test_loops_within_loops_are_estimated_in_no_time(load_steps):
    program = load_steps("""
        - repeat: 100000
          steps:
            - repeat: 100000
              steps: [{repeat: 100000, steps: [{rest: {for: 1 s}}]}]
        """)
    assert estimate_duration_second(program) == pytest.approx(1e15)
