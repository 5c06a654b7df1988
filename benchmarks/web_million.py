"""What web.py measures of a long run's plot: the page's own request beside Plotly with all points."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import plotly.graph_objects as go
from sqlalchemy import Engine, text
from store_parts import add_run
from web_rig import serving

from rig.core.records import SAMPLE_COLUMNS
from rig.store.database import open_database

SPIKE, SPIKE_VOLT = 0.654321, 4.9  # where in the run, and what one sample of all says there
SHOWN = (
    "voltage_volt",
    "current_ampere",
    "surface_temperature_celsius",
    "ambient_temperature_celsius",
    "applied_pressure_pa",
)  # as time-plot.js asks for them
POINTS = 3000
NOISE = "(abs(random()) % 1000)"
GIVEN = {
    "seq": "n",
    "ts_us": "1800000000000000 + n * 1000000",
    "test_time_second": "n * 1.0",
    "step_count": "n / 5000",
    "step_id": "n / 5000 % 2",
    "cycle_count": "n / 10000 + 1",
    "phase": "'ageing'",
    "tag": "''",
    "voltage_volt": f"3.0 + (n % 5000) / 5e3 + {NOISE} * 1e-6",
    "current_ampere": f"5e-3 + {NOISE} * 1e-9",
    "ambient_temperature_celsius": "25.0 + n % 7 * 0.1",
    "surface_temperature_celsius": "25.2 + n % 9 * 0.1",
    "charging_capacity_ah": "n * 1e-6",
    "discharging_capacity_ah": "n * 1e-6",
    "charging_energy_wh": "n * 3e-6",
    "discharging_energy_wh": "n * 3e-6",
    "flags": "0",
}


def add_long_run(engine: Engine, rows: int) -> str:
    """Put a run of so many samples in, made by the database itself; return its id."""
    run_id = uuid.uuid4().hex
    add_run(engine, run_id)
    spike = f"CASE n WHEN {int(SPIKE * rows)} THEN {SPIKE_VOLT} ELSE {GIVEN['voltage_volt']} END"
    given = GIVEN | {"run_id": f"'{run_id}'", "voltage_volt": spike}
    chosen = ", ".join(given.get(name, "NULL") for name in SAMPLE_COLUMNS)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < "
            f"{rows - 1}) INSERT INTO sample ({', '.join(SAMPLE_COLUMNS)}) "
            f"SELECT {chosen} FROM counted"
        )
    return run_id


def measure(folder: Path, rows: int) -> dict[str, Any]:
    """Ask for the plot of a long run as the page does, at first, again and zoomed; and do it plainly."""
    database = f"sqlite:///{folder / 'long.db'}"
    engine = open_database(database)
    run_id = add_long_run(engine, rows)
    with serving(folder, database) as (_, port), httpx.Client(timeout=300.0) as client:
        address = f"http://127.0.0.1:{port}/api/runs/{run_id}/samples"
        client.get(address, params={"points": 10, "end_second": 10.0})  # what is loaded once
        ours = {
            "first look": _asked(client, address, {}),
            "again": _asked(client, address, {}),
            "a tenth of it": _asked(
                client, address, {"begin_second": 0.6 * rows, "end_second": 0.7 * rows}
            ),
        }
    plain = _plainly(engine, run_id)
    engine.dispose()
    return {
        "rows": rows,
        "looks": ours,
        "plain_plotly": plain,
        "first_look_ratio": plain["second"] / ours["first look"]["second"],
        "bytes_ratio": plain["bytes"] / ours["first look"]["bytes"],
    }


def _asked(client: httpx.Client, address: str, window: Mapping[str, float]) -> dict[str, float]:
    began = time.perf_counter()
    asked: dict[str, str | float] = {"columns": ",".join(SHOWN), "points": POINTS}
    answer = client.get(address, params=asked | dict(window))
    took = time.perf_counter() - began
    answer.raise_for_status()
    shown = answer.json()["columns"]["voltage_volt"]
    if max(shown) != SPIKE_VOLT:
        raise RuntimeError("the one sample that matters is not shown")
    return {"second": took, "bytes": len(answer.content), "points": len(shown)}


def _plainly(engine: Engine, run_id: str) -> dict[str, float]:
    """The reference: every sample by pandas into a Plotly figure, as JSON."""
    names = ", ".join(("test_time_second", *SHOWN))
    began = time.perf_counter()
    with engine.connect() as connection:
        statement = text(f"SELECT {names} FROM sample WHERE run_id = :run_id ORDER BY seq")
        frame = pd.read_sql(statement, connection, params={"run_id": run_id})
    lines = [
        go.Scatter(x=frame["test_time_second"], y=frame[name])
        for name in SHOWN
        if frame[name].notna().any()
    ]
    size = len(go.Figure(lines).to_json())
    return {"second": time.perf_counter() - began, "bytes": size, "points": len(frame)}
