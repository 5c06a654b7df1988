"""Arbin, Maccor, Novonix and Basytec: what their text exports call things.

No library that is kept up reads these (November 2026), and all they need is a table of words each.
Sources: the makers' exports themselves, and the column maps of beep, PyProBE and battery-data-toolkit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.formats.delimited import as_numbers, cells_of, read_rows
from rig.formats.headers import Column, known_columns
from rig.formats.log import Finding, RawLog
from rig.formats.moments import ZONELESS, microseconds, unix_seconds

if TYPE_CHECKING:
    import pandas as pd

DATE = "date"  # a column of dates; becomes unix_time_second
STATE = "state"  # a column that says charge or discharge; becomes the sign of the current
_LONGEST_PREAMBLE = 400
_FEWEST_KNOWN = 4


@dataclass(frozen=True, slots=True)
class Maker:
    """A maker's words for columns, in order of preference, and how its state column is read."""

    name: str
    words: Mapping[str, str]
    states: Mapping[str, float]
    started_key: str = ""


_ARBIN_COUNTERS = {
    f"{flow} {quantity}": f"schedule_{flow[:-1]}ing_{column}"
    for flow in ("charge", "discharge")
    for quantity, column in (("capacity", "capacity_ah"), ("energy", "energy_wh"))
}

ARBIN = Maker(
    "arbin",
    {
        "test time": "test_time_second",
        "voltage": "voltage_volt",
        "current": "current_ampere",
        "date time": DATE,
        "datetime": DATE,
        "data point": "record_index",
        "step time": "step_time_second",
        "step index": "step_id",
        "cycle index": "cycle_count",
        "power": "power_watt",
        **_ARBIN_COUNTERS,
        "internal resistance": "internal_resistance_ohm",
        "acr": "ac_internal_resistance_ohm",
        "aux temperature 1": "temperature_t1_celsius",
        "aux temperature 2": "temperature_t2_celsius",
        "temperature": "temperature_t1_celsius",
    },
    {},
)

MACCOR = Maker(
    "maccor",
    {
        **dict.fromkeys(("test time", "testtime", "test"), "test_time_second"),
        **dict.fromkeys(("voltage", "volts"), "voltage_volt"),
        **dict.fromkeys(("current", "amps"), "current_ampere"),
        **dict.fromkeys(("rec", "record", "rec no"), "record_index"),
        **dict.fromkeys(("cycle c", "cyc", "cycle", "cycle p"), "cycle_count"),
        "step": "step_id",
        **dict.fromkeys(("step time", "steptime"), "step_time_second"),
        **dict.fromkeys(("state", "md"), STATE),
        **dict.fromkeys(("dpt time", "dpttime"), DATE),
        **dict.fromkeys(("amp hr", "capacity", "cap"), "step_cumulative_capacity_ah"),
        **dict.fromkeys(("watt hr", "energy", "ener"), "step_cumulative_energy_wh"),
        **dict.fromkeys(("acimp", "acr", "acimp ohms"), "ac_internal_resistance_ohm"),
        **dict.fromkeys(("dcir", "dcir ohms"), "dc_internal_resistance_ohm"),
        "temp 1": "temperature_t1_celsius",
        "temp 2": "temperature_t2_celsius",
        "ev temp": "ambient_temperature_celsius",
    },
    {"C": 1.0, "D": -1.0},
    "date of test",
)

NOVONIX = Maker(
    "novonix",
    {
        "run time": "test_time_second",
        "potential": "voltage_volt",
        "voltage": "voltage_volt",
        "current": "current_ampere",
        "date and time": DATE,
        "cycle number": "cycle_count",
        "step number": "step_id",
        "step time": "step_time_second",
        "temperature": "ambient_temperature_celsius",
        "circuit temperature": "temperature_t1_celsius",
        "power": "power_watt",
    },
    {},
    "started",
)

BASYTEC = Maker(
    "basytec",
    {
        "time": "test_time_second",
        "u": "voltage_volt",
        "i": "current_ampere",
        "dataset": "record_index",
        "t step": "step_time_second",
        "line": "step_id",
        "command": "step_type",
        "p": "power_watt",
        "ah": "net_capacity_ah",
        "wh": "net_energy_wh",
        "ah cyc charge": "cycle_charging_capacity_ah",
        "ah cyc discharge": "cycle_discharging_capacity_ah",
        "wh cyc charge": "cycle_charging_energy_wh",
        "wh cyc discharge": "cycle_discharging_energy_wh",
        "t1": "temperature_t1_celsius",
        "cyc count": "cycle_count",
    },
    {},
    "start of test",
)
MAKERS = {maker.name: maker for maker in (ARBIN, MACCOR, NOVONIX, BASYTEC)}


def header_line(lines: Sequence[str], maker: Maker) -> int | None:
    """Return which line is the header of this maker's table, None where there is none.

    It is the first that names time, voltage and current in the maker's words.
    """
    needed = {"test_time_second", "voltage_volt", "current_ampere"}
    for number, line in enumerate(lines[:_LONGEST_PREAMBLE]):
        names = {column.name for column in known_columns(cells_of(line), maker.words)}
        if needed <= names and len(names) >= _FEWEST_KNOWN:
            return number
    return None


def columns_known(lines: Sequence[str], maker: Maker) -> int:
    """Return how many columns of the table's header are in this maker's words, 0 without a header."""
    start = header_line(lines, maker)
    return 0 if start is None else len(known_columns(cells_of(lines[start]), maker.words))


def read_text(text: str, where: str, maker: Maker) -> RawLog:
    """Read a maker's text export; raises BadInput for one that is cut off or holds other things."""
    lines = text.splitlines()
    start = header_line(lines, maker)
    assert start is not None, "sniffed as this maker's"
    cells = read_rows(lines[start:], where, first_line=start + 1)
    return read_cells(cells, where, maker, _preamble(lines[:start]))


def read_cells(
    cells: pd.DataFrame, where: str, maker: Maker, metadata: Mapping[str, str]
) -> RawLog:
    """Turn a maker's table of text cells into a log in our words."""
    columns = known_columns([str(name) for name in cells.columns], maker.words)
    plain = [column for column in columns if column.name not in (DATE, STATE)]
    frame = as_numbers(cells, plain, where, texts=["step_type"])
    findings: list[Finding] = []
    for column in columns:
        if column.name == DATE:
            findings += _add_dates(frame, cells, column)
        elif column.name == STATE:
            findings += _sign_current(frame, cells, column, maker)
    if "net_capacity_ah" in frame.columns:  # the cycle's own pair counts each way; prefer it
        frame = frame.drop(columns=_less_told(frame))
    started = microseconds(metadata.get(maker.started_key, ""))
    if started is not None and "unix_time_second" not in frame.columns:
        findings.append(ZONELESS)
    return RawLog(frame, metadata=metadata, started_us=started, findings=tuple(findings))


def _less_told(frame: pd.DataFrame) -> list[str]:
    pairs = {
        "net_capacity_ah": "cycle_charging_capacity_ah",
        "net_energy_wh": "cycle_charging_energy_wh",
    }
    return [net for net, better in pairs.items() if {net, better} <= set(frame.columns)]


def _add_dates(frame: pd.DataFrame, cells: pd.DataFrame, column: Column) -> list[Finding]:
    seconds = unix_seconds(cells[column.header])
    if seconds is None:
        return [Finding("DATE", f"the dates in {column.header!r} are written in an unknown way")]
    frame["unix_time_second"] = seconds
    return [ZONELESS]


def _sign_current(
    frame: pd.DataFrame, cells: pd.DataFrame, column: Column, maker: Maker
) -> list[Finding]:
    """Give an unsigned current the sign of its state; a signed one stays as it is."""
    state = cells[column.header].str.strip().str.upper()
    frame["step_type"] = state
    if (frame["current_ampere"] < 0).any() or not state.isin(maker.states).any():
        return []
    frame["current_ampere"] *= state.map(maker.states).fillna(1.0)
    return [Finding("SIGN-STATE", f"currents have no sign; it is taken from {column.header!r}")]


def _preamble(lines: Sequence[str]) -> dict[str, str]:
    """Return what stands above the table as words: ``Name of Test: x`` or ``Date of Test:,x``."""
    told = {}
    for line in lines:
        text = line.strip().lstrip("~").strip()
        key, colon, value = text.partition(":")
        if not colon:
            key, colon, value = text.partition(",")
        if colon and value.strip(" ,\t") and len(key) < 60 and not _is_json(text):
            told[key.strip().lower()] = value.strip(" ,\t\"'")
    return told


def _is_json(text: str) -> bool:
    if not text.startswith("{"):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
