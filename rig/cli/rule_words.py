"""Rules on the command line: from options to words, and from rules and trials to lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from rig.cli.alarming import moment
from rig.cli.output import print_json
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from rig.bench.rule_reading import RuleText
    from rig.bench.rule_trial import Trial
    from rig.core.alert_rules import AlertRule
    from rig.store.rule_firings import Firing


def compared(
    quantity: str | None, below: str | None, above: str | None, silent_for: str | None
) -> tuple[str, str, str]:
    """Return comparison, threshold and quantity. Raises BadInput where they are none or two."""
    from rig.core.alert_rules import SILENCE

    sides = {"below": below, "above": above, "silent-for": silent_for}
    given = [(side, text) for side, text in sides.items() if text is not None]
    example = "--quantity coulombic_efficiency --below '99.5 %'"
    if len(given) != 1:
        got = " and ".join(f"--{side}" for side, _ in given) or "none of them"
        message = f"expected one, got {got}"
        raise BadInput(Problem("--below, --above or --silent-for", message, example))
    ((side, text),) = given
    if (side == "silent-for") == (quantity is not None):
        message = "is missing" if quantity is None else "does not go with --silent-for"
        raise BadInput(Problem("--quantity", message, example))
    if quantity is None:
        return "above", text, SILENCE
    return side, text, quantity


def names(text: RuleText, bench: str | None, notify: str | None) -> tuple[str, ...] | None:
    """Return the names that a rule may tell; a name that nobody has would be told nothing."""
    from rig.bench.file import load_bench
    from rig.bench.notify_file import load_notify

    if not text.recipients:
        return None
    if bench is None and notify is None:
        message = "needs the file whose notify: has the name"
        raise BadInput(Problem("--tell", message, "--tell maria --bench bench.yaml"))
    entries = load_bench(bench).notify if bench is not None else load_notify(notify or "")
    return tuple(entry.name for entry in entries if entry.name)


def print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("rule", "severity", "told when", "runs", "now", "fired last")
    for row in rows:
        now = f"broken by {row['firing']}" if row["firing"] else "quiet"
        last = row["last_fired_us"]
        table.add_row(
            escape(row["name"]),
            row["severity"],
            escape(row["words"]),
            escape(row["runs_where"] or "all"),
            now if row["enabled"] else "off",
            moment(last) if last is not None else "never",
        )
    Console().print(table)


def print_trial(trial: Trial) -> None:
    typer.echo(f"{trial.rule_words}: {trial.words}")
    for one in trial.firings:
        where = "" if one.cycle_count is None else f"  cycle {one.cycle_count}"
        whose = one.cell or one.channel
        typer.echo(f"{moment(one.ts_us)}  {whose}  run {one.run_id[:8]}{where}: {one.value_words}")


def plain(rule: AlertRule) -> dict[str, Any]:
    return rule.plain() | {"words": rule.words, "threshold_text": rule.threshold_text}


def say(rule: AlertRule, words: str, *, json: bool) -> None:
    """Tell what was done with a rule: in words, or as the rule that is kept now."""
    if json:
        print_json(plain(rule))
    else:
        typer.echo(words)


def lines(rule: AlertRule) -> list[str]:
    where, whom = rule.runs_where or "all", ", ".join(rule.recipients) or "everybody"
    return [
        f"{rule.name}: {rule.severity.value} for {rule.words}{'' if rule.enabled else ' (off)'}",
        f"runs: {where}; told: {whom}; made by {rule.made_by}",
    ]


def state_of(
    rule: AlertRule, broken: Sequence[Firing], fired: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    """Return a rule with how many runs break it now, how often it fired, and when last."""
    count, last_us = fired.get(rule.rule_id, (0, None))
    firing = sum(one.rule_id == rule.rule_id for one in broken)
    return plain(rule) | {"firing": firing, "fired": count, "last_fired_us": last_us}


def firing_line(rule: AlertRule, firing: Firing) -> str:
    """Return where a rule fired, in a line."""
    where = "" if rule.is_silence else f", cycle {firing.place}"
    still = "still so" if firing.ended_us is None else f"until {moment(firing.ended_us)}"
    run, value = firing.run_id[:12], rule.shown(firing.value)
    return f"{moment(firing.fired_us)}  run {run}{where}: {value}, {still}"


def firing_row(firing: Firing) -> dict[str, Any]:
    return asdict(firing)
