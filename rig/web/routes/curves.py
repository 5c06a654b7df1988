"""Curves made for looking: cycles laid over each other, and a pellet's Arrhenius plot as it fills."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from rig.analysis.arrhenius_result import Convention
from rig.analysis.incremental_capacity import LEAST_STEP_VOLT, MOST_STEP_VOLT, USUAL_STEP_VOLT
from rig.bench.cycle_curves import USUAL_POINTS, cycle_curves
from rig.store.queries import find_run
from rig.web.access import TheHouse, Viewer
from rig.web.answers import RunId, WithoutNul, run_of

router = APIRouter(tags=["curves"])

Cycles = Annotated[
    str,
    Query(max_length=200, description="As in `1, 2, 10-50/10, last, now`; empty: a few of all."),
    WithoutNul,
]
Points = Annotated[int, Query(ge=20, le=5000, description="Samples of each curve at most.")]
Step = Annotated[
    float,
    Query(ge=LEAST_STEP_VOLT, le=MOST_STEP_VOLT, description="Bins of dQ/dV, volt."),
]


@router.get("/runs/{run_id}/curves")
def curves(
    house: TheHouse,
    _: Viewer,
    run_id: RunId,
    cycles: Cycles = "",
    points: Points = USUAL_POINTS,
    voltage_step_volt: Step = USUAL_STEP_VOLT,
) -> dict[str, Any]:
    """Voltage against charge and dQ/dV of chosen cycles, charge and discharge apart; `method` says how.

    Capacities in Ah are the cell's; `cell` has area and mass where its record says them.
    """
    found = run_of(house, run_id)
    record = find_run(found.rows, found.run["run_id"])
    return cycle_curves(
        found.rows,
        record,
        cycles,
        measured=found.samples,
        points=points,
        voltage_step_volt=voltage_step_volt,
    )


@router.get("/runs/{run_id}/arrhenius")
def arrhenius(
    house: TheHouse, _: Viewer, run_id: RunId, convention: Convention = Convention.LN_SIGMA_T
) -> dict[str, Any]:
    """A pellet's conductivities so far and, where they support one, the law through them.

    Where there is none `fit` is null and `problem` says what is missing.
    """
    found = run_of(house, run_id)
    record = find_run(found.rows, found.run["run_id"])
    return house.arrhenius.look(found.rows, record, convention)
