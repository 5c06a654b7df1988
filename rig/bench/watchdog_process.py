"""The watchdog: a process that disconnects the cells when the engine that drives them dies or hangs.

Started by rig/bench/watchdog.py as ``python -m rig.bench.watchdog_process``. It listens until it is
told ``done``. A pipe that breaks first is an engine that died; a pipe that stays silent for too long
is one that hangs, and is ended: only then are its ports free. What is done then is in rescue.py.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import NamedTuple

from rig.bench.file import BenchFile
from rig.bench.registry import load_driver
from rig.bench.rescue import ENGINE_LOST, Rescue
from rig.bench.watchdog import BEAT, DONE, DUTY, HUNG, UNCONFIRMED, Duty
from rig.bench.watchdog_pipe import READY
from rig.core.clock import RealClock
from rig.wire.address import VisaAddress, parse_address

TICK_SECOND = 1.0
# An engine that was killed gives its ports back in no time, unless the kernel itself hangs.
ENDING_SECOND = 10.0

Words = queue.SimpleQueue[bytes | None]  # lines from the engine; None at the end of the pipe
_REAL = RealClock()


class Reason(NamedTuple):
    """Why the cells have to be disconnected, and whether the engine still has the ports."""

    why: str
    hangs: bool = False


DIED = Reason("the engine died")
ENDED = Reason("the engine ended, and not every cell was confirmed disconnected")


def main() -> int:
    """Watch until there is nothing more to watch; 0, or 1 when a cell is not confirmed safe."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # it ends with its duty, not by a polite kill
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    words = _listen(sys.stdin.fileno())
    first = words.get()
    if first is None:
        return 0  # the engine has gone before it switched anything on
    duties = Duties(Duty.decode(first))
    _say_ready()
    reason = reason_to_act(words, duties.latest.after_second, changed=duties.change)
    if reason is None:
        return 0
    duty = duties.latest
    gone = not reason.hangs or _end_engine(duty.engine_pid, words)
    alarm_kind = "" if reason is ENDED else ENGINE_LOST  # that engine has raised its own
    rescue = Rescue(duty, reason.why, engine_is_gone=gone, alarm_kind=alarm_kind)
    with _telling(duty):
        return rescue.run()


class Duties:
    """What is to be done, as it was said last; all that it needs is loaded when it is said."""

    def __init__(self, first: Duty) -> None:
        self.latest = first
        _load_all(first.bench)

    def change(self, line: bytes) -> None:
        self.latest = Duty.decode(line)
        _load_all(self.latest.bench)


def _telling(duty: Duty) -> AbstractContextManager[None]:
    """Whom the bench file names is told by us now; the engine cannot any more."""
    if not duty.bench.notify:
        return nullcontext()
    from rig.bench.notifying import telling  # noqa: PLC0415 - loaded where somebody is told

    return telling(duty.bench, duty.database, [channel for _, channel in duty.runs])


def _load_all(bench: BenchFile) -> None:
    """Load what a rescue needs now: a disk that goes away takes with it what was not loaded."""
    kinds = {"socket", "serial"}
    for spec in bench.instruments.values():
        load_driver(spec.driver)
        if isinstance(parse_address(spec.connect), VisaAddress):
            kinds.add("visa")
    for kind in sorted(kinds):
        importlib.import_module(f"rig.wire.{kind}_link")
    if bench.notify:
        for part in ("notifying", "apprise_target"):
            importlib.import_module(f"rig.bench.{part}")


def _listen(pipe: int) -> Words:
    words: Words = queue.SimpleQueue()

    def listen() -> None:
        for line in _lines(pipe):
            words.put(line)
        words.put(None)

    threading.Thread(target=listen, name="engine", daemon=True).start()
    return words


def _lines(pipe: int) -> Iterator[bytes]:
    rest = b""
    while piece := os.read(pipe, 65_536):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole


def _say_ready() -> None:
    """Say it, and let go of the pipe: nothing that anybody prints may break or block on it."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), READY + b"\n")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def reason_to_act(
    words: Words,
    after_second: float,
    tick_second: float = TICK_SECOND,
    changed: Callable[[bytes], None] = lambda _line: None,
) -> Reason | None:
    """Return why the cells have to be disconnected; None when the engine said that they are.

    ``changed`` is called with each new duty: a run has come, or is over.
    Silence is counted in ticks that were waited for, not on a clock: time in which this process did
    not run either (the computer slept) is nobody's hang.
    """
    silent_second = 0.0
    while silent_second < after_second:
        try:
            word = words.get(timeout=tick_second)
        except queue.Empty:
            silent_second += tick_second
            continue
        if word is not None and word.startswith(DUTY):
            changed(word.removeprefix(DUTY))
        elif word != BEAT:
            return _reason_in(word)
        silent_second = 0.0
    return Reason(f"the engine hung: no sign of life for {after_second:g} s", hangs=True)


def _reason_in(word: bytes | None) -> Reason | None:
    """Return what a word other than a beat means."""
    if word is None:
        return DIED
    if word == DONE:
        return None
    if word == UNCONFIRMED:
        return ENDED
    assert word.startswith(HUNG), word
    what = word.removeprefix(HUNG).decode(errors="replace").strip()
    return Reason(f"the engine hung: {what}", hangs=True)


def _end_engine(engine_pid: int, words: Words) -> bool:
    """Kill the process that hangs; say whether it has gone: then the pipe is at its end.

    While the engine lives, it is our parent. A process that is not has its number by chance.
    """
    if os.getppid() != engine_pid:
        return True
    with suppress(OSError):  # gone in between
        os.kill(engine_pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    deadline = _REAL.now() + ENDING_SECOND
    with suppress(queue.Empty):
        while words.get(timeout=max(0.0, deadline - _REAL.now())) is not None:
            pass  # what it said before it ended
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
