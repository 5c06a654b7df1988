"""A revision where no process has the run, and what must not happen between two who have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from rig.bench.file import load_bench
from rig.bench.locks import lock_channels
from rig.bench.revising import Draft, ask_revision, draft
from rig.bench.starting import Job, resume_job, start
from rig.core.errors import BadInput, RigError
from rig.engine.cursor import from_json
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.orders import Answer
from rig.store.queries import RunRecord
from rig.store.revisions import revisions

BENCH = load_bench("sim")
PROTOCOL = """protocol: 1
name: waits in the middle
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA, check_every: 10 s}
record: {every: 30 s}
variables: {minutes: 10}
steps:
  - rest: {for: 1 min}
  - rest: {until: {time: 2 min, then: pause}}
  - rest: {for: $minutes min}
"""
LONGER = PROTOCOL.replace("minutes: 10", "minutes: 20")
LOCKED = "channel C1"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rig.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    """A database with a run that paused itself, and whose process has ended."""
    job = Job(loads_protocol(PROTOCOL), "p.yaml", BENCH.channels["C1"])
    start([job], BENCH, database=url).run()
    engine = open_database(url)
    yield engine
    engine.dispose()


def run_of(store: Engine) -> RunRecord:
    return queries.find_run(store, "last")


def drafted(store: Engine, text: str, **variables: str) -> Draft:
    return draft(store, run_of(store), text, file="new.yaml", variables=variables)


def asked(store: Engine, found: Draft, *, may_widen: bool = False) -> Answer:
    url = str(store.url)
    return ask_revision(
        store, url, found, who="maria", reason="I say so", may_widen=may_widen
    ).answer


def test_a_run_that_is_put_aside_is_revised_and_goes_on_by_the_new_text(
    store: Engine, url: str
) -> None:
    assert run_of(store).state == "paused"
    given = asked(store, drafted(store, LONGER))
    assert given.done, given.words
    assert "step 2 (rest for 10 min): for 10 min -> for 20 min" in given.words
    start([resume_job(run_of(store), BENCH, store)], BENCH, database=url).run()
    run = run_of(store)
    assert run.state == "finished"
    assert run.values["variables"] == {"minutes": "20"}
    steps = queries.table_rows(store, tables.step, run.run_id)
    assert [step["words"] for step in steps][-1] == "rest for 20 min"
    rows = revisions(store, run.run_id)
    assert [(row["number"], row["seq_first"] > 0) for row in rows] == [(1, False), (2, True)]
    kinds = [row["kind"] for row in queries.table_rows(store, tables.event, run.run_id)]
    assert "revised" in kinds


def test_a_variable_that_the_run_was_given_stays_given(store: Engine) -> None:
    found = drafted(store, PROTOCOL, minutes="15")
    assert asked(store, found).done
    assert run_of(store).values["variables"] == {"minutes": "15"}
    longer = drafted(store, LONGER.replace("for: 1 min", "for: 1 min", 1))
    assert longer.changes == (), "the file's own value is not the run's"
    unused = PROTOCOL.replace("variables: {minutes: 10}\n", "").replace("$minutes", "3")
    assert "for 15 min -> for 3 min" in str(drafted(store, unused).changes[0])


def test_a_run_that_tripped_is_given_wider_limits_and_can_go_on(store: Engine) -> None:
    with store.begin() as connection:
        connection.execute(update(tables.run).values(state="tripped"))
    wider = PROTOCOL.replace("4.3 V]", "4.35 V]")
    refused = asked(store, drafted(store, wider))
    assert (refused.outcome, "an admin may" in refused.words) == ("refused", True)
    assert asked(store, drafted(store, wider), may_widen=True).done
    cursor = queries.load_cursor(store, run_of(store).run_id)
    assert cursor is not None
    assert from_json(cursor[0]).place.revision == 2
    assert cursor[1] is not None, "the simulated cell stays as it was left"


def test_whoever_has_the_channel_keeps_others_off_the_run(store: Engine, url: str) -> None:
    found = drafted(store, LONGER)
    with store.begin() as connection:
        connection.execute(update(tables.run).values(state="stopped"))
    with lock_channels(BENCH, [BENCH.channels["C1"]], url):
        given = asked(store, drafted(store, LONGER))
    assert given.outcome == "refused"
    assert LOCKED in given.words
    stale = asked(store, found)
    assert (stale.outcome, "somebody has just had this run" in stale.words) == ("refused", True)
    assert revisions(store, run_of(store).run_id) == []


def test_a_run_is_not_taken_up_by_a_text_that_was_revised_meanwhile(
    store: Engine, url: str
) -> None:
    job = resume_job(run_of(store), BENCH, store)
    assert asked(store, drafted(store, LONGER)).done
    with pytest.raises(BadInput, match="was revised a moment ago"):
        start([job], BENCH, database=url)


def test_everything_that_is_wrong_with_a_text_is_said_at_once(store: Engine) -> None:
    beyond = PROTOCOL.replace("for: 1 min}", "for: 5 min}").replace(
        "  - rest: {for: $minutes min}", "  - hold: {at: 4.1 V, for: $minutes min, limit: 1 A}"
    )
    with pytest.raises(BadInput) as refused:
        drafted(store, beyond.replace("10 mA", "2 A"))
    words = str(refused.value)
    assert "outside what the channel allows" in words
    assert "'rest for 1 min' is over" in words
    with store.begin() as connection:
        connection.execute(update(tables.run).values(state="finished"))
    with pytest.raises(RigError, match="a run that is finished cannot revise"):
        drafted(store, LONGER)
