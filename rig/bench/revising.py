"""Changing a running run: a new text of its protocol, checked like a start, on its way to the engine.

Who asks drafts it: the text is compiled for the run's cell, checked against its channel and against the
place where the run stands, and shown as a difference. The engine does all of that once more with the
instruments that it has open, at the moment when it counts: see rig/engine/revising.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine

from rig.bench.asking import Asked, give_order
from rig.bench.cell_record import facts_of
from rig.bench.file import load_bench
from rig.bench.instruments import OpenBench
from rig.bench.offline import sheet_facts
from rig.bench.revising_alone import is_nobodys, revise_alone
from rig.bench.run_facts import cursor_of
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem, RigError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.carrying import carried
from rig.engine.revision import Proposed
from rig.engine.runner import Run
from rig.engine.states import Verb, after
from rig.protocol import loads_protocol
from rig.protocol.channel_facts import ChannelFacts
from rig.protocol.check import check_channel
from rig.protocol.difference import Change, Effect, difference
from rig.protocol.program import Program
from rig.protocol.source import read_source
from rig.protocol.usual import in_force
from rig.protocol.variables import default_values
from rig.store import queries, revisions
from rig.store.queries import RunRecord

_NOT_CHANGED = "the run goes on as it was"


@dataclass(frozen=True, slots=True)
class Draft:
    """A revision that could be asked for: what it changes, and the program that it is."""

    run: RunRecord
    old: Program
    program: Program
    file: str
    changes: tuple[Change, ...]

    @property
    def wider(self) -> tuple[str, ...]:
        """Return the limits that it widens, in words."""
        return tuple(str(one) for one in self.changes if one.effect is Effect.WIDER)


def draft(
    engine: Engine,
    run: RunRecord,
    text: str,
    *,
    file: str,
    variables: Mapping[str, str] | None = None,
) -> Draft:
    """Check another text of a run's protocol as a start would be, and for the place the run is at.

    ``variables`` are as for --set; the run's own are kept. Raises BadInput with everything that is
    wrong, RigError for a run in whose state nothing can be changed. Nothing is on record yet.
    """
    after(RunState(run.state), Verb.REVISE.value)
    facts = _facts(run)
    old = in_force(
        _compiled(engine, run, run.values["protocol_text"], run.values["variables"]), facts
    )
    given = _variables(run, text, file) | dict(variables or {})
    plain = _compiled(engine, run, text, given, file)
    new = in_force(plain, facts)
    problems = [*check_channel(plain, facts), *_place_problems(engine, run, old, new)]
    if problems:
        raise BadInput(problems, remedy=_NOT_CHANGED)
    return Draft(run, old, new, file, difference(old, new))


def ask_revision(
    engine: Engine,
    database: str,
    wanted: Draft,
    *,
    who: str,
    reason: str,
    may_widen: bool = False,
    clock: Clock | None = None,
) -> Asked:
    """Ask that the run goes on by the drafted text: the engine that has it, whose answer is waited for.

    Where no process has the run, it is done here: whoever takes it up goes on by the new text.
    """
    clock = clock or RealClock()
    run, asked_us = wanted.run, clock.wall_us()
    row = _texts(run.run_id, uuid.uuid4().hex, wanted.file, wanted.program) | {
        "instead_of_sha256": run.values["protocol_sha256"],
        "may_widen": may_widen,
        "who": who,
        "reason": reason,
        "asked_us": asked_us,
    }
    order = Order(0, run.run_id, Verb.REVISE.value, "", who, reason, asked_us)
    give = partial(revisions.propose, engine, row, order)
    if is_nobodys(run, database):
        order = give()
        proposed = Proposed(
            order,
            wanted.program,
            row,
            _as_begun(run),
            may_widen=may_widen,
            instead_of=run.values["protocol_sha256"],
        )
        return Asked(run, order, revise_alone(engine, database, run, wanted.old, proposed))
    return give_order(engine, database, run, Verb.REVISE, give, clock=clock)


# --- what is checked -----------------------------------------------------------------------------


def _facts(run: RunRecord) -> ChannelFacts:
    bench = load_bench(run.values["bench"]["file"])
    spec = bench.channels.get(run.channel)
    if spec is None:
        message = f"ran on channel {run.channel!r}, which bench {bench.file} does not have"
        raise BadInput(Problem(f"run {run.run_id[:12]}", message))
    identities = run.values["bench"].get("identities", {})
    return sheet_facts(bench, spec, {name: who["model"] for name, who in identities.items()})


def _compiled(
    engine: Engine, run: RunRecord, text: str, variables: Mapping[str, str], file: str = ""
) -> Program:
    cell = facts_of(queries.load_cell(engine, run.values["cell_id"]) or {})
    name = file or run.values["protocol_file"]
    return loads_protocol(text, file_name=name, variables=dict(variables), cell=cell)


def _variables(run: RunRecord, text: str, file: str) -> dict[str, str]:
    """Return the values that the run was given beyond its file's own, as far as the new text has them."""
    usual = default_values(read_source(run.values["protocol_text"], run.values["protocol_file"]))
    known = default_values(read_source(text, file))
    return {
        name: value
        for name, value in run.values["variables"].items()
        if usual.get(name) != value and (name in known or f"${name}" in text)
    }


def _place_problems(
    engine: Engine, run: RunRecord, old: Program, new: Program
) -> Sequence[Problem]:
    """Ask whether the place where the run was committed last has one in the new text."""
    stored = queries.load_cursor(engine, run.run_id)
    cursor = cursor_of(stored[0]) if stored is not None else None
    if cursor is None:
        return [Problem(f"run {run.run_id[:12]}", "has no place in its protocol yet")]
    try:
        carried(old, new, cursor.place)
    except BadInput as nowhere:
        return nowhere.problems
    return []


# --- the engine's side ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposals:
    """Reads what was proposed for a run of this engine, and checks it with the instruments it has."""

    engine: Engine
    bench: OpenBench

    def read(self, run: Run, order: Order) -> Proposed:
        """Return what an order ``revise`` asks for. Raises RigError where it is not possible."""
        row = revisions.proposal(self.engine, run.run_id, order.argument)
        if row is None or row["asked_us"] != order.asked_us:  # each is obeyed for its own order
            message = "an order to revise needs a text"
            raise RigError(
                message, remedy="rig revise RUN PROTOCOL, or POST /api/runs/RUN/revisions"
            )
        record = queries.find_run(self.engine, run.run_id)
        text, file = row["protocol_text"], row["protocol_file"]
        program = _compiled(self.engine, record, text, row["variables"], file)
        facts = self.bench.facts(self.bench.bench.channels[record.channel])
        problems = check_channel(program, facts)
        if problems:
            raise BadInput(problems)
        return Proposed(
            order,
            in_force(program, facts),
            row,
            _as_begun(record),
            may_widen=bool(row["may_widen"]),
            instead_of=row["instead_of_sha256"],
        )


def _as_begun(record: RunRecord) -> dict[str, Any]:
    """Return the row of the text that a run began with: only its first revision needs it."""
    values = record.values
    names = ("protocol_file", "protocol_text", "protocol_sha256", "variables", "run_id")
    begun_us = values["started_us"] or values["created_us"]
    return {name: values[name] for name in names} | {
        "revision_id": record.run_id,
        "number": 1,
        "instead_of_sha256": "",
        "may_widen": False,
        "who": "",
        "reason": "as the run began",
        "asked_us": values["created_us"],
        "difference": [],
        "applied_us": begun_us,
        "test_time_second": 0.0,
        "seq_first": 0,
        "step_count": 1,
    }


def _texts(run_id: str, revision_id: str, file: str, program: Program) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "revision_id": revision_id,
        "protocol_file": file,
        "protocol_text": program.text,
        "protocol_sha256": program.sha256,
        "variables": dict(program.variables),
    }
