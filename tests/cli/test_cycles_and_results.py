"""What people read of cycles and results: whole numbers on a narrow terminal, and no empty columns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rig.cli.analysing import print_quantities
from rig.cli.cycles_table import cycle_columns
from rig.cli.fit_output import with_error
from rig.cli.progress import progress_line
from tests.cli.commands import rig
from tests.report.runs import PELLET_QUANTITIES, cell_run, run

ONE_CYCLE = """test_time_second,cycle_count,voltage_volt,current_ampere
0,1,3.0,0.002
3600,1,4.2,0.002
3601,1,4.1,-0.002
7000,1,3.0,-0.002
"""


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_small_cell_is_in_milliampere_hours_and_nothing_is_cut_off(folder, narrow):
    (folder / "c.csv").write_text(ONE_CYCLE, encoding="utf-8")
    printed = rig("fit", "cycles", "c.csv").out
    assert "mAh" in printed
    assert "1.8889" in printed
    assert "nan" not in printed
    assert "\N{HORIZONTAL ELLIPSIS}" not in printed
    assert "R" not in printed.split("mAh")[0].replace("Cycles", "")  # nobody measured one
    cycle = rig("fit", "cycles", "c.csv", "--json").json()["cycles"][0]
    assert cycle["discharging_capacity_ah"] == pytest.approx(1.8889e-3, rel=1e-4)


def test_many_cycles_of_any_size_fit_into_eighty_columns_with_their_resistance(narrow, capsys):
    from rig.cli.fit_output import show_table

    cycling = cell_run(40).cycling
    assert cycling is not None
    cycles = [replace(one, dc_resistance_ohm=123.456) for one in cycling.table.cycles]
    cycles[3] = replace(cycles[3], dc_resistance_ohm=math.nan, cycle_count=12345)
    for factor in (1.0, 12.3, 1e3, 5e4):
        larger = [
            replace(
                one,
                charging_capacity_ah=factor * one.charging_capacity_ah,
                discharging_capacity_ah=factor * one.discharging_capacity_ah,
            )
            for one in cycles
        ]
        show_table("Cycles", *cycle_columns(larger))
        printed = capsys.readouterr().out
        assert "nan" not in printed
        assert "\N{HORIZONTAL ELLIPSIS}" not in printed
        assert "123.5" in printed
        assert "99.92" in printed  # efficiencies in percent
        assert max(map(len, printed.splitlines())) <= 80


def test_of_a_real_cell_there_are_no_columns_about_a_truth(capsys):
    own = [replace(one, truth=None) for one in PELLET_QUANTITIES]
    print_quantities([run(simulated=False, quantities=tuple(own))])
    printed = capsys.readouterr().out
    assert own[0].title in printed
    assert "truth" not in printed
    assert "recovered" not in printed
    print_quantities([run(quantities=PELLET_QUANTITIES)])
    assert "recovered" in capsys.readouterr().out


def test_where_there_is_nothing_for_the_table_of_results_there_is_no_table(capsys):
    print_quantities([cell_run(1, quantities=(), flags=())])
    printed = capsys.readouterr().out
    assert "interval" not in printed
    assert "C1: No fade law: too few complete cycles after formation." in printed


def test_what_has_no_unit_is_shown_without_one():
    assert with_error(0.882, 0.010, "1") == "0.882 \N{PLUS-MINUS SIGN} 0.010"
    assert with_error(2.0, None, "1") == "2"


def test_a_line_of_progress_says_the_whole_step():
    words = "charge at 1C to 4.2 V, hold until C/20 or for 12 h, and whatever else ends it"
    line = progress_line("C1", 0.5, ("7", words, "4 V", "1 mA", "25.0 °C", "2 h", "3 h"))
    assert words in line
