"""One channel of a Maccor tester: its test, direct mode, safeties and watchdog, on one cell.

The tester goes on by itself whether or not anybody listens, so the channel catches up in steps of a
second whenever it is handed a time: safeties, watchdog and procedure ends happen at their own moment.
Knows no wire and no other channel.

Simulator's choices, where the sheet is silent: the output comes on 0.9 s after a start ("about 1 s");
safeties are checked once a second; capacity and energy are magnitudes, counted from the beginning of
the step; a change of mode in direct mode begins a step; a watchdog shows the operator's RF2; only a
set command that was accepted counts for the watchdog and for the 100 ms between commands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from simulators.fronts.maccor_codes import ChannelSpec, DirectSet, Doing, Reason, Safeties, Status
from simulators.fronts.maccor_output import ChMode, Output, ProcedureStep, Setpoints
from simulators.interfaces import OPEN, Drive, DriveMode, Terminals

STARTING_SECOND = 0.9
SHORTEST_SETTING_SECOND = 0.1
# Clock arithmetic must not refuse a host that waits for exactly that long.
_TOLERANCE_SECOND = 1e-6
_CHECK_SECOND = 1.0
_SECONDS_PER_HOUR = 3600.0
# The cell lies beyond the set voltage on the wrong side: a charger does not discharge it.
_STANDSTILL = Drive(DriveMode.CURRENT, 0.0)
_IDLE = (Status.AVAILABLE, Status.SELECTED)
_UNDER_TEST = (Status.STARTING, Status.ACTIVE, Status.SUSPENDED)


class Connected(Protocol):
    """What a channel needs of a cell."""

    def drive(self, source: str, drive: Drive, now_second: float) -> None: ...

    def terminals(self, now_second: float) -> Terminals: ...


class Nothing:
    """A channel's terminals with no cell on them."""

    def drive(self, source: str, drive: Drive, now_second: float) -> None:
        """There is nothing to act on."""

    def terminals(self, now_second: float) -> Terminals:
        """No voltage, no current."""
        return Terminals(0.0, 0.0, False)


class Progress(NamedTuple):
    """Where a test stands; times in s, capacity in Ah, energy in Wh."""

    step: int
    records: int
    test_second: float
    step_second: float
    capacity_ah: float
    energy_wh: float


class Channel:
    """A channel; ``watchdog_second`` 0: none. ``tripped`` is the status after a safety (3 or 5)."""

    def __init__(
        self,
        name: str,
        cell: Connected,
        spec: ChannelSpec,
        *,
        watchdog_second: float,
        tripped: Status,
    ) -> None:
        self.status = Status.AVAILABLE
        self.doing = Doing.AVAILABLE
        self.reason: int = Reason.STEP_BEGAN
        self.safeties = Safeties(spec.v_max_volt + 0.1, spec.v_min_volt - 0.1, 5.1, 5.1, 0.0, 0.0)
        self.variables = [0.0] * 15
        self.flags = 0
        self.test_name = self.procedure_name = ""
        self._name = name
        self._cell = cell
        self._spec = spec
        self._watchdog_second = watchdog_second
        self._tripped = tripped
        self._drive = OPEN
        self._now = -math.inf
        self._clear_test()

    def _clear_test(self) -> None:
        self._output = Output(ChMode.REST, Setpoints())
        self._opened: Setpoints | None = None  # what 6,7 opened; None: not in direct mode
        self._steps: Sequence[ProcedureStep] = ()
        self._step = 0
        self._record_second = 0.0
        self._ready_second = math.inf
        self._updated_second = -math.inf
        self._set_second = -math.inf
        self._test_second = self._step_second = 0.0
        self._charge_coulomb = self._energy_joule = 0.0

    # -- what others see -----------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether a test can be started."""
        return self.status in _IDLE

    @property
    def under_test(self) -> bool:
        """Whether a test has been started and has not ended."""
        return self.status in _UNDER_TEST

    def terminals(self) -> Terminals:
        """Return the truth at the terminals, as of the last advance."""
        return self._cell.terminals(self._now)

    @property
    def progress(self) -> Progress:
        """Where the test stands."""
        period = self._record_second
        return Progress(
            self._step,
            int(self._test_second / period) + 1 if period and self._step else 0,
            self._test_second,
            self._step_second,
            self._charge_coulomb / _SECONDS_PER_HOUR,
            self._energy_joule / _SECONDS_PER_HOUR,
        )

    # -- commands ------------------------------------------------------------------------------

    def begin_direct(self, output: Output, record_second: float) -> None:
        """Start direct mode; ``output`` acts when the channel has started."""
        self._begin(record_second)
        self._opened = output.setpoints
        self._output = output

    def begin_procedure(self, steps: Sequence[ProcedureStep]) -> None:
        """Start a stored procedure, recording every second."""
        self._begin(1.0)
        self._steps = steps
        self._output = steps[0].output

    def _begin(self, record_second: float) -> None:
        self._clear_test()
        self._record_second = record_second
        self._ready_second = self._now + STARTING_SECOND
        self._show(Status.STARTING, Doing.AVAILABLE, Reason.STEP_BEGAN)

    def set_direct(self, output: Output) -> DirectSet:
        """Take new set points in direct mode; what 6,7 did not open stays ignored."""
        if self.status not in (Status.STARTING, Status.ACTIVE):
            return DirectSet.CHANNEL_NOT_ACTIVE
        if self._opened is None:
            return DirectSet.DIRECT_MODE_NOT_ACTIVE
        if self.status is Status.STARTING:
            return DirectSet.DIRECT_MODE_NOT_READY
        if self._now - self._set_second < SHORTEST_SETTING_SECOND - _TOLERANCE_SECOND:
            return DirectSet.SENT_TOO_FAST
        self._set_second = self._updated_second = self._now
        setpoints = output.setpoints.allowed_by(self._opened)
        allowed = Output(output.mode, setpoints, output.current_range)
        if allowed.mode is not self._output.mode:
            self._begin_step(allowed)
        else:
            self._output = allowed
            self._activate()
        return DirectSet.OK

    def suspend(self) -> None:
        """Switch the output off and keep the test."""
        self._switch(OPEN)
        self._show(Status.SUSPENDED, Doing.SUSPENDED, Reason.OPERATOR)

    def resume(self) -> None:
        """Go on with the step that was suspended."""
        self._updated_second = self._now
        self._activate()

    def reset(self) -> None:
        """End the test, whatever its state, and make the channel available."""
        self._switch(OPEN)
        self._clear_test()
        self._show(Status.AVAILABLE, Doing.AVAILABLE, Reason.STEP_BEGAN)

    def fail(self, code: int) -> None:
        """A fault of the channel itself: output off, status Problem with this RF2."""
        self._switch(OPEN)
        self._show(Status.PROBLEM, Doing.PROBLEM, code)

    # -- time ----------------------------------------------------------------------------------

    def advance(self, now_second: float) -> None:
        """Catch up with ``now_second``."""
        while self._now < now_second:
            before = self._now
            self._now = min(now_second, self.next_event_second())
            self._live(self._now - before)

    def next_event_second(self) -> float:
        """Return when the channel has something to do by itself; infinity: nothing."""
        if self.status is Status.STARTING:
            return self._ready_second
        if self.status is not Status.ACTIVE:
            return math.inf
        return min(self._now + _CHECK_SECOND, self._watchdog_ends())

    def _watchdog_ends(self) -> float:
        if self._opened is None or not self._watchdog_second:
            return math.inf
        return self._updated_second + self._watchdog_second

    def _live(self, second: float) -> None:
        """Do what is due at ``_now``, ``second`` after the last time."""
        if self.status is Status.STARTING:
            if self._now >= self._ready_second:
                self._updated_second = self._now
                self._step = 1
                self._activate()
        elif self.status is Status.ACTIVE:
            voltage, current, _ = self._cell.terminals(self._now)
            self._count(voltage, current, second)
            self._guard(voltage, current)

    def _count(self, voltage: float, current: float, second: float) -> None:
        self._test_second += second
        self._step_second += second
        self._charge_coulomb += abs(current) * second
        self._energy_joule += abs(voltage * current) * second

    def _guard(self, voltage: float, current: float) -> None:
        reason = self.safeties.tripped(voltage, current)
        if reason is not None:
            self._trip(reason)
        elif self._now >= self._watchdog_ends():
            self.suspend()
        elif self._steps and self._steps[self._step - 1].ends(voltage, current, self._step_second):
            self._next_step()
        else:
            self._regulate(voltage)

    def _trip(self, reason: Reason) -> None:
        self._switch(OPEN)
        doing = Doing.PROBLEM if self._tripped is Status.PROBLEM else Doing.SUSPENDED
        self._show(self._tripped, doing, reason)

    def _next_step(self) -> None:
        if self._step < len(self._steps):
            self._begin_step(self._steps[self._step].output)
            return
        self._switch(OPEN)
        self._show(Status.COMPLETED, Doing.COMPLETE, Reason.NORMAL_END)

    # -- the output ----------------------------------------------------------------------------

    def _activate(self) -> None:
        self._show(Status.ACTIVE, self._output.doing, Reason.STEP_BEGAN)
        self._regulate(self._cell.terminals(self._now).voltage_volt)

    def _begin_step(self, output: Output) -> None:
        self._step += 1
        self._step_second = self._charge_coulomb = self._energy_joule = 0.0
        self._output = output
        self._activate()

    def _regulate(self, voltage: float) -> None:
        """Let the output follow the set points, whose current limit may move with the voltage."""
        output = self._output
        wanted = output.drive(self._spec, voltage)
        is_beyond = output.sign * (wanted.level - voltage) <= 0.0
        if self._drive is _STANDSTILL and wanted is not OPEN and is_beyond:
            return
        self._switch(wanted)
        if output.sign * self._cell.terminals(self._now).current_ampere < 0.0:
            self._switch(_STANDSTILL)

    def _switch(self, drive: Drive) -> None:
        if drive != self._drive:
            self._drive = drive
            self._cell.drive(self._name, drive, self._now)

    def _show(self, status: Status, doing: Doing, reason: int) -> None:
        self.status, self.doing, self.reason = status, doing, reason
