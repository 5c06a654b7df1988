"""BioLogic's EC-Lab and BT-Lab files: ``.mpr`` (read by galvani) and the text export ``.mpt``.

Not every technique records a current. Then it is what was imposed while a current was held, else the
charge of a record over its time, and the log says so. EC-Lab's charge is positive for oxidation at
the working electrode: for a full cell that is charging, which is our sign.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rig.core.errors import BadInput, Problem
from rig.formats.delimited import as_numbers, cells_of, decoded, read_rows
from rig.formats.headers import Column
from rig.formats.log import Finding, RawLog
from rig.formats.moments import ZONELESS, microseconds

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# EC-Lab's header -> machine name, factor; the first of a name that is there is taken
_WORDS: dict[str, tuple[str, float]] = {
    "time/s": ("test_time_second", 1.0),
    "Ecell/V": ("voltage_volt", 1.0),
    "<Ecell>/V": ("voltage_volt", 1.0),
    "Ewe-Ece/V": ("voltage_volt", 1.0),
    "<Ewe-Ece>/V": ("voltage_volt", 1.0),
    "Ewe/V": ("voltage_volt", 1.0),
    "<Ewe>/V": ("voltage_volt", 1.0),
    "I/mA": ("current_ampere", 1e-3),
    "<I>/mA": ("current_ampere", 1e-3),
    "cycle number": ("cycle_count", 1.0),
    "half cycle": ("half_cycle", 1.0),
    "Ns": ("step_id", 1.0),
    "mode": ("mode", 1.0),
    "Ns changes": ("ns_changes", 1.0),
    "control/V/mA": ("control", 1.0),
    "control/mA": ("control", 1.0),
    "dq/mA.h": ("charge_ah", 1e-3),
    "dQ/mA.h": ("charge_ah", 1e-3),
    "(Q-Qo)/mA.h": ("net_capacity_ah", 1e-3),
    "step time/s": ("step_time_second", 1.0),
    "Temperature/°C": ("temperature_t1_celsius", 1.0),
    "P/W": ("power_watt", 1.0),
    "freq/Hz": ("frequency_hertz", 1.0),
    "Re(Z)/Ohm": ("real_impedance_ohm", 1.0),
    "-Im(Z)/Ohm": ("imaginary_impedance_ohm", -1.0),
}
_CURRENT_HELD, _REST = 1, 3  # EC-Lab's modes; 2 is a voltage held
_STARTED = re.compile(r"Acquisition started on\s*:\s*(?P<when>.+)")
_HEADER_LINES = re.compile(r"Nb header lines\s*:\s*(?P<count>\d+)")
_NO_LIBRARY = "install the readers of makers' files: pip install 'cellrig[vendor]'"
_OURS = ("half_cycle", "mode", "ns_changes", "control", "charge_ah")


def read_mpr(content: bytes, where: str) -> RawLog:
    """Read an ``.mpr`` file; raises BadInput for one that is cut off or newer than galvani knows."""
    try:
        from galvani import BioLogic  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        problem = Problem(where, "BioLogic's .mpr is read by galvani, which is not installed")
        raise BadInput(problem, remedy=_NO_LIBRARY) from error
    import pandas as pd  # noqa: PLC0415

    try:
        file = BioLogic.MPRfile(io.BytesIO(content))
    except (ValueError, AssertionError, OSError, NotImplementedError, TypeError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        problem = Problem(where, f"this BioLogic .mpr file cannot be read: {reason}")
        raise BadInput(problem, remedy="export it from EC-Lab as text (.mpt)") from error
    names = file.data.dtype.names or ()
    columns = {name: file.data[name].astype(float) for name in names if name != "flags"}
    for flag in file.flags_dict:
        columns[flag] = file.get_flag(flag).astype(float)
    moment = getattr(file, "timestamp", None) or None
    text = f"{moment:%Y-%m-%d %H:%M:%S}" if moment else f"{file.startdate:%Y-%m-%d} 00:00:00"
    named = pd.DataFrame({name: columns[name] for name in _chosen(list(columns))})
    scaled = {_WORDS[name][0]: named[name] * _WORDS[name][1] for name in map(str, named)}
    return _log(pd.DataFrame(scaled), where, "galvani", {"started": text})


def read_mpt(content: bytes, where: str) -> RawLog:
    """Read a text export; raises BadInput for one that is cut off or has no numbers."""
    lines = decoded(content, where).splitlines()
    count = next((m for line in lines[:3] if (m := _HEADER_LINES.search(line))), None)
    if count is None:
        raise BadInput(Problem(where, "an EC-Lab text file without 'Nb header lines' on top"))
    start = int(count["count"]) - 1
    if len(lines) <= start:
        message = f"cut off: it says {start + 1} lines of header and has {len(lines)} lines in all"
        raise BadInput(Problem(where, message))
    cells = read_rows([line.rstrip("\t") for line in lines[start:]], where, first_line=start + 1)
    headers = cells_of(lines[start].rstrip("\t"), "\t")
    columns = [Column(header, *_WORDS[header]) for header in _chosen(headers)]
    started = next((m["when"].strip() for line in lines if (m := _STARTED.search(line))), "")
    return _log(as_numbers(cells, columns, where), where, "cellrig", {"started": started})


def _chosen(headers: Sequence[str]) -> list[str]:
    """Return the headers to read: of those that mean the same, the first in our table."""
    chosen: dict[str, str] = {}
    for header, (name, _) in _WORDS.items():
        if header in headers:
            chosen.setdefault(name, header)
    return list(chosen.values())


def _log(frame: pd.DataFrame, where: str, reader: str, metadata: Mapping[str, str]) -> RawLog:
    findings: list[Finding] = []
    if "frequency_hertz" in frame.columns and (frame["frequency_hertz"] > 0).all():
        problem = Problem(where, "impedance spectra only, no cycling")
        raise BadInput(problem, remedy=f"fit them as they are: rig fit eis {where}")
    if "current_ampere" not in frame.columns and {"charge_ah", "test_time_second"} <= set(frame):
        frame["current_ampere"] = _current(frame)
        words = "no current was recorded; it is what was imposed, or charge over time"
        findings.append(Finding("CURRENT-DERIVED", words))
    if "charge_ah" in frame.columns:
        charge = frame["charge_ah"].to_numpy()
        frame["charging_capacity_ah"] = charge.clip(min=0.0).cumsum()
        frame["discharging_capacity_ah"] = (-charge).clip(min=0.0).cumsum()
    if "half_cycle" in frame.columns and "step_count" not in frame.columns:
        frame["step_count"] = _steps(frame)
    started = microseconds(metadata["started"])
    findings += [ZONELESS] if started is not None else []
    kept = frame.drop(columns=[name for name in _OURS if name in frame.columns])
    return RawLog(kept, reader, metadata, started, tuple(findings))


def _current(frame: pd.DataFrame) -> NDArray[Any]:
    """Return the current in ampere where none was recorded: imposed, nought at rest, else dq/dt."""
    import numpy as np  # noqa: PLC0415

    hour = np.diff(frame["test_time_second"].to_numpy(), prepend=np.nan) / 3600.0
    charge = frame["charge_ah"].to_numpy()
    derived: NDArray[Any] = np.divide(charge, hour, out=np.zeros(charge.size), where=hour > 0)
    if not {"mode", "control"} <= set(frame.columns):
        return derived
    mode = frame["mode"].to_numpy()
    imposed = frame["control"].to_numpy() * 1e-3
    still_or_derived = np.where(mode == _REST, 0.0, derived)
    held: NDArray[Any] = np.where(mode == _CURRENT_HELD, imposed, still_or_derived)
    return held


def _steps(frame: pd.DataFrame) -> NDArray[Any]:
    from rig.formats.counting import count_steps  # noqa: PLC0415

    marks = [frame[name].to_numpy() for name in ("step_id", "half_cycle", "mode") if name in frame]
    return count_steps(*marks)
