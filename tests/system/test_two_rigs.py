"""Two rigs, one PostgreSQL: the cable of one is cut in the middle, a third computer watches.

Each rig is a process tree of its own with its own journal, bench and network namespace where the
system allows one (tests/system/links.py). Afterwards both are complete on the server: as many samples
as their journals acknowledged, each once, the same as in undisturbed runs of the same protocol.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from sqlalchemy import make_url

from rig.store import queries
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.samples import sample_frame
from tests.postgres import wait_until
from tests.system.links import Cable, cable
from tests.system.test_kill_and_resume import PROTOCOL, finish
from tests.system.test_server_kills import ITS_OWN

CHANNELS = {"left": "C1", "right": "C2"}


@dataclass
class Rig:
    """One rig: where its files are, how it reaches the server, and its process."""

    name: str
    folder: Path
    database: str
    cable: Cable

    @property
    def channel(self) -> str:
        return CHANNELS[self.name]

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def begin(self, speed: str) -> subprocess.Popen[str]:
        more = ("--db", self.database, "--speed", speed)
        command = self.cable.command(*words(self.channel), *more)
        own = {"RIG_JOURNAL": str(self.journal), "RIG_NAME": self.name}
        return started(self.folder, command, own)

    def ask(self, query: str) -> int:
        """Ask the journal from outside; 0 while it is not made yet."""
        try:
            with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as connection:
                return int(connection.execute(query).fetchone()[0] or 0)
        except sqlite3.OperationalError:
            return 0

    @property
    def waiting(self) -> int:
        return self.ask("SELECT count(*) FROM spool")

    @property
    def delivered(self) -> int:
        return self.ask("SELECT sum(seq_next) FROM forwarded")


def words(channel: str) -> list[str]:
    which = ("--bench", "sim", "--channel", channel, "--set", "cycles=1")
    return [sys.executable, "-m", "rig", "run", "short.yaml", *which]


def started(folder: Path, command: list[str], own: dict[str, str]) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=os.environ | own, stdout=pipe, stderr=pipe, text=True
    )


@contextmanager
def observer(database: str, folder: Path) -> Iterator[httpx.Client]:
    """``rig serve --observe`` on a free port."""
    command = [sys.executable, "-m", "rig", "serve", "--observe", "--port", "0", "--db", database]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = process.stderr
    try:
        address = next(
            found[0] for line in lines if (found := re.search(r"http://\S+", line)) is not None
        )
        drain = threading.Thread(target=lines.read)
        drain.start()
        with httpx.Client(base_url=address, timeout=30.0, trust_env=False) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        drain.join(5)
        lines.close()


def news(client: httpx.Client) -> dict[str, str]:
    """Return what the observer says of each rig that has begun a run."""
    answer = client.get("/api/rigs")
    answer.raise_for_status()
    return {rig["name"]: rig.get("news", "") for rig in answer.json()["rigs"]}


def shown(client: httpx.Client, name: str) -> dict[str, Any]:
    channels = client.get("/api/channels").json()["channels"]
    return next(one for one in channels if one["rig"] == name)


def fingerprint(frame: pd.DataFrame) -> tuple[int, int, str]:
    """Return count, distinct count and checksum of all that two runs of one seed have in common."""
    rows = frame.drop(columns=ITS_OWN).sort_values("seq").itertuples(index=False, name=None)
    text = repr([tuple(None if pd.isna(value) else value for value in row) for row in rows])
    return len(frame), frame["seq"].nunique(), hashlib.sha256(text.encode()).hexdigest()


def on_server(database: str) -> dict[str, pd.DataFrame]:
    """Return the samples of each channel's run."""
    engine = open_database(database, create=False)
    try:
        forward(engine)
        runs = queries.list_runs(engine)
        assert {run.state for run in runs} == {"finished"}
        return {run.channel: sample_frame(engine, run.run_id) for run in runs}
    finally:
        engine.dispose()


def assert_seen(client: httpx.Client, rigs: dict[str, Rig], cut_second: float) -> None:
    """Cut the right one's cable and mend it, and see both happen from afar."""
    left, right = rigs["left"], rigs["right"]
    wait_until(lambda: left.delivered > 20 and right.delivered > 20)
    wait_until(lambda: news(client) == {"left": "", "right": ""})
    right.cable.cut()
    there = right.delivered
    threading.Event().wait(cut_second)
    assert re.fullmatch(r"no news from right for \d+ s", news(client)["right"])
    assert shown(client, "right")["next"].startswith("no news from right for")
    assert news(client)["left"] == ""
    assert right.delivered - there <= 100, "the cable was not cut"
    assert right.waiting > 20, "its run has gone on"
    right.cable.mend()
    wait_until(lambda: news(client)["right"] == "", second=90.0)
    wait_until(lambda: right.delivered > there + 20, second=90.0)


def survive(postgres, database: str, folder: Path, *, cut_second: float, speed: str) -> None:
    with rigs_on(database, folder) as rigs, observer(database, folder) as client:
        controls = [undisturbed(rig, folder) for rig in rigs.values()]
        with running([rig.begin(speed) for rig in rigs.values()]) as processes:
            assert_seen(client, rigs, cut_second)
            for process in processes:
                finish(process)
        assert news(client) == {"left": "", "right": ""}, "they have said good-bye"
    frames = on_server(database)
    for rig, control in zip(rigs.values(), controls, strict=True):
        there = frames[rig.channel]
        assert (rig.waiting, rig.delivered) == (0, len(there))
        assert fingerprint(there) == fingerprint(on_server(control)[rig.channel])


@contextmanager
def rigs_on(database: str, folder: Path) -> Iterator[dict[str, Rig]]:
    url = make_url(database)
    socket = Path(str(url.query["host"])) / ".s.PGSQL.5432"
    with ExitStack() as cables:
        rigs = {}
        for number, name in enumerate(CHANNELS):
            laid = cables.enter_context(cable(number, socket))
            its = f"postgresql://rig@{laid.address}/{url.database}"
            rigs[name] = Rig(name, folder / name, its, laid)
        yield rigs


def undisturbed(rig: Rig, folder: Path) -> str:
    """Run the same in a file of its own, as fast as it goes; return its URL."""
    place = folder / f"{rig.name} undisturbed"
    finish(started(place, words(rig.channel), {}))
    return f"sqlite:///{place / 'rig.db'}"


@contextmanager
def running(processes: list[subprocess.Popen[str]]) -> Iterator[list[subprocess.Popen[str]]]:
    try:
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.fixture
def lab(mortal: str) -> str:
    """An observer needs the tables; the first rig to come would make them a moment later."""
    open_database(mortal).dispose()
    return mortal


@pytest.mark.slow
def test_a_rig_whose_cable_is_out_for_a_moment_is_seen_to_be_and_is_complete_afterwards(
    postgres, lab, tmp_path
) -> None:
    survive(postgres, lab, tmp_path, cut_second=8.0, speed="300")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_rig_whose_cable_is_out_for_a_minute_is_seen_to_be_and_is_complete_afterwards(
    postgres, lab, tmp_path
) -> None:
    survive(postgres, lab, tmp_path, cut_second=60.0, speed="80")
