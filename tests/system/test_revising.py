"""A running run is changed from another process, killed, and taken up by the text that was in force."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rig.bench.evaluation import evaluate
from rig.engine.cursor import from_json
from rig.report.facts import facts
from rig.store import queries
from rig.store.revisions import revisions
from tests.cli.commands import rig as typed
from tests.system.test_kill_and_resume import PROTOCOL, finish, rig, wait_for_samples
from tests.system.test_steering import SPEED, Engineer, journal, said

TIGHTER = (
    PROTOCOL.replace("4.3 V]", "4.25 V]")
    .replace("to: 4.2 V", "to: 4.1 V")
    .replace("repeat: $cycles", "repeat: 2")
    .replace("variables: {cycles: 6}\n", "")
)
WIDER = TIGHTER.replace("4.25 V]", "4.4 V]")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_run_is_revised_killed_and_goes_on_by_the_new_text(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    tighter, wider = tmp_path / "tighter.yaml", tmp_path / "wider.yaml"
    tighter.write_text(TIGHTER, encoding="utf-8")
    wider.write_text(WIDER, encoding="utf-8")
    process = rig(tmp_path, "run", "short.yaml", "--channel", "C1", "--speed", SPEED)
    wait_for_samples(tmp_path, process, 5)
    desk = Engineer(tmp_path)

    shown = desk.says("revise", "C1", tighter, "--check").json()
    assert "safety.voltage upper" in {one["where"] for one in shown["changes"]}
    assert shown["wider"] == []
    unasked = desk.says("revise", "C1", tighter)
    assert (unasked.code, "nobody is there to be asked" in unasked.err) == (2, True)
    outcome, words = said(desk.says("revise", "C1", tighter, "--yes", "--reason", "gas at 4.2 V"))
    assert outcome == "done", words
    assert "protocol revision 2 is in force" in words
    again = desk.says("revise", "C1", tighter, "--yes")
    assert (again.code, again.json()["changes"]) == (0, [])
    refused = desk.says("revise", "C1", wider, "--yes")
    assert (refused.code, "a limit becomes wider" in refused.err) == (2, True)
    process.kill()
    process.communicate(timeout=30)

    finish(rig(tmp_path, "run", "--resume", "last", "--speed", "max"))
    engine = desk.engine()
    run = queries.find_run(engine, "last")
    rows = revisions(engine, run.run_id)
    stored = queries.load_cursor(engine, run.run_id)
    assert stored is not None
    assert (run.state, from_json(stored[0]).place.cycle_count) == ("finished", 2)
    assert from_json(stored[0]).place.revision == 2
    assert [row["protocol_text"] for row in rows] == [PROTOCOL, TIGHTER]
    assert run.values["protocol_text"] == TIGHTER
    assert (rows[1]["reason"], "@" in rows[1]["who"]) == ("gas at 4.2 V", True)
    assert [row["verb"] for row in journal(engine)] == ["revise"]
    said_of_it = dict(facts(evaluate(engine, run)))
    assert said_of_it["Protocol"] == "Short cycling, revision 2 of 2"
    assert "gas at 4.2 V" in said_of_it["Protocol revision 2"]
    engine.dispose()
    told = desk.says("runs", "show", "last").json()
    assert [row["number"] for row in told["revisions"]] == [1, 2]
    _it_travels_with_the_run(desk, tmp_path)


def _it_travels_with_the_run(desk: Engineer, folder: Path) -> None:
    """An export says from which sample on which text held; an archive has the texts."""
    table, archive = folder / "run.bdf.csv", folder / "run.zip"
    assert desk.says("runs", "export", "last", "--out", table).code == 0
    beside = json.loads(table.with_name(f"{table.name}.metadata.json").read_text())
    first, second = beside["protocol"]["revisions"]
    assert (first["seq_first"], second["reason"]) == (0, "gas at 4.2 V")
    assert second["sha256"] == beside["protocol"]["sha256"]
    assert desk.says("runs", "export", "last", "--format", "archive", "--out", archive).code == 0
    other = f"sqlite:///{folder / 'other.db'}"
    assert typed("runs", "import", archive, "--db", other).code == 0
    told = typed("runs", "show", "last", "--json", "--db", other).json()
    assert [row["protocol_text"] for row in told["revisions"]] == [PROTOCOL, TIGHTER]
