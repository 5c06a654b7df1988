"""``rig fit eis`` with several spectra, several circuits, figures, and elements of other packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rig.analysis.circuit_elements import KINDS
from rig.analysis.circuit_text import parse_circuit
from rig.bench.element_plugins import load_elements
from rig.core.errors import BadInput
from tests.cli.commands import rig

FREQUENCIES = np.logspace(5, 0, 41)


def written(path: Path, ohm: float) -> str:
    """Write a spectrum of R0-p(R1,CPE1) with 0.3 % noise as csv without a header."""
    clean = parse_circuit("R0-p(R1,CPE1)").impedance(FREQUENCIES, [2.0, ohm, 2e-6, 0.9])
    draws = np.random.default_rng(round(ohm)).normal(size=(2, clean.size))
    z = clean + 0.003 * np.abs(clean) * (draws[0] + 1j * draws[1])
    rows = zip(FREQUENCIES, z.real, z.imag, strict=True)
    path.write_text("\n".join(f"{f:.9e},{a:.9e},{b:.9e}" for f, a, b in rows))
    return str(path)


@pytest.fixture
def sources(tmp_path: Path) -> list[str]:
    return [written(tmp_path / f"{ohm:.0f}.csv", ohm) for ohm in (100.0, 50.0, 25.0)]


@pytest.mark.parametrize("how", [["--series"], []])
def test_several_spectra_come_out_as_one_list(sources: list[str], how: list[str]) -> None:
    done = rig("fit", "eis", *sources, "--circuit", "R0-p(R1,CPE1)", "--json", *how)
    assert done.code == 0, done.err
    found = done.json()
    assert found["circuit"] == "R0-p(R1,CPE1)"
    assert [one["source"] for one in found["spectra"]] == sources
    for one, ohm in zip(found["spectra"], (100.0, 50.0, 25.0), strict=True):
        assert one["parameters"]["R1"]["value"] == pytest.approx(ohm, rel=0.01)
        low, high = one["interval_95"]["R1"]
        assert low < one["parameters"]["R1"]["value"] < high
        assert one["global"] is True
        assert one["total_resistance_ohm"] == pytest.approx(ohm + 2.0, rel=0.01)


def test_several_circuits_are_compared(sources: list[str]) -> None:
    circuits = ["R0-p(R1,C1)", "R0-p(R1,CPE1)"]
    options = [word for one in circuits for word in ("--circuit", one)]
    done = rig("fit", "eis", sources[0], *options, "--json")
    found = done.json()
    assert done.code == 0
    assert found["circuit"] == "R0-p(R1,CPE1)"
    assert [one["circuit"] for one in found["candidates"]] == circuits


@pytest.mark.parametrize("count", [1, 3])
def test_a_figure_is_written(sources: list[str], tmp_path: Path, count: int) -> None:
    picture = tmp_path / "fit.png"
    circuit = ["--circuit", "R0-p(R1,CPE1)"]
    done = rig("fit", "eis", *sources[:count], *circuit, "--figure", str(picture))
    assert done.code == 0, done.err
    assert "R1" in done.out
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_everything_wrong_with_the_options_comes_in_one_message(sources: list[str]) -> None:
    done = rig("fit", "eis", *sources, "--weights", "magic")
    assert done.code == 2
    assert "--weights" in done.err
    assert "expected one circuit for several spectra" in done.err


ELEMENT = """
from rig.analysis.circuit_elements import ElementKind

def half(s, v):
    return v[0] / 2 + 0 * s, [0.5 + 0 * s]

HALF = ElementKind("Half", "R / 2", (("", "ohm", "resistance"),), half)
"""


def installed(folder: Path, name: str, target: str) -> None:
    """Lay out what an installed package with one entry point looks like."""
    (folder / f"{name}.py").write_text(ELEMENT)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[rig.elements]\nhalf = {target}\n")


def test_an_installed_package_brings_an_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "acme_half", "acme_half:HALF")
    monkeypatch.syspath_prepend(str(tmp_path))
    load_elements()
    try:
        assert parse_circuit("Half1").impedance([1.0], [8.0])[0] == 4.0
    finally:
        KINDS.pop("Half", None)


def test_a_package_whose_element_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "acme_none", "acme_none:half")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BadInput, match=r"acme_none:half.*expected an ElementKind"):
        load_elements()


def test_a_circuit_that_describes_nothing_ends_with_1_and_says_so_first(sources: list[str]) -> None:
    done = rig("fit", "eis", sources[0], "--circuit", "R0-C1", "--json")
    assert done.code == 1
    assert done.err.startswith("rig: R0-C1 does not describe this spectrum: it leaves ")
    found = done.json()
    assert found["described"] is False
    assert found["flags"][0]["level"] == "block"
    assert found["noise_rms_relative"] == pytest.approx(0.003 * 2**0.5, rel=0.3)
    good = rig("fit", "eis", sources[0], "--circuit", "R0-p(R1,CPE1)", "--json")
    assert (good.code, good.err, good.json()["described"]) == (0, "", True)


def test_of_several_fits_those_that_describe_nothing_are_named(
    sources: list[str], tmp_path: Path
) -> None:
    inductive = 5.0 + 0.1j * FREQUENCIES
    rows = zip(FREQUENCIES, inductive.real, inductive.imag, strict=True)
    odd = tmp_path / "odd.csv"
    odd.write_text("\n".join(f"{f},{a},{b}" for f, a, b in rows))
    done = rig("fit", "eis", sources[0], odd, "--circuit", "R0-p(R1,CPE1)", "--json")
    assert done.code == 1
    assert f"1 of 2 fits ({odd}): the worst" in done.err
    assert [one["described"] for one in done.json()["spectra"]] == [True, False]


def test_a_name_that_contradicts_the_content_is_said(sources: list[str], tmp_path: Path) -> None:
    renamed = tmp_path / "cell.mpr"
    renamed.write_text(Path(sources[0]).read_text())
    done = rig("fit", "eis", renamed, "--circuit", "R0-p(R1,CPE1)")
    assert done.code == 0
    assert "the name ends in .mpr as BioLogic's files do, but the content is a plain" in done.out
    found = rig("fit", "eis", renamed, "--circuit", "R0-p(R1,CPE1)", "--json").json()
    assert found["vendor"] == "table"
    assert found["statements"][0].endswith("read as table")


def test_a_spectrum_of_another_cell_gives_no_interface_and_no_conductivity(tmp_path: Path) -> None:
    # an inductive loop: neither a pellet between blocking electrodes nor two like interfaces
    loop = 200.0 - 190.0 / (1 + 1j * FREQUENCIES / 300.0) ** 0.9
    rows = zip(FREQUENCIES, loop.real, loop.imag, strict=True)
    path = tmp_path / "loop.csv"
    path.write_text("\n".join(f"{f},{a},{b}" for f, a, b in rows))
    geometry = ("--thickness", "0.5mm", "--area", "1cm^2", "--json")
    interface = rig("fit", "interface", path, *geometry)
    assert interface.code == 1
    assert "does not describe this spectrum" in interface.err
    assert "EIS-FIT" in [note["code"] for note in interface.json()["flags"]]
    assert "none, see EIS-FIT" in rig("fit", "interface", path, *geometry[:-1]).out
    conductivity = rig("fit", "conductivity", path, *geometry)
    assert (conductivity.code, conductivity.out) == (1, "")
    assert f"no resistance between blocking electrodes in {path}, spectrum 1" in conductivity.err
