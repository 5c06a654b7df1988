"""Alarms: what stands, what was, and a person's word that it has been seen to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from rig.core.alarms import Alarm
from rig.core.errors import BadInput
from rig.store.alarms import (
    acknowledge_alarms,
    alarm_history,
    find_to_acknowledge,
    open_alarms,
)
from rig.web.access import Operator, TheHouse, Viewer
from rig.web.answers import Limit, Line
from rig.web.problems import Refusal

router = APIRouter(tags=["alarms"])


class AcknowledgeBody(BaseModel):
    """What it was, and what was done."""

    model_config = ConfigDict(extra="forbid")

    reason: Line = ""


@router.get("/alarms")
def alarms(
    house: TheHouse,
    _: Viewer,
    every: Annotated[bool, Query(description="Those that were acknowledged, too.")] = False,
    limit: Limit = 200,
) -> dict[str, Any]:
    """Alarms, newest first, each with what to do."""
    found = alarm_history(house.store) if every else open_alarms(house.store)
    return {"alarms": [_plain(alarm) for alarm in found[:limit]], "total": len(found)}


@router.post("/alarms/{alarm_id}/acknowledge")
def acknowledge(
    house: TheHouse,
    visitor: Operator,
    alarm_id: Annotated[str, Path(max_length=100, description="An alarm's id, or a channel.")],
    body: AcknowledgeBody,
) -> dict[str, Any]:
    """Say that a person has seen to it. One that somebody acknowledged before stays as it is."""
    try:
        wanted = find_to_acknowledge(house.store, alarm_id)
    except BadInput as nobody:
        raise Refusal(404, str(nobody), remedy="GET /api/alarms") from nobody
    now_us = house.clock.wall_us()
    done = acknowledge_alarms(
        house.store, wanted, wall_us=now_us, who=visitor.name, reason=body.reason
    )
    house.live.expire()
    return {"acknowledged": [_plain(alarm) for alarm in done]}


def _plain(alarm: Alarm) -> dict[str, Any]:
    return alarm.plain() | {"remedy": alarm.remedy, "measured": alarm.measured}
