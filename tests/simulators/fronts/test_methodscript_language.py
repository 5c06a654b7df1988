"""What is refused while a script is received, and where the refusal points to."""

from __future__ import annotations

import pytest

from simulators.fronts.methodscript_commands import SIGNATURES
from simulators.fronts.methodscript_errors import LoadError
from simulators.fronts.methodscript_language import Literal, Parser, Program, Text


def parse(script: str) -> Program:
    parser = Parser()
    for line in script.splitlines():
        parser.feed(line)
    return parser.finish()


@pytest.mark.parametrize(
    ("script", "refusal"),
    [
        ("frobnicate", "4001: Line 1, Col 1"),
        ("# a comment counts\n  frobnicate", "4001: Line 2, Col 3"),
        ("var p\nstore_var p 1.5 ja", "4004: Line 2, Col 14"),
        ("wait 1e3", "4004: Line 1, Col 7"),
        ("wait 10x", "4004: Line 1, Col 8"),
        ("wait 3000000000", "4003: Line 1, Col 6"),
        ("wait t", "420B: Line 1, Col 6"),
        ("wait", "4002: Line 1, Col 5"),
        ("wait 1 2", "420A: Line 1, Col 8"),
        ("var P", "402B: Line 1, Col 5"),
        ("var p\nvar p", "4026: Line 2, Col 1"),
        ("var p\nalter_vartype p voltage", "0002: Line 2, Col 17"),
        ("var p\nif p => 1\nendif", "4004: Line 2, Col 6"),
        ("endloop", "400C: Line 1, Col 1"),
        ("breakloop", "400C: Line 1, Col 1"),
        ("else", "400C: Line 1, Col 1"),
        ("if 1 < 2\nelse\nelseif 1 < 2\nendif", "400C: Line 3, Col 1"),
        ("loop 1 < 2\nendif", "400C: Line 2, Col 1"),
        ("loop 1 < 2\non_finished:\nendloop", "400C: Line 2, Col 1"),
        ("loop 1 < 2", "4018: Line 2, Col 1"),
        ('send_string "no end', "4004: Line 1, Col 13"),
        ('send_string f"{p}"', "420B: Line 1, Col 13"),
        ("cell_on now", "420A: Line 1, Col 9"),
        ("cell_on nscans(2)", "4008: Line 1, Col 9"),
        ("var p\nmeas_loop_ocp p 1 5\nmeas_loop_ocp p 1 5", "400B: Line 3, Col 1"),
        ("wait 1" + " " * 300, "0008: Line 1, Col 307"),
    ],
)
def test_a_bad_script_is_refused_with_line_and_column(script: str, refusal: str) -> None:
    with pytest.raises(LoadError, match=f"^{refusal}$"):
        parse(script)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", 0.1),
        ("-500m", -0.5),
        ("4200m", 4.2),
        ("200k", 200e3),
        ("58505m", 58.505),
        ("11i", 11),
        ("0x1F", 31),
        ("0b101", 5),
    ],
)
def test_numbers_are_integers_with_a_prefix(text: str, value: float) -> None:
    (command,) = parse(f"wait {text}").commands
    assert command.arguments == (Literal(value),)


def test_a_quoted_hash_is_no_comment() -> None:
    (command,) = parse('send_string "a # b" # c').commands
    assert command.arguments == (Text(("a # b",)),)


def test_every_jump_leads_into_the_program() -> None:
    program = parse(
        "var a\nloop a < 3\nif a > 1\nbreakloop\nelseif a > 2\nwait 1\nelse\nwait 2\nendif\nendloop"
    )
    assert all(-1 <= target <= len(program.commands) for target in program.targets)
    assert {c.name for c in program.commands} <= SIGNATURES.keys() | {"test", "jump"}
