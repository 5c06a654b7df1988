"""A chamber that a person holds at a temperature: its port, its task, and that it goes to rest after.

It works as for a run, by the one owner of its set point. Who else may be in the chamber is decided in
hand_desk.py; here the other channels' locks keep their runs away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.bench.file import ChannelSpec
from rig.bench.hosted_run import START_PATIENCE_SECOND
from rig.bench.leases import Lease
from rig.bench.premises import Premises
from rig.core.errors import BadInput
from rig.core.orders import Order
from rig.engine.chamber import SharedChamber
from rig.engine.schedule import Interrupted, Task

Tell = Callable[[Order, str, str], None]


@dataclass
class ChamberByHand:
    """Held for as long as its lease lasts; ``is_over`` once nothing of it is left here."""

    premises: Premises
    lease: Lease
    name: str
    celsius: float
    tell: Tell
    is_over: bool = False
    _wanted: bool = True
    _shared: SharedChamber | None = None

    def ask(self, celsius: float, order: Order) -> None:
        """Go to another temperature."""
        self.celsius = celsius
        if self._shared is not None:
            self._shared.ask(self.lease.holder, celsius)
        self.tell(order, "done", self._words)

    def let_go(self) -> None:
        """Nobody wants it any more; it goes to rest when nobody else does, either."""
        self._wanted = False

    def task(self, order: Order) -> Task:
        """Hold it until it is let go, or everything ends."""
        try:
            yield from self._locked()
            yield from self.premises.ports.open(self.lease.holder, {"chamber": self.name})
        except BadInput as bad:
            self._give_back()
            self.tell(order, "refused", "; ".join(one.message for one in bad.problems))
        except Interrupted:
            self._give_back()
            self.tell(order, "refused", "the engine ends")
        else:
            yield from self._hold(order)
        self.is_over = True

    def _hold(self, order: Order) -> Task:
        premises, holder = self.premises, self.lease.holder
        shared = self._shared = premises.bench.shared_chamber(self.name)
        assert shared is not None
        place = (self.lease.lease_id, self.lease.channel)
        premises.session.by_hand.append(place)
        premises.watch()
        shared.join(holder)
        shared.ask(holder, self.celsius)
        premises.keep(shared, None)
        self.tell(order, "done", self._words)
        try:
            while self._wanted:
                yield premises.pause()
        except Interrupted:
            pass  # everything ends, and the chamber's own task brings it to rest
        shared.leave(holder)
        premises.session.by_hand.remove(place)
        if not premises.ending:
            yield from premises.ports.close(holder)
            self._give_back()

    @property
    def _words(self) -> str:
        return f"chamber {self.name} goes to {self.celsius:g} degC, as long as the lease lasts"

    def _locked(self) -> Task:
        """Keep runs of other processes off every cell in this chamber."""
        others = [spec for spec in self._inside() if spec.name != self.lease.channel]
        for spec in others:
            yield from self.premises.locked(self._other(spec), spec.name, START_PATIENCE_SECOND)

    def _give_back(self) -> None:
        for spec in self._inside():
            self.premises.locks.give_back(self._other(spec))

    def _inside(self) -> list[ChannelSpec]:
        channels = self.premises.bench.bench.channels.values()
        return [spec for spec in channels if spec.instruments.get("chamber") == self.name]

    def _other(self, spec: ChannelSpec) -> str:
        """A holder for each: who cannot have one lock gives back all that he has."""
        return f"{self.lease.holder} {spec.name}"
