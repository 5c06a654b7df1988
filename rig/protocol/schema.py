"""The protocol file as a model: steps and blocks with what may stand beside them, the top level.

One class per step and block. Nested steps are validated one at a time by the compiler, which
knows the variables; the lists of steps here say the shape, for the JSON Schema. Knows no place in
a file and no cell.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rig.protocol import auxiliaries as aux
from rig.protocol import quantities as q
from rig.protocol.models import (
    CcCv,
    Cell,
    Charge,
    Discharge,
    Eis,
    Hold,
    Model,
    Record,
    Resistance,
    Rest,
    SafetyLimits,
    SetTemperature,
    SuspendRules,
)


class Labels(Model):
    """What may stand beside the name of any step or block; blocks hand it on to what is inside."""

    phase: q.Phase | None = None
    tag: str | None = Field(default=None, min_length=1)
    on_resume: q.Resume | None = Field(
        default=None, description="After an outage: continue what remains, or begin the step again."
    )
    record: Record | None = Field(default=None, description="Instead of the protocol's own rule.")


class StepLabels(Labels):
    as_: str | None = Field(
        default=None,
        alias="as",
        pattern=r"^[A-Za-z_]\w*$",
        description="Name of the step's results.",
    )


class RestEntry(StepLabels):
    rest: Rest


class ChargeEntry(StepLabels):
    charge: Charge


class DischargeEntry(StepLabels):
    discharge: Discharge


class HoldEntry(StepLabels):
    hold: Hold


class CcCvEntry(StepLabels):
    cccv: CcCv


class EisEntry(StepLabels):
    eis: Eis


class ResistanceEntry(StepLabels):
    resistance: Resistance


class SetTemperatureEntry(StepLabels):
    set_temperature: SetTemperature


class RepeatEntry(Labels):
    """Run the steps ``repeat`` times (empty: without a count), or until the condition holds."""

    example = "repeat: 500"
    repeat: q.Count | None
    steps: list[Entry]
    until: q.Condition | None = Field(default=None, description="Looked at after every pass.")
    counts: Literal["cycles", "nothing"] | None = Field(
        default=None, description="Default: the outermost loop that both charges and discharges."
    )

    @model_validator(mode="after")
    def _ends_somehow(self) -> Self:
        if self.repeat is None and self.until is None:
            raise q.refusal("never ends: needs a count or 'until'", "repeat: 500")
        return self


class ForEachEntry(Labels):
    """Write the steps once for each value of one variable."""

    example = "for_each: {temperature: [25 degC, 40 degC]}"
    for_each: dict[str, Annotated[list[q.Plain], Field(min_length=1)]]
    steps: list[Entry]

    @model_validator(mode="after")
    def _has_one_variable(self) -> Self:
        if len(self.for_each) != 1:
            message = f"got {len(self.for_each)} variables, expected exactly one; nest for_each"
            raise q.refusal(message, self.example)
        return self


class Choice(Model):
    example = "if: {when: cycle % 50 == 0, then: [{rest: {for: 1 h}}]}"
    when: q.Condition
    then: list[Entry]
    else_: list[Entry] | None = Field(default=None, alias="else")


class IfEntry(Labels):
    if_: Choice = Field(alias="if")


ENTRIES: dict[str, type[Labels]] = {
    "rest": RestEntry,
    "charge": ChargeEntry,
    "discharge": DischargeEntry,
    "hold": HoldEntry,
    "cccv": CcCvEntry,
    "eis": EisEntry,
    "resistance": ResistanceEntry,
    "set_temperature": SetTemperatureEntry,
    "repeat": RepeatEntry,
    "for_each": ForEachEntry,
    "if": IfEntry,
}
# A plain union: the compiler picks the class by the step's name, the schema needs all of them.
Entry = (
    RestEntry
    | ChargeEntry
    | DischargeEntry
    | HoldEntry
    | CcCvEntry
    | EisEntry
    | ResistanceEntry
    | SetTemperatureEntry
    | RepeatEntry
    | ForEachEntry
    | IfEntry
)


class ProtocolFile(Model):
    """A test protocol."""

    example = "protocol: 1"
    examples: ClassVar[dict[str, str]] = {
        "name": "name: Formation at C/10",
        "steps": "steps: [{rest: {for: 10 min}}]",
    }
    protocol: Literal[1] = Field(description="Version of the protocol language.")
    name: str = Field(min_length=1)
    cell: Cell | None = None
    safety: SafetyLimits | None = None
    record: Record | None = Field(default=None, description="Default: every 10 s.")
    variables: dict[str, q.Plain] = Field(
        default={}, description="Values of $names; --set gives others."
    )
    auxiliaries: dict[str, aux.AuxiliaryUnit] = Field(
        default={}, description="What else is measured beside the cell: names with their units."
    )
    suspend: SuspendRules | None = Field(
        default=None, description="When the run waits for its temperature; default beyond 2 K."
    )
    on_gap: Literal["continue", "restart_step", "pause", "stop"] = Field(
        default="continue",
        description="What the run does by itself after an outage; default continue.",
    )
    steps: list[Entry]


for _model in (RepeatEntry, ForEachEntry, Choice, IfEntry, ProtocolFile):
    _model.model_rebuild()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of protocol files, for editors."""
    schema = ProtocolFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
