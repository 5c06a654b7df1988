"""Impedance beside impedance.py and impedancefitter, all in one: ``python benchmarks/eis.py``.

The others are pinned in requirements-eis.txt and live in an environment that also has this project:

    python -m venv /tmp/eis && /tmp/eis/bin/pip install -e . -r benchmarks/requirements-eis.txt
    /tmp/eis/bin/python benchmarks/eis.py            a table; ``--json``: plain data, units in the keys

Without them their columns are empty. Circuit fits (time, optimum, coverage) are in ``eis_fit.py``,
Lin-KK and relaxation times in ``eis_kk.py``, which also runs alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

# One thread each: small matrices gain nothing from more, and a comparison is per core.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import eis_kk  # noqa: E402
import packages_first  # noqa: F401, E402
from eis_fit import Sizes, measure  # noqa: E402


def main() -> int:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print plain data")
    parser.add_argument("--spectra", type=int, default=1000, help="in the batch")
    parser.add_argument("--optimum", type=int, default=500, help="spectra for the optimum")
    parser.add_argument("--others", type=int, default=100, help="of these, for the others")
    parser.add_argument("--coverage", type=int, default=1000, help="spectra for the coverage")
    given = parser.parse_args()
    sizes = Sizes(given.spectra, given.optimum, given.others, given.coverage)
    results: dict[str, object] = {**measure(sizes), **eis_kk.measure()}
    if given.json:
        print(json.dumps(results, indent=1))
        return 0
    width = max(map(len, results))
    for name, value in results.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        print(f"{name:{width}}  {'-' if value is None else shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
