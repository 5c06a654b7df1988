"""Measured files that makers' software wrote, with the facts published beside them."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
import pytest

from rig.analysis.cycles import cycle_table
from rig.formats import read_log
from tests.formats.cycler_files import public


def test_a_neware_file_holds_the_rows_of_neware_s_own_export():
    pytest.importorskip("fastnda")
    log = read_log(public("cycling/fastnda_21_10_7_85.ndax"))
    theirs = pd.read_parquet(public("cycling/fastnda_21_10_7_85.parquet"))
    ours = log.frame
    assert (log.format, len(ours)) == ("neware-ndax", len(theirs))
    assert ours["test_time_second"].to_numpy() == pytest.approx(theirs["Total Time"].to_numpy())
    # The export rounds to its units' last digit.
    assert ours["voltage_volt"].to_numpy() * 1e3 == pytest.approx(theirs["Voltage(mV)"], abs=0.5)
    assert ours["current_ampere"].to_numpy() * 1e6 == pytest.approx(theirs["Current(uA)"], abs=0.5)
    assert list(ours["cycle_count"]) == list(theirs["Cycle Index"])
    assert list(ours["step_id"]) == list(theirs["Step Index"])
    assert log.steps["step_type"].tolist() == ["REST"]
    assert (
        zlib.decompress.__module__ == "zlib"
    )  # which fastnda exchanges for another, for everybody


def test_a_biologic_file_gives_navani_s_published_capacities():
    pytest.importorskip("galvani")
    log = read_log(public("cycling/navani_gcpl_5cycles.mpr"))
    assert len(log.frame) == 46_102
    table = cycle_table(log.analysis_frame())
    charge, discharge = (
        1e3 * table.column(f"{flow}_capacity_ah") for flow in ("charging", "discharging")
    )
    assert charge[charge > 0].mean() == pytest.approx(0.9535533, abs=5e-7)
    assert discharge[discharge > 0].mean() == pytest.approx(0.7778788, abs=5e-7)


@pytest.mark.parametrize(
    ("name", "format_name", "rows", "last_volt", "last_ampere"),
    [
        ("sample_data_arbin.csv", "arbin", 13, 3.599601, 2.650138),
        ("toolkit_arbin_example.csv", "arbin", 2142, None, None),
        ("sample_data_maccor.csv", "maccor", 15, 3.716, 28.798),
        ("sample_data_novonix.csv", "novonix", 207, 4.12864581, 0.49999387),
        ("sample_data_basytec.txt", "basytec", 74, 3.53285012323902, 0.449601734416934),
        ("sample.bdf.csv", "bdf-csv", 3, 3.5, 0.1),
    ],
)
def test_a_text_file_is_read_whole(name, format_name, rows, last_volt, last_ampere):
    log = read_log(public(f"cycling/{name}"))
    assert (log.format, len(log.frame)) == (format_name, rows)
    if last_volt is not None:
        assert log.frame["voltage_volt"].iloc[-1] == last_volt
        assert log.frame["current_ampere"].iloc[-1] == last_ampere


def test_arbin_counters_that_are_reset_by_the_schedule_are_added_up():
    log = read_log(public("cycling/toolkit_arbin_example.csv"))
    assert log.capacities == "given, resets added up"
    counters = log.frame[["charging_capacity_ah", "discharging_capacity_ah"]].to_numpy()
    assert (np.diff(counters, axis=0) >= 0).all()
    table = cycle_table(log.analysis_frame())
    assert table.column("discharging_capacity_ah")[1] == pytest.approx(1.0729, abs=1e-4)


def test_a_maccor_capacity_without_a_sign_follows_the_current():
    log = read_log(public("cycling/sample_data_maccor.csv"))
    assert log.frame["charging_capacity_ah"].iloc[-1] == 0.024
    assert log.frame["discharging_capacity_ah"].iloc[-1] == 0.0
