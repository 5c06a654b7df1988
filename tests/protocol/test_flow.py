"""Loops, conditions and variables become flat instructions with the right addresses."""

import pytest

from rig.core.errors import BadInput
from rig.protocol.conditions import parse_condition
from rig.protocol.program import Branch, Jump, LoopEnd, LoopStart, Step

CYCLE = "[{charge: {at: 1 mA, until: 4 V}}, {discharge: {at: 1 mA, until: 3 V}}]"


def shape(program):
    """Return the instructions with steps as their words and no line numbers."""
    seen = []
    for item in program.instructions:
        match item:
            case Step():
                seen.append(item.words)
            case LoopStart(end, count, counts):
                seen.append(("loop", end, count, counts))
            case LoopEnd(start, _):
                seen.append(("end", start))
            case Branch(_, otherwise):
                seen.append(("if", otherwise))
            case Jump(to):
                seen.append(("jump", to))
    return seen


def test_nested_loops_point_at_each_other(load_steps):
    program = load_steps("""
        - repeat: 2
          steps:
            - rest: {for: 1 s}
            - repeat: 3
              steps: [{rest: {for: 2 s}}]
        - rest: {for: 3 s}
        """)
    assert shape(program) == [
        ("loop", 5, 2, False),
        "rest for 1 s",
        ("loop", 4, 3, False),
        "rest for 2 s",
        ("end", 2),
        ("end", 0),
        "rest for 3 s",
    ]


def test_if_and_else_jump_over_each_other(load_steps):
    program = load_steps("""
        - if:
            when: cycle == 1
            then:
              - if: {when: cycle > 2, then: [{rest: {for: 1 s}}]}
            else: [{rest: {for: 2 s}}]
        - rest: {for: 3 s}
        """)
    assert shape(program) == [
        ("if", 4),
        ("if", 3),
        "rest for 1 s",
        ("jump", 5),
        "rest for 2 s",
        "rest for 3 s",
    ]


def test_a_repeat_may_end_by_a_condition_alone(load_steps):
    program = load_steps("""
        - repeat:
          steps: [{rest: {for: 1 s}}]
          until: capacity_retention < 80 %
        """)
    assert program.instructions[0] == LoopStart(2, None, line=6)
    assert program.instructions[2] == LoopEnd(0, parse_condition("capacity_retention < 80 %"))


def test_for_each_writes_its_steps_once_for_every_value(load_steps):
    program = load_steps("""
        - for_each: {temperature: [25 degC, 40 degC]}
          steps:
            - set_temperature: {to: $temperature}
            - for_each: {level: [1, 2]}
              steps: [{discharge: {at: $level mA, until: 0 V}}]
        """)
    assert shape(program) == [
        "set 25 degC",
        "discharge at 1 mA until 0 V",
        "discharge at 2 mA until 0 V",
        "set 40 degC",
        "discharge at 1 mA until 0 V",
        "discharge at 2 mA until 0 V",
    ]


def test_the_outermost_loop_that_charges_and_discharges_counts_cycles(load_steps):
    program = load_steps(f"""
        - repeat: 2
          steps:
            - repeat: 3
              steps: {CYCLE}
            - repeat: 4
              steps: [{{charge: {{at: 1 mA, for: 1 s}}}}]
        - repeat: 5
          steps: {CYCLE}
        """)
    counting = [
        i.count for i in program.instructions if isinstance(i, LoopStart) and i.counts_cycles
    ]
    assert counting == [2, 5]


def test_what_counts_cycles_can_be_said(load_steps):
    program = load_steps(f"""
        - repeat: 2
          steps: [{{repeat: 3, counts: cycles, steps: {CYCLE}}}]
        - {{repeat: 5, counts: nothing, steps: {CYCLE}}}
        """)
    counting = [
        i.count for i in program.instructions if isinstance(i, LoopStart) and i.counts_cycles
    ]
    assert counting == [3]


def test_only_one_of_nested_loops_can_count_cycles(load_steps):
    inner = f"{{repeat: 3, counts: cycles, steps: {CYCLE}}}"
    with pytest.raises(BadInput, match=r"f.yaml:6:\d+: this repeat lies inside another"):
        load_steps(f"- {{repeat: 2, counts: cycles, steps: [{inner}]}}")


# --- variables -----------------------------------------------------------------------------------

HEADER = "protocol: 1\nname: $cell_name at $rate\nvariables: {n: 3, rate: C/2, cell_name: A}\n"
HEADER += "cell: {capacity: 2 mAh}\nsafety: {voltage: [0 V, 5 V]}\n"
STEPS = "- repeat: $n\n  steps: [{charge: {at: $rate, until: 4 V}}]"


def test_variables_have_defaults_and_can_be_set(load_steps):
    program = load_steps(STEPS, header=HEADER)
    assert program.name == "A at C/2"
    assert program.instructions[0].count == 3
    program = load_steps(STEPS, header=HEADER, variables={"n": "20", "rate": "1C"})
    assert program.instructions[0].count == 20
    assert program.instructions[1].drive.current_ampere == 0.002
    assert program.variables == {"n": "20", "rate": "1C", "cell_name": "A"}


@pytest.mark.parametrize(
    ("steps", "variables", "message"),
    [
        (STEPS + "\n- rest: {for: $tim}", {}, r"f.yaml:9:17: unknown variable '\$tim'"),
        (STEPS, {"raet": "1C"}, r"--set raet=1C: the protocol has no variable .*'rate'"),
        (STEPS, {"n": "many"}, "repeat: got 'many', expected a whole number"),
        ("- rest: {for: 1 s}", {}, "f.yaml:3:13: the variable 'n' is never used"),
        ("- for_each: {n: [1]}\n  steps: [{rest: {for: $n s}}]", {}, "exists already"),
    ],
)
def test_variables_that_mean_nothing_are_refused(load_steps, steps, variables, message):
    with pytest.raises(BadInput, match=message):
        load_steps(steps, header=HEADER, variables=variables)


def test_a_value_with_an_unknown_variable_has_that_one_problem(load_steps):
    with pytest.raises(BadInput) as refusal:
        load_steps("- for_each: {t: [1, 2]}\n  steps: [{rest: {for: $minutes}}]")
    assert len(refusal.value.problems) == 1


def test_a_protocol_that_unrolls_without_end_is_refused(load_steps):
    values = "[" + ", ".join(map(str, range(200))) + "]"
    steps = f"""
        - for_each: {{a: {values}}}
          steps:
            - for_each: {{b: {values}}}
              steps: [{{rest: {{for: 1 s}}}}]
        """
    with pytest.raises(BadInput, match="unrolls to more than 20000 steps; use repeat"):
        load_steps(steps)
