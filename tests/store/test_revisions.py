"""A revision is on disk with the cursor that is a place in it and the answer to who asked, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rig.core.orders import Order
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.orders import answer_to
from rig.store.revisions import proposal, revisions
from tests.store.revising_runs import NEW, OLD, ask, put_in_force
from tests.store.stores import recorder_on, store_at
from tests.store.test_recorder import copies_at_every_statement


@pytest.fixture
def store(tmp_path: Path) -> tuple[Engine, str, Path]:
    path = tmp_path / "rig.db"
    engine, run_id = store_at(path, "r1"), "r1"
    first = recorder_on(engine)
    first.protocol(run_id, {"protocol_text": OLD, "protocol_sha256": f"sha of {OLD}"})
    first.cursor(run_id, lambda: json.dumps({"revision": 1}))
    first.commit()
    return engine, run_id, path


def test_killed_at_any_statement_text_cursor_and_answer_are_all_old_or_all_new(store) -> None:
    engine, run_id, path = store
    order = ask(engine, run_id)
    copies = copies_at_every_statement(engine, path)
    put_in_force(engine, run_id, order)
    found = [state_of(copy, run_id, order) for copy in copies]
    found.append(state_of(path, run_id, order))
    assert len(found) >= 6
    assert set(found) == {(OLD, 1, 0, None), (NEW, 2, 2, "done")}


def state_of(path: Path, run_id: str, order: Order) -> tuple[object, ...]:
    engine = open_database(f"sqlite:///{path}")
    try:
        text = queries.find_run(engine, run_id).values["protocol_text"]
        cursor = queries.load_cursor(engine, run_id)
        assert cursor is not None
        given = answer_to(engine, order)
        rows = revisions(engine, run_id)
        outcome = given.outcome if given else None
        return text, json.loads(cursor[0])["revision"], len(rows), outcome
    finally:
        engine.dispose()


def test_a_proposal_is_written_with_its_order_and_is_no_revision_until_it_is_in_force(
    store,
) -> None:
    engine, run_id, _ = store
    order = ask(engine, run_id)
    assert order.argument == "r2"
    found = proposal(engine, run_id, "r2")
    assert found is not None
    assert (found["protocol_text"], found["number"]) == (NEW, None)
    assert proposal(engine, run_id, "r3") is None
    assert revisions(engine, run_id) == []
    put_in_force(engine, run_id, order)
    assert [row["protocol_text"] for row in revisions(engine, run_id)] == [OLD, NEW]
    assert revisions(engine, run_id)[1]["difference"] == ["loop 1: 3 -> 2 times"]
    rows = queries.table_rows(engine, tables.revision, run_id)
    assert len(rows) == 2, "the proposal's own row was completed"
