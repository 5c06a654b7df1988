"""``rig publish``: samples and live values to a message broker, in a process beside the engine."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from rig.cli.running import Database
from rig.core.errors import BadInput, Problem
from rig.store.address import without_password

if TYPE_CHECKING:
    import threading

    from rig.bench.publishing import Outlet
    from rig.store.fresh import FreshSamples

_NATS, _MQTT = "nats://labpc1:4222", "mqtt://labpc1:1883"


def publish(
    nats: Annotated[
        str | None, typer.Option(help=f"Every sample to a JetStream stream, as {_NATS}.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(help=f"Live values to an MQTT broker, as {_MQTT}.")
    ] = None,
    qos: Annotated[int, typer.Option(min=0, max=1, help="MQTT quality of service.")] = 1,
    from_start: Annotated[
        bool,
        typer.Option("--from-start", help="NATS: also runs that ended before the stream was made."),
    ] = False,
    db: Database = None,
) -> int:
    """Publish what is measured on this computer until Ctrl-C; no run waits for it or knows of it."""
    from rig.bench.publishing import Publisher
    from rig.store.database import database_url
    from rig.store.fresh import open_fresh

    _require_sense(nats, mqtt, from_start=from_start)
    url = database_url(db)
    with ExitStack() as closing:
        fresh = open_fresh(url)  # refuses a database that nothing was ever run for here
        closing.callback(fresh.close)
        outlets: list[Outlet] = []
        if nats is not None:
            outlets.append(_samples_to(nats, fresh, from_start=from_start))
        if mqtt is not None:
            outlets.append(_values_to(mqtt, url, fresh, qos, closing))
        for outlet in outlets:
            _say(f"publishing to {outlet.name}")
        publisher = Publisher(outlets, _say)
        with _stopping(publisher.stopped):
            publisher.run()
    return 0


def _require_sense(nats: str | None, mqtt: str | None, *, from_start: bool) -> None:
    """Refuse what cannot be published to, all at once."""
    problems = [
        *_url_problems("--nats", nats, ("nats", "tls"), _NATS),
        *_url_problems("--mqtt", mqtt, ("mqtt", "mqtts"), _MQTT),
    ]
    if nats is None and mqtt is None:
        message = "has nowhere to publish to: expected --nats, --mqtt or both"
        problems.append(Problem("rig publish", message, f"rig publish --mqtt {_MQTT}"))
    if from_start and nats is None:
        message = "goes with --nats: MQTT has the newest values only"
        problems.append(
            Problem("--from-start", message, f"rig publish --nats {_NATS} --from-start")
        )
    for option, given, package in (("nats", nats, "nats"), ("mqtt", mqtt, "paho")):
        if given is not None and find_spec(package) is None:
            message = "needs a library that is not installed"
            problems.append(Problem(f"--{option}", message, f"pip install 'cellrig[{option}]'"))
    if problems:
        raise BadInput(problems)


def _url_problems(
    option: str, url: str | None, schemes: tuple[str, ...], example: str
) -> Iterator[Problem]:
    if url is None:
        return
    try:
        place = urlsplit(url)
        fits = place.scheme in schemes and place.hostname and (place.port or 1) > 0
    except ValueError:  # a port that is none
        fits = False
    if not fits:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        message = f"got {without_password(url)!r}, expected {expected}, a host and maybe a port"
        yield Problem(option, message, example)


def _samples_to(url: str, fresh: FreshSamples, *, from_start: bool) -> Outlet:
    from rig.bench.nats_stream import NatsStream
    from rig.bench.sample_stream import SampleOutlet

    return SampleOutlet(fresh, NatsStream(url), from_start)


def _values_to(
    url: str, database: str, fresh: FreshSamples, quality: int, closing: ExitStack
) -> Outlet:
    """Return the outlet of what a page of this computer shows of its own rig."""
    from rig.bench.live_topics import TopicOutlet
    from rig.bench.status import ChannelStatus
    from rig.store.presence import rig_name
    from rig.web.house import open_house

    house = open_house(database)
    closing.callback(house.close)

    def own_channels() -> list[ChannelStatus]:
        rig = fresh.own_rig()
        shown = house.live.newest().wall.channels
        return [one for one in shown if rig is not None and one.rig_id == rig.rig_id]

    rig = fresh.own_rig()
    return TopicOutlet(url, own_channels, rig_name() if rig is None else rig.name, quality)


@contextmanager
def _stopping(stopped: threading.Event) -> Iterator[None]:
    """Ctrl-C and a polite kill end it after the look that it is at."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    print(f"rig: {line}", file=sys.stderr, flush=True)
