"""A temperature series as it fills: points first, the law when three temperatures are there, then as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, update

from rig.analysis.arrhenius_result import Convention
from rig.bench.arrhenius_view import CYCLED, arrhenius_view, has_series
from rig.bench.arrhenius_watch import ArrheniusViews
from rig.store import queries, tables
from rig.store.recorder import Recorder
from tests.report.runs import spectrum_of
from tests.store.stores import recorder_on, store_at

EA_ELECTRONVOLT, K = 0.35, 8.617333e-5
CELL = {"cell_id": "c", "name": "pellet", "area_square_centimetre": 0.785}


def ohm_at(celsius: float) -> float:
    """Return a pellet's resistance: sigma T follows one line of 0.35 eV, 30 ohm at 25 degC."""
    kelvin = celsius + 273.15
    return 30.0 * kelvin / 298.15 * float(np.exp(EA_ELECTRONVOLT / K * (1 / kelvin - 1 / 298.15)))


def keep(recorder: Recorder, count: int, celsius: float) -> None:
    values = [ohm_at(celsius), 3e-6, 0.93]  # an electrolyte between blocking electrodes
    measured = spectrum_of("R0-CPE1", values, seed=count)
    head = {"run_id": "a", "spectrum_count": count, "ts_us": 0}
    row = {
        "step_count": count,
        "cycle_count": 0,
        "test_time_second": 60.0 * count,
        "complete": True,
    }
    recorder.row("spectrum", {**head, **row, "ambient_temperature_celsius": celsius})
    for index, hertz in enumerate(measured.frequency_hertz):
        ohm = complex(measured.impedance_ohm[index])
        point = {
            "point_index": index,
            "frequency_hertz": float(hertz),
            "repeated": False,
            "flags": 0,
        }
        parts = {"real_impedance_ohm": ohm.real, "imaginary_impedance_ohm": ohm.imag}
        recorder.row("impedance_point", {**head, **point, **parts})


def pellet_store(path: Path, *celsius: float, thickness: float | None = 0.05) -> Engine:
    engine = store_at(path, "a")
    cell = {**CELL, "thickness_centimetre": thickness, "symmetric": False}
    queries.insert_row(engine, tables.cell, cell)
    with engine.begin() as connection:
        connection.execute(update(tables.run).values(cell_id="c"))
    recorder = recorder_on(engine)
    for count, one in enumerate(celsius, start=1):
        keep(recorder, count, one)
    recorder.commit()
    recorder.close()
    return engine


def view(engine: Engine, convention: Convention = Convention.LN_SIGMA_T) -> dict[str, object]:
    return arrhenius_view(engine, queries.find_run(engine, "a"), convention)


def test_points_come_one_by_one_and_the_law_when_three_temperatures_are_there(
    tmp_path: Path,
) -> None:
    engine = pellet_store(tmp_path / "rig.db", 25.0, 25.0, 40.0)
    found = view(engine)
    assert [point["temperature_celsius"] for point in found["points"]] == [25.0, 25.0, 40.0]
    sigma = found["points"][0]["conductivity_siemens_per_centimetre"]
    assert sigma == pytest.approx(0.05 / (30.0 * 0.785), rel=0.02)
    assert found["fit"] is None
    assert found["problem"] == "2 of at least 3 temperatures"
    recorder = recorder_on(engine)
    keep(recorder, 4, 0.0)
    recorder.commit()
    recorder.close()
    whole, other = view(engine), view(engine, Convention.LN_SIGMA)
    engine.dispose()
    assert whole["problem"] == ""
    energy = whole["fit"]["activation_energy_electronvolt"]
    error = whole["fit"]["activation_energy_standard_error_electronvolt"]
    assert abs(energy - EA_ELECTRONVOLT) < 4 * error + 0.005
    # ln sigma is smaller by kT, about 25 meV (science.md): and the line is the same sigma.
    apart = energy - other["fit"]["activation_energy_electronvolt"]
    assert apart == pytest.approx(K * whole["fit"]["mean_temperature_kelvin"], rel=0.02)
    assert "ln σT" in whole["quantities"][1]["title"]
    assert "ln σ)" in other["quantities"][1]["title"]
    line = whole["fit"]["line"]
    assert (
        np.array(line["low_95_siemens_per_centimetre"]) < line["high_95_siemens_per_centimetre"]
    ).all()
    assert any(note["code"] == "ARR-TSAMPLE" for note in whole["flags"])


def test_without_geometry_there_is_no_point_and_the_reason_is_said(tmp_path: Path) -> None:
    engine = pellet_store(tmp_path / "rig.db", 25.0, thickness=None)
    found = view(engine)
    engine.dispose()
    assert (found["points"], found["fit"]) == ([], None)
    assert "without area and thickness" in str(found["problem"])
    assert found["left_out"]


def test_a_cell_that_cycles_and_a_run_without_spectra_have_no_series(tmp_path: Path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    assert not has_series(engine, "a")
    assert view(engine)["problem"] == "no complete spectrum yet"
    recorder = recorder_on(engine)
    zero = dict.fromkeys(("charging", "discharging"), 0.0)
    cycle = {f"{way}_{what}": 0.0 for way in zero for what in ("capacity_ah", "energy_wh")}
    recorder.row("cycle", {"run_id": "a", "cycle_count": 1, "seq_first": 0, "seq_last": 1, **cycle})
    keep(recorder, 1, 25.0)
    recorder.commit()
    recorder.close()
    watched = ArrheniusViews().look(engine, queries.find_run(engine, "a"), Convention.LN_SIGMA_T)
    engine.dispose()
    assert (watched["problem"], watched["points"]) == (CYCLED, [])


@pytest.mark.xdist_group("processes")
def test_who_watches_gets_what_was_fitted_before_until_a_spectrum_is_added(tmp_path: Path) -> None:
    engine = pellet_store(tmp_path / "rig.db", 25.0)
    views, run = ArrheniusViews(), queries.find_run(engine, "a")
    first = views.look(engine, run, Convention.LN_SIGMA_T)
    assert views.look(engine, run, Convention.LN_SIGMA_T) is first
    assert views.look(engine, run, Convention.LN_SIGMA)["convention"] == "ln_sigma"
    recorder = recorder_on(engine)
    keep(recorder, 2, 40.0)
    recorder.commit()
    recorder.close()
    assert len(views.look(engine, run, Convention.LN_SIGMA_T)["points"]) == 2
    engine.dispose()
