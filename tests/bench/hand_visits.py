"""Somebody who takes channels by hand at a host that works in this thread: asks, and looks for answers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.bench import leases
from rig.bench.hand_operations import FILE, ByHand, Operation, protocol_text
from rig.bench.hosting import request_start
from rig.bench.leases import Lease, read_leases
from rig.core.clock import RealClock
from rig.core.orders import Order
from rig.store.orders import Answer, answer_to, ask
from tests.bench.hosts import Desk


@dataclass
class Visitor:
    """``took``, ``did`` and ``gave`` return something that comes true when the engine has answered."""

    desk: Desk
    name: str = "maria"
    lease_id: str = ""
    order: Order | None = None
    runs: list[str] = field(default_factory=list)

    def takes(self, channel: str) -> Visitor:
        self.lease_id = uuid.uuid4().hex
        return self._asks(leases.TAKE, channel)

    def gives_back(self) -> Visitor:
        return self._asks(leases.GIVE_BACK)

    def holds(self, celsius: float) -> Visitor:
        return self._asks(leases.HOLD_TEMPERATURE, f"{celsius:g}")

    def ends(self, lease_id: str, reason: str) -> Visitor:
        """End somebody else's lease."""
        wall_us, who = RealClock().wall_us(), self.name
        self.order = ask(
            self.desk.engine, lease_id, leases.END_LEASE, who=who, reason=reason, wall_us=wall_us
        )
        return self

    def renews(self) -> None:
        leases.renew(self.desk.engine, self.lease)

    def does(self, operation: Operation, settings: Mapping[str, str] | None = None) -> str:
        """Ask for an operation; returns its run, which is queued."""
        channel = self.lease.channel
        (run_id,) = request_start(
            self.desk.engine,
            self.desk.bench,
            protocol_text=protocol_text(
                ByHand(operation, settings or {}), self.desk.bench, channel
            ),
            protocol_file=FILE,
            channels=[channel],
            who=self.name,
            lease_id=self.lease_id,
        )
        self.runs.append(run_id)
        return run_id

    @property
    def answer(self) -> Answer | None:
        return answer_to(self.desk.engine, self.order) if self.order is not None else None

    def is_answered(self) -> bool:
        return self.answer is not None

    @property
    def lease(self) -> Lease:
        return next(one for one in self.all_leases() if one.lease_id == self.lease_id)

    def has_it(self) -> bool:
        return any(one.lease_id == self.lease_id for one in self.all_leases())

    def all_leases(self) -> list[Lease]:
        return read_leases(self.desk.engine)

    def _asks(self, verb: str, argument: str = "") -> Visitor:
        wall_us = RealClock().wall_us()
        self.order = ask(
            self.desk.engine, self.lease_id, verb, who=self.name, argument=argument, wall_us=wall_us
        )
        return self
