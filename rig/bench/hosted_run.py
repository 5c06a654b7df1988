"""One run in an engine that takes new ones: from the order to begin until everything is given back.

Its task opens the ports, checks the protocol against the instruments that answer, is the run's own
task, and gives back what it had. A start that fails ends this run and no other.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update

from rig.bench.file import BenchFile
from rig.bench.instruments import identity_snapshot
from rig.bench.premises import Premises
from rig.bench.registering import bench_snapshot
from rig.bench.starting import check_job, registered, resume_job
from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import RealClock
from rig.core.errors import BadInput, Problem, RigError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.desk import Ordered
from rig.engine.runner import Run
from rig.engine.schedule import Interrupted, Request, Task
from rig.engine.states import Verb
from rig.protocol.program import OnGap
from rig.store import tables
from rig.store.alarms import require_unblocked
from rig.store.database import translated
from rig.store.orders import answer_to
from rig.store.queries import RunRecord

# A look at a lock by somebody who only wants to know takes it for a moment, and a run that has just
# ended keeps its channel until its end is on disk.
START_PATIENCE_SECOND = 2.0
# What a watchdog does after a kill may take as long: see rescue.py.
RECOVERY_PATIENCE_SECOND = 60.0


@dataclass
class HostedRun:
    """``order`` is what it begins by; None when it is taken up after an outage by itself.

    ``run`` is there once its ports are open; ``is_over`` when it is only giving back.
    """

    record: RunRecord
    premises: Premises
    order: Order | None = None
    run: Run | None = None
    is_over: bool = False
    own_task: Task | None = None  # the schedule's; orders are thrown into it
    is_gone: bool = False  # it has given everything back
    reason: str = ""  # why it never began
    taken: list[int] = field(default_factory=list)  # orders that were answered before it began
    _stop: Order | None = None

    def begin(self) -> None:
        """Let it live in the schedule from the next turn on."""
        self.own_task = self._task()
        self.premises.session.schedule.add(self.own_task)

    def stop(self, order: Order) -> None:
        """Stop what has not begun; what is on a wire ends first, and a port that opened is closed."""
        assert self.own_task is not None
        self._stop = order
        self.premises.session.schedule.interrupt(self.own_task, Ordered(order))

    @property
    def ending(self) -> str:
        """Say how it ended, once it has."""
        if self.run is None:
            return f"did not begin: {self.reason}"
        return f"{self.run.state.value}: {self.run.reason}"

    @property
    def run_id(self) -> str:
        return self.record.run_id

    @property
    def channel(self) -> str:
        return self.record.channel

    def _task(self) -> Task:
        """What the schedule runs; it never ends with the cell connected."""
        yield from self._life()
        self.is_gone = True

    def _life(self) -> Task:
        try:
            run = yield from self._begin()
        except Interrupted as order:
            yield from self._give_up(order)
            return
        except RigError as failure:
            yield from self._fail("; ".join(str(failure).splitlines()))
            return
        yield from run.task()
        self.is_over = True
        if self.premises.ending:
            return
        self.premises.session.see_out(run)
        yield from self.premises.give_back(run)

    # --- beginning ------------------------------------------------------------------------------

    def _begin(self) -> Generator[Request, Any, Run]:
        """Take locks and ports, and check again with those who answer. Raises RigError, Interrupted."""
        premises, engine = self.premises, self.premises.engine
        self._obey_stop()
        job = resume_job(self.record, self._bench, engine, by_itself=self.order is None)
        self._require_same_cells()
        patience = START_PATIENCE_SECOND if self.order else RECOVERY_PATIENCE_SECOND
        yield from premises.locked(self.run_id, self.channel, patience)
        yield from premises.ports.open(self.run_id, job.channel.instruments)
        self._obey_stop()
        job = check_job(job, premises.bench)
        require_unblocked(engine, [self.channel])
        self._require_wanted()
        if self._is_new:
            self._keep_identities(set(job.channel.instruments.values()))
        run = registered(job, premises.bench.channel(job.channel), premises.session)
        if self.order is not None and self.order.verb == Verb.RESTART_STEP.value:
            run.on_gap = OnGap.RESTART_STEP
        self._admit(run)
        return run

    def _admit(self, run: Run) -> None:
        taken = self.taken if self.order is None else [*self.taken, self.order.order_id]
        assert self.own_task is not None
        self.premises.session.admit(run, self.own_task, taken)
        self.premises.welcome(run)
        self.run = run
        self._answer("done", f"the instruments of {self.channel} answer; the run has begun")

    def _obey_stop(self) -> None:
        """The schedule drops an order for a task that it has not begun."""
        if self._stop is not None:
            raise Ordered(self._stop)

    @property
    def _bench(self) -> BenchFile:
        return self.premises.bench.bench

    @property
    def _is_new(self) -> bool:
        return self.record.state == RunState.QUEUED.value

    def _require_same_cells(self) -> None:
        """Another seed is another cell: its samples must not go on in the middle of this one's."""
        own, ours = self.record.values["seed"], self.premises.seed
        if self._bench.simulated and own != ours:
            message = f"ran on simulated cells of seed {own}, this engine's are of seed {ours}"
            raise BadInput(Problem(f"run {self.run_id[:12]}", message))

    def _require_wanted(self) -> None:
        """Nobody obeys an order whose giver has been told in the meantime that it failed."""
        given = self.order and answer_to(self.premises.engine, self.order)
        if given is not None:
            message = f"was taken back before the instruments answered: {given.words}"
            raise BadInput(Problem(f"run {self.run_id[:12]}", message))

    def _keep_identities(self, names: set[str]) -> None:
        """Keep with the run who answered, now that they have."""
        answered = identity_snapshot(self.premises.bench)
        who = {name: one for name, one in answered.items() if name in names}
        change = update(tables.run).where(tables.run.c.run_id == self.run_id)
        engine = self.premises.engine
        with translated(engine), engine.begin() as connection:
            connection.execute(change.values(bench=bench_snapshot(self._bench, who)))

    # --- not beginning --------------------------------------------------------------------------

    def _give_up(self, why: Interrupted) -> Task:
        """Somebody stops it before it has begun, or the engine ends."""
        self.is_over, self.reason = True, str(why)
        if self._is_new:
            self._keep_state(RunState.STOPPED, self.reason)
        self._answer("refused", f"overtaken: {why}")
        if isinstance(why, Ordered):
            self._answer_to(why.order, "done", "stopped before it began; nothing was switched on")
        yield from self._let_go()

    def _fail(self, reason: str) -> Task:
        """A run that never began has failed; one that was put aside stays so, and can be resumed.

        One that nobody has asked for has nobody to be told: that is an alarm.
        """
        self.is_over, self.reason = True, reason
        if self._is_new:
            self._keep_state(RunState.FAILED, reason)
        if self.order is None:
            self._raise_alarm(f"could not be taken up after an outage: {reason}")
        self._answer("failed", reason)
        yield from self._let_go()

    def _let_go(self) -> Task:
        yield from self.premises.ports.close(self.run_id)
        yield from self.premises.committed()
        if not self.premises.ending:
            self.premises.locks.give_back(self.run_id)

    def _keep_state(self, state: RunState, reason: str) -> None:
        clock, keeper = self.premises.session.clock, self.premises.session.recorder
        keeper.state(self.run_id, state, clock.wall_us(), reason)
        event: dict[str, object] = {"run_id": self.run_id, "ts_us": clock.wall_us()}
        words = {"kind": "state", "message": f"{state.value}: {reason}", "test_time_second": 0.0}
        keeper.row("event", event | words)

    def _raise_alarm(self, message: str) -> None:
        session = self.premises.session
        self.premises.told.add(self.channel)
        session.recorder.alarm(
            raise_alarm(
                Severity.ALARM,
                "not-recovered",
                f"channel {self.channel}: run {self.run_id[:8]} {message}",
                raised_us=session.clock.wall_us(),
                channel=self.channel,
                run_id=self.run_id,
            )
        )

    def _answer(self, outcome: str, words: str) -> None:
        if self.order is not None:
            self._answer_to(self.order, outcome, words)

    def _answer_to(self, order: Order, outcome: str, words: str) -> None:
        wall_us = RealClock().wall_us()
        self.premises.session.recorder.answer(order.order_id, outcome, words, wall_us)
