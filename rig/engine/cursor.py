"""Where a run stands, as plain data: what is committed with the samples it came from.

A cursor holds no clock time, no object and no handle, only numbers, text and tuples, so that a
process that was killed goes on exactly where its last commit stands. ``to_json`` and
``from_json`` are each other's inverse.
"""

from __future__ import annotations

import json
import math
from enum import Enum
from typing import Any, NamedTuple

NAN = math.nan


class Halt(Enum):
    """Why the fold does nothing any more; ``NONE`` while it works."""

    NONE = ""
    FINISHED = "finished"
    PAUSED = "paused"
    STOPPED = "stopped"
    TRIPPED = "tripped"


class Progress(NamedTuple):
    """What every reading changes. Capacities and energies as in the Battery Data Format.

    ``seq`` is the number of samples kept so far, hence the next one's number. ``recorded_*`` is
    the last kept sample of this step, NaN before the first.
    """

    test_time_second: float = 0.0
    seq: int = 0
    voltage_volt: float = NAN
    current_ampere: float = NAN
    charging_capacity_ah: float = 0.0
    discharging_capacity_ah: float = 0.0
    charging_energy_wh: float = 0.0
    discharging_energy_wh: float = 0.0
    step_capacity_ah: float = 0.0  # signed: charge is positive
    step_energy_wh: float = 0.0
    recorded_second: float = NAN
    recorded_volt: float = NAN
    recorded_ampere: float = NAN
    bad_readings: int = 0  # in a row: overloads and the like, which are not measurements
    counted_second: float = 0.0  # test time of the last good reading: charge is counted from there


class CycleMark(NamedTuple):
    """The counters at the beginning of the present cycle."""

    seq_first: int = 0
    charging_capacity_ah: float = 0.0
    discharging_capacity_ah: float = 0.0
    charging_energy_wh: float = 0.0
    discharging_energy_wh: float = 0.0


class Place(NamedTuple):
    """Where in the program: changes only from step to step.

    ``step_count`` rises by one at each new step and never resets; ``cycle_count`` is 0 outside of
    the loops that count cycles. ``loops`` is the stack of (address of LoopStart, pass from 1).
    ``results`` are the values that conditions may name. ``leaving`` is how somebody wants the run to
    end, see leaving.py; ``revision`` which text of the protocol ``pc`` and ``loops`` are places of.
    """

    pc: int = 0
    step_count: int = 0
    cycle_count: int = 0
    cycle_open: bool = False
    step_open: bool = False  # the step at pc has begun and not ended
    loops: tuple[tuple[int, int], ...] = ()
    step_began_second: float = 0.0
    suspended_second: float = 0.0  # of this step: time that does not count
    step_seq_first: int = 0
    applied_second: float = 0.0  # when the set point was last armed: the instrument's dead-man
    spectrum_count: int = 0
    spectrum_part: int = 0  # how far the running spectrum is: see rig/engine/spectrum.py
    spectrum_objection: str = ""  # what speaks against the running spectrum, once it is known
    spectrum_repeats: int = 0  # how often this step's spectrum was begun again for an objection
    repeat_of: int = 0  # the number of the spectrum that the running one repeats; 0: of none
    chamber_celsius: float = NAN  # the set point this run holds; NaN before it asked for one
    cycle: CycleMark = CycleMark()
    disturbed: bool = False  # a step of this cycle was left by hand: it says nothing of the cell
    results: dict[str, float] = {}  # noqa: RUF012  (never changed in place: a new dict each time)
    leaving: str = ""
    leaving_words: str = ""  # who wants it, and why
    revision: int = 1

    @property
    def counted_from_second(self) -> float:
        """From when the step's own time counts: its begin, later by what it was suspended."""
        return self.step_began_second + self.suspended_second


class Soak(NamedTuple):
    """How far a set_temperature has come; all NaN before the chamber has taken the set point.

    ``window_*`` add up what the cell's own sensor says; ``mean_celsius`` is that of the window
    before, ``drift_kelvin`` the change from one to the next.
    """

    granted_second: float = NAN
    in_band_since_second: float = NAN
    probed_second: float = NAN
    probe_ohm: float = NAN
    probing: bool = False
    window_second: float = NAN
    window_sum: float = 0.0
    window_count: int = 0
    mean_celsius: float = NAN
    drift_kelvin: float = NAN


class Watch(NamedTuple):
    """A limit that is broken and has not lasted yet; the temperature to compare the next one with."""

    kind: str = ""
    since_second: float = NAN
    reference_second: float = NAN
    reference_celsius: float = NAN


class Suspension(NamedTuple):
    """Since when the run waits, NaN while it does not; since when the air has been back.

    ``cause`` is what it waits for: pressure or the name of an auxiliary, empty for its temperature.
    """

    since_second: float = NAN
    settled_second: float = NAN
    cause: str = ""

    @property
    def on(self) -> bool:
        return not math.isnan(self.since_second)


class Cursor(NamedTuple):
    """Everything that ``advance`` needs to go on, and nothing else."""

    place: Place = Place()
    progress: Progress = Progress()
    soak: Soak = Soak()
    halt: Halt = Halt.NONE
    reason: str = ""
    watch: Watch = Watch()
    suspension: Suspension = Suspension()


def to_json(cursor: Cursor) -> str:
    """Write a cursor as JSON text; NaN as null."""
    parts: dict[str, Any] = {
        "place": cursor.place._asdict() | {"cycle": cursor.place.cycle._asdict()},
        "progress": cursor.progress._asdict(),
        "soak": cursor.soak._asdict(),
        "watch": cursor.watch._asdict(),
        "suspension": cursor.suspension._asdict(),
    }
    plain = {name: {k: _null(v) for k, v in part.items()} for name, part in parts.items()}
    return json.dumps(plain | {"halt": cursor.halt.value, "reason": cursor.reason})


def from_json(text: str) -> Cursor:
    """Read a cursor back; keys of a newer version are an error rather than lost."""
    data = json.loads(text)
    place = _nan({key: value for key, value in data["place"].items() if key != "cycle"})
    place["loops"] = tuple((int(start), int(number)) for start, number in place["loops"])
    return Cursor(
        Place(**place, cycle=CycleMark(**data["place"]["cycle"])),
        Progress(**_nan(data["progress"])),
        Soak(**_nan(data["soak"])),
        Halt(data["halt"]),
        data["reason"],
        Watch(**_nan(data["watch"])),
        Suspension(**_nan(data["suspension"])),
    )


def _null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _nan(part: dict[str, Any]) -> dict[str, Any]:
    return {key: NAN if value is None else value for key, value in part.items()}
