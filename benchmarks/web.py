"""How fast is the page, and does the engine notice? ``python benchmarks/web.py [--postgres] [--json]``.

64 channels in real time over real sockets (``rig simulate``, ``rig run``), ``rig serve`` and 20 clients of
its live stream, each a process of its own. Measured: from the commit of a sample until every client has
it; the server's processor time; the engine's sampling jitter with and without clients, in turn; clients
that never read or leave without a word; first paint in Chromium; the plot of a run of a million samples.
Beside each stands a reference of the same run. Asserts no time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import packages_first  # noqa: F401
import web_million
import web_paint
from this_machine import machine
from web_live import Phase, alone, commits, jitter, latencies, phase, spread
from web_rig import Lab, lab

from tests.postgres import PostgresServer, own_database

CHANNELS, CLIENTS = 64, 20
PHASE_SECOND = 30.0
WARM_SECOND = 10.0  # until every protocol is compiled and the first wall sent
IN_TURN = (0, 1, 1, 0, 0, 1)  # without and with clients: what drifts on the machine meets both
ODD_SECOND, SILENT, LEAVING = 40.0, 10, 10
ROWS = 1_000_000
AIM_MILLISECOND = 250.0


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    with _server(options.postgres) as server, lab(folder, options.channels, server) as running:
        phase(running, WARM_SECOND, 1)
        live = measure_live(running, options)
        odd = measure_odd_clients(running)
        paint = web_paint.measure(running, options.channels)
    return {
        "machine": machine(),
        "channels": options.channels,
        "clients": options.clients,
        "database": "PostgreSQL" if options.postgres else "SQLite",
        "live": live,
        "odd_clients": odd,
        "paint": paint,
        "plot": web_million.measure(folder, options.rows),
    }


@contextmanager
def _server(wanted: bool) -> Iterator[str]:
    """The URL of a database of our own on a PostgreSQL of our own, or nothing."""
    if not wanted:
        yield ""
        return
    server = PostgresServer(synced=True)
    try:
        with own_database(server.url) as url:
            yield url
    finally:
        server.close()


# --- live ----------------------------------------------------------------------------------------


def measure_live(running: Lab, options: argparse.Namespace) -> dict[str, Any]:
    """Let clients come and go in turn; what they heard, what it cost, and what the engine felt."""
    with commits(running.file) as committed:
        phases = [phase(running, options.second, one * options.clients) for one in IN_TURN]
    heard = [one for one in phases if one.clients]
    since_commit, since_sample = latencies(heard, committed)
    events, size = (sum(one.heard[name] for one in heard) for name in ("events", "bytes"))
    every_second = len(heard) * options.clients * (options.second - 2.0) / events
    reference = alone(
        running.folder, size // events, every_second, options.clients, options.second / 2
    )
    return {
        "heard": len(since_commit),
        "since_commit": spread(since_commit),
        "since_sample": spread(since_sample),
        "events_alone": spread(reference),
        "p99_to_alone": spread(since_commit)["p99_millisecond"]
        / spread(reference)["p99_millisecond"],
        "aim_p99_millisecond": AIM_MILLISECOND,
        "bytes_an_event": size // events,
        "server_processor_fraction": {
            "with clients": statistics.mean(one.processor_fraction for one in heard),
            "without": statistics.mean(one.processor_fraction for one in phases if not one.clients),
        },
        "jitter": measure_jitter(running, phases),
    }


def measure_jitter(running: Lab, phases: Sequence[Phase]) -> dict[str, Any]:
    """Say how samples of the engine were late in each phase, and whether that depends on clients."""
    found = {
        name: [spread(jitter(running, one)) for one in phases if bool(one.clients) is with_clients]
        for name, with_clients in (("without", False), ("with clients", True))
    }
    return {"phases": found} | {
        key: _difference(*([one[key] for one in found[name]] for name in found))
        for key in ("p50_millisecond", "p99_millisecond")
    }


def _difference(without: Sequence[float], with_clients: Sequence[float]) -> dict[str, Any]:
    """Compare the difference of the means with how far phases of one kind are apart."""
    difference = statistics.mean(with_clients) - statistics.mean(without)
    apart = max(max(kind) - min(kind) for kind in (without, with_clients))
    return {
        "difference": difference,
        "phases_of_one_kind_apart": apart,
        "is_measurable": abs(difference) > apart,
    }


def measure_odd_clients(running: Lab) -> dict[str, Any]:
    """Clients that never read, and clients that leave without a word: memory, and the others' jitter."""
    before = running.server.memory_info().rss
    one = phase(running, ODD_SECOND, 1, silent=SILENT, leaving=LEAVING)
    half = len(one.memory_byte) // 2
    return {
        "silent": SILENT,
        "leaving": LEAVING,
        "memory_before_byte": before,
        "memory_first_half_byte": max(one.memory_byte[:half]),
        "memory_second_half_byte": max(one.memory_byte[half:]),
        "processor_fraction": one.processor_fraction,
        "jitter": spread(jitter(running, one)),
    }


# --- telling -------------------------------------------------------------------------------------


def as_text(told: dict[str, Any]) -> str:
    """Return everything as tables for people."""
    lines = [", ".join(f"{name} {value}" for name, value in told["machine"].items()), ""]
    lines += [f"{told['channels']} channels, {told['clients']} clients, {told['database']}", ""]
    return "\n".join([*lines, *_live_lines(told["live"]), *_odd_lines(told), *_page_lines(told)])


def _live_lines(live: dict[str, Any]) -> Iterator[str]:
    yield f"{'milliseconds':36}{'p50':>10}{'p99':>10}{'largest':>10}"
    for name, words in (
        ("since_commit", "commit to client"),
        ("since_sample", "measurement to client"),
        ("events_alone", "events alone (reference)"),
    ):
        yield f"  {words:34}" + "".join(f"{value:10.1f}" for value in live[name].values())
    yield f"  p99 of its reference: {live['p99_to_alone']:.1f} times; aim {AIM_MILLISECOND:g} ms"
    for name, fraction in live["server_processor_fraction"].items():
        yield f"  server, {name:26}{100 * fraction:8.1f} % of a processor"
    yield f"{'sampling jitter, milliseconds':36}{'p50':>10}{'p99':>10}{'largest':>10}"
    for name, phases in live["jitter"]["phases"].items():
        for one in phases:
            yield f"  {name:34}" + "".join(f"{value:10.1f}" for value in one.values())
    for key in ("p50_millisecond", "p99_millisecond"):
        found = live["jitter"][key]
        words = "measurable" if found["is_measurable"] else "no measurable difference"
        apart = f"phases of one kind are {found['phases_of_one_kind_apart']:.2f} apart"
        yield f"  {key[:3]}: clients add {found['difference']:+.2f}, {apart}: {words}"


def _odd_lines(told: dict[str, Any]) -> Iterator[str]:
    odd, names = told["odd_clients"], ("before", "first_half", "second_half")
    memory = ", ".join(f"{odd[f'memory_{name}_byte'] / 1e6:.1f}" for name in names)
    yield f"{odd['silent']} that never read, {odd['leaving']} that leave each second:"
    yield f"  server's memory before, in the first and the second half: {memory} MB"
    yield f"  sampling jitter p99 meanwhile: {odd['jitter']['p99_millisecond']:.1f} ms"


def _page_lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"{'paint in Chromium, milliseconds':36}{'first':>10}{'largest':>10}{'complete':>10}"
    if told["paint"] is None:
        yield "  no Chromium is installed"
    for name, times in (told["paint"] or {}).items():
        yield f"  {name:34}" + "".join(f"{value:10.0f}" for value in times.values())
    plot = told["plot"]
    yield f"{plot['rows']:,} samples{'':20}{'s':>10}{'kB':>10}{'points':>10}"
    for name, one in (*plot["looks"].items(), ("plain Plotly, all", plot["plain_plotly"])):
        yield f"  {name:34}{one['second']:10.3f}{one['bytes'] / 1e3:10.0f}{one['points']:10,}"
    ratio = f"{plot['first_look_ratio']:.1f} in time, {plot['bytes_ratio']:.0f} in bytes"
    yield f"  reference / first look: {ratio}"


def main() -> int:
    """Measure in a temporary folder and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=CHANNELS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--second", type=float, default=PHASE_SECOND, help="of each phase")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the long run")
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL of our own")
    parser.add_argument("--json", action="store_true", help="print plain data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rig-web-") as name:
        os.environ["RIG_JOURNAL"] = str(Path(name) / "rig.db")
        told = measure(options, Path(name))
    print(json.dumps(told, indent=2) if options.json else as_text(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
