"""``rig serve`` at work: the page in this process, the engine in its own, until somebody says stop.

Ctrl-C or a polite kill lets the clients go first, then ends the engine if this process began it: it
disconnects every cell, and the runs can be resumed. An engine that was there before goes on.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn

from rig.bench.engine_process import EngineProcess
from rig.core.errors import RigError
from rig.web.application import create_app
from rig.web.house import House

GOODBYE_SECOND = 3  # for requests that are being answered
LOOK_SECOND = 1.0
_STOPPING = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """Lets those who watch the live stream go at once: they would never go by themselves."""

    def __init__(self, config: uvicorn.Config, goodbye: Callable[[], None]) -> None:
        super().__init__(config)
        self._goodbye = goodbye

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._goodbye()
        super().handle_exit(sig, frame)


def serve(
    house: House,
    listening: socket.socket,
    *,
    certificate: str | None = None,
    key: str | None = None,
) -> None:
    """Serve a house on a socket until SIGINT or SIGTERM; both are given back afterwards."""
    logging.basicConfig(format="rig: %(message)s")
    config = uvicorn.Config(
        create_app(house),
        log_level="warning",
        access_log=False,  # rig.web says who wrote what; a URL may hold what somebody searched for
        proxy_headers=False,  # who says that he comes from elsewhere need not
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_SECOND,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    with _signals_are_no_end(), _looked_at(house):
        _Server(config, house.say_goodbye).run(sockets=[listening])


@contextmanager
def _looked_at(house: House) -> Iterator[None]:
    """Look once before the first visitor does: whatever compiles protocols takes seconds to load."""

    def look() -> None:
        with suppress(RigError):  # whoever comes is told
            house.live.newest()

    looking = threading.Thread(target=look, name="first look")
    looking.start()
    try:
        yield
    finally:
        looking.join()


@contextmanager
def _signals_are_no_end() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more when it is done; we have more to do then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def kept_alive(engine: EngineProcess) -> Iterator[None]:
    """Look after an engine's process from a thread of its own: one that died is begun again."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECOND):
            engine.look()

    keeper = threading.Thread(target=look, name="engine keeper")
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def engine_words(engine: EngineProcess) -> str:
    """Say in words whether there is an engine: shown with the bench."""
    if engine.trouble:
        return engine.trouble
    pid = engine.pid
    return "the engine is being begun again" if pid is None else f"running, process {pid}"
