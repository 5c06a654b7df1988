"""Runs as files for other programs: samples, spectra, results. A whole run: rig/store/archive."""

from rig.store.exporting.bdf import bdf_frame
from rig.store.exporting.files import FORMATS, write_frame, write_json, write_table
from rig.store.exporting.results import result_frame, result_list
from rig.store.exporting.sidecar import sidecar, sidecar_path
from rig.store.exporting.spectra import spectra_frame

__all__ = [
    "FORMATS",
    "bdf_frame",
    "result_frame",
    "result_list",
    "sidecar",
    "sidecar_path",
    "spectra_frame",
    "write_frame",
    "write_json",
    "write_table",
]
