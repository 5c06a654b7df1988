"""What cannot be as it stands is said; what was measured is kept as the file has it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rig.formats import CyclerLog, read_log
from tests.formats.cycler_files import bdf, measured, written

REQUIRED = ["test_time_second", "voltage_volt", "current_ampere", "cycle_count"]


def codes(log: CyclerLog) -> list[str]:
    return [finding.code for finding in log.findings]


def read(folder, frame: pd.DataFrame) -> CyclerLog:
    log = read_log(written(folder, "log.bdf.csv", bdf(frame)))
    for name in ("test_time_second", "voltage_volt", "current_ampere"):
        assert log.frame[name].to_numpy() == pytest.approx(frame[name].to_numpy(), nan_ok=True)
    return log


def test_of_a_good_file_there_is_nothing_to_say(tmp_path):
    assert codes(read(tmp_path, measured())) == []


def test_time_3600_times_too_long_shows_against_the_clock_and_is_named(tmp_path):
    frame = measured().assign(test_time_second=lambda f: f["test_time_second"] * 3600.0)
    log = read(tmp_path, frame)
    assert "TIME-SCALE" in codes(log)
    (finding,) = [one for one in log.findings if one.code == "TIME-SCALE"]
    assert "3600 times, seconds taken for hours" in finding.message


def test_without_a_clock_it_shows_against_the_instrument_s_own_capacity(tmp_path):
    frame = measured().drop(columns=["unix_time_second", "step_time_second"])
    frame["test_time_second"] *= 3600.0
    log = read(tmp_path, frame)
    (finding,) = [one for one in log.findings if one.code == "CAPACITY"]
    assert "3600 times" in finding.message


def test_seventeen_years_are_too_long_for_a_test(tmp_path):
    frame = measured()[REQUIRED]
    frame["test_time_second"] *= 17 * 365.25 * 86_400 / frame["test_time_second"].iloc[-1]
    assert "TIME-SCALE" in codes(read(tmp_path, frame))


def test_positive_discharge_shows_by_the_counters(tmp_path):
    frame = measured()
    frame["current_ampere"] *= -1.0
    assert "SIGN" in codes(read(tmp_path, frame))


def test_positive_discharge_shows_by_the_voltage_where_there_are_no_counters(tmp_path):
    frame = measured()[REQUIRED]
    frame["current_ampere"] *= -1.0
    assert codes(read(tmp_path, frame)) == ["SIGN", "DATE"]


def test_milliamperes_under_a_header_of_amperes_show_by_the_counters(tmp_path):
    frame = measured()
    frame["current_ampere"] *= 1000.0
    (finding,) = [one for one in read(tmp_path, frame).findings if one.code == "CAPACITY"]
    assert "1000 times, milli-units?" in finding.message


def test_a_capacity_that_its_current_does_not_give_is_said_with_both_numbers(tmp_path):
    frame = measured()
    frame["charging_capacity_ah"] *= 1.2
    (finding,) = [one for one in read(tmp_path, frame).findings if one.code == "CAPACITY"]
    # Both from the first sample on, which is 10 s old.
    words = "capacity of the file 1.7967 + 1.5 Ah, by its current 1.4972 + 1.5 Ah"
    assert finding.message == words


def test_a_gap_while_current_flows_is_said_with_its_place(tmp_path):
    frame = measured().drop(index=range(40, 100))
    (finding,) = [one for one in read(tmp_path, frame).findings if one.code == "GAP"]
    assert finding.message == "1 gaps while current flows, the first of 610 s before data row 41"


def test_a_gap_at_rest_is_none(tmp_path):
    frame = measured().drop(index=range(185, 205))
    assert codes(read(tmp_path, frame)) == []


def test_rows_that_stand_twice_are_counted(tmp_path):
    frame = pd.concat([measured().iloc[:50], measured().iloc[45:]])
    (finding,) = [one for one in read(tmp_path, frame).findings if one.code == "DUPLICATE"]
    assert finding.message.startswith("5 rows repeat")
    assert finding.message.endswith("first data row 51")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"voltage_volt": lambda f: f["voltage_volt"] * 1000.0}, "VOLTAGE"),
        ({"ambient_temperature_celsius": 298.15}, "KELVIN"),
        ({"cycle_count": lambda f: 4 - f["cycle_count"]}, "CYCLE-BACK"),
        ({"cycle_count": 1}, "CYCLES-DIFFER"),
        ({"cycle_count": lambda f: f["cycle_count"] - 1}, "CYCLE-ZERO"),
        ({"step_record_index": lambda f: f["step_id"]}, "STEP-INDEX"),
    ],
)
def test_other_things_that_cannot_be_are_said(tmp_path, changed, code):
    assert code in codes(read(tmp_path, measured().assign(**changed)))


def test_time_that_begins_again_is_said(tmp_path):
    frame = measured(1)[REQUIRED]
    assert "TIME-BACK" in codes(read(tmp_path, pd.concat([frame, frame])))


def test_a_reading_that_is_missing_stays_missing(tmp_path):
    frame = measured(1).assign(ambient_temperature_celsius=np.nan)
    frame.loc[3, "ambient_temperature_celsius"] = 25.0
    log = read_log(written(tmp_path, "log.csv", bdf(frame)))
    assert log.frame["ambient_temperature_celsius"].notna().sum() == 1


def test_every_code_stands_in_the_how_to():
    folder = Path(__file__).parents[2]
    page = (folder / "docs/how-to/bring-in-data-from-a-cycler.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in folder.glob("rig/formats/*.py"))
    said = set(re.findall(r'Finding\(\s*"([A-Z-]+)"', sources))
    assert len(said) > 12
    assert sorted(code for code in said if f"`{code}`" not in page) == []
