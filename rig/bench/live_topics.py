"""The outlet of live values: MQTT, one retained message per channel, the newest and nothing else.

For displays and home-made alarms. Nothing is kept for those who are away, and a broker's answer means
nothing to us: what has to be complete goes another way (the database; sample_stream.py). The client's
own thread connects and reconnects; here it is only asked whether it has.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from rig.bench.sample_stream import word
from rig.bench.status import ChannelStatus
from rig.core.errors import BrokerAway
from rig.store.address import without_password

PORTS = {"mqtt": 1883, "mqtts": 8883}
KEEP_ALIVE_SECOND = 30
LEAVE_SECOND = 2.0
GRACE_LOOKS = 4  # until a client that has just been begun must be connected
# What nobody who watches needs: page decoration, and ages that change by themselves.
_LEFT_OUT = ("trend", "verbs", "rig_id", "driven", "state_since_us")

Statuses = Callable[[], Iterable[ChannelStatus]]


class TopicOutlet:
    """Publishes ``cellrig/<rig>/<channel>/live`` and ``cellrig/<rig>/state``: online, or offline.

    ``statuses`` gives the channels of this computer's rig as they are now.
    """

    def __init__(self, url: str, statuses: Statuses, rig: str, quality: int = 1) -> None:
        self.name = without_password(url)
        self._statuses, self._quality = statuses, quality
        self._state_topic = f"cellrig/{word(rig)}/state"
        self._rig = word(rig)
        self._sent: dict[str, bytes] = {}
        self._trouble, self._looks = "", 0
        self._begun = False
        self._url = url
        self._client = self._made(url)

    def look(self) -> None:
        """Publish what has changed since the last look. Raises BrokerAway while not connected."""
        if not self._begun:
            self._begin()
        if not self._client.is_connected():
            self._sent.clear()
            self._looks += 1
            if self._looks < GRACE_LOOKS and not self._trouble:
                return  # it is on its way
            raise BrokerAway(self._trouble or "no connection")
        self._looks = 0
        for status in self._statuses():
            self._send(status)

    def close(self) -> None:
        if not self._begun:
            return
        if self._client.is_connected():
            gone = self._client.publish(self._state_topic, b"offline", 1, retain=True)
            gone.wait_for_publish(LEAVE_SECOND)
            self._client.disconnect()
        self._client.loop_stop()

    def _send(self, status: ChannelStatus) -> None:
        topic = f"cellrig/{self._rig}/{word(status.channel)}/live"
        data = live_values(status)
        if self._sent.get(topic) != data:
            self._client.publish(topic, data, self._quality, retain=True)
            self._sent[topic] = data

    def _begin(self) -> None:
        place = urlsplit(self._url)
        port = place.port or PORTS[place.scheme]
        self._client.connect_async(str(place.hostname), port, KEEP_ALIVE_SECOND)
        self._client.loop_start()
        self._begun = True

    def _made(self, url: str) -> Client:
        place = urlsplit(url)
        client = Client(CallbackAPIVersion.VERSION2)
        if place.username:
            client.username_pw_set(unquote(place.username), unquote(place.password or ""))
        if place.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())
        client.will_set(self._state_topic, b"offline", qos=1, retain=True)
        client.reconnect_delay_set(1, 30)
        client.max_queued_messages_set(1_000)  # of values that are old by then
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_connect_fail = self._not_connected
        return client

    # --- in the client's thread ------------------------------------------------------------------

    def _connected(
        self,
        client: Client,
        _data: Any,
        _flags: ConnectFlags,
        code: ReasonCode,
        _: Properties | None,
    ) -> None:
        if code.is_failure:
            self._trouble = f"it refuses: {code}"
            return
        self._trouble = ""
        client.publish(self._state_topic, b"online", 1, retain=True)

    def _disconnected(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        code: ReasonCode,
        _: Properties | None,
    ) -> None:
        self._trouble = self._trouble or f"the connection broke: {code}"

    def _not_connected(self, _client: Client, _data: Any) -> None:
        self._trouble = "nobody answers at that address"


def live_values(status: ChannelStatus) -> bytes:
    """Return a channel as JSON: each number's unit is in its key, null is what nobody has measured."""
    plain = {key: value for key, value in status.plain().items() if key not in _LEFT_OUT}
    plain["alarms"] = [f"{alarm['kind']}: {alarm['message']}" for alarm in plain["alarms"]]
    return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()
