"""The measurement loops from outside: points at their times, ranges, statuses, aborts, limits."""

from __future__ import annotations

import math

import pytest
from methodscript_bench import (
    CHARGE,
    HOLD,
    SPECTRUM,
    Field,
    IdealCell,
    ask,
    execute,
    fields,
    front,
    lines,
)

from simulators.fronts.methodscript_run import Dialect
from simulators.interfaces import OPEN, Drive, DriveMode


class TestCharge:
    def test_packages_carry_the_times_of_their_points_however_late_they_are_read(self) -> None:
        cell = IdealCell(slope=0.1)
        instrument = front(cell, model="es4_hr")
        assert ask(instrument, execute(CHARGE), 7.0) == ["e", "M000A"]
        assert cell.driven == Drive(DriveMode.CURRENT, 0.1, 6.0)
        output = lines(instrument, 100.0)
        packages = [fields(line) for line in output if line[:1] == "P"]
        assert [package[0].value for package in packages] == pytest.approx([1, 2, 3, 4, 5])
        assert [package[1].value for package in packages] == pytest.approx(
            [3.9, 4.0, 4.1, 4.2, 4.3]
        )
        assert cell.asked == [8.0, 9.0, 10.0, 11.0, 12.0]
        assert output[0] == "Peb80F4240u;ab83B8260u;dbDF5E100n,10,21B"
        assert output[-2:] == ["*", ""]
        assert cell.driven is OPEN

    def test_the_next_output_is_the_next_point(self) -> None:
        instrument = front()
        assert instrument.next_output_second() is None
        ask(instrument, execute(CHARGE), 7.3)
        for _ in range(5):
            due = instrument.next_output_second()
            assert due is not None
            assert len(lines(instrument, due)) == 1

    def test_current_may_be_reported_as_measured(self) -> None:
        instrument = front(dialect=Dialect(current_type_in_cp="ba"))
        ask(instrument, execute(CHARGE), 0)
        _, _, (kind, current, tokens) = fields(lines(instrument, 1)[0])
        assert (kind, tokens) == ("ba", ["10", "22A"])
        assert current == pytest.approx(0.1)

    def test_abort_interrupts_the_wait_for_the_next_point(self) -> None:
        cell = IdealCell()
        instrument = front(cell)
        ask(instrument, execute(CHARGE), 0)
        assert lines(instrument, 1.5)[0][0] == "P"
        assert ask(instrument, "Z\n", 1.5) == ["Z", "*", ""]
        assert cell.driven is OPEN
        assert ask(instrument, "Z\n", 1.6) == ["Z!0006"]

    def test_y_ends_the_measurement_loop_only(self) -> None:
        instrument = front()
        script = CHARGE.replace("on_finished:", 'send_string "after"\non_finished:')
        ask(instrument, execute(script), 0)
        assert ask(instrument, "Y\n", 0.5) == ["Y", "*", "Tafter", ""]

    def test_hold_stops_the_points_and_leaves_the_cell_on(self) -> None:
        cell = IdealCell()
        instrument = front(cell)
        ask(instrument, execute(CHARGE), 0)
        assert ask(instrument, "h\n", 0.4) == ["h"]
        assert instrument.next_output_second() is None
        assert lines(instrument, 50) == []
        assert cell.driven.mode is DriveMode.CURRENT
        assert ask(instrument, "H\n", 100.4) == ["H"]
        assert fields(lines(instrument, 101.0)[0])[0].value == pytest.approx(101.0)

    def test_only_some_commands_are_served_while_running(self) -> None:
        instrument = front()
        ask(instrument, execute(CHARGE), 0)
        assert ask(instrument, "t\n", 0.1)[1] == "R*"
        assert ask(instrument, "i\n", 0.2) == ["i!0006"]

    def test_a_slow_body_is_flagged_as_bad_timing(self) -> None:
        instrument = front()
        ask(instrument, execute(CHARGE.replace("pck_end", "pck_end\nwait 3")), 0)
        first, second = [fields(line) for line in lines(instrument, 4.0)]
        assert (first[2].tokens[0], second[2].tokens[0]) == ("10", "11")

    def test_an_open_lead_clamps_then_aborts_with_the_cell_still_on(self) -> None:
        cell = IdealCell(ohm=1e9)
        instrument = front(cell)
        ask(instrument, execute(CHARGE.replace("if p > 4200m", "if p > 20")), 0)
        first, _, error = lines(instrument, 60)
        assert fields(first)[1] == Field("ab", 10.0, ["12", "200"])
        assert error == "!0032: Line 12"
        assert cell.driven.mode is DriveMode.CURRENT
        assert ask(instrument, execute("cell_off"), 60) == ["e", ""]
        assert cell.driven is OPEN

    def test_the_empty_line_after_an_error_depends_on_the_firmware(self) -> None:
        instrument = front(dialect=Dialect(empty_line_after_error=True))
        assert ask(instrument, execute("pck_end"), 0) == ["e", "!401B: Line 1", ""]


class TestHold:
    @pytest.mark.parametrize(
        ("ohm", "current", "tokens"),
        [
            (1.0, 0.1, ["10", "20A"]),  # 100 mA range
            (20.0, 0.005, ["10", "209"]),  # 10 mA range
            (1e4, 1e-5, ["14", "208"]),  # below what the lowest allowed range likes
            (0.37, 0.1 / 0.37, ["18", "20A"]),  # 2.7 times the largest allowed range
            (0.1, 0.3, ["12", "20A"]),  # clipped at three times the range
        ],
    )
    def test_autoranging_picks_the_range_and_its_status(
        self, ohm: float, current: float, tokens: list[str]
    ) -> None:
        instrument = front(IdealCell(ohm=ohm))
        ask(instrument, execute(HOLD), 0)
        _, p, c = fields(lines(instrument, 1.0)[0])
        assert (p.kind, c.kind, c.tokens) == ("da", "ba", tokens)
        assert (p.value, c.value) == pytest.approx((3.8, current), rel=1e-5)

    def test_a_gross_overload_aborts_after_two_seconds(self) -> None:
        cell = IdealCell(ohm=0.01)
        instrument = front(cell)
        ask(instrument, execute(HOLD), 0)
        assert lines(instrument, 60)[-1] == "!0032: Line 10"
        assert cell.driven.mode is DriveMode.VOLTAGE

    def test_noise_is_seeded_and_small(self) -> None:
        outputs = []
        for _ in range(2):
            instrument = front(noise=True)
            ask(instrument, execute(HOLD), 0)
            outputs.append(lines(instrument, 61))
        assert outputs[0] == outputs[1]
        currents = [fields(line)[2].value for line in outputs[0][:60]]
        assert len(set(currents)) > 50
        assert currents == pytest.approx([0.1] * 60, rel=1e-3)

    def test_a_cyclic_sweep_marks_its_scans(self) -> None:
        instrument = front()
        script = """var p
            var c
            set_pgstat_mode 2
            set_e 3700m
            cell_on
            meas_loop_cv p c 3700m 3800m 3600m 100m 100m nscans(2)
            pck_start
            pck_add p
            pck_end
            endloop"""
        output = ask(instrument, execute(script), 0) + lines(instrument, 60)
        levels = [round(fields(line)[0].value, 6) for line in output if line[:1] == "P"]
        assert levels == [3.7, 3.8, 3.7, 3.6, 3.7] * 2
        markers = [line for line in output if line[:1] != "P"]
        assert markers == ["e", "M0005", "C0000", "-", "C0001", "-", "*", ""]


class TestSpectrum:
    def test_recovers_the_impedance_of_the_cell_without_noise(self) -> None:
        cell = IdealCell()
        instrument = front(cell)
        assert ask(instrument, execute(SPECTRUM), 0) == ["e"]
        *packages, star, end = lines(instrument, 60)[1:]
        assert (star, end) == ("*", "")
        points = [[field.value for field in fields(line)] for line in packages]
        assert [point[0] for point in points] == pytest.approx([1e5, 1e4, 1e3, 1e2, 1e1, 1])
        for frequency, real, imaginary in points:
            assert complex(real, imaginary) == pytest.approx(cell.impedance(frequency, 0), rel=1e-6)
        assert [field.kind for field in fields(packages[0])] == ["dc", "cc", "cd"]

    def test_the_bias_is_the_measured_ocv(self) -> None:
        cell = IdealCell()
        instrument = front(cell)
        ask(instrument, execute(SPECTRUM), 0)
        lines(instrument, 0.2)
        assert cell.driven.mode is DriveMode.VOLTAGE
        assert (cell.driven.level, cell.driven.limit) == pytest.approx((3.7, 0.3))

    def test_noise_is_three_per_mille_of_the_magnitude(self) -> None:
        cell = IdealCell()
        instrument = front(cell, noise=True, impedance_floor_ohm=0.0)
        ask(instrument, execute(SPECTRUM.replace("6i", "400i").replace("100k 1 ", "10k 1k ")), 0)
        errors = []
        for line in lines(instrument, 100)[1:-2]:
            f, real, imaginary = [field.value for field in fields(line)]
            exact = cell.impedance(f, 0)
            errors += [(real - exact.real) / abs(exact), (imaginary - exact.imag) / abs(exact)]
        assert len(errors) == 800
        deviation = math.sqrt(sum(error**2 for error in errors) / len(errors))
        assert deviation == pytest.approx(0.003, rel=0.15)

    def test_an_abort_waits_for_the_present_point(self) -> None:
        cell = IdealCell()
        instrument = front(cell)
        ask(instrument, execute(SPECTRUM.replace("100k 1 6i", "100m 10m 2i")), 0)
        assert lines(instrument, 10) == ["M000D"]
        assert ask(instrument, "Z\n", 10) == ["Z"]
        assert instrument.next_output_second() == pytest.approx(30.1)
        assert lines(instrument, 30.2) == ["*", ""]
        assert cell.driven is OPEN

    def test_galvanostatic_spectra_need_mode_6(self) -> None:
        script = SPECTRUM.replace("meas_loop_eis", "meas_loop_geis").replace("10m 100k", "1m 100k")
        assert self.error(script) == "!0023: Line 13"
        galvanostatic = script.replace("set_pgstat_mode 3", "set_pgstat_mode 6")
        galvanostatic = galvanostatic.replace("set_e p", "set_i 0").replace("6i p", "6i 0")
        instrument = front()
        ask(instrument, execute(galvanostatic), 0)
        output = lines(instrument, 60)
        assert output[0] == "M000E"
        assert fields(output[1])[1].value == pytest.approx(IdealCell().impedance(1e5, 0).real)

    @pytest.mark.parametrize(
        ("old", "new", "error"),
        [
            ("100k 1 6i", "2M 1 6i", "!0011: Line 13"),
            ("10m 100k", "400m 100k", "!0012: Line 13"),
            ("6i p", "0i p", "!4029: Line 13"),
            ("6i p", "6i 11", "!000F: Line 13"),
            ("set_e p", "set_e -11", "!000F: Line 11"),
            ("set_pgstat_mode 3", "set_pgstat_mode 2", "!0023: Line 13"),
            ("set_pgstat_mode 3", "set_pgstat_mode 9", "!0021: Line 5"),
            ("cell_on", "wait 0", "!4027: Line 13"),
            ("set_e p", "cell_on\nset_pgstat_mode 2", "!4028: Line 12"),
            ("set_e p", "cell_on\nmeas_loop_ocp p 1 5\nendloop", "!0014: Line 12"),
            ("set_range ba 100m", "set_range ba 5", "!4003: Line 9"),
            ("set_range ba 100m", "set_range cc 100m", "!0002: Line 9"),
        ],
    )
    def test_what_the_instrument_cannot_do_ends_the_script(
        self, old: str, new: str, error: str
    ) -> None:
        assert self.error(SPECTRUM.replace(old, new)) == error

    def test_the_pico_has_no_galvanostat_and_a_narrow_window(self) -> None:
        instrument = front(model="espico")
        assert ask(instrument, execute("set_pgstat_mode 6"), 0)[-1] == "!0021: Line 1"
        script = "set_pgstat_mode 3\nset_range_minmax da 0 1500m"
        assert ask(instrument, execute(script), 1) == ["e", "!000F: Line 2"]

    def error(self, script: str) -> str:
        instrument = front()
        instrument.receive(execute(script).encode(), 0)
        return lines(instrument, 1000)[-1]
