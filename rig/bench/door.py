"""The engine's side of the door: reads what was asked of its runs, and sees that it is carried out.

Called from the engine's loop. Looks a few times a second of real time, whatever the runs' clock:
somebody stands there and waits. What cannot be read is looked for again; runs go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Engine

from rig.core.clock import Clock, RealClock
from rig.core.errors import RigError, StoreError
from rig.core.orders import Order
from rig.engine.desk import Ordered
from rig.engine.revision import Proposed
from rig.engine.runner import Run
from rig.engine.schedule import Schedule, Task
from rig.engine.states import Verb
from rig.store.orders import Answer, answer, unanswered

LOOK_SECOND = 0.2

# What an order to revise asks for, compiled and checked; raises RigError where it is not possible.
Propose = Callable[[Run, Order], Proposed]


class Door:
    """Takes orders for ``runs`` out of the database, and throws them into their tasks."""

    def __init__(
        self,
        engine: Engine,
        runs: Sequence[Run],
        schedule: Schedule,
        *,
        propose: Propose | None = None,
        clock: Clock | None = None,
        look_second: float = LOOK_SECOND,
    ) -> None:
        self._engine, self._schedule, self._propose = engine, schedule, propose
        self._runs: dict[str, Run] = {}
        self._clock = clock or RealClock()
        self._look_second, self._next_second = look_second, self._clock.now()
        self._taken: set[int] = set()
        for run in runs:
            self.add(run)

    def add(self, run: Run, taken: Collection[int] = ()) -> None:
        """Take orders for this run from now on; ``taken`` are those that are being obeyed already."""
        self._refuse_what_is_old(run.run_id, taken)
        self._runs[run.run_id] = run
        self._taken.update(taken)

    def remove(self, run_id: str) -> None:
        """Take no more orders for a run that is over."""
        del self._runs[run_id]

    def _refuse_what_is_old(self, run_id: str, taken: Collection[int]) -> None:
        """Nobody had this run when it was asked, and who asked has gone: it is not obeyed now."""
        for order in unanswered(self._engine, [run_id]):
            if order.order_id in taken:
                continue
            given = Answer("refused", "no engine had this run at that time")
            answer(self._engine, order, given, self._clock.wall_us())

    def look(self, tasks: Mapping[str, Task]) -> bool:
        """Take what has come; say whether there was anything. ``tasks`` are those of the runs."""
        now = self._clock.now()
        if now < self._next_second:
            return False
        self._next_second = now + self._look_second
        for run in self._runs.values():
            run.desk.give_up_late(self._clock.wall_us())
        with suppress(StoreError):
            return self._take(tasks)
        return False

    def _take(self, tasks: Mapping[str, Task]) -> bool:
        orders = unanswered(self._engine, self._runs)
        fresh = [order for order in orders if order.order_id not in self._taken]
        # What is answered and not committed yet is still among the unanswered.
        self._taken = {order.order_id for order in orders}
        for order in fresh:
            ordered = self._considered(self._runs[order.run_id], order)
            if ordered is not None:
                self._schedule.interrupt(tasks[order.run_id], ordered)
        return bool(fresh)

    def _considered(self, run: Run, order: Order) -> Ordered | None:
        if order.verb != Verb.REVISE.value or self._propose is None:
            return run.consider(order)
        try:
            return run.consider(order, self._propose(run, order))
        except RigError as refusal:
            cause = "; ".join(str(refusal).splitlines())
            run.desk.tell(order, "refused", cause)
            return None
