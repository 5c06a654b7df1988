"""Orders: a word to a run, to a channel, or to many at once, through the same door as the command line."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rig.bench.leases import lease_on
from rig.bench.making_safe import MadeSafe
from rig.engine.states import Verb
from rig.web.access import Operator, TheHouse
from rig.web.answers import ChannelName, Line, RunId, run_of
from rig.web.asking import Target, Word, ask_all, ask_target, targets_of
from rig.web.problems import Refusal

router = APIRouter(tags=["orders"])


def _without_text(verb: Verb) -> Verb:
    if verb is Verb.REVISE:
        raise ValueError("needs the new text: POST /api/runs/RUN/revisions")
    return verb


class OrderBody(BaseModel):
    """What is asked, and why. ``argument`` is the step's number of ``go to``."""

    model_config = ConfigDict(extra="forbid")

    verb: Annotated[Verb, AfterValidator(_without_text)]
    argument: Line = ""
    reason: Line = ""

    @property
    def word(self) -> Word:
        return Word(self.verb, self.argument, self.reason)


class GroupOrderBody(OrderBody):
    """The same for several: these channels, the cells of a chamber, or all that are not over."""

    channels: Annotated[list[Line], Field(max_length=1000)] = []
    chamber: Line = ""
    everything: bool = False


@router.post("/runs/{run_id}/orders")
def order_run(house: TheHouse, visitor: Operator, run_id: RunId, body: OrderBody) -> dict[str, Any]:
    """Ask something of a run and wait for the answer; 409 when it is refused or fails."""
    run, lease = run_of(house, run_id).run, None
    if body.verb is Verb.SAFE:
        lease = lease_on(house.store, run["channel"])
    target = Target(run["channel"], run["run_id"], lease)
    return _answered(ask_target(house, visitor, target, body.word))


@router.post("/channels/{name}/orders")
def order_channel(
    house: TheHouse, visitor: Operator, name: ChannelName, body: OrderBody
) -> dict[str, Any]:
    """The same for the run that a channel shows; `safe` ends the lease of who has it by hand, too."""
    (target,) = targets_of(house, body.verb, [name])
    return _answered(ask_target(house, visitor, target, body.word))


@router.post("/orders")
def order_group(house: TheHouse, visitor: Operator, body: GroupOrderBody) -> dict[str, Any]:
    """Ask several at once: every order is on its way before the first answer is waited for.

    Answers 200 with what became of each; `all_done` says whether nothing was refused. `leases` are
    those that `safe` has ended: channels that somebody had by hand.
    """
    everything = body.everything
    targets = targets_of(house, body.verb, body.channels, body.chamber, everything=everything)
    made = ask_all(house, visitor, targets, body.word)
    return {
        "all_done": all(one.done for one in made),
        "orders": [one.asked.plain() for one in made if one.asked is not None],
        "leases": [one.ended.plain() for one in made if one.ended is not None],
    }


def _answered(made: MadeSafe) -> dict[str, Any]:
    if not made.done:
        raise Refusal(409, made.refusal, **made.plain())
    return made.plain()
