"""``rig revise``: a running run goes on by another text of its protocol, shown first as a difference."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json, Settings, variables_of
from rig.cli.steering import Reason, Target, who
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.bench.revising import Draft


def revise(
    wanted: Target,
    protocol: Annotated[str, typer.Argument(help="The changed protocol file.")],
    reason: Reason = "",
    settings: Settings = None,
    check: Annotated[
        bool, typer.Option("--check", help="Show what would change, and ask for nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    widen: Annotated[
        bool, typer.Option("--widen", help="A limit may become wider; for whoever answers for it.")
    ] = False,
    db: Database = None,
    json: Json = False,
) -> int:
    """Change a running run: remaining steps, loop counts, ends, record rules, limits."""
    from rig.bench.asking import find_target
    from rig.bench.revising import draft
    from rig.protocol.load import read_protocol
    from rig.store.database import database_url
    from rig.store.journal import journal_url, open_store

    _require_an_answer(check=check, yes=yes, json=json)
    text, url = read_protocol(protocol), database_url(db)
    store = open_store(url, create=False)
    try:
        run = find_target(store, wanted)
        found = draft(store, run, text, file=protocol, variables=variables_of(settings))
        if not json:
            _show(found)
        if check or not found.changes:
            return _told(found, json=json)
        _require_narrow(found, widen=widen)
        if not yes and not typer.confirm("Go on by this?"):
            return 1
        return _ask(store, journal_url(url), found, reason=reason, widen=widen, json=json)
    finally:
        store.dispose()


def _ask(store: Engine, url: str, found: Draft, *, reason: str, widen: bool, json: bool) -> int:
    from rig.bench.revising import ask_revision

    asked = ask_revision(store, url, found, who=who(), reason=reason, may_widen=widen)
    given = asked.answer
    if json:
        print_json(_plain(found) | {"outcome": given.outcome, "answer": given.words})
    else:
        run = found.run
        words = f"{run.channel}  run {run.run_id:.12}  revise: {given.outcome}: {given.words}"
        typer.echo(words, err=not given.done)
    return 0 if given.done else 1


def _require_an_answer(*, check: bool, yes: bool, json: bool) -> None:
    if not check and not yes and (json or not sys.stdin.isatty()):
        message = "nobody is there to be asked whether the difference is what was meant"
        raise BadInput(Problem("rig revise", message, example="--check, and then --yes"))


def _require_narrow(found: Draft, *, widen: bool) -> None:
    if found.wider and not widen:
        problems = [Problem(found.file, f"{words}: a limit becomes wider") for words in found.wider]
        remedy = "whoever answers for the cell says so with --widen; nothing was changed"
        raise BadInput(problems, remedy=remedy)


def _show(found: Draft) -> None:
    run = found.run
    typer.echo(f"{run.channel}  run {run.run_id:.12}  {run.protocol_name}")
    for change in found.changes:
        typer.echo(f"  {change}")
    if not found.changes:
        typer.echo("  nothing changes for the run")


def _told(found: Draft, *, json: bool) -> int:
    if json:
        print_json(_plain(found))
    return 0


def _plain(found: Draft) -> dict[str, Any]:
    return {
        "run_id": found.run.run_id,
        "channel": found.run.channel,
        "changes": [
            {"where": one.where, "words": one.words, "effect": one.effect.value}
            for one in found.changes
        ],
        "wider": list(found.wider),
    }
