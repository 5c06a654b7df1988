"""What Prometheus scrapes: one sample of the live view, nothing of its own that could go stale.

Names end in their unit, as Prometheus wants them (https://prometheus.io/docs/practices/naming/).
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from rig import __version__
from rig.bench.status import ChannelStatus
from rig.core.errors import RigError
from rig.core.records import RunState
from rig.store.journal import journal_id
from rig.store.waiting import waiting_in
from rig.web.house import House
from rig.web.link_metrics import Family, link_families
from rig.web.live_view import Snapshot

_LABELS = ["rig", "channel"]
# metric, what it is, the field of ChannelStatus
_VALUES = (
    ("rig_channel_voltage_volts", "Newest cell voltage", "voltage_volt"),
    ("rig_channel_current_amperes", "Newest cell current, charging positive", "current_ampere"),
    ("rig_channel_ambient_temperature_celsius", "Chamber air", "ambient_temperature_celsius"),
    ("rig_channel_surface_temperature_celsius", "At the cell", "surface_temperature_celsius"),
    ("rig_channel_pressure_pascals", "Stack pressure", "applied_pressure_pa"),
    ("rig_channel_test_time_seconds", "Test time of the run", "test_time_second"),
    ("rig_channel_capacity_retention_ratio", "Of the reference cycle", "capacity_retention"),
    ("rig_channel_cycle", "Present cycle", "cycle_count"),
)
_STATES = (*(state.value for state in RunState), "free")


class _House(Collector):
    """Collects from a house at each scrape."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Family | InfoMetricFamily]:
        snapshot = self._house.live.newest()
        yield InfoMetricFamily("rig", "This software", value={"version": __version__})
        yield _one("rig_database_up", "1 while the database can be read", not snapshot.failure)
        yield _rigs(snapshot)
        yield from _channels(snapshot)
        yield _ages(snapshot, self._house)
        yield _alarms(snapshot)
        yield from _delivery(self._house)
        yield from link_families(self._house)


def exposition(house: House) -> bytes:
    """Return the metrics as text; raises StoreError while the database has never been read."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_House(house))
    return generate_latest(registry)


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=float(value))


def _rigs(snapshot: Snapshot) -> GaugeMetricFamily:
    """Since when each rig that ought to be heard of was not; an engine that has ended is not missed."""
    gauge = GaugeMetricFamily(
        "rig_silent_seconds", "Since a rig's last sign of life to its server", labels=["rig"]
    )
    for rig in snapshot.wall.rigs:
        if rig.ended_us is None:
            gauge.add_metric([rig.rig], rig.silent_second)
    return gauge


def _labels(status: ChannelStatus) -> list[str]:
    return [status.rig, status.channel]


def _channels(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    state = GaugeMetricFamily(
        "rig_channel_state", "1 for the state it is in", labels=[*_LABELS, "state"]
    )
    for status in snapshot.wall.channels:
        for word in _STATES:
            state.add_metric([*_labels(status), word], float(status.state == word))
    yield state
    for name, words, attribute in _VALUES:
        gauge = GaugeMetricFamily(name, words, labels=_LABELS)
        for status in snapshot.wall.channels:
            value = getattr(status, attribute)
            if value is not None:
                gauge.add_metric(_labels(status), value)
        yield gauge


def _ages(snapshot: Snapshot, house: House) -> GaugeMetricFamily:
    """How old the newest sample of each real run is; a rehearsal's clock is not the wall's."""
    gauge = GaugeMetricFamily(
        "rig_channel_sample_age_seconds", "Since the newest stored sample", labels=_LABELS
    )
    now_us = house.clock.wall_us()
    for status in snapshot.wall.channels:
        if status.sampled_us is not None and not status.simulated:
            gauge.add_metric(_labels(status), (now_us - status.sampled_us) / 1e6)
    return gauge


def _alarms(snapshot: Snapshot) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "rig_alarms", "Alarms that nobody has acknowledged", labels=[*_LABELS, "severity"]
    )
    counts: dict[tuple[str, str, str], int] = {}
    for status in snapshot.wall.channels:
        for alarm in status.alarms:
            key = (*_labels(status), alarm["severity"])
            counts[key] = counts.get(key, 0) + 1
    for alarm in snapshot.wall.bench_alarms:
        key = ("", "", alarm["severity"])
        counts[key] = counts.get(key, 0) + 1
    for key, count in counts.items():
        gauge.add_metric(list(key), count)
    return gauge


def _delivery(house: House) -> Iterator[GaugeMetricFamily]:
    """How far a server is behind the journal of this computer; nothing where there is no journal."""
    try:
        with house.store.connect() as connection:
            if journal_id(connection) is None:
                return
        waiting = waiting_in(house.store)
    except RigError:
        return
    yield _one("rig_forwarder_waiting_samples", "Samples not delivered yet", waiting.samples)
    yield _one("rig_forwarder_lag_seconds", "How long the oldest waits", waiting.behind_second)
