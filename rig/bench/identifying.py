"""Asking an instrument who it is, from outside an engine: only where nobody has it. No cell is touched.

Who has it has asked already: what an engine has noted of it is the answer then, with its age.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Engine, insert

from rig.bench.bench_now import look_at_bench
from rig.bench.file import SIMULATED, BenchFile
from rig.bench.inspection import firmware_note
from rig.bench.instruments import open_bench
from rig.bench.locks import Locks
from rig.core.clock import Clock, RealClock, SimulatedClock
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store import tables
from rig.store.database import translated

VERB = "identify"


@dataclass(frozen=True, slots=True)
class Identified:
    """Who answered; ``asked_us`` is when, in UTC microseconds.

    ``is_fresh``: it was asked now; else it is what an engine noted, and ``words`` says why.
    ``before`` is what it was when an engine last had it, where that differs.
    """

    name: str
    driver: str
    connect: str
    is_fresh: bool
    identity: Mapping[str, str] | None
    asked_us: int | None
    words: str
    problem: str = ""
    before: Mapping[str, str] | None = None

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self)


def identify(
    engine: Engine,
    bench: BenchFile,
    store: str,
    name: str,
    *,
    who: str,
    reason: str = "",
    clock: Clock | None = None,
) -> Identified:
    """Ask one instrument of a bench who it is, and put on record that somebody did.

    ``store`` is the URL that locks stand beside. What does not answer, or is something else, is in
    ``problem``. Raises BadInput for a name that the bench does not have.
    """
    clock = clock or RealClock()
    require_instrument(bench, name)
    found = _identify(engine, bench, store, name, clock)
    _journal(engine, found, who, reason, clock.wall_us())
    return found


def require_instrument(bench: BenchFile, name: str) -> None:
    """Raise BadInput, with the nearest name, for an instrument that the bench does not have."""
    if name not in bench.instruments:
        message = f"there is no instrument {name!r} on this bench"
        suggestion = did_you_mean(name, bench.instruments)
        raise BadInput(Problem(f"bench {bench.file}", message, suggestion=suggestion))


def _identify(engine: Engine, bench: BenchFile, store: str, name: str, clock: Clock) -> Identified:
    noted = next(one for one in look_at_bench(engine, bench, store).instruments if one.name == name)
    spec = bench.instruments[name]
    found = Identified(name, spec.driver, spec.connect, False, noted.identity, noted.noted_us, "")
    if noted.is_open:
        return _as_noted(found, "an engine has it now; so it answered when its port was opened")
    with Locks(bench, store) as locks:
        try:
            locks.take_instrument(VERB, name)
        except BadInput as busy:
            return _as_noted(found, busy.problems[0].message)
        return _asked(found, bench, clock.wall_us())


def _as_noted(found: Identified, words: str) -> Identified:
    if found.identity is None:
        return replace(found, words=words, problem="it is in use, and nobody has noted who it is")
    return replace(found, words=words)


def _asked(found: Identified, bench: BenchFile, wall_us: int) -> Identified:
    spec = bench.instruments[found.name]
    clock = SimulatedClock() if spec.connect == SIMULATED else RealClock(bench.speed or 1.0)
    try:
        with closing(open_bench(bench, clock, [found.name])) as opened:
            identity, sheet = opened.identities[found.name], opened.drivers[found.name].sheet
    except BadInput as bad:
        problem = "; ".join(one.message for one in bad.problems)
        return replace(found, identity=None, asked_us=wall_us, is_fresh=True, problem=problem)
    now = asdict(identity)
    before = found.identity if found.identity not in (None, now) else None
    words = firmware_note(identity, sheet)
    if before is not None:
        words = f"another one than before; {words}".rstrip("; ")
    return replace(found, identity=now, asked_us=wall_us, is_fresh=True, words=words, before=before)


def _journal(engine: Engine, found: Identified, who: str, reason: str, wall_us: int) -> None:
    answer = found.problem or " ".join(str(part) for part in (found.identity or {}).values())
    line = {
        "run_id": "",
        "ts_us": wall_us,
        "verb": VERB,
        "argument": found.name,
        "who": who,
        "reason": reason,
        "outcome": "failed" if found.problem else "done",
        "answer": answer,
        "answered_us": wall_us,
    }
    with translated(engine), engine.begin() as connection:
        connection.execute(insert(tables.journal).values(**line))
