"""MacNet's binary listener: little-endian frames of eight bytes and data, no checksum.

Packs the fields of maccor_functions.py. Only functions whose byte layout the sheet gives exist;
simulator's choice: any other request, and any that JSON would answer with an error, gets no reply.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulators.fronts.maccor_call import Call, MacNetError
from simulators.fronts.maccor_functions import Fields, perform, tester_time
from simulators.fronts.maccor_listener import Listener
from simulators.fronts.maccor_tester import MaccorTester

_HEADER = struct.Struct("<HHHH")  # FClass, FNum, Chan, Len
_ECHO = (0, 0)
# In these requests Len counts channels, and no data follow.
_MANY = {(4, 1), (4, 2), (4, 3), (4, 9)}
_DIRECT = struct.Struct("<ffffBB")
_DIRECT_KEYS = ("Current", "Voltage", "Power", "Resistance", "CurrentRange")
_SET_DIRECT = (6, 8)
_READING = struct.Struct("<BBHIIH6f")
_READING_KEYS = (
    "RF1", "RF2", "Stat", "LastRecNum", "Cycle", "Step",
    "TestTime", "StepTime", "Capacity", "Energy", "Current", "Voltage",
)  # fmt: skip

Pack = Callable[[Any, MaccorTester], bytes]


class MacNetBinaryFront(Listener):
    """The binary listener as a Front, on a tester that it shares."""

    def __init__(self, name: str, tester: MaccorTester) -> None:
        super().__init__(name, tester)
        self._unread = b""

    def replies(self, data: bytes) -> Iterator[bytes]:
        """Answer each frame, in order."""
        self._unread += data
        while len(self._unread) >= _HEADER.size:
            f_class, f_num, channel, length = _HEADER.unpack_from(self._unread)
            function = (f_class, f_num)
            end = _HEADER.size + (0 if function in _MANY else length)
            if len(self._unread) < end:
                return
            frame, self._unread = self._unread[:end], self._unread[end:]
            if function == _ECHO:
                yield frame
            elif function in _PACKERS:
                yield from self._answer(function, channel, length, frame[_HEADER.size :])

    def forget(self) -> None:
        """Lose what has come of an unfinished frame."""
        self._unread = b""

    def _answer(
        self, function: tuple[int, int], channel: int, length: int, data: bytes
    ) -> Iterator[bytes]:
        params: dict[str, object] = {"Chan": channel, "Len": length}
        if function == _SET_DIRECT:
            if len(data) != _DIRECT.size:
                return
            *values, mode = _DIRECT.unpack(data)
            params |= dict(zip(_DIRECT_KEYS, values, strict=True))
            params["ChMode"] = chr(mode)
        try:
            fields = perform(*function, Call(self.tester, params))
        except MacNetError:
            return
        packed = _PACKERS[function](fields, self.tester)
        yield _HEADER.pack(*function, channel, len(packed)) + packed


def _result(fields: Fields, _tester: MaccorTester) -> bytes:
    return struct.pack("<H", fields["Result"])


def _statuses(fields: Mapping[str, Any], _tester: MaccorTester) -> bytes:
    return b"".join(
        struct.pack("<BBH", one["RF1"], one["RF2"], one["Stat"]) for one in fields["Status"]
    )


def _singles(key: str) -> Pack:
    return lambda fields, _tester: struct.pack(f"<{len(fields[key])}f", *fields[key])


def _reading(fields: Mapping[str, Any], tester: MaccorTester) -> bytes:
    milliseconds = round(tester_time(tester).timestamp() * 1000.0)
    values = [fields[key] for key in _READING_KEYS]
    return _READING.pack(*values) + struct.pack("<Q", milliseconds)


_PACKERS: dict[tuple[int, int], Pack] = {
    (4, 1): _statuses,
    (4, 2): _singles("Voltage"),
    (4, 3): _singles("Current"),
    (4, 7): _reading,
    (4, 9): _singles("TestTimes"),
    (6, 3): _result,
    (6, 4): _result,
    (6, 5): _result,
    (6, 6): _result,
    _SET_DIRECT: _result,
}
