"""Two texts of a protocol as the difference between them: every change that matters, once, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.protocol import loads_protocol
from rig.protocol.difference import difference, is_wider
from rig.protocol.limit_changes import Effect
from rig.protocol.outline import leaves, outline
from rig.protocol.program import Program, Safety, Step

TEXT = """protocol: 1
name: a test
cell: {area: 0.785 cm^2, capacity: 2 mAh}
auxiliaries: {dew_point: degC}
safety:
  voltage: [2.5 V, 4.5 V]
  current: 10 mA
  lasting: 5 s
  soft: {voltage: [2.6 V, 4.4 V]}
  auxiliaries: {dew_point: "< -20 degC"}
suspend: {temperature: {beyond: 2 K, resume: 1 K}}
record: {every: 10 s}
steps:
  - for_each: {temperature: [25 degC, 40 degC]}
    steps:
      - set_temperature: {to: $temperature, within: 0.3 K, soak: 30 min, timeout: 3 h}
      - eis: {from: 100 kHz, to: 1 Hz, points_per_decade: 5, amplitude: 10 mV}
  - repeat: 500
    steps:
      - charge: {at: C/2, until: 4.2 V}
      - hold: {at: 4.2 V, until: C/20, for: 2 h}
      - rest: {for: 10 min}
      - discharge: {at: C/2, until: 2.8 V}
      - if: {when: cycle % 50 == 0, then: [{rest: {for: 1 min}}]}
    until: capacity_retention < 80 %
"""


def lines(*changed: tuple[str, str]) -> list[str]:
    text = TEXT
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return [str(change) for change in difference(loads_protocol(TEXT), loads_protocol(text))]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4.5 V]", "4.45 V]", "safety.voltage upper: 4.5 V -> 4.45 V (tighter)"),
        ("[2.5 V", "[2.4 V", "safety.voltage lower: 2.5 V -> 2.4 V (wider)"),
        ("current: 10 mA", "current: 12 mA", "safety.current: 10 mA -> 12 mA (wider)"),
        ("lasting: 5 s", "lasting: 1 s", "safety.lasting: 5 s -> 1 s (tighter)"),
        ("4.4 V]", "4.3 V]", "safety.soft.voltage upper: 4.4 V -> 4.3 V (tighter)"),
        ("-20 degC", "-10 degC", "safety.dew_point upper: -20 degC -> -10 degC (wider)"),
        ("beyond: 2 K", "beyond: 3 K", "suspend.temperature beyond: 2 K -> 3 K (wider)"),
        ("repeat: 500", "repeat: 300", "loop 4: 500 -> 300 times"),
        (
            "< 80 %",
            "< 70 %",
            "loop 4: until capacity_retention < 80 % -> until capacity_retention < 70 %",
        ),
        ("10 min", "5 min", "step 7 (rest for 10 min): for 10 min -> for 5 min"),
        (
            "hold: {at: 4.2 V",
            "hold: {at: 4.1 V",
            "step 6 (hold 4.2 V until C/20 or for 2 h): at 4.2 V -> 4.1 V",
        ),
        ("% 50", "% 25", "condition 9: cycle % 50 == 0 -> cycle % 25 == 0"),
        ("name: a test", "name: another", "name: a test -> another"),
        (
            "every: 10 s",
            "every: 1 s",
            "steps 0, 1, 2, 3, 5, 6, 7, 8, 10: record every 10 s -> every 1 s",
        ),
        (
            "within: 0.3 K",
            "within: 0.5 K",
            "step 0 (set 25 degC, soak 30 min): within_kelvin 0.3 -> 0.5",
        ),
        (
            "5, amplitude",
            "10, amplitude",
            "steps 1, 3 (EIS 100 kHz to 1 Hz, 5 points per decade, 10 mV): EIS 100 kHz to 1 Hz, "
            "5 points per decade, 10 mV -> EIS 100 kHz to 1 Hz, 10 points per decade, 10 mV",
        ),
        (
            "      - rest: {for: 10 min}\n",
            "",
            "step 7: is taken out (rest for 10 min)",
        ),
        (
            "      - rest: {for: 10 min}\n",
            "      - rest: {for: 10 min}\n      - eis: {from: 1 kHz, to: 1 Hz, amplitude: 5 mV}\n",
            "step 8: is new: EIS 1 kHz to 1 Hz, 10 points per decade, 5 mV",
        ),
    ],
)
def test_a_change_is_said_in_words(old: str, new: str, said: str) -> None:
    assert said in lines((old, new))


def test_the_same_text_and_what_only_looks_different_is_no_difference() -> None:
    assert lines() == []
    assert lines(("steps:\n  - for_each", "# agreed on Monday\nsteps:\n\n  - for_each")) == []


def test_a_limit_in_force_that_another_source_holds_has_not_changed() -> None:
    bench = Safety(voltage_max_volt=4.3)
    wider = loads_protocol(TEXT.replace("4.5 V]", "5 V]"))
    old, new = (
        replace(one, safety=one.safety.intersect(bench)) for one in (loads_protocol(TEXT), wider)
    )
    assert difference(old, new) == ()
    assert is_wider(difference(loads_protocol(TEXT), wider))


@settings(max_examples=40, deadline=None)
@given(st.floats(2.0, 5.0), st.floats(2.0, 5.0), st.booleans())
def test_wider_one_way_is_tighter_the_other_way(one: float, other: float, lower: bool) -> None:
    name = "voltage_min_volt" if lower else "voltage_max_volt"
    programs = [Program("p", (), Safety(**{name: volt})) for volt in (one, other)]
    there, back = difference(*programs), difference(*reversed(programs))
    if one == other:
        assert there == back == ()
        return
    assert {there[0].effect, back[0].effect} == {Effect.WIDER, Effect.TIGHTER}
    assert is_wider(there) is ((other < one) if lower else (other > one))


def test_a_limit_that_is_taken_away_is_wider_and_one_that_comes_is_tighter() -> None:
    without, with_one = Program("p", (), Safety()), Program("p", (), Safety(capacity_max_ah=0.003))
    assert str(difference(with_one, without)[0]) == "safety.capacity: 3 mAh -> none (wider)"
    assert str(difference(without, with_one)[0]) == "safety.capacity: none -> 3 mAh (tighter)"


def test_the_outline_has_every_step_of_the_program_once_and_in_order() -> None:
    program = loads_protocol(TEXT.replace("min}}]}", "min}}], else: [{rest: {for: 2 min}}]}"))
    steps = [n for n, item in enumerate(program.instructions) if isinstance(item, Step)]
    assert [leaf.first for leaf in leaves(outline(program))] == steps
    assert outline(program).after == len(program.instructions)
