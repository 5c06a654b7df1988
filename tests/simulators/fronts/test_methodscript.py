"""The MethodSCRIPT front from outside: commands, loading, language, link and faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from methodscript_bench import (
    CHARGE,
    IdealCell,
    ask,
    execute,
    fields,
    front,
    lines,
)

from rig.core.errors import BadInput
from simulators.fronts.methodscript import Faults
from simulators.fronts.methodscript_commands import MEASUREMENT_LOOPS, SIGNATURES, Kind
from simulators.fronts.methodscript_run import Dialect
from simulators.interfaces import OPEN, DriveMode


class TestIdle:
    def test_identifies_itself_as_the_manual_lays_it_out(self) -> None:
        assert ask(front(model="es4_hr"), "t\n", 0) == ["tes4_hr1304#Oct  1 2025 12:00:00", "R*"]
        assert ask(front(serial="ES4HR21B0001"), "i\nv\n", 0) == ["iES4HR21B0001", "v01.08.00"]

    @pytest.mark.parametrize(
        ("line", "refusal"),
        [
            ("Z", "Z!0006"),
            ("Y", "Y!0006"),
            ("h", "h!0006"),
            ("H", "H!0006"),
            ("r", "r!000C"),
            ("Lmscr", "L!000C"),
            ("G07", "G!0004"),
            ("G7", "G!0007"),
            ("xyz", "x!0003"),
            ("x" * 300, "x!0008"),
        ],
    )
    def test_refuses_what_makes_no_sense_now(self, line: str, refusal: str) -> None:
        assert ask(front(), line + "\n", 0) == [refusal]

    def test_is_deaf_for_100_ms_after_an_error(self) -> None:
        instrument = front()
        assert ask(instrument, "Z\ni\n", 0) == ["Z!0006"]
        assert ask(instrument, "i\n", 0.09) == []
        assert ask(instrument, "i\n", 0.1) == ["iNEX1SIM0001"]

    def test_only_the_pico_sends_xon_at_power_up(self) -> None:
        assert front(model="espico").transmit(0) == b"\x11"
        assert front(model="es4_lr").transmit(0) == b""

    def test_an_empty_line_and_flow_control_characters_are_not_answered(self) -> None:
        assert ask(front(), "\n\r\n\x11i\r\n", 0) == ["iNEX1SIM0001"]

    def test_bytes_may_come_one_by_one(self) -> None:
        instrument = front()
        assert ask(instrument, "i", 0) == []
        assert ask(instrument, "\n", 1) == ["iNEX1SIM0001"]

    def test_an_unknown_model_is_refused_with_a_suggestion(self) -> None:
        with pytest.raises(BadInput, match="nexus1"):
            front(model="nexus")


class TestLoading:
    def test_a_loaded_script_can_be_run_twice(self) -> None:
        instrument = front()
        assert ask(instrument, 'l\nsend_string "hello"\n\n', 0) == ["l"]
        assert ask(instrument, "r\n", 1) == ["r", "Thello", ""]
        assert ask(instrument, "r\n", 2) == ["r", "Thello", ""]

    def test_every_line_is_script_while_receiving_even_z(self) -> None:
        assert ask(front(), "l\nZ\n", 0) == ["l!4001: Line 1, Col 1"]

    def test_the_rest_of_a_refused_script_is_lost_in_the_deaf_time(self) -> None:
        cell = IdealCell()
        assert ask(front(cell), "e\nnonsense\ncell_on\n\n", 0) == ["e!4001: Line 1, Col 1"]
        assert cell.driven is OPEN

    def test_the_acknowledge_may_be_joined_to_the_first_line(self) -> None:
        instrument = front(dialect=Dialect(joined_acknowledge=True))
        assert ask(instrument, execute('send_string "x"'), 0) == ["eTx", ""]


class TestLanguage:
    def run(self, script: str, now: float = 1000.0) -> list[str]:
        instrument = front()
        instrument.receive(execute(script).encode(), 0.0)
        return lines(instrument, now)[1:]

    def test_loops_and_branches(self) -> None:
        output = self.run("""var a
            store_var a 0i aa
            loop a < 10i
            add_var a 1i
            if a == 1i
            send_string "one"
            elseif a == 2i
            send_string "two"
            else
            send_string f"a={a}"
            breakloop
            endif
            endloop""")
        assert output == ["L", "Tone", "Ttwo", "Ta=3", "+", ""]

    def test_arithmetic_keeps_integers_and_types(self) -> None:
        output = self.run("""var i
            var x
            array u 8
            store_var i 7i ee
            div_var i 2i
            store_var x 100m ja
            mul_var x 3
            sub_var x 500m
            alter_vartype x ab
            pck_start
            pck_add i
            pck_add x
            mean u x
            copy_var x i
            pck_add i
            pck_end""")
        assert output == ["Pee8000003i;ab7FCF2C0u;ab8000000 ", ""]

    def test_timers_and_intervals(self) -> None:
        output = self.run("""var t
            timer_start
            set_int 2
            wait 500m
            await_int
            timer_get t
            send_string f"{t}"
            wait 5
            await_int
            timer_get t
            send_string f"{t}" """)
        assert output == ["T2", "T8", ""]

    def test_output_can_be_switched_off(self) -> None:
        assert self.run('set_script_output 0\nsend_string "x"') == [""]

    def test_abort_ends_loops_and_runs_the_last_part_once(self) -> None:
        output = self.run("""loop 1 < 2
            abort
            endloop
            send_string "never"
            on_finished:
            send_string "last"
            abort""")
        assert output == ["L", "+", "Tlast", ""]

    def test_a_loop_that_never_waits_lets_time_pass(self) -> None:
        instrument = front()
        ask(instrument, execute("loop 1 < 2\nendloop"), 0.0)
        assert lines(instrument, 0.5) == []
        assert ask(instrument, "Z\n", 1.0) == ["Z", "+", ""]

    @pytest.mark.parametrize(
        ("script", "error"),
        [
            ("var a\ndiv_var a 0", "!0028: Line 2"),
            ("var a\nstore_var a 1E aa\n" + "mul_var a a\n" * 5, "!0010: Line 7"),
            ("pck_end", "!401B: Line 1"),
            ("wait -1", "!000D: Line 1"),
            ("set_pgstat_chan 1", "!4003: Line 1"),
        ],
    )
    def test_runtime_errors_name_the_line(self, script: str, error: str) -> None:
        assert self.run(script) == [error]


class TestLinkAndFaults:
    def test_a_script_goes_on_without_a_host_and_its_output_is_lost(self) -> None:
        cell = IdealCell()
        instrument = front(cell)
        ask(instrument, execute(CHARGE), 0)
        instrument.disconnected(2.5)
        assert cell.driven.mode is DriveMode.CURRENT
        torn, *whole = lines(instrument, 12.0)
        assert (torn[:1], whole) != ("P", [])
        assert cell.asked[-1] == 12.0
        assert fields(lines(instrument, 13.0)[0])[0].value == pytest.approx(13.0)

    def test_half_an_upload_survives_the_link_and_the_next_empty_line_runs_it(self) -> None:
        instrument = front()
        ask(instrument, 'e\nsend_string "half"\nwait', 0)
        instrument.disconnected(1)
        assert ask(instrument, " 1\n\n", 2) == ["e", "Thalf"]

    def test_unread_output_is_dropped_at_the_limit_and_counted(self) -> None:
        instrument = front(output_limit_byte=1000)
        ask(instrument, execute(CHARGE), 0)
        assert len(instrument.transmit(100)) <= 1000
        assert instrument.lost_lines > 70
        assert fields(lines(instrument, 101)[0])[0].value == pytest.approx(101)

    def test_critical_overload_after_n_packages(self) -> None:
        cell = IdealCell()
        instrument = front(cell, faults=Faults(critical_overload_after_packages=3))
        ask(instrument, execute(CHARGE), 0)
        assert [line[:1] for line in lines(instrument, 10)] == ["P", "P", "P", "!"]
        assert cell.driven.mode is DriveMode.CURRENT

    def test_mute_acts_and_says_nothing(self) -> None:
        cell = IdealCell()
        instrument = front(cell, faults=Faults(mute=True))
        assert ask(instrument, execute(CHARGE), 0) == []
        assert cell.driven.mode is DriveMode.CURRENT
        instrument.faults = Faults()
        assert ask(instrument, "Z\n", 0.5) == ["Z", "*", ""]

    def test_a_slow_abort_is_acknowledged_at_once(self) -> None:
        cell = IdealCell()
        instrument = front(cell, faults=Faults(abort_delay_second=4.0))
        ask(instrument, execute(CHARGE), 0)
        assert ask(instrument, "Z\n", 0.5) == ["Z"]
        assert lines(instrument, 4.4) == []
        assert cell.driven.mode is DriveMode.CURRENT
        assert lines(instrument, 4.5) == ["*", ""]


_ARGUMENTS = {
    Kind.IN: ["a", "b", "1", "0", "-1", "3i", "6i", "10m", "1u", "1a", "2E", "2147483647T"],
    Kind.OUT: ["a", "b"],
    Kind.ARRAY: ["u"],
    Kind.TYPE: ["ab", "ba", "db", "da", "ja"],
    Kind.COMPARISON: ["<", "==", ">="],
    Kind.TEXT: ['"text"', 'f"{a}"'],
}


@st.composite
def commands(draw: st.DrawFn) -> str:
    """Draw a command that the parser takes, with its endloop when it opens a loop."""
    blocks = {"var", "array", "elseif", "else", "endif", "endloop", "breakloop", "on_finished:"}
    word = draw(st.sampled_from(sorted(SIGNATURES.keys() - blocks)))
    arguments = [draw(st.sampled_from(_ARGUMENTS[kind])) for kind in SIGNATURES[word]]
    ends = {"if": "\nendif"} | dict.fromkeys(("loop", *MEASUREMENT_LOOPS), "\nendloop")
    return " ".join([word, *arguments]) + ends.get(word, "")


class TestAnyInput:
    """Whatever a host sends, the instrument answers in its own words or not at all."""

    @given(st.lists(st.binary(max_size=40), max_size=8))
    def test_arbitrary_bytes_never_break_it(self, chunks: list[bytes]) -> None:
        instrument = front()
        for now, chunk in enumerate(chunks):
            instrument.receive(chunk + b"\n", float(now))
        instrument.transmit(100.0)

    @given(st.sampled_from([0, 2, 3, 6]), st.booleans(), st.lists(commands(), max_size=8))
    def test_every_wellformed_script_answers_in_the_words_of_the_manual(
        self, mode: int, on: bool, body: list[str]
    ) -> None:
        prologue = ["var a", "var b", "array u 4", f"set_pgstat_mode {mode}"]
        instrument = front()
        output = ask(instrument, execute("\n".join([*prologue, *["cell_on"] * on, *body])), 0.0)
        output += lines(instrument, 0.05) + ask(instrument, "Z\n", 0.2)
        assert output[0] == "e"
        assert all(line[:1] in {*"M*L+C-PT!Z", ""} for line in output[1:])
