"""Alert rules as rows: made, changed, taken away, each with a line in the journal that says by whom.

What a rule means is in rig/core/alert_rules.py; where it fired, in rule_firings.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, delete, insert, select, update

from rig.core.alert_rules import AlertRule, kind_of, rule_of
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store import tables
from rig.store.accounts import Change
from rig.store.database import translated

_LIST = "list them with: rig alarms rules list"


def alert_rules(engine: Engine) -> list[AlertRule]:
    """Return every rule, by name."""
    with translated(engine), engine.connect() as connection:
        return _rules(connection)


def find_rule(engine: Engine, wanted: str) -> AlertRule:
    """Return the rule of this name, or with this id or unique beginning of it.

    Raises BadInput where there is none, or more than one.
    """
    known = alert_rules(engine)
    named = [rule for rule in known if rule.name == wanted]
    matches = named or [rule for rule in known if wanted and rule.rule_id.startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    names = [rule.name for rule in known]
    if matches:
        message = f"several rules begin like that: {', '.join(rule.name for rule in matches)}"
        raise BadInput(Problem(f"rule {wanted!r}", message), remedy=_LIST)
    message = f"no such rule; there are: {', '.join(names) or 'none'}"
    problem = Problem(f"rule {wanted!r}", message, suggestion=did_you_mean(wanted, names))
    raise BadInput(problem, remedy=_LIST)


def add_rule(engine: Engine, rule: AlertRule, change: Change) -> None:
    """Keep a new rule; raises BadInput where its name is taken."""
    with translated(engine), engine.begin() as connection:
        _require_free(_rules(connection), rule)
        connection.execute(insert(tables.alert_rule).values(**rule.plain()))
        _journal(connection, change, "rule add", rule)


def change_rule(engine: Engine, rule: AlertRule, change: Change) -> None:
    """Keep another wording of a rule: it looks anew at what goes on. Raises BadInput for none."""
    ours = tables.alert_rule.c.rule_id == rule.rule_id
    values = rule.plain()
    for kept in ("rule_id", "made_by", "made_us"):
        del values[kept]
    with translated(engine), engine.begin() as connection:
        others = [one for one in _rules(connection) if one.rule_id != rule.rule_id]
        _require_free(others, rule)
        if connection.execute(update(tables.alert_rule).where(ours).values(**values)).rowcount != 1:
            raise BadInput(Problem(f"rule {rule.name!r}", "is gone"), remedy=_LIST)
        _forget(connection, rule.rule_id)
        _journal(connection, change, "rule change", rule)


def remove_rule(engine: Engine, rule: AlertRule, change: Change) -> None:
    """Take a rule away with where it fired; its alarms stay. One that is gone is no error."""
    ours = tables.alert_rule.c.rule_id == rule.rule_id
    with translated(engine), engine.begin() as connection:
        if connection.execute(delete(tables.alert_rule).where(ours)).rowcount == 1:
            _forget(connection, rule.rule_id)
            _journal(connection, change, "rule remove", rule)


def require_free_name(engine: Engine, rule: AlertRule) -> None:
    """Raise BadInput where another rule has this name, or one that cannot be told from it."""
    _require_free([one for one in alert_rules(engine) if one.rule_id != rule.rule_id], rule)


def _require_free(others: Sequence[AlertRule], rule: AlertRule) -> None:
    """Two names that make one kind would share one alarm."""
    same = [one.name for one in others if kind_of(one.name) == kind_of(rule.name)]
    if same:
        message = f"got {rule.name!r}, and there is a rule {same[0]!r} already"
        raise BadInput(Problem("name", message), remedy="change that one, or choose another name")


def _forget(connection: Connection, rule_id: str) -> None:
    for table in (tables.alert_watch, tables.alert_firing):
        connection.execute(delete(table).where(table.c.rule_id == rule_id))


def _rules(connection: Connection) -> list[AlertRule]:
    rows = connection.execute(select(tables.alert_rule).order_by(tables.alert_rule.c.name))
    return [rule_of(dict(row)) for row in rows.mappings()]


def _journal(connection: Connection, change: Change, verb: str, rule: AlertRule) -> None:
    where = f", of runs where {rule.runs_where}" if rule.runs_where else ""
    whom = f", told to {', '.join(rule.recipients)}" if rule.recipients else ""
    off = "" if rule.enabled else ", switched off"
    line = {
        "run_id": "",
        "ts_us": change.wall_us,
        "verb": verb,
        "argument": rule.rule_id,
        "who": change.who,
        "reason": "",
        "outcome": "done",
        "answer": f"{rule.name}: {rule.severity.value} for {rule.words}{where}{whom}{off}",
        "answered_us": change.wall_us,
    }
    connection.execute(insert(tables.journal).values(**line))
