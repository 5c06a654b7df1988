"""Reports on demand, and a run analysed again with other settings: both in a process beside the server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rig.bench.analysis_settings import SETTINGS, read_settings_of
from rig.bench.reporting import report_text
from rig.bench.results import keep_outcome
from rig.bench.run_fits import Outcome, RunTask, fit_runs
from rig.store.accounts import Change, write_line
from rig.store.database import translated
from rig.web.access import Operator, TheHouse, Viewer, Visitor
from rig.web.answers import Line, RunId, WithoutNul, run_of
from rig.web.house import Found, House
from rig.web.problems import Refusal

router = APIRouter(tags=["analyses"])

REPORT_SECOND, ANALYSIS_SECOND = 180.0, 180.0
Text = Annotated[str, StringConstraints(max_length=200), WithoutNul]
# A report holds what people have written: it is shown as a document that can do nothing.
_REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


class AnalysisBody(BaseModel):
    """Which analysis, with which settings, as text: see GET /api/analyses."""

    model_config = ConfigDict(extra="forbid")

    kind: Text
    settings: Annotated[dict[Text, Text], Field(max_length=20)] = {}
    reason: Line = ""


@router.get("/analyses")
def analyses(_: Viewer) -> dict[str, Any]:
    """The analyses that a run can be given, and the settings of each."""
    return {
        "analyses": {
            kind: {
                name: {"words": one.words, "example": one.example, "choices": list(one.choices)}
                for name, one in settings.items()
            }
            for kind, settings in SETTINGS.items()
        }
    }


@router.get("/runs/{run_id}/report", response_class=HTMLResponse)
def report(house: TheHouse, _: Viewer, run_id: RunId) -> HTMLResponse:
    """The report of a run as one self-contained page, made now; nothing of it is kept."""
    found = run_of(house, run_id)
    number = found.run["run_id"]
    text = house.apart.call("report", REPORT_SECOND, report_text, _url(found), [number])
    name = f"{found.run['channel']}_{number[:8]}.html".encode("ascii", "replace").decode()
    headers = {
        "Content-Security-Policy": _REPORT_POLICY,
        "Content-Disposition": f'inline; filename="{name.replace(chr(34), "_")}"',
    }
    return HTMLResponse(text, headers=headers)


@router.post("/runs/{run_id}/analyses", status_code=201)
def analyse(
    house: TheHouse, visitor: Operator, run_id: RunId, body: AnalysisBody
) -> dict[str, Any]:
    """Analyse a run with settings of your own; the result is kept beside the earlier ones, with them."""
    read_settings_of(body.kind, body.settings)
    found = run_of(house, run_id)
    task = RunTask(body.kind, (found.run["run_id"],), _url(found), dict(body.settings))
    (outcome,) = house.apart.call(f"analysis {body.kind}", ANALYSIS_SECOND, fit_runs, task)
    if outcome.problem:
        raise Refusal(422, outcome.problem, remedy="other settings, or other data")
    return {"result": _kept(house, visitor, found, body, outcome)}


def _kept(
    house: House, visitor: Visitor, found: Found, body: AnalysisBody, outcome: Outcome
) -> dict[str, Any]:
    row = keep_outcome(found.rows, body.kind, outcome, body.settings, visitor.name)
    change = Change(visitor.name, house.clock.wall_us(), body.reason, outcome.run_id)
    settings = ", ".join(f"{name}={text}" for name, text in body.settings.items())
    words = f"{body.kind} {settings}".strip()
    with translated(found.rows), found.rows.begin() as connection:
        write_line(connection, change, "analyse", words, f"kept as {row['inputs_sha256'][:12]}")
    return row


def _url(found: Found) -> str:
    """Return the address of the database with the run's samples; it has the rows, too."""
    return found.samples.url.render_as_string(hide_password=False)
