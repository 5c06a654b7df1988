"""A link that was lost is looked for again, with growing pauses, and given up where that helps nobody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rig.core.clock import Clock
from rig.core.errors import InstrumentError, LinkError, RigError
from rig.engine.channel import Channel, OnLinkLoss
from rig.engine.cursor import Place
from rig.engine.schedule import Request, Task

# A step whose link is lost so often, without the cell being seen in between, is given up.
MOST_LOSSES_IN_A_STEP = 5
# A cable that came out is looked for again after these pauses; then the run goes safe.
RECONNECT_PAUSES_SECOND = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass
class Relinking:
    """Gets one run's instruments back, and counts how often it had to in one step."""

    run_id: str
    clock: Clock
    _losses: tuple[object, int] = (None, 0)  # where in the program, how often

    @property
    def counts(self) -> bool:
        """Say whether a link was lost since the cell was seen last."""
        return self._losses[1] > 0

    def forget(self) -> None:
        """The cell was seen: a month's glitches do not add up."""
        self._losses = None, 0

    def reopen(self, channel: Channel, fault: RigError, place: Place) -> Task:
        """Open the channel's instruments again; ``place`` is where in the program they were lost.

        Raises ``fault`` when they do not come back, or at once where the channel would rather be
        safe or it happens too often at one place.
        """
        if channel.on_link_loss is OnLinkLoss.SAFE:
            raise fault
        self._count(fault, place)
        for pause in RECONNECT_PAUSES_SECOND:
            due = self.clock.now() + pause
            try:
                for port, _ in channel.instruments_of(self.run_id):
                    yield Request(due, port, partial(channel.reopen, port))
            except (LinkError, InstrumentError):
                continue
            return
        raise fault

    def _count(self, fault: RigError, place: Place) -> None:
        here = (place.pc, place.loops)  # not its step_count: begun again it is the same step
        where, times = self._losses
        times = times + 1 if where == here else 1
        self._losses = here, times
        if times > MOST_LOSSES_IN_A_STEP:
            raise fault
