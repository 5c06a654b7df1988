"""Many tasks on many processors: processes of this computer, or a Dask cluster's.

A worker may be killed at any time, by somebody or for its memory. What it had is given to another;
a run that kills one process after the other is told from those that were only beside it, and ends
as an outcome of its own. Results are the same whoever computes them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from typing import Any
from urllib.parse import urlsplit

from rig.bench.run_fits import Outcome, RunTask, fit_runs
from rig.core.errors import BadInput, Problem, RigError

RUNS_OF_A_TASK = 50  # fewer where there are more processors than that makes tasks
ROUNDS_TOGETHER = 2
CONNECT_SECOND = 5.0
KILLED = "the process that worked on it died each time, perhaps for want of memory"

# One thread a process: numpy's own threads would only get in each other's way.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def tasks_of(
    kind: str,
    database: str,
    run_ids: Sequence[str],
    workers: int,
    settings: Mapping[str, str] | None = None,
) -> list[RunTask]:
    """Return the runs in tasks of equal length, four for each worker where there are runs enough."""
    size = max(1, min(RUNS_OF_A_TASK, -(-len(run_ids) // (4 * workers))))
    starts = range(0, len(run_ids), size)
    own = dict(settings or {})
    return [RunTask(kind, tuple(run_ids[at : at + size]), database, own) for at in starts]


# --- this computer -------------------------------------------------------------------------------


def in_processes(tasks: Sequence[RunTask], workers: int) -> Iterator[Outcome]:
    """Return every run's outcome as it comes; no order. Closed early, it leaves no process behind."""
    for _ in range(ROUNDS_TOGETHER):
        left = yield from _one_round(tasks, workers)
        # Whose fault it was is not known: each of them may have been beside the one that died.
        tasks = [single for task in left for single in task.alone()]
    for task in tasks:
        if (yield from _one_round([task], 1)):
            yield Outcome(task.run_ids[0], problem=KILLED)


def _one_round(tasks: Sequence[RunTask], workers: int) -> Generator[Outcome, None, list[RunTask]]:
    """Yield what is finished, and return the tasks that were lost with a process."""
    lost: list[RunTask] = []
    if not tasks:
        return lost
    pool = ProcessPoolExecutor(min(workers, len(tasks)), process_context())
    try:
        with _one_thread_each():
            futures = {pool.submit(fit_runs, task): task for task in tasks}
        for future in as_completed(futures):
            try:
                yield from future.result()
            except BrokenProcessPool:
                lost.append(futures[future])
    except BrokenProcessPool:  # while the tasks were still being handed out
        return list(tasks)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return lost


def process_context() -> BaseContext:
    """Return how processes are begun: never forked from this one, which may have threads.

    Where the system can, from a small process that has loaded everything once: loading takes seconds.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([fit_runs.__module__])
    return context


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the processes that are started meanwhile find it in their environment: numpy reads it once."""
    before = dict(os.environ)
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


# --- a cluster -----------------------------------------------------------------------------------


def on_dask(address: str, tasks: Sequence[RunTask]) -> Iterator[Outcome]:
    """Return the same from the workers of a Dask scheduler; they have to reach the database, too.

    Raises BadInput where Dask is not installed or nobody answers at the address.
    """
    client = _client(address)
    with client:
        from distributed import as_completed as as_done  # noqa: PLC0415

        futures = {
            client.submit(fit_runs, task, pure=False, retries=ROUNDS_TOGETHER): task
            for task in tasks
        }
        for future in as_done(futures, loop=client.loop):
            yield from _gathered(client, future, futures[future])


def _gathered(client: Any, future: Any, task: RunTask) -> Iterator[Outcome]:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        yield from future.result()
    except KilledWorker:
        if len(task.run_ids) == 1:
            yield Outcome(task.run_ids[0], problem=KILLED)
            return
        for single in task.alone():
            again = client.submit(fit_runs, single, pure=False, retries=ROUNDS_TOGETHER)
            yield from _gathered(client, again, single)


def _client(address: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415
    except ImportError as absent:
        problem = Problem("--dask", "needs Dask, which is not installed")
        raise BadInput(problem, remedy="pip install 'cellrig[dask]'") from absent
    try:
        _require_listener(address)  # Dask itself leaves a thread behind where nobody listens
        return Client(address, timeout="5s", set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        message = f"got {address!r}: no scheduler answers there ({error})"
        raise BadInput(Problem("--dask", message, example="--dask tcp://10.0.0.5:8786")) from error


def _require_listener(address: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname or not parts.port:
        raise ValueError("expected a host and a port")
    socket.create_connection((parts.hostname, parts.port), CONNECT_SECOND).close()


def in_order(outcomes: Sequence[Outcome], run_ids: Sequence[str]) -> list[Outcome]:
    """Return the outcomes in the order of the runs; raises RigError if one is missing or double."""
    by_run = {outcome.run_id: outcome for outcome in outcomes}
    if len(outcomes) != len(run_ids) or set(by_run) != set(run_ids):
        raise RigError(f"{len(outcomes)} outcomes for {len(run_ids)} runs: a program error")
    return [by_run[run_id] for run_id in run_ids]
