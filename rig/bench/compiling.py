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
    loaded, seen = _loaded(engine, wish), _seen(engine)
    programs: dict[str, Program] = {}
    for name, cell in wish.cells.items():
        program = loaded[cell]
        if isinstance(program, BadInput):
            problems += program.problems
        elif name in bench.channels:
            facts = sheet_facts(bench, bench.channels[name], seen.get(name, {}))
            unfit = check_channel(program, facts)
            problems += unfit
            programs |= {} if unfit else {name: program}
    return programs, list(dict.fromkeys(problems))


def _loaded(engine: Engine, wish: Wish) -> dict[str, Program | BadInput]:
    """Return the protocol as it is for each cell, or what is wrong with it: many channels may have none."""
    found: dict[str, Program | BadInput] = {}
    for cell in dict.fromkeys(wish.cells.values()):
        try:
            facts = cell_facts(engine, cell)
            found[cell] = loads_protocol(
                wish.text, file_name=wish.file, variables=dict(wish.variables), cell=facts
            )
        except BadInput as bad:
            found[cell] = bad
    return found


def _unknown(bench: BenchFile, wish: Wish) -> Iterator[Problem]:
    known = ", ".join(bench.channels)
    for name in wish.cells:
        if name not in bench.channels:
            message = f"bench {bench.file} has none of that name; it has: {known}"
            suggestion = did_you_mean(name, bench.channels)
            yield Problem(f"channel {name}", message, suggestion=suggestion)


def _seen(engine: Engine) -> dict[str, dict[str, str]]:
    """Return channel -> the models of its instruments as they answered when it last began."""
    found: dict[str, dict[str, str]] = {}
    for run in queries.list_runs(engine):
        identities = run.values["bench"].get("identities") or {}
        if identities:
            models = {name: who["model"] for name, who in identities.items()}
            found.setdefault(run.channel, models)
    return found
