"""``rig bench status`` and ``rig bench identify``: what an engine notes of links and chambers, who is there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.benching import bench
from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.cli.steering import Reason, who
from rig.core.units import duration, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from rig.bench.bench_now import BenchNow, ChamberNow, InstrumentNow
    from rig.bench.file import BenchFile
    from rig.bench.identifying import Identified

__all__ = ["bench"]

BenchOrEngines = Annotated[
    str | None,
    typer.Option("--bench", help="A bench file, or sim; default: that of the engine, else sim."),
]


@bench.command("status")
def bench_status(bench_name: BenchOrEngines = None, db: Database = None, json: Json = False) -> int:
    """Show how every link is, and what each chamber does for whom; opens no port."""
    from rig.bench.bench_now import look_at_bench
    from rig.bench.leases import read_leases

    with _there(bench_name, db) as (bench_file, store, url):
        now, leases = look_at_bench(store, bench_file, url), read_leases(store)
    if json:
        print_json(now.plain() | {"leases": [lease.plain() for lease in leases]})
        return 0
    _print(now)
    for lease in leases:
        typer.echo(f"channel {lease.channel}: {lease.words}")
    return 0


@bench.command("identify")
def bench_identify(
    name: Annotated[str, typer.Argument(help="An instrument of the bench.")],
    bench_name: BenchOrEngines = None,
    reason: Reason = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Ask one instrument who it is; of one in use, who answered its engine. Touches no cell."""
    from rig.bench.identifying import identify, require_instrument

    with _there(bench_name, db) as (bench_file, _, _):
        require_instrument(bench_file, name)
    with _there(bench_name, db, to_write=True) as (bench_file, store, url):
        found = identify(store, bench_file, url, name, who=who(), reason=reason)
    if json:
        print_json(found.plain())
    else:
        typer.echo(_words(found), err=bool(found.problem))
    return 1 if found.problem else 0


@contextmanager
def _there(
    name: str | None, db: str | None, *, to_write: bool = False
) -> Iterator[tuple[BenchFile, Engine, str]]:
    """Open the bench, its store, and the URL that locks stand beside; only who writes makes a store."""
    from rig.bench.file import BUILT_IN, load_bench
    from rig.bench.hosting import host_of
    from rig.store.database import database_url
    from rig.store.journal import journal_url, open_store, open_to_look

    named = load_bench(name) if name is not None else None
    url = database_url(db, named.database if named is not None else None)
    store = open_store(url) if to_write else open_to_look(url)
    try:
        host = host_of(store) if named is None else None
        found = named or load_bench(BUILT_IN if host is None else host.bench)
        yield found, store, journal_url(url)
    finally:
        store.dispose()


def _print(now: BenchNow) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("instrument", "port", "round trip, half / 99 of 100", "exchanges", "failed"):
        table.add_column(column, no_wrap=column == "instrument")
    for one in now.instruments:
        port = "open" if one.is_open else "closed"
        link = one.link
        failed = (
            f"{link.failures}, reopened {link.reopened}" if link.reopened else str(link.failures)
        )
        table.add_row(one.name, port, round_trip(one), str(link.exchanges), failed)
    Console().print(table)
    for one in now.instruments:
        if one.link.last_error:
            typer.echo(f"  {one.name}: last failed: {one.link.last_error}")
    for chamber in now.chambers:
        typer.echo(chamber_words(chamber))


def round_trip(one: InstrumentNow) -> str:
    """Return both percentiles, or a dash where nothing was measured lately."""
    half, most = one.link.round_trip_p50_second, one.link.round_trip_p99_second
    if half is None or most is None:
        return "-"
    return f"{_shown(half)} / {_shown(most)}"


def _shown(second: float) -> str:
    return show(second, "s", 2) if second >= 1e-6 else "< 1 µs"


def chamber_words(chamber: ChamberNow) -> str:
    """Return one line: what it reads, what it was told, by whom, who waits."""
    if not chamber.is_open:
        return f"chamber {chamber.name}: not in use now"
    words = f"chamber {chamber.name}: "
    if chamber.temperature_celsius is None:
        words += "not read yet"
    else:
        words += f"{chamber.temperature_celsius:.1f} degC"
        if chamber.is_running:
            words += f", told {chamber.setpoint_celsius:g} degC"
    asked = [
        f"{one.who} {'holds' if one.granted else 'waits for'} {one.temperature_celsius:g} degC"
        for one in chamber.asking
    ]
    alarms = f"; ALARM {', '.join(map(str, chamber.alarms))}" if chamber.alarms else ""
    fault = f"; {chamber.fault}" if chamber.fault else ""
    return f"{words}; {'; '.join(asked) or 'nobody asks for a temperature'}{alarms}{fault}"


def _words(found: Identified) -> str:
    who_is = " ".join(str(part) for part in (found.identity or {}).values())
    head = f"{found.name} ({found.driver} at {found.connect}): "
    if found.problem:
        return f"{head}FAILED: {found.problem}"
    if found.is_fresh:
        return f"{head}{who_is}{'; ' + found.words if found.words else ''}"
    from rig.core.clock import RealClock

    age_second = (RealClock().wall_us() - (found.asked_us or 0)) / 1e6
    return f"{head}{who_is}, {duration(age_second)} ago; {found.words}"
