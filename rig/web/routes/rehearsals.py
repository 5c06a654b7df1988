"""A rehearsal before a start: what a protocol does on a simulated cell, in a process beside the server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from rig.bench.rehearsal import WITHIN_SECOND, Rehearsal, rehearse
from rig.bench.starting import cell_facts
from rig.core.errors import BadInput, Problem
from rig.web.access import Operator, TheHouse
from rig.web.routes.starting import ProtocolBody, bench_of, fitting

router = APIRouter(tags=["starting"])


@router.post("/rehearsals")
def rehearsal(house: TheHouse, _: Operator, body: ProtocolBody) -> dict[str, Any]:
    """The expected profile of a protocol on a simulated cell; of a long one the beginning, which is said.

    The simulated cell is like the one that the protocol is meant for; a real one will differ.
    """
    bench = bench_of(house.bench)
    if len(body.channels) != 1:
        message = f"got {len(body.channels)} channels, expected the one to rehearse on"
        raise BadInput(Problem("channels", message, example='["A1"]'))
    fitting(house, body)
    (name,) = body.channels
    facts = cell_facts(house.store, body.cells.get(name, ""))
    wanted = Rehearsal(bench, name, body.text, body.file, dict(body.variables), facts)
    return house.apart.call("rehearsal", WITHIN_SECOND, rehearse, wanted)
