"""Before a run, and its beginning: a protocol's text is checked, then asked for on channels."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rig.bench.asking import await_starts
from rig.bench.compiling import Wish, compiled
from rig.bench.file import BenchFile
from rig.bench.hosting import request_start
from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.protocol.check import (
    estimate_duration_second,
    needs,
    step_table,
    warnings,
)
from rig.protocol.program import Program
from rig.web.access import Operator, TheHouse, Viewer
from rig.web.answers import Line, WithoutNul
from rig.web.problems import Refusal

router = APIRouter(tags=["starting"])

MOST_CHARACTERS = 200_000
Text = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS), WithoutNul]


class TextBody(BaseModel):
    """A protocol as text; ``file`` is what messages call it, ``variables`` are as for ``--set``."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    file: Annotated[str, StringConstraints(max_length=200, pattern=r"^[\w .()+-]+$")] = (
        "protocol.yaml"
    )
    variables: Annotated[dict[Line, Line], Field(max_length=200)] = {}


class ProtocolBody(TextBody):
    """The same, for channels; ``cells`` names the cell on each, whose record then wins."""

    channels: Annotated[list[Line], Field(max_length=1000)] = []
    cells: Annotated[dict[Line, Line], Field(max_length=1000)] = {}


class StartBody(ProtocolBody):
    """The same, to be run, and why."""

    reason: Line = ""
    on_behalf_of: Line = ""


@router.post("/check")
def check(house: TheHouse, _: Viewer, body: ProtocolBody) -> dict[str, Any]:
    """Check a protocol, and whether these channels and cells can do it: 422 with all problems.

    Else its steps, as on the first of the channels.
    """
    if body.channels:
        program = fitting(house, body)
    else:
        program = loads_protocol(body.text, file_name=body.file, variables=body.variables)
    return {
        "name": program.name,
        "needs": sorted(needs(program)),
        "duration_second": estimate_duration_second(program, program.cell),
        "steps": [asdict(row) for row in step_table(program)],
        "warnings": [str(note) for note in warnings(program, body.file)],
    }


@router.post("/runs", status_code=201)
def start(house: TheHouse, visitor: Operator, body: StartBody) -> dict[str, Any]:
    """Ask the engine to run a protocol on channels; answers when each has begun, or 409 with why not."""
    run_ids = request_start(
        house.store,
        bench_of(house.bench),
        protocol_text=body.text,
        protocol_file=body.file,
        channels=body.channels,
        cells=body.cells,
        variables=body.variables,
        who=visitor.name,
        reason=body.reason,
        on_behalf_of=body.on_behalf_of,
        clock=house.clock,
    )
    asked = await_starts(house.store, run_ids, clock=house.clock)
    house.live.expire()
    runs = [one.plain() for one in asked]
    failed = [one.answer.words for one in asked if not one.answer.done]
    if failed:
        raise Refusal(409, "; ".join(failed), runs=runs)
    return {"runs": runs}


def bench_of(bench: BenchFile | None) -> BenchFile:
    """Return the bench that is served, or refuse with 409."""
    if bench is None:
        remedy = "begin rig serve with --bench FILE"
        raise Refusal(409, "this page has no bench: it only shows a database", remedy=remedy)
    return bench


def fitting(house: TheHouse, body: ProtocolBody) -> Program:
    """Return the protocol for the first channel; raises BadInput with all that any cannot do."""
    cells = {name: body.cells.get(name, "") for name in body.channels}
    wish = Wish(body.text, body.file, cells, body.variables)
    programs, problems = compiled(house.store, bench_of(house.bench), wish)
    if problems:
        raise BadInput(problems)
    return programs[body.channels[0]]
