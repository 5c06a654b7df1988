"""Keysight E4980A and E4980AL precision LCR meters as impedance analysers, stepped from the host.

The meter drives with its AC level only; the DC bias stays off and a spectrum with a bias is
refused. It has no relay: safe means bias off and level zero. A charged cell must be connected
through DC-blocking capacitors, which the meter cannot see. Knows no port and no engine; facts
stand in ``keysight_e4980a.toml``.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

from rig.core.errors import (
    InstrumentError,
    LinkClosed,
    LinkError,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, ImpedancePoint, Limits, Sweep, SweepProgress
from rig.core.link import Link
from rig.core.sheet import Model, Sheet, load_sheet
from rig.wire.conversation import Conversation

# IEEE 488.2 joins the answers of one message by semicolons, which no other answer here holds.
_MARKER = ("*OPC?;*OPC?", "1;1")
_MAKERS = ("Keysight Technologies", "Agilent Technologies")  # the older name on older units

_FUNCTION = "RX"  # resistance and reactance, ohm
_FETCH = b":FETC:IMP:FORM?\n"
# Measurement status, the third value of every point (data transfer format of the user's guide).
_FLAGS = {
    0: Flag.NONE,
    1: Flag.OVERLOAD,
    3: Flag.OVERLOAD_WARNING,  # signal source overloaded; the values are valid
    4: Flag.COMPLIANCE,  # the level control cannot regulate; the values are valid
}

_QUIET = (":ABOR", ":TRIG:SOUR HOLD", ":BIAS:STAT OFF", ":VOLT 0")
# The long aperture takes up to half a second a point: what a poll may take in all is a second.
_POINTS_PER_POLL = 2
# The meter rounds to its resolution; a value that it clamped or did not take is further off.
_READBACK_TOLERANCE = 1e-3


class KeysightE4980A:
    """One LCR meter; begin sets it up, each poll measures the next points one after the other."""

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._talk = Conversation(link, self._who, self.sheet.timeout_second, _MARKER)
        self._model: Model | None = None
        self._remaining: tuple[float, ...] | None = None  # frequencies, hertz; None: no spectrum
        self._level = (":VOLT", 0.0)  # of the spectrum: the command that set it, and the value

    def identify(self) -> Identity:
        answer = self._talk.query("*IDN?")
        fields = [field.strip() for field in answer.split(",")]
        model = self.sheet.model(fields[1]) if len(fields) == 4 else None
        if model is None or fields[0] not in _MAKERS:
            known = " or ".join(model.name for model in self.sheet.models)
            raise WrongInstrument(
                f"{self._who}: sent '*IDN?', got {answer!r}, expected a Keysight {known}",
                remedy="check this instrument's connect: in the bench file",
            )
        self._model = model
        return Identity(self.sheet.maker, model.name, fields[2], fields[3])

    def begin(self, sweep: Sweep, limits: Limits) -> None:
        """Set the meter up for a spectrum, its level on; the first poll measures the first point."""
        self._refuse_beyond(sweep, limits)
        if self._model is None:
            self.identify()
            self._refuse_beyond(sweep, limits)
        self._remaining = None
        command, level = self._level = _level(sweep)
        self._talk.send(*_set_up(f"{command} {level:.6g}"))
        if errors := self._errors():
            raise Refused(f"{self._who}: {sweep} was refused: {'; '.join(errors)}")
        self._confirm_bias_off()
        self._confirm_function()
        self._confirm(command, level)
        self._remaining = _frequencies(sweep)

    def poll(self) -> SweepProgress:
        """Measure up to two points; done after the last one, with the level at zero, confirmed."""
        if self._remaining is None:
            raise InstrumentError(f"{self._who}: no spectrum runs", remedy="begin one")
        now = self._remaining[:_POINTS_PER_POLL]
        points = tuple(self._measure(frequency) for frequency in now)
        self._remaining = self._remaining[len(now) :]
        if self._remaining:
            return SweepProgress(points, done=False)
        self.make_safe()
        return SweepProgress(points, done=True)

    def make_safe(self) -> None:
        """Bias off and level zero, read back; the terminals stay connected, the meter has no relay."""
        self._remaining = None
        try:
            self._talk.send(*_QUIET)
            self._confirm_quiet()
            self._talk.errors()  # old ones: the state itself has just been read back
        except (LinkError, InstrumentError) as error:
            raise UnconfirmedSafeState(
                f"{self._who}: bias off and level zero are not confirmed: {error}",
                remedy="switch the meter off or disconnect the cell",
            ) from error

    def _measure(self, frequency_hertz: float) -> ImpedancePoint:
        """Measure one point; overloads are NaN and flagged.

        The level is read back with every point: a meter that woke up from a power dip drives with
        a level of its own and measures something else than R and X.
        """
        self._talk.send(f":FREQ {frequency_hertz:.6g}")
        measured_hertz = self._confirm(":FREQ", frequency_hertz)
        self._talk.send(":TRIG:IMM")
        real, imaginary, status = self._talk.numbers(_FETCH, 3)
        if status == -1:
            raise InstrumentError(f"{self._who}: sent {_FETCH!r}, got status -1: nothing measured")
        if status not in _FLAGS:
            raise UnreadableReply(
                f"{self._who}: sent {_FETCH!r}, got status {status:g}, "
                f"expected one of {', '.join(str(known) for known in _FLAGS)}"
            )
        self._confirm(*self._level)
        flags = _FLAGS[int(status)]
        if flags & Flag.OVERLOAD or not (math.isfinite(real) and math.isfinite(imaginary)):
            real = imaginary = math.nan
            flags |= Flag.OVERLOAD
        return ImpedancePoint(measured_hertz, real, imaginary, int(flags))

    # --- refusing and confirming ---------------------------------------------------------------

    def _refuse_beyond(self, sweep: Sweep, limits: Limits) -> None:
        """Raise OutOfRange when no model that this can be is able to do it; sends nothing."""
        models = (self._model,) if self._model else self.sheet.models
        objections = [_objections(sweep, limits, model) for model in models]
        if all(objections):
            raise OutOfRange(f"{self._who}: {sweep}: {'; '.join(objections[0])}; nothing was sent")

    def _confirm(self, command: str, wanted: float) -> float:
        """Return the value that the meter kept; raises Refused where it is another one."""
        [kept] = self._talk.numbers(f"{command}?\n".encode("ascii"), 1)
        if not math.isclose(kept, wanted, rel_tol=_READBACK_TOLERANCE):
            errors = "; ".join(self._errors()) or "no error reported"
            raise Refused(
                f"{self._who}: sent '{command} {wanted:.6g}', reads back {kept:.6g}: {errors}"
            )
        return kept

    def _confirm_bias_off(self) -> None:
        if self._talk.switch(":BIAS:STAT?"):
            raise Refused(f"{self._who}: sent ':BIAS:STAT OFF', ':BIAS:STAT?' says 1")

    def _confirm_function(self) -> None:
        """Raise Refused unless R and X are measured: two other numbers would pass for them."""
        function = self._talk.query(":FUNC:IMP?")
        if function != _FUNCTION:
            raise Refused(
                f"{self._who}: sent ':FUNC:IMP {_FUNCTION}', ':FUNC:IMP?' says {function!r}"
            )

    def _confirm_quiet(self) -> None:
        """Read the quiet state back; a second time, in step, where the first answer was none."""
        try:
            self._confirm_bias_off()
        except LinkClosed:
            raise
        except (LinkError, UnreadableReply):
            self._talk.send(*_QUIET)
            self._confirm_bias_off()
        self._confirm(":VOLT", 0.0)

    def _errors(self) -> list[str]:
        refusals = self.sheet.refusals
        return [
            f"{error} ({refusals[str(error.code)]})" if str(error.code) in refusals else str(error)
            for error in self._talk.errors()
        ]


def _set_up(level: str) -> tuple[str, ...]:
    """Return the whole set-up, from any state.

    Without *RST, which would put the meter's own 1 V on the cell: the level is zero until the
    last command.
    """
    return (
        "*CLS",
        *_QUIET,
        ":FORM ASC",
        f":FUNC:IMP {_FUNCTION}",
        ":FUNC:IMP:RANG:AUTO ON",
        ":APER LONG,1",
        ":INIT:CONT ON",
        ":TRIG:SOUR BUS",
        level,
    )


def _level(sweep: Sweep) -> tuple[str, float]:
    """Return the command that sets the AC level, and the level rms; setting one selects it."""
    if sweep.amplitude_ampere is not None:
        return ":CURR", sweep.amplitude_ampere
    assert sweep.amplitude_volt is not None
    return ":VOLT", sweep.amplitude_volt


def _frequencies(sweep: Sweep) -> tuple[float, ...]:
    """Return the log-spaced frequencies; first and last are exactly those asked for."""
    if sweep.points == 1:
        return (sweep.start_hertz,)
    ratio, last = sweep.stop_hertz / sweep.start_hertz, sweep.points - 1
    between = (sweep.start_hertz * ratio ** (number / last) for number in range(1, last))
    return (sweep.start_hertz, *between, sweep.stop_hertz)


def _objections(sweep: Sweep, limits: Limits, model: Model) -> list[str]:
    """Return everything about a sweep that the limits or the model cannot hold; NaN included."""
    assert model.frequency_hertz is not None
    lowest, highest = model.frequency_hertz
    objections = [
        f"{what} frequency {frequency:g} Hz is outside {lowest:g} to {highest:g} Hz"
        for what, frequency in (("start", sweep.start_hertz), ("stop", sweep.stop_hertz))
        if not lowest <= frequency <= highest
    ]
    if sweep.points < 1:
        objections.append(f"{sweep.points} points: at least one is needed")
    if sweep.bias_volt is not None:
        objections.append("this driver applies no DC bias: leave the bias out")
    if (sweep.amplitude_volt is None) == (sweep.amplitude_ampere is None):
        return [*objections, "exactly one amplitude is needed: in volt or in ampere"]
    return objections + _objections_to_level(sweep, limits, model)


def _objections_to_level(sweep: Sweep, limits: Limits, model: Model) -> list[str]:
    """Check the level's rms against the model, its peak against the limits.

    Where the cell rests is not known here; a swing that is wider than the whole voltage window
    fits nowhere.
    """
    assert model.amplitude_volt is not None
    assert model.amplitude_ampere is not None
    if sweep.amplitude_ampere is not None:
        unit, level, largest = "A", sweep.amplitude_ampere, model.amplitude_ampere
        peak_limit = limits.current_max_ampere
    else:
        assert sweep.amplitude_volt is not None
        unit, level, largest = "V", sweep.amplitude_volt, model.amplitude_volt
        peak_limit = (limits.voltage_max_volt - limits.voltage_min_volt) / 2
    objections = []
    if not 0 < level <= largest:
        objections.append(f"amplitude {level:g} {unit} rms is not above 0 and up to {largest:g}")
    if not math.sqrt(2) * level <= peak_limit:
        objections.append(
            f"the peak of {level:g} {unit} rms exceeds the limits: {peak_limit:g} {unit}"
        )
    return objections
