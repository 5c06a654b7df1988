"""Neware's ``.nda`` and ``.ndax`` files, read by fastnda; cycle numbers as Neware has them."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.core.errors import BadInput, Problem
from rig.formats.log import RawLog
from rig.formats.vocabulary import LABELS

_AGAIN = "copy it again; fastnda may not know this version of Neware's software"
_NO_LIBRARY = "install the readers of makers' files: pip install 'cellrig[vendor]'"
# Neware's words for a step -> the Battery Data Format's
_WORDS = {"Rest": "REST", "Pause": "REST", "OCV": "OCV", "SIM": "SIM", "Ramp": "RAMP"}
_KEPT = ("Barcode", "StepName", "StartTime", "DevID", "UnitID", "ChlID", "TestID", "SN")


def read_neware(content: bytes, where: str, suffix: str) -> RawLog:
    """Read a Neware file; ``suffix`` is ``.nda`` or ``.ndax``, by content.

    Raises BadInput for one that is cut off, or of a version that fastnda does not know.
    """
    try:
        import fastnda  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        problem = Problem(where, "Neware's files are read by fastnda, which is not installed")
        raise BadInput(problem, remedy=_NO_LIBRARY) from error
    with _own_zlib(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"log{suffix}"  # fastnda goes by the name's ending
        path.write_bytes(content)
        try:
            table = fastnda.read(path, cycle_mode="raw", columns="bdf")
            metadata = _metadata(fastnda.read_metadata(path))
        except Exception as error:
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            problem = Problem(where, f"this Neware file cannot be read: {reason}")
            raise BadInput(problem, remedy=_AGAIN) from error
    frame = _frame(table)
    return RawLog(frame, f"fastnda {fastnda.__version__}", metadata)


@contextmanager
def _own_zlib() -> Iterator[None]:
    """Put back what fastnda 1.3 exchanges in zlib for everybody: the errors of its own are others."""
    kept = zlib.decompress, zlib.decompressobj
    try:
        yield
    finally:
        zlib.decompress, zlib.decompressobj = kept


def _frame(table: Any) -> Any:
    import pandas as pd  # noqa: PLC0415

    columns = {
        name: table[name].to_numpy()
        for name in table.columns
        if name in LABELS and name != "step_type"
    }
    frame = pd.DataFrame(columns).astype(float)
    if "step_type" in table.columns:
        frame["step_type"] = [_step_type(str(word)) for word in table["step_type"].to_list()]
    celsius = [name for name in table.columns if name.endswith("_celsius") and name not in LABELS]
    for number, name in enumerate(celsius[:5], start=1):
        frame[f"temperature_t{number}_celsius"] = table[name].to_numpy().astype(float)
    return frame


def _step_type(word: str) -> str:
    """Return a step's type in the Battery Data Format's words: ``CC_DChg`` is ``CC_DCH``."""
    return _WORDS.get(word, word.upper().replace("DCHG", "DCH"))


def _metadata(told: Mapping[str, Any]) -> dict[str, str]:
    """Return what of the header says which test this was; the schedule itself is long."""
    found: dict[str, str] = {}
    for value in told.values():
        if isinstance(value, Mapping):
            found |= _metadata(value)
    return found | {key: str(told[key]) for key in _KEPT if isinstance(told.get(key), str | int)}
