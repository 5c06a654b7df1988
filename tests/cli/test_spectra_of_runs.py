"""``rig fit eis``, ``rig kk`` and ``rig drt`` on a run that was simulated, from bytes to answer."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.commands import Outcome, rig

PROTOCOL = """protocol: 1
name: Two spectra
safety: {voltage: [-1 V, 1 V], current: 20 mA}
steps:
  - eis: {from: 1 MHz, to: 0.1 Hz, points_per_decade: 10, amplitude: 10 mV}
  - rest: {for: 1 min}
  - eis: {from: 1 MHz, to: 10 Hz, points_per_decade: 10, amplitude: 10 mV}
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("spectra")
    path = folder / "two.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    url = f"sqlite:///{folder / 'rig.db'}"
    done = rig("run", str(path), "--channel", "P2", "--speed", "max", "--db", url)
    assert done.code == 0, done.err
    return url


def asked(database: str, *words: str) -> Outcome:
    done = rig(*words, "--db", database, "--json")
    assert done.code == 0, done.err
    return done


def test_the_spectra_of_a_run_are_judged_each(database: str) -> None:
    found = asked(database, "kk", "last").json()
    assert [one["spectrum_number"] for one in found["spectra"]] == [1, 2]
    assert all(one["valid"] and one["vendor"] == "cellrig" for one in found["spectra"])


def test_a_run_is_fitted_by_its_newest_spectrum_or_the_one_asked_for(database: str) -> None:
    circuit = ("--circuit", "L0-R0-p(R1,CPE1)")
    newest = asked(database, "fit", "eis", "last", *circuit).json()
    first = asked(database, "fit", "eis", "last", "--spectrum", "1", *circuit).json()
    assert first["points"] > newest["points"]
    assert first["parameters"]["R1"]["determined"]


def test_a_run_as_a_series_gives_all_of_its_spectra(database: str) -> None:
    found = asked(
        database, "fit", "eis", "last", "--series", "--circuit", "L0-R0-p(R1,CPE1)"
    ).json()
    assert [one["points"] for one in found["spectra"]] == [71, 51]


@pytest.fixture(scope="module")
def repeated(database: str) -> str:
    """The same run as if the second spectrum were the first measured again."""
    path = Path(database.removeprefix("sqlite:///"))
    copy = path.with_name("repeated.db")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("UPDATE spectrum SET objection = 'it drifted' WHERE spectrum_count = 1")
        target.execute("UPDATE spectrum SET repeat_of = 1 WHERE spectrum_count = 2")
    source.close()
    target.close()
    return f"sqlite:///{copy}"


LEFT_OUT = "stands for spectrum 1, which was measured again and is left out"


def test_a_series_takes_the_last_repeat_and_names_what_it_stands_for(repeated: str) -> None:
    circuit = ("--circuit", "L0-R0-p(R1,CPE1)")
    (only,) = asked(repeated, "fit", "eis", "last", "--series", *circuit).json()["spectra"]
    assert (only["points"], only["spectrum_number"]) == (51, 2)
    assert only["statements"] == [f"{LEFT_OUT}: it drifted"]
    # whoever wants to look at the other still can
    first = asked(repeated, "fit", "eis", "last", "--series", "--spectrum", "1", *circuit).json()
    assert [one["points"] for one in first["spectra"]] == [71]
    assert len(asked(repeated, "kk", "last").json()["spectra"]) == 2


def test_the_same_holds_for_the_runs_export(repeated: str, tmp_path: Path) -> None:
    out = str(tmp_path / "spectra.csv")
    done = rig(*("runs", "export", "last", "--format", "eis-csv", "--out", out), "--db", repeated)
    assert done.code == 0, done.err
    found = rig("fit", "eis", out, "--series", "--circuit", "L0-R0-p(R1,CPE1)", "--json").json()
    (only,) = found["spectra"]
    assert (only["points"], only["statements"]) == (51, [LEFT_OUT])


def test_geometry_makes_conductivity_and_interface_of_a_run(database: str) -> None:
    # bench `sim`, P2: what the cell model is made of
    geometry = ("--thickness", "0.5mm", "--area", "0.785cm^2", "--symmetric")
    found = asked(
        database,
        *("fit", "eis", "last", "--spectrum", "1", "--circuit", "L0-R0-p(R1,CPE1)", *geometry),
    ).json()
    value = found["conductivity_siemens_per_centimetre"]
    ohm = found["parameters"]["R0"]["value"]
    assert value == pytest.approx(0.05 / (ohm * 0.785), rel=1e-6)
    one = found["area_specific_resistance_ohm_square_centimetre"]["R1"]
    assert one == pytest.approx(0.785 * found["parameters"]["R1"]["value"] / 2, rel=1e-9)
    assert found["interfaces"] == 2


def test_relaxation_times_of_a_run_take_the_spectrum_asked_for(database: str) -> None:
    found = asked(database, "drt", "last", "--spectrum", "1").json()
    assert found["source"].startswith("run ")
    assert found["spectrum_number"] == 1
    several = rig("drt", "last", "--db", database)
    assert several.code == 2
    assert "--spectrum 1" in several.err


def test_a_spectrum_that_the_run_does_not_have_is_named(database: str) -> None:
    done = rig("fit", "eis", "last", "--spectrum", "7", "--circuit", "R0", "--db", database)
    assert done.code == 2
    assert "got 7" in done.err
    assert "1 (71 points)" in done.err


def test_a_negated_file_is_turned_round(tmp_path: Path) -> None:
    rows = [
        (f * h, 10 + 90 / (1 + (f * h * 1e-3) ** 2), 90 * f * h * 1e-3 / (1 + (f * h * 1e-3) ** 2))
        for f in (1.0, 10.0, 100.0, 1e3, 1e4)
        for h in (1.0, 1.8, 3.2, 5.6)
    ]
    path = tmp_path / "negated.csv"
    header = "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n"
    path.write_text(header + "".join(f"{a},{b},{c}\n" for a, b, c in rows), encoding="utf-8")
    found = rig("fit", "eis", str(path), "--negated", "--circuit", "R0-p(R1,C1)", "--json").json()
    assert found["parameters"]["R1"]["value"] == pytest.approx(90.0, rel=1e-3)
    assert found["flags"] == []
