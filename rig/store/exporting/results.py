"""What reports found of a run, for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def result_list(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a run's results as plain data: method, version, values with units in words, flags."""
    return [{key: value for key, value in row.items() if key != "run_id"} for row in results]


def result_frame(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per result; an interval becomes two columns, flags their codes."""
    return pd.DataFrame([_flat(row) for row in results], columns=_columns(results))


def _columns(results: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ["method", "version", "inputs_sha256", "created_us", "flags"]
    return list(dict.fromkeys([*head, *(key for row in results for key in _flat(row))]))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: row[key] for key in ("method", "version", "inputs_sha256", "created_us")}
    flat["flags"] = " ".join(str(note.get("code", note)) for note in row["flags"])
    for key, value in row["values"].items():
        if isinstance(value, list) and len(value) == 2:
            flat |= {f"{key}_low": value[0], f"{key}_high": value[1]}
        elif not isinstance(value, list | dict):
            flat[key] = value
    return flat
