"""Where a place in a program is in another text of it: unambiguous, or refused with the reason."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.engine.carrying import carried
from rig.engine.cursor import Place
from rig.protocol import loads_protocol
from rig.protocol.program import LoopStart, Program, Step

HEAD = """protocol: 1
name: a test
cell: {area: 1 cm^2, capacity: 1 Ah}
safety: {voltage: [2.5 V, 4.4 V], current: 1 A}
steps:
"""
FIRST = "  - rest: {for: 10 min}\n"
LOOP = """  - repeat: 3
    steps:
      - charge: {at: 0.5 A, until: 4.0 V}
      - rest: {for: 20 min}
      - discharge: {at: 0.5 A, until: 3.1 V}
"""
LAST = "  - eis: {from: 1 kHz, to: 1 Hz, points_per_decade: 2, amplitude: 10 mV}\n"
TEXT = HEAD + FIRST + LOOP + LAST
REST, LOOPED, CHARGE, PAUSE, DISCHARGE, LOOP_END, SPECTRUM = range(7)


@functools.cache
def program(text: str = TEXT) -> Program:
    return loads_protocol(text)


def at(pc: int, number: int = 2, *, step_open: bool = True) -> Place:
    loops = ((LOOPED, number),) if LOOPED < pc <= LOOP_END else ()
    return Place(pc=pc, step_open=step_open, loops=loops)


def moved(text: str, place: Place, old: str = TEXT) -> Place:
    return carried(program(old), program(text), place)


@pytest.mark.parametrize("step_open", [True, False])
@pytest.mark.parametrize("pc", range(8))
def test_every_place_is_itself_in_the_same_text(pc: int, step_open: bool) -> None:
    if step_open and not isinstance((*program().instructions, None)[pc], Step):
        return
    place = at(pc, step_open=step_open)
    assert moved(TEXT, place) == place


def test_what_is_still_to_come_may_be_anything() -> None:
    new = HEAD + FIRST + LOOP.replace("repeat: 3", "repeat: 5") + "  - rest: {for: 1 h}\n" + FIRST
    assert moved(new, at(DISCHARGE)) == at(DISCHARGE)
    assert moved(HEAD + FIRST, at(REST)) == at(REST)
    assert moved(HEAD + FIRST + "  - rest: {for: 1 s}\n", at(REST)).pc == REST


def test_steps_of_a_loop_that_comes_round_again_may_change_though_they_have_run() -> None:
    place = at(DISCHARGE, 2)
    assert moved(TEXT.replace("4.0 V", "3.9 V"), place) == place
    with pytest.raises(BadInput, match=r"'charge at 0\.5 A until 4\.0 V' is over"):
        moved(TEXT.replace("4.0 V", "3.9 V"), at(DISCHARGE, 3))


def test_a_step_before_the_one_that_goes_on_moves_the_place_in_a_loop_that_comes_again() -> None:
    new = TEXT.replace("    steps:\n", "    steps:\n      - hold: {at: 3.5 V, for: 1 min}\n")
    place = moved(new, at(DISCHARGE))
    assert (place.pc, place.loops) == (DISCHARGE + 1, ((LOOPED, 2),))
    with pytest.raises(BadInput, match="cannot be told"):
        moved(new, at(DISCHARGE, 3))


def test_two_of_a_kind_are_ambiguous() -> None:
    new = TEXT.replace("    steps:\n", "    steps:\n      - charge: {at: 0.1 A, until: 3.2 V}\n")
    with pytest.raises(BadInput, match=r"the run is in 'charge .*cannot be told"):
        moved(new, at(CHARGE))
    # From the discharge on there is no doubt: it is the only one.
    assert moved(new, at(DISCHARGE)).pc == DISCHARGE + 1


def test_what_is_over_cannot_be_changed_and_every_reason_is_given_at_once() -> None:
    new = TEXT.replace("for: 10 min", "for: 5 min").replace("repeat: 3", "repeat: 1")
    with pytest.raises(BadInput) as refused:
        moved(new, at(CHARGE, 2))
    words = str(refused.value)
    assert "2 passes have begun, and it is to end after 1" in words
    assert "'rest for 10 min' is over" in words


def test_a_step_put_in_before_a_place_outside_of_loops_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot be told"):
        moved(HEAD + LAST + FIRST + LOOP + LAST, at(CHARGE))


def test_the_step_that_goes_on_stays_of_its_kind() -> None:
    cccv = "cccv: {at: 0.5 A, to: 4.0 V, until: 50 mA}"
    new = TEXT.replace("charge: {at: 0.5 A, until: 4.0 V}", cccv, 1)
    with pytest.raises(BadInput, match="cannot be told"):
        moved(new, at(CHARGE))
    assert moved(new, at(CHARGE, step_open=False)).pc == CHARGE, "not begun yet"


def test_a_loop_that_goes_on_counts_cycles_as_it_did() -> None:
    with pytest.raises(BadInput, match="count cycles otherwise"):
        moved(TEXT.replace("repeat: 3", "repeat: 3\n    counts: nothing"), at(CHARGE))


FOR_EACH = """  - for_each: {temperature: [25 degC, 40 degC]}
    steps:
      - set_temperature: {to: $temperature, within: 1 K, soak: 10 min, timeout: 3 h}
      - rest: {for: 10 min}
"""


def test_another_value_of_a_for_each_is_still_to_come() -> None:
    old = HEAD + FOR_EACH
    longer = old.replace("soak: 10 min", "soak: 20 min")
    assert moved(longer, Place(pc=1, step_open=True), old).pc == 1
    further = old.replace("40 degC]", "40 degC, 60 degC]")
    assert moved(further, Place(pc=3, step_open=True), old).pc == 3
    with pytest.raises(BadInput, match="'set 25 degC, soak 10 min' is over"):
        moved(longer, Place(pc=3, step_open=True), old)


IF = """  - repeat: 4
    steps:
      - charge: {at: 0.5 A, until: 4.0 V}
      - if:
          when: cycle % 2 == 0
          then: [{rest: {for: 1 min}}, {rest: {for: 2 min}}]
          else: [{rest: {for: 3 min}}]
      - discharge: {at: 0.5 A, until: 3.1 V}
"""


@pytest.mark.parametrize(("pc", "there"), [(3, 4), (4, 5), (6, 7), (7, 8)])
def test_a_place_in_an_arm_of_an_if_stays_in_that_arm(pc: int, there: int) -> None:
    old = HEAD + IF
    new = old.replace("    steps:\n", "    steps:\n      - hold: {at: 3.5 V, for: 1 min}\n", 1)
    place = Place(pc=pc, step_open=True, loops=((0, 1),))
    assert isinstance(program(old).instructions[pc], Step)
    assert moved(new, place, old).pc == there
    assert moved(old, place, old) == place


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["charge", "rest", "discharge"]), min_size=1, max_size=5), st.data()
)
def test_a_place_that_is_found_is_a_step_of_the_same_kind_in_the_same_loops(kinds, data) -> None:
    """Whatever is made of the loop: the place is refused, or the step that goes on is the one it was."""
    lines = {"charge": "charge: {at: 0.5 A, until: 4.0 V}", "rest": "rest: {for: 20 min}"}
    lines["discharge"] = "discharge: {at: 0.5 A, until: 3.1 V}"
    body = "".join(f"      - {lines[kind]}\n" for kind in kinds)
    count = data.draw(st.integers(1, 4))
    new = program(HEAD + FIRST + f"  - repeat: {count}\n    steps:\n{body}" + LAST)
    place = at(data.draw(st.sampled_from([REST, CHARGE, PAUSE, DISCHARGE])), 2)
    try:
        found = carried(program(), new, place)
    except BadInput:
        return
    before, now = program().instructions[place.pc], new.instructions[found.pc]
    assert isinstance(before, Step)
    assert isinstance(now, Step)
    assert now.kind is before.kind
    assert [number for _, number in found.loops] == [number for _, number in place.loops]
    assert all(isinstance(new.instructions[start], LoopStart) for start, _ in found.loops)
