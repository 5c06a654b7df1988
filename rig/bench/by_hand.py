"""Asking the engine for an operation by hand, under a lease. Opens no port."""

from __future__ import annotations

from sqlalchemy import Engine

from rig.bench.asking import Asked, await_starts
from rig.bench.file import BenchFile
from rig.bench.hand_operations import FILE, ByHand, protocol_text
from rig.bench.hosting import request_start
from rig.bench.leases import Lease
from rig.core.clock import Clock, RealClock
from rig.engine.states import Verb
from rig.store.orders import Answer, answer, ask


def begin_by_hand(
    engine: Engine,
    bench: BenchFile,
    lease: Lease,
    by_hand: ByHand,
    *,
    who: str,
    reason: str = "",
    cell: str = "",
    clock: Clock | None = None,
) -> Asked:
    """Ask the engine for one operation under a lease, and wait until it has begun.

    Raises BadInput with everything that is wrong with it; nothing is on record then.
    """
    text = protocol_text(by_hand, bench, lease.channel)
    run_ids = request_start(
        engine,
        bench,
        protocol_text=text,
        protocol_file=FILE,
        channels=[lease.channel],
        cells={lease.channel: cell} if cell else {},
        who=who,
        reason=reason or lease.reason,
        lease_id=lease.lease_id,
        clock=clock,
    )
    return await_starts(engine, run_ids, clock=clock)[0]


def note_begun(engine: Engine, run_id: str, *, who: str, reason: str) -> None:
    """Put on record who began an operation in a process of his own, where no engine was asked."""
    wall_us = RealClock().wall_us()
    order = ask(engine, run_id, Verb.START.value, who=who, reason=reason, wall_us=wall_us)
    answer(engine, order, Answer("done", "in a process of its own; no engine was at work"), wall_us)
