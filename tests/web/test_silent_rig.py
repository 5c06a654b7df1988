"""What an observer is told of a rig that is not heard of any more, while a run goes on there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine

from rig.store.database import open_database
from rig.store.delivery import deliver, show_life
from tests.postgres import any_postgres, database, postgres
from tests.store.deliveries import journal_with
from tests.web.houses import HandClock, visited

__all__ = ["any_postgres", "database", "postgres"]


@pytest.fixture
def journal(database: str):
    """What the rig keeps at its own place."""
    return journal_with(database, a=20)


@pytest.fixture
def server(database: str, journal: Engine):
    """A server with a run that goes on, as far as it knows."""
    server = open_database(database)
    with journal.begin() as connection:
        connection.exec_driver_sql("UPDATE run SET state = 'running'")
    deliver(journal, server)
    yield server
    for engine in (journal, server):
        engine.dispose()


def fall_silent(server: Engine) -> None:
    with server.begin() as connection:
        connection.exec_driver_sql("UPDATE feed SET last_seen_us = last_seen_us - 60000000")


def test_a_silent_rig_is_told_by_every_way_in(database, journal, server):
    clock = HandClock()
    with visited(database, observe=True, clock=clock) as (client, _):
        show_life(journal, server)
        assert client.get("/api/rigs").json()["rigs"][0]["news"] == ""
        assert client.get("/api/channels").json()["rigs"][0]["silent"] is False
        fall_silent(server)
        clock.pass_by(1.0)
        (rig,) = client.get("/api/rigs").json()["rigs"]
        assert re.fullmatch(r"no news from rig for 6\d s", rig["news"])
        assert abs(rig["clock_offset_second"]) < 5.0
        shown = client.get("/api/channels/A1").json()
        assert re.fullmatch(r"no news from rig for 6\d s; it was running then", shown["next"])
        metrics = client.get("/metrics").text
        assert re.search(r'rig_silent_seconds\{rig="rig"\} 6\d', metrics)
