"""An Omega USBH pressure transducer on its wire: three questions, a prompt after each answer.

Knows a load by its pressure only. Simulator's choices: 3 ms to a reply; noise of 1e-4 of the value;
a range of 0 to 10 MPa; air of 101.325 kPa; asked sooner than 20 ms after a question it answers
with a damaged unit; beyond 110 % of its range it stays there; an unknown question gets the prompt.
"""

from __future__ import annotations

from rig.core.errors import BadInput, Problem
from simulators.fronts.line_front import LineFront
from simulators.fronts.sensing_element import SensingElement
from simulators.interfaces import Load

_REPLY_SECOND, _LEAST_SPACING_SECOND = 0.003, 0.02
_NOISE_PART = 1e-4
_RANGE_PASCAL, _MOST_PART = 10e6, 1.1
_AIR_PASCAL = 101_325.0
UNITS = {"kPa": (1e3, 2), "MPa": (1e6, 5), "bar": (1e5, 4), "psi": (6894.757293168361, 3)}
REFERENCES = {"gauge": "G", "absolute": "A"}


class OmegaUsbhFront(LineFront):
    """The transducer as a Front."""

    def __init__(
        self,
        name: str,
        load: Load,
        *,
        seed: int,
        reference: str = "gauge",
        unit: str = "kPa",
        noise: bool = True,
    ) -> None:
        problems = [
            Problem(name, f"got {word!r}, expected one of {', '.join(known)}")
            for word, known in ((reference, REFERENCES), (unit, UNITS))
            if word not in known
        ]
        if problems:
            raise BadInput(problems)
        super().__init__(b"\r\n", _REPLY_SECOND)
        self._name = name
        self._unit, self._letter = unit, REFERENCES[reference]
        self._serial = f"{seed % 10**6:06d}"
        self._element = SensingElement(load, seed=seed, noise_part=_NOISE_PART if noise else 0.0)
        self._asked_second: float | None = None

    def answer(self, line: bytes, now_second: float) -> bytes:
        asked, self._asked_second = self._asked_second, now_second
        # A hair less: times that were added up differ in their last digit.
        hurried = asked is not None and now_second - asked < _LEAST_SPACING_SECOND - 1e-6
        reply = self._say(line.strip().decode("latin-1").upper(), now_second)
        if hurried:
            reply = reply.replace(self._unit, self._unit[:-1])
        return reply.encode("ascii") + b">"

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``drift`` happen, per cent an hour; raises BadInput for any other kind."""
        if kind != "drift":
            raise BadInput(Problem(self._name, f"a pressure transducer has no fault {kind!r}"))
        self._element.drift(float(value or 0), now_second)

    def _say(self, command: str, now_second: float) -> str:
        pascal, digits = UNITS[self._unit]
        if command == "SNR":
            return f"serial = {self._serial}\r\n"
        if command == "ENQ":
            highest = _RANGE_PASCAL / pascal
            span = f"{0:.{digits}f} to {highest:.{digits}f} {self._unit} {self._letter}"
            return f"USBPX\r\nsimulated\r\n{span}\r\n"
        if command == "P":
            value = self._element.pressure_pascal(now_second)
            value += _AIR_PASCAL if self._letter == "A" else 0.0
            value = min(value, _MOST_PART * _RANGE_PASCAL)
            return f"{value / pascal:.{digits}f} {self._unit} {self._letter}\r\n"
        return ""
