"""Whatever is generated: valid protocols compile to well-formed programs, the rest is bad input."""

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.protocol.check import estimate_duration_second, step_table
from rig.protocol.program import Branch, Jump, LoopEnd, LoopStart, Program

HEADER = {
    "protocol": 1,
    "name": "generated",
    "cell": {"capacity": "2 mAh", "area": "1 cm^2"},
    "safety": {"voltage": ["-5 V", "5 V"], "current": "1 A"},
}

_currents = st.sampled_from(["C/10", "1C", "0.3 mA", "1 mA/cm^2"])
_volts = st.integers(-4999, 4999).map(lambda millivolt: f"{millivolt} mV")
_times = st.integers(1, 500).map(lambda minutes: f"{minutes} min")
_primitives = st.one_of(
    st.fixed_dictionaries({"rest": st.fixed_dictionaries({"for": _times})}),
    st.fixed_dictionaries(
        {
            "charge": st.fixed_dictionaries(
                {"at": _currents, "until": _volts}, optional={"for": _times}
            )
        }
    ),
    st.fixed_dictionaries({"discharge": st.fixed_dictionaries({"at": _currents, "until": _volts})}),
    st.fixed_dictionaries({"hold": st.fixed_dictionaries({"at": _volts, "for": _times})}),
    st.fixed_dictionaries(
        {"cccv": st.fixed_dictionaries({"at": _currents, "to": _volts, "until": st.just("C/50")})}
    ),
    st.just({"eis": {"from": "1 MHz", "to": "1 Hz", "amplitude": "10 mV"}}),
)
_conditions = st.sampled_from(["cycle % 2 == 0", "capacity_retention < 80 %", "not cycle > 3"])


def _blocks(steps: st.SearchStrategy) -> st.SearchStrategy:
    some = st.lists(steps, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"repeat": st.integers(1, 9), "steps": some}, optional={"until": _conditions}
        ),
        st.fixed_dictionaries(
            {"for_each": st.just({"x": ["1", "2"]}), "steps": some},
            optional={"phase": st.sampled_from(["formation", "ageing", "check"])},
        ),
        st.fixed_dictionaries(
            {
                "if": st.fixed_dictionaries(
                    {"when": _conditions, "then": some}, optional={"else": some}
                )
            }
        ),
    )


def _with_distinct_variables(value: object, depth: int = 0) -> object:
    """Return the steps with every for_each variable named by its depth: names never shadow."""
    if isinstance(value, list):
        return [_with_distinct_variables(item, depth) for item in value]
    if not isinstance(value, dict):
        return value
    if "for_each" in value:
        value = {**value, "for_each": {f"x{depth}": ["1", "2"]}}
    return {key: _with_distinct_variables(item, depth + 1) for key, item in value.items()}


_steps = st.lists(st.recursive(_primitives, _blocks, max_leaves=8), min_size=1, max_size=4).map(
    _with_distinct_variables
)


def well_formed(program: Program) -> bool:
    """Return whether every address leads to where its instruction says."""
    code = program.instructions
    for address, item in enumerate(code):
        match item:
            case LoopStart(end):
                loop_end = code[end]
                if not isinstance(loop_end, LoopEnd) or loop_end.start != address:
                    return False
            case LoopEnd(start):
                loop = code[start]
                if not isinstance(loop, LoopStart) or loop.end != address:
                    return False
            case Branch(_, target) | Jump(target):
                if not address < target <= len(code):
                    return False
    return True


@given(_steps)
def test_every_valid_protocol_compiles_to_a_well_formed_program(steps):
    # JSON is YAML: what is generated needs no emitter of its own.
    program = loads_protocol(json.dumps({**HEADER, "steps": steps}))
    assert well_formed(program)
    assert len(step_table(program)) == sum(
        not isinstance(item, LoopEnd) for item in program.instructions
    )
    assert estimate_duration_second(program) >= 0


_words = st.one_of(
    st.sampled_from(
        ["protocol", "name", "safety", "steps", "rest", "charge", "repeat", "for_each"]
    ),
    st.sampled_from(["if", "until", "for", "at", "then", "when", "$x", "cycle"]),
    st.sampled_from(["4.2", "V", "C/2", "1", "10", "min", *"<>%-:[]{},"]),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=4),
    max_leaves=12,
)


@given(st.text(max_size=80) | st.lists(_words, max_size=20).map(" ".join))
def test_any_text_is_a_program_or_bad_input(text: str):
    with contextlib.suppress(BadInput):
        loads_protocol(text)


@given(_json)
def test_any_structure_under_steps_is_a_program_or_bad_input(value):
    with contextlib.suppress(BadInput):
        loads_protocol(json.dumps({**HEADER, "steps": value}))
    with contextlib.suppress(BadInput):
        loads_protocol(json.dumps({**HEADER, "steps": [value]}))


@given(_json, st.sampled_from(["cell", "safety", "record", "variables", "name", "protocol"]))
def test_any_structure_in_the_header_is_a_program_or_bad_input(value, key: str):
    steps = [{"charge": {"at": "1 mA", "until": "4 V"}}]
    with contextlib.suppress(BadInput):
        loads_protocol(json.dumps({**HEADER, "steps": steps, key: value}))
