"""Cells made, cycles compared, a protocol rehearsed, a run analysed again: on the command line."""

from __future__ import annotations

import pandas as pd
import pytest

from rig.store.database import open_database
from rig.store.queries import table_rows
from rig.store.tables import result
from tests.bench.many import CYCLES, run_of, store_with_fading_runs
from tests.cli.commands import PROTOCOL, refused, rig


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    path = tmp_path_factory.mktemp("closer") / "lab.db"
    store_with_fading_runs(path, 1).dispose()
    return f"sqlite:///{path}"


def test_a_cell_is_made_changed_shown_and_listed(lab) -> None:
    made = rig("cells", "add", "LPS-17", "area=0.785 cm^2", "mass=12 mg", "--db", lab, "--json")
    assert made.code == 0, made.err
    assert made.json()["mass_gram"] == pytest.approx(0.012)
    changed = rig("cells", "change", "LPS-17", "cell-mass=4 g", "--reason", "weighed", "--db", lab)
    assert "masses_gram cell 4.0" in changed.out
    listed = rig("cells", "list", "--db", lab, "--json").json()["cells"]
    assert [one["name"] for one in listed] == ["LPS-17", "cell 0"]
    assert "has a record already" in refused("cells", "add", "LPS-17", "--db", lab)
    said = refused("cells", "change", "LPS-17", "aera=1 cm^2", "mass=3", "x", "--db", lab)
    assert said.count("rig:") == 3
    assert "nothing would change" in refused("cells", "change", "LPS-17", "--db", lab)
    assert "has no record" in refused("cells", "show", "LPS-99", "--db", lab)


def test_curves_of_cycles_are_shown_and_written(lab, tmp_path) -> None:
    file = tmp_path / "dqdv.csv"
    words = ("runs", "curves", run_of(0), "--db", lab, "--cycles", "1,last")
    found = rig(*words, "--voltage-step", "10 mV", "--out", file)
    assert found.code == 0, found.err
    assert "not smoothed" in found.out.replace("\n", " ")
    frame = pd.read_csv(file)
    assert set(frame["cycle_count"]) == {1, CYCLES}
    assert rig(*words, "--json").json()["voltage_step_volt"] == 0.005
    assert "ended: 1 to 8" in refused(*words[:-1], "99")


def test_a_protocol_is_rehearsed_before_it_is_started(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    found = rig("rehearse", "p.yaml", "--channel", "C1", "--out", "profile.csv")
    assert found.code == 0, found.err
    assert "expected, simulated cell: NMC811" in found.out
    assert "came to its end" in found.out
    assert pd.read_csv(tmp_path / "profile.csv")["voltage_volt"].max() <= 4.3
    assert not (tmp_path / "rig.db").exists()  # nothing is kept of it
    assert "make it first" in refused("rehearse", "p.yaml", "--cell", "LPS-17")
    assert "one channel" in refused("rehearse", "p.yaml", "--channel", "C1,C2")


def test_a_run_is_analysed_again_and_both_results_are_kept(lab) -> None:
    words = ("analyse", "fade", "--db", lab, "--workers", "1", "--keep")
    assert rig(*words).code == 0
    assert rig(*words, "--set", "end_of_life=70 %", "--set", "law=linear").code == 0
    engine = open_database(lab)
    rows = table_rows(engine, result, run_of(0))
    engine.dispose()
    assert len(rows) == 2
    assert {"end_of_life": "70 %", "law": "linear"} in [
        row["values"].get("settings") for row in rows
    ]
    said = refused(*words, "--set", "law=x", "--set", "lawn=y")
    assert "--set law: got 'x'" in said
    assert "did you mean 'law'" in said
