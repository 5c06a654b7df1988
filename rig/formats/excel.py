"""Arbin's Excel workbooks: one test, its records on one or more sheets named ``Channel...``."""

from __future__ import annotations

import io

from rig.core.errors import BadInput, Problem
from rig.formats.log import RawLog
from rig.formats.text_makers import ARBIN, read_cells

_NO_LIBRARY = "install the readers of makers' files: pip install 'cellrig[vendor]'"


def read_workbook(content: bytes, where: str) -> RawLog:
    """Read an Arbin workbook; raises BadInput for one without a sheet of records."""
    try:
        import python_calamine  # noqa: PLC0415, F401 - an optional extra, used by pandas
    except ImportError as error:
        problem = Problem(where, "Excel is read by python-calamine, which is not installed")
        raise BadInput(problem, remedy=_NO_LIBRARY) from error
    import pandas as pd  # noqa: PLC0415

    try:
        sheets = pd.read_excel(
            io.BytesIO(content), sheet_name=None, engine="calamine", dtype=str, na_filter=False
        )
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise BadInput(Problem(where, f"this Excel file cannot be read: {reason}")) from error
    records = [
        sheet
        for name, sheet in sheets.items()
        if name.lower().startswith("channel") and "Voltage" in " ".join(map(str, sheet.columns))
    ]
    if not records:
        message = f"no sheet of Arbin records ('Channel...'); its sheets are {', '.join(sheets)}"
        raise BadInput(Problem(where, message), remedy="export the records as csv")
    return read_cells(pd.concat(records, ignore_index=True), where, ARBIN, {})
