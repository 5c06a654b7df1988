"""One MacNet request: its parameters, read strictly by their exact names.

Knows which texts an unreadable parameter is answered with; knows no function and no bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.fronts.maccor_channel import Channel
from simulators.fronts.maccor_output import ChMode, Output, Setpoints
from simulators.fronts.maccor_tester import MaccorTester

_MOST_CHANNELS_IN_ONE_REPLY = 128


class MacNetError(Exception):
    """A request answered with an error object; the texts are the manual's."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: reads its parameters strictly, by their exact names.

    ``loses_rest``: it came by JSON to a tester whose release ignores rest in direct mode.
    """

    tester: MaccorTester
    params: Mapping[str, object]
    loses_rest: bool = False

    def number(self, key: str) -> float:
        """Return a finite number; raises MacNetError."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise MacNetError("Illegal value")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise MacNetError("Illegal value")
        return number

    def whole(self, key: str, lowest: int, highest: int) -> int:
        """Return a whole number within bounds; raises MacNetError."""
        value = self.number(key)
        if value != int(value) or not lowest <= value <= highest:
            raise MacNetError("Illegal value")
        return int(value)

    def text(self, key: str) -> str:
        """Return a text; raises MacNetError."""
        value = self._value(key)
        if not isinstance(value, str):
            raise MacNetError("Illegal value")
        return value

    def channel(self) -> Channel:
        """Return the channel that ``Chan`` (0-based) names; raises MacNetError."""
        return self.tester.channels[self.whole("Chan", 0, len(self.tester.channels) - 1)]

    def span(self) -> list[Channel]:
        """Return ``Len`` channels from ``Chan`` on; raises MacNetError."""
        first = self.whole("Chan", 0, len(self.tester.channels) - 1)
        count = self.whole("Len", 1, _MOST_CHANNELS_IN_ONE_REPLY)
        if first + count > len(self.tester.channels):
            raise MacNetError("Illegal value")
        return self.tester.channels[first : first + count]

    def output(self) -> Output:
        """Return what the request wants put out; raises MacNetError."""
        try:
            mode = ChMode(self.text("ChMode"))
        except ValueError:
            raise MacNetError("Illegal value") from None
        spec = self.tester.setup.spec
        names = ("Current", "Voltage", "Power", "Resistance")
        setpoints = Setpoints.within(spec, *(self.number(name) for name in names))
        if setpoints.active > 3:
            raise MacNetError("Illegal value")
        return Output(mode, setpoints, self.whole("CurrentRange", 1, len(spec.ranges_ampere)))

    def _value(self, key: str) -> object:
        if key not in self.params:
            raise MacNetError("Missing object")
        return self.params[key]
