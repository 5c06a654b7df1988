"""Dates in makers' files as UTC: text in their orders, Unix seconds, Excel's days.

A cycler's PC writes its own local time without saying which. It is read as UTC and the log says so:
elapsed time is not touched by it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rig.formats.log import Finding

if TYPE_CHECKING:
    import pandas as pd

ZONELESS = Finding("TIME-ZONE", "the file's clock says no time zone; read as UTC")
_ORDERS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S.%f",
    "%d-%b-%y %I:%M:%S %p",
    "%d-%b-%Y %I:%M:%S %p",
    "%d-%b-%y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
)
_EXCEL_EPOCH_DAYS, _DAY_SECOND = 25_569.0, 86_400.0


def unix_seconds(column: pd.Series[str]) -> pd.Series[float] | None:
    """Return a column of dates as Unix seconds, None where it holds no dates that are known here."""
    import pandas as pd  # noqa: PLC0415

    texts = column.str.strip()
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().all():
        first = float(numbers.iloc[0])
        if first > 1e8:
            return numbers
        return (numbers - _EXCEL_EPOCH_DAYS) * _DAY_SECOND if 20_000 < first < 80_000 else None
    for order in (one for one in _ORDERS if microseconds(texts.iloc[0], [one]) is not None):
        moments = pd.to_datetime(texts, format=order, errors="coerce", utc=True)
        if moments.notna().all():
            # In microseconds: nanoseconds end in 1677 and 2262, and a damaged date may be beyond.
            epoch = pd.Timestamp(0, tz="UTC").as_unit("us")
            return (moments.dt.as_unit("us") - epoch) / pd.Timedelta(seconds=1)
    return None


def microseconds(text: str, orders: Iterable[str] = _ORDERS) -> int | None:
    """Return a date as UTC microseconds, None for what is none."""
    for order in orders:
        try:
            moment = datetime.datetime.strptime(text.strip(), order)
        except ValueError:
            continue
        return round(moment.replace(tzinfo=datetime.UTC).timestamp() * 1e6)
    return None
