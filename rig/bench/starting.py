"""Starting and resuming runs: from checked files to a session that is ready to run.

Everything that can be refused is refused in ``start``, before anything is switched on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from rig.bench.cell_record import facts_of
from rig.bench.file import SIMULATED, BenchFile, ChannelSpec
from rig.bench.instruments import OpenBench, WrapLink, identity_snapshot, open_bench
from rig.bench.locks import lock_channels
from rig.bench.port_times import PortTimes
from rig.bench.registering import Entry, register
from rig.bench.speed import make_clock
from rig.bench.watchdog import watchdog_for
from rig.core.clock import SIMULATED_EPOCH_US, Clock, PacedClock, SimulatedClock
from rig.core.errors import BadInput, Problem
from rig.core.records import RunState
from rig.engine.channel import Channel
from rig.engine.cursor import Cursor, from_json
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule, ThreadedSchedule
from rig.engine.states import resumable
from rig.protocol import load_protocol, loads_protocol
from rig.protocol.check import check_channel
from rig.protocol.program import CellFacts, OnGap, Program
from rig.protocol.usual import in_force
from rig.store import queries
from rig.store.address import is_server
from rig.store.alarms import require_unblocked
from rig.store.database import translated
from rig.store.forwarder import forward
from rig.store.journal import open_store, prepare_store
from rig.store.recorder import Recorder

if TYPE_CHECKING:
    from rig.bench.notifying import Notifier
    from rig.store.forwarding import Forwarder

from rig.bench.session import Session


@dataclass(frozen=True)
class Job:
    """One protocol on one channel, not yet begun; ``resume_of`` when it continues a run.

    ``start_us`` is where simulated wall time begins: a resumed rehearsal goes on from its end.
    ``by_itself``: nobody asked for it; then the protocol's ``on_gap`` says what is done.
    """

    program: Program
    protocol_file: str
    channel: ChannelSpec
    cell_name: str = ""
    resume_of: queries.RunRecord | None = None
    start_us: int = SIMULATED_EPOCH_US
    by_itself: bool = False


# --- choosing ------------------------------------------------------------------------------------


def load_job_program(
    file: str, variables: dict[str, str], database: Engine | None, cell_name: str
) -> Program:
    """Read and compile a protocol; the cell's record in the database wins over the file."""
    return load_protocol(file, variables=variables, cell=cell_facts(database, cell_name))


def cell_facts(database: Engine | None, name: str) -> CellFacts | None:
    """Return what the cell's record says of it, or None where there is none."""
    record = queries.find_cell(database, name) if database is not None and name else None
    return None if record is None else facts_of(record)


# --- starting ------------------------------------------------------------------------------------


def start(
    jobs: Sequence[Job],
    bench: BenchFile,
    *,
    database: str,
    speed: str | None = None,
    seed: int = 1,
    wrap: WrapLink = lambda _name, link, _clock: link,
    clock: Clock | None = None,
) -> Session:
    """Check, open, identify, register the runs, and return the session that will run them.

    ``wrap`` may put another link around each instrument's, as in open_bench; ``clock`` is instead
    of the one that the bench and ``speed`` ask for.
    Where ``database`` is a server, everything is written to its journal on this computer, and
    nobody asks here whether the server is there.
    A run that is continued keeps its own seed. Raises BadInput with everything that is wrong;
    nothing has been switched on then, and no database has been made.
    """
    _require_different_channels(jobs)
    seed = next((job.resume_of.values["seed"] for job in jobs if job.resume_of), seed)
    clock = clock or make_clock(bench, speed, max(job.start_us for job in jobs))
    names = [name for job in jobs for name in job.channel.instruments.values()]
    store = prepare_store(database)
    with ExitStack() as undo:
        locks = undo.enter_context(lock_channels(bench, [job.channel for job in jobs], store))
        times = PortTimes()
        wrap = wrap if bench.simulated else times.noting(wrap)
        opened = open_bench(bench, clock, names, seed=seed, wrap=wrap)
        opened.before_opening = times.may_open
        undo.callback(opened.close)
        jobs = [check_job(job, opened) for job in jobs]
        engine = open_store(database)
        undo.callback(engine.dispose)
        require_unblocked(engine, [job.channel.name for job in jobs])
        forward(engine)  # what a killed process left in the spool
        _restore(opened, engine, jobs)
        session = session_on(opened, clock, engine)
        session.runs = [_register(job, session, speed or "", seed) for job in jobs]
        session.watchdog = watchdog_for(opened, session.places, store, times)
        session.locks = locks
        session.notifier = notifier_for(bench, engine, [job.channel.name for job in jobs])
        session.forwarder = forwarder_for(database)
        undo.pop_all()  # from here on the session gives everything back
    return session


def notifier_for(bench: BenchFile, engine: Engine, channels: Collection[str]) -> Notifier | None:
    """Return who tells people; a rehearsal in this process tells nobody: its months pass in minutes."""
    if bench.simulated or not bench.notify:
        return None
    from rig.bench.notifying import notifier_of  # noqa: PLC0415 - it loads all of Apprise

    return notifier_of(bench, engine, channels)


def forwarder_for(database: str) -> Forwarder | None:
    if not is_server(database):
        return None
    from rig.store.forwarding import Forwarder  # noqa: PLC0415 - it loads psycopg

    return Forwarder(database)


def session_on(opened: OpenBench, clock: Clock, engine: Engine) -> Session:
    """Return a session without runs, with the schedule and the commits that suit the clock."""
    simulated = isinstance(clock, SimulatedClock)
    recorder = Recorder(
        engine,
        clock,
        commit_second=None if simulated and not isinstance(clock, PacedClock) else 1.0,
        simulation=opened.world.state if opened.world is not None else None,
    )
    schedule = SimulatedSchedule(clock) if simulated else ThreadedSchedule(clock)
    schedule.failed = opened.note_failure
    return Session(opened, clock, engine, schedule, recorder)


def _require_different_channels(jobs: Sequence[Job]) -> None:
    names = [job.channel.name for job in jobs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadInput(
            [
                Problem(f"channel {name}", "one channel runs one thing at a time")
                for name in sorted(twice)
            ]
        )


def check_job(job: Job, opened: OpenBench) -> Job:
    """Check the protocol against these very instruments, and put the tighter limits in force."""
    facts = opened.facts(job.channel)
    problems = check_channel(job.program, facts)
    if problems:
        raise BadInput(
            problems, remedy="nothing was switched on; see: rig check PROTOCOL --bench FILE"
        )
    return replace(job, program=in_force(job.program, facts))


def _restore(opened: OpenBench, engine: Engine, jobs: Sequence[Job]) -> None:
    """Put simulated cells back to where the interrupted run left them."""
    for job in jobs:
        if job.resume_of is None or opened.world is None:
            continue
        stored = queries.load_cursor(engine, job.resume_of.run_id)
        if stored is not None and stored[1] is not None:
            opened.world.restore(json.loads(stored[1]))


def _register(job: Job, session: Session, speed: str, seed: int) -> Run:
    channel = session.bench.channel(job.channel)
    if job.resume_of is not None:
        return registered(job, channel, session)
    entry = Entry(
        job.program,
        job.protocol_file,
        job.channel.name,
        job.cell_name,
        session.bench.bench,
        speed,
        seed,
        identity_snapshot(session.bench),
    )
    with translated(session.engine), session.engine.begin() as connection:
        run_id = register(connection, entry)
    return Run(run_id, job.program, channel, session.recorder, session.clock)


def registered(job: Job, channel: Channel, session: Session) -> Run:
    """Return the run as its database has it now that no other process can go on with it.

    One that is queued, or was killed before its first commit, has no place yet: it begins.
    """
    assert job.resume_of is not None
    run_id, program = job.resume_of.run_id, job.program
    record = queries.find_run(session.engine, run_id)
    where = _require_resumable(record)
    if record.values["protocol_sha256"] != program.sha256:  # by whoever had it until just now
        message = "its protocol was revised a moment ago"
        raise BadInput(Problem(where, message), remedy="ask again: the new text is taken then")
    cursor = _cursor_of(session.engine, run_id)
    state = RunState(record.state) if cursor is not None else RunState.QUEUED
    last_us = queries.last_wall_us(session.engine, run_id)
    keeper, clock = session.recorder, session.clock
    run = Run(run_id, program, channel, keeper, clock, state, cursor, last_us=last_us)
    run.on_gap = job.program.on_gap if job.by_itself else OnGap.CONTINUE
    return run


def _cursor_of(engine: Engine, run_id: str) -> Cursor | None:
    stored = queries.load_cursor(engine, run_id)
    return from_json(stored[0]) if stored else None


# --- resuming ------------------------------------------------------------------------------------


def resume_job(
    record: queries.RunRecord, bench: BenchFile, engine: Engine, *, by_itself: bool = False
) -> Job:
    """Return the job that continues a run, with the text of its protocol that is in force.

    Raises BadInput for a run that is over, a channel that this bench does not have, or a bench
    of simulated instruments for a real run.
    """
    where = _require_resumable(record)
    spec = bench.channels.get(record.channel)
    if spec is None:
        message = f"ran on channel {record.channel!r}, which bench {bench.file} does not have"
        raise BadInput(Problem(where, message), remedy="name its bench with --bench FILE")
    _require_same_world(record, bench, where)
    facts = facts_of(queries.load_cell(engine, record.values["cell_id"]) or {})
    program = loads_protocol(
        record.values["protocol_text"],
        file_name=record.values["protocol_file"],
        variables=record.values["variables"],
        cell=facts,
    )
    start_us = queries.last_wall_us(engine, record.run_id) or SIMULATED_EPOCH_US
    file = record.values["protocol_file"]
    return Job(program, file, spec, resume_of=record, start_us=start_us, by_itself=by_itself)


def _require_resumable(record: queries.RunRecord) -> str:
    """Refuse a run that is over; return how the run is called in messages."""
    where = f"run {record.run_id[:12]}"
    if not resumable(RunState(record.state)):
        raise BadInput(Problem(where, f"is {record.state}: there is nothing to continue"))
    return where


def _require_same_world(record: queries.RunRecord, bench: BenchFile, where: str) -> None:
    """Simulated samples must never go on where real ones ended, nor the other way round."""
    instruments = record.values["bench"]["content"]["instruments"].values()
    was_simulated = all(entry["connect"] == SIMULATED for entry in instruments)
    if was_simulated != bench.simulated:
        kinds = {True: "simulated", False: "real"}
        message = (
            f"ran on {kinds[was_simulated]} instruments, "
            f"those of bench {bench.file} are {kinds[bench.simulated]}"
        )
        raise BadInput(Problem(where, message), remedy="name its bench with --bench FILE")
