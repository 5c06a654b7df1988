"""Leads that are wrong in one way each, and leads that are well: what the check says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rig.analysis.leads import LeadReadings, Pulse, all_is_well, judge_leads

FREQUENCY = np.geomspace(1e5, 1e3, 11)
OMEGA = 2 * np.pi * FREQUENCY
WINDOW = (2.5, 4.3)


def cell(series_ohm: float = 7.0, inductance_henry: float = 0.4e-6) -> np.ndarray:
    """A full cell behind its leads: an arc on a series resistance."""
    return series_ohm + 1j * OMEGA * inductance_henry + 20.0 / (1 + 1j * OMEGA * 20.0 * 5e-6)


def well() -> LeadReadings:
    noise = np.random.default_rng(3).normal(0.0, 3e-5, 6)
    return LeadReadings(
        np.arange(6.0),
        3.7 + noise,
        WINDOW,
        FREQUENCY,
        cell(),
        Pulse(3.7, 3.73, 1e-3),
        leads_ohm=0.2,
    )


def ill(readings: LeadReadings) -> dict[str, str]:
    return {one.what: one.words for one in judge_leads(readings) if one.verdict == "ill"}


def test_leads_that_are_well_are_and_all_is_looked_at():
    verdicts = judge_leads(well())
    assert all_is_well(verdicts)
    assert {one.what: one.verdict for one in verdicts} == {
        "voltage": "well",
        "steadiness": "well",
        "impedance": "well",
        "lead inductance": "not seen",  # the arc hides it at 100 kHz
        "pulse": "well",
    }


@pytest.mark.parametrize(
    ("changes", "what", "words"),
    [
        ({"voltage_volt": np.full(6, -3.7)}, "voltage", "the wrong way round"),
        ({"voltage_volt": np.full(6, 0.0008)}, "voltage", "a lead is off, or the cell is shorted"),
        ({"voltage_volt": np.full(6, 1.1)}, "voltage", "outside 2.5 to 4.3 V"),
        ({"overloaded": True}, "voltage", "sense lead is off"),
        ({"voltage_volt": 3.7 + 0.02 * (-1.0) ** np.arange(6)}, "steadiness", "floats"),
        ({"impedance_ohm": 1 / (1j * OMEGA * 3e-11)}, "impedance", "30 pF: a lead is off"),
        ({"impedance_ohm": np.full(11, np.nan + 0j)}, "impedance", "no point has a number"),
        ({"impedance_ohm": -cell()}, "impedance", "one pair of leads is crossed"),
        ({"impedance_ohm": np.full(11, 1e-4 + 0j)}, "impedance", "shorted"),
        ({"impedance_ohm": np.full(11, 0.205 + 0j)}, "impedance", "the cell is shorted"),
        ({"impedance_ohm": np.full(11, 0.1 + 0j)}, "impedance", "less than the leads alone"),
        ({"impedance_ohm": cell(inductance_henry=9e-6)}, "lead inductance", "twist"),
        ({"pulse": Pulse(3.7, 3.67, 1e-3)}, "pulse", "the wrong way"),
        ({"pulse": Pulse(3.7, 3.7, 1e-3)}, "pulse", "does not follow"),
        ({"pulse": Pulse(3.7, 3.702, 1e-3)}, "pulse", "not where current is"),
    ],
)
def test_each_fault_is_named(changes: dict[str, object], what: str, words: str):
    found = ill(replace(well(), **changes))
    assert words in found[what]
    assert not all_is_well(judge_leads(replace(well(), **changes)))


def test_a_cell_that_drifts_is_no_fault_of_its_leads():
    drifting = replace(well(), voltage_volt=3.7 - 0.004 * np.arange(6.0))
    assert "steadiness" not in ill(drifting)


def test_a_pellet_of_picofarads_shows_its_resistance_and_is_no_open_lead():
    pellet = 300e3 / (1 + 1j * OMEGA * 300e3 * 4e-11)
    readings = replace(
        well(), impedance_ohm=pellet, pulse=None, voltage_volt=np.zeros(6), window_volt=None
    )
    assert all_is_well(judge_leads(readings))


def test_what_was_not_measured_is_not_seen_and_not_well():
    verdicts = judge_leads(LeadReadings(np.empty(0), np.empty(0)))
    assert {one.verdict for one in verdicts} == {"not seen"}
