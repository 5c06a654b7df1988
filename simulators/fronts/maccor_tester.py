"""The Maccor tester program: channels, test names, stored procedures, and what each action refuses.

Knows channels, not how requests are written: JSON and binary listeners share one tester. Actions
return the tester's own result codes.

Simulator's choices: a name already used makes 6,7 fail with 3; names are used up for ever, archived
or not; 6,6 on a test that has not ended is 22.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.fronts.maccor_channel import Channel, Connected, Nothing
from simulators.fronts.maccor_codes import (
    ChannelSpec,
    Check,
    DirectSet,
    DirectStart,
    Outcome,
    Status,
)
from simulators.fronts.maccor_output import PROCEDURES, Output, ProcedureStep

ALL_SELECTED = 65_535
RANDOM_NAME = "Random"
_LONGEST_NAME = 250
_SYSTEM_TYPE_LAB = 0
_VOLTAGE_NOISE_VOLT = 5e-5
_CURRENT_NOISE_OF_CURRENT = 1e-4


@dataclass(frozen=True, slots=True)
class MaccorSetup:
    """How a tester is built and configured.

    ``watchdog_second`` is MacNetDirectModeWD, 0 is off; ``tripped`` the status after a safety, 3 or
    5 (which one is unknown); ``discharge_is_negative``: whether 4,7 and 4,3 tell the current of a
    discharge with a minus (unknown).
    """

    channels: int = 8
    system_type: int = _SYSTEM_TYPE_LAB
    watchdog_second: float = 0.0
    tripped: Status = Status.PROBLEM
    discharge_is_negative: bool = False
    noise: bool = True
    spec: ChannelSpec = field(default_factory=ChannelSpec)


class Measurement(NamedTuple):
    """Voltage and current as the tester shows them."""

    voltage_volt: float
    current_ampere: float


class MaccorTester:
    """The program on the tester's PC; ``cells`` are connected by 0-based channel number."""

    def __init__(
        self,
        name: str,
        cells: Mapping[int, Connected],
        setup: MaccorSetup,
        *,
        seed: int,
        procedures: Mapping[str, tuple[ProcedureStep, ...]] = PROCEDURES,
    ) -> None:
        self.setup = setup
        self.procedures = procedures
        self.test_names: set[str] = set()
        self.now = 0.0
        self._random = random.Random(seed)
        self.channels = [
            Channel(
                name,
                cells.get(number, Nothing()),
                setup.spec,
                watchdog_second=setup.watchdog_second,
                tripped=setup.tripped,
            )
            for number in range(setup.channels)
        ]

    def advance(self, now_second: float) -> None:
        """Let every channel catch up with ``now_second``."""
        self.now = max(self.now, now_second)
        for channel in self.channels:
            channel.advance(self.now)

    def next_event_second(self) -> float:
        """Return when a channel has something to do by itself; infinity: nothing."""
        return min(channel.next_event_second() for channel in self.channels)

    def measure(self, channel: Channel) -> Measurement:
        """Read a channel's meters."""
        voltage, current, _ = channel.terminals()
        if self.setup.noise:
            voltage += self._random.gauss(0.0, _VOLTAGE_NOISE_VOLT)
            current *= 1.0 + self._random.gauss(0.0, _CURRENT_NOISE_OF_CURRENT)
        return Measurement(voltage, current if self.setup.discharge_is_negative else abs(current))

    # -- actions, FClass 6 ---------------------------------------------------------------------

    def select(self, numbers: list[int]) -> Outcome:
        """6,1: select idle channels; the others are deselected."""
        chosen = [self.channels[number] for number in numbers]
        if not all(channel.available for channel in chosen):
            return Outcome.CHANNEL_IN_USE
        for channel in self.channels:
            if channel.available:
                channel.status = Status.SELECTED if channel in chosen else Status.AVAILABLE
        return Outcome.OK

    def start(self, channels: list[Channel], test_name: str, procedure: str) -> Outcome:
        """6,2: start a stored procedure."""
        if not channels:
            return Outcome.NONE_SELECTED
        if not all(channel.available for channel in channels):
            return Outcome.CHANNEL_IN_USE
        if procedure not in self.procedures:
            return Outcome.NO_PROCEDURE
        if not test_name:
            return Outcome.INVALID_ENTRY
        if len(test_name) > _LONGEST_NAME:
            return Outcome.NAME_TOO_LONG
        if test_name in self.test_names:
            return Outcome.NAME_NOT_UNIQUE
        name = self._use_name(test_name)
        for channel in channels:
            channel.test_name, channel.procedure_name = name, procedure
            channel.begin_procedure(self.procedures[procedure])
        return Outcome.OK

    def check_start(self, channel: Channel, test_name: str, procedure: str) -> Check:
        """6,11: what 6,2 would say, in codes of its own."""
        if channel.status is not Status.AVAILABLE:
            return Check.CHANNEL_UNAVAILABLE
        if procedure not in self.procedures:
            return Check.PROCEDURE_MISSING
        if not 0 < len(test_name) <= _LONGEST_NAME:
            return Check.INVALID_FILE_NAME
        return Check.FILE_IN_ARCHIVE if test_name in self.test_names else Check.OK

    def start_direct(
        self, channel: Channel, test_name: str, output: Output, record_second: float
    ) -> DirectStart:
        """6,7: start direct mode."""
        if self.setup.system_type != _SYSTEM_TYPE_LAB:
            return DirectStart.ILLEGAL_SYSTEM_TYPE
        if not channel.available:
            return DirectStart.CHANNEL_NOT_AVAILABLE
        if not 0 < len(test_name) <= _LONGEST_NAME or test_name in self.test_names:
            return DirectStart.PSEUDO_PROCEDURE_FAILED
        channel.test_name, channel.procedure_name = self._use_name(test_name), ""
        channel.begin_direct(output, record_second)
        return DirectStart.OK

    def set_direct(self, channel: Channel, output: Output) -> DirectSet:
        """6,8: change what direct mode puts out."""
        if self.setup.system_type != _SYSTEM_TYPE_LAB:
            return DirectSet.ILLEGAL_SYSTEM_TYPE
        return channel.set_direct(output)

    def suspend(self, channel: Channel) -> Outcome:
        """6,3."""
        if channel.status is not Status.ACTIVE:
            return Outcome.NOT_ACTIVE
        channel.suspend()
        return Outcome.OK

    def resume(self, channel: Channel) -> Outcome:
        """6,4."""
        if channel.status is not Status.SUSPENDED:
            return Outcome.NOT_SUSPENDED
        channel.resume()
        return Outcome.OK

    def reset(self, channel: Channel) -> Outcome:
        """6,5: stop whatever runs; the output is off when the reply is sent."""
        channel.reset()
        return Outcome.OK

    def archive(self, channel: Channel) -> Outcome:
        """6,6: put the completed test away, which makes the channel available."""
        if channel.status is not Status.COMPLETED:
            return Outcome.INVALID_ENTRY
        channel.reset()
        return Outcome.OK

    def _use_name(self, test_name: str) -> str:
        """Take a name for ever; ``Random`` asks for one that nobody has."""
        if test_name == RANDOM_NAME:
            test_name = f"{self._random.getrandbits(40):010X}"
        self.test_names.add(test_name)
        return test_name
