"""Signs of life on a real PostgreSQL: who is there, who is silent, whose clock is off."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from rig.core.errors import StoreError
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.delivery import deliver, show_life
from rig.store.forwarding import Forwarder
from rig.store.journal import remember
from rig.store.presence import (
    OWN_RIG_KEY,
    SILENT_SECOND,
    Presence,
    note_heard,
    own_rig_id,
    read_presences,
    rig_name,
)
from rig.store.server import sign_of_life
from tests.postgres import wait_until
from tests.store.deliveries import journal_with
from tests.store.stores import store_at


@pytest.fixture
def journal(database):
    engine = journal_with(database, a=20)
    yield engine
    engine.dispose()


@pytest.fixture
def server(database):
    engine = open_database(database)
    yield engine
    engine.dispose()


def ago(server: Engine, second: float) -> None:
    """Let so much time pass since everybody was heard of last."""
    with server.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE feed SET last_seen_us = last_seen_us - {round(second * 1e6)}"
        )


def only(server: Engine) -> Presence:
    (presence,) = read_presences(server)
    return presence


def test_a_delivery_is_a_sign_of_life_and_the_next_sign_says_whose(journal, server):
    deliver(journal, server)
    assert only(server).rig_id is None
    show_life(journal, server)
    presence = only(server)
    assert (presence.rig_id, presence.rig) == ("rig", "rig")
    assert presence.hostname
    assert not presence.is_silent
    assert presence.words == ""


def test_a_rig_that_nobody_has_heard_of_for_a_while_is_silent(journal, server):
    deliver(journal, server)
    show_life(journal, server)
    ago(server, 60.0)
    assert only(server).is_silent
    assert only(server).words in {f"no news from rig for {second} s" for second in (60, 61, 62)}
    show_life(journal, server)
    assert only(server).words == ""


def test_silence_after_a_good_bye_means_nothing_until_the_rig_comes_back(journal, server):
    show_life(journal, server, last=True)
    ago(server, 60.0)
    assert not only(server).is_silent
    show_life(journal, server)
    ago(server, 60.0)
    assert only(server).is_silent


@pytest.mark.parametrize("offset_second", [-3600.0, 0.0, 90.0])
def test_a_clock_that_is_off_is_measured_against_the_server_s(journal, server, offset_second):
    deliver(journal, server)
    with server.begin() as connection:
        now = connection.exec_driver_sql(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
        ).scalar_one()
        readings = iter([now + offset_second * 1e6, now + offset_second * 1e6 + 400_000])
        note_heard(connection, 1, lambda: int(next(readings)))
    presence = only(server)
    assert presence.clock_uncertainty_second == pytest.approx(0.2)
    # 0.2 s of it is the question's own way; the rest is this test's between two statements.
    assert presence.clock_offset_second == pytest.approx(offset_second + 0.2, abs=5.0)


def test_a_sign_of_life_is_not_given_to_another_database(journal, server):
    with pytest.raises(StoreError, match="not the database"):
        sign_of_life(server, "j" * 32, "some other database", "rig", last=False)
    assert read_presences(server) == ()


def test_a_forwarder_with_nothing_to_deliver_gives_signs_of_life_and_says_good_bye(
    journal, server, database
):
    forwarder = Forwarder(database, every_second=0.01)
    forwarder.start()
    try:
        wait_until(lambda: any(rig.rig_id == "rig" for rig in read_presences(server)))
        wait_until(lambda: forwarder.waiting().samples == 0)
        ago(server, 60.0)
        assert only(server).silent_second > SILENT_SECOND
        wait_until(lambda: only(server).silent_second < SILENT_SECOND)
    finally:
        forwarder.close()
        forwarder.dispose()
    assert only(server).ended_us is not None


def test_a_rig_that_came_in_with_an_archive_is_not_this_database_s_own(tmp_path):
    engine = store_at(tmp_path / "rig.db")
    queries.insert_row(engine, tables.rig, {"rig_id": "other", "name": "x", "created_us": -1})
    with engine.begin() as connection:
        assert own_rig_id(connection) == "other", "a database of version 1 does not say"
        remember(connection, OWN_RIG_KEY, "rig")
        assert own_rig_id(connection) == "rig"
    engine.dispose()


def test_what_was_read_from_a_cycler_s_file_was_on_no_rig(tmp_path):
    engine = store_at(tmp_path / "rig.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE rig SET rig_id = 'imported'")
        assert own_rig_id(connection) is None
    assert read_presences(engine) == ()
    engine.dispose()


def test_a_rig_is_called_what_its_computer_is_told_to_call_it(monkeypatch):
    monkeypatch.setenv("RIG_NAME", "labpc3")
    assert rig_name() == "labpc3"
    monkeypatch.delenv("RIG_NAME")
    assert rig_name()
