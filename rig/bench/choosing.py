"""Which channels a protocol runs on: those that were named, or the first that can hold it."""

from __future__ import annotations

from dataclasses import replace

from rig.bench.file import BenchFile, ChannelSpec
from rig.bench.offline import sheet_facts
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.protocol.check import ChannelFacts, check_channel, needs
from rig.protocol.program import Program


def choose_channels(bench: BenchFile, program: Program, wanted: str | None) -> list[ChannelSpec]:
    """Return the channels named (``A1,A2`` or ``all``), or the first that has what is needed.

    Raises BadInput for an unknown channel, and for everything that a channel cannot do by the
    sheets of its instruments: no port has been opened then.
    """
    if wanted is None:
        return [_first_fit(bench, program)]
    names = (
        list(bench.channels) if wanted == "all" else [name.strip() for name in wanted.split(",")]
    )
    problems = [
        Problem(
            "--channel",
            f"bench {bench.file} has no channel {name!r}; it has: {', '.join(bench.channels)}",
            suggestion=did_you_mean(name, bench.channels),
        )
        for name in names
        if name not in bench.channels
    ]
    if problems:
        raise BadInput(problems)
    chosen = [bench.channels[name] for name in dict.fromkeys(names)]
    problems = [
        problem for spec in chosen for problem in check_channel(program, sheet_facts(bench, spec))
    ]
    if problems:
        raise BadInput(problems)
    return chosen


def _first_fit(bench: BenchFile, program: Program) -> ChannelSpec:
    """Return the first channel that can hold the protocol, by roles and by ranges.

    Where several have the roles but none the ranges, the problems of each say why; channels that
    have the same ones are named together.
    """
    required = needs(program)
    able = [spec for spec in bench.channels.values() if required <= set(spec.instruments)]
    if not able:
        message = f"no channel has all that protocol {program.name!r} needs: {', '.join(sorted(required))}"
        raise BadInput(Problem(f"bench {bench.file}", message))
    alike: dict[tuple[Problem, ...], list[ChannelFacts]] = {}
    for spec in able:
        facts = sheet_facts(bench, spec)
        wrong = tuple(check_channel(program, replace(facts, name="")))
        if not wrong:
            return spec
        alike.setdefault(wrong, []).append(facts)
    raise BadInput([one for group in alike.values() for one in _problems_of(program, group)])


def _problems_of(program: Program, alike: list[ChannelFacts]) -> list[Problem]:
    names = ", ".join(facts.name for facts in alike)
    return check_channel(program, replace(alike[0], name=names))
