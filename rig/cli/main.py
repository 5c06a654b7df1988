"""The command ``rig``: every command is a thin door to rig.bench, rig.store and rig.analysis.

Nothing heavy is imported before a command needs it: ``rig --help`` has to be there at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer
from typer.main import get_command

from rig import __version__
from rig.cli import (
    accounts,
    alarming,
    analysing,
    analysing_many,
    bench_status,
    benching,
    celling,
    curving,
    databases,
    demo,
    fit,
    hand,
    hosting,
    importing,
    listing,
    publishing,
    recording,
    rehearsing,
    revising,
    ruling,
    running,
    serving,
    status,
    steering,
    validating,
)
from rig.cli.output import reporting_errors


def _leave(code: int | None, **_options: object) -> None:
    """Make what a command returns its exit code; typer alone would drop it."""
    raise typer.Exit(code or 0)


app = typer.Typer(
    name="rig",
    result_callback=_leave,
    help="Control and data acquisition for battery test rigs, solid-state cells first.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"cellrig {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    del debug, version  # --debug is read in run(), before anything can fail


app.command("demo")(demo.demo)
app.command("run")(running.run)
app.command("check")(running.check)
app.command("engine")(hosting.engine)
app.command("start")(hosting.start)
app.command("serve")(serving.serve)
app.command("publish")(publishing.publish)
app.command("rehearse")(rehearsing.rehearse)
app.command("status")(status.status)
app.command("pause")(steering.pause)
app.command("resume")(steering.resume)
app.command("skip")(steering.skip)
app.command("goto")(steering.go_to)
app.command("revise")(revising.revise)
app.command("finish")(steering.finish)
app.command("stop")(steering.stop)
app.command("safe")(steering.safe)
app.command("report")(analysing.report)
app.command("analyse")(analysing_many.analyse)
app.command("kk")(validating.kk)
app.command("drt")(validating.drt)
app.command("simulate")(benching.simulate)
app.command("record")(recording.record)
app.command("schema")(running.schema)
listing.app.command("import")(importing.import_runs)
listing.app.command("curves")(curving.curves)
app.add_typer(listing.app, name="runs")
app.add_typer(celling.app, name="cells")
alarming.app.add_typer(ruling.app, name="rules")
app.add_typer(alarming.app, name="alarms")
app.add_typer(hand.app, name="hand")
app.add_typer(fit.app, name="fit")
app.add_typer(benching.drivers, name="drivers")
app.add_typer(bench_status.bench, name="bench")
app.add_typer(databases.app, name="db")
app.add_typer(accounts.people, name="users")
app.add_typer(accounts.keys, name="tokens")


def run() -> None:
    """The console script: parse, do, and exit with 0, 1 (the work failed) or 2 (bad input)."""
    # Our matrices are small: a second thread of OpenBLAS gains nothing, and where others use the
    # processors too it waits for itself (a relaxation-time fit: 0.05 s, or 5 s).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    debug = "--debug" in sys.argv
    if debug:  # may stand anywhere; typer knows it only before the command
        sys.argv.remove("--debug")
    sys.exit(reporting_errors(_invoke, debug=debug))


@cache  # reading the options of seventy functions takes longer than most commands
def _command() -> Callable[[], object]:
    return get_command(app)


def _invoke() -> int:
    # typer explains misuse itself (exit code 2), with classes that it does not export
    try:
        _command()()
    except SystemExit as over:
        return int(over.code or 0)
    return 0
