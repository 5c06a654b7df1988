"""Limits that are in force although nobody wrote them: what a cell with a thermometer of its own may do.

science.md 2.14: self-heating beyond 2 K/min is a runaway that begins, 80 degC the end for lithium
metal cells. Only where the cell's own temperature is read: the air of a chamber shows neither. What
protocol, cell or bench say wins, whether it is tighter or not.
"""

from __future__ import annotations

from dataclasses import replace

from rig.protocol.channel_facts import ChannelFacts
from rig.protocol.check import TEMPERATURE, steps_of
from rig.protocol.program import Program, Safety

HEATING_MAX_KELVIN_PER_MINUTE = 2.0
TEMPERATURE_MAX_CELSIUS = 80.0
# A protocol that asks for more than that means it; beyond its hottest set point by so much is too hot.
ABOVE_SET_POINT_KELVIN = 5.0


def in_force(program: Program, channel: ChannelFacts) -> Program:
    """Return a program with the limits that hold on this channel: the tightest of all who say any."""
    safety = program.safety.intersect(channel.safety)
    return replace(program, safety=with_usual_limits(program, safety, channel))


def with_usual_limits(program: Program, safety: Safety, channel: ChannelFacts) -> Safety:
    """Return ``safety``, completed for a channel that reads the cell's own temperature."""
    if TEMPERATURE not in channel.roles:
        return safety
    heating, hot = safety.heating_max_kelvin_per_minute, safety.temperature_max_celsius
    targets = [step.temperature.celsius for step in steps_of(program) if step.temperature]
    usual_hot = max([TEMPERATURE_MAX_CELSIUS, *(at + ABOVE_SET_POINT_KELVIN for at in targets)])
    return replace(
        safety,
        heating_max_kelvin_per_minute=HEATING_MAX_KELVIN_PER_MINUTE if heating is None else heating,
        temperature_max_celsius=usual_hot if hot is None else hot,
    )
