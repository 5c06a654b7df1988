"""A host in this thread, with somebody who asks things of it while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.bench.file import BenchFile, load_bench
from rig.bench.host import Host, open_host
from rig.bench.hosting import request_start
from rig.bench.instruments import WrapLink
from rig.core.clock import RealClock
from rig.core.orders import Order
from rig.engine.states import Verb
from rig.store import queries, tables
from rig.store.journal import open_store
from rig.store.orders import Answer, answer_to, ask
from rig.store.queries import RunRecord
from rig.store.samples import sample_frame

PATIENCE_SECOND = 150.0
CYCLE = """protocol: 1
name: a short cycle
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA, check_every: 10 s}
record: {every: 10 s}
steps:
  - charge: {at: 1C, until: 4.2 V, for: 5 min}
  - rest: {for: 2 min}
  - discharge: {at: 1C, until: 2.8 V, for: 5 min}
"""
OVER = {"finished", "stopped", "tripped", "failed", "paused"}

# Somebody's wishes, one after the other: each yields what has to be true before the next.
Wishes = Iterator[Callable[[], object]]


class Desk:
    """Somebody at another terminal; what is asked goes through the database alone."""

    def __init__(self, folder: Path, bench: BenchFile) -> None:
        self.url = f"sqlite:///{folder / 'rig.db'}"
        self.bench, self.engine = bench, open_store(self.url)
        self.asked: list[Order] = []

    def start(self, *channels: str, text: str = CYCLE, **more: Any) -> list[str]:
        return request_start(
            self.engine, self.bench, protocol_text=text, channels=channels, who="maria", **more
        )

    def asks(self, run_id: str, verb: Verb, *, ago_second: float = 0.0) -> Order:
        wall_us = RealClock().wall_us() - round(ago_second * 1e6)
        order = ask(self.engine, run_id, verb.value, who="maria", wall_us=wall_us)
        self.asked.append(order)
        return order

    def answer(self, order: Order) -> Answer | None:
        return answer_to(self.engine, order)

    def record(self, run_id: str) -> RunRecord:
        return queries.find_run(self.engine, run_id)

    def state(self, run_id: str) -> str:
        return self.record(run_id).state

    def are_over(self, *run_ids: str) -> bool:
        return {self.state(run_id) for run_id in run_ids} <= OVER

    def rows(self, table: str, run_id: str) -> list[dict[str, Any]]:
        return queries.table_rows(self.engine, tables.metadata.tables[table], run_id)

    def samples(self, run_id: str) -> Any:
        return sample_frame(self.engine, run_id).drop(columns="run_id")

    def has_no_gap(self, run_id: str) -> bool:
        frame = self.samples(run_id)
        return len(frame) > 10 and frame["seq"].tolist() == list(range(len(frame)))


@contextmanager
def hosted(
    folder: Path,
    bench: BenchFile | None = None,
    *,
    speed: str | None = "max",
    **more: WrapLink,
) -> Iterator[tuple[Host, Desk]]:
    """Open a host and a desk; a host that was never run gives everything back, too."""
    bench = bench or load_bench("sim")
    desk = Desk(folder, bench)
    host = open_host(bench, database=desk.url, speed=speed, **more)
    try:
        yield host, desk
    finally:
        host.close()
        desk.engine.dispose()


def work(host: Host, wishes: Wishes, reason: str = "enough") -> None:
    """Let the host work until all wishes have come true, then stop it."""
    clock = RealClock()
    deadline = clock.now() + PATIENCE_SECOND
    is_true: Callable[[], object] = lambda: True  # noqa: E731
    next_second = 0.0

    def between() -> None:
        nonlocal is_true, next_second
        if clock.now() < next_second:
            return
        next_second = clock.now() + 0.02
        while is_true():
            try:
                is_true = next(wishes)
            except StopIteration:
                host.stop(reason)
                return
        assert clock.now() < deadline, "waited in vain"

    host.run(between)
