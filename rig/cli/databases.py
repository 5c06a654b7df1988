"""``rig db``: where the data are, and how far the database server is behind this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rig.cli.output import duration, print_json
from rig.cli.running import Database, Json

if TYPE_CHECKING:
    from rig.bench.delivery_state import DeliveryState

app = typer.Typer(help="The database: check, deliver.", no_args_is_help=True)


@app.command("check")
def check(db: Database = None, json: Json = False) -> int:
    """Say whether the database can be read, and what its server does not have yet.

    Ends with 1 when the server is away, or more than a minute behind a run that goes on here.
    """
    from rig.bench.delivery_state import look_at
    from rig.store.database import database_url

    state = look_at(database_url(db))
    if json:
        print_json(state.plain())
    else:
        for line in _lines(state):
            typer.echo(line)
    return 0 if state.is_well else 1


def _lines(state: DeliveryState) -> list[str]:
    found = "AWAY" if state.failure else f"{state.runs} runs"
    lines = [f"database {state.database}: {found}"]
    if state.failure:
        lines.append(f"  {state.failure}")
    if state.waiting is not None:
        waiting = state.waiting
        behind = f", the oldest for {duration(waiting.behind_second)}" if waiting.rows else ""
        lines += [
            f"journal {state.journal}: {state.runs_alive} runs go on here",
            f"  {waiting.samples} samples and {waiting.rows} other rows wait{behind}",
        ]
    if state.delivery_failure:
        lines.append(f"  the last delivery failed: {state.delivery_failure}")
    if state.is_late:
        lines.append("  LATE: the server has had nothing for more than a minute")
    lines += [f"  LOST on the server: samples of run {run_id}" for run_id in state.gaps]
    return lines


@app.command("deliver")
def deliver(db: Database = None, json: Json = False) -> int:
    """Bring everything that waits in this computer's journal to the database server, now."""
    from rig.core.errors import BadInput, Problem
    from rig.store.address import is_server, without_password
    from rig.store.database import database_url, open_database
    from rig.store.delivery import deliver as deliver_all
    from rig.store.journal import open_store
    from rig.store.waiting import waiting_in

    url = database_url(db)
    if not is_server(url):
        problem = Problem(f"database {without_password(url)}", "is a file: there is no way to go")
        raise BadInput(problem, remedy="name a server: --db postgresql://...")
    journal = open_store(url, create=False)
    try:
        server = open_database(url)
        try:
            moved = deliver_all(journal, server)
        finally:
            server.dispose()
        left = waiting_in(journal)
    finally:
        journal.dispose()
    if json:
        print_json({"rows": moved, "waiting_samples": left.samples, "waiting_rows": left.rows})
    else:
        typer.echo(f"{moved} rows delivered; {left.samples + left.rows} wait")
    return 0
