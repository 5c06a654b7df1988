"""``rig publish`` as it is typed: refusals, and the whole process beside a run's database and real brokers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.brokers import NatsServer, broker, listening
from tests.cli.commands import PROTOCOL, refused, rig
from tests.postgres import wait_until

__all__ = ["broker"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIG_DATABASE_URL", raising=False)
    return tmp_path


def test_everything_that_cannot_be_is_told_at_once() -> None:
    said = refused("publish", "--nats", "labpc1:4222", "--mqtt", "mqtt://labpc1:port")
    assert "got 'labpc1:4222', expected nats:// or tls://, a host" in said
    assert "got 'mqtt://labpc1:port', expected mqtt:// or mqtts://" in said


def test_nowhere_to_publish_to_is_refused_with_an_example() -> None:
    said = refused("publish", "--from-start")
    assert "expected --nats, --mqtt or both" in said
    assert "--from-start: goes with --nats" in said


def test_a_password_in_an_address_is_not_printed() -> None:
    assert "secret" not in refused("publish", "--mqtt", "mq://maria:secret@labpc1")


def test_an_extra_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.cli.publishing.find_spec", lambda _name: None)
    said = refused("publish", "--nats", "nats://labpc1", "--mqtt", "mqtt://labpc1")
    assert "pip install 'cellrig[nats]'" in said
    assert "pip install 'cellrig[mqtt]'" in said


def test_a_database_that_nothing_was_run_for_is_refused(folder: Path) -> None:
    assert "no such file" in refused("publish", "--mqtt", "mqtt://127.0.0.1")
    assert list(folder.iterdir()) == []


def publishing(broker: NatsServer) -> subprocess.Popen[str]:
    words = ("publish", "--nats", broker.url, "--mqtt", broker.mqtt_url)
    return subprocess.Popen(
        [sys.executable, "-m", "rig", *words], stderr=subprocess.PIPE, text=True
    )


def test_a_run_is_in_the_stream_and_on_its_topic_until_somebody_says_stop(
    folder: Path, broker: NatsServer
) -> None:
    (folder / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    done = rig("run", "short.yaml", "--channel", "C1", "--json").json()["runs"][0]
    process = publishing(broker)
    try:
        with listening(broker.mqtt_port) as listener:
            topic = "cellrig/rig/C1/live"
            wait_until(lambda: listener.live(topic).get("state") == "finished")
            assert listener.live(topic)["run_id"] == done["run_id"]
            assert listener.live(topic)["ambient_temperature_celsius"] == pytest.approx(25, abs=2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            wait_until(lambda: listener.newest["cellrig/rig/state"] == b"offline")
    finally:
        process.kill()
        _, said = process.communicate()
    assert said.count("publishing to") == 2
    numbers = [seq for message in broker.stored() for seq in message["columns"]["seq"]]
    assert numbers == list(range(done["samples"]))
