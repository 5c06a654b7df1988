"""``rig fit`` on files: the JSON keys, the tables people read, and bad files without a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from rig.cli.fit import app
from rig.cli.table_file import read_table
from rig.core.errors import BadInput

K = 8.617333262e-5
DATA = Path(os.environ.get("RIG_TEST_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def shown(*arguments: str) -> str:
    """Run ``rig fit`` and return what it prints; errors come out as raised."""
    outcome = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def fitted(*arguments: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(shown(*arguments, "--json"))
    return values


def refused(*arguments: str) -> str:
    with pytest.raises(BadInput) as caught:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return str(caught.value)


def arrhenius_file(folder: Path, separator: str = ",", mark: str = "", comma: bool = False) -> str:
    celsius = np.arange(-20, 81, 10)
    sigma = 4.916878e5 / (celsius + 273.15) * np.exp(-0.35 / (K * (celsius + 273.15)))
    rows = [f"{t}{separator}{s:.10e}" for t, s in zip(celsius, sigma, strict=True)]
    if comma:
        rows = [row.replace(".", ",") for row in rows]
    header = separator.join(["temperature_celsius", "conductivity_siemens_per_centimetre"])
    path = folder / "pellet.csv"
    path.write_text(mark + "\n".join([header, *rows]), encoding="utf-8")
    return str(path)


# --- arrhenius -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("separator", "mark", "comma"),
    [(",", "", False), (";", "\ufeff", False), ("\t", "", False), (";", "", True)],
    ids=["comma", "semicolon and byte-order mark", "tab", "decimal comma"],
)
def test_arrhenius_prints_the_contracted_keys(
    tmp_path: Path, separator: str, mark: str, comma: bool
) -> None:
    values = fitted("arrhenius", arrhenius_file(tmp_path, separator, mark, comma))
    assert values["activation_energy_electronvolt"] == pytest.approx(0.35, abs=1e-8)
    assert values["convention"] == "ln_sigma_t"
    assert values["model"] == "arrhenius"
    assert values["prefactor"] == pytest.approx(4.916878e5, rel=1e-6)
    assert values["conductivity_25_celsius_siemens_per_centimetre"] == pytest.approx(2e-3, rel=1e-4)
    assert values["n"] == 11
    assert values["flags"] == []
    assert len(values["segments"]) == 1
    assert {"activation_energy_standard_error_electronvolt", "reduced_chi_squared"} <= set(values)


def test_arrhenius_in_the_other_convention_and_for_people(tmp_path: Path) -> None:
    path = arrhenius_file(tmp_path)
    values = fitted("arrhenius", path, "--convention", "ln_sigma")
    assert values["activation_energy_electronvolt"] == pytest.approx(0.324328, abs=1e-6)
    text = shown("arrhenius", path)
    assert "eV" in text
    assert "S/cm" in text


def test_arrhenius_from_resistances_needs_the_geometry(tmp_path: Path) -> None:
    path = tmp_path / "resistances.csv"
    celsius = np.array([0, 20, 40, 60, 80])
    ohm = 50.0 * np.exp(0.3 / K * (1 / (celsius + 273.15) - 1 / 298.15))
    rows = [f"{t},{r:.8f},0.01" for t, r in zip(celsius, ohm, strict=True)]
    path.write_text("\n".join(["temperature_celsius,resistance_ohm,relative_uncertainty", *rows]))
    geometry = ("--thickness", "0.5 mm", "--diameter", "10 mm", "--convention", "ln_sigma")
    values = fitted("arrhenius", str(path), *geometry)
    assert values["activation_energy_electronvolt"] == pytest.approx(0.3, abs=1e-6)
    sigma = 0.05 / (50.0 * np.pi / 4)
    assert values["conductivity_25_celsius_siemens_per_centimetre"] == pytest.approx(sigma)
    assert values["reduced_chi_squared"] is not None
    assert "--thickness" in refused("arrhenius", str(path))
    assert "exactly one" in refused("arrhenius", str(path), "--thickness", "0.5 mm")


def test_the_chambers_temperature_is_used_but_flagged(tmp_path: Path) -> None:
    path = Path(arrhenius_file(tmp_path))
    text = path.read_text().replace("temperature_celsius", "Ambient Temperature / degC", 1)
    path.write_text(text)
    flags = fitted("arrhenius", str(path))["flags"]
    assert [note["code"] for note in flags] == ["ARR-TSAMPLE"]


# --- what is refused -----------------------------------------------------------------------------


def test_a_missing_column_is_named_with_those_that_exist(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text("cycle_cuont,discharging_capacity_ah\n1,2\n")
    message = refused("fade", str(path))
    assert "cycle_count is missing" in message
    assert "is 'cycle_cuont' meant? then name it cycle_count" in message


def test_every_unreadable_cell_is_named_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text("cycle_count,discharging_capacity_ah\n1,2\n2,\n3,high\n")
    message = refused("fade", str(path))
    assert "line 3" in message
    assert "line 4" in message
    assert "'high'" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        ("cycle_count,discharging_capacity_ah\n", "no rows"),
        ("1,2\n3,4\n", "numbers"),
    ],
)
def test_files_without_a_table_are_refused(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "nothing.csv"
    path.write_text(content)
    assert expected in refused("fade", str(path))


def test_kelvin_under_a_celsius_header_and_millisiemens_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    header = "temperature_celsius,conductivity_siemens_per_centimetre\n"
    path.write_text(header + "298.15,1e-3\n313.15,2e-3\n333.15,4e-3\n")
    assert "kelvin" in refused("arrhenius", str(path))
    path.write_text(header + "25,2.1\n40,4.0\n60,7.9\n")
    assert "UNITS" in refused("arrhenius", str(path))


def test_a_source_that_is_no_file_and_a_wrong_choice_are_refused(tmp_path: Path) -> None:
    assert "neither a file nor a known run" in refused("cycles", str(tmp_path / "absent.csv"))
    message = refused("arrhenius", arrhenius_file(tmp_path), "--convention", "ln_sgima")
    assert "did you mean 'ln_sigma'" in message


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.csv"
    path.write_bytes(bytes(range(128, 256)))
    assert "UTF-8" in refused("cycles", str(path))


# --- the other commands --------------------------------------------------------------------------


def test_conductivity_of_one_pellet_is_flat_and_carries_its_error(tmp_path: Path) -> None:
    path = tmp_path / "pellet.csv"
    path.write_text("resistance_ohm,relative_uncertainty\n63.66,0.01\n")
    options = ("--thickness", "1 mm", "--diameter", "10 mm")
    errors = ("--thickness-uncertainty", "5 %", "--area-uncertainty", "2 %")
    values = fitted("conductivity", str(path), *options, *errors)
    assert values["conductivity_siemens_per_centimetre"] == pytest.approx(2.00006e-3, rel=1e-5)
    assert values["relative_uncertainty"] == pytest.approx(0.05477, abs=1e-5)
    assert "±" in shown("conductivity", str(path), *options, *errors)


@pytest.mark.parametrize("end", ["0.8", "80 %", "658.4 Ah", "658.4"])
def test_fade_reads_the_end_of_life_in_every_spelling(tmp_path: Path, end: str) -> None:
    path = tmp_path / "fade.csv"
    cycles = np.arange(0, 25_001, 5_000)
    rows = [f"{n},{823 * np.exp(-8.82587e-6 * n):.9f}" for n in cycles]
    path.write_text("\n".join(["Cycle Count / 1,Discharging Capacity / Ah", *rows]))
    values = fitted("fade", str(path), "--end-of-life", end)
    assert values["selected"] == "exponential"
    assert values["alpha_per_cycle"] == pytest.approx(8.82587e-6, abs=1e-9)
    assert values["end_of_life"]["predicted"] == pytest.approx(25_282.9, abs=0.1)
    assert values["end_of_life"]["reached"] is False
    assert {"models", "parameters", "knee", "regeneration_cycles", "flags"} <= set(values)
    assert "predicted" in shown("fade", str(path), "--end-of-life", end)


def test_cycles_reads_bdf_labels_and_fade_takes_samples(tmp_path: Path) -> None:
    lines = ["Test Time / s,Voltage / V,Current / A,Cycle Count / 1"]
    clock = 0.0
    for cycle in range(1, 8):
        for current in (0.002, -0.002 * 0.99**cycle):
            lines.extend(
                f"{clock + 60 * minute},{3.8 + current},{current:.8f},{cycle}"
                for minute in range(0, 61, 5)
            )
            clock += 3600.0
    path = tmp_path / "run.bdf.csv"
    path.write_text("\n".join(lines))
    table = fitted("cycles", str(path))
    assert table["n"] == 7
    assert table["cycles"][0]["coulombic_efficiency"] == pytest.approx(0.99, rel=1e-6)
    assert "CE" in shown("cycles", str(path))
    rate = fitted("fade", str(path))["alpha_per_cycle"]
    assert rate == pytest.approx(-np.log(0.99), rel=1e-5)


def test_interface_is_halved_and_given_per_temperature(tmp_path: Path) -> None:
    path = tmp_path / "symmetric.csv"
    path.write_text(
        "temperature_celsius,total_resistance_ohm,electrolyte_resistance_ohm\n25,85.0,67.9061\n"
    )
    values = fitted("interface", str(path), "--diameter", "10 mm")
    assert values["area_specific_resistance_ohm_square_centimetre"] == pytest.approx(
        [6.71276], abs=1e-4
    )
    one_sided = fitted("interface", str(path), "--diameter", "10 mm", "--no-symmetric")
    assert one_sided["area_specific_resistance_ohm_square_centimetre"] == pytest.approx(
        [13.4255], abs=1e-3
    )


def test_eis_fits_a_circuit_to_a_spectrum_without_a_header(tmp_path: Path) -> None:
    frequency = np.logspace(6, 0, 61)
    impedance = 12.0 + 100.0 / (1 + 2j * np.pi * frequency * 100.0 * 1e-7)
    rows = [f"{f:.9e},{z.real:.9e},{z.imag:.9e}" for f, z in zip(frequency, impedance, strict=True)]
    path = tmp_path / "spectrum.csv"
    path.write_text("\n".join(rows))
    values = fitted("eis", str(path), "--circuit", "R0-p(R1,C1)")
    assert values["parameters"]["R0"]["value"] == pytest.approx(12.0, rel=1e-4)
    assert values["parameters"]["R1"]["value"] == pytest.approx(100.0, rel=1e-4)
    assert {"circuit", "assignment", "objective", "residual_rms_relative", "aicc"} <= set(values)
    fixed = fitted("eis", str(path), "--circuit", "R0-p(R1,C1)", "--fix", "R0=12")
    assert fixed["parameters"]["R0"]["standard_error"] == 0.0
    assert "--fix" in refused("eis", str(path), "--circuit", "R0-p(R1,C1)", "--fix", "R0")


def test_transference_and_diffusion_are_one_row_each(tmp_path: Path) -> None:
    path = tmp_path / "bv.csv"
    path.write_text(
        "voltage_step_volt,initial_current_ampere,initial_resistance_ohm,"
        "steady_current_ampere,steady_resistance_ohm\n0.01,20e-6,150,12e-6,180\n"
    )
    assert fitted("transference", str(path))["transference_number"] == pytest.approx(0.535714)
    path.write_text("pulse_second,steady_change_volt,transient_change_volt\n1200,0.004,0.012\n")
    found = fitted("diffusion", str(path), "--length", "2 um")
    assert found["diffusivity_square_centimetre_per_second"] == pytest.approx([4.7157e-12])


def test_the_smallest_valid_bdf_file_is_read() -> None:
    path = DATA / "cycling" / "sample.bdf.csv"
    if not path.is_file():
        pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
    frame = read_table(path)
    assert list(frame.columns) == ["test_time_second", "voltage_volt", "current_ampere"]
    assert frame["voltage_volt"].tolist()[:2] == [3.7, 3.6]
