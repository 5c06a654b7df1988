"""Who works when. A task is a generator that yields requests and is sent their outcomes.

Two schedules, one contract: on the simulated clock a single loop runs every request in deadline
order and repeats to the bit; in real time each port has one thread that owns it, and all tasks
live in the thread that called ``run``. Tasks need no locks: they never run at the same time.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rig.core.clock import IDLE_SECOND, Clock, SimulatedClock


class Request(NamedTuple):
    """Do ``call`` on ``port`` at ``due_second``, not before; without a call, only wait."""

    due_second: float
    port: str = ""
    call: Callable[[], Any] | None = None


Task = Generator[Request, Any, None]


class Interrupted(Exception):
    """Not an error but an order, thrown into a task, or into every one on a stop: make safe and end."""


@dataclass
class Schedule:
    """What both schedules share. ``between`` runs after each step of a task, in the same thread.

    An exception from ``between`` (a store that fails) stops every task, then is raised. In real
    time ``alive`` is called at each turn, after such a failure, too; it never raises. ``failed`` is
    told of each request that fails, in its port's thread. ``stays``: without a task it waits for the
    next one instead of returning, until it is stopped.
    """

    clock: Clock
    between: Callable[[], None] = lambda: None
    alive: Callable[[], None] = lambda: None
    failed: Callable[[str, Exception], None] = lambda _port, _failure: None
    stays: bool = False
    _stop_reason: str = ""
    _failure: BaseException | None = None
    _orders: list[tuple[Task, Interrupted]] = field(default_factory=list)
    _arrivals: list[Task] = field(default_factory=list)
    _ending: bool = False

    def add(self, task: Task) -> None:
        """Let one more task live among the others from the next turn on; called as ``interrupt`` is."""
        self._arrivals.append(task)

    @property
    def ending(self) -> bool:
        """Say whether everything was told to end: nothing new begins, and ``between`` may be silent."""
        return self._ending

    def interrupt(self, task: Task, order: Interrupted) -> None:
        """Throw an order into one task at its next turn; called by ``between``, in its thread."""
        self._orders.append((task, order))

    def stop(self, reason: str) -> None:
        """Tell every task to make safe and end; safe to call from a signal handler."""
        self._stop_reason = reason
        self._ending = True

    def run(self, tasks: Iterable[Task]) -> None:
        """Return when every task has ended."""
        raise NotImplementedError

    def pending(self) -> list[Request]:
        """Return what is on a wire or waits for one; nothing on a clock that jumps."""
        return []

    def retire(self, port: str) -> None:
        """Let go of what a port took here; it is closed, and nobody asks anything of it now."""

    def _goes_on(self) -> bool:
        """Say whether a schedule that has no task left waits for more."""
        return not self._ending and (self.stays or bool(self._arrivals))

    def _next(self, task: Task, outcome: Any) -> Request | None:
        """Hand a task its outcome and return what it wants next; None when it has ended.

        A task that breaks ends all others, safely, before its error is raised: a bug in one
        chamber's driver must not leave twenty cells connected.
        """
        try:
            if isinstance(outcome, Exception):
                return task.throw(outcome)
            return task.send(outcome)
        except StopIteration:
            return None
        except Exception as failure:
            self._fail(failure, f"internal error: {failure!r}")
            return None

    def _fail(self, failure: BaseException, reason: str) -> None:
        """The cells come first, the error after them: it is raised when every task has ended."""
        if self._failure is None:
            self._failure = failure
            self.stop(reason)

    def _look_after(self) -> None:
        if self._failure is None:
            try:
                self.between()
            except Exception as failure:
                self._fail(failure, f"data cannot be stored: {failure}")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


_Entry = tuple[float, int, Task, Request]


@dataclass
class SimulatedSchedule(Schedule):
    """Runs everything in deadline order on a clock that jumps; see SimulatedClock for local time."""

    def run(self, tasks: Iterable[Task]) -> None:
        clock = self.clock
        assert isinstance(clock, SimulatedClock)
        counter = itertools.count()
        heap: list[_Entry] = []
        free_from: dict[str, float] = {}
        for task in tasks:
            self._push(heap, counter, task, self._next(task, None))
        while heap or self._goes_on():
            try:
                heap = self._turn(clock, heap, counter, free_from)
            except BaseException as broken:  # raised into us, by a signal handler for instance
                self._fail(broken, f"interrupted: {broken!r}")
        self._raise_failure()

    def _turn(
        self,
        clock: SimulatedClock,
        heap: list[_Entry],
        counter: itertools.count[int],
        free_from: dict[str, float],
    ) -> list[_Entry]:
        if self._stop_reason:
            return self._interrupt(heap, counter)
        if self._orders:
            return self._give_orders(heap, counter)
        if self._arrivals and not self._ending:
            return self._admit(heap, counter)
        if not heap:
            clock.idle()
            self._look_after()
            return heap
        due, _, task, request = heap[0]
        # A port that another task has kept busy beyond this moment is free only then.
        if not clock.reach(max(due, free_from.get(request.port, due))):
            self._look_after()
            return heap
        outcome = _outcome(request, self.failed)
        free_from[request.port] = clock.now()
        request_next = self._next(task, outcome)
        if request_next is None:
            heapq.heappop(heap)
        else:
            entry = (request_next.due_second, next(counter), task, request_next)
            heapq.heapreplace(heap, entry)
        self._look_after()
        return heap

    def _push(
        self, heap: list[_Entry], counter: itertools.count[int], task: Task, request: Request | None
    ) -> None:
        if request is not None:
            heapq.heappush(heap, (request.due_second, next(counter), task, request))

    def _admit(self, heap: list[_Entry], counter: itertools.count[int]) -> list[_Entry]:
        arrivals, self._arrivals = self._arrivals, []
        for task in arrivals:
            self._push(heap, counter, task, self._next(task, None))
        return heap

    def _interrupt(self, heap: list[_Entry], counter: itertools.count[int]) -> list[_Entry]:
        why, self._stop_reason = Interrupted(self._stop_reason), ""
        fresh: list[_Entry] = []
        for _, _, task, _ in sorted(heap, key=lambda entry: entry[1]):
            self._push(fresh, counter, task, self._next(task, why))
        return fresh

    def _give_orders(self, heap: list[_Entry], counter: itertools.count[int]) -> list[_Entry]:
        """Withdraw what a task waits for and throw its order into it; one that has ended needs none."""
        orders, self._orders = self._orders, []
        for task, order in orders:
            mine = [entry for entry in heap if entry[2] is task]
            if mine:
                heap = [entry for entry in heap if entry[2] is not task]
                heapq.heapify(heap)
                self._push(heap, counter, task, self._next(task, order))
        return heap


def _outcome(request: Request, failed: Callable[[str, Exception], None]) -> Any:
    """Do the request; an exception is an outcome, too, and goes to the task that asked."""
    if request.call is None:
        return None
    try:
        return request.call()
    except Exception as failure:
        failed(request.port, failure)
        return failure


class _Done(NamedTuple):
    ticket: int
    outcome: Any


@dataclass
class ThreadedSchedule(Schedule):
    """One thread per port, all tasks in the calling thread, messages through queues."""

    _inbox: queue.SimpleQueue[_Done] = field(default_factory=queue.SimpleQueue)
    _ports: dict[str, _PortThread] = field(default_factory=dict)

    def run(self, tasks: Iterable[Task]) -> None:
        ports = self._ports = {}
        waiting: dict[int, Task] = {}
        counter = itertools.count()
        try:
            for task in tasks:
                self._dispatch(task, self._next(task, None), ports, waiting, counter)
            while waiting or self._goes_on():
                try:
                    self._turn(ports, waiting, counter)
                except BaseException as broken:  # raised into us, by a signal handler for instance
                    self._fail(broken, f"interrupted: {broken!r}")
        finally:
            for port in ports.values():
                port.close()
        self._raise_failure()

    def pending(self) -> list[Request]:
        return [request for port in self._ports.values() for request in port.pending()]

    def retire(self, port: str) -> None:
        thread = self._ports.get(port)
        if thread is not None and not thread.pending():
            del self._ports[port]
            thread.close()

    def _turn(
        self, ports: dict[str, _PortThread], waiting: dict[int, Task], counter: itertools.count[int]
    ) -> None:
        if self._stop_reason:
            self._interrupt(ports, waiting, counter)
        if self._orders:
            self._give_orders(ports, waiting, counter)
        arrivals, self._arrivals = [] if self._ending else self._arrivals, []
        for arrival in arrivals:
            self._dispatch(arrival, self._next(arrival, None), ports, waiting, counter)
        done = self._await()
        task = waiting.pop(done.ticket, None) if done else None
        if done is not None and task is not None:
            self._dispatch(task, self._next(task, done.outcome), ports, waiting, counter)
        self.alive()
        self._look_after()

    def _await(self) -> _Done | None:
        try:  # short, so that a stop from a signal handler is seen at once
            return self._inbox.get(timeout=IDLE_SECOND)
        except queue.Empty:
            return None

    def _dispatch(
        self,
        task: Task,
        request: Request | None,
        ports: dict[str, _PortThread],
        waiting: dict[int, Task],
        counter: itertools.count[int],
    ) -> None:
        if request is None:
            return
        ticket = next(counter)
        waiting[ticket] = task
        # A request without a port only waits; it has a thread of its own kind, "".
        port = ports.get(request.port)
        if port is None:
            port = _PortThread(request.port, self.clock, self._inbox, self.failed)
            ports[request.port] = port
        port.submit(ticket, request)

    def _interrupt(
        self, ports: dict[str, _PortThread], waiting: dict[int, Task], counter: itertools.count[int]
    ) -> None:
        """Withdraw what has not begun, and let every task make its cell safe.

        A call that is on the wire ends by its own timeout; its outcome is dropped, because its
        ticket is no longer waited for.
        """
        why, self._stop_reason = Interrupted(self._stop_reason), ""
        for port in ports.values():
            port.withdraw_all()
        tasks = [waiting.pop(ticket) for ticket in sorted(waiting)]
        for task in tasks:
            self._dispatch(task, self._next(task, why), ports, waiting, counter)

    def _give_orders(
        self, ports: dict[str, _PortThread], waiting: dict[int, Task], counter: itertools.count[int]
    ) -> None:
        """As ``_interrupt``, for the tasks that have orders; one that has ended needs none."""
        orders, self._orders = self._orders, []
        for task, order in orders:
            for ticket in [ticket for ticket, other in waiting.items() if other is task]:
                del waiting[ticket]
                for port in ports.values():
                    port.withdraw(ticket)
                self._dispatch(task, self._next(task, order), ports, waiting, counter)


class _PortThread:
    """Owns one port: executes its requests at their due times, in due order."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        inbox: queue.SimpleQueue[_Done],
        failed: Callable[[str, Exception], None],
    ) -> None:
        self._clock, self._inbox, self._failed = clock, inbox, failed
        self._heap: list[tuple[float, int, Request]] = []
        self._on_wire: tuple[Request, ...] = ()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"port {name or 'timer'}")
        self._thread.start()

    def submit(self, ticket: int, request: Request) -> None:
        with self._changed:
            heapq.heappush(self._heap, (request.due_second, ticket, request))
            self._changed.notify()

    def pending(self) -> list[Request]:
        with self._changed:
            return [*self._on_wire, *(request for _, _, request in self._heap)]

    def withdraw(self, ticket: int) -> None:
        with self._changed:
            self._heap = [entry for entry in self._heap if entry[1] != ticket]
            heapq.heapify(self._heap)

    def withdraw_all(self) -> None:
        with self._changed:
            self._heap.clear()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while (entry := self._next_due()) is not None:
            ticket, request = entry
            outcome = _outcome(request, self._failed)
            self._on_wire = ()
            self._inbox.put(_Done(ticket, outcome))

    def _next_due(self) -> tuple[int, Request] | None:
        """Wait until the first request is due and take it; None when closing."""
        speed = self._clock.speed
        with self._changed:
            while not self._closing:
                if not self._heap:
                    self._changed.wait()
                    continue
                remaining = (self._heap[0][0] - self._clock.now()) / speed
                if remaining <= 0:
                    _, ticket, request = heapq.heappop(self._heap)
                    self._on_wire = (request,)
                    return ticket, request
                self._changed.wait(remaining)
            return None
