"""Files for other programs: the format's labels, its rules, and never half a file."""

from __future__ import annotations

import pandas as pd
import pytest

from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store.export import bdf_frame, write_samples
from tests.store.stores import sample

REQUIRED = ["Test Time / s", "Voltage / V", "Current / A"]


def samples(*cycles: int, **changed: object) -> pd.DataFrame:
    rows = [sample("a", seq, cycle_count=cycle, **changed) for seq, cycle in enumerate(cycles)]
    return pd.DataFrame(rows, columns=list(SAMPLE_COLUMNS))


def test_labels_are_the_formats_preferred_ones_with_their_units():
    frame = bdf_frame(samples(1, 1, 2))
    assert list(frame.columns) == [
        *REQUIRED,
        "Unix Time / s",
        "Cycle Count / 1",
        "Step Count / 1",
        "Ambient Temperature / degC",
        "Step ID",
        "Charging Capacity / Ah",
        "Discharging Capacity / Ah",
        "Charging Energy / Wh",
        "Discharging Energy / Wh",
    ]
    assert list(frame["Unix Time / s"]) == [0.0, 1.0, 2.0]
    assert (frame["Current / A"] > 0).all()  # charging, in our sign and in the format's


def test_the_cycle_count_never_goes_back_where_ours_is_nought_outside_of_cycles():
    frame = bdf_frame(samples(0, 1, 1, 0, 2, 0))
    assert list(frame["Cycle Count / 1"]) == [0, 1, 1, 1, 2, 2]


def test_a_column_without_a_value_is_left_out_unless_the_format_requires_it():
    frame = bdf_frame(samples(1, 1, current_ampere=None, ambient_temperature_celsius=None))
    assert list(frame.columns)[:3] == REQUIRED
    assert "Ambient Temperature / degC" not in frame
    assert list(bdf_frame(samples()).columns) == REQUIRED


@pytest.mark.parametrize(
    ("format_name", "read", "time"),
    [
        ("bdf-csv", pd.read_csv, "Test Time / s"),
        ("bdf-parquet", pd.read_parquet, "Test Time / s"),
        ("csv", pd.read_csv, "test_time_second"),
    ],
)
def test_what_is_written_is_read_back_to_the_bit(tmp_path, format_name, read, time):
    frame = samples(1, 1, 1, voltage_volt=0.1 + 0.2)
    path = tmp_path / "run"
    assert write_samples(frame, path, format_name) == 3
    back = read(path)
    assert list(back[time]) == [0.0, 1.0, 2.0]
    volt = back["Voltage / V" if time != "test_time_second" else "voltage_volt"]
    assert list(volt) == [0.1 + 0.2] * 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_every_column_is_in_a_plain_csv(tmp_path):
    write_samples(samples(1), tmp_path / "run.csv", "csv")
    assert tuple(pd.read_csv(tmp_path / "run.csv").columns) == SAMPLE_COLUMNS


@pytest.mark.parametrize("format_name", ["csv", "bdf-parquet"])
def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_no_half(tmp_path, format_name):
    """The name is taken by a folder: all is written, and only the last step fails."""
    (tmp_path / "run").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        write_samples(samples(1, 1), tmp_path / "run", format_name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
    with pytest.raises(StoreError, match="cannot be written"):
        write_samples(samples(1, 1), tmp_path / "none" / "run", format_name)
