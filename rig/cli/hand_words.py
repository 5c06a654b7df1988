"""What an operation by hand gave, in lines for people."""

from __future__ import annotations

from typing import Any

import typer

from rig.cli.output import channel_words

_MARKS = {"well": "ok      ", "ill": "ILL     ", "not seen": "not seen"}


def say_outcome(outcome: dict[str, Any]) -> None:
    """Print one operation's outcome; what is ill on its own line."""
    name = channel_words(outcome["channel"], simulated=outcome["simulated"])
    head = f"{name}  run {outcome['run_id']:.12}  {outcome['operation']}"
    reason = f": {outcome['reason']}" if outcome["state"] != "finished" else ""
    typer.echo(f"{head}: {outcome['state']}{reason}")
    for line in _lines(outcome):
        typer.echo(f"  {line}")


def _lines(outcome: dict[str, Any]) -> list[str]:
    lines = []
    resting = outcome["open_circuit"]
    if resting is not None:
        lines.append(
            f"open circuit {resting['voltage_volt']:.5f} V, scatter "
            f"{1e3 * resting['standard_deviation_volt']:.2g} mV, drift "
            f"{1e3 * resting['drift_volt_per_hour']:+.2g} mV/h, {resting['readings']} readings"
        )
    if outcome["resistance_ohm"] is not None:
        lines.append(f"ac resistance {outcome['resistance_ohm']:.5g} ohm")
    if outcome["spectrum_count"] is not None and outcome["operation"] == "spectrum":
        lines.append(
            f"the spectrum: rig kk {outcome['run_id']:.12}, rig fit eis {outcome['run_id']:.12}"
        )
    lines += [
        f"{_MARKS[one['verdict']]}  {one['what']}: {one['words']}" for one in outcome["leads"]
    ]
    return lines
