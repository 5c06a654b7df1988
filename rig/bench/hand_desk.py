"""The engine's side of a channel taken by hand: gives it, keeps everybody else off, takes it back.

Who has a lease holds the channel's locks as a run does. What is done under it are runs; when the
lease is over they are stopped, and only then is the channel free. Called in the engine's thread, a
few times a second; what may block is a task.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from rig.bench.chamber_by_hand import ChamberByHand
from rig.bench.hosted_run import START_PATIENCE_SECOND, HostedRun
from rig.bench.leases import (
    END_LEASE,
    GIVE_BACK,
    HAND_VERBS,
    HOLD_TEMPERATURE,
    LEASE_SECOND,
    TAKE,
    WHO,
    Lease,
    lease_over_row,
    leases_row,
    renewals,
)
from rig.bench.premises import Premises
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, StoreError
from rig.core.orders import Order
from rig.engine.schedule import Interrupted, Task
from rig.engine.states import Verb
from rig.store.database import translated
from rig.store.orders import Answer


@dataclass
class _Held:
    """``until_second`` is real time; ``ending`` says why it is over, while it is being cleared."""

    lease: Lease
    until_second: float
    renewed: str = ""
    ending: str = ""
    wished: bool = False  # whether an order ended it: that is on record already
    given_back: list[Order] = field(default_factory=list)  # to be answered when it is cleared
    chamber: ChamberByHand | None = None
    runs: list[HostedRun] = field(default_factory=list)  # that began under it

    @property
    def alarm(self) -> str:
        """What nobody could confirm of its cell."""
        alarms = [life.run.alarm for life in self.runs if life.run is not None]
        return next(filter(None, alarms), "")


@dataclass
class HandDesk:
    """The leases of one engine; ``lives`` are its runs, those that give back among them."""

    premises: Premises
    lives: Callable[[], Iterable[HostedRun]]
    clock: Clock = field(default_factory=RealClock)
    say: Callable[[str], None] = lambda _line: None
    _held: dict[str, _Held] = field(default_factory=dict)
    _taking: dict[str, Order] = field(default_factory=dict)  # channel -> who is about to have it

    def begin(self) -> None:
        """What a dead engine has given is in force no longer."""
        self._publish()

    # --- asked ------------------------------------------------------------------------------------

    def consider(self, order: Order, *, is_late: bool) -> bool:
        """Take an order that is about a lease; say whether it was one."""
        if order.verb not in HAND_VERBS:
            return False
        if is_late:
            self._answer(order, "failed", "no engine took it within a minute")
        elif order.verb == TAKE:
            self._take(order)
        else:
            self._about_lease(order)
        return True

    def objection(self, channel: str, lease_id: str) -> str:
        """Return why no run may begin on a channel under this lease, or without any; "" for none."""
        held = self._held.get(channel)
        if lease_id and (held is None or held.ending or held.lease.lease_id != lease_id):
            return "the lease under which it was asked for is over"
        if held is not None and held.lease.lease_id != lease_id:
            return f"channel {channel}: {held.lease.words}"
        return self._chamber_objection(channel, but=held)

    def admit(self, life: HostedRun) -> None:
        """Let a run begin under the lease of its channel; nothing where there is none."""
        held = self._held.get(life.channel)
        if held is not None:
            held.runs.append(life)
            self.premises.locks.admit(held.lease.holder, life.run_id)

    def has(self, channel: str) -> bool:
        """Say whether somebody has this channel by hand."""
        return channel in self._held

    def make_way(self, channel: str, words: str) -> None:
        """End the lease of a channel for somebody who makes it safe."""
        self._end(self._held[channel], words)

    # --- giving -----------------------------------------------------------------------------------

    def _take(self, order: Order) -> None:
        channel = order.argument
        words = self._why_not(channel)
        if words:
            self._answer(order, "refused", words)
            return
        self._taking[channel] = order
        self.premises.session.schedule.add(self._taking_task(order))

    def _why_not(self, channel: str) -> str:
        if channel not in self.premises.bench.bench.channels:
            return f"there is no channel {channel!r}"
        if channel in self._taking:
            return f"channel {channel}: {self._taking[channel].who} is just taking it by hand"
        run = next((life for life in self.lives() if life.channel == channel), None)
        if run is not None:
            return f"channel {channel} is busy: run {run.run_id[:8]} is there"
        return self.objection(channel, "")

    def _taking_task(self, order: Order) -> Task:
        """A look at a lock takes it for a moment, so it is tried for as long as by a run."""
        channel = order.argument
        wall_us = self.clock.wall_us()
        lease = Lease(order.run_id, channel, order.who, order.reason, wall_us, os.getpid())
        try:
            yield from self.premises.locked(lease.holder, channel, START_PATIENCE_SECOND)
        except BadInput as busy:
            self._answer(order, "refused", "; ".join(one.message for one in busy.problems))
        except Interrupted:
            self._answer(order, "refused", "the engine ends")
        else:
            self._held[channel] = _Held(lease, self.clock.now() + LEASE_SECOND)
            self._publish()
            self._answer(order, "done", f"channel {channel} is {order.who}'s")
            self.say(f"{channel}: {lease.words}")
        finally:
            del self._taking[channel]

    def _about_lease(self, order: Order) -> None:
        held = next(
            (one for one in self._held.values() if one.lease.lease_id == order.run_id), None
        )
        if held is not None and order.verb == END_LEASE:
            self._end_by(held, order, order.words)
        elif held is None or held.ending:
            if order.verb in (GIVE_BACK, END_LEASE):
                self._answer(order, "done", "the lease is over already")
            else:
                self._answer(order, "refused", "the lease is over")
        elif order.verb == GIVE_BACK:
            self._end_by(held, order, f"given back by {order.who}")
        elif order.verb == HOLD_TEMPERATURE:
            self._hold_temperature(held, order)

    # --- a chamber --------------------------------------------------------------------------------

    def _hold_temperature(self, held: _Held, order: Order) -> None:
        channel = self.premises.bench.bench.channels[held.lease.channel]
        name = channel.instruments.get("chamber", "")
        try:
            celsius = float(order.argument)
            words = self._chamber_is_asked_for(held, name)
        except ValueError:
            words = f"got {order.argument!r}, expected a temperature"
        if words or not name:
            self._answer(order, "refused", words or "the channel has no chamber")
        elif held.chamber is not None and not held.chamber.is_over:
            held.chamber.ask(celsius, order)
            self._hold(held, name, celsius)
        else:
            held.chamber = ChamberByHand(self.premises, held.lease, name, celsius, self._answer)
            self.premises.session.schedule.add(held.chamber.task(order))
            self._hold(held, name, celsius)

    def _hold(self, held: _Held, name: str, celsius: float | None) -> None:
        channels = self.premises.bench.bench.channels
        inside = tuple(one for one in channels if name and self._chamber_of(one) == name)
        held.lease = replace(
            held.lease, chamber=name, temperature_celsius=celsius, chamber_channels=inside
        )
        self._publish()

    def _chamber_is_asked_for(self, held: _Held, name: str) -> str:
        """Return who else is in this chamber: nobody's cell is heated by another's hand."""
        for life in self.lives():
            if life.channel != held.lease.channel and self._chamber_of(life.channel) == name:
                return f"chamber {name}: run {life.run_id[:8]} on channel {life.channel} is in it"
        for other in self._held.values():
            if other is not held and self._chamber_of(other.lease.channel) == name:
                return (
                    f"chamber {name}: channel {other.lease.channel} is in it; {other.lease.words}"
                )
        return ""

    def _chamber_objection(self, channel: str, *, but: _Held | None) -> str:
        """Return why nothing begins in a chamber that somebody has at a temperature by hand."""
        name = self._chamber_of(channel)
        for held in self._held.values():
            lease = held.lease
            if held is not but and name and lease.chamber == name:
                return (
                    f"channel {channel}: its chamber {name} is held at "
                    f"{lease.temperature_celsius:g} degC by hand, by {lease.owner}"
                )
        return ""

    def _chamber_of(self, channel: str) -> str:
        spec = self.premises.bench.bench.channels.get(channel)
        return "" if spec is None else spec.instruments.get("chamber", "")

    # --- taking back ------------------------------------------------------------------------------

    def look(self) -> None:
        """See who is still there, and take back what nobody renews; the engine looks often."""
        if not self._held:
            return
        self._see_renewals()
        for held in list(self._held.values()):
            if not held.ending and self.clock.now() >= held.until_second:
                self._end(held, f"{held.lease.owner} has not renewed it for {LEASE_SECOND:g} s")
            if held.ending and self._is_clear(held):
                self._release(held)
            elif held.chamber is not None and held.chamber.is_over and not held.ending:
                held.chamber = None  # it could not be opened
                self._hold(held, "", None)

    def _see_renewals(self) -> None:
        """A renewal counts from when it is seen: no step of the wall clock lengthens a lease."""
        engine = self.premises.engine
        with suppress(StoreError), translated(engine), engine.connect() as connection:
            for channel, text in renewals(connection, list(self._held)).items():
                held = self._held[channel]
                if text != held.renewed and text.startswith(held.lease.lease_id):
                    held.renewed, held.until_second = text, self.clock.now() + LEASE_SECOND

    def _end_by(self, held: _Held, order: Order, why: str) -> None:
        """End it as somebody wishes, who waits until it is cleared."""
        held.given_back.append(order)
        held.wished = held.wished or not held.ending
        self._end(held, why)

    def _end(self, held: _Held, why: str) -> None:
        """Stop what runs under a lease; its channel is free when the cell is disconnected."""
        if held.ending:
            return
        held.ending = why
        self.say(f"{held.lease.channel}: the lease of {held.lease.owner} is over: {why}")
        if held.chamber is not None:
            held.chamber.let_go()
        for life in self._lives_on(held.lease.channel):
            if not life.is_over:
                self._stop(life, why)

    def _stop(self, life: HostedRun, why: str) -> None:
        order = Order(0, life.run_id, Verb.STOP.value, "", WHO, f"lease: {why}")
        if life.run is None:
            life.stop(order)
            return
        ordered = life.run.consider(order)
        if ordered is not None and life.own_task is not None:
            self.premises.session.schedule.interrupt(life.own_task, ordered)

    def _is_clear(self, held: _Held) -> bool:
        is_free = not self._lives_on(held.lease.channel)
        return is_free and (held.chamber is None or held.chamber.is_over)

    def _release(self, held: _Held) -> None:
        lease = held.lease
        del self._held[lease.channel]
        self.premises.locks.give_back(lease.holder)
        self._publish()
        words = held.alarm or f"channel {lease.channel} is free; its cell is disconnected"
        if lease.chamber and not held.alarm:
            words += f"; chamber {lease.chamber} is let go"
        outcome = "failed" if held.alarm else "done"
        for order in held.given_back:
            self._answer(order, outcome, words)
        if not held.wished:
            given = Answer(outcome, words)
            row = lease_over_row(lease, held.ending, given, self.clock.wall_us())
            self.premises.session.recorder.row("journal", row)

    def _lives_on(self, channel: str) -> list[HostedRun]:
        return [life for life in self.lives() if life.channel == channel]

    def _publish(self) -> None:
        leases = [held.lease for held in self._held.values()]
        self.premises.session.recorder.row("meta", leases_row(leases))
        self.premises.session.recorder.hurry()

    def _answer(self, order: Order, outcome: str, words: str) -> None:
        wall_us = self.clock.wall_us()
        self.premises.session.recorder.answer(order.order_id, outcome, words, wall_us)
