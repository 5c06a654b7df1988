"""``rig runs`` and the command line itself: lists, files, JSON, exit codes, and what loads when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from rig.cli.output import duration, print_json, reporting_errors
from rig.core.errors import BadInput, Problem, StoreError
from tests.cli.commands import PROTOCOL, refused, rig


@pytest.fixture
def done(protocol):
    """A database with one finished run in it; returns the run."""
    return rig("run", protocol, "--json").json()["runs"][0]


def test_a_run_is_listed_and_shown(done):
    assert done["run_id"][:12] in rig("runs", "list").out
    shown = rig("runs", "show", done["run_id"][:6]).out
    assert f"run {done['run_id']}  channel C1 (simulated)  finished: protocol finished" in shown
    assert "C1 (simulated)" in rig("runs", "list").out
    assert "charge at 1C until 4.2 V or for 5 min" in shown
    assert "state: running" in shown


def test_the_same_as_json(done):
    (one,) = rig("runs", "list", "--json").json()["runs"]
    assert (one["run_id"], one["state"]) == (done["run_id"], "finished")
    shown = rig("runs", "show", "last", "--json").json()
    assert [cycle["cycle_count"] for cycle in shown["cycles"]] == [1, 2]
    assert shown["steps"][0]["seq_first"] == 0
    assert shown["steps"][-1]["seq_last"] == done["samples"] - 1
    assert shown["events"][-1]["message"] == "finished: protocol finished"


def test_a_finished_run_is_whole_with_nothing_left(done):
    (one,) = rig("status", "--json").json()["channels"]
    assert (one["progress_fraction"], one["left_second"]) == (1.0, 0.0)


def test_what_is_over_is_offered_nothing_that_would_do_nothing(done):
    said = rig("pause", "last").err
    assert "a run that is finished cannot pause; possible: safe, acknowledge" in said
    (one,) = rig("status", "--json").json()["channels"]
    assert one["verbs"] == ["safe", "acknowledge"]


def test_every_list_numbers_steps_as_goto_takes_them(done, folder):
    """The repeat has 0, its steps 1, 2 and 3, its end 4: that one is left out, and it is said why."""
    last_rest = "  - rest: {for: 1 min}\n"
    (folder / "p.yaml").write_text(PROTOCOL + last_rest, encoding="utf-8")
    checked = rig("check", folder / "p.yaml").out
    numbers = {"rest for 2 min": "│ 2 │", "rest for 1 min": "│ 5 │"}
    for words, number in numbers.items():
        (row,) = [line for line in checked.splitlines() if words in line]
        assert number in row
    assert "one left out is where a loop or condition ends" in checked
    shown = rig("runs", "show", "last").out.splitlines()
    rests = [line.split()[0] for line in shown if "  rest for 2 min  " in line]
    assert rests == ["2", "2"]


@pytest.mark.parametrize("format_name", ["bdf-csv", "bdf-parquet", "csv"])
def test_a_run_is_exported_whole(done, folder, format_name):
    outcome = rig("runs", "export", "last", "--format", format_name, "--json").json()
    assert outcome["rows"] == done["samples"]
    read = pd.read_parquet if format_name == "bdf-parquet" else pd.read_csv
    assert len(read(folder / outcome["file"])) == done["samples"]
    assert not list(folder.glob("*.partial"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "xlsx"], "expected one of bdf-csv, bdf-parquet, csv"),
        (["--out", "."], "a folder, expected a file"),
        (["--out", ""], "a folder, expected a file"),
        (["--out", "none/run.csv"], "'none' does not exist"),
        (["--db", "sqlite:///none.db"], "no such file"),
    ],
)
def test_an_export_that_cannot_be_leaves_no_file(done, folder, arguments, words):
    before = sorted(folder.iterdir())
    assert words in refused("runs", "export", "last", *arguments)
    assert sorted(folder.iterdir()) == before


def test_a_run_that_is_not_there_is_refused(done):
    assert "no such run" in refused("runs", "show", "zzz")
    assert "no such run" in refused("runs", "show", "")


def test_looking_for_runs_makes_no_database(folder):
    assert "no such file" in refused("runs", "list")
    assert list(folder.iterdir()) == []


def test_the_environment_names_the_database(done, folder, monkeypatch):
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("RIG_DATABASE_URL", f"sqlite:///{folder / 'rig.db'}")
    assert len(rig("runs", "list", "--json").json()["runs"]) == 1


# --- exit codes, errors, loading -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["run", "--help"], 0),
        (["drivers", "list"], 0),
        (["brew"], 2),
        (["run", "--no-such-option"], 2),
        (["runs", "show"], 2),
        (["run", "none.yaml"], 2),
    ],
)
def test_exit_codes_are_nought_for_well_and_two_for_bad_input(arguments, code):
    outcome = rig(*arguments)
    assert outcome.code == code
    assert bool(outcome.err) == bool(code)
    assert "Traceback" not in outcome.err


def test_a_traceback_is_shown_only_on_request_and_the_code_stays():
    plain, loud = rig("run", "none.yaml"), rig("run", "none.yaml", "--debug")
    assert "Traceback" not in plain.err
    assert "Traceback" in loud.err
    assert loud.err.endswith(plain.err)
    assert plain.code == loud.code == 2


def failing(error: Exception) -> int:
    def command() -> int:
        raise error

    return reporting_errors(command, debug=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput([Problem("a.yaml:1:1", "odd"), Problem("a.yaml:2:1", "odder")]), 2),
        (StoreError("disk full", remedy="make room"), 1),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_every_failure_has_a_code_a_cause_and_no_traceback(error, code, capsys):
    assert failing(error) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("rig: ")
    assert "Traceback" not in printed.err
    assert all(line in printed.err for line in str(error).splitlines())


def test_json_knows_no_nan_and_no_infinity(capsys):
    print_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": (float("-inf"),)}})
    assert "NaN" not in (printed := capsys.readouterr().out)
    assert "Infinity" not in printed
    assert printed.count("null") == 3


@pytest.mark.parametrize(
    ("second", "words"),
    [(42, "42 s"), (61, "1 min 01 s"), (3900, "1 h 05 min"), (270_000, "3 d 3 h")],
)
def test_durations_are_written_for_people(second, words):
    assert duration(second) == words


HEAVY = ("numpy", "scipy", "pandas", "sqlalchemy", "matplotlib", "pydantic", "pint", "ruamel")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['rig', '--help']\n"
        "from rig.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit as over:\n    assert not over.code, over\n"
        f"print('loaded:', *[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


def test_the_installed_command_is_the_same():
    done = subprocess.run(
        [Path(sys.executable).with_name("rig"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("cellrig ")
