"""``rig fit eis`` on spectra that do not decide: one-sided intervals, other minima, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rig.analysis.circuit_text import parse_circuit
from rig.cli.fit import app
from rig.core.errors import BadInput

CIRCUIT = "R0-p(R1,C1)"


@pytest.fixture
def blocking(tmp_path: Path) -> str:
    """Write a tail whose end is out of sight: R1 is anything from some value on."""
    hertz = np.logspace(5, 1, 41)
    clean = parse_circuit(CIRCUIT).impedance(hertz, [10.0, 1e9, 1e-6])
    draws = np.random.default_rng(5).normal(size=(2, 41))
    ohm = clean + 0.005 * np.abs(clean) * (draws[0] + 1j * draws[1])
    rows = "\n".join(f"{f:.8g},{z.real:.8g},{z.imag:.8g}" for f, z in zip(hertz, ohm, strict=True))
    path = tmp_path / "tail.csv"
    path.write_text(f"frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n{rows}\n")
    return str(path)


def test_a_profile_shows_what_the_data_bound_without_digits(blocking: str) -> None:
    arguments = ["eis", blocking, "--circuit", CIRCUIT, "--profile"]
    text = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    assert "not determined" in text
    assert "R1, 95 %" in text
    assert "above" in text
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert found["interval_method"] == "profile"
    assert found["parameters"]["R1"]["value"] is None
    assert found["interval_95"]["R1"][1] is None
    low, high = found["interval_95"]["R0"]
    assert low < 10.0 < high


def test_without_profile_nothing_is_said_of_what_is_not_determined(blocking: str) -> None:
    arguments = ["eis", blocking, "--circuit", CIRCUIT, "--json"]
    found = json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)
    assert found["interval_method"] == "curvature"
    assert found["interval_95"]["R1"] is None
    assert found["verdict"] in {"global", "several minima", "unconfirmed"}
    assert found["global"] is (found["verdict"] == "global")


def test_a_profile_needs_a_circuit(blocking: str) -> None:
    with pytest.raises(BadInput, match="--profile"):
        CliRunner().invoke(app, ["eis", blocking, "--profile"], catch_exceptions=False)
