"""Writing a file whole or not at all: under another name first, then under its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rig.core.errors import StoreError

# format -> file ending
FORMATS: dict[str, str] = {
    "bdf-csv": ".bdf.csv",
    "bdf-parquet": ".bdf.parquet",
    "csv": ".csv",
    "parquet": ".parquet",
    "eis-csv": ".eis.csv",
    "results-json": ".results.json",
    "results-csv": ".results.csv",
    "archive": ".cellrig.zip",
}


def write_frame(frame: pd.DataFrame, path: Path, format_name: str) -> int:
    """Write a table as ``format_name`` says, and return the number of rows.

    Raises StoreError when it cannot be written; a half-written file is never left under its name.
    """
    if format_name.endswith("parquet"):
        write_whole(path, lambda partial: frame.to_parquet(partial, index=False))
    else:
        write_whole(path, lambda partial: frame.to_csv(partial, index=False))
    return len(frame)


def write_table(table: pa.Table, path: Path) -> int:
    """Write an Arrow table as Parquet with its own types, and return the number of rows."""
    write_whole(path, lambda partial: pq.write_table(table, partial))
    return int(table.num_rows)


def write_json(values: Any, path: Path) -> None:
    """Write JSON that people can read, too."""
    text = json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n"
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a file beside ``path`` and give it that name; StoreError when it cannot."""
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        partial.replace(path)
    except (OSError, ImportError) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error}") from error
