"""From a request to the door: which runs are meant, and asking one of them or all together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rig.bench.asking import Asked, ask_run
from rig.bench.locks import has_engine
from rig.bench.status import ChannelStatus
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.engine.states import Verb
from rig.web.access import Visitor
from rig.web.house import House
from rig.web.problems import Refusal

MOST_AT_ONCE = 256
_OVER = frozenset({"finished", "stopped", "tripped", "failed"})


@dataclass(frozen=True, slots=True)
class Word:
    """What is asked, and why; ``argument`` is where ``go to`` goes."""

    verb: Verb
    argument: str = ""
    reason: str = ""


def ask_one(house: House, visitor: Visitor, run_id: str, word: Word) -> Asked:
    """Ask one run, and wait for its answer."""
    require_door(house)
    asked = ask_run(
        house.store,
        house.store_url,
        run_id,
        word.verb,
        who=visitor.name,
        reason=word.reason,
        argument=word.argument,
        clock=house.clock,
    )
    house.live.expire()
    return asked


def ask_all(house: House, visitor: Visitor, run_ids: Sequence[str], word: Word) -> list[Asked]:
    """Ask many: those that a process has, all at once; then the others, one after the other.

    Who has no process is answered here, with the instruments' own ports, which two may share.
    """
    require_door(house)
    shown = {status.run_id: status.channel for status in house.live.newest().wall.channels}
    alive = [one for one in run_ids if has_engine(shown.get(one, ""), house.store_url)]

    def ask(run_id: str) -> Asked:
        return ask_one(house, visitor, run_id, word)

    answers: dict[str, Asked] = {}
    if alive:
        with ThreadPoolExecutor(min(MOST_AT_ONCE, len(alive)), "group order") as pool:
            answers = dict(zip(alive, pool.map(ask, alive), strict=True))
    for run_id in run_ids:
        if run_id not in answers:
            answers[run_id] = ask(run_id)
    return [answers[run_id] for run_id in run_ids]


def targets_of(
    house: House, channels: Sequence[str], chamber: str, *, everything: bool
) -> list[str]:
    """Return the ids of the runs that are meant. Raises BadInput with every channel that has none.

    Of a chamber, or of everything, those are meant that are not over: a word to a finished run would
    only be refused.
    """
    house.live.expire()  # "all safe" must not miss a run that has just begun
    statuses = [one for one in house.live.newest().wall.channels if one.run_id is not None]
    if not channels and not chamber and not everything:
        message = "names nobody: expected channels, a chamber, or everything"
        raise BadInput(Problem("orders", message, example='{"verb": "safe", "everything": true}'))
    named = _named(statuses, channels)
    if chamber:
        named += _in_chamber(house, statuses, chamber)
    if everything:
        named += [status for status in statuses if status.state not in _OVER]
    return list(dict.fromkeys(str(status.run_id) for status in named))


def _named(statuses: Sequence[ChannelStatus], channels: Sequence[str]) -> list[ChannelStatus]:
    by_name = {status.channel: status for status in statuses}
    problems = [
        Problem("channels", f"no run on channel {name!r}", suggestion=did_you_mean(name, by_name))
        for name in channels
        if name not in by_name
    ]
    if problems:
        raise BadInput(problems, remedy="GET /api/channels")
    return [by_name[name] for name in channels]


def _in_chamber(
    house: House, statuses: Sequence[ChannelStatus], chamber: str
) -> list[ChannelStatus]:
    specs = house.bench.channels.values() if house.bench is not None else ()
    inside = {spec.name for spec in specs if spec.instruments.get("chamber") == chamber}
    if not inside:
        raise BadInput(Problem("chamber", f"no channel of this bench is in a chamber {chamber!r}"))
    return [one for one in statuses if one.channel in inside and one.state not in _OVER]


def require_door(house: House) -> None:
    """Refuse with 409 where no order can reach an engine from here."""
    if house.is_central:
        raise Refusal(
            409,
            "this page shows a server's database; orders reach a run on the computer that runs it",
            remedy="ask the rig serve of that rig",
        )


def plain(asked: Asked) -> dict[str, Any]:
    """Return what became of an order as one JSON object."""
    return {
        "run_id": asked.run.run_id,
        "channel": asked.run.channel,
        "verb": asked.order.verb,
        "outcome": asked.answer.outcome,
        "answer": asked.answer.words,
    }
