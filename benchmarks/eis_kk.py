"""Lin-KK and relaxation times beside impedance.py's linKK and pyimpspec's DRT, all in one run.

``python benchmarks/eis_kk.py [--json]``; the references are in requirements-eis.txt, where they are missing
it says so, and it never asserts a time. pyimpspec: Tikhonov with non-negative least squares, its defaults, one
process; it gives no bands. ``measure()`` is for benchmarks/eis.py.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as rig does; the reference gains by it, too

import numpy as np
from numpy.typing import NDArray
from this_machine import machine

from rig.analysis.drt import relaxation_times
from rig.analysis.kramers_kronig import check, check_many
from rig.analysis.spectrum import Spectrum

SPECTRA, SINGLE, REFERENCE = 1000, 30, 10
HERTZ = np.geomspace(1e6, 0.1, 71)


def spectra(count: int, noise: float = 0.003) -> NDArray[np.complex128]:
    """Case S5 of science.md with 0.3 % noise."""
    jw, random = 2j * np.pi * HERTZ, np.random.default_rng(1)
    parts = ((276.8, 6e-11, 0.98), (106.1, 2e-8, 0.90), (50.0, 3e-6, 0.85))
    clean = sum(ohm / (1 + ohm * q * jw**exponent) for ohm, q, exponent in parts)
    shape = (count, HERTZ.size)
    scatter = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    return np.asarray(clean + noise * np.abs(clean) * scatter)


def seconds_each(work: Callable[[], object], count: int, repeats: int = 3) -> float:
    """Return the fastest of several goes, per spectrum."""
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return float(best) / count


def measure() -> dict[str, object]:
    """Return times in milliseconds a spectrum and their ratios to impedance.py."""
    data = spectra(SPECTRA)
    check(Spectrum(HERTZ, data[0]))
    relaxation_times(Spectrum(HERTZ, data[0]), force=True)
    few = [Spectrum(HERTZ, one) for one in data[:SINGLE]]
    batched = seconds_each(lambda: check_many(HERTZ, data), SPECTRA)
    single = seconds_each(lambda: [check(one) for one in few], SINGLE)
    drt = seconds_each(lambda: [relaxation_times(one, force=True) for one in few], SINGLE)
    reference = reference_seconds(data[:REFERENCE])
    other_drt = pyimpspec_seconds(data[:REFERENCE])
    figures: dict[str, object] = {
        "lin_kk_batched_millisecond": 1e3 * batched,
        "lin_kk_single_millisecond": 1e3 * single,
        "drt_single_millisecond": 1e3 * drt,
        "impedance_py_lin_kk_millisecond": None if reference is None else 1e3 * reference,
        "pyimpspec_drt_millisecond": None if other_drt is None else 1e3 * other_drt,
    }
    if other_drt is not None:
        figures["drt_ratio"] = other_drt / drt
    if reference is not None:
        figures |= {"batched_ratio": reference / batched, "single_ratio": reference / single}
    return {**figures, **machine()}


def reference_seconds(data: NDArray[np.complex128]) -> float | None:
    """Return impedance.py's time a spectrum at its default c = 0.85; None where it is not installed."""
    try:
        from impedance.models.circuits.elements import circuit_elements  # noqa: PLC0415
        from impedance.validation import linKK  # noqa: PLC0415
    except ImportError:
        return None
    circuit_elements["np"] = np  # 1.7.1 evaluates a text that needs it, and forgets it

    def work() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            for one in data:
                linKK(HERTZ, one, c=0.85, max_M=100, fit_type="complex")

    return seconds_each(work, len(data))


def pyimpspec_seconds(data: NDArray[np.complex128]) -> float | None:
    """Return pyimpspec's time a spectrum for a distribution; None where it is not installed."""
    try:
        from pyimpspec import DataSet, calculate_drt  # noqa: PLC0415
    except ImportError:
        return None
    sets = [DataSet(frequencies=HERTZ, impedances=one) for one in data]

    def work() -> None:
        for one in sets:
            calculate_drt(one, method="tr-nnls", num_procs=1)

    return seconds_each(work, len(data))


def main() -> None:
    figures = measure()
    if "--json" in sys.argv:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:34} {value:.3g}" if isinstance(value, float) else f"{name:34} {value}")
    if figures["impedance_py_lin_kk_millisecond"] is None:
        print("no reference: pip install impedance pandas, in an environment of its own")


if __name__ == "__main__":
    main()
