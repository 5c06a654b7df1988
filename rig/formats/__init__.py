"""Files of cyclers, ours and others': what ``rig runs import`` and ``rig fit`` read. No database here."""

from rig.formats.log import CyclerLog, Finding
from rig.formats.reading import read_log, recognised
from rig.formats.sniffing import FORMATS

__all__ = ["FORMATS", "CyclerLog", "Finding", "read_log", "recognised"]
