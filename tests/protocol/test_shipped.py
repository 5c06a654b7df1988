"""The shipped protocols load, and do what a lab expects of them."""

from pathlib import Path

import pytest

from rig.protocol import json_schema, load_protocol
from rig.protocol.check import needs, warnings
from rig.protocol.program import Branch, CellFacts, LoopStart, StepKind

FOLDER = Path(__file__).parents[2] / "protocols"
ALL = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_shipped_protocol_loads_without_a_warning(path: Path):
    program = load_protocol(path)
    assert warnings(program) == []
    assert program.text == path.read_text(encoding="utf-8")
    assert len(program.sha256) == 64


def test_the_arrhenius_sweep_comes_back_to_25_celsius_in_the_middle_and_at_the_end():
    program = load_protocol(FOLDER / "arrhenius_eis.yaml")
    targets = [step.temperature for step in program.instructions if step.temperature]
    celsius = [target.celsius for target in targets]
    assert len(set(celsius)) >= 6
    assert (min(celsius), max(celsius)) == (-20, 70)
    assert celsius[0] == celsius[len(celsius) // 2] == celsius[-1] == 25
    assert all(target.within_kelvin == 0.3 for target in targets)
    assert all(target.stability.fraction == 0.005 for target in targets)
    kinds = [step.kind for step in program.instructions]
    assert kinds == [StepKind.SET_TEMPERATURE, StepKind.EIS] * len(targets)
    assert needs(program) == {"chamber", "impedance"}


def test_formation_and_ageing_both_count_cycles_and_the_first_one_is_checked():
    program = load_protocol(FOLDER / "formation_and_cycling.yaml", variables={"cycles": "60"})
    loops = [item for item in program.instructions if isinstance(item, LoopStart)]
    assert [(loop.count, loop.counts_cycles) for loop in loops] == [(2, True), (60, True)]
    assert any(isinstance(item, Branch) for item in program.instructions)
    assert needs(program) == {"cell", "chamber", "impedance"}


def test_the_cycling_protocol_scales_with_the_cell():
    cell = CellFacts(capacity_ah=0.005)
    program = load_protocol(FOLDER / "formation_and_cycling.yaml", cell=cell)
    assert program.safety.current_max_ampere == pytest.approx(0.015)
    assert program.safety.capacity_max_ah == pytest.approx(0.00625)


def test_the_json_schema_names_every_step_and_key():
    schema = json_schema()
    assert schema["properties"]["steps"]["items"]["anyOf"]
    keys = {key for part in schema["$defs"].values() for key in part.get("properties", {})}
    assert {"until", "for", "from", "to", "as", "for_each", "if", "else", "then"} <= keys
    assert all(part.get("additionalProperties") is False for part in schema["$defs"].values())
