"""The E4980A behind its wire: levels, trigger system and what a measurement gives.

Knows ranges and refusals, no SCPI spelling, and nothing of the cell but its terminals and its
impedance. The dc side stands in keysight_e4980a_path.py.

Simulator's choices where the sheet is silent: accuracy (0.05 % of |Z| and 50 uohm, one sigma, MEDIUM
aperture), the range that autorange takes (the smallest that holds |Z|), +1 rather than +3 when the
dc current is above the range's table, and that data end with any change of what is measured.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace

from simulators.fronts.keysight_e4980a_path import SOURCE_OHM, DcPath
from simulators.fronts.keysight_e4980a_quantities import (
    FUNCTIONS,
    OVERFLOW,
    VOLTAGE_AND_CURRENT,
    measuring_second,
    write_number,
)
from simulators.fronts.keysight_e4980a_settings import (
    FIXED_BIASES_VOLT,
    LARGEST_BIAS_VOLT,
    LARGEST_DC_AMPERE,
    LOWEST_HERTZ,
    MOST_LIST_POINTS,
    RANGES_OHM,
    Ratings,
    Result,
    Settings,
)
from simulators.fronts.scpi import ScpiError
from simulators.fronts.scpi_front import ScpiInstrument
from simulators.fronts.scpi_rows import within
from simulators.interfaces import Cell

# Beyond this the terminals are taken to be open.
_OPEN_OHM = 1e10
_RELATIVE_SIGMA, _SIGMA_OHM = 5e-4, 50e-6
_APERTURE_NOISE = {"SHOR": 2.0, "MED": 1.0, "LONG": 0.5}

# Status of a measurement, as it is sent.
OK, OVERLOAD, CANNOT_REGULATE = 0, 1, 4


@dataclass(slots=True)
class _Format:
    long: bool = False
    kept: dict[str, str] = field(default_factory=dict)  # switches that change nothing here


class Bridge(ScpiInstrument):
    """The instrument; every setter refuses with ScpiError and then changes nothing."""

    no_error = '+0,"No error"'

    def __init__(
        self,
        name: str,
        cell: Cell,
        identity: str,
        ratings: Ratings,
        *,
        seed: int,
        noise: bool,
        dc_blocked: bool,
    ) -> None:
        super().__init__(identity)
        self.ratings = ratings
        self.settings = Settings()
        self.path = DcPath(name, cell, blocked=dc_blocked)
        self.format = _Format()
        self.continuous = True
        self._cell = cell
        self._gauss = random.Random(seed).gauss
        self._noise = 1.0 if noise else 0.0
        self._saved: dict[int, Settings] = {}
        self._armed = False
        self._due_second: float | None = None  # when the measurement under way is complete
        self._results: tuple[Result, ...] = ()
        self._fetching: bool | None = None  # a fetch that waits for data: of R and X only?

    # -- time ----------------------------------------------------------------------------------

    def power_up(self, now_second: float) -> None:
        self.path.begin(now_second)
        super().power_up(now_second)
        # It measures by itself when switched on; *RST stops that (SCPI-1999: INIT:CONT OFF).
        self.initiate_continuously(True)

    def reset(self) -> None:
        self.format = _Format()
        self.continuous = False
        self._fetching = None
        self.change(Settings())
        self.path.set_bias(0.0, self.now)

    def advance(self, now_second: float) -> None:
        super().advance(now_second)
        self.path.follow(self.now)
        due = self._due_second
        if due is None or due > self.now:
            return
        if self._measures_freely:
            period = self._duration()
            due += math.floor((self.now - due) / period) * period
            self._due_second = due + period
        else:
            self._due_second = None
        self._results = self._measure(due)

    # -- settings ------------------------------------------------------------------------------

    def change(self, settings: Settings) -> None:
        """Measure like this from now on; what was measured before is no longer there."""
        self.settings = settings
        self._begin_again()

    def set_frequency(self, hertz: float) -> None:
        """Set the test frequency; raises -222 outside the model's range."""
        self._check_frequency(hertz)
        self.change(replace(self.settings, frequency_hertz=hertz))

    def set_list(self, hertz: tuple[float, ...]) -> None:
        """Set the frequencies of the list page; raises -222, -223."""
        if len(hertz) > MOST_LIST_POINTS:
            raise ScpiError(-223, f"Too much data: {len(hertz)} points")
        for frequency in hertz:
            self._check_frequency(frequency)
        self.change(replace(self.settings, list_hertz=hertz))

    def _check_frequency(self, hertz: float) -> None:
        within(hertz, LOWEST_HERTZ, self.ratings.highest_hertz)

    def set_level(self, level: float, *, in_current: bool) -> None:
        """Set the ac level, rms, and with it whether it is a voltage or a current."""
        within(level, 0.0, self.ratings.ampere if in_current else self.ratings.volt)
        self.change(replace(self.settings, level=level, in_current=in_current))

    def level(self, *, in_current: bool) -> float:
        """Return the ac level; raises -221 when it is set as the other quantity."""
        if self.settings.in_current is not in_current:
            raise ScpiError(-221, "the level is set as the other quantity")
        return self.settings.level

    def set_range(self, ohm: float) -> None:
        """Fix the range: one of the ladder, 0.1 ohm only with option 001; autorange goes off."""
        lowest = RANGES_OHM[0 if self.ratings.option_001 else 1]
        if ohm not in RANGES_OHM or ohm < lowest:
            raise ScpiError(-222, f"{ohm:g}")
        self.change(replace(self.settings, range_ohm=ohm, auto_range=False))

    def set_bias(self, volt: float) -> None:
        """Set the dc bias; without option 001 only 0, 1.5 or 2 V exist."""
        if self.ratings.option_001:
            within(volt, -LARGEST_BIAS_VOLT, LARGEST_BIAS_VOLT)
        elif volt not in FIXED_BIASES_VOLT:
            raise ScpiError(-222, f"{volt:g}: 0, 1.5 or 2 V without option 001")
        self._change_bias(replace(self.settings, bias_volt=volt))

    def switch_bias(self, on: bool) -> None:
        """Put the bias to the terminals, or 0 V."""
        self._change_bias(replace(self.settings, bias_on=on))

    def _change_bias(self, settings: Settings) -> None:
        self.path.set_bias(settings.bias_volt if settings.bias_on else 0.0, self.now)
        self.change(settings)

    def select_function(self, function: str) -> None:
        """Show these quantities; raises -241 for VDID without option 001."""
        if function == VOLTAGE_AND_CURRENT:
            self.need_option_001()
        self.change(replace(self.settings, function=function))

    def need_option_001(self) -> None:
        """Raise -241 (SCPI-1999: hardware missing) when option 001 is not there."""
        if not self.ratings.option_001:
            raise ScpiError(-241, "Hardware missing: option 001")

    def save(self, register: int) -> None:
        """Keep the settings."""
        self._saved[register] = self.settings

    def recall(self, register: int) -> None:
        """Take saved settings back, with the bias off, as the sheet says; raises -224."""
        if register not in self._saved:
            raise ScpiError(-224, f"nothing saved in {register}")
        self._change_bias(replace(self._saved[register], bias_on=False))

    # -- trigger -------------------------------------------------------------------------------

    @property
    def _measures_freely(self) -> bool:
        return self.continuous and self.settings.trigger == "INT"

    def initiate_continuously(self, on: bool) -> None:
        """Wait for the next trigger after each measurement, or be idle."""
        self.continuous = on
        self._begin_again()

    def initiate(self) -> None:
        """Wait for one trigger; with the internal one measure at once."""
        if self.settings.trigger == "INT":
            self._start()
        else:
            self._armed = True

    def trigger(self) -> None:
        """Measure now; raises -211 when nothing waits for a trigger."""
        waits = self._armed or self.continuous
        if not waits or self._due_second is not None:
            raise ScpiError(-211, "Trigger ignored")
        self._armed = False
        self._start()

    def abort(self) -> None:
        """Stop the measurement under way; its data will not come."""
        self._armed = False
        self._begin_again()

    def _begin_again(self) -> None:
        self._due_second = None
        self._results = ()
        if self._measures_freely:
            self._start()

    def _start(self) -> None:
        self._results = ()
        self._due_second = self.now + self._duration()

    def _duration(self) -> float:
        settings = self.settings
        return settings.delay_second + sum(
            measuring_second(hertz, settings.speed, settings.averages)
            for hertz in self._frequencies()
        )

    def _frequencies(self) -> tuple[float, ...]:
        settings = self.settings
        on_list = settings.list_page and settings.list_hertz
        return settings.list_hertz if on_list else (settings.frequency_hertz,)

    # -- data ----------------------------------------------------------------------------------

    def fetch(self, *, impedance_only: bool) -> str | None:
        """Return the data, or nothing yet: the answer then comes with the data."""
        self.interrupt_late_answer()
        self._fetching = impedance_only
        return self.late_answer()

    def late_second(self) -> float | None:
        return None if self._fetching is None else self._due_second

    def late_answer(self) -> str | None:
        if self._fetching is None or not self._results:
            return None
        impedance_only, self._fetching = self._fetching, None
        return ",".join(self._write(result, impedance_only) for result in self._results)

    def forget_late_answer(self) -> None:
        self._fetching = None

    def interrupt_late_answer(self) -> None:
        if self._fetching is not None:
            self._fetching = None
            self.report(ScpiError(-410, "Query INTERRUPTED"))

    def _write(self, result: Result, impedance_only: bool) -> str:
        impedance = result.impedance_ohm
        pair = (impedance.real, impedance.imag) if impedance_only else result.shown
        numbers = [write_number(value, long=self.format.long) for value in pair]
        if not impedance_only:
            numbers.append(f"{result.status:+d}")
            if self.settings.list_page:
                numbers.append("+0")  # in/out of the point's limits; there are none
        return ",".join(numbers)

    # -- measuring -----------------------------------------------------------------------------

    def _measure(self, second: float) -> tuple[Result, ...]:
        if self.settings.function == VOLTAGE_AND_CURRENT:
            shown = self.path.at_cell(second)
            return (Result(shown, complex(OVERFLOW, OVERFLOW), OK),)
        return tuple(self._measure_at(hertz, second) for hertz in self._frequencies())

    def _measure_at(self, hertz: float, second: float) -> Result:
        true = self._cell.impedance(hertz, second)
        status = self._status(true, second)
        if status == OVERLOAD:
            return Result((OVERFLOW, OVERFLOW), complex(OVERFLOW, OVERFLOW), status)
        settings = self.settings
        sigma = _RELATIVE_SIGMA * abs(true) + _SIGMA_OHM
        sigma *= self._noise * _APERTURE_NOISE[settings.speed] / math.sqrt(settings.averages)
        seen = true + complex(self._gauss(0.0, sigma), self._gauss(0.0, sigma))
        if not seen:
            seen = complex(_SIGMA_OHM)
        shown = FUNCTIONS[settings.function](2.0 * math.pi * hertz, seen)
        return Result(shown, seen, status)

    def _status(self, impedance: complex, second: float) -> int:
        settings, magnitude = self.settings, abs(impedance)
        _, dc_ampere = self.path.at_cell(second)
        if magnitude > _OPEN_OHM or abs(dc_ampere) > self._largest_dc(magnitude):
            return OVERLOAD
        if not settings.level_control:
            return OK
        ampere = settings.level if settings.in_current else settings.level / magnitude
        source_volt = ampere * abs(impedance + SOURCE_OHM)
        return CANNOT_REGULATE if source_volt > self.ratings.volt else OK

    def _largest_dc(self, magnitude_ohm: float) -> float:
        settings = self.settings
        used = settings.range_ohm
        if settings.auto_range:
            used = next((ohm for ohm in RANGES_OHM if magnitude_ohm <= ohm), RANGES_OHM[-1])
        table = LARGEST_DC_AMPERE[settings.isolation]
        return next(ampere for ohm, ampere in table if used <= ohm)
