"""From stored spectra to results when some of them are not what they should be."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from rig.analysis.flags import ARR_TSAMPLE
from rig.analysis.pellet import Leads
from rig.bench.evaluation import evaluate
from rig.bench.pellet_evaluation import evaluate_pellet
from rig.bench.spectra import load_spectra
from rig.report.findings import PelletFinding, RunFindings, SpectrumFinding
from rig.store import queries
from rig.store.recorder import Recorder
from tests.report.runs import spectrum_of
from tests.store.stores import recorder_on, store_at

CELL = {"area_square_centimetre": 0.785, "thickness_centimetre": 0.05, "symmetric": True}
CIRCUIT = "R0-p(R1,CPE1)"
# A pellet's 0.35 eV; at 60 degC less than half an ohm is left.
OHM = {-20.0: 300.0, 0.0: 90.0, 25.0: 27.0, 40.0: 14.0, 60.0: 0.4}


def finding(celsius: float, ohm: float) -> SpectrumFinding:
    values = [ohm, 3.0 * ohm, 1e-6, 0.95]
    return SpectrumFinding(1, 0, celsius, spectrum_of(CIRCUIT, values, seed=3), None)


def keep_spectrum(recorder: Recorder, count: int, without_number: int, **more: object) -> None:
    """Keep a spectrum as the engine does, some of its points without a number."""
    measured = spectrum_of(CIRCUIT, [30.0, 90.0, 1e-6, 0.95], seed=count)
    head: dict[str, object] = {"run_id": "a", "spectrum_count": count, "ts_us": 0}
    row = {"step_count": 1, "cycle_count": 0, "test_time_second": 60.0 * count, "complete": True}
    recorder.row("spectrum", {**head, **row, "ambient_temperature_celsius": 25.0, **more})
    for index, hertz in enumerate(measured.frequency_hertz):
        ohm = (
            complex(math.nan, math.nan) if index < without_number else measured.impedance_ohm[index]
        )
        point = {
            "point_index": index,
            "frequency_hertz": float(hertz),
            "real_impedance_ohm": float(ohm.real),
            "imaginary_impedance_ohm": float(ohm.imag),
            "repeated": False,
            "flags": 0,
        }
        recorder.row("impedance_point", {**head, **point})


def findings_of(engine: Engine) -> RunFindings:
    return evaluate(engine, queries.find_run(engine, "a"))


def test_points_without_a_number_are_kept_left_out_and_told(tmp_path: Path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    keep_spectrum(recorder, 1, without_number=1)
    keep_spectrum(recorder, 2, without_number=35)
    recorder.close()
    findings = findings_of(engine)
    engine.dispose()
    (kept,) = findings.spectra
    assert len(kept.spectrum) == 36
    assert np.isfinite(kept.spectrum.impedance_ohm).all()
    told = [(second, message) for second, kind, message in findings.events if kind == "left out"]
    assert told[0] == (60.0, "spectrum 1: 1 of 37 points have no number")
    assert told[1] == (120.0, "spectrum 2: 35 of 37 points have no number")
    assert told[2][1].startswith(
        "spectrum 2 is left out: spectrum: got 2 points, expected at least"
    )


@pytest.mark.parametrize(
    ("third_complete", "shown"), [(True, [3]), (False, [2])], ids=["whole", "stopped"]
)
def test_a_spectrum_is_left_out_once_a_whole_one_repeats_it(
    tmp_path: Path, third_complete: bool, shown: list[int]
) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    for count, complete in ((1, True), (2, True), (3, third_complete)):
        repeated = {"repeat_of": count - 1 or None, "objection": "residual 3 %"}
        keep_spectrum(recorder, count, 0, complete=complete, **repeated)
    recorder.close()
    findings, every = (
        findings_of(engine),
        load_spectra(engine, "a", leads_known=False, with_repeated=True),
    )
    engine.dispose()
    assert [one.spectrum_count for one in findings.spectra] == shown
    assert [one.spectrum_count for one in every[0]] == [1, 2, 3][: 2 + third_complete]
    told = [message for _, kind, message in findings.events if kind == "left out"]
    assert told[0] == ("spectrum 1 is left out: it was measured again as spectrum 2; residual 3 %")


def test_a_temperature_that_gives_no_conductivity_leaves_the_others_theirs() -> None:
    measured = [finding(celsius, ohm) for celsius, ohm in OHM.items()]
    shown, pellet, quantities = evaluate_pellet(measured, CELL, Leads(0.5, 0.05))
    assert [bool(one.problem) for one in shown] == [False, False, False, False, True]
    assert "after leads and contacts, expected more than zero" in shown[-1].problem
    assert pellet is not None
    assert pellet.temperature_celsius.tolist() == [-20.0, 0.0, 25.0, 40.0]
    assert quantities[1].key == "activation_energy_electronvolt"


def test_a_spectrum_that_its_circuit_does_not_describe_is_no_point_of_the_law() -> None:
    measured = [finding(celsius, ohm) for celsius, ohm in OHM.items() if celsius < 50.0]
    # an inductive loop as of a coil in the wrong place: no pellet, and yet a fit of it ends somewhere
    good = measured[2].spectrum
    coil = 2j * np.pi * good.frequency_hertz * 2e-4
    strange = good.impedance_ohm + 200.0 * coil / (50.0 + coil)
    measured[2] = replace(measured[2], spectrum=replace(good, impedance_ohm=strange))
    shown, pellet, _ = evaluate_pellet(measured, CELL, None)
    assert [bool(one.problem) for one in shown] == [False, False, True, False]
    assert "does not describe this spectrum" in shown[2].problem
    assert pellet is not None
    assert 25.0 not in pellet.temperature_celsius


def test_a_spectrum_without_a_temperature_says_so() -> None:
    measured = [finding(celsius, ohm) for celsius, ohm in OHM.items()]
    shown, pellet, _ = evaluate_pellet([*measured[:4], finding(math.nan, 20.0)], CELL, None)
    assert shown[-1].problem == "no temperature was recorded with this spectrum"
    assert pellet is not None
    assert len(pellet.temperature_celsius) == 4


def test_three_spectra_at_one_temperature_are_no_arrhenius_law() -> None:
    measured = [finding(25.0, ohm) for ohm in (30.0, 30.5, 31.0)]
    shown, pellet, quantities = evaluate_pellet(measured, CELL, None)
    assert all(one.fit is not None for one in shown)
    assert pellet is not None
    assert pellet.arrhenius is None
    assert pellet.conductivity_siemens_per_centimetre == pytest.approx(0.0021, rel=0.1)
    assert quantities == []


# --- whose temperature ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("surface", "span", "celsius", "told"),
    [
        (None, None, 25.0, []),
        (24.8, 0.05, 24.8, []),
        (23.5, 0.05, 23.5, ["sample is -1.50 K from its chamber"]),
        (24.8, 0.9, 24.8, ["sample moved by 0.90 K during the spectrum"]),
    ],
)
def test_a_spectrum_is_at_the_samples_temperature_where_a_sensor_reads_it(
    tmp_path: Path, surface: float | None, span: float | None, celsius: float, told: list[str]
) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    more = {"surface_temperature_celsius": surface, "surface_temperature_span_kelvin": span}
    keep_spectrum(recorder, 1, without_number=0, **more)
    recorder.close()
    (kept,), _ = load_spectra(engine, "a", leads_known=True)
    engine.dispose()
    assert (kept.temperature_celsius, kept.of_sample) == (celsius, surface is not None)
    assert [note.message for note in kept.flags if note.code == ARR_TSAMPLE] == told


def test_the_samples_own_temperatures_are_trusted_more_than_a_chambers() -> None:
    def series(*, of_sample: bool, span: float = 0.02) -> PelletFinding:
        measured = [
            replace(finding(celsius, ohm), of_sample=of_sample, temperature_span_kelvin=span)
            for celsius, ohm in OHM.items()
        ]
        _, pellet, _ = evaluate_pellet(measured, CELL, Leads(0.0, 0.02))
        assert pellet is not None
        return pellet

    chamber, sample = series(of_sample=False), series(of_sample=True)
    assert (chamber.of_sample, sample.of_sample) == (False, True)
    assert chamber.temperature_uncertainty_kelvin == 0.2
    assert sample.temperature_uncertainty_kelvin == pytest.approx(0.1, abs=0.001)
    moving = series(of_sample=True, span=1.0)
    assert moving.temperature_uncertainty_kelvin == pytest.approx(math.hypot(0.1, 1 / 12**0.5))
