"""Arrhenius plots of runs that somebody watches, fitted once for each new spectrum.

The fits of a whole series take seconds of a processor: they are made in a process beside the server,
one series at a time, and kept as long as no spectrum is added.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, func, select

from rig.analysis.arrhenius_result import Convention
from rig.bench.apart import Apart, Busy
from rig.bench.arrhenius_view import arrhenius_view, both_views, has_series
from rig.store import queries, tables
from rig.store.database import translated

MOST_KEPT = 32
FIT_SECOND = 180.0
AGAIN = "ask again in some seconds"


@dataclass
class ArrheniusViews:
    """What somebody has looked at last, by run and number of spectra; found in a process beside this one."""

    apart: Apart = field(default_factory=Apart)
    _kept: OrderedDict[tuple[object, ...], dict[str, Any]] = field(default_factory=OrderedDict)
    _working: threading.Lock = field(default_factory=threading.Lock)

    def look(
        self, engine: Engine, run: queries.RunRecord, convention: Convention
    ) -> dict[str, Any]:
        """Return arrhenius_view of a run, from before where no spectrum has come since.

        Raises Busy while another is being found: nobody queues up, who watches asks again.
        """
        if not has_series(engine, run.run_id):
            return arrhenius_view(engine, run, convention)  # there is nothing to fit
        key = (id(engine), run.run_id, _complete(engine, run.run_id))
        views = self._kept.get(key) or self._fitted(engine, run.run_id, key)
        view: dict[str, Any] = views[convention.value]
        return view

    def _fitted(self, engine: Engine, run_id: str, key: tuple[object, ...]) -> dict[str, Any]:
        if not self._working.acquire(blocking=False):
            raise Busy("another temperature series is being fitted", remedy=AGAIN)
        try:
            url = engine.url.render_as_string(hide_password=False)
            views = self.apart.call("Arrhenius", FIT_SECOND, both_views, url, run_id)
            self._kept[key] = views
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return views
        finally:
            self._working.release()


def _complete(engine: Engine, run_id: str) -> int:
    """Return how many spectra of a run are complete; one that is repeated adds another."""
    table = tables.spectrum
    statement = select(func.count()).where(table.c.run_id == run_id, table.c.complete)
    with translated(engine), engine.connect() as connection:
        return int(connection.execute(statement).scalar_one())
