"""A Mark-10 Series 5 force gauge on its wire: answers questions, switches itself off.

Knows a load by its force only. Simulator's choices: 5 ms to a reply, hundredths, noise of 1e-4 of
the value; lines end in CR, an LF before the next one is passed over; auto-off counts from the last
line; a gauge that is off is switched on again by somebody when the link has gone and come back;
LIST shows POL whatever the sign; the statistics and outputs are not there (``*10``).
"""

from __future__ import annotations

from rig.core.errors import BadInput, Problem
from simulators.fronts.line_front import LineFront
from simulators.fronts.sensing_element import SensingElement
from simulators.interfaces import Load

_REPLY_SECOND = 0.005
_NOISE_PART = 1e-4
_NEWTON_PER = {"N": 1.0, "LBF": 4.4482216152605}
_SPOKEN = {"N": "N", "LBF": "lbF"}
_FACTORY_UNIT, _FACTORY_OFF_MINUTE, _MOST_OFF_MINUTE = "LBF", 5, 30
_SIGNS = {"positive": 1.0, "negative": -1.0}


class Mark10Series5Front(LineFront):
    """The gauge as a Front; ``compression`` is the sign it shows when it is pushed."""

    def __init__(
        self,
        name: str,
        load: Load,
        *,
        area_square_metre: float,
        seed: int,
        compression: str = "positive",
        noise: bool = True,
    ) -> None:
        if compression not in _SIGNS:
            message = f"got {compression!r}, expected {' or '.join(_SIGNS)}"
            raise BadInput(Problem(f"{name}, compression", message))
        super().__init__(b"\r", _REPLY_SECOND)
        self._name = name
        self._sign = _SIGNS[compression]
        self._element = SensingElement(
            load,
            seed=seed,
            noise_part=_NOISE_PART if noise else 0.0,
            area_square_metre=area_square_metre,
        )
        self._off = False
        self._heard_second: float | None = None
        self._power_up()

    def _power_up(self) -> None:
        self._off = False
        self._unit = _FACTORY_UNIT
        self._off_minute = _FACTORY_OFF_MINUTE
        self._peaks = (0.0, 0.0)  # of tension and compression, as shown

    def answer(self, line: bytes, now_second: float) -> bytes:
        self._look_at_the_clock(now_second)
        if self._off:
            return b""
        self._heard_second = now_second
        command = line.strip(b"\n ").decode("latin-1").upper()
        reply = self._do(command, now_second)
        return reply.encode("ascii") + b"\r\n" if reply else b""

    def disconnected(self, now_second: float) -> None:
        """Auto-off may have come meanwhile; then somebody switches it on before it is used again."""
        self._look_at_the_clock(now_second)
        super().disconnected(now_second)
        if self._off:
            self._heard_second = None
            self._power_up()

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``drift`` happen, per cent an hour; raises BadInput for any other kind."""
        if kind != "drift":
            raise BadInput(Problem(self._name, f"a force gauge has no fault {kind!r}"))
        self._element.drift(float(value or 0), now_second)

    def _look_at_the_clock(self, now_second: float) -> None:
        silent = 0.0 if self._heard_second is None else now_second - self._heard_second
        if self._off_minute and silent >= 60.0 * self._off_minute:
            self._off = True

    def _do(self, command: str, now_second: float) -> str:
        """Do what one command says; return the reply, empty where there is none."""
        if command in ("?", "?C", "?PT", "?PC"):
            return self._read(command, now_second)
        if command in _NEWTON_PER:
            self._unit = command
            return ""
        if command == "CLR" or not command:
            self._peaks = (0.0, 0.0)
            return ""
        if command == "LIST":
            return (
                f"V1.00;{self._unit};CUR;FLTC8;FLTP1;AOUT00;AOFF{self._off_minute};FULL;MIT;POL;B0"
            )
        if command.startswith("AOFF"):
            return self._set_auto_off(command.removeprefix("AOFF"))
        return "*10"

    def _set_auto_off(self, text: str) -> str:
        if not text.isdecimal():
            return "*12"
        if int(text) > _MOST_OFF_MINUTE:
            return "*22"
        self._off_minute = int(text)
        return ""

    def _read(self, command: str, now_second: float) -> str:
        force = self._sign * self._element.force_newton(now_second)
        low, high = min(self._peaks[0], force), max(self._peaks[1], force)
        self._peaks = (low, high)
        shown = {"?PT": low if self._sign > 0 else high, "?PC": high if self._sign > 0 else low}
        value = shown.get(command, force) / _NEWTON_PER[self._unit]
        return f"{round(value, 2) + 0.0:.2f} {_SPOKEN[self._unit]}"  # + 0.0: never "-0.00"
