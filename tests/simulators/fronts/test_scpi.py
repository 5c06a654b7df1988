"""The SCPI grammar: every spelling that instruments take, and nothing more."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.fronts.scpi import (
    Argument,
    CommandTree,
    EventQueue,
    ScpiError,
    boolean,
    integer,
    keyword,
    number,
    string,
)


def tree_of(*patterns: str) -> CommandTree[list[str]]:
    """Every command writes its pattern, suffixes and parameters into the instrument, a list."""

    def row(pattern):
        def prepare(arguments, suffixes):
            said = [pattern, *map(str, suffixes), *(argument.text for argument in arguments)]
            return lambda done: done.append(" ".join(said))

        return prepare

    return CommandTree({pattern: row(pattern) for pattern in patterns})


TREE = tree_of(
    "*RST",
    "*CLS",
    "STATus:PRESet",
    "SOURce#:VOLTage[:LEVel][:IMMediate]",
    "SOURce#:VOLTage:RANGe",
    "SOURce#:VOLTage:ILIMit",
    "SOURce#:VOLTage:RANGe:AUTO",
    "DIGital:LINE#:MODE",
    "READ?",
    "SENSe#:FUNCtion",
)


def run(message: str) -> list[str]:
    done: list[str] = []
    for action in TREE.compile(message.encode()):
        action(done)
    return done


@pytest.mark.parametrize(
    "spelling",
    ["SOUR:VOLT 1", ":SOUR:VOLT 1", "source:voltage 1", ":Sour1:volt:lev 1", "SOUR:VOLT:LEV:IMM 1",
     "SOUR:VOLT:IMMEDIATE 1", "  sour:volt\t1 "],
)  # fmt: skip
def test_any_spelling_of_a_header_reaches_the_same_command(spelling):
    assert run(spelling) == ["SOURce#:VOLTage[:LEVel][:IMMediate] 1 1"]


def test_a_unit_without_colon_goes_on_from_the_path_before():
    assert run("SOUR:VOLT:RANG 20;ILIM 0.5") == [
        "SOURce#:VOLTage:RANGe 1 20",
        "SOURce#:VOLTage:ILIMit 1 0.5",
    ]


def test_a_common_command_leaves_the_path_as_it_is():
    assert run("SOUR:VOLT:RANG 20;*CLS;ILIM 0.5")[-1] == "SOURce#:VOLTage:ILIMit 1 0.5"


def test_what_pymeasure_sends_as_reset_is_three_commands():
    assert run("*RST;:stat:pres;:*CLS;") == ["*RST", "STATus:PRESet", "*CLS"]


def test_semicolons_and_commas_inside_quotes_are_text():
    assert run("""READ? "a;b,c",'d"e'""") == ['READ? a;b,c d"e']


def test_a_number_in_the_header_reaches_the_command():
    assert run(":DIG:LINE3:MODE DIG,OUT") == ["DIGital:LINE#:MODE 3 DIG OUT"]


@pytest.mark.parametrize(
    "header", ["FOO", "SOUR:VOLTA 1", "SOUR:VOLT?", "READ", "SOUR:VOLT3 1", "SOUR", "SOUR::VOLT 1"]
)
def test_a_header_that_is_none_is_undefined(header):
    with pytest.raises(ScpiError, match="Undefined header") as refused:
        run(header)
    assert refused.value.code == -113


@given(st.binary(max_size=60))
def test_no_message_can_break_the_parser(message):
    for action in TREE.compile(message):
        with contextlib.suppress(ScpiError):
            action([])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_python_writes_them(value):
    assert number(Argument(repr(value), quoted=False)) == value


@pytest.mark.parametrize("text", ["", "nan", "inf", "1_0", "1V", "0x10", "--1", "1e"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ScpiError) as refused:
        number(Argument(text, quoted=False))
    assert refused.value.code == -224


@pytest.mark.parametrize(
    ("read", "text", "code"),
    [
        (boolean, "YES", -224),
        (string, "unquoted", -224),
        (number, "1e999", -222),
        (lambda argument: integer(argument, 1, 9), "1.5", -224),
        (lambda argument: integer(argument, 1, 9), "10", -222),
        (lambda argument: keyword(argument, ("HIMPedance",)), "HIMPED", -224),
    ],
)
def test_each_kind_of_parameter_has_its_refusal(read, text, code):
    with pytest.raises(ScpiError) as refused:
        read(Argument(text, quoted=False))
    assert refused.value.code == code


def test_a_full_queue_ends_in_queue_overflow():
    queue = EventQueue(3)
    for _ in range(5):
        queue.add(ScpiError(-113), 0.0)
    assert [queue.pop().code for _ in range(3)] == [-113, -113, -350]
    assert queue.pop() is None
