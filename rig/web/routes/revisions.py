"""Changing a running run: its protocol's texts, what another one would change, and asking for it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from rig.bench.revising import Draft, ask_revision, draft
from rig.core.roles import Role
from rig.engine.revision import WIDER_REMEDY
from rig.store import queries
from rig.store.revisions import revisions
from rig.web.access import Operator, TheHouse, Viewer, Visitor
from rig.web.answers import Line, RunId, run_of
from rig.web.asking import require_door
from rig.web.house import House
from rig.web.problems import Refusal
from rig.web.routes.starting import TextBody

router = APIRouter(tags=["revisions"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class RevisionBody(TextBody):
    """A text to go on by; ``instead_of_sha256`` is the digest of the one that it was written for."""

    instead_of_sha256: Annotated[str, Field(max_length=64)] = ""


class AskedBody(RevisionBody):
    """The same, and why: the reason goes into the journal."""

    reason: Line


@router.get("/runs/{run_id}/revisions")
def listed(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """The text of a run's protocol that is in force, and every revision: who, when, why, what."""
    found = run_of(house, run_id)
    record = queries.find_run(found.rows, found.run["run_id"])
    rows = revisions(found.rows, record.run_id)
    names = ("protocol_file", "protocol_text", "protocol_sha256", "variables")
    return {name: record.values[name] for name in names} | {
        "number": rows[-1]["number"] if rows else 1,
        "revisions": [{k: v for k, v in row.items() if k != "protocol_text"} for row in rows],
    }


@router.get("/runs/{run_id}/revisions/{number}")
def one(house: TheHouse, _: Viewer, run_id: RunId, number: Number) -> dict[str, Any]:
    """One revision with its text; a run that was never revised has none."""
    found = run_of(house, run_id)
    rows = revisions(found.rows, found.run["run_id"])
    row = next((row for row in rows if row["number"] == number), None)
    if row is None:
        detail = f"run {found.run['run_id'][:12]} has no revision {number}"
        raise Refusal(404, detail, remedy=f"GET /api/runs/{run_id}/revisions")
    return row


@router.post("/runs/{run_id}/revisions/check")
def check(house: TheHouse, visitor: Operator, run_id: RunId, body: RevisionBody) -> dict[str, Any]:
    """Say what another text would change, in words: 422 with every problem, 409 where nothing can change."""
    return _told(_draft(house, run_id, body), visitor)


@router.post("/runs/{run_id}/revisions")
def revise(house: TheHouse, visitor: Operator, run_id: RunId, body: AskedBody) -> dict[str, Any]:
    """Ask the engine to go on by another text. Widening a limit is for an admin: 403, and how."""
    wanted = _draft(house, run_id, body)
    may_widen = _may_widen(visitor)
    if wanted.wider and not may_widen:
        detail = f"{visitor.name} is {visitor.role.value}; {'; '.join(wanted.wider)}"
        raise Refusal(403, detail, remedy=WIDER_REMEDY)
    asked = ask_revision(
        house.store,
        house.store_url,
        wanted,
        who=visitor.name,
        reason=body.reason,
        may_widen=may_widen,
        clock=house.clock,
    )
    house.live.expire()
    if not asked.answer.done:
        raise Refusal(409, asked.answer.words, **asked.plain())
    return asked.plain() | _told(wanted, visitor)


def _draft(house: House, run_id: str, body: RevisionBody) -> Draft:
    require_door(house)
    found = run_of(house, run_id)
    record = queries.find_run(house.store, found.run["run_id"])
    known = record.values["protocol_sha256"]
    if body.instead_of_sha256 not in ("", known):
        detail = "the protocol was revised since this one was written"
        raise Refusal(409, detail, remedy=f"GET /api/runs/{run_id}/revisions")
    return draft(house.store, record, body.text, file=body.file, variables=body.variables)


def _told(wanted: Draft, visitor: Visitor) -> dict[str, Any]:
    may = not wanted.wider or _may_widen(visitor)
    return {
        "changes": [
            {"where": one.where, "words": one.words, "effect": one.effect.value}
            for one in wanted.changes
        ],
        "wider": list(wanted.wider),
        "may_apply": may,
        "remedy": "" if may else WIDER_REMEDY,
    }


def _may_widen(visitor: Visitor) -> bool:
    return visitor.role >= Role.ADMIN
