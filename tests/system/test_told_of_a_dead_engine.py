"""An engine that is killed can tell nobody: its watchdog does, in its place."""

from __future__ import annotations

import os
import signal

from tests.bench.post_office import PASSWORD, web_server
from tests.cli.served import bench_at, served, source_meter_front
from tests.system.test_watchdog import PROTOCOL, Engine, until


def test_when_the_engine_is_killed_people_are_told_by_its_watchdog(tmp_path) -> None:
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    with web_server() as web, served({"smu-1": source_meter_front()}) as addresses:
        bench = bench_at(tmp_path, addresses["smu-1"])
        notify = f'notify: [{{url: "{web.web_url()}", from: alarm}}]\n'
        bench.write_text(bench.read_text() + notify, encoding="utf-8")
        engine = Engine(tmp_path, "run", "p.yaml", "--bench", "bench.yaml", "--json")
        engine.wait_until_it_charges()
        os.kill(engine.process.pid, signal.SIGKILL)
        until(lambda: web.posted, "a message")
        said = engine.end()
    (alarm,) = engine.rows("SELECT kind, channel, severity FROM alarm")
    (posted,) = web.posted
    assert posted["title"] == f"[cellrig] {alarm[2].upper()}, channel A1: {alarm[0]}"
    assert "made safe: smu-1" in posted["message"]
    assert PASSWORD not in said
    assert "s3cret" not in said
