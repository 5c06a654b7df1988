"""A run as one file and back, on both databases: to the last bit, or refused with the reason."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from rig.core.errors import BadInput
from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.archive import archive_run, pack, read_run, restore, unpack
from rig.store.database import open_database
from rig.store.forwarder import forward
from tests.store.stores import event, recorder_on, run_values, sample

RUN = "a" * 32
OTHER = "b" * 32


@pytest.fixture
def elsewhere(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def a_run(path: Path, samples: list[tuple[object, ...]] | None = None, **run: Any) -> Engine:
    """Make a database with a finished run that has something in every table."""
    engine = open_database(f"sqlite:///{path}")
    cell = {
        "cell_id": "c" * 32,
        "name": "LPS-17",
        "area_square_centimetre": 0.785,
        "meta": {"x": 1},
    }
    values = run_values(RUN, 5, RunState.FINISHED) | {"cell_id": cell["cell_id"], "reason": "done"}
    with engine.begin() as connection:
        rig = {"rig_id": "rig", "name": "rig of the left bench", "created_us": 1}
        connection.execute(insert(tables.rig).values(**rig))
        connection.execute(insert(tables.cell).values(**cell))
        connection.execute(insert(tables.run).values(**values | run))
    recorder = recorder_on(engine)
    for row in samples if samples is not None else [sample(RUN, seq) for seq in range(25)]:
        recorder.sample(row)
    for table, row in _ROWS:
        recorder.row(table, row)
    recorder.commit()
    forward(engine)
    with engine.begin() as connection:
        connection.execute(insert(tables.result).values(**_RESULT))
    return engine


_PLACE = {"step_count": 1, "cycle_count": 1, "phase": "", "tag": "", "name": "eis_0"}
_PLACE |= {"test_time_second": 3.0, "ts_us": 3}
_SPECTRUM = {"run_id": RUN, "spectrum_count": 1, **_PLACE, "complete": True, "correction": {"a": 1}}
_POINT = {"run_id": RUN, "spectrum_count": 1, "point_index": 0, "ts_us": 3, "flags": 0}
_POINT |= {"frequency_hertz": 0.1 + 0.2, "real_impedance_ohm": 1 / 3, "repeated": False}
_STEP = {"run_id": RUN, "step_count": 1, "step_id": 0, "cycle_count": 1, "kind": "rest"}
_STEP |= {"words": "rest 5 µm", "began_second": 0.0, "ended_second": 9.0, "seq_first": 0}
_STEP |= {"seq_last": 9, "capacity_ah": 1e-300, "energy_wh": 0.0, "reason": "time"}
_RESULT = {"run_id": RUN, "method": "ea", "version": "1", "inputs_sha256": "0", "created_us": 1}
_RESULT |= {"values": {"value": 0.35, "interval_95": [0.3, float("inf")]}, "flags": []}
_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("step", _STEP),
    ("spectrum", _SPECTRUM),
    ("impedance_point", _POINT),
    ("event", event(RUN, 1)),
    ("event", event(RUN, 2)),
]


def archived(engine: Engine, folder: Path) -> bytes:
    path = folder / "run.zip"
    archive_run(engine, queries.find_run(engine, RUN), path)
    return path.read_bytes()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_archive_restores_elsewhere_and_gives_the_same_bytes_again(elsewhere, tmp_path):
    data = archived(a_run(tmp_path / "here.db"), tmp_path)
    done = restore(elsewhere, unpack(data, "run.zip"), "run.zip")
    assert (done.samples, done.already_there, done.cell, done.notes) == (25, False, "LPS-17", ())
    assert archived(elsewhere, tmp_path) == data


def test_everything_is_in_it_in_files_that_other_programs_read(tmp_path):
    found = members(archived(a_run(tmp_path / "here.db"), tmp_path))
    assert found["protocol.yaml"] == b"protocol: 1"
    manifest = json.loads(found["manifest.json"])
    assert set(manifest["sha256"]) == set(found) - {"manifest.json"}
    assert manifest["rows"]["samples"] == 25
    assert manifest["rows"]["impedance_points"] == 1
    (step,) = json.loads(found["steps.json"])
    assert step["words"] == "rest 5 µm"
    assert [row["message"] for row in json.loads(found["events.json"])] == [
        "after sample 1",
        "after sample 2",
    ]


numbers = st.floats(allow_nan=False, width=64)
readings = st.one_of(st.none(), numbers)
aux = st.one_of(st.none(), st.dictionaries(st.sampled_from(["strain", "µ"]), st.floats(-9, 9)))


def _text(values: dict[str, float] | None) -> str | None:
    return None if values is None else json.dumps(values)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(readings, readings, numbers, aux), max_size=12))
def test_whatever_was_measured_comes_back_to_the_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("archive")
    made = [
        sample(RUN, seq, voltage_volt=v, applied_pressure_pa=p, charging_energy_wh=e, aux=_text(a))
        for seq, (v, p, e, a) in enumerate(rows)
    ]
    here, there = a_run(folder / "here.db", made), open_database(f"sqlite:///{folder}/there.db")
    data = archived(here, folder)
    restore(there, unpack(data, "run.zip"), "run.zip")
    assert archived(there, folder) == data
    here.dispose()
    there.dispose()


def test_a_run_that_is_there_with_the_same_content_is_left_as_it_is(elsewhere, tmp_path):
    content = unpack(archived(a_run(tmp_path / "here.db"), tmp_path), "run.zip")
    restore(elsewhere, content, "run.zip")
    again = restore(elsewhere, content, "run.zip")
    assert (again.already_there, again.notes) == (True, ())


def test_results_that_were_found_since_are_kept_and_said(elsewhere, tmp_path):
    content = unpack(archived(a_run(tmp_path / "here.db"), tmp_path), "run.zip")
    restore(elsewhere, content, "run.zip")
    queries.replace_result(elsewhere, _RESULT | {"method": "another"})
    again = restore(elsewhere, content, "run.zip")
    assert again.notes == ("results differ from the archive's: those here are kept",)


def test_a_run_that_is_there_with_other_content_is_refused(elsewhere, tmp_path):
    restore(elsewhere, unpack(archived(a_run(tmp_path / "a.db"), tmp_path), "a.zip"), "a.zip")
    rows = [sample(RUN, seq, voltage_volt=4.0) for seq in range(25)]
    changed = archived(a_run(tmp_path / "b.db", rows, reason="stopped"), tmp_path)
    with pytest.raises(BadInput, match="is here already, with other run, samples"):
        restore(elsewhere, unpack(changed, "b.zip"), "b.zip")


def test_an_alarm_that_was_open_keeps_no_channel_here_from_starting(elsewhere, tmp_path):
    engine = a_run(tmp_path / "here.db")
    alarm: dict[str, Any] = {"alarm_id": "d" * 32, "run_id": RUN, "channel": "A1"}
    alarm |= {"severity": "critical", "kind": "safety-voltage", "message": "4.5 V", "unit": "V"}
    alarm |= {"raised_us": 5, "times": 2, "last_us": 7, "acknowledged_by": ""}
    queries.insert_row(engine, tables.alarm, alarm | {"acknowledge_reason": ""})
    done = restore(elsewhere, unpack(archived(engine, tmp_path), "run.zip"), "run.zip")
    (kept,) = queries.table_rows(elsewhere, tables.alarm, RUN)
    assert (kept["acknowledged_us"], kept["acknowledged_by"]) == (7, "rig runs import")
    assert "1 open alarms came along" in done.notes[0]


def test_a_cell_of_the_same_name_is_told_apart(elsewhere, tmp_path):
    queries.insert_row(elsewhere, tables.cell, {"cell_id": OTHER, "name": "LPS-17"})
    content = unpack(archived(a_run(tmp_path / "here.db"), tmp_path), "run.zip")
    done = restore(elsewhere, content, "run.zip")
    assert "LPS-17 (cccccccc)" in done.notes[0]
    kept = queries.load_cell(elsewhere, "c" * 32)
    assert kept is not None
    assert (kept["name"], kept["area_square_centimetre"]) == ("LPS-17 (cccccccc)", 0.785)


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.PAUSED, RunState.QUEUED])
def test_a_run_that_goes_on_is_not_archived(tmp_path, state):
    engine = a_run(tmp_path / "here.db", state=state.value)
    with pytest.raises(BadInput, match="only one that has ended can be archived"):
        archived(engine, tmp_path)
    assert not (tmp_path / "run.zip").exists()


# --- damage --------------------------------------------------------------------------------------

Damage = Callable[[dict[str, bytes]], None]


def _changed(data: bytes, change: Damage) -> bytes:
    found = members(data)
    change(found)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return file.getvalue()


def _in_manifest(**values: object) -> Damage:
    def change(found: dict[str, bytes]) -> None:
        found["manifest.json"] = json.dumps(json.loads(found["manifest.json"]) | values).encode()

    return change


def _replace(name: str, content: bytes) -> Damage:
    return lambda found: found.update({name: content})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_replace("steps.json", b"[]"), "steps.json is damaged: its digest is another"),
        (lambda found: found.pop("samples.parquet"), "samples.parquet is missing"),
        (_replace("extra.json", b"{}"), ""),
        (_replace("manifest.json", b"{"), "its manifest.json cannot be read"),
        (_replace("manifest.json", b'{"format": "other"}'), "is another program's"),
        (_in_manifest(version=2), "version is 2, this software reads up to 1"),
        (_in_manifest(schema_version=99), "schema_version is 99"),
        (_in_manifest(run_id=OTHER), "run is of another run"),
        (_in_manifest(rows={}), "samples has not as many rows"),
        (_in_manifest(sha256=None), "has no digests"),
    ],
)
def test_a_damaged_or_foreign_archive_is_refused_with_what_is_wrong(tmp_path, damage, words):
    data = _changed(archived(a_run(tmp_path / "here.db"), tmp_path), damage)
    if not words:  # what the manifest does not name is nobody's business
        assert unpack(data, "run.zip").run_id == RUN
        return
    with pytest.raises(BadInput) as caught:
        unpack(data, "run.zip")
    assert words in str(caught.value)


def test_an_archive_that_is_cut_off_is_refused(tmp_path):
    data = archived(a_run(tmp_path / "here.db"), tmp_path)
    with pytest.raises(BadInput, match="damaged or cut off"):
        unpack(data[:-100], "run.zip")


def test_any_byte_that_is_turned_over_is_seen_or_changes_nothing(tmp_path):
    data = archived(a_run(tmp_path / "here.db"), tmp_path)
    whole = unpack(data, "run.zip")
    for at in range(0, len(data), 199):
        turned = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            assert pack(unpack(turned, "run.zip")) == pack(whole)
        except BadInput:
            continue


def test_an_archive_of_an_older_schema_has_the_columns_of_today(tmp_path):
    engine = a_run(tmp_path / "here.db")
    content = read_run(engine, queries.find_run(engine, RUN))
    older = {key: value for key, value in content.run.items() if key != "origin"}
    data = pack(type(content)(older, content.cell, content.rig, content.samples, content.rows))
    assert unpack(data, "run.zip").run == content.run
