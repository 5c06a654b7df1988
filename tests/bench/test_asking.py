"""An order that comes while a run is being given back: somebody answers it, and only once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from rig.bench.asking import PATIENCE_SECOND, Asked, answer_by_table, ask_run
from rig.bench.file import load_bench
from rig.bench.locks import Locks, lock_channels
from rig.core.clock import SimulatedClock
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.desk import STEERING
from rig.engine.states import Verb
from rig.store import tables
from rig.store.orders import Answer, answer, unanswered
from tests.store.stores import store_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no flock on Windows")

RUN = "a" * 32
GONE_SECOND = 3.0
SIM = load_bench("sim")


class Meanwhile(SimulatedClock):
    """Something happens once, while somebody waits."""

    def __init__(self, at_second: float, happen: Callable[[], None]) -> None:
        super().__init__()
        self._at_second, self._happen = at_second, happen

    def wait_until(self, deadline_second: float) -> None:
        super().wait_until(deadline_second)
        if self.now() >= self._at_second:
            self._happen, happen = lambda: None, self._happen
            happen()


class Lab:
    """A run on C1 whose process holds the channel's lock, and has not answered yet."""

    def __init__(self, folder: Path, state: RunState) -> None:
        path = folder / "rig.db"
        self.url = f"sqlite:///{path}"
        self.engine: Engine = store_at(path, RUN)
        self.becomes(state)
        self.lock: Locks = lock_channels(SIM, [SIM.channels["C1"]], self.url)

    def becomes(self, state: RunState) -> None:
        bench = {"file": "sim", "content": SIM.plain}
        values = {"channel": "C1", "state": state.value, "bench": bench}
        with self.engine.begin() as connection:
            connection.execute(update(tables.run).values(values))

    def ends(self, state: RunState) -> None:
        self.becomes(state)
        self.lock.close()

    def asks(self, verb: Verb, clock: SimulatedClock) -> Asked:
        return ask_run(self.engine, self.url, RUN, verb, who="maria", clock=clock)


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path, RunState.RUNNING)
    yield lab
    lab.lock.close()
    lab.engine.dispose()


def test_an_order_to_a_run_that_ends_meanwhile_is_answered_as_soon_as_its_lock_is_free(lab):
    clock = Meanwhile(GONE_SECOND, lambda: lab.ends(RunState.FINISHED))
    given = lab.asks(Verb.PAUSE, clock).answer
    assert given.outcome == "refused"
    assert "finished" in given.words
    assert GONE_SECOND <= clock.now() < GONE_SECOND + 2.0
    assert unanswered(lab.engine) == []


def test_a_run_that_is_put_aside_meanwhile_is_stopped_without_an_engine(lab):
    clock = Meanwhile(GONE_SECOND, lambda: lab.ends(RunState.PAUSED))
    asked = lab.asks(Verb.STOP, clock)
    assert asked.answer == Answer("done", "stopped; no process had it")
    with lab.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT state FROM run").scalar_one() == "stopped"


def test_the_last_answer_of_a_process_that_goes_is_the_one_that_stands(lab):
    def answers_and_goes() -> None:
        (order,) = unanswered(lab.engine)
        answer(lab.engine, order, Answer("done", "paused"), 0)
        lab.ends(RunState.PAUSED)

    given = lab.asks(Verb.PAUSE, Meanwhile(GONE_SECOND, answers_and_goes)).answer
    assert given == Answer("done", "paused")


def test_a_process_that_is_there_and_silent_is_waited_for_a_minute(lab):
    clock = SimulatedClock()
    given = lab.asks(Verb.PAUSE, clock).answer
    assert given.outcome == "failed"
    assert clock.now() == pytest.approx(PATIENCE_SECOND, abs=0.2)


BENCH = """\
bench: 1
instruments: {smu-1: {driver: keithley.smu2450, connect: "TCPIP::127.0.0.1::1::SOCKET"}}
channels: {A1: {cell: smu-1}}
limits: {A1: {voltage: [2.5 V, 4.3 V], current: 10 mA}}
"""


def test_a_cell_that_a_watchdog_is_just_making_safe_is_waited_for_and_then_asked(tmp_path):
    """Whoever has the port has it for another database here: the channel itself has no engine."""
    file = tmp_path / "bench.yaml"
    file.write_text(BENCH)
    bench = load_bench(str(file))
    engine = store_at(tmp_path / "rig.db", RUN)
    values = {"channel": "A1", "state": "running", "bench": {"file": str(file)}}
    with engine.begin() as connection:
        connection.execute(update(tables.run).values(values))
    held = lock_channels(bench, [bench.channels["A1"]], f"sqlite:///{tmp_path / 'other.db'}")
    clock = Meanwhile(GONE_SECOND, held.close)
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    given = ask_run(engine, url, RUN, Verb.SAFE, who="maria", clock=clock).answer
    engine.dispose()
    assert GONE_SECOND <= clock.now() < GONE_SECOND + 1.0
    assert "NOT CONFIRMED" in given.words
    assert "in use" not in given.words  # it was asked, and nothing listens there


@pytest.mark.parametrize("verb", sorted(STEERING, key=lambda verb: verb.value))
def test_what_an_engine_alone_can_do_is_not_called_done_without_one(verb: Verb) -> None:
    for state in (RunState.PAUSED, RunState.RUNNING):
        given = answer_by_table(state, Order(1, "3f9a01bc22d1", verb.value))
        assert given.outcome == "refused"
        assert "rig run --resume 3f9a01bc" in given.words
