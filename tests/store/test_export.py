"""Files for other programs: the format's labels, its rules, and never half a file."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from rig.core.errors import BadInput, StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.formats.eis import load_spectra
from rig.formats.vocabulary import LABELS
from rig.store.exporting import (
    bdf_frame,
    result_frame,
    sidecar,
    spectra_frame,
    write_frame,
    write_json,
)
from rig.store.exporting.spectra import HEAD
from tests.store.stores import run_values, sample

REQUIRED = ["Test Time / s", "Voltage / V", "Current / A"]
NO_STEPS = pd.DataFrame(columns=["step_count", "kind", "words", "began_second", "capacity_ah"])


def samples(*cycles: int, **changed: object) -> pd.DataFrame:
    rows = [sample("a", seq, cycle_count=cycle, **changed) for seq, cycle in enumerate(cycles)]
    return pd.DataFrame(rows, columns=list(SAMPLE_COLUMNS))


def steps(*rows: tuple[int, str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=NO_STEPS.columns)


def bdf(*cycles: int, **changed: object) -> pd.DataFrame:
    return bdf_frame(samples(*cycles, **changed), NO_STEPS)


def test_labels_are_the_formats_preferred_ones_in_its_order():
    frame = bdf(1, 1, 2)
    assert list(frame.columns[:7]) == [
        *REQUIRED,
        "Unix Time / s",
        "Cycle Count / 1",
        "Step Count / 1",
        "Ambient Temperature / degC",
    ]
    assert set(frame.columns) <= set(LABELS.values())
    assert list(frame["Unix Time / s"]) == [0.0, 1.0, 2.0]
    assert (frame["Current / A"] > 0).all()  # charging, in our sign and in the format's


def test_the_cycle_count_never_goes_back_where_ours_is_nought_outside_of_cycles():
    assert list(bdf(0, 1, 1, 0, 2, 0)["Cycle Count / 1"]) == [0, 1, 1, 1, 2, 2]


def test_counters_begin_again_where_the_format_says_and_add_up():
    rows = samples(1, 1, 1, 2, 2, charging_capacity_ah=0.0)
    rows["charging_capacity_ah"] = [0.1, 0.3, 0.3, 0.4, 0.6]
    rows["discharging_capacity_ah"] = [0.0, 0.0, 0.2, 0.2, 0.2]
    rows["step_count"] = [1, 1, 2, 3, 3]
    frame = bdf_frame(rows, NO_STEPS)
    assert list(frame["Cycle Charging Capacity / Ah"]) == pytest.approx([0.1, 0.3, 0.3, 0.1, 0.3])
    assert list(frame["Step Charging Capacity / Ah"]) == pytest.approx([0.1, 0.3, 0.0, 0.1, 0.3])
    assert list(frame["Step Discharging Capacity / Ah"]) == pytest.approx([0, 0, 0.2, 0, 0])
    assert list(frame["Step Record Index / 1"]) == [1, 2, 1, 1, 2]
    for since in ("", "Cycle ", "Step "):
        into, out = (frame[f"{since}{way} Capacity / Ah"] for way in ("Charging", "Discharging"))
        assert np.array_equal(frame[f"{since}Net Capacity / Ah"], into - out)
        assert np.array_equal(frame[f"{since}Cumulative Capacity / Ah"], into + out)


def test_a_step_is_called_what_the_format_calls_it_and_has_its_own_time():
    table = steps(
        (1, "charge", "charge at 1C until 4.2 V", 0.0, 0.1),
        (2, "hold", "hold at 4.2 V", 0.5, 0.01),
        (3, "hold", "hold at 2.8 V", 1.5, -0.01),
        (4, "cccv", "cccv ...", 2.5, 0.1),
        (5, "set_temperature", "to 40 degC", 3.5, 0.0),
        (6, "discharge", "CP_DCH", 4.5, -0.1),
    )
    rows = samples(*[1] * 6)
    rows["step_count"] = range(1, 7)
    frame = bdf_frame(rows, table)
    assert list(frame["Step Type"]) == ["CC_CHG", "CV_CHG", "CV_DCH", "CCCV_CHG", "REST", "CP_DCH"]
    assert list(frame["Step Time / s"]) == [0.0, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_power_surface_temperature_pressure_and_other_readings_are_there():
    other = {"record_index": 7, "temperature_t1_celsius": 24.5, "strain_1": 3.0}
    frame = bdf(1, surface_temperature_celsius=26.0, applied_pressure_pa=5e6, aux=other)
    row = frame.iloc[0]
    assert row["Power / W"] == row["Voltage / V"] * row["Current / A"]
    assert row["Surface Temperature / degC"] == 26.0
    assert row["Applied Pressure / Pa"] == 5e6
    assert (row["Record Index / 1"], row["Temperature T1 / degC"]) == (7, 24.5)


def test_a_column_without_a_value_is_left_out_unless_the_format_requires_it():
    frame = bdf(1, 1, current_ampere=None, ambient_temperature_celsius=None)
    assert list(frame.columns)[:3] == REQUIRED
    assert "Ambient Temperature / degC" not in frame
    assert list(bdf().columns) == REQUIRED


def test_a_sample_without_voltage_is_left_out_and_the_sidecar_says_so():
    rows = samples(1, 1, 1, tag="check", flags=64)
    rows.loc[1, "voltage_volt"] = np.nan
    table = bdf_frame(rows, NO_STEPS)
    assert list(table["Test Time / s"]) == [0.0, 2.0]
    run = run_values("a") | {"reason": "", "started_us": 0, "ended_us": None}
    told = sidecar(run, {"name": "LPS-17", "area_square_centimetre": 0.785}, rows, table)
    assert told["lost"][:3] == [
        "1 samples without a voltage or a current reading",
        "tag of each sample",
        "flags of each sample (overload, voltage held, ...)",
    ]
    assert told["cell"]["name"] == "LPS-17"
    assert told["protocol"]["sha256"] == "0" * 64
    assert told["run"]["started"] == "1970-01-01T00:00:00+00:00"
    assert told["columns"]["Voltage / V"] == "voltage_volt"


def test_readings_that_the_format_has_no_column_for_are_named():
    rows = samples(1, aux={"strain_1": 3.0})
    run = run_values("a") | {"reason": "", "started_us": None, "ended_us": None}
    told = sidecar(run, None, rows, bdf_frame(rows, NO_STEPS))
    assert any("strain_1" in words for words in told["lost"])


@pytest.mark.parametrize(
    ("format_name", "read"), [("bdf-csv", pd.read_csv), ("bdf-parquet", pd.read_parquet)]
)
def test_what_is_written_is_read_back_to_the_bit(tmp_path, format_name, read):
    frame = bdf(1, 1, 1, voltage_volt=0.1 + 0.2)
    path = tmp_path / "run"
    assert write_frame(frame, path, format_name) == 3
    back = read(path)
    assert list(back["Test Time / s"]) == [0.0, 1.0, 2.0]
    assert list(back["Voltage / V"]) == [0.1 + 0.2] * 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("format_name", ["csv", "bdf-parquet"])
def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_no_half(tmp_path, format_name):
    """The name is taken by a folder: all is written, and only the last step fails."""
    (tmp_path / "run").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        write_frame(bdf(1, 1), tmp_path / "run", format_name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
    with pytest.raises(StoreError, match="cannot be written"):
        write_json({}, tmp_path / "none" / "run")


def test_results_are_one_row_each_with_intervals_as_two_columns():
    values = {"value": 0.35, "unit": "eV", "interval_95": [0.34, 0.36], "covariance": [[1.0]]}
    row = {"run_id": "a", "method": "ea", "version": "1", "inputs_sha256": "0", "created_us": 1}
    row |= {"values": values, "flags": [{"code": "ARR-TSAMPLE"}, {"code": "KK"}]}
    table = result_frame([row])
    assert json.loads(table.to_json(orient="records")) == [
        {
            "method": "ea",
            "version": "1",
            "inputs_sha256": "0",
            "created_us": 1,
            "flags": "ARR-TSAMPLE KK",
            "value": 0.35,
            "unit": "eV",
            "interval_95_low": 0.34,
            "interval_95_high": 0.36,
        }
    ]


def test_spectra_of_a_run_without_any_are_refused():
    heads = pd.DataFrame(columns=["spectrum_count", "complete"])
    with pytest.raises(BadInput, match="no complete spectrum"):
        spectra_frame(heads, pd.DataFrame())


def test_each_point_is_given_what_was_around_its_cell_and_what_speaks_against_its_spectrum():
    heads = pd.DataFrame(
        {
            "spectrum_count": [1, 2],
            "cycle_count": [0, 0],
            "ambient_temperature_celsius": [25.0, 25.0],
            "surface_temperature_celsius": [25.4, float("nan")],
            "surface_temperature_span_kelvin": [0.1, float("nan")],
            "applied_pressure_pa": [5e6, float("nan")],
            "objection": ["residual 3 %", None],
            "repeat_of": [float("nan"), 1.0],
            "complete": [True, True],
        }
    )
    points = pd.DataFrame(
        {
            "run_id": ["a"] * 3,
            "spectrum_count": [1, 1, 2],
            "point_index": [0, 1, 0],
            "frequency_hertz": [1e3, 1e2, 1e3],
        }
    )
    frame = spectra_frame(heads, points)
    assert list(frame["surface_temperature_celsius"][:2]) == [25.4, 25.4]
    assert list(frame["applied_pressure_pa"][:2]) == [5e6, 5e6]
    assert frame["objection"].fillna("").tolist() == ["residual 3 %", "residual 3 %", ""]
    assert frame["surface_temperature_span_kelvin"].notna().tolist() == [True, True, False]
    assert frame["repeat_of"].isna().tolist() == [True, True, False]
    assert str(frame["repeat_of"][2]) == "1"  # a whole number, as it is counted


def test_what_is_exported_of_spectra_is_read_back_whatever_is_said_of_them(tmp_path):
    heads = pd.DataFrame({name: [1, 2] for name in HEAD})
    heads["objection"], heads["repeat_of"] = ["3 %, 4 of 36 points; a pattern", None], [None, 1]
    hertz = [1000.0, 100.0, 10.0, 1.0, 0.1]
    points = pd.DataFrame({"frequency_hertz": hertz * 2, "real_impedance_ohm": 10.0})
    points["imaginary_impedance_ohm"], points["repeated"] = -1.0, False
    points = points.assign(run_id="a", spectrum_count=[1] * 5 + [2] * 5, point_index=0)
    frame = spectra_frame(heads.assign(complete=True), points)
    write_frame(frame, tmp_path / "two.csv", "eis-csv")
    found = load_spectra(tmp_path / "two.csv")
    assert [one.frequency_hertz.tolist() for one in found] == [hertz, hertz]
    assert [one.temperature_celsius for one in found] == [1.0, 2.0]
