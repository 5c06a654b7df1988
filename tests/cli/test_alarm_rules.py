"""``rig alarms rules``: kept, listed, tried on what is stored, switched, taken away."""

from __future__ import annotations

import pytest

from tests.bench.rule_stands import Lab
from tests.cli.commands import refused, rig

LOW = ("--quantity", "coulombic_efficiency", "--below", "99 %")
EVER = ("--days", "3650")


@pytest.fixture(autouse=True)
def lab(folder) -> None:
    """A database with one cell whose efficiency falls in its third cycle."""
    lab = Lab(folder / "rig.db")
    lab.run("a" * 32, "C1")
    lab.cycle("a" * 32, 1e-3, 1e-3, 0.97e-3, 0.96e-3)
    lab.engine.dispose()


def test_a_rule_is_tried_before_it_is_kept_and_says_when_it_would_have_fired() -> None:
    shown = rig("alarms", "rules", "try", *LOW, "--in-a-row", "2", *EVER)
    assert shown.code == 0
    first, second = shown.out.splitlines()
    assert first == (
        "coulombic efficiency below 99 % in 2 cycles in a row: "
        "would have fired once in 3650 days, on 1 of 1 run"
    )
    assert second.startswith("2026-01-01 ")
    assert second.endswith(f"cell {'a' * 32}  run aaaaaaaa  cycle 4: 96 %")
    trial = rig("alarms", "rules", "try", *LOW, *EVER, "--json").json()
    assert [one["cycle_count"] for one in trial["firings"]] == [3]
    assert rig("alarms", "rules", "list", "--json").json() == {"rules": []}


def test_a_rule_is_kept_listed_shown_switched_and_taken_away() -> None:
    kept = rig("alarms", "rules", "add", "Low efficiency", *LOW, "--where", "cycles > 1")
    assert kept.out == "kept: Low efficiency: warning for coulombic efficiency below 99 %\n"
    listed = rig("alarms", "rules", "list").out
    for words in ("Low efficiency", "below 99 %", "cycles > 1", "quiet", "never"):
        assert words in listed
    shown = rig("alarms", "rules", "show", "Low efficiency").out
    assert "runs: cycles > 1; told: everybody; made by " in shown
    assert rig("alarms", "rules", "switch", "Low efficiency", "off").out == "off: Low efficiency\n"
    (row,) = rig("alarms", "rules", "list", "--json").json()["rules"]
    assert (row["enabled"], row["firing"], row["fired"]) == (False, 0, 0)
    assert rig("alarms", "rules", "try", "Low efficiency", *EVER, "--json").json()["total"] == 1
    removed = rig("alarms", "rules", "remove", row["rule_id"][:6])
    assert removed.out == "removed: Low efficiency\n"
    assert rig("alarms", "rules", "list", "--json").json() == {"rules": []}


def test_a_dead_man_is_a_time_without_data() -> None:
    made = rig("alarms", "rules", "add", "Dead man", "--silent-for", "10 min", "--json").json()
    assert (made["quantity"], made["threshold"], made["words"]) == (
        *("silence", 600.0, "no data for 10 min 00 s"),
    )


def test_a_name_that_is_told_is_looked_up_in_the_file_that_has_it(folder) -> None:
    (folder / "notify.yaml").write_text(
        'notify: [{name: maria, url: "json://127.0.0.1:9/x"}]\n', encoding="utf-8"
    )
    add = ("alarms", "rules", "add", "Low", *LOW, "--tell")
    assert "needs the file whose notify: has the name" in refused(*add, "maria")
    complaint = refused(*add, "mary", "--notify", "notify.yaml")
    assert "did you mean 'maria'" in complaint
    assert rig(*add, "maria", "--notify", "notify.yaml", "--json").json()["recipients"] == ["maria"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "Low", "--quantity", "coulombic_efficiency"], "expected one, got none of them"),
        (["add", "Low", *LOW, "--above", "1 %"], "got --below and --above"),
        (["add", "Low", "--below", "1 %"], "--quantity: is missing"),
        (["add", "Low", "--quantity", "x", "--silent-for", "1 h"], "does not go with"),
        (["add", "Low", *LOW[:3], "99"], "without a unit"),
        (["add", "Low", *LOW, "--where", "chemistri = 1"], "chemistri"),
        (["show", "none"], "no such rule"),
        (["switch", "none", "perhaps"], "got 'perhaps'"),
        (["try"], "expected one"),
        (["list", "--db", "sqlite:///none.db"], "no such file"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, words) -> None:
    assert words in refused("alarms", "rules", *arguments)
