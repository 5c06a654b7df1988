"""A protocol as it would run on channels: with each cell's record, on each channel's instruments.

What a check shows and what a start refuses is decided here once. No port is opened, nothing is
written; whether a channel is free is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from rig.bench.file import BenchFile
from rig.bench.offline import sheet_facts
from rig.bench.starting import cell_facts
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.protocol import loads_protocol
from rig.protocol.check import check_channel
from rig.protocol.program import Program
from rig.store import queries


@dataclass(frozen=True)
class Wish:
    """A protocol for channels: ``cells`` has each channel's cell by name, empty where it has none.

    ``file`` is what messages call the text; ``lease_id`` is of who has the channel by hand.
    """

    text: str
    file: str
    cells: Mapping[str, str]
    variables: Mapping[str, str]
    lease_id: str = ""


def compiled(
    engine: Engine, bench: BenchFile, wish: Wish
) -> tuple[dict[str, Program], list[Problem]]:
    """Return the program of each channel that can run it, and all that speaks against the others."""
    problems = list(_unknown(bench, wish))
    programs = {}
    for name in wish.cells:
        try:
            programs[name] = _program(engine, bench, wish, name)
        except BadInput as bad:
            problems += bad.problems
    return programs, list(dict.fromkeys(problems))


def _unknown(bench: BenchFile, wish: Wish) -> Iterator[Problem]:
    known = ", ".join(bench.channels)
    for name in wish.cells:
        if name not in bench.channels:
            message = f"bench {bench.file} has none of that name; it has: {known}"
            suggestion = did_you_mean(name, bench.channels)
            yield Problem(f"channel {name}", message, suggestion=suggestion)


def _program(engine: Engine, bench: BenchFile, wish: Wish, channel: str) -> Program:
    facts = cell_facts(engine, wish.cells[channel])
    program = loads_protocol(
        wish.text, file_name=wish.file, variables=dict(wish.variables), cell=facts
    )
    spec = bench.channels.get(channel)
    if spec is not None:
        problems = check_channel(program, sheet_facts(bench, spec, _seen(engine, channel)))
        if problems:
            raise BadInput(problems)
    return program


def _seen(engine: Engine, channel: str) -> dict[str, str]:
    """Return the models of this channel's instruments as they answered when it last began."""
    for run in queries.list_runs(engine):
        identities = run.values["bench"].get("identities") or {}
        if run.channel == channel and identities:
            return {name: who["model"] for name, who in identities.items()}
    return {}
