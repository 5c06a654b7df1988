"""A protocol rehearsed on a simulated cell: to its end, to its bound, or to the limit that it breaks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from rig.bench.file import load_bench, parse_bench
from rig.bench.rehearsal import Rehearsal, rehearse
from rig.bench.twin import cell_like, simulated_twin
from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.protocol.program import CellFacts

SIM = load_bench("sim")
REAL = parse_bench(
    """bench: 1
instruments:
  smu-1: {driver: keithley.smu2450, connect: "TCPIP::192.168.0.5::5025::SOCKET"}
  pstat-1: {driver: palmsens.methodscript, connect: "serial:///dev/ttyUSB0?baudrate=230400"}
  smu-2: {driver: keithley.smu2450, connect: "TCPIP::192.168.0.6::5025::SOCKET"}
  chamber-1: {driver: espec.p300, connect: "serial:///dev/ttyUSB1?baudrate=19200"}
channels:
  A1: {cell: smu-1, impedance: pstat-1, chamber: chamber-1, leads: 0.2 ohm}
  A2: {cell: smu-2, chamber: chamber-1}
limits: {A1: {voltage: [2.0 V, 4.4 V], current: 100 mA}}
""",
    "bench.yaml",
)
CYCLE = """protocol: 1
name: one cycle
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 20 s}
steps:
  - repeat: 1
    steps:
      - charge: {at: 1C, until: 4.0 V, for: 30 min}
      - discharge: {at: 1C, until: 2.8 V, for: 30 min}
"""


def test_a_short_protocol_comes_to_its_end_on_a_twin_of_a_real_channel() -> None:
    found = rehearse(Rehearsal(REAL, "A1", CYCLE, "p.yaml"))
    assert (found["words"], found["complete"]) == ("expected, simulated cell", True)
    assert (found["cycles"], found["cut"]) == (1, "")
    assert "2 mAh" in found["cell"] or "0.002 Ah" in found["cell"]
    volt, ampere = (found["columns"][name] for name in ("voltage_volt", "current_ampere"))
    assert 3.9 < max(volt) <= 4.3
    assert max(ampere) == pytest.approx(2e-3, rel=0.01)
    assert min(ampere) == pytest.approx(-2e-3, rel=0.01)
    assert found["columns"]["test_time_second"][-1] == found["test_time_second"]


def test_a_run_that_trips_in_the_rehearsal_says_so() -> None:
    low = CYCLE.replace("current: 10 mA", "current: 10 mA, capacity: 0.1 mAh")
    found = rehearse(Rehearsal(SIM, "C1", low, "p.yaml"))
    assert (found["complete"], found["state"]) == (False, "tripped")
    assert "capacity" in found["reason"] or "charge" in found["reason"]


@dataclass
class SlowWatch:
    """Each look at it costs a second."""

    second: float = 0.0
    speed: float = 1.0

    def now(self) -> float:
        self.second += 1.0
        return self.second

    def wall_us(self) -> int:
        return 0

    def wait_until(self, deadline_second: float) -> None:
        self.second = max(self.second, deadline_second)


def test_a_long_protocol_shows_its_beginning_and_says_that_it_is_one() -> None:
    long = CYCLE.replace("repeat: 1", "repeat: 500").replace("20 s", "1 s")
    found = rehearse(Rehearsal(SIM, "C1", long, "p.yaml", within_second=3.0), SlowWatch())
    assert (found["complete"], found["cut"]) == (False, "the rehearsal was given 3 s")
    assert 0 < found["test_time_second"] < found["duration_second"]
    short = rehearse(Rehearsal(SIM, "C1", long, "p.yaml", most_samples=300, points=50))
    assert short["cut"] == "the rehearsal keeps 300 samples"
    assert 300 <= short["samples"] < 2000
    assert len(short["columns"]["voltage_volt"]) <= 50


def test_what_is_wrong_with_the_protocol_is_told_before_anything_runs() -> None:
    with pytest.raises(BadInput, match="did you mean"):
        rehearse(Rehearsal(SIM, "C1", CYCLE.replace("charge:", "chargge:", 1), "p.yaml"))


def program_of(steps: str, cell: CellFacts | None = None):
    text = f"protocol: 1\nname: n\nsafety: {{voltage: [-1 V, 5 V], current: 1 A}}\nsteps: {steps}\n"
    return loads_protocol(text, cell=cell)


def test_the_simulated_cell_is_like_the_one_that_the_protocol_is_meant_for() -> None:
    spectrum = "[{eis: {from: 1 kHz, to: 1 Hz, amplitude: 10 mV}}]"
    assert cell_like(program_of(spectrum))["cell"] == "blocking_pellet"
    like = CellFacts(2.0, 0.1, None, None, True)
    found = cell_like(program_of(spectrum, like))
    assert (found["cell"], found["area"], found["thickness"]) == (
        "symmetric_pellet",
        "2 cm^2",
        "1 mm",
    )
    charge = "[{charge: {at: 1 mA, until: 4 V, for: 1 h}}]"
    assert cell_like(program_of(charge, CellFacts(capacity_ah=0.5)))["capacity"] == "0.5 Ah"


def test_a_twin_keeps_the_channel_its_limits_and_its_instruments_and_nothing_else() -> None:
    twin = simulated_twin(REAL, REAL.channels["A1"], program_of("[{rest: {for: 1 min}}]"))
    assert twin.bench.simulated
    assert list(twin.bench.channels) == ["A1"]
    assert twin.channel.limits == REAL.channels["A1"].limits
    assert set(twin.bench.instruments) == {"smu-1", "pstat-1", "chamber-1"}
    own = simulated_twin(SIM, SIM.channels["C1"], program_of("[{rest: {for: 1 min}}]"))
    assert "2 mAh" in own.cell_words
    assert math.isclose(twin.channel.leads_ohm or 0.0, 0.2)
