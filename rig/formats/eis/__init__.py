"""Impedance spectra from the files of potentiostats and of people, told apart by their content.

>>> [one.vendor for one in load_spectra("sweep.DTA")]  # doctest: +SKIP
['Gamry']
"""

from __future__ import annotations

from rig.formats.eis.load import holds_spectra, load_spectra
from rig.formats.eis.measured import MeasuredSpectrum

__all__ = ["MeasuredSpectrum", "holds_spectra", "load_spectra"]
