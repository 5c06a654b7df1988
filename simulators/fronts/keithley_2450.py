"""A Keithley 2450 on its wire: bytes in, bytes out, each at its own time.

Program messages run one after the other; a reading takes the time its settings ask for, and what
was sent meanwhile waits. The trigger model runs beside that and fills its buffer at its own times.
Nothing happens between calls: the instrument catches up with the time it is handed. The commands
stand in keithley_commands.py, the instrument in keithley_meter.py, its output in keithley_stage.py.

Simulator's choices where the sheet knows nothing: commands after a bad one in the same message
still run; READ? while the trigger model runs is refused with -200.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from rig.core.errors import BadInput, Problem
from simulators.fronts.keithley_commands import TREE
from simulators.fronts.keithley_meter import SourceMeter
from simulators.fronts.keithley_settings import OffState
from simulators.fronts.keithley_stage import Stage
from simulators.fronts.scpi import Action, ScpiError
from simulators.interfaces import Cell

_LONGEST_MESSAGE = 65_536

SmuAction = Action[SourceMeter]


class Keithley2450Front:
    """The 2450 as a Front: simulators.interfaces says what the four calls mean.

    ``saved_off_state`` is that of the saved power-on setup; factory state is NORMAL, which makes
    the instrument a 0 V source on the cell from the moment it is first spoken to.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        seed: int,
        model: str = "2450",
        serial: str = "04096331",
        firmware: str = "1.7.12b",
        noise: bool = True,
        line_hertz: float = 50.0,
        saved_off_state: OffState = OffState.NORMAL,
    ) -> None:
        if model != "2450":
            message = f"got model {model!r}: only the 2450's ranges are known to the simulator"
            raise BadInput(Problem(name, message, example="model: 2450"))
        identity = f"KEITHLEY INSTRUMENTS,MODEL {model},{serial},{firmware}"
        stage = Stage(name, cell, seed=seed, line_hertz=line_hertz, noise=noise)
        self.meter = SourceMeter(identity, stage)
        self._saved_off_state = saved_off_state
        self._powered = False
        self._unread = b""
        self._output = bytearray()
        self._answers: list[str] = []
        # What was sent and has not run yet: when it arrived, and the actions left of it.
        self._waiting: deque[tuple[float, Iterator[SmuAction]]] = deque()

    # -- Front -------------------------------------------------------------------------------

    def receive(self, data: bytes, now_second: float) -> None:
        """Take program messages; a message ends with LF."""
        if not self._powered:
            self._power_up(now_second)
        *messages, self._unread = (self._unread + data).split(b"\n")
        for message in messages:
            actions = TREE.compile(message.strip())
            if self.meter.language != "SCPI":
                actions = _without_scpi(message, actions)
            self._waiting.append((now_second, iter(actions)))
        if len(self._unread) > _LONGEST_MESSAGE:
            self._unread = b""
            self.meter.report(ScpiError(-363))
        self._run(now_second)

    def transmit(self, now_second: float) -> bytes:
        """Return the answers that are complete by now."""
        self._run(now_second)
        if not self._output:
            return b""
        data = bytes(self._output)
        self._output.clear()
        return data

    def next_output_second(self) -> float | None:
        """Return when to ask again while a message is at work; None when idle."""
        if self._output:
            return self.meter.now
        if self.meter.blocked_by is not None:
            return self.meter.blocked_by.next_second
        return self.meter.now if self._waiting else None

    def disconnected(self, now_second: float) -> None:
        """Output and settings persist, there is no watchdog; unread bytes are lost."""
        self._run(now_second)
        self._lose_bytes()
        self.meter.forget_answer()

    # -- faults and the mains switch -----------------------------------------------------------

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``overtemperature`` or ``interlock`` (opened) happen; a value of 0 mends it.

        Raises BadInput for any other kind. The events' true numbers are unknown; -200 stands in.
        """
        if not self._powered:
            self._power_up(now_second)
        self._run(now_second)
        stage, present = self.meter.stage, value != 0
        if kind == "overtemperature":
            stage.overtemperature = present
        elif kind == "interlock":
            stage.interlock_closed = not present
        else:
            raise BadInput(Problem(stage.name, f"a 2450 has no fault {kind!r}"))
        if present:
            stage.switch_off(now_second)
            self.meter.report(ScpiError(-200, kind))

    def power_cycle(self, now_second: float) -> None:
        """Switch off and on: output off, high impedance for a moment, then the saved off state."""
        self.meter.stage.power_down(now_second)
        self._lose_bytes()
        self._power_up(now_second)

    def _power_up(self, now_second: float) -> None:
        self._powered = True
        self.meter.power_up(self._saved_off_state, now_second)

    def _lose_bytes(self) -> None:
        self._unread = b""
        self._output.clear()
        self._answers.clear()
        self._waiting.clear()

    # -- time ----------------------------------------------------------------------------------

    def _run(self, now_second: float) -> None:
        """Catch up with ``now_second``: run what can be run by then, each at its own time."""
        meter, waiting = self.meter, self._waiting
        while (
            (meter.blocked_by is None or self._is_free(now_second))
            and waiting
            and meter.now <= now_second
        ):
            arrived, actions = waiting[0]
            meter.now = max(meter.now, arrived)
            if meter.loop is not None:
                meter.advance_loop(meter.now)
            if self._run_message(actions, now_second):
                waiting.popleft()
                self._answer()
        if meter.loop is not None:
            meter.advance_loop(now_second)

    def _run_message(self, actions: Iterator[SmuAction], now_second: float) -> bool:
        """Run a message's actions until one takes time; true when all have run."""
        meter = self.meter
        for action in actions:
            try:
                answer = action(meter)
            except ScpiError as error:
                meter.report(error)
                continue
            if answer is not None:
                self._answers.append(answer)
            if meter.blocked_by is not None or meter.now > now_second:
                return False
        return True

    def _is_free(self, now_second: float) -> bool:
        """Finish what holds commands back, as far as ``now_second`` allows; true when free."""
        blocking = self.meter.blocked_by
        if blocking is None:
            return True
        if blocking.remaining and now_second < blocking.next_second:
            return False
        answer = self.meter.finish_blocking(now_second)
        if answer is not None:
            self._answers.append(answer)
        return self.meter.blocked_by is None

    def _answer(self) -> None:
        """Send what the queries of one message answered, on one line."""
        if self._answers:
            # An error message quotes what was sent, whatever bytes that were.
            self._output += ";".join(self._answers).encode("ascii", "replace") + b"\n"
            self._answers.clear()


def _without_scpi(message: bytes, actions: tuple[SmuAction, ...]) -> tuple[SmuAction, ...]:
    """In another command set only the common commands stay; the rest is -285, as in the sheet."""
    if message.lstrip(b" :").startswith(b"*"):
        return actions

    def refuse(_meter: SourceMeter) -> None:
        raise ScpiError(-285)

    return (refuse,)
