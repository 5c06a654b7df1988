"""``rig alarms``: what went wrong, what still waits for a person, and that person's word."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.cli.steering import who
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.core.alarms import Alarm

app = typer.Typer(help="Alarms: list, show, acknowledge, test.", no_args_is_help=True)


@contextmanager
def _opened(db: str | None, *, to_write: bool = False) -> Iterator[Engine]:
    """The alarms of this computer where it has a journal of that database, else those of all."""
    from rig.store.database import database_url, open_database
    from rig.store.journal import nearest_url, open_store

    url = database_url(db)
    engine = (
        open_store(url, create=False)  # where its engine looks
        if to_write
        else open_database(nearest_url(url), create=False)
    )
    try:
        yield engine
    finally:
        engine.dispose()


@app.command("list")
def list_open(
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were acknowledged, too.")
    ] = False,
    db: Database = None,
    json: Json = False,
) -> int:
    """List the alarms that nobody has acknowledged, newest first."""
    from rig.store.alarms import alarm_history, open_alarms

    with _opened(db) as engine:
        alarms = alarm_history(engine) if everything else open_alarms(engine)
    if json:
        print_json({"alarms": [alarm.plain() for alarm in alarms]})
        return 0
    _print_table(alarms)
    return 0


def _print_table(alarms: list[Alarm]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    whole = Column("alarm", no_wrap=True)  # it is typed in again
    table = Table(whole, "channel", "severity", "kind", "raised", "what", "acknowledged")
    for alarm in alarms:
        times = f" ({alarm.times} times)" if alarm.times > 1 else ""
        table.add_row(
            alarm.alarm_id[:8],
            escape(alarm.channel or "-"),
            alarm.severity.value,
            alarm.kind,
            moment(alarm.raised_us),
            escape(f"{alarm.message}{times}"),
            escape(alarm.acknowledged_by or "no"),
        )
    Console().print(table)


@app.command("show")
def show(
    alarm: Annotated[str, typer.Argument(help="An alarm's id, a unique prefix, or last.")],
    db: Database = None,
    json: Json = False,
) -> int:
    """Show one alarm: what tripped it, when, what to do, who acknowledged it."""
    from rig.store.alarms import find_alarm

    with _opened(db) as engine:
        found = find_alarm(engine, alarm)
    if json:
        print_json(found.plain() | {"remedy": found.remedy})
        return 0
    for line in _lines(found):
        typer.echo(line)
    return 0


@app.command("acknowledge")
def acknowledge(
    wanted: Annotated[
        str,
        typer.Argument(metavar="ALARM|CHANNEL", help="One alarm, or all open ones of a channel."),
    ],
    reason: Annotated[str, typer.Option(help="What it was, and what was done.")] = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Say that a person has seen to it; the next time it is an alarm again."""
    from rig.core.clock import RealClock
    from rig.store.alarms import acknowledge_alarms, find_to_acknowledge

    with _opened(db, to_write=True) as engine:
        alarms = find_to_acknowledge(engine, wanted)
        now_us = RealClock().wall_us()
        done = acknowledge_alarms(engine, alarms, wall_us=now_us, who=who(), reason=reason)
    if json:
        print_json({"acknowledged": [alarm.plain() for alarm in done]})
        return 0
    for alarm in done:
        typer.echo(f"acknowledged {alarm.alarm_id[:8]}: {alarm.kind} on {alarm.place}")
    if not done:
        typer.echo("nothing to acknowledge: somebody was there before")
    return 0


@app.command("test")
def send_test_message(
    bench: Annotated[str, typer.Option(help="The bench file whose notify: is tried.")],
    json: Json = False,
) -> int:
    """Send one test message to everybody whom a bench file names, and report each result."""
    from rig.bench.file import load_bench

    bench_file = load_bench(bench)
    if not bench_file.notify:
        example = "notify: [{url: $RIG_NOTIFY_URL, from: warning}]"
        raise BadInput(Problem(f"bench {bench}", "names nobody who is to be told", example))
    from rig.bench.targets import send_test

    failures = send_test(bench_file)
    if json:
        targets = [
            {"target": label, "sent": not failure, "reason": failure}
            for label, failure in failures.items()
        ]
        print_json({"targets": targets})
    else:
        for label, failure in failures.items():
            typer.echo(f"FAILED  {label}: {failure}" if failure else f"sent    {label}")
    return 1 if any(failures.values()) else 0


def _lines(alarm: Alarm) -> list[str]:
    lines = [
        f"alarm {alarm.alarm_id}  {alarm.severity.value}  {alarm.kind} on {alarm.place}",
        alarm.message,
        *([alarm.measured] if alarm.measured else []),
        f"raised {moment(alarm.raised_us)}{_again(alarm)}",
    ]
    if alarm.run_id:
        lines.append(f"run {alarm.run_id[:12]}, test time {alarm.test_time_second or 0.0:.1f} s")
    if alarm.acknowledged_us is None:
        return [*lines, f"not acknowledged. {alarm.remedy}"]
    when, reason = moment(alarm.acknowledged_us), alarm.acknowledge_reason or "no reason given"
    return [*lines, f"acknowledged by {alarm.acknowledged_by}, {when}: {reason}"]


def _again(alarm: Alarm) -> str:
    return f"; {alarm.times} times, last {moment(alarm.last_us)}" if alarm.times > 1 else ""


def moment(wall_us: int) -> str:
    """Return UTC microseconds as people read them."""
    when = datetime.datetime.fromtimestamp(wall_us / 1e6, tz=datetime.UTC)
    return when.isoformat(sep=" ", timespec="seconds")
