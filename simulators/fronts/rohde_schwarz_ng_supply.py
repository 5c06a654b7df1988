"""The NGU or NGM behind its wire: its outputs, the one that commands speak of, the master switch.

Commands act on this; it knows neither their spelling nor bytes. Simulator's choice: a relay takes
50 ms to settle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulators.fronts.rohde_schwarz_ng_output import Output, Settings
from simulators.fronts.scpi import ScpiError
from simulators.fronts.scpi_front import ScpiInstrument

_RELAY_SECOND = 0.05


class Supply(ScpiInstrument):
    """The instrument: its outputs, and the one that commands speak of."""

    def __init__(self, identity: str, outputs: Sequence[Output]) -> None:
        super().__init__(identity)
        self.outputs = outputs
        self.chosen = 1
        self.master_on = False

    @property
    def output(self) -> Output:
        """The output that settings apply to."""
        return self.outputs[self.chosen - 1]

    @property
    def settings(self) -> Settings:
        """Its settings."""
        return self.output.settings

    def reset(self) -> None:
        self.chosen, self.master_on = 1, False
        for output in self.outputs:
            output.reset(self.now)

    def advance(self, now_second: float) -> None:
        super().advance(now_second)
        for output in self.outputs:
            output.follow(self.now)

    def output_of(self, number: int) -> Output:
        """Return output ``number``, from 1; raises -222."""
        if not 1 <= number <= len(self.outputs):
            raise ScpiError(-222, f"output {number}")
        return self.outputs[number - 1]

    def choose(self, number: int) -> None:
        """Let settings apply to this output from now on."""
        self.output_of(number)
        self.chosen = number

    def switch(self, on: bool) -> None:
        """Switch the only output."""
        self._move([(self.output, on)])

    def select(self, on: bool) -> None:
        """Let the master switch reach the chosen output, or take it away."""
        self.output.selected = on
        self._move([(self.output, on and self.master_on)])

    def switch_master(self, on: bool) -> None:
        """Switch all selected outputs."""
        self.master_on = on
        self._move([(output, on and output.selected) for output in self.outputs])

    def _move(self, wanted: Sequence[tuple[Output, bool]]) -> None:
        moved = False
        for output, on in wanted:
            moved = moved or output.on is not on
            output.switch(on, self.now)
        if moved:
            self.spend(_RELAY_SECOND)

    def read(self, answer: Callable[[float, float], str], output: Output) -> str:
        """Measure once; the answer is ready when the reading is."""
        voltage, current = output.measure(self.now)
        self.spend(output.reading_second())
        return answer(voltage, current)
