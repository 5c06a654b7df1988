"""How often `rig kk` refuses a sound spectrum and how often it misses a fault, over many kinds of cell.

``python benchmarks/kk_rates.py [CELLS] [--json]``: CELLS (default 200) drawn from kk_family, each with
every fault at every noise. ``refused``: not valid. ``noticed``: valid, and Lin-KK says what stands out
or Z-HIT that the slow end drifted. The rest of a fault's spectra is missed. No threads, no clock.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as rig does

import numpy as np
from kk_family import FAULTS, Cell, Fault, Impedances, Random, drawn_cell, with_noise

from rig.analysis.kramers_kronig import check
from rig.analysis.spectrum import Spectrum
from rig.analysis.z_hit import z_hit

SEED, CELLS = 20, 200
NOISES = (0.0005, 0.002, 0.005, 0.01, 0.015)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the spectra: refused; valid but noticed by Lin-KK's hint, or only by Z-HIT."""

    refused: float
    hinted: float
    z_hit_alone: float

    @property
    def missed(self) -> float:
        return 1.0 - self.refused - self.hinted - self.z_hit_alone

    def to_dict(self) -> dict[str, float]:
        return {
            "refused": self.refused,
            "hinted": self.hinted,
            "z_hit_alone": self.z_hit_alone,
            "missed": self.missed,
        }


def rates(
    cells: Sequence[Cell], relative: float, random: Random, fault: Callable[[Cell], Impedances]
) -> Rates:
    """Judge each cell with this fault and this noise of each part."""
    seen = [_seen(cell, with_noise(fault(cell), relative, random)) for cell in cells]
    return Rates(*(seen.count(kind) / len(seen) for kind in ("refused", "hinted", "z-hit")))


def _seen(cell: Cell, ohm: Impedances) -> str:
    measured = Spectrum(cell.hertz, ohm)
    verdict = check(measured)
    if not verdict.valid:
        return "refused"
    if any(note.message.startswith("accepted, but") for note in verdict.flags):
        return "hinted"
    drifted = z_hit(measured, verdict.noise)
    return "z-hit" if drifted is not None and drifted.flags else "nothing"


def measure(count: int) -> list[dict[str, object]]:
    """Return one row for each fault, size and noise; the first rows are of sound spectra."""
    random = np.random.default_rng(SEED)
    cells = [drawn_cell(random) for _ in range(count)]
    rows = [_row("none", 0.0, one, rates(cells, one, random, _sound)) for one in (0.0, *NOISES)]
    for name, (fault, sizes) in FAULTS.items():
        for size in sizes:
            for noise in NOISES:
                faulty = _with(fault, size, random)
                rows.append(_row(name, size, noise, rates(cells, noise, random, faulty)))
    return rows


def _with(fault: Fault, size: float, random: Random) -> Callable[[Cell], Impedances]:
    return lambda cell: fault(cell, size, random)


def _sound(cell: Cell) -> Impedances:
    return cell.ohm


def _row(fault: str, size: float, noise: float, found: Rates) -> dict[str, object]:
    return {"fault": fault, "size": size, "noise": noise, **found.to_dict()}


def table(rows: list[dict[str, object]]) -> str:
    """Write refused + noticed per cent in one line a fault, one column a noise."""
    noises = sorted({float(str(row["noise"])) for row in rows})
    lines = ["| fault | " + " | ".join(f"{100 * one:g} %" for one in noises) + " |"]
    lines.append("|---|" + "---:|" * len(noises))
    for fault, size in dict.fromkeys((row["fault"], row["size"]) for row in rows):
        cells = {row["noise"]: row for row in rows if (row["fault"], row["size"]) == (fault, size)}
        words = [_words(cells[one]) if one in cells else "" for one in noises]
        lines.append(f"| {fault}, {100 * float(str(size)):g} % | " + " | ".join(words) + " |")
    return "\n".join(lines)


def _words(row: dict[str, object]) -> str:
    names = ("refused", "hinted", "z_hit_alone")
    return " + ".join(f"{100 * float(str(row[name])):.0f}" for name in names)


def main(arguments: list[str]) -> None:
    numbers = [int(one) for one in arguments if one.isdigit()]
    rows = measure(numbers[0] if numbers else CELLS)
    print(json.dumps(rows, indent=1) if "--json" in arguments else table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
