"""Bytes to and from instruments. Knows pyserial and pyvisa; knows no instrument and no protocol.

``open_link`` turns an address of the bench file into a ``Link``; the other links wrap or replace
one. pyserial and pyvisa are imported only when a port of their kind is opened, and their
exceptions are translated once, here, into LinkError.
"""

from rig.wire.link_health import HealthSeen, LinkHealths
from rig.wire.opening import open_link
from rig.wire.recording import RecordingLink
from rig.wire.reopening import ReopeningLink
from rig.wire.spacing import SpacedLink, spaced
from rig.wire.transcript import Exchange, TranscriptLink, TranscriptMismatch, load_transcript

__all__ = [
    "Exchange",
    "HealthSeen",
    "LinkHealths",
    "RecordingLink",
    "ReopeningLink",
    "SpacedLink",
    "TranscriptLink",
    "TranscriptMismatch",
    "load_transcript",
    "open_link",
    "spaced",
]
