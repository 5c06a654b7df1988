"""What a run left: steps, cycles, spectra, events, results, alarms, and what was asked of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Table, desc, select

from rig.store import queries, tables
from rig.store.database import translated
from rig.web.access import TheHouse, Viewer
from rig.web.answers import Limit, Offset, RunId, run_of
from rig.web.house import House
from rig.web.problems import Refusal

router = APIRouter(tags=["data"])


def _rows(
    house: House, table: Table, wanted: str, limit: int, offset: int, *, newest: bool = False
) -> list[dict[str, Any]]:
    """Return a page of a run's rows of one table, in the order of its key, or the other way round."""
    found = run_of(house, wanted)
    key = [desc(one) if newest else one for one in table.primary_key.columns]
    statement = (
        select(table)
        .where(table.c.run_id == found.run["run_id"])
        .order_by(*key)
        .limit(limit)
        .offset(offset)
    )
    with translated(found.rows), found.rows.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


@router.get("/runs/{run_id}/steps")
def steps(
    house: TheHouse, _: Viewer, run_id: RunId, limit: Limit = 1000, offset: Offset = 0
) -> dict[str, Any]:
    """Steps that have ended, with why; capacities signed, charge positive."""
    return {"steps": _rows(house, tables.step, run_id, limit, offset)}


@router.get("/runs/{run_id}/cycles")
def cycles(
    house: TheHouse, _: Viewer, run_id: RunId, limit: Limit = 1000, offset: Offset = 0
) -> dict[str, Any]:
    """Cycles that have ended, with capacities and energies."""
    return {"cycles": _rows(house, tables.cycle, run_id, limit, offset)}


@router.get("/runs/{run_id}/events")
def events(
    house: TheHouse,
    _: Viewer,
    run_id: RunId,
    limit: Limit = 1000,
    offset: Offset = 0,
    newest: Annotated[bool, Query(description="The newest first.")] = False,
) -> dict[str, Any]:
    """What happened: states, orders, gaps, lost links, limits."""
    return {"events": _rows(house, tables.event, run_id, limit, offset, newest=newest)}


@router.get("/runs/{run_id}/results")
def results(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """What was fitted, with method, version and flags."""
    return {"results": _rows(house, tables.result, run_id, 1000, 0)}


@router.get("/runs/{run_id}/alarms")
def alarms(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """Alarms that this run raised, acknowledged ones too."""
    return {"alarms": _rows(house, tables.alarm, run_id, 1000, 0)}


@router.get("/runs/{run_id}/journal")
def run_journal(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """What was asked of this run: who, when, why, and what became of it."""
    return {"journal": _rows(house, tables.journal, run_id, 1000, 0)}


@router.get("/runs/{run_id}/spectra")
def spectra(
    house: TheHouse, _: Viewer, run_id: RunId, limit: Limit = 1000, offset: Offset = 0
) -> dict[str, Any]:
    """Impedance spectra without their points."""
    return {"spectra": _rows(house, tables.spectrum, run_id, limit, offset)}


@router.get("/runs/{run_id}/spectra/{spectrum_count}")
def spectrum(house: TheHouse, _: Viewer, run_id: RunId, spectrum_count: int) -> dict[str, Any]:
    """One spectrum with its points; imaginary impedance as measured."""
    found = run_of(house, run_id)
    number = found.run["run_id"]
    heads = queries.table_rows(found.rows, tables.spectrum, number)
    head = next((row for row in heads if row["spectrum_count"] == spectrum_count), None)
    if head is None:
        raise Refusal(404, f"run {number[:12]} has no spectrum {spectrum_count}")
    points = queries.table_rows(found.rows, tables.impedance_point, number)
    return head | {"points": [row for row in points if row["spectrum_count"] == spectrum_count]}


@router.get("/journal")
def journal(house: TheHouse, _: Viewer, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Everything that was asked of anything here, newest first; accounts that changed, too."""
    table = tables.journal
    statement = select(table).order_by(desc(table.c.journal_id)).limit(limit).offset(offset)
    with translated(house.store), house.store.connect() as connection:
        return {"journal": [dict(row) for row in connection.execute(statement).mappings()]}
