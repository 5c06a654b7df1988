"""``rig kk`` and ``rig drt``: keys, tables, pictures, and every wrong file with one message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cli.commands import refused, rig

HERTZ = np.geomspace(1e5, 1.0, 51)
OHM = 12.0 + 100.0 / (1.0 + (2j * np.pi * HERTZ * 1e-3) ** 0.9)
HEADER = "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n"
CONTRACT = {
    "valid",
    "max_residual_real",
    "max_residual_imaginary",
    "n_rc",
    "mu",
    "method",
    "flagged_frequencies_hertz",
    "flags",
}


def rows(impedance: NDArray[np.complex128]) -> str:
    pairs = zip(HERTZ, impedance, strict=True)
    return "".join(f"{hertz!r},{ohm.real!r},{ohm.imag!r}\n" for hertz, ohm in pairs)


def rows_of(impedance: NDArray[np.complex128]) -> str:
    return rows(impedance).replace("np.float64(", "").replace(")", "")


@pytest.fixture
def good(folder: Path) -> Path:
    path = folder / "good.csv"
    path.write_text(HEADER + rows_of(OHM))
    return path


@pytest.fixture
def broken(folder: Path) -> Path:
    path = folder / "broken.csv"
    path.write_text(HEADER + rows_of(np.where(HERTZ < 20, 1.06, 1.0) * OHM))
    return path


def test_kk_prints_the_contracted_keys(good: Path) -> None:
    values = rig("kk", good, "--json").json()
    assert set(values) >= CONTRACT
    assert (values["valid"], values["method"], values["flags"]) == (True, "complex", [])
    assert values["max_residual_real"] < 1e-3
    assert values["window"] is None


def test_a_refused_spectrum_is_an_answer_with_a_window(broken: Path) -> None:
    outcome = rig("kk", broken, "--json")
    assert outcome.code == 0
    values = outcome.json()
    assert values["valid"] is False
    assert values["flags"][0]["code"] == "EIS-KK"
    assert values["window"]["lowest_hertz"] > 5.0
    assert values["window"]["total_resistance_ohm"] == pytest.approx(112.0, rel=0.04)
    table = rig("kk", broken).out
    assert "REFUSED" in table
    assert "with them" in table


def test_hardly_more_points_than_elements_are_no_verdict(folder: Path) -> None:
    few = np.arange(0, 51, 8)
    lines = rows_of(OHM).splitlines(keepends=True)
    (folder / "few.csv").write_text(HEADER + "".join(lines[at] for at in few))
    done = rig("kk", "few.csv", "--json")
    assert (done.code, done.json()["too_few_points"]) == (1, True)
    assert "7 points over 4.8 decades, 7 elements: too few points to judge" in done.err
    assert "measure with 5 points per decade" in done.err
    table = rig("kk", "few.csv").out
    assert "too few" in table
    assert "valid │" not in table


def test_several_spectra_are_all_checked_and_the_worst_stands_at_the_top(folder: Path) -> None:
    path = folder / "two.csv"
    path.write_text(HEADER + rows_of(OHM) + rows_of(np.where(HERTZ < 500, 1.06, 1.0) * OHM))
    values = rig("kk", path, "--json").json()
    assert [one["valid"] for one in values["spectra"]] == [True, False]
    assert (values["valid"], values["spectrum_number"]) == (False, 2)
    assert rig("kk", path, "--spectrum", 1, "--json").json()["valid"] is True
    assert "has 1 (51 points), 2 (51 points)" in refused("kk", path, "--spectrum", 3)
    assert "--spectrum 1" in refused("drt", path)
    assert "--spectrum 1" in refused("fit", "eis", path, "--circuit", "R0-p(R1,CPE1)")


@pytest.mark.parametrize("method", ["real", "imaginary"])
def test_each_part_can_be_asked_alone(good: Path, method: str) -> None:
    values = rig("kk", good, "--method", method, "--elements", 20, "--json").json()
    assert (values["method"], values["n_rc"]) == (method, 20)


def test_drift_is_read_from_the_times_in_the_file(folder: Path) -> None:
    second = np.cumsum(3.0 / HERTZ + 0.1)
    drifting = OHM * (1 + 0.05 * (second - second[0]) / (second[-1] - second[0]))
    lines = [f"{f},{z.real},{z.imag},{t}" for f, z, t in zip(HERTZ, drifting, second, strict=True)]
    (folder / "t.csv").write_text("f/Hz,Z'/ohm,Z''/ohm,time/s\n" + "\n".join(lines))
    values = rig("kk", "t.csv", "--json").json()
    assert values["drift_change"] == pytest.approx(0.05, rel=0.1)
    told = [(note["code"], note["message"]) for note in values["flags"]]
    assert [code for code, _ in told] == ["EIS-KK", "EIS-DRIFT", "EIS-DRIFT"]
    assert "a pattern" in told[0][1]
    assert "while it was measured" in told[1][1]
    assert "Z-HIT" in told[2][1]
    assert values["z_hit_slow_end_change"] == pytest.approx(0.03, abs=0.01)
    assert "Z-HIT: at the slow end |Z| is +" in rig("kk", "t.csv").out


def test_drt_gives_peaks_with_their_uncertainty(good: Path) -> None:
    values = rig("drt", good, "--json").json()
    (peak,) = values["peaks"]
    assert peak["resistance_ohm"] == pytest.approx(100.0, rel=0.02)
    assert peak["frequency_hertz"] == pytest.approx(159.0, rel=0.05)
    assert len(values["distribution_ohm"]) == len(values["upper_ohm"])
    assert rig("drt", good, "--lambda", "1e-2", "--json").json()["lambda"] == 0.01
    assert "peak 1" in rig("drt", good).out


def test_drt_of_bad_data_fails_unless_forced(broken: Path) -> None:
    outcome = rig("drt", broken)
    assert outcome.code == 1
    assert "--force" in outcome.err
    assert "EIS-KK" in rig("drt", broken, "--force").out


@pytest.mark.parametrize("command", ["kk", "drt"])
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_is_written(good: Path, command: str, ending: str) -> None:
    assert rig(command, good, "--figure", f"sheet.{ending}").code == 0
    content = Path(f"sheet.{ending}").read_bytes()
    assert content.startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    assert len(content) > 10_000
    assert list(Path().glob(".sheet*")) == []


def test_options_are_refused_with_an_example(good: Path) -> None:
    assert "--method complex" in refused("kk", good, "--method", "both")
    assert "--lambda 1e-3" in refused("drt", good, "--lambda", "-1")
    assert ".png" in refused("drt", good, "--figure", "sheet.docx")


COMMANDS = [("kk",), ("drt",), ("fit", "eis", "--circuit", "R0-p(R1,CPE1)")]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + rows_of(OHM) + "0.5,11", "cut off"),
        ("step,voltage\n1,2\n", "no impedance spectrum found"),
        (HEADER + rows_of(OHM) + "0.5,nan,-1\n", "expected a number"),
        (HEADER + "1000,10,-1\n", "expected at least 4"),
        (HEADER + rows_of(OHM) + rows_of(OHM)[-60:].splitlines()[-1], "more than once"),
        (HEADER + rows_of(OHM.conj()), "upside down"),
    ],
    ids=["truncated", "another table", "NaN", "one point", "repeated", "other sign"],
)
def test_a_wrong_file_gets_one_clear_message(
    command: tuple[str, ...], text: str, words: str, folder: Path
) -> None:
    (folder / "wrong.csv").write_text(text)
    assert words in refused(*command, "wrong.csv")


def test_the_other_sign_is_turned_when_asked(folder: Path) -> None:
    (folder / "turned.csv").write_text(HEADER + rows_of(OHM.conj()))
    values = rig("kk", "turned.csv", "--negated", "--json").json()
    assert values["valid"]
    assert "turned round" in values["statements"][-1]


def test_kiloohm_columns_are_converted_for_a_fit_too(folder: Path) -> None:
    (folder / "k.csv").write_text("f/Hz,Z'/kOhm,Z''/kOhm\n" + rows_of(OHM / 1000))
    values = rig("fit", "eis", "k.csv", "--circuit", "R0-p(R1,CPE1)", "--json").json()
    assert values["parameters"]["R1"]["value"] == pytest.approx(100.0, rel=1e-3)


def test_a_spectrum_of_a_pellet_gives_its_conductivity(folder: Path) -> None:
    blocking = 50.0 + 1.0 / (1e-6 * (2j * np.pi * HERTZ) ** 0.9)
    (folder / "pellet.csv").write_text(HEADER + rows_of(blocking))
    arguments = ("--thickness", "0.5 mm", "--area", "0.785 cm^2", "--json")
    values = rig("fit", "conductivity", "pellet.csv", *arguments).json()
    assert values["conductivity_siemens_per_centimetre"] == pytest.approx(
        0.05 / (50.0 * 0.785), rel=0.02
    )


def test_a_conductivity_says_which_resistance_it_is_of(folder: Path) -> None:
    hertz = np.geomspace(1e5, 0.1, 61)
    jw = 2j * np.pi * hertz
    ohm = 12.0 + 47.0 / (1.0 + (47e-6 * jw) ** 0.9) + 1.0 / (3e-3 * jw**0.8)
    lines = [f"{f},{z.real},{z.imag}\n" for f, z in zip(hertz, ohm, strict=True)]
    (folder / "two.csv").write_text(HEADER + "".join(lines))
    arguments = ("fit", "conductivity", "two.csv", "--thickness", "0.5 mm", "--area", "0.785 cm^2")
    values = rig(*arguments, "--json").json()
    assert values["resistance_ohm"] == pytest.approx(12.0, rel=0.01)
    assert values["circuit"].endswith("-CPE0")
    assert values["left_out_resistors"]["R2"]["resistance_ohm"] == pytest.approx(47.0, rel=0.01)
    assert [note["code"] for note in values["flags"]] == ["EIS-CORR"]
    assert values["rows"][0]["flags"] == values["flags"]
    table = rig(*arguments).out
    assert values["circuit"] in table
    assert "left out, R2" in table
    assert "EIS-CORR" in table


def test_a_spectrum_without_a_tail_is_fitted_by_arcs_alone(folder: Path) -> None:
    jw = 2j * np.pi * HERTZ
    two = 10.0 + 60.0 / (1.0 + (60e-6 * jw) ** 0.9) + 40.0 / (1.0 + (8e-3 * jw) ** 0.9)
    noise = np.random.default_rng(1).normal(size=(2, HERTZ.size))
    (folder / "arcs.csv").write_text(
        HEADER + rows_of(two * (1.0 + 1e-3 * (noise[0] + 1j * noise[1])))
    )
    done = rig("fit", "eis", "arcs.csv", "--json")
    assert (done.code, done.json()["circuit"]) == (0, "R0-p(R1,CPE1)-p(R2,CPE2)")
    assert done.json()["parameters"]["R2"]["value"] == pytest.approx(40.0, rel=0.05)


def test_garbage_is_not_described_however_noisy(folder: Path) -> None:
    points = [(1e5, 13.2, -5.1), (1e4, 40.5, -2.1), (1e3, 8.3, -30.2), (100, 55, -1), (10, 21, -14)]
    (folder / "five.csv").write_text(HEADER + "".join(f"{a},{b},{c}\n" for a, b, c in points))
    done = rig("fit", "eis", "five.csv", "--thickness", "1mm", "--area", "1cm^2", "--json")
    assert (done.code, done.json()["described"]) == (1, False)
    assert "area_specific_resistance_ohm_square_centimetre" not in done.json()
    assert "ohm is below" not in done.out


def test_an_interface_of_a_spectrum_asks_for_a_thickness_by_its_own_reason(good: Path) -> None:
    message = refused("fit", "interface", good, "--area", "1 cm^2")
    assert "--thickness: is needed to tell an interface from the electrolyte" in message
    assert "conductivity" not in message
