"""Records of cells on both databases: made once, changed in parts, found as they are written, journaled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from rig.core.errors import BadInput
from rig.store import queries, tables
from rig.store.accounts import Change
from rig.store.cells import add_cell, change_cell, list_cells
from rig.store.database import open_database

MADE = Change("maria", 5, "new batch")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def test_a_record_is_made_once_changed_in_parts_and_journaled(engine: Engine) -> None:
    first = {"area_square_centimetre": 1.0, "meta": {"masses_gram": {"cell": 4.0}}}
    add_cell(engine, "LPS-17", first, MADE, "words")
    with pytest.raises(BadInput, match="has a record already"):
        add_cell(engine, "LPS-17", {}, MADE, "words")
    more = {
        "area_square_centimetre": 2.0,
        "meta": {"masses_gram": {"negative": 1.0}, "note": "pressed twice"},
    }
    change_cell(engine, "LPS-17", more, Change("olaf", 6), "words")
    with pytest.raises(BadInput, match="has no record"):
        change_cell(engine, "LPS-18", more, MADE, "words")
    found = queries.find_cell(engine, "LPS-17")
    assert found is not None
    assert found["area_square_centimetre"] == 2.0
    assert found["meta"] == {"masses_gram": {"cell": 4.0, "negative": 1.0}, "note": "pressed twice"}
    with engine.connect() as connection:
        lines = connection.execute(select(tables.journal)).mappings().all()
    assert [(one["verb"], one["argument"], one["who"], one["reason"]) for one in lines] == [
        ("cell add", "LPS-17", "maria", "new batch"),
        ("cell change", "LPS-17", "olaf", ""),
    ]


def test_cells_are_found_by_name_or_chemistry_as_they_are_written(engine: Engine) -> None:
    for name, chemistry in (("B_1", "NMC"), ("A 100%", "LFP"), ("AB", None)):
        add_cell(engine, name, {"chemistry": chemistry}, MADE, "")
    found = {q: {one["name"] for one in list_cells(engine, q)} for q in ("", "b", "%", "_", "lf")}
    everything = {"A 100%", "AB", "B_1"}
    assert found == {
        "": everything,
        "b": {"AB", "B_1"},
        "%": {"A 100%"},
        "_": {"B_1"},
        "lf": {"A 100%"},
    }
    assert [one["runs"] for one in list_cells(engine)] == [0, 0, 0]
    assert len(list_cells(engine, limit=2)) == len(list_cells(engine, offset=1)) == 2
