"""A microcontroller with an HX711 on its wire: boots when its port is opened, then streams lines.

Knows a load by its force only. Simulator's choices: on opening the tail of an old line, boot text
after 0.3 s, the first line after 2 s, ten a second; noise of 1e-4 of the value; ``t`` and ``tare``
set the gram to zero where the line gives it, the converter's own number stays; of a port that
nobody reads 4096 bytes are kept, the oldest, as a tty does it.
"""

from __future__ import annotations

import math

from rig.core.errors import BadInput, Problem
from rig.core.scale import Scale
from simulators.fronts.sensing_element import SensingElement
from simulators.interfaces import Load

_PERIOD_SECOND, _BANNER_SECOND, _BOOT_SECOND = 0.1, 0.3, 2.0
_TAIL, _BANNER = b"417\r\n", b"HX711 load cell\r\nready\r\n"
_NOISE_PART = 1e-4
_NEWTON_PER_GRAM = 9.80665e-3
_LOWEST, _HIGHEST = -(1 << 23), (1 << 23) - 1
_PORT_BYTES = 4096
FORMATS = ("raw", "raw_and_gram", "sentence")
# What it was built with, where the bench does not say: 1000 counts a newton from 8000 on.
USUAL_COUNTS = Scale(8000.0, 0.0, 108_000.0, 100.0)


class LoadCellFront:
    """The board as a Front; ``counts`` leads from the converter's number to newton, and back."""

    streams = True

    def __init__(
        self,
        name: str,
        load: Load,
        *,
        area_square_metre: float,
        seed: int,
        counts: Scale = USUAL_COUNTS,
        line_format: str = "raw",
        noise: bool = True,
    ) -> None:
        if line_format not in FORMATS:
            message = f"got {line_format!r}, expected one of {', '.join(FORMATS)}"
            raise BadInput(Problem(f"{name}, format", message))
        self._name = name
        self._counts = counts
        self._format = line_format
        self._element = SensingElement(
            load,
            seed=seed,
            noise_part=_NOISE_PART if noise else 0.0,
            area_square_metre=area_square_metre,
        )
        self._tare_newton = 0.0
        self._saturated = False
        self._opened_second: float | None = None
        self._lines = 0  # sent since the board started
        self._output = b""
        self._greeted = False

    def receive(self, data: bytes, now_second: float) -> None:
        """Take ``t`` or ``tare`` on a line or alone; anything else is ignored."""
        self._open(now_second)
        if data.strip().lower() in (b"t", b"tare"):
            self._tare_newton = self._element.force_newton(now_second)

    def transmit(self, now_second: float) -> bytes:
        """Return what the board has sent, as far as the port could keep it."""
        self._open(now_second)
        self._greet(now_second)
        self._stream(now_second)
        data, self._output = self._output, b""
        return data

    def next_output_second(self) -> float | None:
        """Return when the next line, or the boot text, is sent."""
        if self._output or self._opened_second is None:
            return -math.inf
        if not self._greeted:
            return self._opened_second + _BANNER_SECOND
        return self._due(self._lines)

    def disconnected(self, _now_second: float) -> None:
        """Nobody listens; opening the port again starts the board anew."""
        self._opened_second = None
        self._output = b""

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``drift``, per cent an hour, or ``saturate`` happen; a value of 0 mends it.

        Raises BadInput for any other kind.
        """
        if kind == "drift":
            self._element.drift(float(value or 0), now_second)
        elif kind == "saturate":
            self._saturated = value != 0
        else:
            raise BadInput(Problem(self._name, f"a load cell has no fault {kind!r}"))

    def _open(self, now_second: float) -> None:
        if self._opened_second is None:
            self._opened_second = now_second
            self._lines, self._output, self._greeted = 0, _TAIL, False
            self._tare_newton = 0.0

    def _greet(self, now_second: float) -> None:
        assert self._opened_second is not None
        if not self._greeted and now_second >= self._opened_second + _BANNER_SECOND:
            self._greeted = True
            self._output += _BANNER

    def _due(self, line: int) -> float:
        assert self._opened_second is not None
        return self._opened_second + _BOOT_SECOND + line * _PERIOD_SECOND

    def _stream(self, now_second: float) -> None:
        """Send the lines that are due; those that the port cannot keep are never made."""
        while self._due(self._lines) <= now_second:
            if len(self._output) >= _PORT_BYTES:
                late_second = now_second - self._due(self._lines)
                self._lines += math.floor(late_second / _PERIOD_SECOND) + 1
                break
            self._output = (self._output + self._line(self._due(self._lines)))[:_PORT_BYTES]
            self._lines += 1

    def _line(self, second: float) -> bytes:
        force = self._element.force_newton(second)
        raw = min(max(round(self._counts.raw(force)), _LOWEST), _HIGHEST)
        raw = _HIGHEST if self._saturated else raw
        gram = (self._counts.value(raw) - self._tare_newton) / _NEWTON_PER_GRAM
        text = {
            "raw": f"{raw}",
            "raw_and_gram": f"{raw}\t{gram:.1f}",
            "sentence": f"Reading: {gram:.2f} g",
        }[self._format]
        return text.encode("ascii") + b"\r\n"
