"""A cycler's file as a run of ours: in the same tables, once, whole, with what is odd beside it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, select

from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.formats import read_log
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.importing import RIG_ID, import_log, run_id_of
from rig.store.samples import sample_frame
from tests.formats.cycler_files import WRITERS, bdf, measured, written
from tests.store.stores import rows_in, sample


@pytest.fixture
def engine(url: str):
    opened = open_database(url)
    yield opened
    opened.dispose()


def log_of(folder, format_name: str = "arbin", **changed: object):
    text = WRITERS[format_name](measured().assign(**changed))
    return read_log(written(folder, "LPS-17.txt", text))


def test_samples_come_into_the_table_as_the_file_has_them(engine: Engine, tmp_path):
    log = log_of(tmp_path)
    done = import_log(engine, log)
    back = sample_frame(engine, done.run_id)
    assert done.run_id == log.sha256[:32]
    assert list(back["seq"]) == list(range(len(measured())))
    assert list(back["cycle_count"]) == list(log.frame["cycle_count"])
    for name in ("voltage_volt", "current_ampere", "test_time_second"):
        assert back[name].to_numpy().tobytes() == log.frame[name].to_numpy().tobytes()
    assert back["aux"].iloc[3] == {"record_index": 4}


def test_steps_and_cycles_are_there_with_our_count_beside_the_file_s(engine: Engine, tmp_path):
    done = import_log(engine, log_of(tmp_path, cycle_count=1))
    steps = queries.table_rows(engine, tables.step, done.run_id)
    assert [step["own_cycle_count"] for step in steps] == [1] * 4 + [2] * 4 + [3] * 4
    assert {step["cycle_count"] for step in steps} == {1}
    assert [step["kind"] for step in steps[:4]] == ["charge", "rest", "discharge", "rest"]
    assert steps[1]["began_second"] == steps[0]["ended_second"]
    (cycle,) = queries.table_rows(engine, tables.cycle, done.run_id)
    assert (cycle["seq_first"], cycle["seq_last"]) == (0, len(measured()) - 1)
    assert cycle["discharging_capacity_ah"] == pytest.approx(1.5)


def test_where_it_comes_from_and_what_is_odd_is_kept_with_it(engine: Engine, tmp_path):
    log = log_of(tmp_path, cycle_count=1)
    run = queries.find_run(engine, import_log(engine, log).run_id)
    origin = run.values["origin"]
    assert (origin["file"], origin["sha256"]) == ("LPS-17.txt", log.sha256)
    assert [check["code"] for check in origin["checks"]] == ["TIME-ZONE", "CYCLES-DIFFER"]
    events = queries.table_rows(engine, tables.event, run.run_id)
    assert [event["kind"] for event in events] == ["imported", "import check", "import check"]
    assert run.state == "finished"
    assert run.values["started_us"] == log.frame["ts_us"].iloc[0]


def test_the_same_file_twice_is_one_run(engine: Engine, tmp_path):
    first, second = (import_log(engine, log_of(tmp_path), "LPS-17") for _ in range(2))
    assert (first.already_there, second.already_there) == (False, True)
    assert (second.run_id, second.cell) == (first.run_id, "LPS-17")
    assert rows_in(engine, "run") == 1
    assert rows_in(engine, "sample") == len(measured())


def test_many_files_may_be_one_cell(engine: Engine, tmp_path):
    import_log(engine, log_of(tmp_path), "LPS-17")
    import_log(engine, log_of(tmp_path, "novonix"), "LPS-17")
    assert (rows_in(engine, "run"), rows_in(engine, "cell")) == (2, 1)


def test_a_file_names_its_cell_where_nobody_else_does(engine: Engine, tmp_path):
    assert import_log(engine, log_of(tmp_path, "basytec")).cell == "LPS-17"


def test_a_file_without_a_date_has_none_here(engine: Engine, tmp_path):
    frame = measured(1).drop(columns="unix_time_second")
    log = read_log(written(tmp_path, "a.csv", bdf(frame)))
    run = queries.find_run(engine, import_log(engine, log).run_id)
    assert (run.values["started_us"], run.values["origin"]["dated"]) == (None, False)


def test_the_rig_of_imported_files_is_not_taken_for_this_database_s_own(engine: Engine, tmp_path):
    import_log(engine, log_of(tmp_path))
    with engine.connect() as connection:
        rigs = connection.execute(select(tables.rig).order_by(tables.rig.c.created_us)).all()
    if engine.dialect.name == "sqlite":
        assert [rig.rig_id == RIG_ID for rig in rigs] == [False, True]


def test_an_import_that_was_killed_half_way_leaves_no_run_and_is_done_again(engine, tmp_path):
    log = log_of(tmp_path)
    with engine.begin() as connection:  # what a kill leaves: samples, and no run that has them
        rows = [dict(zip(SAMPLE_COLUMNS, sample(run_id_of(log), 0), strict=True))]
        connection.execute(insert(tables.sample), rows)
    assert queries.list_runs(engine) == []
    assert not import_log(engine, log).already_there
    assert rows_in(engine, "sample") == len(measured())


def test_an_import_that_fails_leaves_nothing(engine: Engine, tmp_path):
    log = log_of(tmp_path)
    twice = replace(log, steps=pd.concat([log.steps, log.steps]))  # two steps of one number
    with pytest.raises(StoreError):
        import_log(engine, twice)
    assert queries.list_runs(engine) == []
    assert [rows_in(engine, name) for name in ("sample", "step", "ingest_cursor", "cell")] == [
        0
    ] * 4
