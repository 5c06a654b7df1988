"""A cycler's log as a run of ours: the same tables, so that every analysis, report and export works.

The run's id is the digest of its file: the same file twice is the same run. A run is there whole or not
at all. What was odd in the file is kept with the run, as events and in ``run.origin``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Engine, insert, select

from rig import __version__
from rig.core.clock import RealClock
from rig.core.records import RunState
from rig.formats import CyclerLog
from rig.formats.vocabulary import COUNTERS, LABELS
from rig.store import tables
from rig.store.arrow import sample_schema
from rig.store.database import translated
from rig.store.inserting import know_rig, with_samples

RIG_ID = tables.IMPORTED_RIG
_RIG_NAME = "files of other cyclers"
_CHANNEL = "imported"
_END_REASON = "as in the file"
# Computed again from the samples whenever they are wanted; everything else is kept as given.
_COMPUTED = {*COUNTERS, "power_watt", "step_type", "step_time_second", "step_record_index"}
_COMPUTED |= {"unix_time_second"}
_KINDS = {"REST": "rest", "OCV": "rest", "PAUSE": "rest", "EIS": "eis", "CHG": "charge"}
_KINDS |= {"DCH": "discharge", "RESISTANCE": "resistance", "SET_TEMPERATURE": "set_temperature"}
_CELL_KEYS = ("cell", "battery", "barcode", "sample")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: the run it is, and whether that run was here already."""

    run_id: str
    samples: int
    already_there: bool
    cell: str


def run_id_of(log: CyclerLog) -> str:
    """Return the id of the run that a file is: the beginning of its digest."""
    return log.sha256[:32]


def import_log(engine: Engine, log: CyclerLog, cell_name: str | None = None) -> Imported:
    """Write a log as a finished run, whole or not at all; one that is there already stays as it is.

    The cell is the one that is named, else the file's own name for it, else the file's name; its
    record is made where there is none. Raises StoreError when the database cannot take it.
    """
    run_id, name = run_id_of(log), cell_name or _cell_of(log)
    count = len(log.frame)
    with translated(engine):
        with engine.connect() as connection:
            known = select(tables.run.c.run_id).where(tables.run.c.run_id == run_id)
            if connection.execute(known).scalar() is not None:
                return Imported(run_id, count, True, _known_cell(connection, run_id))
        with with_samples(engine, run_id, _sample_table(log, run_id)) as connection:
            know_rig(connection, RIG_ID, _RIG_NAME)
            cell_id = _cell_id(connection, name, run_id)
            connection.execute(insert(tables.run).values(**_run(log, run_id, cell_id)))
            for table, rows in _rows(log, run_id):
                if rows:
                    connection.execute(insert(table), rows)
    return Imported(run_id, count, False, name)


# --- run and cell --------------------------------------------------------------------------------


def _cell_of(log: CyclerLog) -> str:
    own = {key.lower(): value for key, value in log.metadata.items()}
    return next((own[key] for key in _CELL_KEYS if own.get(key)), Path(log.file).name.split(".")[0])


def _known_cell(connection: Connection, run_id: str) -> str:
    of_run = select(tables.cell.c.name).join(
        tables.run, tables.run.c.cell_id == tables.cell.c.cell_id
    )
    return str(connection.execute(of_run.where(tables.run.c.run_id == run_id)).scalar() or "")


def _cell_id(connection: Connection, name: str, run_id: str) -> str:
    cell = tables.cell
    known = connection.execute(select(cell.c.cell_id).where(cell.c.name == name)).scalar()
    if known is not None:
        return str(known)
    connection.execute(insert(cell).values(cell_id=run_id, name=name))
    return run_id


def _run(log: CyclerLog, run_id: str, cell_id: str) -> dict[str, Any]:
    first, last = (int(log.frame["ts_us"].iloc[row]) for row in (0, -1))
    name = Path(log.file).name
    return {
        "run_id": run_id,
        "rig_id": RIG_ID,
        "cell_id": cell_id,
        "channel": _CHANNEL,
        "protocol_name": log.metadata.get("name of test") or log.metadata.get("StepName") or name,
        "protocol_file": name,
        "protocol_text": "",
        "protocol_sha256": hashlib.sha256(b"").hexdigest(),
        "variables": {},
        "software_version": __version__,
        "bench": {},
        "speed": "",
        "seed": 0,
        "state": RunState.FINISHED.value,
        "reason": f"imported from {name}",
        "created_us": RealClock().wall_us(),
        "started_us": first if log.dated else None,
        "ended_us": last if log.dated else None,
        "origin": _origin(log),
    }


def _origin(log: CyclerLog) -> dict[str, Any]:
    return {
        "file": Path(log.file).name,
        "sha256": log.sha256,
        "format": log.format,
        "reader": log.reader,
        "imported_by": f"cellrig {__version__}",
        "dated": log.dated,
        "cycle_numbers": log.cycle_numbers,
        "capacities": log.capacities,
        "energies": log.energies,
        "checks": [finding.to_dict() for finding in log.findings],
        "metadata": dict(log.metadata),
    }


# --- samples -------------------------------------------------------------------------------------


def _sample_table(log: CyclerLog, run_id: str) -> pa.Table:
    """Return the log in the columns of ``sample``; what has none of its own goes to ``aux``."""
    frame, count = log.frame, len(log.frame)
    made: dict[str, Any] = {
        "run_id": [run_id] * count,
        "seq": np.arange(count),
        "phase": [""] * count,
        "tag": [""] * count,
        "flags": np.zeros(count, dtype=np.int32),
        "aux": _aux(frame),
    }
    schema = sample_schema()
    arrays = [
        pa.array(made[field.name], field.type)
        if field.name in made
        else _column(frame, field.name, field.type, count)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _column(frame: pd.DataFrame, name: str, kind: pa.DataType, count: int) -> pa.Array:
    if name not in frame.columns:
        return pa.nulls(count, kind)
    return pa.array(frame[name], kind, from_pandas=True)  # a missing reading is null, not NaN


def _aux(frame: pd.DataFrame) -> list[str | None]:
    """Return each row's other readings as JSON, null where it has none."""
    kept = [
        str(name)
        for name in frame.columns
        if name in LABELS and name not in _COMPUTED and name not in tables.sample.c
    ]
    if not kept:
        return [None] * len(frame)
    columns = [frame[name].to_numpy(np.float64).tolist() for name in kept]
    return [_json(dict(zip(kept, row, strict=True))) for row in zip(*columns, strict=True)]


def _json(values: dict[str, float]) -> str | None:
    told = {
        name: int(value) if name == "record_index" else value
        for name, value in values.items()
        if np.isfinite(value)
    }
    return json.dumps(told) if told else None


# --- steps, cycles, events -----------------------------------------------------------------------


def _rows(log: CyclerLog, run_id: str) -> Iterable[tuple[Any, list[dict[str, Any]]]]:
    yield tables.step, _steps(log, run_id)
    yield tables.cycle, _cycles(log, run_id)
    yield tables.event, _events(log, run_id)


def _steps(log: CyclerLog, run_id: str) -> list[dict[str, Any]]:
    time = log.frame["test_time_second"].to_numpy(np.float64)
    within = log.frame.get("step_time_second")
    step_id, cycle = (log.frame[name].to_numpy() for name in ("step_id", "cycle_count"))
    rows = []
    for step in log.steps.to_dict("records"):
        first, last = int(step["seq_first"]), int(step["seq_last"])
        since = float(within.iloc[first]) if within is not None else 0.0
        words = str(step["step_type"]) or "?"
        net = {
            unit: float(step[f"charging_{unit}"] - step[f"discharging_{unit}"])
            for unit in ("capacity_ah", "energy_wh")
        }
        rows.append(
            {
                "run_id": run_id,
                "step_count": int(step["step_count"]),
                "step_id": int(step_id[first]),
                "cycle_count": int(cycle[first]),
                "kind": _kind(words, net["capacity_ah"]),
                "words": words,
                "phase": "",
                "tag": "",
                "name": "",
                "began_second": time[first] - (since if np.isfinite(since) else 0.0),
                "ended_second": time[last],
                "seq_first": first,
                "seq_last": last,
                **net,
                "reason": _END_REASON,
                "own_cycle_count": int(step["own_cycle_count"]),
            }
        )
    return rows


def _kind(words: str, capacity_ah: float) -> str:
    """Return our word for what a step does, from the format's word for it or from what it moved."""
    head, _, _ = words.upper().partition("_")
    if head in _KINDS:
        return _KINDS[head]
    if head in ("CV", "CCCV", "CPCV"):
        return "hold" if head == "CV" else "cccv"
    if capacity_ah == 0.0:
        return "rest"
    return "charge" if capacity_ah > 0 else "discharge"


def _cycles(log: CyclerLog, run_id: str) -> list[dict[str, Any]]:
    """Return the cycles by the numbers that the samples carry; 0 is outside of any."""
    counters = [
        f"{way}charging_{unit}" for unit in ("capacity_ah", "energy_wh") for way in ("", "dis")
    ]
    values = {name: log.frame[name].to_numpy(np.float64) for name in counters}
    count = log.frame["cycle_count"].to_numpy()
    rows = []
    for number in np.unique(count[count > 0]):
        at = np.flatnonzero(count == number)
        first, last = int(at[0]), int(at[-1])
        moved = {name: float(of[last] - of[max(first - 1, 0)]) for name, of in values.items()}
        place = {"run_id": run_id, "cycle_count": int(number), "phase": ""}
        rows.append({**place, "seq_first": first, "seq_last": last, **moved})
    return rows


def _events(log: CyclerLog, run_id: str) -> list[dict[str, Any]]:
    where = {"run_id": run_id, "ts_us": int(log.frame["ts_us"].iloc[-1])}
    where |= {"test_time_second": float(log.frame["test_time_second"].iloc[-1])}
    words = f"from {Path(log.file).name} ({log.format}, read by {log.reader})"
    told = [("imported", words), *(("import check", str(one)) for one in log.findings)]
    return [{**where, "kind": kind, "message": message} for kind, message in told]
