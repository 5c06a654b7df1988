"""Heavy work beside a server: in a process of its own, one after the other, ended when it takes too long.

A fit or a rehearsal on the server's threads would hold up everybody who watches. The process is
polite to the engine next to it, and killing it harms nothing: it has the values it was given.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar, cast

from rig.bench.workforce import process_context
from rig.core.errors import BadInput, Problem, RigError

TURN_SECOND = 30.0  # so long somebody waits for those who asked before
LOADING_SECOND = 30.0  # a process loads all of science first
_NICER = 10

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Busy(RigError):
    """Others are at it already; later it may be done."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error on its way to another process, which its own constructor would not survive."""

    kind: type[RigError]
    said: str | tuple[Problem, ...]
    remedy: str

    def error(self) -> RigError:
        return self.kind(self.said, remedy=self.remedy)  # type: ignore[arg-type]  # BadInput's problems


@dataclass
class Apart:
    """``turns`` is how many may be at work at once; ``loading_second`` a process may take to begin."""

    turns: int = 1
    turn_second: float = TURN_SECOND
    loading_second: float = LOADING_SECOND
    _turn: threading.Semaphore = field(init=False)
    _at_work: list[Any] = field(default_factory=list)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._turn = threading.Semaphore(self.turns)

    def call(
        self,
        what: str,
        within_second: float,
        function: Callable[Given, Answer],
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Answer:
        """Return what the function returns, raise the RigError that it raises; ``what`` for messages.

        The function is a module's own, its values can be pickled. Raises Busy where no turn comes,
        RigError where the process died or takes longer than ``within_second``.
        """
        if not self._turn.acquire(timeout=self.turn_second):
            raise Busy(f"{what}: others are at it already", remedy="try again in a minute")
        try:
            until = within_second + self.loading_second
            return cast(Answer, self._in_a_process(what, until, function, given, named))
        finally:
            self._turn.release()

    @property
    def at_work(self) -> int:
        """Return how many processes there are."""
        return len(self._at_work)

    def close(self) -> None:
        """End what is at work, and take no more; who waits for it is told. Safe in a signal handler."""
        self._closed = True
        for process in list(self._at_work):
            process.kill()

    def _in_a_process(
        self, what: str, within_second: float, function: Callable[..., Any], given: Any, named: Any
    ) -> object:
        context: Any = process_context()  # typeshed's base class knows no Process
        answers, sending = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(sending, function, given, named), name=what, daemon=True
        )
        with self._begun(what, process):
            sending.close()
            got = _awaited(what, answers, within_second)
        answers.close()
        if isinstance(got, _Failure):
            raise got.error()
        return got

    @contextmanager
    def _begun(self, what: str, process: Any) -> Iterator[None]:
        if self._closed:
            raise Busy(f"{what}: the server is going", remedy="ask again when it is back")
        process.start()
        self._at_work.append(process)
        if self._closed:  # meanwhile: the first process takes seconds to begin
            process.kill()
        try:
            yield
        finally:
            self._at_work.remove(process)
            process.kill()
            process.join()


def _awaited(what: str, answers: Connection, within_second: float) -> object:
    if not answers.poll(within_second):
        raise RigError(f"{what}: not done within {within_second:.0f} s, and given up")
    try:
        return answers.recv()
    except EOFError:
        message = f"{what}: the process that worked on it died, perhaps for want of memory"
        raise RigError(message) from None


def _work(sending: Connection, function: Callable[..., Any], given: Any, named: Any) -> None:
    if hasattr(os, "nice"):
        os.nice(_NICER)
    try:
        got: object = function(*given, **named)
    except BadInput as bad:
        got = _Failure(BadInput, bad.problems, bad.remedy)
    except RigError as error:
        got = _Failure(type(error), str(error), error.remedy)
    except Exception as bug:  # told like a worker's in workforce: the server goes on
        got = _Failure(RigError, f"internal error: {type(bug).__name__}: {bug}", "")
    with suppress(BrokenPipeError):  # nobody waits any more
        sending.send(got)
