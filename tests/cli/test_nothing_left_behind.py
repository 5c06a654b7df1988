"""A command that was told something wrong, or that only looks, leaves no database where there was none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.commands import refused, rig

WRONG = [
    ("hand", "ocv", "C9"),
    ("hand", "ocv", "C1", "--bench", "none.yaml"),
    ("hand", "ocv", "C1", "--for", "9 h"),
    ("hand", "spectrum", "C1", "--from", "7"),
    ("hand", "leads", "C1", "--pulse", "1 A"),
    ("hand", "temperature", "C9", "40 degC"),
    ("bench", "identify", "smu-9"),
    ("bench", "status", "--bench", "none.yaml"),
    ("revise", "C9", "p.yaml", "--check"),
    ("start", "p.yaml", "--channel", "C9"),
    ("run", "p.yaml", "--channel", "C9", "--cell", "LPS-17"),
    ("rehearse", "p.yaml", "--cell", "LPS-17"),
    ("status", "C9"),
    ("safe", "C9"),
    ("alarms", "list"),
    ("alarms", "acknowledge", "none"),
    ("alarms", "rules", "show", "Fade"),
    ("alarms", "rules", "switch", "Fade", "off"),
    ("alarms", "rules", "remove", "Fade"),
    ("alarms", "rules", "add", "Fade", "--quantity", "nothing", "--below", "0.8"),
    ("runs", "curves", "none"),
    ("cells", "add", " LPS-17"),
    ("cells", "show", "LPS-17"),
    ("cells", "change", "LPS-17", "area=1 cm^2"),
    ("cells", "limits", "LPS-17"),
    ("cells", "limits", "LPS-17", "--clear"),
    ("users", "list"),
    ("users", "add", "maria"),
    ("users", "password", "maria"),
    ("users", "remove", "maria"),
    ("tokens", "list"),
    ("tokens", "add", "phone", "--user", "maria"),
    ("tokens", "remove", "phone"),
    ("engine", "--speed", "fast"),
    ("serve", "--speed", "fast", "--port", "0"),
    ("serve", "--host", "0.0.0.0", "--port", "0"),
]


@pytest.fixture
def bare(folder: Path, protocol: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a protocol and nothing else; whoever is asked for a password types a short one."""
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    return folder


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_who_is_told_something_wrong_makes_no_database(bare: Path, words: tuple[str, ...]) -> None:
    refused(*words)
    assert [path.name for path in bare.iterdir()] == ["p.yaml"]


def test_who_only_looks_at_a_bench_makes_no_database(bare: Path) -> None:
    outcome = rig("bench", "status")
    assert outcome.code == 0, outcome.err
    assert [path.name for path in bare.iterdir()] == ["p.yaml"]


def test_a_cell_that_only_a_server_would_know_makes_no_journal(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is away: nobody knows the cell, and nothing is left of the question."""
    monkeypatch.setenv("RIG_JOURNAL", str(bare / "journal.db"))
    server = "postgresql://nobody@127.0.0.1:1/rig"
    for words in (("show",), ("change", "area=1 cm^2"), ("limits",), ("limits", "--clear")):
        told = refused("cells", words[0], "LPS-17", *words[1:], "--db", server)
        assert "has no record" in told
    assert [path.name for path in bare.iterdir()] == ["p.yaml"]
