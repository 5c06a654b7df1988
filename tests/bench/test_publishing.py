"""Samples into a real NATS server that is killed, live values to a real MQTT broker, and a patient loop."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench import sample_stream
from rig.bench.live_topics import TopicOutlet
from rig.bench.nats_stream import NatsStream
from rig.bench.publishing import Publisher
from rig.bench.sample_stream import SampleOutlet, message_of, messages_of, word
from rig.bench.status import ChannelStatus
from rig.core.clock import SimulatedClock
from rig.core.errors import BrokerAway
from rig.core.records import SAMPLE_COLUMNS, RunState
from rig.store import fresh as fresh_module
from rig.store.arrow import as_batch, sample_schema
from rig.store.database import open_database
from rig.store.delivery import deliver, deliver_group
from rig.store.forwarder import forward
from rig.store.fresh import FreshSamples, RunPlace, open_fresh
from rig.store.journal import open_store
from tests.bench.brokers import NatsServer, broker, listening
from tests.postgres import any_postgres, database, mortal, postgres, wait_until
from tests.store.stores import add_runs, keep, recorder_on, sample

__all__ = ["any_postgres", "broker", "database", "mortal", "postgres"]

RUNS = ("a", "b")
LIVE = "cellrig/rig/A1/live"


class Rig:
    """A recorder with two runs on one channel, one of which is always put aside: no cells."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.store = open_store(database)
        add_runs(self.store, *RUNS)
        self.recorder = recorder_on(self.store)
        self.state("running")
        self.kept = 0

    def state(self, state: str) -> None:
        with self.store.begin() as connection:
            connection.exec_driver_sql("UPDATE run SET state = ?", (state,))

    def write(self, count: int = 10) -> None:
        for run_id in RUNS:
            keep(self.recorder, run_id, self.kept, count)
        self.recorder.commit()
        self.kept += count


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(f"sqlite:///{tmp_path / 'rig.db'}")
    yield rig
    rig.store.dispose()


@pytest.fixture
def outlets(broker: NatsServer) -> Iterator[list[SampleOutlet]]:
    made: list[SampleOutlet] = []
    yield made
    for outlet in made:
        outlet.close()
        outlet.fresh.close()


def outlet_on(rig: Rig, broker: NatsServer, outlets: list[SampleOutlet], **more) -> SampleOutlet:
    outlets.append(SampleOutlet(open_fresh(rig.database), NatsStream(broker.url), **more))
    return outlets[-1]


def assert_all_once(rig: Rig, broker: NatsServer) -> None:
    """The stream has every sample of both runs, once and in order, and each number as it was kept."""
    numbers: dict[str, list[int]] = {run_id: [] for run_id in RUNS}
    for message in broker.stored():
        columns = message["columns"]
        run_id = message["run_id"]
        first, last = columns["seq"][0], columns["seq"][-1]
        assert message["id"] == f"{run_id}:{first}-{last}"
        assert message["subject"] == f"cellrig.samples.rig.A1.{run_id}"
        numbers[run_id] += columns["seq"]
        rows = [sample(run_id, seq)[1:] for seq in columns["seq"]]
        assert list(zip(*columns.values(), strict=True)) == rows
    assert numbers == {run_id: list(range(rig.kept)) for run_id in RUNS}


def test_the_stream_has_every_sample_once_with_its_unit_in_its_name(rig, broker, outlets):
    outlet = outlet_on(rig, broker, outlets)
    for _ in range(3):
        rig.write()
        outlet.look()
        forward(rig.store)  # from the spool to its table, as an engine does now and then
    outlet.look()
    assert_all_once(rig, broker)
    columns = broker.stored()[0]["columns"]
    assert list(columns) == list(SAMPLE_COLUMNS[1:])


def test_a_server_that_is_killed_in_the_middle_has_everything_once_afterwards(
    rig, broker, outlets, monkeypatch
):
    """Between looks, and with a look on its way: in messages of ten samples."""
    monkeypatch.setattr(sample_stream, "MESSAGE_ROWS", 10)
    outlet = outlet_on(rig, broker, outlets)
    told: list[str] = []
    publisher = Publisher([outlet], told.append, clock := SimulatedClock())
    rig.write(50)
    publisher.look()
    for _ in range(3):
        rig.write(600)
        killer = threading.Timer(0.03, broker.kill)
        killer.start()
        publisher.look()
        killer.join()
        publisher.look()
        clock.wait_until(clock.now() + 60.0)
        publisher.look()  # nobody there
        broker.start()
        clock.wait_until(clock.now() + 60.0)
        publisher.look()
    assert_all_once(rig, broker)
    kinds = ["back" if " is back after " in line else "away" for line in told]
    assert kinds == ["away", "back"] * 3


def test_a_publisher_that_is_started_again_goes_on_where_the_stream_ends(rig, broker, outlets):
    for _ in range(3):
        rig.write(25)
        outlet = outlet_on(rig, broker, outlets)
        outlet.look()
        rig.write(5)  # nobody publishes these before it ends
    outlet_on(rig, broker, outlets).look()
    assert_all_once(rig, broker)


def test_two_publishers_by_mistake_double_nothing_though_they_cut_messages_elsewhere(
    rig, broker, outlets
):
    one, other = (outlet_on(rig, broker, outlets) for _ in range(2))
    for turn in (one, other, one, one, other):
        rig.write(7)
        turn.look()
    rig.write(3)
    other.look()
    assert_all_once(rig, broker)


def test_a_run_that_ends_while_nobody_publishes_is_completed_later(rig, broker, outlets):
    rig.write()
    outlet_on(rig, broker, outlets).look()
    rig.write()
    rig.state("finished")
    outlet_on(rig, broker, outlets).look()
    assert_all_once(rig, broker)


def test_what_was_over_before_the_stream_was_made_is_published_only_when_asked_for(
    rig, broker, outlets
):
    rig.write()
    rig.state("finished")
    outlet_on(rig, broker, outlets).look()
    assert broker_is_empty(broker)
    outlet_on(rig, broker, outlets, from_start=True).look()
    assert_all_once(rig, broker)


def broker_is_empty(broker: NatsServer) -> bool:
    return broker.stored() == []


def test_a_run_that_is_over_is_not_looked_at_again_until_it_is_taken_up(rig, broker, outlets):
    rig.write()
    rig.state("paused")
    outlet = outlet_on(rig, broker, outlets)
    outlet.look()
    rig.write()
    rig.state("running")
    outlet.look()
    assert_all_once(rig, broker)


# --- where samples are at the moment -------------------------------------------------------------


def test_samples_that_were_delivered_meanwhile_are_fetched_from_the_server(
    database, broker, outlets, monkeypatch
):
    monkeypatch.setattr("rig.store.waiting.GROUP_ROWS", 15)
    rig, server = Rig(database), open_database(database)
    outlet = outlet_on(rig, broker, outlets)
    rig.write(20)
    outlet.look()
    rig.write(20)
    deliver_group(rig.store, server)  # some of them
    outlet.look()
    rig.write(20)
    deliver(rig.store, server)  # all of them
    outlet.look()
    server.dispose()
    rig.store.dispose()
    assert_all_once(rig, broker)


def test_a_database_server_that_is_away_stops_only_what_it_alone_has(
    database, broker, outlets, monkeypatch
):
    monkeypatch.setattr(fresh_module, "AGAIN_SECOND", 0.0)
    rig, server = Rig(database), open_database(database)
    rig.write(20)
    deliver(rig.store, server)
    rig.write(20)
    outlet = outlet_on(rig, broker, outlets)
    reached, outlet.fresh.open_server = outlet.fresh.open_server, _nobody
    with pytest.raises(BrokerAway, match="away"):
        outlet.look()
    assert broker_is_empty(broker), "what comes later would leave a gap"
    outlet.fresh.open_server = reached
    outlet.look()
    server.dispose()
    rig.store.dispose()
    assert_all_once(rig, broker)


def _nobody():
    raise BrokerAway("the database server is away")


def test_a_long_backlog_in_the_journal_is_found_behind_its_newest_rows(
    tmp_path, monkeypatch, broker, outlets
):
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.setattr(fresh_module, "RECENT_ROWS", 10)
    rig = Rig("postgresql://nobody@127.0.0.1:9/cells")
    rig.write(100)
    outlet_on(rig, broker, outlets).look()
    rig.store.dispose()
    assert_all_once(rig, broker)


def test_a_gap_ends_what_is_published_until_it_is_closed():
    rows = [sample("a", seq) for seq in (3, 4, 6)]
    schema = sample_schema()
    table = pa.Table.from_batches([as_batch(rows, schema)], schema=schema)
    found = fresh_module.without_gap(table, 3)
    assert found.column("seq").to_pylist() == [3, 4]
    assert fresh_module.without_gap(table, 2).num_rows == 0


# --- messages ------------------------------------------------------------------------------------

FLOATS = st.none() | st.floats()


@given(FLOATS, FLOATS, st.none() | st.dictionaries(st.text(min_size=1), st.floats()))
def test_any_sample_makes_a_message_that_every_reader_of_json_can_read(volt, ampere, aux):
    row = sample(
        "a",
        7,
        voltage_volt=volt,
        current_ampere=ampere,
        aux=None if aux is None else json.dumps(aux),
    )
    schema = sample_schema()
    table = pa.Table.from_batches([as_batch([row], schema)], schema=schema)
    message = message_of("s", "rig", RunPlace("a", "A1", "running", 0), table)
    columns = json.loads(message.data, parse_constant=pytest.fail)["columns"]
    assert columns["voltage_volt"] == [_finite(volt)]
    assert columns["current_ampere"] == [_finite(ampere)]
    assert columns["aux"] == [aux and {key: _finite(it) for key, it in aux.items()}]


def test_samples_with_many_sensors_are_cut_into_more_messages():
    aux = json.dumps({f"sensor_{number}": number / 7 for number in range(60)})
    rows = [sample("a", seq, aux=aux) for seq in range(1_200)]
    schema = sample_schema()
    table = pa.Table.from_batches([as_batch(rows, schema)], schema=schema)
    messages = list(messages_of("s", "rig", RunPlace("a", "A1", "running", 0), table))
    assert max(len(message.data) for message in messages) < 1_000_000
    numbers = [(message.seq_first, message.seq_last) for message in messages]
    assert numbers[0][0] == 0
    assert numbers[-1][1] == 1_199
    assert all(after[0] == before[1] + 1 for before, after in pairwise(numbers))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


@given(st.text())
def test_any_name_becomes_one_word_of_a_subject_and_of_a_topic(name):
    assert word(name)
    assert not set(word(name)) & set(" .*>/+#\t\n")


# --- live values ---------------------------------------------------------------------------------


def test_live_values_are_retained_and_a_dead_publisher_is_said_to_be_offline(broker):
    volt = [3.7]
    with listening(broker.mqtt_port) as listener:
        outlet = TopicOutlet(broker.mqtt_url, lambda: [status(volt[0])], "rig")
        look_until(outlet, lambda: listener.live(LIVE).get("voltage_volt") == 3.7)
        wait_until(lambda: listener.newest.get("cellrig/rig/state") == b"online")
        volt[0] = 3.8
        look_until(outlet, lambda: listener.live(LIVE).get("voltage_volt") == 3.8)
        with listening(broker.mqtt_port) as late:
            wait_until(lambda: late.live(LIVE).get("voltage_volt") == 3.8)
            assert LIVE in late.retained
        die(outlet)
        wait_until(lambda: listener.newest["cellrig/rig/state"] == b"offline")


def status(volt: float) -> ChannelStatus:
    return ChannelStatus("r", "rig", "A1", RunState.RUNNING.value, voltage_volt=volt)


def look_until(outlet: TopicOutlet, true) -> None:
    def looked() -> bool:
        outlet.look()
        return bool(true())

    wait_until(looked)


def die(outlet: TopicOutlet) -> None:
    """Cut its connection without a word, as kill -9 does."""
    client = outlet._client
    client.reconnect_delay_set(60, 60)
    client.socket().shutdown(2)
    client.loop_stop()


def test_a_broker_that_was_away_gets_the_newest_of_every_channel_when_it_is_back(broker):
    outlet = TopicOutlet(broker.mqtt_url, lambda: [status(3.7)], "rig")
    try:
        with listening(broker.mqtt_port) as listener:
            look_until(outlet, lambda: LIVE in listener.newest)
        broker.kill()
        wait_until(lambda: is_away(outlet))
        broker.start()
        with listening(broker.mqtt_port) as listener:
            wait_until(lambda: not is_away(outlet) and LIVE in listener.newest)
            outlet.close()
            wait_until(lambda: listener.newest.get("cellrig/rig/state") == b"offline")
    finally:
        outlet.close()


def is_away(outlet: TopicOutlet) -> bool:
    try:
        outlet.look()
    except BrokerAway:
        return True
    return False


# --- the loop ------------------------------------------------------------------------------------


class Moody:
    """An outlet that fails while it is told to; ``looks`` counts."""

    name = "mqtt://labpc1"

    def __init__(self) -> None:
        self.looks, self.away, self.closed = 0, False, False

    def look(self) -> None:
        self.looks += 1
        if self.away:
            raise BrokerAway("no connection")

    def close(self) -> None:
        self.closed = True


def test_a_broker_that_is_away_is_tried_later_each_time_told_once_and_disturbs_no_other():
    told: list[str] = []
    moody, steady, clock = Moody(), Moody(), SimulatedClock()
    publisher = Publisher([moody, steady], told.append, clock)
    moody.away = True
    for _ in range(240):
        publisher.look()
        clock.wait_until(clock.now() + 0.5)
    assert steady.looks == 240
    assert 5 < moody.looks < 12
    assert told == ["mqtt://labpc1 is away: no connection; it is tried again"]
    moody.away = False
    for _ in range(61):
        publisher.look()
        clock.wait_until(clock.now() + 0.5)
    assert [line.split(" after ")[0] for line in told[1:]] == ["mqtt://labpc1 is back"]


def test_a_publisher_that_is_stopped_takes_leave_everywhere():
    moody = Moody()
    publisher = Publisher([moody], pytest.fail)
    publisher.stopped.set()
    publisher.run()
    assert moody.closed


def test_a_computer_without_any_run_publishes_nothing_yet(tmp_path, broker):
    store = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    outlet = SampleOutlet(FreshSamples(store), NatsStream(broker.url))
    outlet.look()
    assert broker_is_empty(broker)
    outlet.close()
    store.dispose()
