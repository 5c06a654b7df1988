"""How near does each analyser's spectrum come to the cell? ``python benchmarks/eis_families.py [PNG]``.

Real drivers, over the real bytes of simulated analysers, on cells whose impedance is known: Nyquist
plots of what came back over the cell model's own curve, and the relative error below. Without a
file it prints the errors only. What it shows is the path (formats, units, signs, ranges, status)
and the simulators' noise, which is no measurement of the real instruments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import matplotlib as mpl
import numpy as np
import packages_first  # noqa: F401
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rig.bench.file import parse_bench
from rig.bench.instruments import open_bench
from rig.core.clock import SimulatedClock
from rig.core.instruments import ImpedanceAnalyser, ImpedancePoint, Limits, Sweep
from rig.report.drawing import BLUE, FAINT, GREEN, INK, ORANGE, SOFT, VERMILION, scaled
from simulators.world import SimulatedWorld

ERROR_AXIS_PERCENT = (3e-3, 3.0)
LIMITS = Limits(-1.5, 5.0, 3.0)
LOOK_SECOND = 1.0
PELLET = (
    "{cell: symmetric_pellet, material: Li6PS5Cl, area: 0.785 cm^2, thickness: 0.5 mm,"
    " interface_resistance: 10 ohm*cm^2, interface_activation_energy: 0.50 eV}"
)
# A cell of 1,000 cm^2 at half charge: milliohm, as the BT4560 is made for.
LARGE_CELL = "{cell: full_cell, area: 1000 cm^2, state_of_charge: 50 %, lead_resistance: 0.5 mohm}"


@dataclass(frozen=True, slots=True)
class Case:
    """One analyser on one cell."""

    title: str
    family: str
    cell: str
    sweep: Sweep
    colour: str
    seed: int  # of the noise: two analysers of one family must not err alike


CASES = (
    Case(
        "PalmSens Nexus, 10 mV",
        "palmsens.methodscript",
        PELLET,
        Sweep(1e6, 0.1, 71, amplitude_volt=10e-3),
        BLUE,
        seed=1,
    ),
    Case(
        "PalmSens Nexus, 0.1 mA",
        "palmsens.methodscript",
        PELLET,
        Sweep(1e6, 0.1, 71, amplitude_ampere=1e-4),
        ORANGE,
        seed=2,
    ),
    Case(
        "Keysight E4980A, 10 mV",
        "keysight.e4980a",
        PELLET,
        Sweep(2e6, 20.0, 51, amplitude_volt=10e-3),
        GREEN,
        seed=3,
    ),
    Case(
        "Hioki BT4560, 50 mA",
        "hioki.bt4560",
        LARGE_CELL,
        Sweep(1050.0, 0.1, 41, amplitude_ampere=0.05),
        VERMILION,
        seed=4,
    ),
)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What came back, in the order it came, and the cell's own impedance at the same frequencies."""

    case: Case
    frequency_hertz: NDArray[np.float64]
    measured_ohm: NDArray[np.complex128]
    truth_ohm: NDArray[np.complex128]
    flagged: int

    @property
    def relative_error(self) -> NDArray[np.float64]:
        """Return |Z - Z_cell| / |Z_cell|."""
        return np.abs(self.measured_ohm - self.truth_ohm) / np.abs(self.truth_ohm)


def measure(case: Case) -> Spectrum:
    """Run one sweep through the analyser's own bytes, on the simulated clock."""
    text = (
        "bench: 1\n"
        f"instruments: {{analyser: {{driver: {case.family}, connect: sim}}}}\n"
        f"channels: {{A1: {{impedance: analyser, dc_blocking: true, simulate: {case.cell}}}}}\n"
    )
    clock = SimulatedClock()
    opened = open_bench(parse_bench(text, "benchmark"), clock, ["analyser"], seed=case.seed)
    analyser = cast(ImpedanceAnalyser, opened.drivers["analyser"])
    points = list(_sweep(analyser, case.sweep, clock))
    analyser.make_safe()
    cell = cast(SimulatedWorld, opened.world).cell("A1")
    hertz = np.array([point.frequency_hertz for point in points])
    return Spectrum(
        case,
        hertz,
        np.array([complex(p.real_impedance_ohm, p.imaginary_impedance_ohm) for p in points]),
        np.array([cell.impedance(frequency, clock.now()) for frequency in hertz]),
        sum(point.flags != 0 for point in points),
    )


def _sweep(
    analyser: ImpedanceAnalyser, sweep: Sweep, clock: SimulatedClock
) -> Iterator[ImpedancePoint]:
    """Begin, and look once a second until the analyser has finished."""
    analyser.begin(sweep, LIMITS)
    while True:
        progress = analyser.poll()
        yield from progress.points
        if progress.done:
            return
        clock.wait_until(clock.now() + LOOK_SECOND)


def as_text(spectra: Sequence[Spectrum]) -> str:
    """Return a table of the relative errors."""
    lines = [f"{'analyser':26}{'points':>7}{'flagged':>9}{'median':>9}{'largest':>9}  at"]
    for spectrum in spectra:
        error = spectrum.relative_error
        worst = int(np.argmax(error))
        lines.append(
            f"{spectrum.case.title:26}{len(error):7}{spectrum.flagged:9}{np.median(error):9.2%}"
            f"{error[worst]:9.2%}  {spectrum.frequency_hertz[worst]:.3g} Hz"
        )
    return "\n".join(lines)


# --- the figure ----------------------------------------------------------------------------------


def draw(spectra: Sequence[Spectrum], path: Path) -> None:
    """Write the figure: a Nyquist plot for each analyser, its relative error below."""
    style = {"font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):  # type: ignore[arg-type]
        figure = Figure(figsize=(11.0, 4.2), layout="constrained")
        upper, lower = figure.subplots(2, len(spectra), height_ratios=[1.0, 1.1])
        for spectrum, nyquist, error in zip(spectra, upper, lower, strict=True):
            _nyquist(nyquist, spectrum)
            _errors(error, spectrum)
        lower[0].set_ylabel("|Z − Z$_{cell}$| / |Z$_{cell}$|, %")
        figure.savefig(path, dpi=150)


def _nyquist(axes: Axes, spectrum: Spectrum) -> None:
    divisor, unit = scaled(float(np.max(np.abs(spectrum.truth_ohm))), "Ω")
    truth, measured = spectrum.truth_ohm / divisor, spectrum.measured_ohm / divisor
    axes.plot(truth.real, -truth.imag, color=INK, lw=1.0, label="cell model")
    axes.plot(
        measured.real,
        -measured.imag,
        "o",
        ms=3.5,
        mfc="none",
        mec=spectrum.case.colour,
        label="measured",
    )
    axes.set_ylim(top=1.9 * float(np.max(-measured.imag)))  # room for the legend
    axes.set_aspect("equal", adjustable="box")
    axes.set_title(spectrum.case.title, fontsize=9.5)
    axes.set_xlabel(f"Z′, {unit}")
    axes.set_ylabel(f"−Z″, {unit}")
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _errors(axes: Axes, spectrum: Spectrum) -> None:
    axes.loglog(
        spectrum.frequency_hertz,
        100.0 * spectrum.relative_error,
        "o",
        ms=3.0,
        color=spectrum.case.colour,
    )
    median = 100.0 * float(np.median(spectrum.relative_error))
    axes.axhline(median, color=SOFT, lw=0.8, label=f"median {median:.2g} %")
    axes.grid(color=FAINT, lw=0.5)
    axes.set_ylim(*ERROR_AXIS_PERCENT)
    axes.set_yticks([0.01, 0.1, 1.0], ["0.01", "0.1", "1"])
    axes.set_xlabel("frequency, Hz")
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def main() -> int:
    """Measure all cases, print the errors, and draw where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("png", nargs="?", type=Path, help="the figure to write")
    arguments = parser.parse_args()
    spectra = [measure(case) for case in CASES]
    print(as_text(spectra))
    if arguments.png:
        draw(spectra, arguments.png)
    return 0


if __name__ == "__main__":
    sys.exit(main())
