"""Every reader of tables in text: a row with more fields than labels is refused, never cut to fit.

Such a row comes from decimal commas in a comma-separated file, and read anyhow it is wrong numbers
without a word.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.core.errors import BadInput
from rig.formats import read_log
from rig.formats.eis import load_spectra
from tests.formats.cycler_files import bdf, measured

HERTZ = (100_000, 30_000, 10_000, 3_000, 1_000, 300, 100)


def refusal(path: Path, reader) -> BadInput:
    with pytest.raises(BadInput) as caught:
        reader(path)
    return caught.value


def written(folder: Path, *lines: str) -> Path:
    path = folder / "file.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["Freq/Hz,Z'/Ohm,-Z''/Ohm", "Frequency/Hz,Z'/Ohm,Z''/Ohm"])
def test_an_impedance_with_decimal_commas_between_commas_is_refused(tmp_path, header):
    path = written(tmp_path, header, *(f"{hertz},16,2,9,4" for hertz in HERTZ))
    error = refusal(path, load_spectra)
    assert f"{path}: line 2: got 5 fields (100000,16,2,9,4), expected 3" in str(error)
    assert "decimal comma" in str(error)
    assert "semicolons" in error.remedy


def test_one_row_too_wide_is_enough_and_is_named(tmp_path):
    rows = [f"{hertz},{16 + at}.5,-9.25" for at, hertz in enumerate(HERTZ)]
    rows[3] = "3000,19,5,-9"
    path = written(tmp_path, "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm", *rows)
    assert "line 5: got 4 fields" in str(refusal(path, load_spectra))
    path = written(tmp_path, *rows)
    assert "line 4: got 4 fields" in str(refusal(path, load_spectra))


def test_empty_fields_at_the_end_of_a_row_are_no_more_fields(tmp_path):
    rows = [f"{hertz},{16 + at}.5,-9.25,," for at, hertz in enumerate(HERTZ)]
    (one,) = load_spectra(written(tmp_path, "Freq/Hz,Z'/Ohm,Z''/Ohm", *rows))
    assert len(one) == len(HERTZ)


def test_an_impedance_with_points_and_commas_mixed_is_refused(tmp_path):
    rows = [f"{hertz};{16 + at},5;-9,25" for at, hertz in enumerate(HERTZ)]
    path = written(tmp_path, "Freq/Hz;Z'/Ohm;Z''/Ohm", *rows)
    assert load_spectra(path)[0].impedance_ohm[0] == pytest.approx(16.5 - 9.25j)
    rows[2] = "10000;1.256;-9,25"
    message = str(refusal(written(tmp_path, "Freq/Hz;Z'/Ohm;Z''/Ohm", *rows), load_spectra))
    assert "line 4" in message
    assert "'1.256'" in message
    assert "decimal commas and points" in message


def test_three_columns_of_a_zplot_file_with_decimal_commas_are_not_six(tmp_path):
    rows = [f"{hertz},0, 16,2, -9,4" for hertz in HERTZ]
    path = written(tmp_path, "ZPLOT2 ASCII", "End Comments", *rows)
    assert "line 3: got 6 fields" in str(refusal(path, load_spectra))


def test_a_cyclers_file_with_decimal_commas_between_commas_is_refused(tmp_path):
    path = written(tmp_path, "Test Time / s,Voltage / V,Current / A", "0,0,3,512,0,001", "1,3,5,0")
    error = refusal(path, read_log)
    assert f"{path}: line 2: got 6 fields" in str(error)
    assert f"{path}: line 3: got 4 fields" in str(error)
    assert "decimal comma" in str(error)
    assert "semicolons" in error.remedy


@pytest.mark.parametrize("row", ["{}", "{},7", '"{}'])
def test_a_row_in_the_middle_of_a_cyclers_file_is_refused_by_its_line(tmp_path, row):
    lines = bdf(measured(1)).splitlines()
    lines[3] = row.format(lines[3] if row != "{}" else lines[3].rpartition(",")[0])
    assert "line 4" in str(refusal(written(tmp_path, *lines), read_log))


def test_a_cyclers_file_with_points_and_commas_mixed_is_refused(tmp_path):
    header = "Test Time / s;Voltage / V;Current / A"
    path = written(tmp_path, header, "0,5;3,512;0,001", "1,5;3.512;0,001")
    message = str(refusal(path, read_log))
    assert "decimal commas and points" in message
    assert "'3.512'" in message
