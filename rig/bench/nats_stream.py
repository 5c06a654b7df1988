"""A JetStream stream of a NATS server, as sample_stream.py wants one.

The client is asynchronous; here each call waits for its answer, because nothing else is done meanwhile.
A connection that breaks is not mended behind our back: the stream has to be asked again where it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from rig.bench.sample_stream import SUBJECT, Message, Position
from rig.core.errors import BrokerAway
from rig.store.address import without_password

STREAM = "CELLRIG"
# Header names of JetStream: docs.nats.io, "Headers", publishing.
MESSAGE_ID, EXPECTED_LAST = "Nats-Msg-Id", "Nats-Expected-Last-Subject-Sequence"
_ANOTHER_IS_LAST = 10071  # nats-server, server/errors.json: JSStreamWrongLastSequenceErrF
ANSWER_SECOND = 5.0
_CONNECT_SECOND = 2
_Answer = TypeVar("_Answer")


class NatsStream:
    """The stream ``CELLRIG`` of one server; made with file storage where it is not there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = without_password(url)
        self._runner = asyncio.Runner()
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None
        self._broken = asyncio.Event()
        self._failure = ""  # what the client said last, whoever asked

    def connect(self) -> bool:
        if self._client is not None and not self._client.is_closed:
            self._wait_for(asyncio.sleep(0))  # the server asks now and then whether we are there
            return False
        self._stream, self._broken, self._failure = None, asyncio.Event(), ""
        self._wait_for(self._connect())
        return True

    def made_us(self) -> int:
        info = self._wait_for(self._ready().stream_info(STREAM))
        return 0 if info.created is None else round(info.created.timestamp() * 1e6)

    def subjects(self, under: str) -> set[str]:
        info = self._wait_for(self._ready().stream_info(STREAM, subjects_filter=f"{under}.>"))
        return set(info.state.subjects or ())

    def position(self, subject: str) -> Position:
        return self._wait_for(self._position(subject))

    def publish(self, message: Message, after: Position) -> Position | None:
        headers = {MESSAGE_ID: message.message_id, EXPECTED_LAST: str(after.message)}
        try:
            taken = self._wait_for(
                self._ready().publish(
                    message.subject, message.data, ANSWER_SECOND, STREAM, dict(headers)
                )
            )
        except _AnotherIsLast:
            return None
        return Position(message.seq_last + 1, taken.seq)

    def close(self) -> None:
        with suppress(BrokerAway):
            if self._client is not None and not self._client.is_closed:
                self._wait_for(self._client.close())
        self._runner.close()

    def _ready(self) -> JetStreamContext:
        if self._stream is None:
            raise BrokerAway("it is not connected")
        return self._stream

    async def _connect(self) -> None:
        client = self._client = Client()
        await client.connect(
            self._url,
            name="cellrig",
            allow_reconnect=False,
            max_reconnect_attempts=1,  # 0 would be without end
            reconnect_time_wait=0,
            connect_timeout=_CONNECT_SECOND,
            error_cb=self._note_failure,
            disconnected_cb=self._note_broken,
        )
        stream = client.jetstream(timeout=ANSWER_SECOND)
        try:
            await stream.stream_info(STREAM)
        except NotFoundError:
            config = StreamConfig(STREAM, subjects=[f"{SUBJECT}.>"], storage=StorageType.FILE)
            await stream.add_stream(config)
        self._stream = stream

    async def _position(self, subject: str) -> Position:
        try:
            last = await self._ready().get_last_msg(STREAM, subject)
        except NotFoundError:
            return Position()
        return Position(_seq_last(last.headers or {}) + 1, last.seq or 0)

    def _wait_for(self, coroutine: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Return its answer; what the client or the network complains of is translated here, once."""
        try:
            return self._runner.run(self._answer_to(coroutine))
        except BrokerAway:
            self._let_go()
            raise
        except APIError as refusal:
            if refusal.err_code == _ANOTHER_IS_LAST:
                raise _AnotherIsLast from refusal
            self._let_go()
            raise BrokerAway(f"it refuses: {refusal.description}") from refusal
        except (TimeoutError, Error, OSError) as failure:
            self._let_go()
            said = " ".join(str(failure).split()) or type(failure).__name__
            raise BrokerAway(self._failure or said) from failure

    async def _answer_to(self, coroutine: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Wait for it as long as there is a connection: the client would wait for its timeout."""
        asking, broken = asyncio.ensure_future(coroutine), self._broken
        ending = asyncio.ensure_future(broken.wait())
        done, _ = await asyncio.wait(
            {asking, ending}, timeout=2 * ANSWER_SECOND, return_when=asyncio.FIRST_COMPLETED
        )
        ending.cancel()
        if asking in done:
            return asking.result()
        asking.cancel()
        with suppress(asyncio.CancelledError, Error):
            await asking
        raise BrokerAway(self._failure or "the connection broke" if ending in done else "no answer")

    async def _note_failure(self, failure: Exception) -> None:
        self._failure = " ".join(str(failure).split()) or type(failure).__name__

    async def _note_broken(self) -> None:
        self._broken.set()

    def _let_go(self) -> None:
        """Begin anew next time: what was on its way may or may not have arrived."""
        client, self._client, self._stream = self._client, None, None
        if client is not None and not client.is_closed:
            with suppress(Error, OSError, asyncio.TimeoutError):
                self._runner.run(asyncio.wait_for(client.close(), ANSWER_SECOND))


class _AnotherIsLast(Exception):
    """The subject has another last message than we thought."""


def _seq_last(headers: dict[str, Any]) -> int:
    """Return the number of the last sample in a message, from its name ``<run>:<first>-<last>``."""
    name = str(headers.get(MESSAGE_ID, ""))
    number = name.rpartition("-")[2]
    if ":" not in name or not number.isdecimal():
        raise BrokerAway(f"a message in stream {STREAM} is not ours: {MESSAGE_ID} is {name!r}")
    return int(number)
