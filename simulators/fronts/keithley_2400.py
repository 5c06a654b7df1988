"""A Keithley 2400 series source meter on its wire, in its legacy SCPI.

The instrument stands in keithley_2400_meter.py, its output in keithley_2400_stage.py, the commands
in keithley_2400_commands.py. A message that comes before the reply to the one before was read costs
that reply, and is -410. Left out: the spacing of 20 ms that serial messages need.

Simulator's choices where the sheet is silent: ^C and ^X end readings under way, too; both layouts of
the identity stand in the sheet, this is that of its transcript.
"""

from __future__ import annotations

from rig.core.errors import BadInput, Problem, did_you_mean
from simulators.fronts.keithley_2400_commands import TREE
from simulators.fronts.keithley_2400_meter import LegacySourceMeter, MeasurementEvent
from simulators.fronts.keithley_2400_settings import MODELS
from simulators.fronts.keithley_2400_stage import Stage
from simulators.fronts.keithley_settings import OffState
from simulators.fronts.scpi import Action, ScpiError
from simulators.fronts.scpi_front import ScpiFront
from simulators.interfaces import Cell

# Over RS-232 the factory setting is CR; over GPIB replies end in LF.
TERMINATORS = {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n", "lfcr": b"\n\r"}
_BREAKS = (b"\x03", b"\x18")
_CR_IS_THE_END = bytes.maketrans(b"\r\n", b"\n ")

SmuAction = Action[LegacySourceMeter]


class Keithley2400Front(ScpiFront[LegacySourceMeter]):
    """The source meter as a Front; ``model`` is one of MODELS, ``terminator`` one of TERMINATORS.

    ``saved_off_state`` is that of the saved power-on setup; factory state is NORMAL, which makes
    the instrument a 0 V source on the cell from the moment it is first spoken to.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        seed: int,
        model: str = "2400",
        terminator: str = "lf",
        serial: str = "1234567",
        firmware: str = "C32   Oct  4 2010 14:20:11/A02  /S/K",
        noise: bool = True,
        line_hertz: float = 50.0,
        saved_off_state: OffState = OffState.NORMAL,
    ) -> None:
        for value, known in ((model, MODELS), (terminator, TERMINATORS)):
            if value not in known:
                message = f"got {value!r}, expected one of {', '.join(known)}"
                raise BadInput(Problem(name, message, suggestion=did_you_mean(value, known)))
        identity = f"KEITHLEY INSTRUMENTS INC.,MODEL {model},{serial},{firmware}"
        ratings = MODELS[model]
        stage = Stage(name, cell, ratings, seed=seed, line_hertz=line_hertz, noise=noise)
        super().__init__(LegacySourceMeter(identity, stage, saved_off_state), TREE)
        self._terminator = TERMINATORS[terminator]

    def receive(self, data: bytes, now_second: float) -> None:
        """Take program messages; ^C or ^X discards what came before it and was not done yet."""
        end = max(data.rfind(mark) for mark in _BREAKS)
        if end >= 0:
            self._break(now_second)
            data = data[end + 1 :]
        if self._terminator == b"\r":
            data = data.translate(_CR_IS_THE_END)
        super().receive(data, now_second)

    def transmit(self, now_second: float) -> bytes:
        """Return the replies that are complete by now."""
        return super().transmit(now_second).replace(b"\n", self._terminator)

    def compile(self, message: bytes) -> tuple[SmuAction, ...]:
        """Return what a message does: each command, and after it the answer that it may wait for."""
        actions = super().compile(message)
        steps = (step for action in actions for step in (action, LegacySourceMeter.take_answer))
        return (self._interrupt, *steps) if actions else ()

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``overtemperature`` or ``interlock`` (output enable opened) happen; 0 mends it.

        Raises BadInput for any other kind.
        """
        self.receive(b"", now_second)
        meter, present = self.instrument, value != 0
        if kind == "overtemperature":
            meter.stage.overtemperature = present
            event = MeasurementEvent.OVERTEMPERATURE
        elif kind == "interlock":
            meter.stage.interlock_closed = not present
            event = MeasurementEvent.OUTPUT_ENABLE
        else:
            raise BadInput(Problem(meter.stage.name, f"a 2400 has no fault {kind!r}"))
        if present:
            meter.fail(event, now_second)

    def _interrupt(self, meter: LegacySourceMeter) -> None:
        """Begin a message; a reply that nobody has read yet is lost to it."""
        if self._output or meter.is_asked:
            self._output.clear()
            meter.forget_late_answer()
            raise ScpiError(-410, "Query INTERRUPTED")

    def _break(self, now_second: float) -> None:
        self._switch_on(now_second)
        self._run(now_second)
        self._lose_bytes()
        self.instrument.abort()
        self.instrument.now = min(self.instrument.now, now_second)
