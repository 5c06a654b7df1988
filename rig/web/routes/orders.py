"""Orders: a word to a run, to a channel, or to many at once, through the same door as the command line."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rig.bench.asking import Asked
from rig.engine.states import Verb
from rig.web.access import Operator, TheHouse
from rig.web.answers import ChannelName, Line, RunId, run_of
from rig.web.asking import Word, ask_all, ask_one, plain, targets_of
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
    found = run_of(house, run_id)
    return _answered(ask_one(house, visitor, found.run["run_id"], body.word))


@router.post("/channels/{name}/orders")
def order_channel(
    house: TheHouse, visitor: Operator, name: ChannelName, body: OrderBody
) -> dict[str, Any]:
    """The same for the run that a channel shows."""
    run_ids = targets_of(house, [name], "", everything=False)
    return _answered(ask_one(house, visitor, run_ids[0], body.word))


@router.post("/orders")
def order_group(house: TheHouse, visitor: Operator, body: GroupOrderBody) -> dict[str, Any]:
    """Ask several at once: every order is on its way before the first answer is waited for.

    Answers 200 with what became of each; `all_done` says whether nothing was refused.
    """
    run_ids = targets_of(house, body.channels, body.chamber, everything=body.everything)
    asked = ask_all(house, visitor, run_ids, body.word)
    return {
        "all_done": all(one.answer.done for one in asked),
        "orders": [plain(one) for one in asked],
    }


def _answered(asked: Asked) -> dict[str, Any]:
    if not asked.answer.done:
        raise Refusal(409, asked.answer.words, **plain(asked))
    return plain(asked)
