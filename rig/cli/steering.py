"""``rig pause|resume|skip|goto|finish|stop|safe``: a word to a run, in whichever process it runs."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json

if TYPE_CHECKING:
    from rig.bench.asking import Asked
    from rig.engine.states import Verb

Target = Annotated[
    str, typer.Argument(metavar="RUN|CHANNEL", help="A run's id, a prefix, last, or a channel.")
]
Reason = Annotated[str, typer.Option(help="Why; kept in the journal.")]


def who() -> str:
    """Who types this, and where: ``maria@labpc3``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without users
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


def _say(
    wanted: str, verb: Verb, *, reason: str, db: str | None, json: bool, argument: str = ""
) -> int:
    from rig.bench.asking import ask_run
    from rig.store.database import database_url
    from rig.store.journal import journal_url, open_store

    url = database_url(db)
    engine = open_store(url, create=False)
    try:
        asked = ask_run(
            engine, journal_url(url), wanted, verb, who=who(), reason=reason, argument=argument
        )
    finally:
        engine.dispose()
    if json:
        print_json(asked.plain())
    else:
        _tell(asked)
    return 0 if asked.answer.done else 1


def _tell(asked: Asked) -> None:
    run, given, verb = asked.run, asked.answer, asked.order.verb
    words = f"{run.channel}  run {run.run_id:.12}  {verb}: {given.outcome}: {given.words}"
    typer.echo(words, err=not given.done)


def pause(
    wanted: Target,
    after_step: Annotated[
        bool, typer.Option("--after-step", help="When the present step has ended.")
    ] = False,
    reason: Reason = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Disconnect a run's cell, confirmed, and let it wait; rig resume goes on with it."""
    from rig.engine.states import Verb

    verb = Verb.PAUSE_AFTER_STEP if after_step else Verb.PAUSE
    return _say(wanted, verb, reason=reason, db=db, json=json)


def resume(
    wanted: Target,
    restart_step: Annotated[
        bool, typer.Option("--restart-step", help="Begin the step again.")
    ] = False,
    reason: Reason = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Go on with a run that waits in a running process, with what remains of its step."""
    from rig.engine.states import Verb

    verb = Verb.RESTART_STEP if restart_step else Verb.RESUME
    return _say(wanted, verb, reason=reason, db=db, json=json)


def skip(wanted: Target, reason: Reason = "", db: Database = None, json: Json = False) -> int:
    """End a run's present step here, and go on with the next."""
    from rig.engine.states import Verb

    return _say(wanted, Verb.SKIP, reason=reason, db=db, json=json)


def go_to(
    wanted: Target,
    step: Annotated[int, typer.Argument(help="The step's number in rig check.")],
    reason: Reason = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Leave a run's present step for another, by its number in rig check."""
    from rig.engine.states import Verb

    return _say(wanted, Verb.GO_TO, argument=str(step), reason=reason, db=db, json=json)


def finish(wanted: Target, reason: Reason = "", db: Database = None, json: Json = False) -> int:
    """Let a run's present cycle end as programmed, or its step outside of cycles; then finish it."""
    from rig.engine.states import Verb

    return _say(wanted, Verb.FINISH, reason=reason, db=db, json=json)


def stop(
    wanted: Target,
    after_cycle: Annotated[
        bool, typer.Option("--after-cycle", help="When the present cycle has ended.")
    ] = False,
    reason: Reason = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Disconnect a run's cell, confirmed, and end the run."""
    from rig.engine.states import Verb

    verb = Verb.STOP_AFTER_CYCLE if after_cycle else Verb.STOP
    return _say(wanted, verb, reason=reason, db=db, json=json)


def safe(wanted: Target, reason: Reason = "", db: Database = None, json: Json = False) -> int:
    """Disconnect a cell by every instrument of its channel, whatever runs there or does not.

    Whoever has the channel by hand has it no longer; the chamber is let go.
    """
    from rig.bench.making_safe import Wish, make_safe, what_is_there
    from rig.store.database import database_url
    from rig.store.journal import journal_url, open_store

    url = database_url(db)
    engine = open_store(url, create=False)
    try:
        run_id, lease = what_is_there(engine, wanted)
        made = make_safe(engine, journal_url(url), run_id, lease, Wish(who(), reason))
    finally:
        engine.dispose()
    if json:
        print_json(made.plain())
    else:
        if made.asked is not None:
            _tell(made.asked)
        if made.ended is not None:
            words = f"{made.ended.lease.channel}  {made.ended.words}"
            typer.echo(words, err=not made.ended.answer.done)
    return 0 if made.done else 1
