"""What a person looks at beside plain rows: shipped protocols, a run's steps, a spectrum judged."""

from __future__ import annotations

from dataclasses import asdict
from importlib import resources
from typing import Any

from fastapi import APIRouter

from rig.bench.one_spectrum import judge_spectrum
from rig.bench.run_facts import cursor_of, facts_of
from rig.core.errors import AnalysisError
from rig.protocol.check import step_table
from rig.store import queries
from rig.store.live import run_facts
from rig.web.access import TheHouse, Viewer
from rig.web.answers import RunId, run_of
from rig.web.problems import Refusal

router = APIRouter(tags=["looking"])


@router.get("/protocols")
def protocols(_: Viewer) -> dict[str, Any]:
    """The protocols that come with cellrig, each as text."""
    shipped = sorted(resources.files("protocols").iterdir(), key=lambda one: one.name)
    texts = [(one.name, one) for one in shipped if one.name.endswith(".yaml")]
    return {
        "protocols": [
            {"file": name, "text": one.read_text(encoding="utf-8")} for name, one in texts
        ]
    }


@router.get("/runs/{run_id}/program")
def program(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """A run's steps and loops as rows, `address` as for `go to`; `now` is where it stands.

    `steps` is null where this version cannot read the run's protocol.
    """
    found = run_of(house, run_id)
    number = found.run["run_id"]
    facts = facts_of(run_facts(found.rows, number))
    stored = queries.load_cursor(found.rows, number)
    cursor = cursor_of(stored[0]) if stored else None
    compiled = facts.program
    rows = None if compiled is None else [asdict(row) for row in step_table(compiled)]
    return {
        "steps": rows,
        "numbers": dict(facts.step_numbers),
        "now": None if cursor is None else cursor.place.pc,
    }


@router.get("/runs/{run_id}/spectra/{spectrum_count}/judged")
def judged(house: TheHouse, _: Viewer, run_id: RunId, spectrum_count: int) -> dict[str, Any]:
    """One complete spectrum with a fit where a circuit holds, and what Kramers-Kronig says of it."""
    found = run_of(house, run_id)
    record = queries.find_run(found.rows, found.run["run_id"])
    try:
        return judge_spectrum(found.rows, record, spectrum_count)
    except AnalysisError as none:
        raise Refusal(404, str(none), remedy=f"GET /api/runs/{run_id}/spectra") from none
