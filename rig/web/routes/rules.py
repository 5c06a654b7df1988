"""Alert rules: what the lab wants to be told of results, and when that would have been so far."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rig.bench.rule_reading import Author, RuleText, read_rule
from rig.bench.rule_series import SeriesReader
from rig.bench.rule_trial import Trier
from rig.bench.run_choice import CHOOSABLE
from rig.core.alarms import Severity
from rig.core.alert_rules import QUANTITIES, AlertRule, Comparison, Statistic
from rig.core.errors import BadInput
from rig.store.accounts import Change
from rig.store.rule_firings import Firing, fired_so_far, firings, open_firings
from rig.store.rules import add_rule, alert_rules, change_rule, find_rule, remove_rule
from rig.web.access import Operator, TheHouse, Viewer, Visitor
from rig.web.answers import Limit, Line, WithoutNul
from rig.web.house import House
from rig.web.problems import Refusal

router = APIRouter(tags=["alarms"])

DAY_US = 86_400_000_000
RuleId = Annotated[str, Path(max_length=100, description="A rule's id, or its name.")]
Cycle = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Condition = Annotated[str, StringConstraints(max_length=4000), WithoutNul]


class RuleBody(BaseModel):
    """A rule in words: `threshold` with its unit, `runs_where` as for `rig analyse --where`."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    quantity: Line
    threshold: Line
    comparison: Line = Comparison.BELOW.value
    statistic: Line = Statistic.VALUE.value
    reference_cycle: Cycle | None = None
    first_cycle: Cycle = 1
    consecutive: Cycle = 1
    severity: Line = Severity.WARNING.value
    runs_where: Condition = ""
    recipients: Annotated[list[Line], Field(max_length=100)] = []
    enabled: bool = True

    def text(self) -> RuleText:
        """Return it as people write rules everywhere."""
        values = {name: getattr(self, name) for name in RuleBody.model_fields}
        return RuleText(**values | {"recipients": tuple(self.recipients)})


class TrialBody(RuleBody):
    """A rule that need not have a name yet, and for how many days back it is tried."""

    name: Line = "preview"
    days: Annotated[int, Field(ge=1, le=3650)] = 30


@router.get("/alert-rules")
def rules(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """Every rule with its state now, and the words that a rule may be made of."""
    found, broken = alert_rules(house.store), open_firings(house.store)
    fired = fired_so_far(house.store)
    rows = []
    for rule in found:
        now = [_firing(rule, one) for one in broken if one.rule_id == rule.rule_id]
        count, last_us = fired.get(rule.rule_id, (0, None))
        rows.append(_plain(house, rule) | {"firing": now, "fired": count, "last_fired_us": last_us})
    return {"rules": rows, "words": _words(house)}


@router.post("/alert-rules", status_code=201)
def add(house: TheHouse, visitor: Operator, body: RuleBody) -> dict[str, Any]:
    """Keep a new rule; from now on it is looked at."""
    rule = _read(house, visitor, body.text())
    add_rule(house.store, rule, _change(house, visitor))
    house.rules_changed.set()
    return _plain(house, rule)


@router.post("/alert-rules/trial")
def try_rule(house: TheHouse, visitor: Operator, body: TrialBody) -> dict[str, Any]:
    """Say when a rule would have fired, without keeping it; `words` is the answer in a sentence."""
    values = body.model_dump(exclude={"days"})
    rule = _read(house, visitor, RuleBody(**values).text())
    now_us = house.clock.wall_us()
    trier = Trier(SeriesReader(house.store, house.history), house.clock)
    return trier.try_rule(rule, now_us - body.days * DAY_US, now_us).plain()


@router.put("/alert-rules/{rule_id}")
def change(house: TheHouse, visitor: Operator, rule_id: RuleId, body: RuleBody) -> dict[str, Any]:
    """Keep another wording: the rule looks anew at what goes on."""
    rule = _read(house, visitor, body.text(), before=_existing(house, rule_id))
    change_rule(house.store, rule, _change(house, visitor))
    house.rules_changed.set()
    return _plain(house, rule)


@router.delete("/alert-rules/{rule_id}")
def remove(house: TheHouse, visitor: Operator, rule_id: RuleId) -> dict[str, Any]:
    """Take a rule away; alarms that it raised stay until somebody acknowledges them."""
    rule = _existing(house, rule_id)
    remove_rule(house.store, rule, _change(house, visitor))
    return {"removed": rule.rule_id}


@router.get("/alert-rules/{rule_id}/firings")
def fired(house: TheHouse, _: Viewer, rule_id: RuleId, limit: Limit = 100) -> dict[str, Any]:
    """Where a rule fired, newest first; `ended_us` is null while it is so still."""
    rule = _existing(house, rule_id)
    found = firings(house.store, rule.rule_id, limit)
    return {"firings": [_firing(rule, one) for one in found]}


def _read(
    house: House, visitor: Visitor, text: RuleText, before: AlertRule | None = None
) -> AlertRule:
    author = Author(visitor.name, house.clock.wall_us(), before)
    return read_rule(text, author, house.store, house.recipients)


def _change(house: House, visitor: Visitor) -> Change:
    return Change(visitor.name, house.clock.wall_us())


def _existing(house: House, wanted: str) -> AlertRule:
    try:
        return find_rule(house.store, wanted)
    except BadInput as nobody:
        raise Refusal(404, str(nobody), remedy="GET /api/alert-rules") from nobody


def _plain(house: House, rule: AlertRule) -> dict[str, Any]:
    return rule.plain() | {
        "kind": rule.kind,
        "words": rule.words,
        "threshold_text": rule.threshold_text,
        "trouble": house.rule_troubles.get(rule.rule_id, ""),
    }


def _firing(rule: AlertRule, firing: Firing) -> dict[str, Any]:
    cycle = None if rule.is_silence else firing.place
    return {
        "run_id": firing.run_id,
        "cycle_count": cycle,
        "last_cycle_count": None if rule.is_silence else firing.place_last,
        "value": firing.value,
        "value_words": rule.shown(firing.value),
        "fired_us": firing.fired_us,
        "ended_us": firing.ended_us,
        "alarm_id": firing.alarm_id,
    }


def _words(house: House) -> dict[str, Any]:
    """What a form offers: quantities with an example of a threshold, and who may be told."""
    quantities = [
        {"name": name, "words": one.words, "example": one.example, "ratio": bool(one.dimension)}
        for name, one in QUANTITIES.items()
    ]
    return {
        "quantities": quantities,
        "statistics": [one.value for one in Statistic],
        "comparisons": [one.value for one in Comparison],
        "severities": [one.value for one in Severity],
        "recipients": list(house.recipients),
        "tells": house.tells,
        "columns": list(CHOOSABLE),
    }
