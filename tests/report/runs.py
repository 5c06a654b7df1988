"""Findings of runs that never were: real fits of computed data, small enough to make in a moment."""

from __future__ import annotations

import numpy as np

from rig.analysis.arrhenius import fit_arrhenius
from rig.analysis.arrhenius_result import ZERO_CELSIUS_KELVIN
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.cycles import Cycle, CycleTable
from rig.analysis.fade import fit_fade
from rig.analysis.flags import ARR_TSAMPLE, FADE_NEVER, flag
from rig.analysis.impedance_fit import fit_circuit
from rig.analysis.interface import interface_resistance, interface_series
from rig.analysis.spectrum import Spectrum
from rig.report.findings import (
    CyclingFinding,
    PelletFinding,
    Quantity,
    RunFindings,
    SpectrumFinding,
    Traces,
)

CELSIUS = np.array([25.0, 0.0, -20.0, 40.0, 60.0, 25.0])
NOTHING_RECORDED = Traces(*(np.empty(0),) * 4)


def run(**values: object) -> RunFindings:
    """Return a finished run of a simulated cell in which nothing was measured, with changes."""
    plain: dict[str, object] = {
        "run_id": "0123456789abcdef0123456789abcdef",
        "channel": "P1",
        "cell_name": "LPSCl-07",
        "cell": {"area_square_centimetre": 0.785, "thickness_centimetre": 0.05},
        "protocol_name": "Arrhenius",
        "protocol_text": "protocol: 1\nname: Arrhenius\n",
        "state": "finished",
        "reason": "protocol finished",
        "started": "2026-01-01T00:00:01+00:00",
        "ended": "2026-01-02T03:04:05+00:00",
        "software_version": "0.1.0",
        "identities": {
            "pstat": {"maker": "Maker", "model": "M1", "serial": "S7", "firmware": "2.3"}
        },
        "simulated": True,
        "samples": 0,
        "test_time_second": 0.0,
        "traces": NOTHING_RECORDED,
        "spectra": (),
        "pellet": None,
        "cycling": None,
        "quantities": (),
        "flags": (),
        "events": ((0.0, "state", "running"),),
    }
    return RunFindings(**(plain | values))  # type: ignore[arg-type]


def traces(hours: float = 20.0, current_ampere: float = 1e-3) -> Traces:
    time = np.linspace(0.0, hours * 3600.0, 60)
    wave = np.sin(time / 4000.0)
    return Traces(time, 3.6 + 0.4 * wave, current_ampere * np.sign(wave), 25.0 + 0.1 * wave)


def spectrum_of(
    circuit: str, values: list[float], *, seed: int = 0, lowest_hertz: float = 1.0
) -> Spectrum:
    """Return the circuit's impedance with 0.3 % noise, six points a decade from 1 MHz down."""
    decades = round(6 - np.log10(lowest_hertz))
    frequency = np.geomspace(1e6, lowest_hertz, 6 * decades + 1)
    exact = parse_circuit(circuit).impedance(frequency, np.array(values))
    draws = np.random.default_rng(seed).normal(size=(2, frequency.size))
    return Spectrum(frequency, exact + 3e-3 * np.abs(exact) * (draws[0] + 1j * draws[1]))


def pellet_run(**values: object) -> RunFindings:
    """Return a symmetric pellet: six temperatures, two of them alike; 2 mS/cm and 0.35 eV."""
    kelvin = CELSIUS + ZERO_CELSIUS_KELVIN
    activated = np.exp(0.35 / 8.617333262e-5 * (1.0 / 298.15 - 1.0 / kelvin)) * 298.15 / kelvin
    scatter = 1.0 + 2e-3 * np.random.default_rng(7).normal(size=kelvin.size)
    sigma = 2e-3 * activated * scatter
    relative = np.full(kelvin.size, 2e-3)
    law = fit_arrhenius(kelvin, sigma, relative)
    interfaces = interface_series(
        CELSIUS.tolist(), [interface_resistance(25.0 / one, 0.1 / one, 0.785) for one in activated]
    )
    asr = np.array(interfaces.area_specific_resistance_ohm_square_centimetre)
    interface_law = fit_arrhenius(kelvin, 1.0 / asr, np.array(interfaces.relative_uncertainty))
    pellet = PelletFinding("symmetric", CELSIUS, sigma, relative, law, interfaces, interface_law)
    found = {
        "samples": 60,
        "test_time_second": 72_000.0,
        "traces": traces(current_ampere=0.0),
        "spectra": tuple(_pellet_spectrum(n, one) for n, one in enumerate(activated, start=1)),
        "pellet": pellet,
        "quantities": PELLET_QUANTITIES,
        "flags": (flag(ARR_TSAMPLE, "no thermometer on the sample"),),
    }
    return run(**(found | values))


PELLET_QUANTITIES = (
    Quantity(
        "conductivity_25_celsius_siemens_per_centimetre",
        "ionic conductivity at 25 °C",
        1.9783e-3,
        4.47e-5,
        "S/cm",
        truth=2e-3,
    ),
    Quantity(
        "activation_energy_electronvolt", "activation energy", 0.3400, 0.0010, "eV", 4.0, truth=0.35
    ),
)


def _pellet_spectrum(number: int, activated: float) -> SpectrumFinding:
    circuit, values = "R0-p(R1,CPE1)", [32.0 / activated, 25.0 / activated, 1e-6, 0.9]
    measured = spectrum_of(circuit, values, seed=number)
    return SpectrumFinding(
        number, 0, float(CELSIUS[number - 1]) - 0.08, measured, fit_circuit(measured, circuit)
    )


def blocking_spectrum(number: int = 1) -> SpectrumFinding:
    """Return a pellet between blocking electrodes, fitted near the knee only, as pellets are."""
    measured = spectrum_of("R0-CPE0", [30.0, 2e-6, 0.92], seed=number, lowest_hertz=0.1)
    near_knee = measured.below(30.0 * float(measured.modulus_ohm.min()))
    return SpectrumFinding(number, 0, 25.0, measured, fit_circuit(near_knee, "R0-CPE0"))


def cell_run(cycles: int = 40, **values: object) -> RunFindings:
    """Return a cell that fades by 5e-4 a cycle after two formation cycles, with two spectra."""
    numbers = np.arange(1, cycles + 1)
    noise = 1.0 + 2e-4 * np.random.default_rng(3).normal(size=cycles)
    capacity = 1.9e-3 * np.exp(-5e-4 * numbers) * noise
    table = CycleTable(
        tuple(_cycle(int(n), float(q)) for n, q in zip(numbers, capacity, strict=True)),
        "integrated",
        (),
    )
    fade = fit_fade(numbers[2:].astype(float), capacity[2:]) if cycles > 8 else None
    found = {
        "channel": "C1",
        "cell": {"capacity_ah": 2e-3},
        "samples": 60,
        "test_time_second": 900_000.0,
        "traces": traces(250.0),
        "spectra": (_cell_spectrum(1, 3), _cell_spectrum(2, 30)),
        "cycling": CyclingFinding(table, frozenset({1, 2}), fade),
        "quantities": (Quantity("alpha_per_cycle", "capacity fade", 5e-4, 4e-6, "1/cycle", 30.0),),
        "flags": (flag(FADE_NEVER, "0.0015 Ah not reached, > 40 cycles"),),
    }
    return run(**(found | values))


def _cycle(number: int, capacity_ah: float) -> Cycle:
    return Cycle(
        cycle_count=number,
        charging_capacity_ah=capacity_ah / 0.9992,
        discharging_capacity_ah=capacity_ah,
        charging_energy_wh=3.9 * capacity_ah,
        discharging_energy_wh=3.8 * capacity_ah,
        coulombic_efficiency=0.9992,
        energy_efficiency=0.973,
        mean_charging_voltage_volt=3.9,
        mean_discharging_voltage_volt=3.8,
        dc_resistance_ohm=float("nan"),
        duration_second=18_000.0,
        end_reasons=(),
    )


def _cell_spectrum(number: int, cycle: int) -> SpectrumFinding:
    circuit = "R0-p(R1,CPE1)-p(R2,CPE2)"
    # The second time the arcs have changed places: a circuit does not know which is which.
    fast, slow = [20.0, 8e-6, 0.85], [16.0, 8e-4, 0.85]
    arcs = fast + slow if number == 1 else slow + fast
    measured = spectrum_of(circuit, [5.7, *arcs], seed=number, lowest_hertz=0.1)
    fit = fit_circuit(measured, circuit, start=[5.7, *arcs])
    return SpectrumFinding(number, cycle, 25.0, measured, fit)
