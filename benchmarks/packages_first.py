"""Imported first by every script here: ``drivers`` is the package, whatever script lies beside it.

Python puts a script's own folder before everything else, so benchmarks/drivers.py would hide it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
