"""``rig status``: every channel at a glance, why it does what it does, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import channel_words, duration, print_json
from rig.cli.running import Database, Json
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import show

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.bench.status import ChannelStatus, Wall
    from rig.store.queries import RunRecord


def status(
    channel: Annotated[str | None, typer.Argument(help="A channel; without: all.")] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Show what every channel does, the nearest end with margin and time, and what waits for whom."""
    from rig.store.database import database_url

    wall = _look(database_url(db))
    chosen = _chosen(wall, channel)
    if json:
        print_json({"channels": [one.plain() for one in chosen]})
        return 0
    for one in chosen:
        for line in lines(one):
            typer.echo(line)
    if not chosen:
        typer.echo("no channel has run anything yet; what was brought in: rig runs list")
    for alarm in wall.bench_alarms:
        typer.echo(f"ALARM  the bench: {alarm['message']}")
    return 0


def now_of(engine: Engine, run: RunRecord) -> ChannelStatus | None:
    """Return how a run is now, or None for one that is over or that its channel shows no more."""
    from rig.bench.live import Live

    if run.values["ended_us"] is not None:
        return None
    return next((one for one in Live(engine).look().channels if one.run_id == run.run_id), None)


def _look(url: str) -> Wall:
    from rig.bench.live import Live
    from rig.store.database import open_database
    from rig.store.journal import journal_url, nearest_url

    near = nearest_url(url)
    engine = open_database(near, create=False)
    try:
        return Live(engine, near if near == journal_url(url) else "").look()
    finally:
        engine.dispose()


def _chosen(wall: Wall, channel: str | None) -> list[ChannelStatus]:
    chosen = [one for one in wall.channels if channel in (None, one.channel)]
    if channel is not None and not chosen:
        names = sorted({one.channel for one in wall.channels})
        message = f"no run was ever on channel {channel!r}; there are: {', '.join(names) or 'none'}"
        raise BadInput(Problem("rig status", message, suggestion=did_you_mean(channel, names)))
    return chosen


def lines(one: ChannelStatus) -> list[str]:
    """Return a channel in words: where it stands, what it measures, what comes next, its alarms."""
    head = [channel_words(one.channel, simulated=one.simulated), one.state, one.cell, one.protocol]
    found = ["  ".join(word for word in head if word)]
    found += [f"  {one.by_hand}"] if one.by_hand else []
    found += [f"  {words}" for words in (_place(one), _measured(one)) if words]
    if one.next:
        found.append(f"  {one.next}" + (f"; then {one.then}" if one.then else ""))
    for alarm in one.alarms:
        found.append(f"  ALARM  {alarm['severity']}: {alarm['message']}")
    return found


def _place(one: ChannelStatus) -> str:
    """The present step: nothing of it once the run is over."""
    if not one.doing:
        return ""
    cycle = "" if one.cycle_count is None else f", cycle {one.cycle_count}"
    whole = "" if one.cycle_total is None or not cycle else f" of {one.cycle_total}"
    left = "" if one.left_second is None else f", about {duration(one.left_second)} left"
    return f"step {one.step_address}{cycle}{whole}: {one.doing}{left}"


def _measured(one: ChannelStatus) -> str:
    values = [
        _shown(one.voltage_volt, "V", 5),
        _shown(one.current_ampere, "A", 4),
        *(
            f"{celsius:.1f} degC{where}"
            for celsius, where in (
                (one.surface_temperature_celsius, " at the cell"),
                (one.ambient_temperature_celsius, ""),
            )
            if celsius is not None
        ),
        _shown(one.applied_pressure_pa, "Pa", 4),
        "" if one.capacity_retention is None else f"{100 * one.capacity_retention:.1f} % capacity",
    ]
    return "  ".join(value for value in values if value)


def _shown(value: float | None, unit: str, digits: int) -> str:
    return "" if value is None else show(value, unit, digits)
