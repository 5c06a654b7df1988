"""Battery Data Format files: either spelling of a header, old names, and whatever numbers there are."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.formats import read_log
from rig.formats.vocabulary import COUNTERS, DEPRECATED, LABELS, REQUIRED, machine_name
from tests.formats.cycler_files import bdf, measured, written


def test_the_vocabulary_has_the_format_s_columns():
    assert len(LABELS) == 7 + 51
    assert LABELS["step_id"] == "Step ID"
    assert LABELS["cycle_net_energy_wh"] == "Cycle Net Energy / Wh"
    assert LABELS["schedule_charging_capacity_ah"] == "Schedule Charging Capacity / Ah"
    assert len(COUNTERS) == 3 * 8 + 4


@pytest.mark.parametrize("name", LABELS)
def test_a_label_and_a_machine_name_are_the_same_column(name):
    assert machine_name(LABELS[name]) == machine_name(name) == name


@pytest.mark.parametrize("header", ["Voltage/V", " voltage  /  v", "Voltage_Volt"])
def test_blanks_and_capitals_make_no_other_column(header):
    assert machine_name(header) == "voltage_volt"
    assert machine_name("Ambient Temperature / °C") == "ambient_temperature_celsius"


def test_labels_and_machine_names_give_the_same_log(tmp_path):
    plain = read_log(written(tmp_path, "a.csv", bdf(measured(1))))
    labelled = read_log(written(tmp_path, "b.csv", bdf(measured(1).rename(columns=LABELS))))
    assert plain.frame.equals(labelled.frame)


def test_parquet_is_the_same_as_text(tmp_path):
    frame = measured(1).rename(columns=LABELS)
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    packed = read_log(written(tmp_path, "a.bdf.parquet", file.getvalue()))
    text = read_log(written(tmp_path, "a.bdf.csv", bdf(frame)))
    assert packed.format == "bdf-parquet"
    assert packed.frame.equals(text.frame)


def test_old_names_are_read_as_what_they_are_called_now_and_said(tmp_path):
    frame = measured(1)
    old = pd.DataFrame(
        {
            "test_time_millisecond": frame["test_time_second"] * 1000.0,
            "Voltage / V": frame["voltage_volt"],
            "Current / A": frame["current_ampere"],
            "Unix Time / ms": frame["unix_time_second"] * 1000.0,
            "step_index": frame.groupby("step_count").cumcount() + 1,
        }
    )
    log = read_log(written(tmp_path, "old.bdf.csv", bdf(old)))
    assert log.frame["test_time_second"].to_numpy() == pytest.approx(frame["test_time_second"])
    assert log.frame["ts_us"].iloc[0] == round(frame["unix_time_second"].iloc[0] * 1e6)
    assert "step_record_index" in log.frame
    (finding,) = [one for one in log.findings if one.code == "DEPRECATED"]
    assert "'step_index' as step_record_index" in finding.message


def test_today_s_name_wins_over_an_old_one(tmp_path):
    frame = measured(1).assign(test_time_millisecond=-1.0)
    log = read_log(written(tmp_path, "both.csv", bdf(frame)))
    assert log.frame["test_time_second"].iloc[0] == 10.0


def test_every_old_name_leads_to_a_column_of_today():
    assert {old.name for old in DEPRECATED.values()} <= set(LABELS)


def test_columns_that_are_none_of_the_format_are_left_out_and_said(tmp_path):
    log = read_log(written(tmp_path, "a.csv", bdf(measured(1).assign(mood="good"))))
    assert "mood" not in log.frame
    assert [one.code for one in log.findings] == ["UNKNOWN-COLUMN"]


second, reading = st.floats(-3e9, 3e9), st.floats(-1e12, 1e12)


@given(st.lists(st.tuples(second, reading, reading), min_size=1, max_size=20))
def test_numbers_come_back_to_the_last_bit(tmp_path_factory, rows):
    frame = pd.DataFrame(rows, columns=list(REQUIRED))
    path = written(tmp_path_factory.mktemp("bdf"), "a.csv", bdf(frame))
    back = read_log(path).frame
    for name in REQUIRED:
        assert back[name].to_numpy().tobytes() == frame[name].to_numpy(float).tobytes()
