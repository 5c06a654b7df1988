"""One test of one cell, and the same as the file that each maker's software would write of it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DATA = Path(os.environ.get("RIG_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
STARTED_SECOND = 1_700_000_000  # 2023-11-14 22:13:20 UTC
CAPACITY_AH = 0.5  # each way, each cycle


def public(name: str) -> Path:
    """Return a file of public data, or skip the test where it is absent."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
    return path


def measured(cycles: int = 3) -> pd.DataFrame:
    """Return a test of half an hour each way at 1 A, with a rest of five minutes after each.

    Columns are the Battery Data Format's; a step's first row is 10 s after it began, as cyclers do.
    """
    rows, time, step = [], 0.0, 0
    for cycle in range(1, cycles + 1):
        for step_id, (current, count) in enumerate([(1.0, 180), (0.0, 30), (-1.0, 180), (0.0, 30)]):
            step += 1
            for row in range(count):
                time += 10.0
                done = (row + 1) / count
                volt = {1.0: 3.0 + done, -1.0: 4.0 - done}.get(
                    current, 3.0 if step_id == 3 else 4.0
                )
                rows.append((time, volt, current, cycle, step, step_id + 1, 10.0 * (row + 1)))
    names = ["test_time_second", "voltage_volt", "current_ampere", "cycle_count", "step_count"]
    frame = pd.DataFrame(rows, columns=[*names, "step_id", "step_time_second"])
    moved = frame["current_ampere"] * 10.0 / 3600.0
    frame["charging_capacity_ah"] = moved.clip(lower=0.0).cumsum()
    frame["discharging_capacity_ah"] = (-moved).clip(lower=0.0).cumsum()
    frame["unix_time_second"] = frame["test_time_second"] + STARTED_SECOND
    return frame


def within(frame: pd.DataFrame, since: str) -> pd.DataFrame:
    """Return charge and discharge since the ``since`` (a column) began."""
    pair = frame[["charging_capacity_ah", "discharging_capacity_ah"]]
    before = pair.shift(fill_value=0.0).groupby(frame[since]).transform("first")
    return pair - before


def _moments(frame: pd.DataFrame, order: str) -> list[str]:
    return list(pd.to_datetime(frame["unix_time_second"], unit="s").dt.strftime(order))


def arbin(frame: pd.DataFrame) -> str:
    table = pd.DataFrame(
        {
            "Data_Point": range(1, len(frame) + 1),
            "Test_Time(s)": frame["test_time_second"],
            "Date_Time": _moments(frame, "%m/%d/%Y %H:%M:%S"),
            "Step_Time(s)": frame["step_time_second"],
            "Step_Index": frame["step_id"],
            "Cycle_Index": frame["cycle_count"],
            "Current(A)": frame["current_ampere"],
            "Voltage(V)": frame["voltage_volt"],
            "Charge_Capacity(Ah)": frame["charging_capacity_ah"],
            "Discharge_Capacity(Ah)": frame["discharging_capacity_ah"],
        }
    )
    return table.to_csv(index=False)


def maccor(frame: pd.DataFrame) -> str:
    """Maccor writes currents without a sign, and capacities that begin again with each step."""
    states = frame["current_ampere"].map({1.0: "C", -1.0: "D", 0.0: "R"})
    table = pd.DataFrame(
        {
            "Rec#": range(1, len(frame) + 1),
            "Cyc#": frame["cycle_count"],
            "Step": frame["step_id"],
            "Test (Sec)": frame["test_time_second"],
            "Step (Sec)": frame["step_time_second"],
            "Amp-hr": within(frame, "step_count").sum(axis=1),
            "Amps": frame["current_ampere"].abs(),
            "Volts": frame["voltage_volt"],
            "State": states,
            "DPt Time": _moments(frame, "%m/%d/%Y %I:%M:%S %p"),
        }
    )
    head = "Today's Date\t11/20/2023\nDate of Test:\t11/14/2023 10:13:20 PM\n"
    return head + table.to_csv(index=False, sep="\t")


def novonix(frame: pd.DataFrame) -> str:
    table = pd.DataFrame(
        {
            "Date and Time": _moments(frame, "%Y-%m-%d %H:%M:%S"),
            "Cycle Number": frame["cycle_count"],
            "Step Type": frame["step_id"],
            "Run Time (h)": frame["test_time_second"] / 3600.0,
            "Step Time (h)": frame["step_time_second"] / 3600.0,
            "Current (A)": frame["current_ampere"],
            "Potential (V)": frame["voltage_volt"],
            "Temperature (°C)": 25.0,
            "Step Number": frame["step_id"],
        }
    )
    head = "[Summary]\nNovonix UHPC data file\nCell: LPS-17\nStarted: 2023-11-14 22:13:20\n"
    return head + "[End Summary]\n[Data]\n" + table.to_csv(index=False)


def basytec(frame: pd.DataFrame) -> str:
    cycle = within(frame, "cycle_count")
    table = pd.DataFrame(
        {
            "~Time[h]": frame["test_time_second"] / 3600.0,
            "DataSet": range(1, len(frame) + 1),
            "t-Step[h]": frame["step_time_second"] / 3600.0,
            "Line": frame["step_id"],
            "Command": frame["current_ampere"].map(
                {1.0: "Charge", -1.0: "Discharge", 0.0: "Pause"}
            ),
            "U[V]": frame["voltage_volt"],
            "I[A]": frame["current_ampere"],
            "Ah[Ah]": frame["charging_capacity_ah"] - frame["discharging_capacity_ah"],
            "Ah-Cyc-Charge": cycle["charging_capacity_ah"],
            "Ah-Cyc-Discharge": cycle["discharging_capacity_ah"],
            "Cyc-Count": frame["cycle_count"],
        }
    )
    head = "~Resultfile from Basytec Battery Test System\n~Battery: LPS-17\n"
    head += "~Start of Test: 14.11.2023 22:13:20\n~\n"
    return head + table.to_csv(index=False, sep="\t")


def mpt(frame: pd.DataFrame, *, comma: bool = False) -> str:
    """EC-Lab's export has no current of its own here, as after a GCPL."""
    charge = frame["charging_capacity_ah"] - frame["discharging_capacity_ah"]
    table = pd.DataFrame(
        {
            "mode": np.where(frame["current_ampere"] == 0.0, 3, 1),
            "Ns": frame["step_id"],
            "time/s": frame["test_time_second"],
            "control/V/mA": frame["current_ampere"] * 1e3,
            "dq/mA.h": charge.diff().fillna(charge) * 1e3,
            "Ewe/V": frame["voltage_volt"],
            "half cycle": frame["step_count"] // 2,
        }
    )
    body = table.to_csv(index=False, sep="\t", decimal="," if comma else ".")
    head = [
        "EC-Lab ASCII FILE",
        "Nb header lines : 5",
        "Acquisition started on : 11/14/2023 22:13:20",
        "Comments : ",
    ]
    return "\n".join(head) + "\n" + body


def bdf(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False)


WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "arbin": arbin,
    "maccor": maccor,
    "novonix": novonix,
    "basytec": basytec,
    "biologic-mpt": mpt,
    "bdf-csv": bdf,
}


def workbook(frame: pd.DataFrame) -> bytes:
    """Return an Arbin workbook: its records run over two sheets."""
    records = pd.read_csv(io.StringIO(arbin(frame)))
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        pd.DataFrame({"TEST REPORT": ["x"]}).to_excel(book, sheet_name="Global_Info", index=False)
        records.iloc[:400].to_excel(book, sheet_name="Channel_1_1", index=False)
        records.iloc[400:].to_excel(book, sheet_name="Channel_1_2", index=False)
    return file.getvalue()


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode("cp1252") if isinstance(content, str) else content)
    return path
