"""What seldom changes of a run, for whoever looks at it again and again: its program, cell and bench."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from rig.bench.cell_record import facts_of as cell_facts_of
from rig.bench.file import SIMULATED
from rig.core.errors import RigError
from rig.engine.cursor import Cursor, from_json
from rig.protocol import loads_protocol
from rig.protocol.check import estimate_duration_second
from rig.protocol.program import CellFacts, Program, Step
from rig.store.live import Row, run_facts


@dataclass(frozen=True, slots=True)
class RunFacts:
    """``program`` is None where this version cannot compile the run's text.

    ``revision`` is that text's number. ``step_numbers`` is the number, from 1, of the step at each
    address; ``chamber`` an instrument's name.
    """

    rig: str
    cell: str
    protocol: str
    chamber: str
    simulated: bool
    program: Program | None
    estimate_second: float
    step_numbers: Mapping[int, int]
    revision: int = 1


def facts_of(row: Row) -> RunFacts:
    """Return the facts of a row of rig.store.live.run_facts."""
    content = row["bench"].get("content", {})
    spec = content.get("channels", {}).get(row["channel"], {})
    program = _program(row)
    numbers = {} if program is None else _step_numbers(program)
    return RunFacts(
        row["rig"],
        row["cell_name"] or "",
        row["protocol_name"],
        str(spec.get("chamber") or ""),
        is_simulated(row["bench"]),
        program,
        0.0 if program is None else estimate_duration_second(program, program.cell),
        numbers,
        row.get("protocol_revision", 1),
    )


def is_simulated(bench: Mapping[str, Any]) -> bool:
    """Say of the bench that is kept with a run whether it was simulated."""
    instruments = bench.get("content", {}).get("instruments", {}).values()
    return bool(instruments) and all(entry.get("connect") == SIMULATED for entry in instruments)


def facts_in_force(facts: RunFacts, engine: Engine, run_id: str, cursor: Cursor | None) -> RunFacts:
    """Return the facts that a cursor is to be read with: others once the protocol was revised."""
    if cursor is None or cursor.place.revision == facts.revision:
        return facts
    return facts_of(run_facts(engine, run_id))


def _program(row: Row) -> Program | None:
    """Compile the text as it was when the run began; another version's language may be beyond us."""
    try:
        cell = cell_facts_of(_cell_record(row))
    except RigError:  # its limits are spoilt; nobody begins a run with them, and we only look
        return None
    variables = tuple(sorted((str(k), str(v)) for k, v in row["variables"].items()))
    return _compiled(row["protocol_text"], row["protocol_file"], variables, cell)


_CELL = "cell_"


def _cell_record(row: Row) -> dict[str, object]:
    """Return the run's cell as its own table has it; the row has its columns under longer names."""
    return {key.removeprefix(_CELL): row[key] for key in row if key.startswith(_CELL)}


@functools.lru_cache(maxsize=256)
def _compiled(
    text: str, file: str, variables: tuple[tuple[str, str], ...], cell: CellFacts
) -> Program | None:
    """Many cells run the same text; compiling it takes tens of milliseconds."""
    try:
        return loads_protocol(text, file_name=file, variables=dict(variables), cell=cell)
    except RigError:
        return None


def _step_numbers(program: Program) -> dict[int, int]:
    """Return the number, from 1, of the step at each address."""
    addresses = [
        address for address, item in enumerate(program.instructions) if isinstance(item, Step)
    ]
    return {address: number for number, address in enumerate(addresses, 1)}


def cursor_of(text: str | None) -> Cursor | None:
    """Return the cursor of this text, or None where there is none that this version can read."""
    try:
        return None if text is None else from_json(text)
    except (ValueError, KeyError, TypeError):  # written by another version
        return None
