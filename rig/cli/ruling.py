"""``rig alarms rules``: what the lab wants to be told of results, and when that would have been so far.

``rig serve`` judges the rules that are kept here; see docs/how-to/alert-on-results.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli import rule_words
from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.cli.steering import who
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.bench.rule_reading import RuleText
    from rig.bench.rule_trial import Trial
    from rig.core.alert_rules import AlertRule
    from rig.store.accounts import Change

app = typer.Typer(
    help="Alert rules on results: list, show, add, try, switch, remove.", no_args_is_help=True
)

DAY_US = 86_400_000_000
Observe = Annotated[
    bool, typer.Option("--observe", help="Of a server's own page: rig serve --observe.")
]
RuleName = Annotated[str, typer.Argument(metavar="RULE", help="A rule's name or id.")]
Quantity = Annotated[
    str | None, typer.Option(help="As in rig fit cycles: coulombic_efficiency, ...")
]
Below = Annotated[str | None, typer.Option(help="Told when it is below: '99.5 %'.")]
Above = Annotated[str | None, typer.Option(help="Told when it is above: '20 ohm'.")]
SilentFor = Annotated[
    str | None, typer.Option(help="Told when no data come of a run that goes on: '10 min'.")
]
Statistic = Annotated[
    str,
    typer.Option(
        help="value; ratio to cycle, difference to cycle; ratio to median, ... to median."
    ),
]
Reference = Annotated[int | None, typer.Option(help="The cycle that it is compared with.")]
First = Annotated[int, typer.Option(help="Cycles before are not looked at.")]
InARow = Annotated[int, typer.Option(help="So many cycles in a row.")]
Level = Annotated[str, typer.Option(help="notice, warning, alarm or critical.")]
Where = Annotated[str, typer.Option(help="Which runs: SQL, as for rig analyse.")]


@contextmanager
def _opened(db: str | None, *, observe: bool, to_write: bool = False) -> Iterator[Engine]:
    """Rules are kept where the page's runs are: in the file, or this computer's journal of a server."""
    from rig.store.database import database_url, open_database
    from rig.store.journal import nearest_url, open_store

    url = database_url(db)
    if observe or not to_write:
        engine = open_database(url if observe else nearest_url(url), create=False)
    else:
        engine = open_store(url, create=False)
    with _disposed(engine):
        yield engine


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


@app.command("list")
def list_rules(db: Database = None, observe: Observe = False, json: Json = False) -> int:
    """List the rules, with where each fired last and where it is broken now."""
    from rig.store.rule_firings import fired_so_far, open_firings
    from rig.store.rules import alert_rules

    with _opened(db, observe=observe) as engine:
        rules, broken, fired = alert_rules(engine), open_firings(engine), fired_so_far(engine)
    rows = [rule_words.state_of(rule, broken, fired) for rule in rules]
    if json:
        print_json({"rules": rows})
        return 0
    rule_words.print_table(rows)
    return 0


@app.command("show")
def show(rule: RuleName, db: Database = None, observe: Observe = False, json: Json = False) -> int:
    """Show one rule, and where it fired, newest first."""
    from rig.store.rule_firings import firings
    from rig.store.rules import find_rule

    with _opened(db, observe=observe) as engine:
        found = find_rule(engine, rule)
        fired = firings(engine, found.rule_id, 100)
    if json:
        print_json(
            rule_words.plain(found) | {"firings": [rule_words.firing_row(one) for one in fired]}
        )
        return 0
    for line in rule_words.lines(found):
        typer.echo(line)
    for one in fired:
        typer.echo(rule_words.firing_line(found, one))
    return 0


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What it is called in alarms.")],
    quantity: Quantity = None,
    below: Below = None,
    above: Above = None,
    silent_for: SilentFor = None,
    statistic: Statistic = "value",
    reference_cycle: Reference = None,
    first_cycle: First = 1,
    in_a_row: InARow = 1,
    severity: Level = "warning",
    where: Where = "",
    tell: Annotated[
        list[str] | None, typer.Option(help="A name under notify:; everybody unless given.")
    ] = None,
    bench: Annotated[
        str | None, typer.Option(help="The bench file that has the names of --tell.")
    ] = None,
    notify: Annotated[
        str | None, typer.Option(help="The same for --observe: the file with its notify:.")
    ] = None,
    db: Database = None,
    observe: Observe = False,
    json: Json = False,
) -> int:
    """Keep a rule; rig serve raises an alarm whenever it is broken from now on."""
    from rig.bench.rule_reading import RuleText

    comparison, threshold, about = rule_words.compared(quantity, below, above, silent_for)
    text = RuleText(
        name,
        about,
        threshold,
        comparison,
        statistic,
        reference_cycle,
        first_cycle,
        in_a_row,
        severity,
        where,
        tuple(tell or ()),
    )
    known = rule_words.names(text, bench, notify)
    rule = _kept(text, known, db, observe=observe)
    rule_words.say(rule, f"kept: {rule.name}: {rule.severity.value} for {rule.words}", json=json)
    return 0


def _kept(
    text: RuleText, known: Collection[str] | None, db: str | None, *, observe: bool
) -> AlertRule:
    """Read a rule and keep it; a database is made for one that can be read."""
    from rig.bench.rule_reading import Author, read_rule
    from rig.store.database import database_url, open_database
    from rig.store.journal import open_store, open_to_look
    from rig.store.rules import add_rule

    url, change = database_url(db), _change()
    author = Author(change.who, change.wall_us)
    before = open_database(url, create=False) if observe else open_to_look(url)
    with _disposed(before) as engine:
        rule = read_rule(text, author, engine, known)
    with _disposed(open_database(url, create=False) if observe else open_store(url)) as engine:
        add_rule(engine, rule, change)
    return rule


@app.command("try")
def try_rule(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="One that is kept; else say its words.")
    ] = None,
    quantity: Quantity = None,
    below: Below = None,
    above: Above = None,
    silent_for: SilentFor = None,
    statistic: Statistic = "value",
    reference_cycle: Reference = None,
    first_cycle: First = 1,
    in_a_row: InARow = 1,
    where: Where = "",
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How far back.")] = 30,
    db: Database = None,
    observe: Observe = False,
    json: Json = False,
) -> int:
    """Say when a rule would have fired so far; nothing is kept and nobody is told."""
    from rig.bench.rule_reading import RuleText, text_of
    from rig.store.rules import find_rule

    if rule is None:
        comparison, threshold, about = rule_words.compared(quantity, below, above, silent_for)
        text = RuleText(
            *("tried", about, threshold, comparison, statistic, reference_cycle),
            first_cycle,
            in_a_row,
            runs_where=where,
        )
    else:
        with _opened(db, observe=observe) as engine:
            text = text_of(find_rule(engine, rule))
    trial = _tried(text, days, db)
    if json:
        print_json(trial.plain())
    else:
        rule_words.print_trial(trial)
    return 0


@app.command("switch")
def switch(
    rule: RuleName,
    to: Annotated[str, typer.Argument(metavar="on|off")],
    db: Database = None,
    observe: Observe = False,
    json: Json = False,
) -> int:
    """Switch a rule off for a while, or on again: then it looks anew at what goes on."""
    from dataclasses import replace

    from rig.store.rules import change_rule, find_rule

    if to not in ("on", "off"):
        raise BadInput(Problem("on|off", f"got {to!r}", "rig alarms rules switch Fade off"))
    with _opened(db, observe=observe, to_write=True) as engine:
        change = _change()
        found = find_rule(engine, rule)
        switched = replace(found, enabled=to == "on", changed_us=change.wall_us)
        change_rule(engine, switched, change)
    rule_words.say(switched, f"{to}: {found.name}", json=json)
    return 0


@app.command("remove")
def remove(
    rule: RuleName, db: Database = None, observe: Observe = False, json: Json = False
) -> int:
    """Take a rule away; alarms that it raised stay until somebody acknowledges them."""
    from rig.store.rules import find_rule, remove_rule

    with _opened(db, observe=observe, to_write=True) as engine:
        found = find_rule(engine, rule)
        remove_rule(engine, found, _change())
    if json:
        print_json({"removed": found.rule_id, "name": found.name})
    else:
        typer.echo(f"removed: {found.name}")
    return 0


# --- words ---------------------------------------------------------------------------------------


def _change() -> Change:
    from rig.core.clock import RealClock
    from rig.store.accounts import Change

    return Change(who(), RealClock().wall_us())


def _tried(text: RuleText, days: int, db: str | None) -> Trial:
    """Try a rule on every run of the database, a server's with those of all rigs."""
    from rig.bench.rule_reading import Author, read_rule
    from rig.bench.rule_series import SeriesReader
    from rig.bench.rule_trial import Trier
    from rig.core.clock import RealClock
    from rig.store.database import database_url, open_database

    clock = RealClock()
    engine = open_database(database_url(db), create=False)
    try:
        now_us = clock.wall_us()
        rule = read_rule(text, Author(who(), now_us), engine, None)
        trier = Trier(SeriesReader(engine, lambda: engine), clock)
        return trier.try_rule(rule, now_us - days * DAY_US, now_us)
    finally:
        engine.dispose()
