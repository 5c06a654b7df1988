"""Keeping the silence that an instrument asks for between exchanges. Knows no instrument.

Many chamber controllers lose a command that follows too closely on the last reply; their sheets
say how long to wait (``rig.core.sheet.Spacing``).
"""

from __future__ import annotations

from rig.core.clock import Clock
from rig.core.link import Link
from rig.core.sheet import Spacing


def spaced(link: Link, clock: Clock, spacing: Spacing) -> Link:
    """Return ``link`` with the sheet's silences kept; the link itself where the sheet asks for none."""
    silences = (
        spacing.after_query_second,
        spacing.after_set_second,
        spacing.after_error_second,
    )
    return SpacedLink(link, clock, spacing) if any(silences) else link


class SpacedLink:
    """Waits before a write, never after a reply: whoever got an answer may work with it at once."""

    def __init__(self, inner: Link, clock: Clock, spacing: Spacing) -> None:
        self._inner = inner
        self._clock = clock
        self._spacing = spacing
        self._error_mark = spacing.error_mark.encode("ascii")
        self._silence_second = 0.0
        self._free_from_second = clock.now()

    @property
    def name(self) -> str:
        return self._inner.name

    def write(self, data: bytes) -> None:
        self._clock.wait_until(self._free_from_second)
        self._inner.write(data)
        spacing = self._spacing
        is_query = b"?" in data
        self._silence_second = spacing.after_query_second if is_query else spacing.after_set_second
        self._keep_silence(self._silence_second)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        return self._seen(self._inner.read_until(terminator, timeout_second))

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        return self._seen(self._inner.read_exactly(count, timeout_second))

    def close(self) -> None:
        self._inner.close()

    def _seen(self, reply: bytes) -> bytes:
        """The exchange ends with its last byte, so the silence begins anew with every read."""
        if self._error_mark and self._error_mark in reply:
            self._silence_second = max(self._silence_second, self._spacing.after_error_second)
        self._keep_silence(self._silence_second)
        return reply

    def _keep_silence(self, second: float) -> None:
        self._free_from_second = self._clock.now() + second
