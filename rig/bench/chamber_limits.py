"""How warm a chamber may be made by hand: its own range, that of each channel in it, and of each cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, and_, desc, func, not_, select

from rig.bench.cell_record import limits_of_cell
from rig.bench.file import BenchFile, ChannelSpec
from rig.bench.hand_operations import NAME
from rig.bench.offline import sheet_facts
from rig.core.errors import BadInput, Problem
from rig.store import queries, tables
from rig.store.database import translated

Span = tuple[float | None, float | None]


def require_temperature(
    engine: Engine, bench: BenchFile, channel: str, celsius: float, cell: str = ""
) -> None:
    """Raise BadInput where a channel has no chamber, or it, or a cell in it, may not go there.

    ``cell`` is the one that stands on this channel; without it, as on the other channels in the
    chamber, it is that of the newest run.
    """
    chamber = bench.channels[channel].instruments.get("chamber")
    if chamber is None:
        raise BadInput(Problem(f"channel {channel}", "has no chamber"), remedy=_REMEDY)
    inside = [one for one in bench.channels.values() if one.instruments.get("chamber") == chamber]
    problems = [one for spec in inside for one in _of_channel(bench, spec, chamber, celsius)]
    for spec in inside:
        problems += _of_cell(engine, spec.name, cell if spec.name == channel else "", celsius)
    if problems:
        raise BadInput(list(dict.fromkeys(problems)), remedy=_REMEDY)


_REMEDY = "nothing was asked of the chamber"


def _of_channel(
    bench: BenchFile, spec: ChannelSpec, chamber: str, celsius: float
) -> Iterator[Problem]:
    facts = sheet_facts(bench, spec)
    safety = facts.safety
    own = (safety.temperature_min_celsius, safety.temperature_max_celsius)
    yield from _beyond(facts.temperature or (None, None), f"chamber {chamber}", celsius)
    yield from _beyond(own, f"channel {spec.name}", celsius)


def _of_cell(engine: Engine, channel: str, named: str, celsius: float) -> list[Problem]:
    record = queries.find_cell(engine, named) if named else cell_on(engine, channel)
    try:
        limits = None if record is None else limits_of_cell(record)
    except BadInput as unread:
        return list(unread.problems)
    if record is None or limits is None:
        return []
    span = (limits.temperature_min_celsius, limits.temperature_max_celsius)
    return list(_beyond(span, f"cell {record['name']}, channel {channel}", celsius))


def _beyond(span: Span, whose: str, celsius: float) -> Iterator[Problem]:
    low, high = span
    if (low is not None and celsius < low) or (high is not None and celsius > high):
        yield Problem(whose, f"got {celsius:g} degC, expected {_span(low, high)}")


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g} degC"
    return f"at least {low:g} degC" if high is None else f"{low:g} to {high:g} degC"


def cell_on(engine: Engine, channel: str) -> dict[str, Any] | None:
    """Return the record of the cell that stands on a channel, that of its newest run; None for none.

    A look by hand at a cell that nobody named does not say that it is another one.
    """
    cell, run = tables.cell, tables.run
    unnamed = and_(
        run.c.protocol_name.startswith(NAME, autoescape=True),
        cell.c.name == run.c.channel + " " + func.substr(run.c.run_id, 1, 8),
    )
    newest = (
        select(cell)
        .join_from(run, cell, run.c.cell_id == cell.c.cell_id)
        .where(run.c.channel == channel, run.c.rig_id != tables.IMPORTED_RIG, not_(unnamed))
        .order_by(desc(run.c.created_us))
        .limit(1)
    )
    with translated(engine), engine.connect() as connection:
        row = connection.execute(newest).mappings().first()
    return None if row is None else dict(row)
