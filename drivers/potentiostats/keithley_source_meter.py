"""Keithley source-measure units as cell channels: what the SCPI families share.

The order of things (off, set up, confirm, on) and what counts as confirmed stand here; each
family adds its own words. Knows no port, no engine, and no command of only one family.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from drivers.potentiostats.keithley_set_points import AUTO, Setup, Source, plan, refusals
from rig.core.errors import (
    InstrumentError,
    LinkClosed,
    LinkError,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import CellReading, Identity, Limits, Setpoint
from rig.core.link import Link
from rig.core.sheet import Model, Sheet
from rig.wire import scpi
from rig.wire.conversation import Conversation

# The instrument rounds to its resolution; a value that it did not take is further off. A level
# near zero may be off by a step of its range.
_READBACK_TOLERANCE = 1e-3
_LEVEL_STEP = 1e-4
_INFORMATION = "4"  # type of an event that is neither an error (1) nor a warning (2)


class SourceMeter(ABC):
    """One source-measure unit, four-quadrant, with one cell in 4-wire connection.

    ``measure`` before ``apply``, or after ``make_safe``, raises InstrumentError: behind the open
    relay the instrument does not see the cell.
    """

    sheet: ClassVar[Sheet]
    marker: ClassVar[tuple[str, str]]  # see Conversation
    stop_commands: ClassVar[tuple[str, ...]]  # idle, and into the off state that opens the relay
    off_state_settings: ClassVar[tuple[str, ...]]  # all of them, to be read back as HIMP
    measured: ClassVar[Mapping[Source, frozenset[str]]]  # the functions, by what is sourced
    level_commands: ClassVar[Mapping[Source, str]]
    limit_commands: ClassVar[Mapping[Source, str]]

    def __init__(self, link: Link, name: str) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._talk = Conversation(link, self._who, self.sheet.timeout_second, self.marker)
        self._model: Model | None = None
        self._armed: Setup | None = None

    def identify(self) -> Identity:
        answer = self._talk.query("*IDN?")
        fields = [field.strip() for field in answer.split(",")]
        if len(fields) != 4 or not fields[0].upper().startswith("KEITHLEY"):
            raise self._wrong(f"sent '*IDN?', got {answer!r}, expected a Keithley instrument")
        model = self.sheet.model(fields[1].upper().removeprefix("MODEL "))
        if model is None:
            known = ", ".join(model.name for model in self.sheet.models)
            raise self._wrong(f"sent '*IDN?', got {answer!r}, expected one of {known}")
        self._check_dialect(answer)
        self._model = model
        return Identity(self.sheet.maker, model.name, fields[2], fields[3])

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        self._refuse_beyond(setpoint, limits)
        if self._model is None:
            self.identify()
            self._refuse_beyond(setpoint, limits)
        assert self._model is not None
        setup = plan(setpoint, limits, self._model)
        # Forgotten until confirmed: after a failure half way, the next apply starts from the off state.
        armed, self._armed = self._armed, None
        if armed is not None and armed.frame == setup.frame and self._talk.switch(":OUTP?"):
            self._change(armed, setup)
        else:
            self._set_up(setup)
        self._armed = setup

    def measure(self) -> CellReading:
        armed = self._armed
        if armed is None:
            raise InstrumentError(
                f"{self._who}: asked to measure with no set point applied",
                remedy="apply a set point first: the relay is open and the cell is not seen",
            )
        return self._take_reading(armed.frame.source)

    def make_safe(self) -> None:
        """Open the output relay and have it confirmed; what was read or sent before does not matter.

        The off state is set again each time: after a power dip it is NORMAL, a 0 V source.
        """
        self._armed = None
        try:
            self._talk.send(*self.stop_commands)
            self._confirm_off()
            self._errors()
        except (LinkError, InstrumentError) as error:
            raise UnconfirmedSafeState(
                f"{self._who}: the output is not confirmed off: {error}",
                remedy="switch the output off at the instrument (OUTPUT key) and disconnect the cell",
            ) from error

    # --- what each family says in its own words ------------------------------------------------

    @abstractmethod
    def _check_dialect(self, identification: str) -> None:
        """Raise InstrumentError, with the way out, where the right instrument speaks otherwise."""

    @abstractmethod
    def _set_up_commands(self, setup: Setup) -> tuple[str, ...]:
        """Return all of a set-up, for any settings of before; the output is off and stays off."""

    @abstractmethod
    def _take_reading(self, source: Source) -> CellReading:
        """Trigger and return one fresh reading, the output being on."""

    # --- refusing ------------------------------------------------------------------------------

    def _refuse_beyond(self, setpoint: Setpoint, limits: Limits) -> None:
        """Raise OutOfRange when no model that this can be is able to do it; sends nothing."""
        models = (self._model,) if self._model else self.sheet.models
        problems = [refusals(setpoint, limits, model) for model in models]
        if all(problems):
            raise OutOfRange(f"{self._who}: {setpoint}: {'; '.join(problems[0])}; nothing was sent")

    def _wrong(self, message: str) -> WrongInstrument:
        return WrongInstrument(
            f"{self._who}: {message}", remedy="check this instrument's connect: in the bench file"
        )

    # --- setting up ----------------------------------------------------------------------------

    def _set_up(self, setup: Setup) -> None:
        """From any state: output off, everything set, output on, each confirmed before the next.

        A set-up passes 0 V under limits of before: with the output still on, the cell would see it.
        """
        self._talk.send(*self.stop_commands)
        self._confirm_open(self._talk.switch(":OUTP?"))
        self._talk.send("*CLS", *self._set_up_commands(setup))
        self._confirm(setup)
        self._confirm_functions(setup.frame.source)
        self._talk.send(":OUTP ON")
        if not self._talk.switch(":OUTP?"):
            errors = "; ".join(self._errors()) or "no error reported"
            raise Refused(
                f"{self._who}: sent ':OUTP ON', output is still off: {errors}",
                remedy="check the interlock and that no protection has tripped",
            )
        # The relay needs about 50 ms. A reading at NPLC 1 takes longer, so one that nobody uses
        # waits for it: the first reading of a step must not be of an open relay.
        self._take_reading(setup.frame.source)

    def _change(self, armed: Setup, setup: Setup) -> None:
        """With the output on: the smaller of the two limits is in force while the level moves."""
        limit, level = self._limit_command(setup), self._level_command(setup)
        self._talk.send(*((limit, level) if setup.limit < armed.limit else (level, limit)))
        self._confirm(setup)

    def _level_command(self, setup: Setup) -> str:
        return f"{self.level_commands[setup.frame.source]} {setup.level:.6g}"

    def _limit_command(self, setup: Setup) -> str:
        return f"{self.limit_commands[setup.frame.source]} {setup.limit:.6g}"

    def _confirm(self, setup: Setup) -> None:
        """Raise Refused unless the error queue is empty and limit and level read back as sent."""
        if errors := self._errors():
            raise Refused(f"{self._who}: {setup} was refused: {'; '.join(errors)}")
        source = setup.frame.source
        step = _LEVEL_STEP * (setup.frame.source_range or 0.0)
        for command, wanted, tolerance in (
            (self.limit_commands[source], setup.limit, 0.0),
            (self.level_commands[source], setup.level, step),
        ):
            [kept] = self._talk.numbers(f"{command}?\n".encode("ascii"), 1)
            if not math.isclose(kept, wanted, rel_tol=_READBACK_TOLERANCE, abs_tol=tolerance):
                raise Refused(
                    f"{self._who}: sent '{command} {wanted:.6g}', reads back {kept:.6g}: "
                    "the instrument kept another value without an error"
                )

    def _confirm_functions(self, source: Source) -> None:
        """Raise Refused unless the instrument sources and measures what was asked for.

        A line that was lost on its way leaves no error, and a rest would be a 0 V source. Changes
        with the output on leave both alone: once for every set-up is enough.
        """
        for query, wanted in (
            (":SOUR:FUNC?", frozenset({source.value})),
            (":SENS:FUNC?", self.measured[source]),
        ):
            answer = self._talk.query(query)
            if _functions(answer) != wanted:
                raise Refused(
                    f"{self._who}: sent '{query}', got {answer!r}, "
                    f"expected {' and '.join(sorted(wanted))}: the instrument kept another function"
                )

    def _confirm_off(self) -> None:
        """Ask whether the output is off; a second time, in step, where the first answer was none.

        What is left over from a broken exchange must not keep a cell from being declared safe.
        """
        try:
            still_on = self._talk.switch(":OUTP?")
        except LinkClosed:
            raise
        except (LinkError, UnreadableReply):
            self._talk.send(":OUTP OFF")
            still_on = self._talk.switch(":OUTP?")
        self._confirm_open(still_on)

    def _confirm_open(self, still_on: bool) -> None:
        """Raise Refused unless it is off, and off is HIMP: only in that state is the relay open."""
        if still_on:
            raise Refused(f"{self._who}: sent ':OUTP OFF', ':OUTP?' says 1")
        for setting in self.off_state_settings:
            state = self._talk.query(f"{setting}?")
            if state != "HIMP":
                raise Refused(f"{self._who}: sent '{setting} HIMP', '{setting}?' says {state!r}")

    # --- reading -------------------------------------------------------------------------------

    def _values_and_status(self, query: bytes) -> tuple[float, float, int]:
        """Return the two values and the status word that answer ``query``, terminator included."""
        first, second, status = self._talk.numbers(query, 3)
        if not (status.is_integer() and status >= 0):
            raise UnreadableReply(f"{self._who}: sent {query!r}, got status {status}")
        return first, second, int(status)

    def _errors(self) -> list[str]:
        """Empty the error queue; return its errors and warnings in words."""
        return [self._explain(error) for error in self._talk.errors() if not _is_information(error)]

    def _explain(self, error: scpi.ScpiError) -> str:
        meaning = self.sheet.refusals.get(str(error.code), "")
        return f"{error} ({meaning})" if meaning else str(error)


def range_command(prefix: str, full_scale: float | None) -> str:
    """Return the command that puts ``:SOUR:VOLT`` or the like on a range, or on autorange."""
    return f"{prefix}:RANG:AUTO ON" if full_scale is AUTO else f"{prefix}:RANG {full_scale:.6g}"


def _functions(answer: str) -> set[str]:
    """Return the functions in an answer, for both ``VOLT`` and ``"VOLT:DC","CURR:DC"``."""
    return {name.strip('"').removesuffix(":DC") for name in answer.split(",")}


def _is_information(error: scpi.ScpiError) -> bool:
    """Tell by the type of ``<message>;<type>;<time>``; what has no type counts as an error."""
    fields = error.text.rsplit(";", 2)
    return len(fields) == 3 and fields[1] == _INFORMATION
