"""``rig serve``, ``rig users``, ``rig tokens``, ``rig status`` as they are typed."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.cli.commands import refused, rig
from tests.web.houses import PASSWORD
from tests.web.test_orders import PROTOCOL, wait_for


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIG_DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sends a password through a pipe."""

    def send(password: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))

    send(PASSWORD)
    return send


def test_a_whole_network_is_not_let_at_the_cells_by_mistake(folder: Path) -> None:
    said = refused("serve", "--host", "0.0.0.0", "--port", 0)
    assert "nobody has an account" in said
    assert "--open" in said
    assert "rig users add" in said


def test_options_that_contradict_each_other_are_told_all_at_once() -> None:
    said = refused("serve", "--observe", "--bench", "sim", "--certificate", "rig.pem")
    assert "has no engine" in said
    assert "go together" in said


def test_a_certificate_that_cannot_be_used_is_told_and_nothing_is_begun(folder: Path) -> None:
    said = refused("serve", "--port", 0, "--certificate", "rig.pem", "--key", "rig.key")
    assert "cannot serve https with rig.pem and rig.key: No such file" in said
    assert list(folder.iterdir()) == []


def test_a_database_that_is_not_there_is_not_made_to_be_observed(folder: Path) -> None:
    assert "no such file" in refused("serve", "--observe", "--port", 0)
    assert list(folder.iterdir()) == []


def test_accounts_are_added_listed_and_removed(types: Callable[[str], None]) -> None:
    assert rig("users", "add", "maria", "--role", "admin").code == 0
    assert rig("users", "list").out == "admin     maria\n"
    made = rig("tokens", "add", "plotter", "--user", "maria", "--days", 7, "--json").json()
    assert made["secret"].startswith("rig_")
    assert made["secret"] not in rig("tokens", "list").out
    assert rig("tokens", "remove", made["token_id"]).code == 0
    assert "is none of the 0 tokens" in refused("tokens", "remove", made["token_id"])
    assert rig("users", "remove", "maria").code == 0
    assert "open as operator" in rig("users", "list").out


def test_names_and_passwords_that_cannot_be_are_refused(types: Callable[[str], None]) -> None:
    assert "expected letters" in refused("users", "add", "maria klein")
    assert rig("users", "add", "maria").code == 0
    types(PASSWORD)
    assert "has an account already" in refused("users", "add", "maria")
    assert "did you mean 'maria'" in refused("users", "remove", "mari")
    assert "has no account" in refused("tokens", "add", "x", "--user", "olaf")
    types("short")
    assert "got 5 characters, expected 10" in refused("users", "password", "maria")


def test_status_says_why_and_what_next_and_names_unknown_channels(folder: Path) -> None:
    (folder / "p.yaml").write_text(PROTOCOL.replace("10 h", "10 min"), encoding="utf-8")
    assert rig("run", "p.yaml", "--channel", "C1", "--speed", "max").code == 0
    shown = rig("status").out
    assert "C1 (simulated)  finished" in shown
    assert "protocol finished" in shown
    assert rig("status", "C1", "--json").json()["channels"][0]["state"] == "finished"
    assert "did you mean 'C1'" in refused("status", "C")


@pytest.mark.slow
def test_a_served_bench_takes_a_run_and_ends_with_every_cell_disconnected(folder: Path) -> None:
    """The whole of it: two processes, a start over HTTP, a polite kill."""
    command = [sys.executable, "-m", "rig", "serve", "--bench", "sim", "--speed", "20"]
    process = subprocess.Popen(
        [*command, "--port", "0"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if "no accounts" in line:
                break
        url = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
        assert url is not None, "".join(said)
        body = {"text": PROTOCOL, "channels": ["C1"]}
        answer = httpx.post(f"{url[0]}/api/runs", json=body, timeout=60)
        assert answer.status_code == 201, answer.text

        def shown() -> dict[str, object]:
            return dict(httpx.get(f"{url[0]}/api/channels/C1", timeout=30).json())

        wait_for(lambda: shown()["state"] == "running")
        with httpx.stream("GET", f"{url[0]}/api/live", timeout=30) as watching:
            assert next(watching.iter_lines()) == "event: wall"
            process.send_signal(signal.SIGTERM)
            _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, rest
    assert "every cell is disconnected" in rest
    (run,) = rig("runs", "list", "--json").json()["runs"]
    assert run["state"] == "paused"
