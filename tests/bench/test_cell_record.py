"""Limits of a cell's own: written by a person, kept in its record, in force with every protocol."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from rig.bench.cell_record import limits_in_force, set_limits
from rig.bench.file import load_bench
from rig.bench.run_facts import facts_of
from rig.bench.starting import Job, load_job_program, start
from rig.core.errors import BadInput
from rig.core.records import RunState
from rig.store import tables
from rig.store.database import open_database, open_if_there
from rig.store.live import run_facts

PROTOCOL = """protocol: 1
name: charge
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.0 V, 4.3 V], current: 10 mA}
steps: [{charge: {at: 1C, until: 4.25 V, for: 5 min}}]
"""


@pytest.fixture
def database(tmp_path: Path) -> str:
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    return f"sqlite:///{tmp_path / 'rig.db'}"


def test_limits_are_kept_as_they_were_written_and_taken_away_again(database: str) -> None:
    set_limits(
        database, "LPS-17", "{voltage: [2.5 V, 4.2 V], auxiliaries: {dew_point: < -40 degC}}"
    )
    kept = {"voltage": ["2.5 V", "4.2 V"], "auxiliaries": {"dew_point": "< -40 degC"}}
    assert limits_in_force(database, "LPS-17") == kept
    set_limits(database, "LPS-17", None)
    assert limits_in_force(database, "LPS-17") is None


def test_what_is_wrong_is_refused_all_at_once_and_nothing_is_written(database: str) -> None:
    set_limits(database, "LPS-17", "{voltage: [2.5 V, 4.2 V]}")
    with pytest.raises(BadInput) as caught:
        set_limits(database, "LPS-17", "{voltage: [4.2 V, 2.5 V], pressure: 3, volts: 3 V}")
    assert len(caught.value.problems) == 3
    assert limits_in_force(database, "LPS-17") == {"voltage": ["2.5 V", "4.2 V"]}


def test_a_cell_that_nobody_knows_has_no_limits_to_show(database: str) -> None:
    with pytest.raises(BadInput, match="has no record"):
        limits_in_force(database, "LPS-17")


def test_a_protocol_beyond_the_limits_of_its_cell_is_refused_and_another_cell_may_run_it(
    database: str, tmp_path: Path
) -> None:
    set_limits(database, "LPS-17", "{voltage: [2.5 V, 4.2 V]}")
    file = str(tmp_path / "p.yaml")
    engine = open_if_there(database)
    with pytest.raises(BadInput, match=r"4\.25 V can never be reached: it lies above 4\.2 V"):
        load_job_program(file, {}, engine, "LPS-17")
    assert load_job_program(file, {}, engine, "LPS-18").safety.voltage_max_volt == 4.3
    assert engine is not None
    engine.dispose()


def test_a_run_trips_at_the_limit_of_its_cell_whatever_the_protocol_allows(
    database: str, tmp_path: Path
) -> None:
    set_limits(database, "LPS-17", "{capacity: 0.05 mAh}")
    engine = open_if_there(database)
    program = load_job_program(str(tmp_path / "p.yaml"), {}, engine, "LPS-17")
    assert engine is not None
    engine.dispose()
    bench = load_bench("sim")
    session = start(
        [Job(program, "p.yaml", bench.channels["C1"], "LPS-17")], bench, database=database
    )
    session.run()
    assert session.runs[0].state is RunState.TRIPPED
    assert "above the limit of 5e-05 Ah" in session.runs[0].reason


def test_limits_that_somebody_spoilt_in_the_database_start_nothing(
    database: str, tmp_path: Path
) -> None:
    set_limits(database, "LPS-17", "{voltage: [2.5 V, 4.2 V]}")
    engine = open_database(database)
    with engine.begin() as connection:
        spoilt = {"limits": {"voltage": "4.2"}}
        connection.execute(update(tables.cell).values(meta=spoilt))
        assert connection.execute(select(tables.cell.c.meta)).scalar() == spoilt
    with pytest.raises(BadInput, match="cell LPS-17, limits:1:13"):
        load_job_program(str(tmp_path / "p.yaml"), {}, engine, "LPS-17")
    engine.dispose()


def test_whoever_looks_at_a_run_sees_it_within_the_limits_of_its_cell(
    database: str, tmp_path: Path
) -> None:
    """Spoilt limits are no reason to show nothing of a run that goes on."""
    set_limits(database, "LPS-17", "{voltage: [2.5 V, 4.28 V]}")
    engine = open_database(database)
    program = load_job_program(str(tmp_path / "p.yaml"), {}, engine, "LPS-17")
    bench = load_bench("sim")
    session = start(
        [Job(program, "p.yaml", bench.channels["C1"], "LPS-17")], bench, database=database
    )
    run_id = session.runs[0].run_id
    session.run()
    facts = facts_of(run_facts(engine, run_id))
    assert facts.program is not None
    assert facts.program.safety.voltage_max_volt == 4.28
    with engine.begin() as connection:
        connection.execute(update(tables.cell).values(meta={"limits": {"voltage": "4.2"}}))
    spoilt = facts_of(run_facts(engine, run_id))
    engine.dispose()
    assert (spoilt.cell, spoilt.program) == ("LPS-17", None)
