"""From a request to the door: which runs are meant, and asking one of them or all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rig.bench.asking import Asked, ask_run
from rig.bench.leases import Lease, read_leases
from rig.bench.locks import has_engine
from rig.bench.making_safe import MadeSafe, Wish, make_safe
from rig.bench.status import ChannelStatus
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.records import ENDED
from rig.engine.states import Verb
from rig.web.access import Visitor
from rig.web.house import House
from rig.web.problems import Refusal

MOST_AT_ONCE = 256
_OVER = {state.value for state in ENDED}


@dataclass(frozen=True, slots=True)
class Word:
    """What is asked, and why; ``argument`` is where ``go to`` goes."""

    verb: Verb
    argument: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A channel that is meant: its run, "" for none, and the lease of who has it by hand."""

    channel: str
    run_id: str
    lease: Lease | None = None


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


def ask_all(
    house: House, visitor: Visitor, targets: Sequence[Target], word: Word
) -> list[MadeSafe]:
    """Ask many: those that a process has, all at once; then the others, one after the other.

    Who has no process is answered here, with the instruments' own ports, which two may share.
    """
    require_door(house)

    def ask(target: Target) -> MadeSafe:
        return ask_target(house, visitor, target, word)

    alive = [one for one in targets if has_engine(one.channel, house.store_url)]
    answers: dict[Target, MadeSafe] = {}
    if alive:
        with ThreadPoolExecutor(min(MOST_AT_ONCE, len(alive)), "group order") as pool:
            answers = dict(zip(alive, pool.map(ask, alive), strict=True))
    for target in targets:
        if target not in answers:
            answers[target] = ask(target)
    return [answers[target] for target in targets]


def ask_target(house: House, visitor: Visitor, target: Target, word: Word) -> MadeSafe:
    """Ask one; whoever has the channel by hand loses it where that is made safe, and only there."""
    if word.verb is not Verb.SAFE:
        return MadeSafe(ask_one(house, visitor, target.run_id, word), None)
    require_door(house)
    wish, store, url = Wish(visitor.name, word.reason), house.store, house.store_url
    made = make_safe(store, url, target.run_id, target.lease, wish, clock=house.clock)
    house.live.expire()
    return made


def targets_of(
    house: House,
    verb: Verb,
    channels: Sequence[str],
    chamber: str = "",
    *,
    everything: bool = False,
) -> list[Target]:
    """Return what is meant. Raises BadInput with every channel that has no run, nor is held by hand.

    Of a chamber, or of everything, those runs are meant that are not over: a word to a finished one
    would only be refused. Leases are meant where cells are made safe.
    """
    if not channels and not chamber and not everything:
        message = "names nobody: expected channels, a chamber, or everything"
        raise BadInput(Problem("orders", message, example='{"verb": "safe", "everything": true}'))
    house.live.expire()  # "all safe" must not miss a run that has just begun
    statuses = [one for one in house.live.newest().wall.channels if one.run_id is not None]
    leases = {one.channel: one for one in read_leases(house.store)} if verb is Verb.SAFE else {}
    inside = _in_chamber(house, chamber) if chamber else set()
    meant = _named(statuses, leases, channels)
    meant += [
        one for one in statuses if one.state not in _OVER and (everything or one.channel in inside)
    ]
    runs = {str(one.run_id): one.channel for one in meant}
    found = [Target(name, run_id, leases.pop(name, None)) for run_id, name in runs.items()]
    idle = [name for name in leases if everything or name in inside or name in channels]
    return [*found, *(Target(name, "", leases[name]) for name in idle)]


def _named(
    statuses: Sequence[ChannelStatus], leases: Mapping[str, Lease], channels: Sequence[str]
) -> list[ChannelStatus]:
    by_name = {status.channel: status for status in statuses}
    known = {**by_name, **leases}
    problems = [
        Problem("channels", f"no run on channel {name!r}", suggestion=did_you_mean(name, known))
        for name in channels
        if name not in known
    ]
    if problems:
        raise BadInput(problems, remedy="GET /api/channels")
    return [by_name[name] for name in channels if name in by_name]


def _in_chamber(house: House, chamber: str) -> set[str]:
    specs = house.bench.channels.values() if house.bench is not None else ()
    inside = {spec.name for spec in specs if spec.instruments.get("chamber") == chamber}
    if not inside:
        raise BadInput(Problem("chamber", f"no channel of this bench is in a chamber {chamber!r}"))
    return inside


def require_door(house: House) -> None:
    """Refuse with 409 where no order can reach an engine from here."""
    if house.is_central:
        raise Refusal(
            409,
            "this page shows a server's database; orders reach a run on the computer that runs it",
            remedy="ask the rig serve of that rig",
        )
