"""A run's samples as a file: Battery Data Format (preferred labels) or every column as it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rig.core.errors import StoreError

# format -> file ending
FORMATS: dict[str, str] = {"bdf-csv": ".bdf.csv", "bdf-parquet": ".bdf.parquet", "csv": ".csv"}

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


def write_samples(samples: pd.DataFrame, path: Path, format_name: str) -> int:
    """Write the file whole or not at all, and return the number of rows.

    Raises StoreError when it cannot be written; a half-written file is never left under its name.
    """
    frame = bdf_frame(samples) if format_name.startswith("bdf") else samples
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
