"""One and the same test, as each maker's software writes it, is one and the same log."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from rig.analysis.cycles import cycle_table
from rig.formats import read_log
from tests.formats.cycler_files import (
    CAPACITY_AH,
    STARTED_SECOND,
    WRITERS,
    measured,
    mpt,
    workbook,
    written,
)


@pytest.mark.parametrize("format_name", WRITERS)
def test_a_makers_file_says_what_was_measured(tmp_path, format_name):
    truth = measured()
    log = read_log(written(tmp_path, "log.txt", WRITERS[format_name](truth)))
    assert log.format == format_name
    for name in ("test_time_second", "voltage_volt", "current_ampere"):
        assert log.frame[name].to_numpy() == pytest.approx(truth[name].to_numpy(), abs=1e-9)
    assert list(log.frame["step_count"]) == list(truth["step_count"])
    assert list(log.frame["cycle_count"]) == list(truth["cycle_count"])
    for flow in ("charging", "discharging"):
        passed = log.frame[f"{flow}_capacity_ah"].iloc[-1]
        assert passed == pytest.approx(3 * CAPACITY_AH, rel=2e-3)


@pytest.mark.parametrize("format_name", WRITERS)
def test_its_first_sample_is_at_the_moment_that_the_file_says(tmp_path, format_name):
    log = read_log(written(tmp_path, "log.txt", WRITERS[format_name](measured(1))))
    assert log.dated
    assert log.frame["ts_us"].iloc[0] == (STARTED_SECOND + 10) * 1_000_000
    assert {f.code for f in log.findings} <= {"TIME-ZONE", *_TOLD[format_name]}


_TOLD = {
    "biologic-mpt": {"CURRENT-DERIVED", "CYCLES-COUNTED"},
    "maccor": {"SIGN-STATE"},
}
_TOLD |= {name: set() for name in WRITERS if name not in _TOLD}


@pytest.mark.parametrize("format_name", WRITERS)
def test_its_cycles_are_tabulated_with_their_capacities(tmp_path, format_name):
    log = read_log(written(tmp_path, "log.txt", WRITERS[format_name](measured())))
    for count in ("given", "own"):
        table = cycle_table(log.analysis_frame(count))
        assert list(table.column("cycle_count")) == [1, 2, 3]
        capacities = table.column("discharging_capacity_ah")
        assert capacities == pytest.approx([CAPACITY_AH] * 3, rel=6e-3)


def test_an_arbin_workbook_runs_over_its_sheets(tmp_path):
    pytest.importorskip("python_calamine")
    pytest.importorskip("openpyxl")
    log = read_log(written(tmp_path, "log.xlsx", workbook(measured())))
    assert (log.format, len(log.frame)) == ("arbin-xlsx", len(measured()))
    assert log.frame["voltage_volt"].to_numpy() == pytest.approx(
        measured()["voltage_volt"].to_numpy()
    )


def test_decimal_commas_are_read_where_they_do_not_separate(tmp_path):
    plain = read_log(written(tmp_path, "a.mpt", mpt(measured(1))))
    comma = read_log(written(tmp_path, "b.mpt", mpt(measured(1), comma=True)))
    assert np.array_equal(plain.frame["voltage_volt"], comma.frame["voltage_volt"])


def test_a_packed_file_is_the_same_test_and_another_file(tmp_path):
    text = WRITERS["arbin"](measured(1))
    plain = read_log(written(tmp_path, "a.csv", text))
    packed = read_log(written(tmp_path, "a.csv.gz", gzip.compress(text.encode())))
    assert plain.frame.equals(packed.frame)
    assert plain.sha256 != packed.sha256


def test_milliamperes_hours_and_durations_become_amperes_and_seconds(tmp_path):
    text = (
        "Rec,Cycle P,Step,TestTime,StepTime,Cap. [mAh],Current [mA],Voltage [mV],Md\n"
        "1,0,1,0d 00:00:10.5,0d 00:00:10.5,0.0,250,3700,C\n"
        "2,0,1,1d 01:00:00.0,0d 00:00:20.5,0.7,250,3705,D\n"
    )
    log = read_log(written(tmp_path, "m.csv", text), "maccor")
    assert list(log.frame["test_time_second"]) == [10.5, 90_000.0]
    assert list(log.frame["current_ampere"]) == [0.25, -0.25]
    assert list(log.frame["voltage_volt"]) == [3.7, 3.705]


def test_a_program_step_that_charges_and_discharges_is_cut_where_the_current_turns(tmp_path):
    """BioLogic's Ns is the same for both halves of a cycle where nobody recorded half cycles."""
    table = measured(2)
    text = mpt(table.assign(step_id=1)).replace("half cycle", "x")
    log = read_log(written(tmp_path, "a.mpt", text))
    assert list(log.steps["own_cycle_count"]) == [1, 1, 1, 1, 2, 2, 2, 2]
