"""What the figures decide by themselves: colours, points of a fit, panels, names."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from rig.report.figures_arrhenius import arrhenius_figures
from rig.report.figures_bode import residuals_percent
from rig.report.figures_nyquist import nyquist_figures, single_spectra_figure
from rig.report.figures_resistance import resistance_figure
from rig.report.figures_time import time_figure
from rig.report.spectra import (
    arcs_side_ohm,
    fit_curve,
    fitted_mask,
    knee_ohm,
    series,
    total_resistance,
)
from tests.report.runs import blocking_spectrum, cell_run, pellet_run, run, traces


def words(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


def test_a_temperature_measured_twice_has_one_colour_and_one_line_in_the_legend() -> None:
    one = series(pellet_run().spectra)
    assert one.variable == "temperature / °C"
    assert one.colours[0] == one.colours[-1]
    assert [label for label, _ in one.legend] == [
        "−20 °C",
        "0 °C",
        "25 °C (2 spectra)",
        "40 °C",
        "60 °C",
    ]


def test_spectra_of_a_cycled_cell_are_told_apart_by_cycle() -> None:
    assert series(cell_run().spectra).labels == ("cycle 3", "cycle 30")


def test_the_points_of_a_fit_near_the_knee_are_found_again() -> None:
    finding = blocking_spectrum()
    assert finding.fit is not None
    assert 0 < fitted_mask(finding).sum() == finding.fit.points < len(finding.spectrum)
    _, percent = residuals_percent(finding)
    rms = np.sqrt(2.0 * np.mean(np.concatenate([percent.real, percent.imag]) ** 2)) / 100.0
    assert rms == pytest.approx(finding.fit.residual_rms_relative, rel=1e-9)


def test_a_spectrum_without_a_fit_has_no_fitted_points_and_no_curve() -> None:
    bare = replace(blocking_spectrum(), fit=None)
    assert not fitted_mask(bare).any()
    assert fit_curve(bare).size == 0


def test_the_knee_is_near_the_resistance_for_blocking_and_open_arcs_alike() -> None:
    assert knee_ohm(blocking_spectrum()) == pytest.approx(30.0, rel=0.1)
    assert arcs_side_ohm([blocking_spectrum()]) == pytest.approx(39.0, rel=0.1)
    first = pellet_run().spectra[0]
    assert first.fit is not None
    assert knee_ohm(first) == pytest.approx(total_resistance(first.fit)[0], rel=0.1)


def test_arcs_hidden_by_a_blocking_tail_are_drawn_again_enlarged() -> None:
    blocking = run(spectra=(blocking_spectrum(),))
    spectra = series(blocking.spectra)
    assert len(nyquist_figures(blocking, spectra)) == 2
    assert single_spectra_figure(blocking, spectra) is None


def test_many_spectra_get_a_colour_bar_instead_of_a_legend() -> None:
    one = blocking_spectrum()
    many = run(
        spectra=tuple(
            replace(one, spectrum_count=n, temperature_celsius=5.0 * n) for n in range(1, 14)
        )
    )
    overview = nyquist_figures(many, series(many.spectra))[0]
    assert "temperature / °C" in words(str(overview.svg))
    assert "65 °C" not in words(str(overview.svg))


def test_an_unknown_temperature_is_called_so() -> None:
    lost = replace(blocking_spectrum(), temperature_celsius=float("nan"))
    assert series((lost,)).labels == ("unknown temperature",)


def test_arcs_that_change_places_between_fits_are_followed_by_frequency() -> None:
    cell = cell_run()
    drawn = resistance_figure(cell, series(cell.spectra))
    assert drawn is not None
    labels = [word for word in words(str(drawn.svg)) if word.startswith("arc at")]
    assert len(labels) == 2
    assert labels[0].endswith("kHz")
    assert labels[1].endswith(" Hz")


def test_the_arrhenius_plot_names_its_convention_and_carries_the_results() -> None:
    electrolyte, interface = (words(str(one.svg)) for one in arrhenius_figures(pellet_run()))
    assert "σT / S K cm⁻¹" in electrolyte
    assert any(word.startswith("Eₐ = 0.3400(10) eV") for word in electrolyte)
    assert "−20" in electrolyte
    assert "T/ASR / S K cm⁻²" in interface


def test_a_quantity_that_was_never_measured_has_no_panel() -> None:
    dark = replace(traces(), ambient_temperature_celsius=np.full(60, np.nan))
    drawn = time_figure(run(traces=dark))
    assert drawn is not None
    labels = words(str(drawn.svg))
    assert "voltage / V" in labels
    assert "current / mA" in labels
    assert not any("temperature" in label for label in labels)


def test_what_sensors_read_beside_the_cell_has_panels_of_its_own() -> None:
    sensed = replace(
        traces(),
        surface_temperature_celsius=np.full(60, 24.8),
        applied_pressure_pa=np.full(60, 5.2e6),
    )
    drawn = time_figure(run(traces=sensed))
    assert drawn is not None
    labels = words(str(drawn.svg))
    assert "cell's own / °C" in labels
    assert "pressure / MPa" in labels


def test_nothing_recorded_is_nothing_drawn() -> None:
    assert time_figure(run()) is None
