"""``rig serve``: page, REST API and the engine, for as long as it is let."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.running import Database
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from rig.bench.engine_process import EngineProcess
    from rig.bench.file import BenchFile
    from rig.bench.notify_file import NotifyEntry
    from rig.web.house import House


def serve(
    bench: Annotated[
        str | None, typer.Option(help="A bench file, or sim for the built-in bench.")
    ] = None,
    db: Database = None,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any free one.")] = 8000,
    observe: Annotated[
        bool, typer.Option("--observe", help="No engine: show every rig of a database.")
    ] = False,
    open_house: Annotated[
        bool, typer.Option("--open", help="Let everybody who reaches the page steer the cells.")
    ] = False,
    speed: Annotated[
        str | None, typer.Option(help="1, 20: how many times faster than life; simulated only.")
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(help="With --observe: a file with the notify: of those whom rules tell."),
    ] = None,
    certificate: Annotated[
        str | None, typer.Option(help="A TLS certificate (PEM): serve https.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Its private key (PEM).")] = None,
) -> int:
    """Serve page, REST API and an engine until Ctrl-C, which disconnects every cell."""
    from rig.bench.file import load_bench
    from rig.bench.speed import require_speed
    from rig.store.database import database_url
    from rig.web.address import Address, listen
    from rig.web.encryption import require_key_pair
    from rig.web.house import open_house as opened
    from rig.web.serving import serve as serve_house

    _require_sense(
        bench, observe=observe, speed=speed, notify=notify, certificate=certificate, key=key
    )
    if certificate is not None and key is not None:
        require_key_pair(certificate, key)
    bench_file = None if observe else load_bench(bench or "sim")
    if bench_file is not None:
        require_speed(bench_file, speed)
    told = _told(bench_file, notify)
    url = database_url(db, bench_file.database if bench_file is not None else None)
    with ExitStack() as closing:
        listening = closing.enter_context(listen(host, port))
        address = Address(host, listening.getsockname()[1], certificate is not None)
        house = opened(url, bench_file, observe=observe, may_be_open=open_house, address=address)
        closing.callback(house.close)
        if bench_file is not None:
            _keep_engine(closing, house, bench_file.file, url, speed)
        closing.enter_context(_judged(house, told, bench_file))
        _say_how(house)
        serve_house(house, listening, certificate=certificate, key=key)
        _say("the page is closed")
    return 0


def _require_sense(
    bench: str | None,
    *,
    observe: bool,
    speed: str | None,
    notify: str | None,
    certificate: str | None,
    key: str | None,
) -> None:
    """Refuse options that contradict each other, all at once."""
    problems = []
    if observe and (bench is not None or speed is not None):
        message = "has no engine, so it takes neither --bench nor --speed"
        problems.append(Problem("--observe", message, "rig serve --observe --db postgresql://..."))
    if notify is not None and not observe:
        message = "is for --observe: a bench file has its own notify:"
        problems.append(Problem("--notify", message, "rig serve --observe --notify notify.yaml"))
    if (certificate is None) != (key is None):
        message = "go together: one of them is missing"
        example = "--certificate rig.pem --key rig.key"
        problems.append(Problem("--certificate and --key", message, example))
    if problems:
        raise BadInput(problems)


def _told(bench: BenchFile | None, notify: str | None) -> Sequence[NotifyEntry]:
    """Return who is told of what a rule raises; of simulated cells nobody is, as ever."""
    from rig.bench.notify_file import load_notify

    if bench is None:
        return load_notify(notify) if notify is not None else ()
    return () if bench.simulated else bench.notify


def _judged(
    house: House, told: Sequence[NotifyEntry], bench: BenchFile | None
) -> AbstractContextManager[None]:
    """Judge alert rules beside the page."""
    from rig.bench.targets import sender_of
    from rig.web.judging import judged

    house.recipients = tuple(entry.name for entry in told if entry.name)
    house.tells = bool(told)
    sender = sender_of(bench.file if bench is not None else house.shown_database)
    return judged(house, told, sender)


def _keep_engine(closing: ExitStack, house: House, bench: str, url: str, speed: str | None) -> None:
    """Begin the engine, or find the one that is there; what this process began it also ends."""
    from rig.bench.engine_process import start_engine_process
    from rig.bench.locks import has_host
    from rig.web.serving import engine_words, kept_alive

    was_there = has_host(house.store_url)
    engine = start_engine_process(bench, url, speed)
    if was_there:
        closing.callback(_say, "the engine goes on: it was there before this page")
    else:
        closing.callback(_end, engine)
    closing.enter_context(kept_alive(engine))
    house.engine_state = lambda: engine_words(engine)


def _end(engine: EngineProcess) -> None:
    _say("disconnecting cells ...")
    if engine.stop():
        _say("every cell is disconnected; go on with: rig serve, or rig run --resume")
    else:
        _say(f"the engine, process {engine.pid}, has not ended yet: look after the cells")


def _say_how(house: House) -> None:
    what = "every rig of" if house.observe else "bench and runs of"
    _say(f"{what} {house.shown_database} at {house.address.url}")
    if house.is_open():
        whom = "on this computer" if house.address.is_loopback else "WHO REACHES THIS ADDRESS"
        _say(f"no accounts: open as operator to everybody {whom}; see: rig users add")


def _say(line: str) -> None:
    print(f"rig: {line}", file=sys.stderr, flush=True)
