"""The blocks of the header and the options of each step: which keys, what each may hold.

Units are read here, into floats in base units. Knows no place in a file and no cell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from rig.protocol import auxiliaries as aux
from rig.protocol import quantities as q
from rig.protocol.program import QUANTITIES, Target


class Model(BaseModel):
    """Strict: an unknown key, a coerced type or a changed value is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    example: ClassVar[str] = ""  # a valid piece to write, for messages
    examples: ClassVar[dict[str, str]] = {}  # the same of single keys, where one line has not all


# --- the header ----------------------------------------------------------------------------------


class Cell(Model):
    """Facts about the cell, used where the cell's own record does not say."""

    example = "cell: {area: 0.785 cm^2, thickness: 0.5 mm, capacity: 2 mAh}"
    area: q.Area | None = None
    thickness: q.Length | None = None
    capacity: q.Capacity | None = Field(
        default=None, description="Rated capacity; the base of C-rates."
    )
    mass: q.Mass | None = None
    symmetric: bool | None = Field(default=None, description="The same electrode on both sides.")


class SoftLimits(Model):
    """Bounds of what the cell may see."""

    example = "soft: {voltage: [2.6 V, 4.25 V], capacity: 110 %}"
    voltage: q.VoltageSpan | None = None
    current: q.Current | None = None
    temperature: q.CelsiusSpan | None = None
    capacity: q.CapacityLimit | None = Field(
        default=None, description="The most that one step may pass; per cent of the rated capacity."
    )
    pressure: q.PressureSpan | None = Field(default=None, description="Of the stack, on the cell.")
    auxiliaries: dict[str, aux.AuxiliaryBounds] = Field(
        default={}, description="Of auxiliaries, by name: [lowest, highest], or < highest."
    )


class SafetyLimits(SoftLimits):
    """Hard limits: beyond any of them the run trips and the cell is disconnected."""

    example = "safety: {voltage: [2.5 V, 4.3 V], current: 20 mA, capacity: 125 %}"
    heating: q.TemperatureRate | None = Field(
        default=None, description="Self-heating, while the chamber holds its set point."
    )
    lasting: q.Time | None = Field(
        default=None, description="How long a limit has to be broken; default: not at all."
    )
    soft: SoftLimits | None = Field(
        default=None,
        description="A voltage or capacity beyond it ends the step; anything else pauses the run.",
    )
    check_every: q.Time = Field(
        default=1.0, description="Longest time between two looks; default 1 s."
    )


class TemperatureBand(Model):
    """When the air is so far off that the run waits, and when it is back."""

    example = "temperature: {beyond: 2 K, resume: 1 K, settle: 10 min}"
    beyond: q.Kelvin = Field(default=2.0, description="Beyond this the cell is disconnected.")
    resume: q.Kelvin = Field(default=1.0, description="Within this the air is back.")
    settle: q.Time = Field(default=600.0, description="How long it has to be back.")
    timeout: q.Time = Field(default=21_600.0, description="Then the run is paused; default 6 h.")


class WaitRule(Model):
    """When a quantity is so far off that the run waits, and when it is back."""

    example = "dew_point: {above: -40 degC, resume: -45 degC, settle: 10 min}"
    above: aux.AuxiliaryLevel | None = Field(
        default=None, description="Above this the cell is disconnected; this or 'below'."
    )
    below: aux.AuxiliaryLevel | None = None
    resume: aux.AuxiliaryLevel = Field(description="At this it is back.")
    settle: q.Time = Field(default=600.0, description="How long it has to be back.")
    timeout: q.Time = Field(default=21_600.0, description="Then the run is paused; default 6 h.")

    @model_validator(mode="after")
    def _can_be_left_and_entered_again(self) -> Self:
        beyond = self.above or self.below
        if beyond is None or (self.above is not None and self.below is not None):
            raise q.refusal("needs one of 'above' and 'below'", self.example)
        if self.resume.dimension != beyond.dimension:
            message = f"resume {self.resume.text} is another kind of quantity than {beyond.text}"
            raise q.refusal(message, self.example)
        back = self.resume.value - beyond.value
        if (back if self.above else -back) >= 0:
            message = f"resume {self.resume.text} has to lie inside of {beyond.text}"
            raise q.refusal(message, self.example)
        return self


class SuspendRules(Model):
    """A run that holds a temperature waits, disconnected, while the chamber does not hold it.

    That is so without a word, too: beyond 2 K, or twice the widest ``within`` of the protocol. It
    waits for a pressure or an auxiliary only where a rule says so.
    """

    example = "suspend: {temperature: {beyond: 2 K, resume: 1 K, settle: 10 min}}"
    temperature: TemperatureBand | None = None
    pressure: WaitRule | None = None
    auxiliaries: dict[str, WaitRule] = {}

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if self.temperature is None and self.pressure is None and not self.auxiliaries:
            raise q.refusal("names nothing to wait for", self.example)
        return self


class OnChange(Model):
    """Keep a sample whenever one of these changed by so much."""

    example = "on_change: {voltage: 5 mV, current: 1 %}"
    voltage: q.VoltageStep | None = None
    current: q.Fraction | None = None


class RecordRule(Model):
    """How often to keep a sample; the first and last point of a step are always kept."""

    example = "record: {every: 10 s, on_change: {voltage: 5 mV, current: 1 %}}"
    every: q.Time
    for_: q.Time | None = Field(default=None, alias="for", description="How long this rule lasts.")
    on_change: OnChange | None = None


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "<mapping>"
    return "<list>" if isinstance(value, list) else "<text>"


Record = Annotated[
    Annotated[RecordRule, Tag("<mapping>")] | Annotated[list[RecordRule], Tag("<list>")],
    Discriminator(lambda value: "<list>" if isinstance(value, list) else "<mapping>"),
]


# --- steps ---------------------------------------------------------------------------------------


class Ends(Model):
    """Any of these ends the step; ``then`` says what happens."""

    example = "until: {voltage: 4.2 V, time: 3 h}"
    voltage: q.VoltageEnd | None = None
    current: q.CurrentEnd | None = None
    power: q.PowerEnd | None = None
    time: q.TimeEnd | None = None
    capacity: q.CapacityEnd | None = None
    energy: q.EnergyEnd | None = None
    temperature: q.TemperatureEnd | None = None
    pressure: q.PressureEnd | None = None
    auxiliaries: dict[str, aux.AuxiliaryEnd] = {}
    then: q.EndTarget = Target.NEXT

    def comparisons(self) -> list[q.Comparison]:
        """Return the ends that were written, in the order of the model."""
        values = (getattr(self, name) for name in QUANTITIES)
        named = [
            replace(value, quantity=name, words=f"{name} {value.words}")
            for name, value in self.auxiliaries.items()
        ]
        return [value for value in values if value is not None] + named

    @model_validator(mode="after")
    def _names_an_end(self) -> Self:
        if not self.comparisons():
            raise q.refusal("names no quantity that could end the step", self.example)
        return self


_OneEnd = Annotated[
    Annotated[q.BareEnd, Tag("<text>")] | Annotated[Ends, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<text>"),
]
Until = Annotated[
    Annotated[q.BareEnd, Tag("<text>")]
    | Annotated[Ends, Tag("<mapping>")]
    | Annotated[list[_OneEnd], Tag("<list>"), Field(min_length=1)],
    Discriminator(_shape),
]


class Ending(Model):
    """What every step that can end by itself has; at least one of the two."""

    until: Until | None = Field(default=None, description="Any of these ends the step.")
    for_: q.Time | None = Field(
        default=None, alias="for", description="The step ends after this time."
    )

    @model_validator(mode="after")
    def _ends_somehow(self) -> Self:
        if self.until is None and self.for_ is None:
            raise q.refusal("never ends: needs 'until' or 'for'", self.example)
        return self


class Rest(Ending):
    """Open circuit."""

    example = "rest: {for: 10 min}"


class Charge(Ending):
    """Constant current that charges the cell."""

    example = "charge: {at: C/2, until: 4.2 V}"
    at: q.Current


class Discharge(Ending):
    """Constant current that discharges the cell."""

    example = "discharge: {at: C/2, until: 2.8 V}"
    at: q.Current


class Hold(Ending):
    """Constant voltage, until the current has fallen."""

    example = "hold: {at: 4.2 V, until: C/20, for: 2 h}"
    at: q.Voltage
    limit: q.Current | None = Field(
        default=None, description="The current is never larger; default: the safety limit."
    )


class CcCv(Ending):
    """Constant current to a voltage, which is then held until the current has fallen."""

    example = "cccv: {at: C/2, to: 4.2 V, until: C/20}"
    at: q.Current
    to: q.Voltage
    direction: Literal["charge", "discharge"] = "charge"


class Eis(Model):
    """One impedance spectrum, log-spaced; amplitude is rms, in volt or in ampere."""

    example = "eis: {from: 1 MHz, to: 0.1 Hz, points_per_decade: 10, amplitude: 10 mV}"
    from_: q.Frequency = Field(alias="from")
    to: q.Frequency
    points_per_decade: q.Count = 10
    amplitude: q.Amplitude
    bias: q.Voltage | None = Field(default=None, description="Default: the open-circuit voltage.")
    repeat_lowest: int | None = Field(
        default=None,
        ge=0,
        description="So many of the lowest points are measured again at the end: drift; default 3.",
    )
    repeat_if_invalid: int = Field(
        default=0,
        ge=0,
        le=5,
        description="How often a spectrum that Kramers-Kronig refuses is measured again; default 0.",
    )


class Resistance(Model):
    """One AC resistance and open-circuit voltage by the channel's resistance meter."""

    example = "resistance: {}"


class Stable(Model):
    """The sample, not only the air, is at temperature: successive impedances agree."""

    example = "stable: {impedance: 0.5 %, at: 10 kHz, every: 10 min}"
    impedance: q.Fraction
    at: q.Frequency
    every: q.Time
    amplitude: q.Amplitude = q.Level(0.01, "voltage", "10 mV")


class SetTemperature(Model):
    """Bring the chamber to a temperature and let the sample follow."""

    example = "set_temperature: {to: 25 degC, within: 0.3 K, soak: 30 min, timeout: 3 h}"
    to: q.Celsius
    within: q.Kelvin = Field(default=0.3, description="Half width of the band; default 0.3 K.")
    soak: q.Time | None = Field(
        default=None, description="Time in the band without a break; default none."
    )
    timeout: q.Time = Field(
        default=21_600.0, description="Safe and stop if not reached; default 6 h."
    )
    stable: Stable | None = None
