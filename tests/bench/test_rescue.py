"""A rescue over real sockets: what can be made safe is, at once; what cannot is told loudly."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from rig.bench.file import BenchFile, parse_bench
from rig.bench.instruments import open_bench
from rig.bench.locks import lock_channels
from rig.bench.rescue import ALARM_ROUND, YIELD_ROUND, Rescue
from rig.bench.watchdog import Duty
from rig.core.clock import RealClock
from rig.core.errors import BadInput
from rig.core.instruments import Identity
from rig.store import queries, tables
from rig.store.alarms import open_alarms
from rig.store.database import open_database
from simulators.faults import HungUp
from tests.cli.served import (
    SPEED,
    Overheard,
    Stranger,
    served,
    source_meter,
    source_meter_front,
)

BENCH = """bench: 1
speed: {speed:g}
instruments:
  smu-1: {{driver: keithley.smu2450, connect: "{one}"}}
  smu-2: {{driver: keithley.smu2450, connect: "{two}"}}
channels:
  A1: {{cell: smu-1}}
  A2: {{cell: smu-2}}
"""
WHO = Identity("Keithley", "2450", "04089762", "1.7.12b")


def nowhere() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET"


def bench_of(one: str, two: str) -> BenchFile:
    return parse_bench(BENCH.format(one=one, two=two, speed=SPEED), "b.yaml")


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    open_database(url).dispose()
    return url


def rescue(bench: BenchFile, database: str, rounds: int, who: Identity | None = None) -> Rescue:
    """Return a rescue without pauses, of two runs whose instruments were who they are."""
    identities = {name: who or identity_at(bench, name) for name in bench.instruments}
    runs = (("one", "A1"), ("two", "A2"))
    duty = Duty(bench, runs, identities, database, SPEED, 3.0)
    return Rescue(duty, "the engine died", pauses_second=(0.0,) * rounds)


def identity_at(bench: BenchFile, name: str) -> Identity:
    try:
        with closing(open_bench(bench, RealClock(SPEED), [name])) as opened:
            return opened.identities[name]
    except BadInput:
        return WHO


def told(database: str, run_id: str) -> list[tuple[str, str]]:
    engine = open_database(database)
    rows = queries.table_rows(engine, tables.event, run_id)
    engine.dispose()
    return [(row["kind"], row["message"]) for row in rows]


def alarms(database: str) -> list[tuple[str, str, str]]:
    engine = open_database(database)
    rows = [(one.channel, one.kind, one.severity.value) for one in open_alarms(engine)]
    engine.dispose()
    return sorted(rows)


def test_one_that_cannot_be_reached_keeps_no_other_waiting_and_raises_the_loudest_alarm(
    database, capsys
):
    smu = source_meter()
    with served({"smu-1": smu}) as addresses:
        bench = bench_of(addresses["smu-1"], nowhere())
        assert rescue(bench, database, ALARM_ROUND + 1).run() == 1
    assert b"OUTP OFF" in smu.heard
    assert told(database, "one") == [
        ("watchdog", "channel A1: the engine died; made safe: smu-1"),
    ]
    (kind, alarm), (_, end) = told(database, "two")
    assert kind == "alarm"
    assert alarm.startswith("channel A2: the engine died, and nobody could confirm that smu-2")
    assert "cannot connect" in alarm
    assert alarm.endswith("Disconnect the cell by hand now.")
    assert "made safe: nothing; given up, NOT CONFIRMED: smu-2" in end
    assert f"rig: ALARM: {alarm}" in capsys.readouterr().err
    assert alarms(database) == [
        ("A1", "engine-lost", "alarm"),
        ("A2", "unconfirmed-safe-state", "critical"),
    ]


class Shy(Overheard):
    """Hangs up on the first who speaks to it, as an instrument does whose last host has died."""

    def receive(self, data: bytes, now_second: float) -> None:
        if not self.heard:
            self.heard = data
            raise HungUp
        super().receive(data, now_second)


def test_what_comes_back_in_time_is_made_safe_without_an_alarm(database):
    shy = Shy(source_meter_front())
    with served({"smu-1": source_meter(), "smu-2": source_meter()}) as addresses:
        who = identity_at(bench_of(addresses["smu-1"], nowhere()), "smu-1")
    with served({"smu-1": source_meter(), "smu-2": shy}) as addresses:
        bench = bench_of(addresses["smu-1"], addresses["smu-2"])
        assert rescue(bench, database, ALARM_ROUND, who).run() == 0
    assert b"OUTP OFF" in shy.heard
    for run, name in (("one", "1"), ("two", "2")):
        message = f"channel A{name}: the engine died; made safe: smu-{name}"
        assert told(database, run) == [("watchdog", message)]


def test_what_another_process_keeps_is_left_to_it_in_the_end(database):
    smu = source_meter()
    with served({"smu-1": smu, "smu-2": source_meter()}) as addresses:
        bench = bench_of(addresses["smu-1"], addresses["smu-2"])
        attempt = rescue(bench, database, YIELD_ROUND + 1)
        heard = smu.heard
        with lock_channels(bench, [bench.channels["A1"]], "sqlite://"):
            assert attempt.run() == 0
    assert smu.heard == heard
    expected = "channel A1: the engine died; made safe: nothing; left to the process that has it: "
    assert told(database, "one") == [("watchdog", f"{expected}smu-1")]


def test_another_instrument_on_the_same_port_is_asked_who_it_is_and_nothing_else(database):
    smu, stranger = source_meter(), Stranger(b"ACME,MODEL 9,42,1.0\n")
    with served({"smu-1": smu, "smu-2": stranger}) as addresses:
        bench = bench_of(addresses["smu-1"], addresses["smu-2"])
        assert rescue(bench, database, 1, WHO).run() == 1
    assert b"OUTP" not in smu.heard


def test_a_database_that_has_gone_keeps_nobody_from_disconnecting(tmp_path, capsys):
    smu = source_meter()
    with served({"smu-1": smu, "smu-2": source_meter()}) as addresses:
        bench = bench_of(addresses["smu-1"], addresses["smu-2"])
        assert rescue(bench, f"sqlite:///{tmp_path}/gone.db", 1).run() == 0
    assert b"OUTP OFF" in smu.heard
    said = capsys.readouterr().err
    assert "rig: watchdog: the event log could not be written" in said
    assert "channel A1: the engine died; made safe: smu-1" in said
