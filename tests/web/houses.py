"""Houses to visit: a database with a run in it, people with tokens, a clock that is moved by hand."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.testclient import TestClient

from rig.bench.file import BenchFile, load_bench
from rig.bench.host import open_host
from rig.bench.starting import Job, start
from rig.core.roles import Role
from rig.protocol import loads_protocol
from rig.store.accounts import Change, User, add_token, add_user
from rig.store.database import open_database
from rig.web.address import Address, listen
from rig.web.application import create_app
from rig.web.house import House, open_house
from rig.web.passwords import hash_password, new_token, token_of

BENCH = load_bench("sim")
PASSWORD = "four ordinary words here"
HERE = Address("127.0.0.1", 8000)
PROTOCOL = """protocol: 1
name: two short cycles
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 1 s}
steps:
  - eis: {from: 100 kHz, to: 10 Hz, points_per_decade: 3, amplitude: 10 mV}
  - repeat: 2
    steps:
      - charge: {at: 1C, until: 4.2 V, for: 5 min}
      - rest: {for: 2 min}
      - discharge: {at: 1C, until: 2.8 V, for: 5 min}
"""


@dataclass
class HandClock:
    """Both clocks, moved by hand; nobody sleeps."""

    second: float = 1000.0
    us: int = 1_800_000_000_000_000
    speed: float = 1.0
    waited: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.second

    def wall_us(self) -> int:
        return self.us

    def wait_until(self, second: float) -> None:
        self.waited.append(second)
        self.pass_by(max(0.0, second - self.second))

    def pass_by(self, second: float) -> None:
        self.second += second
        self.us += int(second * 1e6)


def make_finished_run(path: Path) -> None:
    """Run the protocol on the simulated cell C1, as fast as it goes."""
    job = Job(loads_protocol(PROTOCOL), "p.yaml", BENCH.channels["C1"], "LPS-17")
    start([job], BENCH, database=f"sqlite:///{path}").run()


def copied(source: Path, folder: Path) -> str:
    """Return the URL of a copy of a database."""
    path = folder / "rig.db"
    shutil.copyfile(source, path)
    return f"sqlite:///{path}"


@contextmanager
def visited(
    url: str, *, clock: HandClock | None = None, address: Address = HERE, **options: Any
) -> Iterator[tuple[TestClient, House]]:
    """A house with its door open: requests go straight to the application."""
    house = open_house(url, BENCH, address=address, clock=clock, **options)
    try:
        with TestClient(
            create_app(house), base_url=address.url, raise_server_exceptions=False
        ) as client:
            yield client, house
    finally:
        house.close()


@contextmanager
def engine_at_work(url: str, speed: str) -> Iterator[None]:
    """An engine that takes runs on the simulated bench, in another thread, until this is over."""
    host = open_host(BENCH, database=url, speed=speed)
    engine = threading.Thread(target=host.run, name="engine")
    engine.start()
    try:
        yield
    finally:
        host.stop("the test is over")
        engine.join()


@contextmanager
def served(
    url: str, bench: BenchFile | None = BENCH, **options: Any
) -> Iterator[tuple[str, House]]:
    """A house on a real port, in another thread of this process: its address, and the house.

    Without ``bench`` it observes: it shows whatever the database has.
    """
    house = open_house(url, bench, observe=bench is None, **options)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(house), log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", house
    finally:
        house.live.close()
        server.should_exit = True
        thread.join()
        house.close()
        listening.close()


def let_in(url: str, name: str, role: Role) -> dict[str, str]:
    """Give somebody an account and a token; return the header that shows it."""
    engine = open_database(url)
    change = Change("test", 1)
    try:
        add_user(engine, User(name, role.value, _hash(), 1, 1), change)
        secret = new_token()
        add_token(engine, token_of(1, f"{name}-phone", name, role, None), secret, change)
    finally:
        engine.dispose()
    return {"Authorization": f"Bearer {secret}"}


_hashes: list[str] = []


def _hash() -> str:
    """One hash for all: making it takes as long as it should."""
    if not _hashes:
        _hashes.append(hash_password(PASSWORD))
    return _hashes[0]
