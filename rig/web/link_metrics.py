"""Instruments for Prometheus: how links are, what chambers do. What an engine has noted, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from rig.bench.bench_now import BenchNow, InstrumentNow, look_at_bench
from rig.core.errors import RigError
from rig.web.house import House

_LABELS = ["instrument"]
Family = GaugeMetricFamily | CounterMetricFamily


def link_families(house: House) -> Iterator[Family]:
    """Yield the families of this rig's own bench; nothing where there is none, or no database."""
    if house.bench is None or house.is_central:
        return
    try:
        now = look_at_bench(house.store, house.bench, house.store_url)
    except RigError:
        return
    known = [one for one in now.instruments if one.noted_us is not None]
    yield _counter("rig_link_exchanges", "Questions that were answered", known, "exchanges")
    yield _counter("rig_link_failures", "Operations on the wire that failed", known, "failures")
    yield _counter("rig_link_reopened", "Ports opened anew under a run", known, "reopened")
    yield _round_trips(known)
    yield from _chambers(now)


def _counter(
    name: str, words: str, known: list[InstrumentNow], attribute: str
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, words, labels=_LABELS)
    for one in known:
        family.add_metric([one.name], float(getattr(one.link, attribute)))
    return family


def _round_trips(known: list[InstrumentNow]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        "rig_link_round_trip_seconds",
        "Of the last ten to twenty minutes, by quantile",
        labels=[*_LABELS, "quantile"],
    )
    for one in known:
        for quantile, value in (
            ("0.5", one.link.round_trip_p50_second),
            ("0.99", one.link.round_trip_p99_second),
        ):
            if value is not None:
                gauge.add_metric([one.name, quantile], value)
    return gauge


def _chambers(now: BenchNow) -> Iterator[GaugeMetricFamily]:
    for name, words, attribute in (
        ("rig_chamber_temperature_celsius", "Air of a chamber", "temperature_celsius"),
        ("rig_chamber_setpoint_celsius", "What it was told", "setpoint_celsius"),
    ):
        gauge = GaugeMetricFamily(name, words, labels=["chamber"])
        for one in now.chambers:
            value = getattr(one, attribute)
            if value is not None:
                gauge.add_metric([one.name], value)
        yield gauge
