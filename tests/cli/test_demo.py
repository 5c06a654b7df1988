"""``rig demo``: the main job, whole. The fits must find again what was put into the cells."""

from __future__ import annotations

import pytest

from tests.cli.commands import refused, rig


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_recovers_the_truth_and_leaves_data_and_a_report(folder):
    outcome = rig("demo", "--cells", "1", "--out", "out", "--json")
    assert outcome.code == 0, outcome.err
    found = outcome.json()
    assert found["recovered"] is True
    assert len(found["runs"]) == 2
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    runs = rig("runs", "list", "--db", "sqlite:///out/rig.db", "--json").json()["runs"]
    assert [one["state"] for one in runs] == ["finished", "finished"]


def test_a_demo_of_nothing_is_refused(folder):
    assert "expected 1 or 2" in refused("demo", "--cells", "0")
    (folder / "file").touch()
    assert "cannot be made" in refused("demo", "--out", "file")
    assert [entry.name for entry in folder.iterdir()] == ["file"]
