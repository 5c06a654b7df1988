"""A lab to judge rules in: cells that cycle when told to, a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, update

from rig.bench.rule_judging import RuleJudge
from rig.bench.rule_reading import Author, RuleText, read_rule
from rig.core.alarms import Alarm
from rig.core.alert_rules import AlertRule
from rig.core.clock import SimulatedClock
from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.accounts import Change
from rig.store.alarms import open_alarms
from rig.store.rule_firings import Firing, firings
from rig.store.rules import add_rule, alert_rules
from tests.store.stores import recorder_on, run_values, sample, store_at

CHANGE = Change("maria", 0)
_PER_CYCLE = 4  # samples


@dataclass
class Lab:
    """One database with runs of a name each; a judge that can be killed and begun again."""

    path: Path
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    engine: Engine = field(init=False)
    judge: RuleJudge = field(init=False)

    def __post_init__(self) -> None:
        self.engine = store_at(self.path)
        self.restart()

    def restart(self) -> None:
        """Begin anew with what is in the database, as after a kill."""
        self.judge = RuleJudge(self.engine, lambda: self.engine, self.clock)

    def run(self, name: str, channel: str = "A1", *, chemistry: str = "NMC") -> None:
        """Begin a run on a cell of that name."""
        cell = {"cell_id": name, "name": f"cell {name}", "chemistry": chemistry}
        queries.insert_row(self.engine, tables.cell, cell)
        now_us = self.clock.wall_us()
        values = run_values(name, now_us, RunState.RUNNING)
        values |= {"channel": channel, "cell_id": name, "started_us": now_us}
        queries.insert_row(self.engine, tables.run, values)

    def state(self, name: str, state: RunState) -> None:
        change = update(tables.run).where(tables.run.c.run_id == name)
        with self.engine.begin() as connection:
            connection.execute(change.values(state=state.value, ended_us=self.clock.wall_us()))

    def cycle(self, name: str, *discharged_ah: float, charged_ah: float = 1e-3) -> None:
        """Let cycles of these capacities end; the efficiency is what is over ``charged_ah``."""
        for capacity in discharged_ah:
            number = self._cycles(name) + 1
            first = (number - 1) * _PER_CYCLE
            recorder = recorder_on(self.engine)
            for seq in range(first, first + _PER_CYCLE):
                recorder.sample(sample(name, seq, cycle_count=number, ts_us=self.clock.wall_us()))
            row = {"run_id": name, "cycle_count": number, "phase": ""}
            row |= {"seq_first": first, "seq_last": first + _PER_CYCLE - 1}
            row |= {"charging_capacity_ah": charged_ah, "discharging_capacity_ah": capacity}
            row |= {"charging_energy_wh": 4 * charged_ah, "discharging_energy_wh": 3.6 * capacity}
            recorder.row("cycle", row)
            recorder.close()

    def _cycles(self, name: str) -> int:
        return len(queries.table_rows(self.engine, tables.cycle, name))

    def data(self, name: str, seq: int) -> None:
        """Let a sample come."""
        recorder = recorder_on(self.engine)
        recorder.sample(sample(name, seq, ts_us=self.clock.wall_us()))
        recorder.commit()

    def rule(self, **text: Any) -> AlertRule:
        """Keep a rule as somebody writes it: unless told otherwise of the efficiency."""
        written = {"name": "Low efficiency", "quantity": "coulombic_efficiency"}
        written |= {"threshold": "99 %"} | text
        author = Author("maria", self.clock.wall_us())
        rule = read_rule(RuleText(**written), author, self.engine, None)
        add_rule(self.engine, rule, CHANGE)
        return rule

    def turn(self, after_second: float = 10.0) -> list[Alarm]:
        """Let time pass, then look once."""
        self.clock.wait_until(self.clock.now() + after_second)
        return self.judge.turn()

    @property
    def alarms(self) -> list[Alarm]:
        return open_alarms(self.engine)

    @property
    def firings(self) -> list[Firing]:
        """Where any rule fired, newest first."""
        return [
            one for rule in alert_rules(self.engine) for one in firings(self.engine, rule.rule_id)
        ]
