"""What the Rohde & Schwarz NGU and NGM families share on the wire: one output, set up and confirmed.

A driver hands over a ``Setup``, its set point in the instrument's own terms; here it is sent with
the output off or changed with the output on, read back, watched and cut. Knows no set point of the
engine, no port and no quadrant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from drivers.potentiostats.readings import cell_reading, disconnected_reading
from rig.core.errors import (
    InstrumentError,
    LinkClosed,
    LinkError,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import CellReading, Flag, Identity, Regulation
from rig.core.link import Link
from rig.core.sheet import Sheet
from rig.wire import scpi
from rig.wire.conversation import Conversation

# IEEE 488.2 joins the answers of one message by semicolons, which no other answer here holds.
_MARKER = ("*OPC?;*OPC?", "1;1")

# Bits of STAT:QUES:INST:ISUM1:COND? (NGM200 manual; the NGP800 manual agrees).
_CURRENT_HELD, _VOLTAGE_HELD, _OVERTEMPERATURE = 1 << 0, 1 << 1, 1 << 4
_TRIPPED = 1 << 9 | 1 << 10  # overvoltage protection, fuse
_STATUS = b"STAT:QUES:INST:ISUM1:COND?\n"

# The instrument rounds to its resolution; a value that it did not take is further off.
_READBACK_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Switch:
    """How a model's output is addressed, switched on and off, and asked whether it is on."""

    select: tuple[str, ...]  # opens every block of commands
    on: tuple[str, ...]
    off: tuple[str, ...]
    questions: tuple[str, ...]  # one for each of ``on``; the last alone tells that all is off


@dataclass(frozen=True, slots=True)
class Setup:
    """A set point in the instrument's own terms.

    ``frame`` is sent with the output off only. ``levels`` may change while it is on: the regulated
    quantity first, then its limits, each as (command, value). ``in_current`` and ``in_voltage``
    are what the two regulation modes mean for this set point, with their flags.
    """

    frame: tuple[str, ...]
    levels: tuple[tuple[str, float], ...]
    in_current: tuple[Regulation, Flag]
    in_voltage: tuple[Regulation, Flag]


class Output:
    """One output of one instrument, in 4-wire connection with one cell."""

    def __init__(self, link: Link, name: str, sheet: Sheet, switch: Switch) -> None:
        self.who = f"{name} ({sheet.family}, {link.name})"
        self.identified = False
        self._sheet = sheet
        self._switch = switch
        self._talk = Conversation(link, self.who, sheet.timeout_second, _MARKER)
        self._armed: Setup | None = None

    def identify(self) -> Identity:
        """Ask what this is. Raises WrongInstrument for a model that is not in the sheet."""
        answer = self._talk.query("*IDN?")
        fields = [field.strip() for field in answer.split(",", 3)]
        known = " or ".join(model.name for model in self._sheet.models)
        if len(fields) != 4 or fields[0] != "Rohde&Schwarz" or not self._sheet.model(fields[1]):
            raise WrongInstrument(
                f"{self.who}: sent '*IDN?', got {answer!r}, expected a Rohde&Schwarz {known}",
                remedy="check this instrument's connect: in the bench file",
            )
        self.identified = True
        return Identity(self._sheet.maker, fields[1], fields[2], fields[3])

    def put(self, setup: Setup) -> None:
        """Bring the output to ``setup``, on and confirmed. Raises Refused."""
        # Forgotten until confirmed: after a failure half way, the next one starts from the off state.
        armed, self._armed = self._armed, None
        self._talk.send(*self._switch.select)
        if armed is not None and armed.frame == setup.frame and self._drives(self._status()):
            self._send_levels(_in_safe_order(armed, setup))
            self._confirm(setup)
        else:
            self._set_up(setup)
        self._armed = setup

    def armed(self) -> Setup:
        """Return what was put last. Raises InstrumentError when there is nothing to measure."""
        if self._armed is None:
            raise InstrumentError(
                f"{self.who}: asked to measure with no set point applied",
                remedy="apply a set point first: the output is off and the cell may not be seen",
            )
        return self._armed

    def measure(self, setup: Setup, *queries: bytes) -> CellReading:
        """Ask for voltage and current, in one query or in two, then how the output stands."""
        self._talk.send(*self._switch.select)
        answers = 2 // len(queries)
        voltage, current = (
            value for query in queries for value in self._talk.numbers(query, answers)
        )
        status = self._status()
        hot = Flag.OVERTEMPERATURE if status & _OVERTEMPERATURE else Flag.NONE
        if not self._drives(status):
            tripped = Flag.COMPLIANCE if status & _TRIPPED else Flag.NONE
            return disconnected_reading(int(tripped | hot))
        regulation, flags = _regulation(setup, status)
        return cell_reading(voltage, current, regulation, int(flags | hot))

    def is_on(self) -> bool:
        """Return whether the output is switched on; where it has two switches, by the master's."""
        return self._talk.switch(self._switch.questions[-1])

    def select(self) -> None:
        """Address this output, for a question that follows."""
        self._talk.send(*self._switch.select)

    def cut(self) -> None:
        """Switch the output off and have it confirmed; idempotent. Raises UnconfirmedSafeState."""
        self._armed = None
        try:
            self._talk.send(*self._switch.select, *self._switch.off)
            self._confirm_off()
            self._talk.errors()  # old ones: the state itself has just been read back
        except (LinkError, InstrumentError) as error:
            raise UnconfirmedSafeState(
                f"{self.who}: the output is not confirmed off: {error}",
                remedy="switch the output off at the instrument and disconnect the cell",
            ) from error

    # --- setting up ----------------------------------------------------------------------------

    def _set_up(self, setup: Setup) -> None:
        """From any state: output off, everything set, output on, each confirmed before the next.

        Off before the reset, so that the cell does not see the 0 V of the reset state. The reset
        ends what a person may have left on: battery simulation, arbitrary waveform, resistance.
        """
        self._talk.send("*CLS", *self._switch.off)
        self._refuse_if(self.is_on())
        self._talk.send("*RST")
        self._wait()
        self._talk.send(*self._switch.select)
        if self._talk.switch("SOUR:VOLT:PROT:TRIP?"):
            self._talk.send("SOUR:VOLT:PROT:CLE")  # a trip outlives the output and forbids it
        self._talk.send(*setup.frame)
        self._send_levels(setup.levels)
        self._confirm(setup)
        self._talk.send(*self._switch.on)
        self._wait()  # for the relay
        self._confirm_on()

    def _send_levels(self, levels: tuple[tuple[str, float], ...]) -> None:
        self._talk.send(*(f"{command} {value:.6g}" for command, value in levels))

    def _confirm(self, setup: Setup) -> None:
        """Raise Refused unless the error queue is empty and every level reads back as sent."""
        if errors := self._errors():
            raise Refused(f"{self.who}: {setup.levels} was refused: {'; '.join(errors)}")
        for command, wanted in setup.levels:
            [kept] = self._talk.numbers(f"{command}?\n".encode("ascii"), 1)
            if not math.isclose(kept, wanted, rel_tol=_READBACK_TOLERANCE):
                raise Refused(
                    f"{self.who}: sent '{command} {wanted:.6g}', reads back {kept:.6g}: "
                    "the instrument kept another value without an error"
                )

    def _confirm_on(self) -> None:
        """Raise Refused unless every switch of the output says that it is on."""
        for command, question in zip(self._switch.on, self._switch.questions, strict=True):
            if not self._talk.switch(question):
                errors = "; ".join(self._errors()) or "no error reported"
                raise Refused(
                    f"{self.who}: sent {command!r}, output is still off: {errors}",
                    remedy="check the sense leads, and at the instrument that no protection has tripped",
                )

    def _confirm_off(self) -> None:
        """Ask whether the output is off; a second time, in step, where the first answer was none.

        What is left over from a broken exchange must not keep a cell from being declared safe.
        """
        try:
            still_on = self.is_on()
        except LinkClosed:
            raise
        except (LinkError, UnreadableReply):
            self._talk.send(*self._switch.select, *self._switch.off)
            still_on = self.is_on()
        self._refuse_if(still_on)

    def _refuse_if(self, still_on: bool) -> None:
        if still_on:
            sent, asked = self._switch.off[-1], self._switch.questions[-1]
            raise Refused(f"{self.who}: sent {sent!r}, {asked!r} says 1")

    def _drives(self, status: int) -> bool:
        """Return whether it is on and not tripped: a master switch may stay on through a trip."""
        return self.is_on() and not status & _TRIPPED

    def _wait(self) -> None:
        """Return once all that was sent is done."""
        if not self._talk.switch("*OPC?"):
            raise UnreadableReply(f"{self.who}: sent '*OPC?', got '0', expected '1'")

    def _status(self) -> int:
        [status] = self._talk.numbers(_STATUS, 1)
        if not (status.is_integer() and status >= 0):
            raise UnreadableReply(f"{self.who}: sent {_STATUS!r}, got status {status}")
        return int(status)

    def _errors(self) -> list[str]:
        return [self._explain(error) for error in self._talk.errors()]

    def _explain(self, error: scpi.ScpiError) -> str:
        meaning = self._sheet.refusals.get(str(error.code), "")
        return f"{error} ({meaning})" if meaning else str(error)


def _in_safe_order(armed: Setup, setup: Setup) -> tuple[tuple[str, float], ...]:
    """Shrinking limits, the level, growing limits: the smaller limit is in force while it moves."""
    before = dict(armed.levels)
    level, *limits = setup.levels
    shrinking = [limit for limit in limits if abs(limit[1]) < abs(before[limit[0]])]
    growing = [limit for limit in limits if limit not in shrinking]
    return (*shrinking, level, *growing)


def _regulation(setup: Setup, status: int) -> tuple[Regulation, Flag]:
    """Voltage is held where its bit says so, alone; a current limit may show by a bit not known."""
    held = status & (_CURRENT_HELD | _VOLTAGE_HELD)
    return setup.in_voltage if held == _VOLTAGE_HELD else setup.in_current
