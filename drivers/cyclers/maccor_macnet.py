"""One channel of a Maccor tester as a cell channel, in direct mode over MacNet's JSON port.

In direct mode the host decides and the tester regulates: current until a voltage, then that
voltage. The tester's own safeties (6,10) are armed before every session; its watchdog
(MacNetDirectModeWD, set in the tester's System.ini) suspends a channel that the host has stopped
updating, so every reading sends the set point again. Knows no port and no engine. Section numbers:
the MacNet reference that the sheet names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from drivers.cyclers.macnet_channel import (
    ON_THE_WAY,
    REST,
    ChannelReading,
    Output,
    Safeties,
    Specification,
    Stat,
    plan,
    refusals,
)
from drivers.cyclers.macnet_conversation import Conversation, Function
from rig.core.errors import (
    BadInput,
    InstrumentError,
    LinkError,
    OutOfRange,
    Problem,
    Refused,
    UnconfirmedSafeState,
    WrongInstrument,
)
from rig.core.instruments import (
    CellReading,
    Identity,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
)
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet

_VERSION, _SYSTEM = Function(1, 1), Function(1, 2)
_SPECIFICATION, _READING = Function(3, 1), Function(4, 7)
_RESET, _START_DIRECT, _SET_OUTPUT, _SET_SAFETIES = (
    Function(6, 5),
    Function(6, 7),
    Function(6, 8),
    Function(6, 10),
)
_LAB_SYSTEM = 0
# Every exchange is followed by 0.1 s of silence (the sheet's spacing), so these are tenths of a
# second: a start passes through "starting"; a rest that does not take effect is the known defect.
_LOOKS_AFTER_START, _LOOKS_AFTER_CHANGE, _LOOKS_AFTER_RESET = 50, 10, 30
# 3 "sent too fast" and 5 "direct mode not ready yet" mean later, not no; direct mode takes about 1 s.
_LATER, _MOST_TRIES = ("3", "5"), 20
_TESTER_RECORDS = {"DataTime": 60.0, "DataV": 0.0, "DataI": 0.0}  # its own copy: a point a minute
_F32_TOLERANCE = 1e-6  # safeties come back as 32-bit floats


@dataclass(frozen=True, slots=True)
class _Session:
    """Direct mode as it was confirmed: what it is protected by, and what it does."""

    safeties: Safeties
    output: Output


class MaccorMacNet:
    """One channel; ``channel`` counts from 0 as on the wire, one less than the tester's own screen.

    Lab systems only (SystemType 0): no other has direct mode.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, channel: int = 0) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name}, channel {channel})"
        if channel < 0:
            raise BadInput(Problem(self._who, f"got channel {channel}, expected 0 or more"))
        self._talk = Conversation(link, self._who, self.sheet.timeout_second)
        self._channel = channel
        self._specification: Specification | None = None
        self._session: _Session | None = None

    def identify(self) -> Identity:
        """Ask for the tester program's version and the system, and what the channel can hold."""
        version, system = self._talk.ask(_VERSION), self._talk.ask(_SYSTEM)
        kind, channels = system.whole("SystemType"), system.whole("TestChannels")
        if kind != _LAB_SYSTEM:
            raise WrongInstrument(
                f"{self._who}: SystemType {kind}, expected {_LAB_SYSTEM}: direct mode exists on "
                "lab systems only",
                remedy="let the tester run its own procedures and import its files",
            )
        if self._channel >= channels:
            raise WrongInstrument(
                f"{self._who}: the tester has {channels} channels, 0 to {channels - 1}",
                remedy="check which channel the bench file names",
            )
        self._specification = Specification.read(self._talk.ask(_SPECIFICATION, self._channel))
        firmware = ".".join(
            str(version.whole(f"MacTest32EXEversion{part}")) for part in ("Major", "Minor", "Build")
        )
        serial = str(system.fields.get("SystemID", ""))
        return Identity(self.sheet.maker, self.sheet.models[0].name, serial, firmware)

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        specification = self._known_specification()
        if isinstance(setpoint, OpenCircuit):
            self._rest()
            return
        if problems := refusals(setpoint, limits, specification):
            raise OutOfRange(f"{self._who}: {setpoint}: {'; '.join(problems)}; nothing was sent")
        safeties = Safeties.within(limits, specification)
        # Forgotten until confirmed: after a failure half way, the next apply starts from the off state.
        session, self._session = self._session, None
        present = self._look()
        output = plan(setpoint, specification, present)
        if session is None or session.safeties != safeties or present.stat != Stat.ACTIVE:
            self._begin(safeties, output)
        else:
            self._send_output(output)
            self._await(output, _LOOKS_AFTER_CHANGE)
        self._session = _Session(safeties, output)

    def measure(self) -> CellReading:
        """Read the channel, then send the set point again: to the tester's watchdog we are alive.

        STOPPED when the channel does not do what it was told: a safety, the watchdog or a person.
        """
        reading, session = self._look(), self._session
        if session is None:
            if not reading.is_disconnected:
                raise InstrumentError(
                    f"{self._who}: {reading}, although no set point is applied",
                    remedy="somebody else runs a test on this channel: end it at the tester",
                )
            return reading.as_cell_reading(Regulation.OPEN)
        if not reading.does(session.output):
            return reading.as_cell_reading(Regulation.STOPPED)
        self._send_output(session.output)
        regulation = session.output.regulation(reading.voltage_volt, reading.current_ampere)
        return reading.as_cell_reading(regulation)

    def make_safe(self) -> None:
        """Reset the channel, which ends its test, and see it disconnected (section 8)."""
        self._session = None
        try:
            self._disconnect()
        except (LinkError, InstrumentError) as error:
            raise UnconfirmedSafeState(
                f"{self._who}: the channel is not confirmed off: {error}",
                remedy="reset the channel in the tester's own program and disconnect the cell",
            ) from error

    # --- direct mode, section 5 ------------------------------------------------------------------

    def _known_specification(self) -> Specification:
        if self._specification is None:
            self.identify()
        assert self._specification is not None
        return self._specification

    def _begin(self, safeties: Safeties, output: Output) -> None:
        """From any state: off, protected, then direct mode with its first set point.

        The set point goes with the start: a quantity that is out of range then stays ignored for
        the whole session.
        """
        self._disconnect()
        self._arm(safeties)
        self._act(_START_DIRECT, TestName="Random", **output.params(), **_TESTER_RECORDS)
        self._await(output, _LOOKS_AFTER_START)

    def _arm(self, safeties: Safeties) -> None:
        """Set the tester's safeties; raise Refused unless they come back as sent."""
        wanted = safeties.params()
        reply = self._talk.ask(_SET_SAFETIES, self._channel, **wanted)
        kept = {key: reply.number(key) for key in wanted}
        if not all(
            math.isclose(kept[key], wanted[key], rel_tol=_F32_TOLERANCE, abs_tol=_F32_TOLERANCE)
            for key in wanted
        ):
            raise Refused(f"{self._who}: sent safeties {wanted}, the tester keeps {kept}")

    def _rest(self) -> None:
        """Stop the current: by a rest within the session, and by a reset where that does not work.

        With no session there is nothing to rest from: the channel is seen disconnected.
        """
        session, self._session = self._session, None
        if session is not None and self._look().stat == Stat.ACTIVE:
            self._send_output(REST)
            # One tester release takes a rest over JSON and goes on driving.
            if any(self._look().does(REST) for _ in range(_LOOKS_AFTER_CHANGE)):
                self._session = replace(session, output=REST)
                return
        self._disconnect()

    def _await(self, output: Output, looks: int) -> None:
        """Return once the channel does it; raises Refused when it goes another way."""
        for _ in range(looks):
            reading = self._look()
            if reading.does(output):
                return
            if reading.stat != Stat.ACTIVE and reading.stat not in ON_THE_WAY:
                raise Refused(f"{self._who}: told {output}, the channel says {reading}")
        raise InstrumentError(
            f"{self._who}: told {output}, after {looks} looks the channel still says {reading}"
        )

    def _send_output(self, output: Output) -> None:
        for _ in range(_MOST_TRIES):
            result = self._result(_SET_OUTPUT, **output.params())
            if _is_ok(result):
                return
            if str(result) not in _LATER:
                break
        raise self._refused(_SET_OUTPUT, result)

    def _disconnect(self) -> None:
        """Reset and see the channel off. An idle one may refuse the reset: its state is what counts."""
        try:
            answer = self._result(_RESET)
        except Refused as refusal:
            answer = str(refusal)
        for _ in range(_LOOKS_AFTER_RESET):
            reading = self._look()
            if reading.is_disconnected:
                return
        raise InstrumentError(
            f"{self._who}: sent {_RESET} (reset), got {answer!r}; the channel still says {reading}"
        )

    # --- one exchange ----------------------------------------------------------------------------

    def _look(self) -> ChannelReading:
        return ChannelReading.read(self._talk.ask(_READING, self._channel))

    def _act(self, function: Function, **params: float | str) -> None:
        result = self._result(function, **params)
        if not _is_ok(result):
            raise self._refused(function, result)

    def _result(self, function: Function, **params: float | str) -> object:
        return self._talk.ask(function, self._channel, **params).fields.get("Result")

    def _refused(self, function: Function, result: object) -> Refused:
        meaning = self.sheet.refusals.get(f"{function}: {result}", "not in the sheet")
        return Refused(f"{self._who}: sent {function}, got result {result!r}: {meaning}")


def _is_ok(result: object) -> bool:
    """Tell success; how JSON spells a failure is not known, so everything else is one."""
    return result == "OK" or (isinstance(result, int) and result is not False and result == 0)
