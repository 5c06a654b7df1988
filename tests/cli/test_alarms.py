"""``rig alarms``, and the whole way: a run trips, people are told, one of them acknowledges."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.core.alarms import Severity, raise_alarm
from rig.store import queries
from rig.store.alarms import raise_now
from rig.store.database import open_database
from tests.bench.post_office import IN_URL, PASSWORD, Post, mail_server, web_server
from tests.cli.commands import PROTOCOL, refused, rig
from tests.cli.served import BENCH, SPEED, served, source_meter

TIGHT = PROTOCOL.replace("current: 10 mA}", "current: 10 mA, capacity: 0.05 mAh}")
REAL_BENCH = BENCH + f"speed: {SPEED:g}\nwatchdog: off\n"


@pytest.fixture
def tripping(folder: Path) -> Path:
    path = folder / "tight.yaml"
    path.write_text(TIGHT, encoding="utf-8")
    return path


@pytest.fixture
def tripped(tripping: Path) -> dict[str, object]:
    """A database with one run in it that tripped; returns its alarm."""
    assert rig("run", tripping, "--channel", "C1").code == 1
    (alarm,) = rig("alarms", "list", "--json").json()["alarms"]
    return alarm


def critical(folder: Path, channel: str = "C1") -> str:
    """Raise the loudest alarm, as an engine would; returns its id."""
    engine = open_database(f"sqlite:///{folder / 'rig.db'}")
    alarm = raise_alarm(
        Severity.CRITICAL,
        "unconfirmed-safe-state",
        "nobody could confirm that the cell is disconnected",
        raised_us=1,
        channel=channel,
    )
    raise_now(engine, alarm)
    engine.dispose()
    return alarm.alarm_id


# --- the commands --------------------------------------------------------------------------------


def test_a_simulated_run_that_trips_raises_its_alarm_with_value_limit_and_unit(tripped):
    assert (tripped["channel"], tripped["kind"]) == ("C1", "safety-capacity")
    assert (tripped["severity"], tripped["times"], tripped["unit"]) == ("alarm", 1, "Ah")
    assert tripped["limit_value"] == pytest.approx(0.05e-3)
    assert tripped["limit_value"] < tripped["value"] < 0.06e-3
    shown = rig("runs", "show", "last", "--json").json()
    assert shown["run_id"] == tripped["run_id"]
    assert shown["reason"] == tripped["message"]
    assert [e["message"] for e in shown["events"] if e["kind"] == "tripped"] == [shown["reason"]]


def test_an_alarm_is_listed_shown_and_acknowledged(tripped):
    listed = rig("alarms", "list")
    assert tripped["alarm_id"][:8] in listed.out
    assert "safety-capacity" in listed.out
    shown = rig("alarms", "show", tripped["alarm_id"][:6]).out
    assert "value 50" in shown
    assert "limit 50 µAh" in shown
    assert "not acknowledged" in shown
    outcome = rig("alarms", "acknowledge", "last", "--reason", "limit was too tight")
    assert (outcome.code, outcome.err) == (0, "")
    assert rig("alarms", "list", "--json").json() == {"alarms": []}
    (seen,) = rig("alarms", "list", "--all", "--json").json()["alarms"]
    assert seen["acknowledge_reason"] == "limit was too tight"
    assert "@" in seen["acknowledged_by"]
    assert "limit was too tight" in rig("alarms", "show", "last").out
    assert rig("alarms", "show", "last", "--json").json()["remedy"]


def test_all_open_alarms_of_a_channel_are_acknowledged_by_its_name(tripped, folder):
    critical(folder)
    critical(folder, "C2")
    done = rig("alarms", "acknowledge", "C1", "--json").json()["acknowledged"]
    assert {alarm["kind"] for alarm in done} == {"safety-capacity", "unconfirmed-safe-state"}
    (left,) = rig("alarms", "list", "--json").json()["alarms"]
    assert left["channel"] == "C2"
    assert "nothing to acknowledge" in rig("alarms", "acknowledge", "C1").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--db", "sqlite:///none.db"], "no such file"),
        (["show", "zz"], "no such alarm"),
        (["acknowledge", "C9"], "no such alarm"),
        (["test", "--bench", "sim"], "names nobody"),
        (["test", "--bench", "none.yaml"], "cannot be read"),
        (["test"], "--bench"),
    ],
)
def test_what_cannot_be_is_refused(tripped, arguments, words):
    assert words in refused("alarms", *arguments)


def test_a_critical_alarm_keeps_its_channel_from_starting_until_it_is_acknowledged(
    protocol, folder
):
    alarm_id = critical(folder)
    complaint = refused("run", protocol, "--channel", "C1")
    assert f"alarm {alarm_id[:8]}: channel C1 has a critical alarm" in complaint
    assert "rig alarms acknowledge" in complaint
    assert rig("runs", "list", "--json").json() == {"runs": []}
    assert rig("run", protocol, "--channel", "C2").code == 0
    assert rig("alarms", "acknowledge", alarm_id).code == 0
    assert rig("run", protocol, "--channel", "C1").code == 0


def test_an_interrupted_run_is_not_resumed_over_a_critical_alarm(tripped, folder):
    critical(folder)
    assert "critical alarm" in refused("run", "--resume", "last")


def test_nothing_of_apprise_is_loaded_where_nobody_is_to_be_told(protocol):
    code = (
        "import sys; from rig.cli.main import run\n"
        f"sys.argv = ['rig', 'run', {str(protocol)!r}]\n"
        "try:\n    run()\nexcept SystemExit as over:\n    assert not over.code\n"
        "print([name for name in sys.modules if name.startswith(('apprise', 'requests'))])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout.splitlines()[-1] == "[]"


# --- told ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def bench_that_tells(folder: Path, *entries: str) -> Iterator[Path]:
    """A bench of a served source meter, and who is told of its alarms."""
    with served({"smu-1": source_meter()}) as addresses:
        lines = "".join(f"  - {entry}\n" for entry in entries)
        path = folder / "bench.yaml"
        text = REAL_BENCH.format(address=addresses["smu-1"]) + f"notify:\n{lines}"
        path.write_text(text, encoding="utf-8")
        yield path


def everything_kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("rig.db*"))


def test_a_run_that_trips_is_told_by_mail_and_to_a_webhook_and_no_secret_is_left(
    tripping, folder, monkeypatch
):
    with mail_server() as mail, web_server() as web:
        monkeypatch.setenv("RIG_MAIL", mail.mail_url())
        entries = ["{url: $RIG_MAIL}", f'{{url: "{web.web_url()}", from: alarm}}']
        with bench_that_tells(folder, *entries) as bench:
            outcome = rig("run", tripping, "--bench", bench)
    assert outcome.code == 1
    (alarm,) = rig("alarms", "list", "--json").json()["alarms"]
    (sent,), (posted,) = mail.mails, web.posted
    assert sent["Subject"] == posted["title"] == "[cellrig] ALARM, channel A1: safety-capacity"
    for text in (sent.get_body(("plain",)).get_content(), posted["message"]):
        assert f"rig alarms acknowledge {alarm['alarm_id'][:8]}" in text
        assert "limit 50" in text
        assert "bench.yaml" in text
    kept = everything_kept(folder)
    for secret in (PASSWORD, IN_URL, "s3cret"):
        assert secret.encode() not in kept
        assert secret not in outcome.out + outcome.err
    assert b"json://****" in kept
    assert b"$RIG_MAIL" in kept


def test_a_run_that_goes_well_tells_nobody(protocol, folder):
    with web_server() as web, bench_that_tells(folder, f'{{url: "{web.web_url()}"}}') as bench:
        assert rig("run", protocol, "--bench", bench).code == 0
    assert web.posted == []


def test_a_rehearsal_tells_nobody(tripping, folder):
    with web_server() as web:
        bench = folder / "sim.yaml"
        text = BENCH.format(address="sim").replace(
            "{cell: smu-1}", "{cell: smu-1, simulate: {cell: full_cell, area: 1 cm^2}}"
        )
        entry = f'notify: [{{url: "{web.web_url()}", from: notice}}]\n'
        bench.write_text(text + entry, encoding="utf-8")
        assert rig("run", tripping, "--bench", bench).code == 1
    assert web.posted == []
    assert len(rig("alarms", "list", "--json").json()["alarms"]) == 1


def test_whoever_cannot_be_told_is_in_the_event_log_and_on_stderr_without_a_secret(
    tripping, folder
):
    with web_server() as web:
        web.refuses = True
        with bench_that_tells(folder, f'{{url: "{web.web_url()}"}}') as bench:
            outcome = rig("run", tripping, "--bench", bench)
    assert "1 notification reached nobody" in outcome.err
    engine = open_database(f"sqlite:///{folder / 'rig.db'}", create=False)
    record = queries.find_run(engine, "last")
    engine.dispose()
    shown = rig("runs", "show", record.run_id, "--json").json()
    (line,) = [event["message"] for event in shown["events"] if event["kind"] == "not notified"]
    assert line.startswith("json (")
    assert "503" in line
    assert b"s3cret" not in everything_kept(folder)
    assert "s3cret" not in outcome.out + outcome.err


@pytest.fixture
def posts() -> Iterator[tuple[Post, Post]]:
    with mail_server() as mail, web_server() as web:
        yield mail, web


def test_a_test_message_goes_to_everybody_and_each_result_is_reported(posts, folder):
    mail, web = posts
    entries = [f'{{url: "{mail.mail_url()}", from: critical}}', f'{{url: "{web.web_url()}"}}']
    with bench_that_tells(folder, *entries) as bench:
        outcome = rig("alarms", "test", "--bench", bench)
        assert outcome.code == 0, outcome
        web.refuses = True
        failed = rig("alarms", "test", "--bench", bench, "--json")
    assert [line.split()[:2] for line in outcome.out.splitlines()] == [
        ["sent", "mailto"],
        ["sent", "json"],
    ]
    assert (len(mail.mails), len(web.posted)) == (2, 1)
    assert mail.mails[0]["Subject"] == "[cellrig] test message"
    assert failed.code == 1
    targets = failed.json()["targets"]
    assert [target["sent"] for target in targets] == [True, False]
    assert "503" in targets[1]["reason"]
    assert "s3cret" not in outcome.out + outcome.err + failed.out + failed.err
