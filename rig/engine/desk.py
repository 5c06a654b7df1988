"""Where a run takes orders: refuses what is not possible, and answers each order once.

Knows the table of states, and nothing of how an order is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.core.errors import RigError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.revision import Proposed
from rig.engine.schedule import Interrupted
from rig.engine.states import Verb, after
from rig.engine.steer import require_step
from rig.protocol.program import Program

# They change where the run stands, not its state.
MOVING = frozenset({Verb.SKIP, Verb.GO_TO, Verb.RESTART_STEP})
# They change how the run ends; what it does now goes on.
LEAVING = frozenset({Verb.STOP_AFTER_CYCLE, Verb.FINISH})
# The state that they leave a run in says nothing of whether they were obeyed: that needs an engine.
STEERING = MOVING | LEAVING | {Verb.REVISE}
_OVERTAKING = frozenset({Verb.STOP, Verb.SAFE})
_FULFILLED_BY_AN_END = frozenset({Verb.STOP, Verb.SAFE, Verb.PAUSE})

# A revision whose moment has not come by then (a scanner is waited for, a link is lost) is not obeyed
# later: who asked waits a minute.
PROPOSAL_PATIENCE_SECOND = 50.0

Tell = Callable[[Order, str, str], None]  # an order's outcome, and in words
Leave = Callable[[Order], str]  # how the run ends, put in its cursor; returns the answer


class Ordered(Interrupted):
    """What somebody asked of this run, thrown into its task."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.words)
        self.order = order


@dataclass
class Desk:
    """The orders of one run. ``current`` is being carried out, and not answered yet.

    ``proposed`` is another text of the protocol that waits for the moment between two readings.
    """

    program: Program
    tell: Tell
    leave: Leave
    current: Order | None = None
    proposed: Proposed | None = None
    _after_step: Order | None = None

    def take(
        self, order: Order, state: RunState, proposed: Proposed | None = None
    ) -> Ordered | None:
        """Return what is to be thrown into the task, or None when the order is answered, or waits.

        What is not possible in this state is refused and changes nothing; what has happened
        already is done. While one is carried out only stop and safe may overtake it. ``proposed``
        comes with the verb ``revise``.
        """
        try:
            verb = Verb(order.verb)
            following = after(state, order.verb)
            if verb is Verb.REVISE and proposed is None:
                raise RigError("an order to revise needs a text", remedy="see: rig revise")
            if verb is Verb.GO_TO:
                require_step(self.program, address_of(order))
        except (ValueError, RigError) as refusal:
            self.tell(order, "refused", str(refusal))
            return None
        if self.current is not None and verb not in _OVERTAKING:
            self.tell(order, "refused", f"'{self.current.verb}' is being carried out")
            return None
        if proposed is not None:
            self._propose(proposed)
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
        elif verb in LEAVING or verb is Verb.RESUME:
            return self._leaves_or_stays(order, state, following)
        elif following is state and verb not in MOVING:
            self.tell(order, "done", f"already {state.value}")
        else:
            return False
        return True

    def _leaves_or_stays(self, order: Order, state: RunState, following: RunState) -> bool:
        """A resume of a run that goes on takes back how it was to end."""
        if following is not state:
            return False
        try:
            words = self.leave(order)
        except RigError as refusal:
            self.tell(order, "refused", _with_remedy(refusal))
        else:
            self.tell(order, "done", words or f"already {state.value}")
        return True

    # --- another text of the protocol ------------------------------------------------------------

    def _propose(self, proposed: Proposed) -> None:
        if self.proposed is not None:
            self.tell(proposed.order, "refused", "another revision waits for its moment")
        else:
            self.proposed = proposed

    def take_proposed(self) -> Proposed | None:
        """Return what was proposed, once; the caller answers it."""
        proposed, self.proposed = self.proposed, None
        return proposed

    def give_up_late(self, wall_us: int) -> None:
        """Answer a proposal that has waited for too long; who asked is about to give up, too."""
        waiting = self.proposed
        if waiting is None or wall_us - waiting.order.asked_us < PROPOSAL_PATIENCE_SECOND * 1e6:
            return
        self.proposed = None
        words = "no moment between two readings came; nothing has changed, ask again"
        self.tell(waiting.order, "failed", words)

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
        proposed = self.take_proposed()
        if proposed is not None:
            self.tell(proposed.order, "refused", f"the run is {state.value}")


def _with_remedy(refusal: RigError) -> str:
    return f"{refusal}; {refusal.remedy}" if refusal.remedy else str(refusal)


def address_of(order: Order) -> int:
    """Return the number of the step to go to; raises RigError where it is none."""
    try:
        return int(order.argument)
    except ValueError:
        message = f"got step {order.argument!r}, expected a number"
        raise RigError(message, remedy="see: rig check") from None
