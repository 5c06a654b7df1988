"""What an engine notes of its instruments, as others read it: links, identities, who has a chamber."""

from __future__ import annotations

import json

from rig.bench.bench_now import look_at_bench
from rig.bench.file import load_bench
from rig.bench.identifying import identify
from rig.bench.locks import lock_channels
from rig.engine.states import Verb
from rig.store.journal import open_store, remember
from rig.wire import HealthSeen
from tests.bench.cables import Cable
from tests.bench.hosts import Desk, Wishes, hosted, work
from tests.cli.served import bench_at, served, source_meter_front

AT = """protocol: 1
name: at temperature
steps:
  - set_temperature: {{to: {} degC, within: 1 K, soak: 9 h, timeout: 30 h}}
"""


def chamber(desk: Desk):
    return next(
        one
        for one in look_at_bench(desk.engine, desk.bench, desk.url).chambers
        if one.name == "chamber-p"
    )


def instrument(desk: Desk, name: str):
    now = look_at_bench(desk.engine, desk.bench, desk.url)
    return next(one for one in now.instruments if one.name == name)


def test_a_chamber_tells_who_holds_it_and_who_waits(tmp_path):
    with hosted(tmp_path, speed="50") as (host, desk):
        seen = {}

        def wishes() -> Wishes:
            (first,) = desk.start("P1", text=AT.format(40))
            yield lambda: [one.channel for one in chamber(desk).asking] == ["P1"]
            desk.start("P2", text=AT.format(60))
            yield lambda: len(chamber(desk).asking) == 2
            yield lambda: chamber(desk).setpoint_celsius == 40
            seen["now"] = chamber(desk)
            seen["smu"] = instrument(desk, "pstat-p1")
            seen["asked"] = identify(desk.engine, desk.bench, desk.url, "pstat-p1", who="maria")
            desk.asks(first, Verb.STOP)
            yield lambda: [one.channel for one in chamber(desk).asking] == ["P2"]
            yield lambda: chamber(desk).setpoint_celsius == 60

        work(host, wishes())
        asking = [(one.who, one.temperature_celsius, one.granted) for one in seen["now"].asking]
        assert asking == [("P1", 40.0, True), ("P2", 60.0, False)]
        assert seen["now"].is_running
        assert seen["now"].temperature_celsius is not None
        assert seen["smu"].is_open
        assert seen["asked"].identity == seen["smu"].identity
        assert (seen["asked"].is_fresh, seen["asked"].problem) == (False, "")
        # When the engine has ended nothing is open, and what it knew is still there.
        assert not chamber(desk).is_open
        assert chamber(desk).asking == ()
        after = instrument(desk, "pstat-p1")
        assert not after.is_open
        assert after.identity == seen["smu"].identity


def test_what_a_dead_engine_noted_last_is_not_taken_for_now(tmp_path):
    with hosted(tmp_path) as (_, desk):
        note = {"pid": 1, "noted_us": 5, "is_open": True, "identity": None, "link": {"failures": 3}}
        chamber_note = {"temperature_celsius": 80.0, "wishes": [], "alarms": []}
        with desk.engine.begin() as connection:
            text = json.dumps(note | {"chamber": chamber_note})
            remember(connection, "instrument chamber-p", text)
        assert not chamber(desk).is_open
        assert chamber(desk).temperature_celsius is None
        assert instrument(desk, "chamber-p").link.failures == 3


def test_a_request_that_comes_to_nothing_is_counted_with_its_words(tmp_path):
    cable = Cable()
    with hosted(tmp_path, speed="20", wrap=cable.wrap) as (host, desk):

        def links() -> list[HealthSeen]:
            now = look_at_bench(desk.engine, desk.bench, desk.url)
            return [one.link for one in now.instruments]

        def wishes() -> Wishes:
            (run,) = desk.start("C1", text="protocol: 1\nname: r\nsteps: [{rest: {for: 9 h}}]\n")
            yield lambda: desk.state(run) == "running"
            cable.breaks(1, lasts=False)
            yield lambda: any(link.failures for link in links())
            desk.asks(run, Verb.STOP)
            yield lambda: desk.are_over(run)

        work(host, wishes())
        failed = [link for link in links() if link.failures]
        assert len(failed) == 1
        assert failed[0].last_error == "operation 1: no answer"


def test_an_instrument_that_another_process_has_is_left_alone(tmp_path):
    """Nobody has noted who it is, and its port is not opened a second time to find out."""
    with served({"smu-1": source_meter_front()}) as addresses:
        bench = load_bench(str(bench_at(tmp_path, addresses["smu-1"])))
        store = open_store(f"sqlite:///{tmp_path / 'rig.db'}")
        url = str(store.url)
        with lock_channels(bench, bench.channels.values(), f"sqlite:///{tmp_path / 'other.db'}"):
            busy = identify(store, bench, url, "smu-1", who="maria")
        free = identify(store, bench, url, "smu-1", who="maria")
        store.dispose()
    assert (busy.is_fresh, busy.identity) == (False, None)
    assert "another process has" in busy.words
    assert busy.problem
    assert free.is_fresh
    assert free.identity is not None
    assert free.identity["model"] == "2450"
