"""A run's samples or spectra as a file: Battery Data Format (preferred labels), or plain columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rig.core.errors import BadInput, Problem, StoreError

# format -> file ending
FORMATS: dict[str, str] = {
    "bdf-csv": ".bdf.csv",
    "bdf-parquet": ".bdf.parquet",
    "csv": ".csv",
    "eis-csv": ".eis.csv",
}

# our column -> the format's preferred label (Battery Data Format, ontology 1.3.0)
BDF_LABELS: dict[str, str] = {
    "test_time_second": "Test Time / s",
    "voltage_volt": "Voltage / V",
    "current_ampere": "Current / A",
    "unix_time_second": "Unix Time / s",
    "cycle_count": "Cycle Count / 1",
    "step_count": "Step Count / 1",
    "ambient_temperature_celsius": "Ambient Temperature / degC",
    "step_id": "Step ID",
    "charging_capacity_ah": "Charging Capacity / Ah",
    "discharging_capacity_ah": "Discharging Capacity / Ah",
    "charging_energy_wh": "Charging Energy / Wh",
    "discharging_energy_wh": "Discharging Energy / Wh",
    "applied_pressure_pa": "Applied Pressure / Pa",
}

BDF_REQUIRED = {"test_time_second", "voltage_volt", "current_ampere"}


def bdf_frame(samples: pd.DataFrame) -> pd.DataFrame:
    """Return samples under the Battery Data Format's labels; charging current is positive in both.

    The format's cycle count never decreases, ours is 0 outside of counted loops: the last count
    goes on there. Columns without a single value are left out, but for the three it requires.
    """
    frame = samples.assign(
        unix_time_second=samples["ts_us"] / 1e6, cycle_count=samples["cycle_count"].cummax()
    )
    known = [
        name
        for name in BDF_LABELS
        if name in frame and (name in BDF_REQUIRED or frame[name].notna().any())
    ]
    return frame[known].rename(columns=BDF_LABELS)


def spectra_frame(
    spectra: pd.DataFrame, points: pd.DataFrame, wanted: int | None = None
) -> pd.DataFrame:
    """Return the points of complete spectra, or of the one that is ``wanted``, with their heads.

    Impedances in ohm, the imaginary part as measured. Raises BadInput when there is no such one.
    """
    whole = spectra[spectra["complete"].astype(bool)]
    known = whole["spectrum_count"].tolist()
    if wanted is not None and wanted not in known:
        numbers = ", ".join(map(str, known)) or "none"
        raise BadInput(Problem("--spectrum", f"got {wanted}; complete spectra are: {numbers}"))
    if wanted is not None:
        whole = whole[whole["spectrum_count"] == wanted]
    head = ["spectrum_count", "cycle_count", "ambient_temperature_celsius"]
    joined = whole[head].merge(points.drop(columns="run_id"), on="spectrum_count")
    return joined.drop(columns=["point_index"])


def write_samples(samples: pd.DataFrame, path: Path, format_name: str) -> int:
    """Write samples whole or not at all, and return the number of rows; see ``write_frame``."""
    frame = bdf_frame(samples) if format_name.startswith("bdf") else samples
    return write_frame(frame, path, format_name)


def write_frame(frame: pd.DataFrame, path: Path, format_name: str) -> int:
    """Write a table as ``format_name`` says, whole or not at all, and return the number of rows.

    Raises StoreError when it cannot be written; a half-written file is never left under its name.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        if format_name == "bdf-parquet":
            frame.to_parquet(partial, index=False)
        else:
            frame.to_csv(partial, index=False)
        partial.replace(path)
    except (OSError, ImportError) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error}") from error
    return len(frame)
