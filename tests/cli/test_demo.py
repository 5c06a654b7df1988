"""``rig demo``: the main job, whole. The fits must find again what was put into the cells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rig.report.numbers import between, concise
from tests.cli.commands import refused, rig


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_recovers_the_truth_and_leaves_data_and_a_report(folder):
    outcome = rig("demo", "--out", "out", "--json")
    assert outcome.code == 0, outcome.err
    found = outcome.json()
    assert found["recovered"] is True
    assert len(found["runs"]) == 4
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    runs = rig("runs", "list", "--db", "sqlite:///out/rig.db", "--json").json()["runs"]
    assert [one["state"] for one in runs] == ["finished"] * 4
    assert readme_rows() == [row for run in found["runs"] for row in rows_of(run)]
    samples, spectra = (sum(run[key] for run in found["runs"]) for key in ("samples", "spectra"))
    assert f" {samples:,} samples, {spectra} spectra," in readme_table()


def readme_table() -> str:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    return text.partition("<!-- demo-table -->")[2].partition("<!-- /demo-table -->")[0]


def readme_rows() -> list[tuple[float, str, str]]:
    """Return (put in, found, 99 % interval) of each row as README has it."""
    cells = [line.split("|")[3:6] for line in readme_table().splitlines() if line.startswith("|")]
    return [(float(truth), found.strip(), ends.strip()) for truth, found, ends in cells[2:]]


def rows_of(run: dict[str, Any]) -> list[tuple[float, str, str]]:
    """Return the same of a run's results, to the digits that are printed."""
    return [
        (
            one["truth"],
            plain(concise(one["value"], one["standard_error"])),
            plain(between(*one["interval_99"], one["value"], one["standard_error"])),
        )
        for one in run["quantities"]
    ]


def plain(text: str) -> str:
    """Write powers of ten without superscripts, with each end of an interval: 1.88e-3 to 2.12e-3."""
    number, _, power = text.partition("×10")
    if not power:
        return text
    exponent = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return " to ".join(f"{end.strip()}e{exponent}" for end in number.split(" to "))


def test_readme_has_a_row_for_every_result_of_the_demo():
    rows = readme_rows()
    assert len(rows) == 8
    for truth, found, ends in rows:
        value = float(re.sub(r"\(.*\)", "", found))
        low, high = map(float, ends.split(" to "))
        assert low <= truth <= high
        assert low <= value <= high


def test_a_demo_of_nothing_is_refused(folder):
    assert "expected 1 or 2" in refused("demo", "--cells", "0")
    (folder / "file").touch()
    assert "cannot be made" in refused("demo", "--out", "file")
    assert [entry.name for entry in folder.iterdir()] == ["file"]
