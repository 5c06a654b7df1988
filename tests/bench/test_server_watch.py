"""A database server that stays away is a warning, then an alarm, each once for as long as it lasts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rig.bench.file import load_bench, parse_bench
from rig.bench.server_watch import ServerWatch
from rig.bench.starting import Job, start
from rig.core.alarms import Severity
from rig.core.errors import BadInput
from rig.core.records import RunState
from rig.protocol import loads_protocol
from rig.store.alarms import open_alarms
from rig.store.journal import open_store
from tests.postgres import wait_until

BENCH = """bench: 1
server_patience: {}
instruments: {{smu-1: {{driver: keithley.smu2450, connect: sim}}}}
channels: {{A1: {{cell: smu-1}}}}
"""


def test_it_is_a_warning_after_the_patience_of_the_bench_and_an_alarm_after_ten_times_that() -> (
    None
):
    raised: list[tuple[Severity, str]] = []
    watch = ServerWatch(600.0, lambda severity, words: raised.append((severity, words)))
    for away in (0.0, 30.0, 599.0):
        watch.look(away)
    assert raised == []
    for away in (600.0, 900.0, 5_999.0):
        watch.look(away)
    assert raised == [(Severity.WARNING, "the database server has been away for 10 min")]
    for away in (6_000.0, 90_000.0):
        watch.look(away)
    assert raised[1:] == [(Severity.ALARM, "the database server has been away for 100 min")]
    for away in (0.0, 700.0):
        watch.look(away)
    assert [severity for severity, _ in raised[2:]] == [Severity.WARNING], "the next time"


def test_the_patience_stands_in_the_bench_file() -> None:
    assert parse_bench(BENCH.format("30 s"), "b.yaml").server_patience_second == 30.0
    unsaid = BENCH.replace("server_patience: {}\n", "").format()
    assert parse_bench(unsaid, "b.yaml").server_patience_second == 600.0
    with pytest.raises(BadInput, match=r"b\.yaml:2:18.*expected more than zero"):
        parse_bench(BENCH.format("0 s"), "b.yaml")


PROTOCOL = """protocol: 1
name: rest
steps: [{rest: {for: 30 min}}]
"""
NOBODY = "postgresql://cellrig@127.0.0.1:1/cells"


def test_a_run_whose_server_is_away_raises_the_alarm_and_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "journal.db"))
    bench = replace(load_bench("sim"), server_patience_second=1e-6)
    job = Job(loads_protocol(PROTOCOL), "rest.yaml", bench.channels["C1"])
    session = start([job], bench, database=NOBODY)
    forwarder = session.forwarder
    assert forwarder is not None
    session.run(lambda: wait_until(lambda: forwarder.away_second > 0))
    forwarder.dispose()
    assert session.runs[0].state is RunState.FINISHED
    journal = open_store(NOBODY)
    (alarm,) = [alarm for alarm in open_alarms(journal) if alarm.kind == "server-away"]
    journal.dispose()
    assert (alarm.channel, alarm.severity) == ("", Severity.ALARM), "ten times no patience is none"
    assert "the database server has been away" in alarm.message
