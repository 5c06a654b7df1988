"""A file that is none of a cycler's gets one clear message; a damaged one says where."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.formats import FORMATS, read_log
from rig.formats.reading import recognised
from rig.formats.sniffing import sniff
from tests.formats.cycler_files import WRITERS, bdf, measured, mpt, public, written


def refusal(path, format_name=None) -> str:
    with pytest.raises(BadInput) as caught:
        read_log(path, format_name)
    assert all(str(path) in problem.where for problem in caught.value.problems)
    return str(caught.value)


def a_zip(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \r\n\n", "the file is empty"),
        (bytes(range(256)), "binary, and no cycler's file"),
        (b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(64), "an Access database (Arbin .res)"),
        (b"name,price\ntea,3\n", "no header that is known; the first line is 'name,price'"),
        (b"Test Time / s,Voltage / V,Current / A\n", "a header and no rows"),
        (b"PAR1" + bytes(40), "this Parquet file cannot be read"),
        (b"BIO-LOGIC MODULAR FILE\x1a" + bytes(90), "this BioLogic .mpr file cannot be read"),
        (b"NEWARE" + bytes(90), "this Neware file cannot be read"),
        (b"PK\x03\x04" + bytes(40), "damaged or cut off: a zip file without its end"),
        (a_zip(readme="x"), "a zip file of none that is known (it holds readme)"),
        (b"\x1f\x8b" + bytes(40), "damaged or cut off: its gzip does not unpack"),
        (b"EC-Lab ASCII FILE\nsomething\n", "without 'Nb header lines'"),
        (b"EC-Lab ASCII FILE\nNb header lines : 60\n", "cut off: it says 60 lines of header"),
    ],
)
def test_what_is_no_log_is_refused_in_words(tmp_path, content, words):
    pytest.importorskip("galvani")
    pytest.importorskip("fastnda")
    assert words in refusal(written(tmp_path, "file", content))


@pytest.mark.parametrize("format_name", WRITERS)
def test_a_file_cut_off_in_a_row_is_refused(tmp_path, format_name):
    text = WRITERS[format_name](measured(1)).rstrip("\n")
    cut = text[: text.rindex("\t" if "\t" in text else ",")]
    cut = cut[: cut.rindex("\t" if "\t" in text else ",")]
    assert "cut off: the last row has" in refusal(written(tmp_path, "log.txt", cut))


def test_a_packed_file_that_is_cut_off_is_refused(tmp_path):
    packed = gzip.compress(bdf(measured(1)).encode())
    assert "gzip does not unpack" in refusal(written(tmp_path, "a.csv.gz", packed[:-20]))


@pytest.mark.parametrize("cut", [100, 2_000, 200_000])
def test_a_biologic_file_that_is_cut_off_is_refused(tmp_path, cut):
    pytest.importorskip("galvani")
    content = public("cycling/navani_gcpl_5cycles.mpr").read_bytes()
    message = refusal(written(tmp_path, "a.mpr", content[:-cut]))
    assert "this BioLogic .mpr file cannot be read" in message


def test_a_neware_file_that_is_cut_off_is_refused(tmp_path):
    content = public("cycling/fastnda_21_10_7_85.ndax").read_bytes()
    assert "damaged or cut off" in refusal(written(tmp_path, "a.ndax", content[:-500]))


def test_every_missing_column_is_named_at_once(tmp_path):
    path = written(tmp_path, "log.csv", bdf(measured(1)[["test_time_second", "step_count"]]))
    message = refusal(path, "bdf-csv")
    assert "voltage_volt is missing" in message
    assert "current_ampere is missing" in message


def test_a_reading_that_must_be_there_is_named_with_its_row(tmp_path):
    frame = measured(1)
    frame.loc[[4, 9], "voltage_volt"] = float("nan")
    message = refusal(written(tmp_path, "log.csv", bdf(frame)))
    assert "voltage_volt: 2 values are not numbers, the first in data row 5" in message


def test_words_among_the_numbers_are_named_with_their_row_and_column(tmp_path):
    text = bdf(measured(1)).replace("\n20.0,", "\ntwenty,", 1)
    message = refusal(written(tmp_path, "log.csv", text))
    assert "data row 2, test_time_second: got 'twenty', expected a number" in message


@pytest.mark.parametrize("value", [1.5, -1.0])
def test_cycle_numbers_are_whole_or_refused(tmp_path, value):
    frame = measured(1).astype({"cycle_count": float})
    frame.loc[7, "cycle_count"] = value
    message = refusal(written(tmp_path, "log.csv", bdf(frame)))
    assert f"cycle_count: got {value:g} in data row 8, expected 0, 1, 2, ..." in message


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("cycle_count", 1e19),
        ("step_count", 1e300),
        ("step_id", -9e25),
        ("test_time_second", 1e19),
        ("unix_time_second", 9e18),
        ("voltage_volt", 1e308),
        ("charging_capacity_ah", 1e308),
    ],
)
def test_a_number_that_no_test_has_is_named_with_its_row(tmp_path, column, value):
    frame = measured(1)
    frame[column] = frame[column].astype(float) if column in frame else 1.7e9
    frame.loc[7, column] = value
    message = refusal(written(tmp_path, "log.csv", bdf(frame)))
    assert f"{column}: got {value:g} in data row 8, expected at most" in message


def test_a_date_of_the_year_nought_is_named_with_its_row(tmp_path):
    text = WRITERS["novonix"](measured(1))
    damaged = text.replace("\n2023-11-14 22:13:40", "\n-0-11-14 22:13:40", 1)
    assert damaged != text
    assert "unix_time_second: got -6.2" in refusal(written(tmp_path, "log.csv", damaged))


def test_another_format_than_the_file_has_is_refused(tmp_path):
    path = written(tmp_path, "log.csv", bdf(measured(1)))
    assert "no header of novonix's" in refusal(path, "novonix")
    with pytest.raises(BadInput, match="did you mean 'maccor'"):
        read_log(path, "macor")


def test_a_folder_and_a_file_that_is_not_there_are_refused(tmp_path):
    assert "that is a folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "none.csv")


def test_another_table_may_be_one_for_somebody_else(tmp_path):
    assert (
        recognised(written(tmp_path, "a.csv", "cycle_count,discharging_capacity_ah\n1,2\n")) is None
    )
    assert recognised(written(tmp_path, "b.mpt", mpt(measured(1)))) == "biologic-mpt"


@given(st.binary(max_size=400))
def test_whatever_bytes_there_are_they_are_a_format_or_refused(content):
    try:
        found = sniff(content, "file")
    except BadInput:
        return
    assert found in FORMATS


@given(st.data())
def test_a_damaged_text_is_read_or_refused_and_nothing_else(tmp_path_factory, data):
    text = WRITERS[data.draw(st.sampled_from(sorted(WRITERS)))](measured(1).iloc[:20])
    at = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.text(alphabet="0123456789.,;\t\n-eNa\"'", max_size=8))
    damaged = text[:at] + wrong + text[at + len(wrong) :]
    path = written(tmp_path_factory.mktemp("damaged"), "log", damaged)
    try:
        log = read_log(path)
    except BadInput:
        return
    assert log.frame["voltage_volt"].notna().all()
