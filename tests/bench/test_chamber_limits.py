"""How warm a chamber may be by hand: what its channels may see, and the cells that stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from rig.bench.cell_record import set_limits
from rig.bench.chamber_limits import require_temperature
from rig.bench.file import BenchFile, load_bench
from rig.bench.hand_operations import FILE, ByHand, Operation, protocol_text
from rig.bench.starting import Job, cell_facts, start
from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.store import tables
from rig.store.database import open_database

SHORT = "protocol: 1\nname: short\nsteps:\n  - rest: {for: 2 s}\n"
BENCH = load_bench("sim")


class Stand:
    """A database of this bench; ``runs`` leaves a cell on a channel."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, open_database(url)

    def runs(self, channel: str, cell: str = "", text: str = SHORT) -> None:
        program = loads_protocol(text, file_name=FILE, cell=cell_facts(self.engine, cell))
        job = Job(program, FILE, BENCH.channels[channel], cell)
        start([job], BENCH, database=self.url).run()

    def told(self, celsius: float, cell: str = "", channel: str = "C1") -> list[str]:
        """Return what is wrong with this temperature in the channel's chamber."""
        return told(self.engine, BENCH, channel, celsius, cell)


def told(
    engine: Engine, bench: BenchFile, channel: str, celsius: float, cell: str = ""
) -> list[str]:
    try:
        require_temperature(engine, bench, channel, celsius, cell)
    except BadInput as bad:
        return [f"{one.where}: {one.message}" for one in bad.problems]
    return []


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    stand = Stand(f"sqlite:///{tmp_path / 'rig.db'}")
    set_limits(stand.url, "LPS-17", "{temperature: [0 degC, 45 degC]}")
    yield stand
    stand.engine.dispose()


def test_a_cell_in_the_chamber_is_warmed_no_further_than_its_record_allows(stand: Stand) -> None:
    """Whoever's channel it is on; the other limits hold as before."""
    stand.runs("C2", "LPS-17")
    assert stand.told(45) == []
    assert stand.told(46) == ["cell LPS-17, channel C2: got 46 degC, expected 0 to 45 degC"]
    assert stand.told(-1) == ["cell LPS-17, channel C2: got -1 degC, expected 0 to 45 degC"]
    whose = {one.partition(":")[0] for one in stand.told(95)}
    assert whose == {"channel C1", "channel C2", "cell LPS-17, channel C2"}
    assert stand.told(46, channel="P1") == []  # another chamber


def test_the_cell_that_is_named_is_the_one_that_stands_there(stand: Stand) -> None:
    stand.runs("C1", "LPS-18")
    assert stand.told(46) == []
    assert stand.told(46, "LPS-17") == [
        "cell LPS-17, channel C1: got 46 degC, expected 0 to 45 degC"
    ]
    stand.runs("C1", "LPS-17")
    assert stand.told(46, "LPS-18") == []
    assert stand.told(46, "LPS-99") == []  # a new one, of which nothing is written down
    assert len(stand.told(46)) == 1


def test_a_look_by_hand_at_a_cell_that_nobody_named_does_not_make_it_another(stand: Stand) -> None:
    stand.runs("C1", "LPS-17")
    stand.runs("C1", text=protocol_text(ByHand(Operation.OPEN_CIRCUIT, {}), BENCH, "C1"))
    assert len(stand.told(46)) == 1
    stand.runs("C1")  # a run with an unnamed cell: that is another one
    assert stand.told(46) == []


def test_limits_that_cannot_be_read_are_refused_and_never_none(stand: Stand) -> None:
    stand.runs("C2", "LPS-17")
    with stand.engine.begin() as connection:
        spoilt = {"limits": {"temperature": "45"}}
        connection.execute(
            update(tables.cell).where(tables.cell.c.name == "LPS-17").values(meta=spoilt)
        )
    (problem,) = stand.told(25)
    assert "temperature limits are a pair" in problem
