"""Tables of one's own given to ``rig fit``: no number is ever read as another, every problem named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rig.cli.fit import app
from rig.cli.table_file import read_table
from rig.cli.tables import numbers
from rig.core.errors import BadInput

GEOMETRY = ("--thickness", "0.5 mm", "--area", "0.785 cm^2")


def written(folder: Path, *lines: str) -> str:
    path = folder / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def refused(*arguments: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return caught.value


@pytest.mark.filterwarnings("default")  # as at the bench, where a warning stops nothing
@pytest.mark.parametrize("fit", ["arrhenius", "conductivity"])
def test_decimal_commas_between_commas_are_refused_with_the_remedy(tmp_path, fit):
    path = written(tmp_path, "temperature_celsius,resistance_ohm", "-20,256,4", "25,42", "40,42,5")
    error = refused(fit, path, *GEOMETRY)
    assert f"{path}: line 2: got 3 fields (-20,256,4), expected 2" in str(error)
    assert f"{path}: line 4: got 3 fields" in str(error)
    assert "decimal comma" in str(error)
    assert "semicolons" in error.remedy
    assert "points" in error.remedy


@pytest.mark.filterwarnings("default")
def test_a_capacity_with_a_decimal_comma_is_not_nought(tmp_path):
    path = written(tmp_path, "cycle_count,discharging_capacity_ah", "1,0,00189", "2,0,00188")
    assert "line 2: got 3 fields" in str(refused("fade", path))


@pytest.mark.filterwarnings("default")
def test_a_row_too_short_is_refused_by_its_line(tmp_path):
    path = written(tmp_path, "temperature_celsius,resistance_ohm", "-20,256.4", "", "25")
    message = str(refused("arrhenius", path, *GEOMETRY))
    assert f"{path}: line 4: got 1 field (25), expected 2" in message


def test_commas_and_points_mixed_are_refused_and_only_the_odd_row_is_named(tmp_path):
    path = written(tmp_path, "temperature_celsius;resistance_ohm", "-20;1.256,4", "0;107,3")
    message = str(refused("arrhenius", path, *GEOMETRY))
    assert "line 2" in message
    assert "'1.256,4'" in message
    assert "107,3" not in message
    path = written(tmp_path, "temperature_celsius;resistance_ohm", "-20;1.256", "0;107,3")
    assert "decimal commas and points" in str(refused("arrhenius", path, *GEOMETRY))


def test_decimal_commas_are_read_wherever_they_begin(tmp_path):
    path = written(tmp_path, "a;b;", "1;2;", "3;4;", "5;6,5;")
    frame = read_table(Path(path))
    assert numbers(frame, path, ["b"])["b"] == pytest.approx([2, 4, 6.5])


def test_a_comma_in_a_table_of_one_column_is_no_decimal_mark(tmp_path):
    with pytest.raises(BadInput, match="line 2: got 2 fields"):
        read_table(Path(written(tmp_path, "voltage_volt", "3,51")))


def test_what_is_not_above_zero_is_named_with_all_else(tmp_path):
    lines = ("temperature_celsius,resistance_ohm", "-20,256.4", "0,-107.3", "25,abc", "40,")
    path = written(tmp_path, *lines)
    message = str(refused("arrhenius", path, *GEOMETRY))
    assert f"{path}: line 3: resistance_ohm is -107.3, expected above zero" in message
    assert f"{path}: line 4: resistance_ohm is 'abc', expected a number" in message
    assert f"{path}: line 5: resistance_ohm is empty, expected a number" in message
    assert "line 3" in str(refused("conductivity", path, *GEOMETRY))


@pytest.mark.parametrize(
    ("option", "text"),
    [("--thickness", "-0.5 mm"), ("--thickness", "0 mm"), ("--area", "-1 cm^2")],
)
def test_a_size_that_is_not_above_zero_is_refused_by_its_option(tmp_path, option, text):
    path = written(tmp_path, "temperature_celsius,resistance_ohm", "-20,256.4", "0,107.3")
    given = dict(zip(GEOMETRY[::2], GEOMETRY[1::2], strict=True)) | {option: text}
    for fit in ("arrhenius", "conductivity"):
        error = refused(fit, path, *(word for pair in given.items() for word in pair))
        (problem,) = error.problems
        assert problem.where == option
        assert f"got {text!r}, expected above zero" in str(problem)


def test_a_label_without_its_unit_is_told_the_name_to_take(tmp_path):
    path = written(tmp_path, "temperature,resistance_ohm", "-20,256.4", "0,107.3")
    message = str(refused("arrhenius", path, *GEOMETRY))
    assert "is 'temperature' meant? then name it temperature_celsius" in message
    assert "did you mean 'temperature'" not in message


def test_a_resistance_in_kiloohm_is_asked_for_in_ohm(tmp_path):
    path = written(tmp_path, "temperature_celsius,resistance_kohm", "-20,0.256", "0,0.107")
    for fit in ("arrhenius", "conductivity"):
        message = str(refused(fit, path, *GEOMETRY))
        assert "resistance_ohm" in message
        assert "'resistance_kohm'" in message
        assert "siemens" not in message


def test_both_columns_are_judged_at_once(tmp_path):
    path = written(tmp_path, "temperature_celsius,resistance_ohm", "cold,256.4", "0,-107.3")
    message = str(refused("arrhenius", path, *GEOMETRY))
    assert "line 2: temperature_celsius is 'cold'" in message
    assert "line 3: resistance_ohm is -107.3" in message


def test_a_folder_is_called_a_folder(tmp_path):
    message = str(refused("arrhenius", str(tmp_path), *GEOMETRY))
    assert message == f"{tmp_path}: that is a folder, expected a file"


def test_a_fade_says_file_and_line(tmp_path):
    header = "cycle_count,discharging_capacity_ah"
    rows = [f"{cycle},{0.002 * np.exp(-cycle / 1000):.6f}" for cycle in range(1, 9)]
    path = written(tmp_path, header, rows[0], "2,0", *rows[2:])
    message = str(refused("fade", path))
    assert f"{path}: line 3: discharging_capacity_ah is 0, expected above zero" in message


def test_samples_without_a_column_are_refused_with_the_files_name(tmp_path):
    path = written(tmp_path, "voltage_volt,current_ampere,cycle_count", "3.5,0.001,1")
    for fit in ("cycles", "fade"):
        message = str(refused(fit, path))
        assert message.startswith(f"{path}: column test_time_second is missing")
