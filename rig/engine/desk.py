"""Where a run takes orders: refuses what is not possible, and answers each order once.

Knows the table of states, and nothing of how an order is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.core.errors import RigError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.schedule import Interrupted
from rig.engine.states import Verb, after
from rig.engine.steer import require_step
from rig.protocol.program import Program

# They change where the run stands, not its state.
MOVING = frozenset({Verb.SKIP, Verb.GO_TO, Verb.RESTART_STEP})
_OVERTAKING = frozenset({Verb.STOP, Verb.SAFE})
_FULFILLED_BY_AN_END = frozenset({Verb.STOP, Verb.SAFE, Verb.PAUSE})

Tell = Callable[[Order, str, str], None]  # an order's outcome, and in words


class Ordered(Interrupted):
    """What somebody asked of this run, thrown into its task."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.words)
        self.order = order


@dataclass
class Desk:
    """The orders of one run. ``current`` is being carried out, and not answered yet."""

    program: Program
    tell: Tell
    current: Order | None = None
    _after_step: Order | None = None

    def take(self, order: Order, state: RunState) -> Ordered | None:
        """Return what is to be thrown into the task, or None when the order is answered.

        What is not possible in this state is refused and changes nothing; what has happened
        already is done. While one is carried out only stop and safe may overtake it.
        """
        try:
            verb = Verb(order.verb)
            following = after(state, order.verb)
            if verb is Verb.GO_TO:
                require_step(self.program, address_of(order))
        except (ValueError, RigError) as refusal:
            self.tell(order, "refused", str(refusal))
            return None
        if self.current is not None and verb not in _OVERTAKING:
            self.tell(order, "refused", f"'{self.current.verb}' is being carried out")
            return None
        if self._is_answered_at_once(order, verb, state, following):
            return None
        self.answer("refused", f"overtaken by '{order.verb}'")
        self.current = order
        return Ordered(order)

    def _is_answered_at_once(
        self, order: Order, verb: Verb, state: RunState, following: RunState
    ) -> bool:
        if verb is Verb.START:  # whoever has this desk is the run, begun
            self.tell(order, "done", f"already {state.value}")
        elif verb is Verb.PAUSE_AFTER_STEP and following is not RunState.PAUSED:
            self._after_step = order
            self.tell(order, "done", "pauses when this step has ended")
        elif following is state and verb not in MOVING:
            self.tell(order, "done", f"already {state.value}")
        else:
            return False
        return True

    def pause_after_step(self) -> Order | None:
        """Return the order to pause now that a step has ended, once."""
        order, self._after_step = self._after_step, None
        return order

    def answer(self, outcome: str, words: str) -> None:
        """Answer the order that is being carried out, if there is one."""
        order, self.current = self.current, None
        if order is not None:
            self.tell(order, outcome, words)

    def answer_at_the_end(self, state: RunState, alarm: str) -> None:
        """Answer an order that the end of the run has overtaken, or fulfilled."""
        if self.current is not None:
            well = Verb(self.current.verb) in _FULFILLED_BY_AN_END and not alarm
            words = alarm or f"the run is {state.value}; the cell is disconnected"
            self.answer("done" if well else "failed", words)


def address_of(order: Order) -> int:
    """Return the number of the step to go to; raises RigError where it is none."""
    try:
        return int(order.argument)
    except ValueError:
        message = f"got step {order.argument!r}, expected a number"
        raise RigError(message, remedy="see: rig check") from None
