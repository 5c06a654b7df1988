"""The open and short of a channel: read with the bench file, refused with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.file import BenchFile, load_bench
from rig.core.errors import BadInput

BENCH = """\
bench: 1
instruments:
  pstat: {driver: palmsens.methodscript, connect: sim}
channels:
  A1: {cell: pstat, impedance: pstat, CORRECTION}
"""
SHORT = "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n1000,0.4,0.01\n10,0.4,0\n"


def bench_with(folder: Path, correction: str) -> BenchFile:
    path = folder / "bench.yaml"
    path.write_text(BENCH.replace("CORRECTION", correction), encoding="utf-8")
    return load_bench(str(path))


def problem_of(folder: Path, correction: str) -> str:
    with pytest.raises(BadInput) as caught:
        bench_with(folder, correction)
    (problem,) = caught.value.problems
    return str(problem)


def test_files_stand_beside_the_bench_file_and_are_named_with_their_checksum(
    tmp_path: Path,
) -> None:
    (tmp_path / "short.csv").write_text(SHORT, encoding="utf-8")
    fixture = bench_with(tmp_path, "correction: {short: short.csv}").channels["A1"].fixture
    assert fixture is not None
    assert fixture.open is None
    assert fixture.span == (10.0, 1000.0)
    assert fixture.corrected(1000.0, 5 + 0j) == pytest.approx(4.6 - 0.01j)
    ((part, words),) = fixture.source
    assert part == "short"
    assert words.startswith("short.csv sha256 ")


def test_repeated_points_are_averaged(tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text(SHORT + "10,0.6,0\n", encoding="utf-8")
    fixture = bench_with(tmp_path, "correction: {short: short.csv}").channels["A1"].fixture
    assert fixture is not None
    assert fixture.corrected(10.0, 1 + 0j) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("correction", "content", "message"),
    [
        ("correction: short.csv", None, "expected an open, a short or both"),
        ("correction: {shorts: short.csv}", None, "no key 'shorts'"),
        ("correction: {short: 5}", None, "expected the name of a CSV file"),
        ("correction: {short: absent.csv}", None, "cannot be read"),
        ("correction: {short: short.csv}", "", "is no table"),
        ("correction: {short: short.csv}", "f,re,im\n1,2,3\n", "has no column frequency_hertz"),
        ("correction: {short: short.csv}", SHORT + "1,x,0\n", "some without a number"),
        ("correction: {short: short.csv}", SHORT + "-1,1,0\n", "not above zero"),
        ("correction: {short: short.csv}", SHORT + "1,0,4,0\n", "line 4: got 4 fields (1,0,4,0)"),
        (
            "correction: {short: short.csv}",
            SHORT.replace("1000,0.4,0.01\n10,0.4,0", "1000,5,0,4,0,01\n10,5,0,4,0,0"),
            "decimal comma",
        ),
        ("leads: 1 ohm, correction: {short: short.csv}", SHORT, "not both"),
        (
            "correction: {short: short.csv}",
            "spectrum_count," + SHORT.replace("\n1", "\n1,1", 1).replace("\n10,", "\n2,10,"),
            "holds 2 spectra; export one of them",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    tmp_path: Path, correction: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "short.csv").write_text(content, encoding="utf-8")
    problem = problem_of(tmp_path, correction)
    assert message in problem
    assert "bench.yaml:5:" in problem
