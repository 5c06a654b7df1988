"""``rig analyse``: one analysis over many runs, and five ways to ask for it wrongly."""

from __future__ import annotations

import pandas as pd
import pytest

from rig.store.database import open_database
from rig.store.queries import table_rows
from rig.store.tables import result
from tests.bench.many import alpha_of, run_of, store_with_fading_runs
from tests.cli.commands import refused, rig

RUNS = 5


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.db"
    engine = store_with_fading_runs(path, RUNS - 1)
    engine.dispose()
    short = store_with_fading_runs(path.with_name("short.db"), 1, cycles=2)
    short.dispose()
    return f"sqlite:///{path}"


def test_every_run_that_is_meant_is_in_the_table_the_file_and_the_database(lab, tmp_path):
    file = tmp_path / "fade.csv"
    words = ("analyse", "fade", "--db", lab, "--where", "chemistry = 'NMC'", "--workers", "1")
    found = rig(*words, "--keep", "--out", file)
    assert found.code == 0, found.err
    assert "fade of 3 runs" in found.out
    frame = pd.read_csv(file)
    assert list(frame["cell"]) == ["cell 2", "cell 1", "cell 0"]  # newest first
    assert frame["alpha_per_cycle"].iloc[-1] == pytest.approx(alpha_of(0), rel=1e-6)
    engine = open_database(lab)
    (kept,) = table_rows(engine, result, run_of(1))
    assert kept["method"] == "fade"
    assert kept["values"]["alpha_per_cycle"] == pytest.approx(alpha_of(1), rel=1e-6)
    engine.dispose()


def test_runs_that_cannot_be_fitted_say_why_and_all_of_them_failing_is_a_failure(lab):
    found = rig("analyse", "eis", "--db", lab, "--workers", "1", "--json")
    assert found.code == 1
    assert found.json()["failed"] == RUNS - 1
    shown = rig("analyse", "fade", "--db", lab.replace("lab.db", "short.db"), "--workers", "1")
    assert shown.code == 1
    assert "fewer than five finished cycles" in shown.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fadde",), "did you mean 'fade'"),
        (("fade", "--where", "chemistri = 'NMC'"), "columns: run_id"),
        (("fade", "--where", "cycles > 1000"), "no run of sqlite"),
        (("fade", "--dask", "tcp://127.0.0.1:1"), "no scheduler answers there"),
        (("fade", "--dask", "tcp://127.0.0.1:1", "--workers", "2"), "give one"),
        (("fade", "--out", "no/such/folder.csv"), "does not exist"),
    ],
)
def test_a_wrong_question_gets_one_clear_answer(lab, words, message):
    assert message in refused("analyse", *words, "--db", lab)
