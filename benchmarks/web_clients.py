"""Clients of a live stream, many in one process: ``python benchmarks/web_clients.py``, called by web.py.

Speaks HTTP on bare sockets, so that what it costs to be a client is small beside what it measures.
Prints one JSON object: of every event that was heard, when; ``silent`` clients never read, and
``leaving`` ones are gone every second and come back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any

SAMPLED = re.compile(rb'"run_id":"([0-9a-f]+)".*?"sampled_us":(\d+)')
SENT = re.compile(rb'"sent_us":(\d+)')
CALM_SECOND = 2.0  # at the beginning of each stream, when everybody gets the whole wall


@dataclass
class Heard:
    """What one client heard: (run, sampled_us, arrived_us), or (``""``, sent_us, arrived_us).

    ``arrived_us`` is 0 in the first moments: what is heard then is not news, nor later when it is repeated.
    """

    samples: list[tuple[str, int, int]] = field(default_factory=list)
    events: int = 0
    bytes: int = 0


async def listen(port: int, path: str, until: float, heard: Heard) -> None:
    """Hear one stream to the end, and note when each event came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    calm = time.monotonic() + CALM_SECOND
    while (left := until - time.monotonic()) > 0:
        try:
            line = await asyncio.wait_for(reader.readline(), left)
        except TimeoutError:
            break
        if not line:
            raise RuntimeError(f"{path}: the stream has ended")
        arrived_us = time.time_ns() // 1000 if time.monotonic() > calm else 0
        if line.startswith(b"data: "):
            note(line, arrived_us, heard)
    writer.close()


def note(line: bytes, arrived_us: int, heard: Heard) -> None:
    heard.events += bool(arrived_us)
    heard.bytes += len(line) if arrived_us else 0
    sent = SENT.search(line)
    if sent is not None:
        heard.samples.append(("", int(sent[1]), arrived_us))
        return
    for run_id, sampled_us in SAMPLED.findall(line):
        heard.samples.append((run_id.decode(), int(sampled_us), arrived_us))


async def keep_silent(port: int, path: str, until: float) -> None:
    """Ask, and never read."""
    with asked(port, path):
        await asyncio.sleep(until - time.monotonic())


async def keep_leaving(port: int, path: str, until: float) -> None:
    """Ask, and be gone without a word, again and again."""
    while time.monotonic() < until:
        with asked(port, path):
            await asyncio.sleep(1.0)


def asked(port: int, path: str) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return client


async def hear(options: argparse.Namespace) -> dict[str, Any]:
    until = time.monotonic() + options.second
    all_heard = [Heard() for _ in range(options.clients)]
    place = (options.port, options.path)
    await asyncio.gather(
        *(listen(*place, until, heard) for heard in all_heard),
        *(keep_silent(*place, until) for _ in range(options.silent)),
        *(keep_leaving(*place, until) for _ in range(options.leaving)),
    )
    return {
        "samples": [heard.samples for heard in all_heard],
        "events": sum(heard.events for heard in all_heard),
        "bytes": sum(heard.bytes for heard in all_heard),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--path", default="/api/live")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--silent", type=int, default=0)
    parser.add_argument("--leaving", type=int, default=0)
    parser.add_argument("--second", type=float, default=30.0)
    print(json.dumps(asyncio.run(hear(parser.parse_args()))))


if __name__ == "__main__":
    main()
