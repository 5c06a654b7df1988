"""What a run works on: the instruments of one place for a cell, by role, each with its port."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from rig.core.fixture import Fixture
from rig.core.instruments import (
    CellChannel,
    ImpedanceAnalyser,
    Limits,
    Multiplexer,
    ResistanceMeter,
)
from rig.engine.chamber import SharedChamber
from rig.engine.scanner import Scanner
from rig.engine.sensors import SensorPath, SharedSensor
from rig.protocol.program import Safety


class OnLinkLoss(Enum):
    """What becomes of a run whose instrument does not answer; the values are a bench file's words."""

    CONTINUE = "continue"  # once the same instrument answers again, disconnected in between
    SAFE = "safe"  # the run ends at once; a person resumes it


# Frequency in hertz, real and imaginary part in ohm of each point -> what speaks against the
# spectrum, "" for nothing. The engine knows no analysis: rig.bench hands one in.
Judge = Callable[[Sequence[tuple[float, float, float]]], str]


def nothing_against(_points: Sequence[tuple[float, float, float]]) -> str:
    """Return that every spectrum is as good as another."""
    return ""


Disconnecting = CellChannel | ImpedanceAnalyser | ResistanceMeter | Multiplexer


@dataclass(frozen=True)
class Channel:
    """Instruments by role, each with the port that owns it.

    ``cell`` and ``analyser`` may be one instrument. ``limits`` is the intersection of bench,
    channel and instrument limits, in force with every set point. ``fixture`` is what stands
    between analyser and cell, where somebody has measured it. ``sensors`` drive nothing: what is
    read beside the cell, by name. ``judge`` says what speaks against a spectrum; it may take a while,
    and is asked in the thread of the analyser's port.
    """

    name: str
    cell: CellChannel | None = None
    cell_port: str = ""
    analyser: ImpedanceAnalyser | None = None
    analyser_port: str = ""
    chamber: SharedChamber | None = None
    limits: Limits = field(default_factory=lambda: Limits(-math.inf, math.inf, math.inf))
    reopen: Callable[[str], None] = lambda _port: None  # open the port anew, identify the same
    scanner: Scanner | None = None  # leads the analyser to this cell, among others, by ``path``
    path: str = ""
    meter: ResistanceMeter | None = None
    meter_port: str = ""
    fixture: Fixture | None = None
    on_link_loss: OnLinkLoss = OnLinkLoss.CONTINUE
    sensors: tuple[SensorPath, ...] = ()
    judge: Judge = nothing_against

    def instruments_of(self, run_id: str) -> list[tuple[str, Disconnecting]]:
        """Return (port, instrument) of each that can drive the cell now, each once.

        Behind a scanner the analyser counts only while it is this run's turn: at any other time
        it is on somebody else's cell. The scanner itself comes last.
        """
        pairs: list[tuple[str, Disconnecting | None]] = [(self.cell_port, self.cell)]
        mine = self.scanner is None or self.scanner.granted(run_id)
        if mine and not self.one_instrument:
            pairs.append((self.analyser_port, self.analyser))
        pairs.append((self.meter_port, self.meter))
        if mine and self.scanner is not None:
            pairs.append((self.scanner.port, self.scanner.driver))
        return [(port, instrument) for port, instrument in pairs if instrument is not None]

    @property
    def shared(self) -> list[SharedChamber | SharedSensor]:
        """What other runs may use at the same time, each with a task of its own: chamber, sensors."""
        sensors = list({at.sensor.name: at.sensor for at in self.sensors}.values())
        return [*sensors] if self.chamber is None else [self.chamber, *sensors]

    def join(self, run_id: str) -> None:
        """Announce a run to what it shares with others."""
        for shared in self.shared:
            if isinstance(shared, SharedSensor):
                shared.join(run_id, [at.path for at in self.sensors if at.sensor is shared])
            else:
                shared.join(run_id)

    def leave(self, run_id: str) -> None:
        """The run is over."""
        for shared in self.shared:
            shared.leave(run_id)

    @property
    def one_instrument(self) -> bool:
        """Say whether the same instrument drives the cell and measures its impedance."""
        return id(self.cell) == id(self.analyser)

    def limits_with(self, safety: Safety, longest_second: float) -> Limits:
        """Return what an instrument is armed with: the tighter of the run's and the channel's."""
        own = self.limits
        return Limits(
            max(_or(safety.voltage_min_volt, -math.inf), own.voltage_min_volt),
            min(_or(safety.voltage_max_volt, math.inf), own.voltage_max_volt),
            min(_or(safety.current_max_ampere, math.inf), own.current_max_ampere),
            longest_second,
        )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
