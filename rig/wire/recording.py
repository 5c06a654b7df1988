"""Writing down what passes over a link, in the form that ``rig.wire.transcript`` plays back."""

from __future__ import annotations

from typing import TextIO

from rig.core.errors import LinkClosed, LinkTimeout
from rig.core.link import Link
from rig.wire.transcript import COMMENT, RECEIVED, SENT, SILENCE, escape


class RecordingLink:
    """Passes every operation on to ``inner`` and writes it to ``sink``, flushed line by line.

    A transcript is most wanted after a crash, so nothing is held back.
    """

    def __init__(self, inner: Link, sink: TextIO) -> None:
        self._inner = inner
        self._sink = sink
        # Bytes that a timeout has shown and written, and that the next read returns again.
        self._written_ahead = 0

    @property
    def name(self) -> str:
        return self._inner.name

    def write(self, data: bytes) -> None:
        self._note(SENT, escape(data))
        self._inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        try:
            line = self._inner.read_until(terminator, timeout_second)
        except (LinkTimeout, LinkClosed) as error:
            self._note_failure(error)
            raise
        self._note_received(line + terminator)
        return line

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        try:
            block = self._inner.read_exactly(count, timeout_second)
        except (LinkTimeout, LinkClosed) as error:
            self._note_failure(error)
            raise
        self._note_received(block)
        return block

    def close(self) -> None:
        self._inner.close()

    def _note_received(self, data: bytes) -> None:
        fresh = data[self._written_ahead :]
        self._written_ahead = max(0, self._written_ahead - len(data))
        if fresh:
            self._note(RECEIVED, escape(fresh))

    def _note_failure(self, error: LinkTimeout | LinkClosed) -> None:
        if isinstance(error, LinkClosed):
            self._note(COMMENT, f"closed: {escape(str(error).encode('utf-8'))}")
            return
        fresh = error.received[self._written_ahead :]
        self._written_ahead = len(error.received)
        if fresh:
            self._note(RECEIVED, escape(fresh))
        self._note(SILENCE, "")

    def _note(self, mark: str, text: str) -> None:
        print(f"{mark} {text}".rstrip(" "), file=self._sink, flush=True)
