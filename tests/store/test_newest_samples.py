"""What a page shows last of each channel, wherever its samples are: rows, the spool, a sealed file."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from rig.core.records import RunState
from rig.store import tables
from rig.store.forwarder import forward
from rig.store.live import TREND_SAMPLES, read_newest, read_trends
from rig.store.queries import find_run
from rig.store.retention import drop_rows
from rig.store.sealed import segments_folder
from rig.store.sealing import seal
from tests.store.sealing_runs import keep_odd, place_in
from tests.store.stores import store_at

COUNT = 200


@pytest.fixture
def engine(tmp_path):
    """Run ``a`` has ended; ``b`` goes on, and ``c`` waits for its first sample."""
    engine = store_at(tmp_path / "rig.db", "a", "b", "c")
    keep_odd(engine, "a", 0, COUNT)
    keep_odd(engine, "b", 0, COUNT)
    run = tables.run
    with engine.begin() as connection:
        for name in ("a", "b", "c"):
            own = update(run).where(run.c.run_id == name).values(channel=name.upper())
            connection.execute(own)
        ended = update(run).where(run.c.run_id == "a")
        connection.execute(ended.values(state=RunState.FINISHED.value, ended_us=1))
    yield engine
    engine.dispose()


def sealed_and_dropped(engine: Engine) -> None:
    forward(engine)
    place = place_in(segments_folder(engine))
    seal(engine, find_run(engine, "a"), place, now_us=2)
    drop_rows(engine, "a", place, now_us=3)


def test_a_run_whose_rows_are_sealed_and_dropped_shows_what_it_showed_before(engine):
    samples, trends = read_newest(engine).samples, read_trends(engine, ["a", "b", "c"])
    assert samples["a"]["seq"] == COUNT - 1
    assert [row["seq"] for row in trends["a"]] == list(range(COUNT - TREND_SAMPLES, COUNT))
    assert any(row["aux"] == {"dew_point": -60.1} for row in trends["a"])
    sealed_and_dropped(engine)
    assert read_newest(engine).samples == samples
    assert read_trends(engine, ["a", "b", "c"]) == trends
    assert trends["c"] == []


def test_a_file_that_is_away_leaves_the_other_channels_on_the_wall(engine):
    sealed_and_dropped(engine)
    for path in segments_folder(engine).rglob("*.parquet"):
        path.unlink()
    newest = read_newest(engine)
    assert set(newest.samples) == {"b"}
    assert {run["run_id"] for run in newest.runs} == {"a", "b", "c"}
