"""What runs look like while they run: a table that lives on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from rig.cli.output import channel_words, duration
from rig.core.units import show
from rig.engine.cursor import Halt

if TYPE_CHECKING:
    from rich.table import Table

    from rig.bench.session import Session
    from rig.engine.runner import Run

REDRAW_SECOND = 0.25
LINE_SECOND = 5.0
# Ctrl-C, a polite kill, and a terminal or ssh session that is closed.
_STOPPING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
LOOK_AT_CLOCK_EVERY = 256  # calls of between: the display must cost the engine nothing


@contextmanager
def stopping_on_signals(session: Session) -> Iterator[None]:
    """Ctrl-C (and a polite kill) disconnects every cell; the runs can be resumed."""

    def stop(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        session.stop("Ctrl-C" if name == "SIGINT" else name)
        with contextlib.suppress(OSError, RuntimeError):  # the terminal may be what has gone
            print("\nrig: disconnecting cells ...", file=sys.stderr)

    before = {number: signal.signal(number, stop) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Progress:
    """Call ``between`` after each piece of work; it draws only when it is time to."""

    def __init__(self, session: Session, *, quiet: bool) -> None:
        self._session, self._quiet = session, quiet
        self._terminal = sys.stderr.isatty()
        self._calls = 0
        self._next = 0.0
        self._estimates: dict[str, tuple[int, float]] = {}  # by run: of which revision

    def __enter__(self) -> Progress:
        if not self._quiet and self._terminal:
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True)
            self._live = Live(console=console, auto_refresh=False, get_renderable=self._table)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._quiet and self._terminal:
            self._live.refresh()
            self._live.stop()
        elif self._next:  # the last line told was of some seconds ago
            with contextlib.suppress(OSError):
                self._draw(time.monotonic())

    def between(self) -> None:
        """Draw when it is time; almost free otherwise."""
        self._calls += 1
        if self._quiet or self._calls % self._stride():
            return
        now = time.monotonic()
        if now < self._next:
            return
        with contextlib.suppress(OSError):  # a display that cannot be written ends no run
            self._draw(now)

    def _draw(self, now: float) -> None:
        if self._terminal:
            self._next = now + REDRAW_SECOND
            self._live.refresh()
        else:
            self._next = now + LINE_SECOND
            for run in self._session.runs:
                print(self._line(run), file=sys.stderr, flush=True)

    def _stride(self) -> int:
        return LOOK_AT_CLOCK_EVERY if not self._session.clock.speed else 1

    def _table(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table(
            "channel", "state", "", "cycle", "step", "V", "I", "T", "time", "left", expand=True
        )
        for run in self._session.runs:
            row = self._columns(run)
            bar = ProgressBar(total=1.0, completed=self._fraction(run), width=16)
            table.add_row(self._name(run), run.state.value, bar, *row)
        return table

    def _name(self, run: Run) -> str:
        return channel_words(run.channel.name, simulated=self._session.bench.bench.simulated)

    def _columns(self, run: Run) -> tuple[str, ...]:
        place, reading = run.cursor.place, run.reading
        seconds = run.cursor.progress.test_time_second
        left = (1.0 - self._fraction(run)) * self._estimate_of(run)
        return (
            str(place.cycle_count or "-"),
            _words(run),
            _shown(reading.voltage_volt, "V", 5),
            _shown(reading.current_ampere, "A", 3),
            _shown(reading.temperature_celsius, "°C", 3),
            duration(seconds),
            duration(left),
        )

    def _fraction(self, run: Run) -> float:
        estimate = self._estimate_of(run)
        if run.cursor.halt is Halt.FINISHED:
            return 1.0
        return min(1.0, run.cursor.progress.test_time_second / estimate) if estimate else 0.0

    def _estimate_of(self, run: Run) -> float:
        """Return how long the run takes; estimated anew when its protocol was revised."""
        revision = run.cursor.place.revision
        known, second = self._estimates.get(run.run_id, (0, 0.0))
        if known != revision:
            second = _estimate(run)
            self._estimates[run.run_id] = (revision, second)
        return second

    def _line(self, run: Run) -> str:
        return progress_line(self._name(run), self._fraction(run), self._columns(run))


def progress_line(channel: str, fraction: float, columns: tuple[str, ...]) -> str:
    """Return one line for a log: it may be long, but says the whole step."""
    cycle, words, volt, ampere, celsius, seconds, left = columns
    return (
        f"{channel:>4} {100 * fraction:3.0f} % cycle {cycle:>4}  {words:<52} "
        f"{volt:>9} {ampere:>9} {celsius:>9}  {seconds}, about {left} left"
    )


def _shown(value: float, unit: str, digits: int) -> str:
    """Write a value for the table; what was not measured is a dash."""
    if math.isnan(value):
        return "-"
    return f"{value:.1f} {unit}" if unit == "°C" else show(value, unit, digits)


def _words(run: Run) -> str:
    from rig.protocol.program import Step

    instructions, pc = run.program.instructions, run.cursor.place.pc
    step = instructions[pc] if pc < len(instructions) else None
    return step.words if isinstance(step, Step) else run.state.value


def _estimate(run: Run) -> float:
    from rig.protocol.check import estimate_duration_second

    return estimate_duration_second(run.program, run.program.cell)
