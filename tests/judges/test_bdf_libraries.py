"""The format's own published library, and an independent one, read our exports without complaint.

batterydf 0.1.0 predates today's ontology: it knows fewer columns, and has to take all that it knows.
battery-data-standard checks the numbers: complete, in order, plausible.
"""

from __future__ import annotations

import importlib
import shutil
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rig.formats.vocabulary import LABELS
from tests.cli.commands import PROTOCOL, rig
from tests.formats.cycler_files import bdf, measured, public, written

# pandas 3.1 to a library of February 2026; none of the format's business.
PANDAS = "The inplace keyword"
pytestmark = pytest.mark.filterwarnings(f"ignore:{PANDAS}")
REQUIRED = ["Test Time / s", "Voltage / V", "Current / A"]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of two cycles, exported both ways."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    db = f"sqlite:///{folder / 'rig.db'}"
    assert rig("run", folder / "p.yaml", "--channel", "C1", "--db", db, "--json").code == 0
    for ending in ("csv", "parquet"):
        out = folder / f"run.bdf.{ending}"
        done = rig("runs", "export", "last", "--format", f"bdf-{ending}", "--out", out, "--db", db)
        assert done.code == 0, done.err
    return folder


def batterydf(part: str) -> Any:
    """Return a module of the library, by name: its ``validate`` is a function in the package, too."""
    pytest.importorskip("bdf", reason="batterydf is not installed")
    return importlib.import_module(f"bdf.{part}")


def known_to_batterydf() -> set[str]:
    return set(batterydf("io")._label_maps()[0])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_batterydf_loads_and_validates_an_export_without_a_warning(exports, ending):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=PANDAS)
        frame = batterydf("io").load(exports / f"run.bdf.{ending}")
        report = batterydf("validate").validate_df(frame, raise_on_error=True)
    assert report["ok"]
    assert not report["missing"]
    assert not report["legacy_labels"]
    assert report["time_stats"]["monotonic"]
    assert set(report["extras"]).isdisjoint(known_to_batterydf())
    assert set(report["extras"]) <= set(LABELS.values())


def test_batterydf_reads_the_same_numbers(exports):
    theirs = batterydf("io").load(exports / "run.bdf.csv")
    ours = pd.read_parquet(exports / "run.bdf.parquet")
    for label in ours.columns:
        if label in theirs.columns and label != "Step Type":
            assert list(theirs[label]) == list(ours[label]), label


def test_batterydf_finds_the_metadata_beside_the_table(exports):
    assert batterydf("io")._meta_sidecar(exports / "run.bdf.csv").is_file()


@pytest.mark.parametrize("human", [True, False])
def test_what_batterydf_writes_is_read_here(tmp_path, human):
    frame = pd.read_csv(written(tmp_path, "a.csv", bdf(measured(1).rename(columns=LABELS))))
    batterydf("io").save(frame, tmp_path / "b.bdf.csv", human=human)
    db = f"sqlite:///{tmp_path / 'rig.db'}"
    done = rig("runs", "import", tmp_path / "b.bdf.csv", "--db", db, "--json").json()
    assert done["runs"][0]["samples"] == len(frame)


def test_the_format_s_example_file_is_read(tmp_path):
    db = f"sqlite:///{tmp_path / 'rig.db'}"
    done = rig("runs", "import", public("cycling/sample.bdf.csv"), "--db", db, "--json").json()
    assert done["runs"][0]["samples"] == 3


# --- battery-data-standard -----------------------------------------------------------------------


def test_battery_data_standard_takes_an_export_for_a_complete_time_series(exports):
    library: Any = pytest.importorskip(
        "battery_data_standard", reason="battery-data-standard is not installed"
    )
    frame = library.read(exports / "run.bdf.csv", time_sampling_policy="none")
    ours = pd.read_csv(exports / "run.bdf.csv")
    for theirs, label in zip(("test_time_s", "voltage_v", "current_a"), REQUIRED, strict=True):
        assert frame[theirs].to_list() == list(ours[label])
    # It asks for time that always goes on; the format, as a step begins where one ended, that it
    # never goes back.
    report = library.validate(frame, strict=False)
    assert [issue for issue in report.issues if issue.level == "error"] == []


# --- round trip ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_out_in_and_out_again_is_the_same_file(exports, tmp_path, ending):
    first = exports / f"run.bdf.{ending}"
    path, db = tmp_path / "in", f"sqlite:///{tmp_path / 'there.db'}"
    shutil.copyfile(first, path)
    assert rig("runs", "import", path, "--db", db).code == 0
    again = tmp_path / f"again.bdf.{ending}"
    rig("runs", "export", "last", "--format", f"bdf-{ending}", "--out", again, "--db", db)
    assert again.read_bytes() == first.read_bytes()
