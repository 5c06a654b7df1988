"""``rig runs import``, and what can be done with what came in: list, fit, report, export."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.cli.commands import refused, rig
from tests.formats.cycler_files import WRITERS, bdf, measured, public, written

FORMATS = ["parquet", "csv", "bdf-parquet", "archive"]


@pytest.fixture
def arbin(folder: Path) -> Path:
    return written(folder, "LPS-17.csv", WRITERS["arbin"](measured(6)))


def test_a_file_comes_in_and_says_which_run_it_is(arbin):
    printed = rig("runs", "import", arbin, "--cell", "LPS-17").out
    (run,) = rig("runs", "list", "--json").json()["runs"]
    assert printed.splitlines()[0].startswith(
        f"run {run['run_id'][:12]}  cell LPS-17  2520 samples"
    )
    assert "TIME-ZONE: the file's clock says no time zone; read as UTC" in printed
    assert (run["state"], run["origin"]["format"]) == ("finished", "arbin")


def test_the_same_file_again_is_already_there(arbin):
    first = rig("runs", "import", arbin, "--json").json()["runs"][0]
    again = rig("runs", "import", arbin, "--json").json()["runs"][0]
    assert (first["already_there"], again["already_there"]) == (False, True)
    assert first["run_id"] == again["run_id"]
    assert "already there" in rig("runs", "import", arbin).out


def test_what_came_in_is_shown_fitted_and_reported(arbin, folder):
    rig("runs", "import", arbin)
    shown = rig("runs", "show", "last").out
    assert "from LPS-17.csv (arbin)" in shown
    assert "import check: TIME-ZONE" in shown
    table = rig("fit", "cycles", "last", "--json").json()
    assert [cycle["cycle_count"] for cycle in table["cycles"]] == [1, 2, 3, 4, 5, 6]
    assert table["cycles"][1]["discharging_capacity_ah"] == pytest.approx(0.5)
    assert rig("fit", "fade", "last", "--json").json()["end_of_life"]["reached"] is False
    report = rig("report", "last", "--json").json()["runs"][0]
    assert report["samples"] == 2520
    assert "LPS-17" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_file_is_fitted_without_a_database(arbin, folder):
    of_file = rig("fit", "cycles", arbin, "--json")
    assert "TIME-ZONE" in of_file.err
    rig("runs", "import", arbin)
    of_run = rig("fit", "cycles", "last", "--json").json()
    assert of_run["cycles"] == of_file.json()["cycles"]
    assert of_run["capacity_source"] == of_file.json()["capacity_source"] == "instrument"


def test_a_capacity_that_was_integrated_here_is_not_called_the_instrument_s(folder):
    path = written(folder, "n.csv", WRITERS["novonix"](measured(2)))
    rig("runs", "import", path)
    for source in (path, "last"):
        assert rig("fit", "cycles", source, "--json").json()["capacity_source"] == "integrated"


def test_cycles_are_counted_by_charge_on_request(folder):
    path = written(folder, "one.csv", WRITERS["arbin"](measured(4).assign(cycle_count=1)))
    assert (
        "4 cycles by charge and discharge; --count own takes ours" in rig("fit", "cycles", path).err
    )
    rig("runs", "import", path)
    for source in (path, "last"):
        counts = [
            len(rig("fit", "cycles", source, "--count", count, "--json").json()["cycles"])
            for count in ("given", "own")
        ]
        assert counts == [1, 4]


def test_own_cycles_are_refused_where_there_are_none(folder, protocol):
    table = written(folder, "t.csv", "cycle_count,discharging_capacity_ah\n1,2\n2,1.9\n")
    assert "own needs samples" in refused("fit", "fade", table, "--count", "own")
    assert "expected given or own" in refused("fit", "fade", table, "--count", "mine")
    rig("run", protocol, "--json")
    assert "own is for imported runs" in refused("fit", "cycles", "last", "--count", "own")


def test_of_many_files_those_that_can_come_in_and_all_that_is_wrong_is_said(folder, arbin):
    empty = written(folder, "empty.csv", "")
    cut = written(folder, "cut.csv", WRITERS["maccor"](measured(1)).rsplit("\t", 2)[0])
    outcome = rig("runs", "import", empty, arbin, cut, folder / "none.csv", "--json")
    assert outcome.code == 2
    assert [Path(run["file"]).name for run in outcome.json()["runs"]] == ["LPS-17.csv"]
    assert len(outcome.json()["refused"]) == 3
    for words in ("empty.csv: the file is empty", "cut.csv: cut off", "none.csv: cannot be read"):
        assert words in outcome.err
    assert "1 of 4 files came in" in outcome.err


def test_files_that_are_all_refused_make_no_database(folder):
    empty = written(folder, "empty.csv", "")
    assert "the file is empty" in refused("runs", "import", empty)
    assert "did you mean 'novonix'" in refused("runs", "import", empty, "--format", "novonics")
    assert [path.name for path in folder.iterdir()] == ["empty.csv"]


def test_a_run_measured_here_is_archived_and_restored_elsewhere(protocol, folder):
    done = rig("run", protocol, "--json").json()["runs"][0]
    assert rig("runs", "export", "last", "--format", "archive", "--out", "a.zip").code == 0
    there = "sqlite:///there.db"
    assert rig("runs", "import", "a.zip", "--db", there).code == 0
    again = rig("runs", "export", "last", "--format", "archive", "--out", "b.zip", "--db", there)
    assert again.code == 0
    assert (folder / "a.zip").read_bytes() == (folder / "b.zip").read_bytes()
    assert rig("runs", "show", "last", "--db", there).out == rig("runs", "show", "last").out
    assert "already there" in rig("runs", "import", "a.zip", "--db", there).out
    assert done["samples"] > 0
    assert "leave out --cell" in refused("runs", "import", "a.zip", "--cell", "x", "--db", there)


def test_a_damaged_archive_is_refused_and_nothing_comes_in(protocol, folder):
    rig("run", protocol, "--json")
    rig("runs", "export", "last", "--format", "archive", "--out", "a.zip")
    with zipfile.ZipFile("a.zip") as whole, zipfile.ZipFile("b.zip", "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, whole.read(name).replace(b"charge", b"CHARGE"))
    message = refused("runs", "import", "b.zip", "--db", "sqlite:///there.db")
    assert "steps.json is damaged" in message
    assert not (folder / "there.db").exists()


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_came_in_goes_out_in_every_format(folder, format_name):
    rig("runs", "import", written(folder, "a.csv", bdf(measured(1))))
    done = rig("runs", "export", "last", "--format", format_name, "--json").json()
    assert done["rows"] == len(measured(1))
    assert all((folder / name).exists() for name in (done["file"], *done["beside"]))
    assert not list(folder.glob("*.partial"))


def test_results_go_out_once_there_are_any(protocol, folder):
    rig("run", protocol, "--set", "pause=10s", "--json")
    assert "let them be found first: rig report" in refused(
        "runs", "export", "last", "--format", "results-json"
    )
    assert "no complete spectrum" in refused("runs", "export", "last", "--format", "eis-csv")


@pytest.mark.parametrize("name", ["exampleDataGamry.DTA", "exampleDataBioLogic.mpt"])
def test_a_file_of_spectra_is_told_where_it_belongs(folder, name):
    message = refused("runs", "import", public(f"eis/{name}"))
    assert "impedance spectra only, no cycling; fit them as they are: rig fit eis" in message
